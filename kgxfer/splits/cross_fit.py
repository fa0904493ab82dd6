"""Choose on some cold-start users and test on the others, where the validation rows are the test users' own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from graph_schema.errors import InputError
from kgxfer.rng import numpy_generator
from kgxfer.splits.split import Split, user_keys


def cross_fit(split: Split, rng: int = 0) -> tuple[Split, Split]:
    """Halve the held-out users of each domain; choose on one half's validation rows and test on the other's test rows.

    Each of the two splits has the training rows of the given one. Between them every test row and every validation row
    is used once, so figures come from the test rows of both together. Halves are equal to one user, and so are their
    numbers of users who have test rows, and of those who have both.

    Args:
        split: one whose validation rows are the test users' own.
        rng: the seed of the halving.

    Raises:
        InputError: validation rows are others', or a half is left without a relevant row.
    """
    if split.validation != "rows of the test users":
        raise InputError(
            f"{split.protocol}: cross-fitting halves test users who have validation rows of their own, and choosing "
            f"here is on: {split.validation}; use the split as it is"
        )
    users = _halved(split, numpy_generator(rng, "cross-fit"))
    halves = [pd.MultiIndex.from_frame(users.loc[users["half"] == half, ["domain", "user_id"]]) for half in (0, 1)]
    return _one(split, halves[0], halves[1], 1, rng), _one(split, halves[1], halves[0], 2, rng)


def _halved(split: Split, generator: np.random.Generator) -> pd.DataFrame:
    """All held-out users as a table domain, user_id, tested, chosen_on, half (0 or 1)."""
    held = pd.concat([split.test, split.valid])[["domain", "user_id"]].drop_duplicates(ignore_index=True)
    held["tested"] = user_keys(held).isin(user_keys(split.test))
    held["chosen_on"] = user_keys(held).isin(user_keys(split.valid))
    held = held.iloc[generator.permutation(len(held))]
    held = held.sort_values(["domain", "tested", "chosen_on"], kind="stable", ignore_index=True)
    return held.assign(half=held.groupby("domain").cumcount() % 2)


def _one(split: Split, choosing: pd.MultiIndex, tested: pd.MultiIndex, number: int, rng: int) -> Split:
    def of(table: pd.DataFrame, users: pd.MultiIndex) -> pd.DataFrame:
        return table[user_keys(table).isin(users)].reset_index(drop=True)

    protocol = f"{split.protocol}, cross-fitted by user ({number} of 2, seed {rng})"
    valid = of(split.valid, choosing)
    if not valid["relevant"].any():
        raise InputError(f"{protocol}: no relevant validation row is left in one half; too few users to cross-fit")
    return replace(
        split, valid=valid, test=of(split.test, tested), cold_users=of(split.cold_users, tested), protocol=protocol,
        validation="rows of other cold users",
    )
