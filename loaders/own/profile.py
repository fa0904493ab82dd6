"""What the texts of a column look like: shares and ranges that tell an id from a rating, a time, a name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

SEPARATORS = ("|", ";", ",")
"""Between the values of one field, the least ambiguous first."""

MOST = 0.9
"""A column is of a kind when at least this share of its values is: the rest may be faults."""

_DECIMAL = r"[+-]?\d+[.,]\d+|[+-]?[.,]\d+"
_NUMBER = rf"\s*(?:[+-]?\d+|{_DECIMAL})(?:[eE][+-]?\d+)?\s*"
_DATE = r"\s*(?:\d{4}-\d{1,2}-\d{1,2}|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{4})(?:[T ]+\d{1,2}:\d{2}.*)?\s*"

EPOCHS: dict[str, tuple[float, float]] = {
    unit: (631_152_000.0 * size, 4_102_444_800.0 * size)
    for unit, size in (("s", 1e0), ("ms", 1e3), ("us", 1e6), ("ns", 1e9))
}  # fmt: skip
"""Unit -> the numbers of 1990 and of 2100."""


@dataclass(frozen=True)
class Profile:
    """A column of text, described. Shares are of the values that are not empty.

    Attributes:
        name: the column's.
        values: how many values there are.
        filled: share of the rows that have one.
        distinct: how many different ones.
        numeric: share of numbers, a decimal comma allowed.
        whole: share of whole numbers.
        decimal_comma: whether decimals are written with a comma.
        low, high: the least and the greatest number; nan without numbers.
        dates: share of calendar dates, with or without a time of day.
        unit: in which unit the numbers are moments between 1990 and 2100; None where they are not.
        running: whether the values are a row number, each one more than the last.
        length: mean length of a value.
        words: mean number of words.
        parts: separator -> share of values that contain it; texts only.
    """

    name: str
    values: int
    filled: float
    distinct: int
    numeric: float
    whole: float
    decimal_comma: bool
    low: float
    high: float
    dates: float
    unit: str | None
    running: bool
    length: float
    words: float
    parts: dict[str, float]

    @property
    def is_number(self) -> bool:
        """Whether the column holds numbers."""
        return self.values > 0 and self.numeric >= MOST

    @property
    def is_whole(self) -> bool:
        """Whether the column holds whole numbers."""
        return self.values > 0 and self.whole >= MOST

    @property
    def is_time(self) -> bool:
        """Whether every value can be a moment."""
        return self.values > 0 and (self.dates >= MOST or self.unit is not None)

    @property
    def repeats(self) -> float:
        """How often a value occurs, on average."""
        return self.values / max(1, self.distinct)


def profile(column: pd.Series) -> Profile:
    """Describe a column of texts.

    >>> described = profile(pd.Series(["4,5", "3", "", "1,0"], name="Note"))
    >>> described.is_number, described.decimal_comma, described.high
    (True, True, 4.5)
    """
    texts = column.astype("str").str.strip()
    known = texts[texts.notna() & (texts != "")]
    numbers, comma = _numbers(known)
    is_number = ~np.isnan(numbers)
    whole = known.str.fullmatch(r"[+-]?\d+(?:[.,]0+)?").to_numpy(dtype=bool)
    found = numbers[is_number]
    text_only = known[~is_number]
    return Profile(
        name=str(column.name),
        values=len(known),
        filled=len(known) / max(1, len(texts)),
        distinct=int(known.nunique()),
        numeric=_share(is_number),
        whole=_share(whole),
        decimal_comma=comma,
        low=float(found.min()) if len(found) else float("nan"),
        high=float(found.max()) if len(found) else float("nan"),
        dates=_share(known.str.fullmatch(_DATE).to_numpy(dtype=bool)),
        unit=_unit(found) if _share(is_number) >= MOST else None,  # also seconds with a fraction
        running=len(found) == len(known) > 2 and np.isfinite(found).all() and bool((np.diff(found) == 1).all()),
        length=float(known.str.len().mean()) if len(known) else 0.0,
        words=float(known.str.count(r"\s+").mean()) + 1 if len(known) else 0.0,
        parts={mark: _share(text_only.str.contains(mark, regex=False).to_numpy(dtype=bool)) for mark in SEPARATORS},
    )


def _numbers(texts: pd.Series) -> tuple[np.ndarray, bool]:
    """Return the numbers, nan where there is none, and whether decimals have a comma."""
    plain = texts.where(texts.str.fullmatch(_NUMBER).astype(bool))
    comma = bool(plain.str.contains(",", regex=False, na=False).any())
    plain = plain.str.replace(",", ".", regex=False) if comma else plain
    return pd.to_numeric(plain, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan), comma


def _unit(numbers: np.ndarray) -> str | None:
    """The unit in which nearly all numbers are moments between 1990 and 2100."""
    for unit, (first, last) in EPOCHS.items():
        if len(numbers) and _share((numbers >= first) & (numbers < last)) >= MOST:
            return unit
    return None


def _share(mask: np.ndarray) -> float:
    return float(mask.mean()) if len(mask) else 0.0
