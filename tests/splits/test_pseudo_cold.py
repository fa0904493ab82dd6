from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer.splits import ColdStartUsers, FixedFiles, Split, hide_pseudo_cold
from tests.worlds import checkerboard, domain_of, fixed_rows, pair_of


def board(seed: int, *domains: str) -> Split:
    return ColdStartUsers(test_share=0.2, pseudo_cold_share=0, domains=domains).split(checkerboard(20, 4), rng=seed)


def users_of(rows: pd.DataFrame, domain: str) -> set[str]:
    return set(rows.loc[rows["domain"] == domain, "user_id"])


def cells(*tables: pd.DataFrame) -> list[tuple[str, str, str]]:
    return sorted(map(tuple, pd.concat(tables)[["domain", "user_id", "item_id"]].to_numpy()))


@pytest.mark.parametrize("seed", range(5))
def test_hidden_users_are_warm_users_who_become_what_test_users_are(seed: int) -> None:
    split = board(seed, "source", "target")
    hidden = hide_pseudo_cold(split, 0.25, np.random.default_rng(seed))
    assert cells(hidden.train, hidden.valid) == cells(split.train)
    assert hidden.test is split.test
    assert hidden.cold_users is split.cold_users
    assert hidden.validation == "pseudo-cold users"
    drawn = {domain: users_of(hidden.valid, domain) for domain in ("books", "films")}
    # 20 people, of whom 4 are tested in each domain: 12 have training rows in both, a quarter of them 3.
    assert {len(users) for users in drawn.values()} == {3}
    assert not drawn["books"] & drawn["films"]
    for domain, other in (("books", "films"), ("films", "books")):
        assert not drawn[domain] & users_of(hidden.train, domain)
        assert drawn[domain] <= users_of(hidden.train, other)
        assert not drawn[domain] & set(split.test["user_id"])


def test_only_domains_that_are_tested_lose_rows() -> None:
    split = board(0, "target")
    hidden = hide_pseudo_cold(split, 0.25, np.random.default_rng(0))
    assert users_of(hidden.valid, "books") == set()
    assert len(users_of(hidden.valid, "films")) == 4


def test_at_least_one_user_is_hidden() -> None:
    assert len(users_of(hide_pseudo_cold(board(0, "target"), 0.001, np.random.default_rng(0)).valid, "films")) == 1


def test_a_warm_test_user_is_never_hidden() -> None:
    likes = dict.fromkeys(("ann", "bob", "cem", "dee", "eve"), "f1 f2")
    books = domain_of("books", "Book", dict.fromkeys(likes, "b1"))
    dataset = pair_of(
        books, domain_of("films", "Movie", likes), test={"films": {"ann": "f1", "bob": "f1", "cem": "f1"}}
    )
    for seed in range(10):
        hidden = FixedFiles(choose_on="pseudo_cold_users", pseudo_cold_share=0.4).split(dataset, rng=seed)
        assert users_of(hidden.valid, "films") < {"dee", "eve"}


def test_too_few_users_are_refused() -> None:
    books, films = (
        domain_of("books", "Book", {"ann": "b1", "bob": "b1"}),
        domain_of("films", "Movie", {"ann": "f1", "bob": "f1"}),
    )
    split = FixedFiles().split(pair_of(books, films, test={"films": {"bob": "f1"}}))
    with pytest.raises(
        InputError, match="1 users have training rows in both domains, too few to hide 10% of them in each"
    ):
        hide_pseudo_cold(split, 0.1, np.random.default_rng(0))


def test_fixed_files_can_choose_on_pseudo_cold_users_and_then_use_their_validation_rows_for_nothing() -> None:
    dataset = checkerboard(20, 4)
    of = {user: " ".join(rows["item_id"]) for user, rows in dataset.target.interactions.groupby("user_id")}
    test, valid = {"films": {"u0": of["u0"], "u1": of["u1"]}}, {"films": {"u2": of["u2"]}}
    given = pair_of(*dataset.domains, test=test, valid=valid)
    splitter = FixedFiles(choose_on="pseudo_cold_users", pseudo_cold_share=0.2)
    first, again, other = (splitter.split(given, rng=seed) for seed in (3, 3, 4))
    assert first.validation == "pseudo-cold users"
    assert cells(first.test) == cells(fixed_rows(test))
    # u0, u1 and u2 have no training row in films; a fifth of the other 17 is 3.
    assert len(users_of(first.valid, "films")) == 3
    assert not {"u0", "u1", "u2"} & (users_of(first.valid, "films") | users_of(first.train, "films"))
    assert cells(first.valid) == cells(again.valid)
    assert cells(first.valid) != cells(other.valid)
