from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_schema import InputError
from kgxfer.splits import ColdStartUsers, Split
from loaders import CrossDomainDataset
from tests.worlds import checkerboard, domain_of, pair_of

BOARD = checkerboard(16, 4)


def users_of(rows: pd.DataFrame, domain: str) -> set[str]:
    return set(rows.loc[rows["domain"] == domain, "user_id"])


def everything(dataset: CrossDomainDataset) -> list[tuple[str, str, str]]:
    return sorted(
        (domain.domain, *pair)
        for domain in dataset.domains
        for pair in domain.interactions[["user_id", "item_id"]].to_numpy()
    )


def parts_together(split: Split) -> list[tuple[str, str, str]]:
    rows = pd.concat([split.train, split.valid, split.test])
    return sorted(map(tuple, rows[["domain", "user_id", "item_id"]].to_numpy()))


def test_shares_are_shares_of_the_overlapping_users() -> None:
    split = ColdStartUsers(test_share=0.25, pseudo_cold_share=0.125).split(BOARD)
    assert split.test["user_id"].nunique() == 4
    assert split.valid["user_id"].nunique() == 2
    assert split.validation == "pseudo-cold users"
    assert split.protocol == "cold-start users (25% of the overlapping users, seed 0)"
    assert split.evaluated_domains == ["films"]


@settings(max_examples=25)
@given(
    st.sampled_from([("target",), ("source",), ("source", "target")]),
    st.sampled_from([0.1, 0.2, 0.3]),
    st.sampled_from([0.0, 0.1, 0.15]),
    st.integers(0, 2**31),
)
def test_cold_users_have_no_training_row_where_they_are_tested_and_all_of_them_elsewhere(
    domains: tuple[str, ...], tests: float, valids: float, seed: int
) -> None:
    split = ColdStartUsers(test_share=tests, pseudo_cold_share=valids, domains=domains).split(BOARD, rng=seed)
    assert parts_together(split) == everything(BOARD)
    assert split.evaluated_domains == [getattr(BOARD, domain).domain for domain in domains]
    drawn: list[str] = []
    for domain, other in (("books", "films"), ("films", "books")):
        tested, chosen = users_of(split.test, domain), users_of(split.valid, domain)
        drawn += [*tested, *chosen]
        assert set(split.cold_users.loc[split.cold_users["domain"] == domain, "user_id"]) == tested
        assert not (tested | chosen) & users_of(split.train, domain)
        assert (tested | chosen) <= users_of(split.train, other)
        if domain in split.evaluated_domains:
            assert (len(tested), len(chosen)) == (round(tests * 16), round(valids * 16))
    assert len(drawn) == len(set(drawn)), "no user is drawn twice"


def test_the_same_seed_gives_the_same_split_and_another_another() -> None:
    first, again, other = (ColdStartUsers().split(checkerboard(16, 4), rng=seed) for seed in (7, 7, 8))
    for part in ("train", "valid", "test", "cold_users"):
        pd.testing.assert_frame_equal(getattr(first, part), getattr(again, part))
    assert users_of(first.test, "films") != users_of(other.test, "films")


def test_without_pseudo_cold_users_there_is_no_validation() -> None:
    split = ColdStartUsers(pseudo_cold_share=0).split(BOARD)
    assert split.valid.empty
    assert split.validation == "none"


def test_rows_below_the_threshold_leave_with_their_user_but_do_not_make_one_eligible() -> None:
    books = domain_of("books", "Book", {"ann": "b1:5", "bob": "b1:5", "cem": "b1:1", "dee": "b1:5"})
    films = domain_of("films", "Movie", {"ann": "f1:5 f2:1", "bob": "f1:5 f2:1", "cem": "f1:5", "eve": "f1:5"})
    splitter = ColdStartUsers(test_share=0.5, pseudo_cold_share=0)
    for seed in range(8):
        split = splitter.split(pair_of(books, films, positive_from=3), rng=seed)
        (tested,) = users_of(split.test, "films")
        assert tested in ("ann", "bob"), "cem likes no book and dee and eve are in one domain"
        assert split.test[["item_id", "relevant"]].to_numpy().tolist() == [["f1", True], ["f2", False]]
        assert split.rows("test", "films")["item_id"].tolist() == ["f1"]
        assert split.rows("test", "films", relevant=False)["item_id"].tolist() == ["f1", "f2"]


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        (
            {"test_share": 0.9},
            "16 users have relevant interactions in both domains, which does not allow 14 test and 2",
        ),
        ({"test_share": 0.4, "domains": ("source", "target")}, "6 test and 2 validation users in 2 domain(s)"),
        ({"test_share": 0.01}, "does not allow 0 test"),
    ],
)
def test_shares_that_leave_nobody_are_refused_with_the_remedy(settings_: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        ColdStartUsers(**settings_).split(BOARD)
    assert message in str(caught.value)
    assert str(caught.value).endswith("change test_share or pseudo_cold_share, or link more users")
    assert "\n" not in str(caught.value)


def test_domains_without_a_common_user_are_refused() -> None:
    with pytest.raises(InputError, match='data set "checkerboard": 0 users have relevant interactions in both domains'):
        ColdStartUsers().split(checkerboard(8, 4, links=False))


def test_nothing_at_all_in_common_and_a_domain_of_one_user_are_refused_before_any_split() -> None:
    books, films = (
        domain_of("books", "Book", {"ann": "b1", "bob": "b1"}),
        domain_of("films", "Movie", {"x": "f1", "y": "f1"}),
    )
    with pytest.raises(InputError, match='nothing connects the domains "books" and "films"'):
        pair_of(books, films)
    alone = domain_of("films", "Movie", {"ann": "f1 f2"})
    with pytest.raises(InputError, match=re.escape('domain "films" has interactions of one user only ("ann")')):
        pair_of(books, alone)


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"test_share": 1.0}, "split cold_start_users, key test_share: input should be less than 1, not 1.0"),
        ({"test_shar": 0.1}, 'unknown key in split cold_start_users "test_shar"; did you mean "test_share"?'),
        (
            {"domains": ("target", "sauce")},
            "split cold_start_users, key domains.1: input should be 'source' or 'target'",
        ),
        ({"domains": ()}, "split cold_start_users, key domains: tuple should have at least 1 item"),
    ],
)
def test_wrong_settings_are_one_clear_line(settings_: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        ColdStartUsers(**settings_)
    assert str(caught.value).startswith(message)
