"""Numbers out of text: a decimal comma is repaired, what is no number is said to be none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from loaders.cleaning.codes import encode, lookup, matches, no_value, replaced

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_COMMA = r"^[+-]?\d*,\d+$"


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column read as numbers.

    Attributes:
        values: float64 [rows], NaN where there is none.
        missing: bool [rows], no value was given.
        comma: bool [rows], the value was written with a decimal comma.
        unreadable: bool [rows], something was given that is no finite number.
    """

    values: np.ndarray
    missing: np.ndarray
    comma: np.ndarray
    unreadable: np.ndarray


def read_numbers(column: pd.Series, missing_words: tuple[str, ...]) -> Numbers:
    """Read a column, text or typed, as numbers."""
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        infinite = np.isinf(values)
        nothing = np.zeros(len(values), dtype=bool)
        return Numbers(np.where(infinite, np.nan, values), np.isnan(values), nothing, infinite)
    coded = encode(column)
    texts = coded.categories.to_series().str.strip()
    comma = matches(texts, _COMMA)
    pointed = replaced(texts, ",", ".").where(comma, texts)
    readable = matches(pointed, _NUMBER)
    numbers = pd.to_numeric(pointed.where(readable), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    readable &= np.isfinite(numbers)
    missing = no_value(texts, missing_words)
    return Numbers(
        values=lookup(np.where(readable, numbers, np.nan), coded.codes, np.nan),
        missing=lookup(missing, coded.codes, True),
        comma=lookup(comma & readable, coded.codes, False),
        unreadable=lookup(~readable & ~missing, coded.codes, False),
    )
