"""Do equal user ids in two files mean one person? What the ids suggest, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

BY_CHANCE = 1.5
"""So many times the number that chance gives may coincide before it means anything."""

_FEW = 0.01


@dataclass(frozen=True)
class People:
    """How the users of two files overlap.

    Attributes:
        source, target, both: number of different ids.
        shared: whether equal ids are taken for one person.
        statement: what was found and what it suggests, for people.
        doubt: why that may be wrong; empty where little speaks against it.
    """

    source: int
    target: int
    both: int
    shared: bool
    statement: str
    doubt: str = ""


def compare_people(source: pd.Series, target: pd.Series) -> People:
    """Compare the user ids of two files.

    Numbers coincide whoever they belong to. Two sets of n and m numbers, drawn from the r whole numbers that both
    ranges cover, have n m / r in common by chance. Where the files have hardly more, equal ids are taken for different
    people, since merging strangers does more harm than missing friends; but two files with exactly the same set of
    numbers are taken for one list of people.

    >>> compare_people(pd.Series(["ann", "bob"]), pd.Series(["bob", "cy"])).statement
    '1 user id is in both files (50.0 % of 2 source users, 50.0 % of 2 target users): taken for the same people'
    """
    ids = [pd.Index(column.dropna().astype("str").str.strip().unique()) for column in (source, target)]
    both = len(ids[0].intersection(ids[1]))
    sizes = (len(ids[0]), len(ids[1]))
    verb = "user id is" if both == 1 else "user ids are"
    shares = [100 * both / max(1, size) for size in sizes]
    found = (
        f"{both:,} {verb} in both files ({shares[0]:.1f} % of {sizes[0]:,} source users, {shares[1]:.1f} % of "
        f"{sizes[1]:,} target users)"
    )
    if not both:
        return People(*sizes, 0, True, f"{found}: nobody is known in both domains")
    taken, others = f"{found}: taken for the same people", f"{found}, about as many as chance gives: taken for others"
    expected = _by_chance(ids[0], ids[1])
    if expected is None:
        doubt = "so few ids coincide that it may be chance; false if they come from two lists of people"
        return People(*sizes, both, True, taken, doubt if max(shares) < 100 * _FEW else "")
    if sizes[0] == sizes[1] == both:
        doubt = "both files have the same numbers; true if that is one list of people, false if each counts its own"
        return People(*sizes, both, True, taken, doubt)
    if both > BY_CHANCE * expected:
        return People(*sizes, both, True, f"{taken}; chance would give {expected:,.0f}")
    doubt = (
        f"the ids are numbers, and {expected:,.0f} would coincide by chance; set true if they come from one list of "
        "people"
    )
    return People(*sizes, both, False, others, doubt)


def _by_chance(source: pd.Index, target: pd.Index) -> float | None:
    """How many numbers two files have in common by chance; None where ids are no numbers."""
    first, second = _numbers(source), _numbers(target)
    if first is None or second is None:
        return None
    low, high = max(first.min(), second.min()), min(first.max(), second.max())
    within = [int(((numbers >= low) & (numbers <= high)).sum()) for numbers in (first, second)]
    return within[0] * within[1] / max(1, int(high - low + 1))


def _numbers(ids: pd.Index) -> np.ndarray | None:
    """The ids as whole numbers of at most 15 digits; None where they are not."""
    if not len(ids) or not ids.str.fullmatch(r"\d{1,15}").all():
        return None
    return np.asarray(ids.astype(np.int64))
