"""Do equal user ids in two files mean one person? What the ids suggest, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

COUNTED_UP = 0.95
"""Whole numbers from 0 or 1 on, of which at least this share occurs, were counted up: each file may have its own."""


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

    Ids that were counted up from 0 or 1 in each file coincide whoever they belong to. Where both files count up to the
    same number they may be one table of users; where they do not, they are taken for different people, for merging
    strangers does more harm than missing friends.

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
    if all(_counted_up(one) for one in ids):
        if sizes[0] == sizes[1] == both:
            doubt = "both files number all their users from one range; true if that is one list of people, false if not"
            return People(*sizes, both, True, f"{found}: taken for the same people", doubt)
        doubt = (
            "both files count their users up from the first number, so ids coincide whoever they belong to; "
            "set true if the numbers come from one list of people"
        )
        return People(*sizes, both, False, f"{found}, but both count up from the first number: taken for others", doubt)
    doubt = ""
    if all(_numbers(one) is not None for one in ids):
        doubt = "the ids are numbers, which can coincide by chance; false if they come from two lists of people"
    elif max(shares) < 1:
        doubt = "so few ids coincide that it may be chance; false if they come from two lists of people"
    return People(*sizes, both, True, f"{found}: taken for the same people", doubt)


def _numbers(ids: pd.Index) -> np.ndarray | None:
    """The ids as whole numbers of at most 15 digits; None where they are not."""
    if not len(ids) or not ids.str.fullmatch(r"\d{1,15}").all():
        return None
    return np.asarray(ids.astype(np.int64))


def _counted_up(ids: pd.Index) -> bool:
    numbers = _numbers(ids)
    if numbers is None:
        return False
    low, high = int(numbers.min()), int(numbers.max())
    return low in (0, 1) and len(numbers) >= COUNTED_UP * (high - low + 1)
