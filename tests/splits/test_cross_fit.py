from __future__ import annotations

import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer.splits import ColdStartUsers, FixedFiles, Split, cross_fit
from tests.worlds import checkerboard, pair_of


def of_files() -> Split:
    """Ten of 20 people are cold in films; each has a test row, and all but u0 and u1 a validation row."""
    board = checkerboard(20, 8)
    rows = {user: table["item_id"].tolist() for user, table in board.target.interactions.groupby("user_id")}
    cold = [f"u{number}" for number in range(10)]
    test = {user: " ".join(rows[user] if user in ("u0", "u1") else rows[user][:2]) for user in cold}
    valid = {user: " ".join(rows[user][2:]) for user in cold[2:]}
    return FixedFiles().split(pair_of(*board.domains, test={"films": test}, valid={"films": valid}))


def test_the_halves_choose_on_each_others_users() -> None:
    split = of_files()
    first, second = cross_fit(split, rng=4)
    tested = [set(half.test["user_id"]) for half in (first, second)]
    assert [len(users) for users in tested] == [5, 5]
    assert tested[0] | tested[1] == {f"u{number}" for number in range(10)}
    chosen_on = [set(half.valid["user_id"]) for half in (first, second)]
    assert chosen_on == [tested[1] - {"u0", "u1"}, tested[0] - {"u0", "u1"}]
    assert [len(users & {"u0", "u1"}) for users in tested] == [1, 1], "halves are alike in who has validation rows"
    assert [half.cold_users["user_id"].tolist() for half in (first, second)] == [sorted(users) for users in tested]
    assert first.validation == second.validation == "rows of other cold users"
    assert first.protocol == "fixed files, cross-fitted by user (1 of 2, seed 4)"
    assert second.protocol == "fixed files, cross-fitted by user (2 of 2, seed 4)"


def test_the_halving_follows_from_the_seed() -> None:
    split = of_files()
    tested = [tuple(cross_fit(split, rng=seed)[0].cold_users["user_id"]) for seed in (0, 0, 1, 2, 3)]
    assert tested[0] == tested[1]
    assert len(set(tested)) > 2


def test_after_choosing_the_other_half_may_be_learned_from() -> None:
    first, _ = cross_fit(of_files())
    refit = first.for_refit()
    pd.testing.assert_frame_equal(refit.cold_users, first.cold_users)
    assert len(refit.train) == len(first.train) + len(first.valid)


def test_other_splits_and_too_few_users_are_refused() -> None:
    with pytest.raises(InputError, match="and choosing here is on: pseudo-cold users; use the split as it is"):
        cross_fit(ColdStartUsers().split(checkerboard(20, 8)))
    board = checkerboard(20, 8)
    rows = {user: " ".join(table["item_id"]) for user, table in board.target.interactions.groupby("user_id")}
    test = {user: rows[user] for user in ("u0", "u1")}
    split = FixedFiles().split(pair_of(*board.domains, test={"films": test}, valid={"films": {"u2": rows["u2"]}}))
    with pytest.raises(InputError, match="no relevant validation row is left in one half; too few users to cross-fit"):
        cross_fit(split)
