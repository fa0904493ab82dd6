from __future__ import annotations

import numpy as np
import pytest

from graph_schema import InputError
from kgxfer.splits import ColdStartItems, hide_pseudo_cold
from kgxfer.splits.split import Split
from tests.worlds import checkerboard, domain_of, pair_of

BOARD = checkerboard(16, 20)


def of(split: Split, part: str, domain: str) -> list[str]:
    found = split.candidates(part, domain)  # type: ignore[arg-type]
    return [] if found is None else found.tolist()


def test_all_rows_of_the_drawn_items_leave_and_only_these_items_compete() -> None:
    split = ColdStartItems().split(BOARD, rng=3)
    tested, chosen = of(split, "test", "films"), of(split, "valid", "films")
    assert (len(tested), len(chosen)) == (4, 2)
    films = BOARD.target.interactions
    for part, items in ((split.test, tested), (split.valid, chosen)):
        expected = films[films["item_id"].isin(items)]
        assert part[["user_id", "item_id"]].to_numpy().tolist() == expected.to_numpy().tolist()
        assert not split.train["item_id"].isin(items).any()
    assert split.candidates("test", "books") is None
    assert len(split.rows("train", "books")) == len(BOARD.source.interactions)
    assert split.validation == "pseudo-cold items"
    assert split.protocol == "cold-start items (20% of the items, ranked among themselves, seed 3)"


def test_both_domains_can_be_tested() -> None:
    split = ColdStartItems(domains=("source", "target"), test_share=0.1).split(BOARD)
    assert split.evaluated_domains == ["books", "films"]
    assert [len(of(split, "test", domain)) for domain in split.evaluated_domains] == [2, 2]


def test_after_the_refit_only_test_items_are_cold() -> None:
    split = ColdStartItems().split(BOARD)
    refit = split.for_refit()
    assert refit.candidates("valid", "films") is None
    assert of(refit, "test", "films") == of(split, "test", "films")
    assert refit.train["item_id"].isin(of(split, "valid", "films")).any()


def test_items_without_a_relevant_row_are_not_drawn_and_count_for_nothing() -> None:
    films = domain_of("films", "Movie", {"ann": "f1:5 f2:5 f3:1", "bob": "f1:4 f3:2 f2:1"}, items=["f4"])
    books = domain_of("books", "Book", {"ann": "b1:5", "bob": "b1:5"})
    for seed in range(10):
        split = ColdStartItems(test_share=0.5, pseudo_cold_share=0).split(
            pair_of(books, films, positive_from=3), rng=seed
        )
        assert of(split, "test", "films") in (["f1"], ["f2"])
        assert split.validation == "none"


def test_a_user_who_took_cold_items_only_is_cold() -> None:
    likes = {"ann": "f1 f2", "bob": "f1", "cem": "f2"}
    dataset = pair_of(domain_of("books", "Book", dict.fromkeys(likes, "b1")), domain_of("films", "Movie", likes))
    split = ColdStartItems(test_share=0.5, pseudo_cold_share=0).split(dataset)
    only = {"f1": "bob", "f2": "cem"}[of(split, "test", "films")[0]]
    assert split.cold_users.to_numpy().tolist() == [["films", only]]


def test_hiding_users_makes_all_items_compete_in_the_validation_part() -> None:
    likes = {f"u{number}": f"f{number // 2}" for number in range(20)}
    dataset = pair_of(domain_of("books", "Book", dict.fromkeys(likes, "b1")), domain_of("films", "Movie", likes))
    split = ColdStartItems().split(dataset)
    hidden = hide_pseudo_cold(split, 0.2, np.random.default_rng(0))
    assert hidden.candidates("valid", "films") is None
    assert of(hidden, "test", "films") == of(split, "test", "films")


def test_shares_that_leave_nothing_are_refused_with_the_remedy() -> None:
    for share, counts in ((0.95, "19 test and 2"), (0.01, "0 test and 2")):
        with pytest.raises(InputError) as caught:
            ColdStartItems(test_share=share).split(BOARD)
        assert str(caught.value) == (
            f'data set "checkerboard": 20 items of domain "films" have relevant interactions, which does not allow '
            f"{counts} validation items with at least one left to learn from; change test_share or pseudo_cold_share"
        )
