from __future__ import annotations

import pandas as pd
import pytest

from graph_schema import LINKS, InputError, validate
from kgxfer.bridges import propose_links
from kgxfer.splits import ColdStartUsers, FixedFiles, LeaveOneOut, keep_overlap
from tests.worlds import checkerboard, domain_of, pair_of

BOARD = ColdStartUsers(test_share=0.2, pseudo_cold_share=0.1).split(checkerboard(20, 4), rng=0)


def test_a_share_of_the_training_users_stays_one_person() -> None:
    # Of 20 people 4 are tested and 2 chosen on: 14 can be separated, 6 never.
    for ratio, kept in ((1.0, 14), (0.5, 7), (0.2, 3), (0.05, 1), (0.0, 0)):
        fewer = keep_overlap(BOARD, ratio)
        assert len(fewer.dataset.overlapping_users) == 6 + kept
        assert len(propose_links(fewer, ["shared_id"])) == 6 + kept
        assert {*BOARD.test["user_id"], *BOARD.valid["user_id"]} <= set(fewer.dataset.overlapping_users)
        assert fewer.protocol == f"{BOARD.protocol}, {ratio:.0%} of 14 overlapping training users linked (seed 0)"


def test_lower_ratios_keep_users_of_higher_ones_and_another_seed_keeps_others() -> None:
    linked = [set(keep_overlap(BOARD, ratio).dataset.overlapping_users) for ratio in (1, 0.5, 0.2, 0.05, 0)]
    assert all(fewer < more for more, fewer in zip(linked, linked[1:], strict=False))
    assert set(keep_overlap(BOARD, 0.5, rng=1).dataset.overlapping_users) != linked[1]


def test_a_separated_user_is_another_one_in_the_source_domain() -> None:
    none = keep_overlap(BOARD, 0)
    books = none.dataset.source
    assert books.users["user_id"].str.startswith("books:").sum() == 14
    assert none.dataset.target is BOARD.dataset.target
    assert len(none.rows("train", "books")) == len(BOARD.rows("train", "books"))
    assert set(none.rows("train", "books")["user_id"]) == set(books.interactions["user_id"])
    assert none.dataset.fingerprint != BOARD.dataset.fingerprint
    assert keep_overlap(BOARD, 1).dataset.fingerprint == BOARD.dataset.fingerprint


def test_given_links_facts_and_fixed_rows_follow() -> None:
    about = pd.DataFrame(
        {"head_id": ["ann"], "head_type": "User", "relation": "RATED", "tail_id": ["b2"], "tail_type": "Book"}
    )
    books = domain_of("books", "Book", {"ann": "b1", "bob": "b1", "x": "b1"}, items=["b2"], facts=about)
    films = domain_of("films", "Movie", {"ann": "f1", "y": "f1", "z": "f2", "bob": "f2", "books:ann": "f1"})
    links = pd.DataFrame({"source_id": ["x", "b1"], "target_id": ["y", "f1"], "node_type": ["User", "Item"]})
    links = links.iloc[:1].assign(confidence=1.0, method="by hand", evidence=None)
    split = FixedFiles().split(
        pair_of(books, films, test={"films": {"bob": "f2"}}, valid={"books": {}}, links=validate(links, LINKS))
    )
    none = keep_overlap(split, 0)
    assert none.dataset.overlapping_users.tolist() == ["bob"]
    assert none.dataset.source.users["user_id"].tolist() == ["_books:ann", "bob", "x"], "books:ann is somebody else"
    assert none.dataset.source.facts["head_id"].tolist() == ["_books:ann"]
    assert none.dataset.fixed["test"].to_numpy().tolist() == [["films", "bob", "f2"]]
    assert (len(none.train_links), len(none.dataset.links)) == (0, 0)
    assert len(keep_overlap(split, 1).train_links) == 1


def test_what_cannot_be_separated_is_one_clear_line() -> None:
    with pytest.raises(InputError, match="keep_overlap: ratio is 50; give a share from 0 to 1"):
        keep_overlap(BOARD, 50)
    with pytest.raises(InputError, match="every overlapping training user has validation or test rows and has to stay"):
        keep_overlap(LeaveOneOut().split(checkerboard(20, 8)), 0.5)
