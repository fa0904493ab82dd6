"""From which rating on is an interaction a positive one? A guess from the scales of two domains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

LIKED = 0.65
"""Positive ratings begin at the first that occurs from this share of the scale's upper end on: 4 of 5, 7 of 10."""

_MANY_ZEROS = 0.2


@dataclass(frozen=True)
class RatingGuess:
    """The threshold, None where every interaction counts; settings of cleaning that it needs; what is unsure."""

    positive_from: float | None
    cleaning: Mapping[str, object] = field(default_factory=dict)
    doubt: str = ""


def guess_ratings(source: pd.Series | None, target: pd.Series | None) -> RatingGuess:
    """Guess the threshold from the ratings of both domains, as text; None for a domain without any.

    >>> guess_ratings(pd.Series(["1", "3", "5", "4"]), pd.Series(["5", "4", "2"])).positive_from
    4.0
    """
    numbers = [_numbers(column) for column in (source, target)]
    given = [found for found in numbers if len(found)]
    if not given or all(len(np.unique(found)) == 1 for found in given):
        return RatingGuess(None)
    if len(given) == 1:
        which = "source" if len(numbers[0]) else "target"
        return RatingGuess(None, doubt=f"only the {which} has ratings, so every interaction counts as positive in both")
    ends = [(float(found.min()), float(np.quantile(found, 0.999))) for found in given]
    if max(ends[0][1], ends[1][1]) > 1.5 * min(ends[0][1], ends[1][1]):
        shown = f"{ends[0][0]:g} to {ends[0][1]:g} and {ends[1][0]:g} to {ends[1][1]:g}"
        text = f"the scales differ ({shown}); cleaning.normalise maps both to 0 to 1, where this threshold is"
        return RatingGuess(LIKED, {"normalise": "domain_min_max"}, text)
    threshold = _threshold(np.concatenate(given))
    shares = [float((found >= threshold).mean()) for found in given]
    text = f"a guess: {shares[0]:.0%} of the source's and {shares[1]:.0%} of the target's ratings are positive then"
    zeros = max(float((found == 0).mean()) for found in given)
    if zeros >= _MANY_ZEROS and min(end[1] for end in ends) >= 5:
        text += f"; {zeros:.0%} of the ratings of a domain are 0: if 0 means none, set cleaning.zero_means_no_rating"
    return RatingGuess(threshold, doubt=text)


def _threshold(numbers: np.ndarray) -> float:
    """The smallest rating that occurs at or above the share of the upper end."""
    high = float(np.quantile(numbers, 0.999))
    values = np.unique(numbers)
    return float(values[values >= LIKED * high].min())


def positive(column: pd.Series, guess: RatingGuess) -> np.ndarray:
    """Say of each row whether its rating, as text, is positive, bool [rows]."""
    numbers = _parsed(column)
    if guess.cleaning and len(numbers):
        low, high = np.nanmin(numbers), np.nanmax(numbers)
        numbers = (numbers - low) / max(high - low, 1e-9)
    threshold = -np.inf if guess.positive_from is None else guess.positive_from
    return np.asarray(numbers >= threshold)


def _numbers(column: pd.Series | None) -> np.ndarray:
    """The numbers of a column; a decimal comma is one."""
    parsed = np.empty(0) if column is None else _parsed(column)
    return parsed[np.isfinite(parsed)]


def _parsed(column: pd.Series) -> np.ndarray:
    plain = column.astype("str").str.strip().str.replace(",", ".", regex=False)
    return np.asarray(pd.to_numeric(plain, errors="coerce"), dtype=np.float64)
