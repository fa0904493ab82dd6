"""Times out of numbers of any unit and out of text of any usual form, as microseconds since 1970 in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from loaders.cleaning.codes import arrow, encode, lookup, matches, no_value, replaced

UNITS = ("s", "ms", "us", "ns")
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_LARGEST_OF_UNIT = (10**11, 10**14, 10**17)
"""Numbers below the first are seconds (until the year 5138), below the second milliseconds (from 1973), and so on."""

ISO, COMPACT, DAY_FIRST, MONTH_FIRST, WORDS = "ISO 8601", "yyyymmdd", "day/month/year", "month/day/year", "other text"
FORMS = (*UNITS, COMPACT, ISO, DAY_FIRST, MONTH_FIRST, WORDS)
NUMERIC_FORMS = 5
"""The first so many forms are numbers."""

_NEARLY_ALL = 0.9

_DIGITS = 18
"""So many digits does a number have at most that is certain to be an int64."""

_ISO = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}:\d{2}(\.\d+)?)?$"
_WHOLE = r"^-?(\d{1,18}|[1-8]\d{18})$"
_FRACTION = r"^-?(\d+\.\d*|\.\d+|\d(\.\d*)?[eE]\+?\d+)$"
_SLASHED = r"^\d{1,2}([/.-])\d{1,2}[/.-]\d{4}( \d{1,2}:\d{2}(:\d{2})?)?$"
_CLOCKS = ("", " %H:%M", " %H:%M:%S")
_DATES = ("%Y/%m/%d", "%Y.%m.%d", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%m %d, %Y")
_OTHERS = (
    *(f"{date}{clock}" for date in _DATES for clock in _CLOCKS),
    "%a, %d %b %Y %H:%M:%S %z", "%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %z %Y",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Times:
    """A column read as times.

    Attributes:
        microseconds: int64 [rows], since 1970 in UTC; 0 where there is none.
        form: int8 [rows], place in `FORMS` of the form that the row was written in; -1: no time could be read.
        missing: bool [rows], no value was given.
    """

    microseconds: np.ndarray
    form: np.ndarray
    missing: np.ndarray

    @property
    def main_form(self) -> int:
        """The form of the most rows."""
        return int(np.bincount(self.form + 1, minlength=len(FORMS) + 1)[1:].argmax())


def read_times(
    column: pd.Series, missing_words: Sequence[str], unit: str, day_first: bool | None, bounds: tuple[int, int]
) -> Times:
    """Read a column, text or typed, as times.

    Args:
        unit: of numbers; "auto" (or "iso") decides by size. A number that lies outside `bounds` in this unit, and
            inside in the one that its size suggests, is in the latter.
        day_first: of dates such as 3/4/2020; None: as the column's unambiguous dates say; where none is, the date
            cannot be read.
        bounds: the microseconds between which a time is plausible.
    """
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return _typed(column)
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        return _numeric(column, unit, bounds)
    if isinstance(column.dtype, pd.CategoricalDtype):
        coded = encode(column)
        return _of_categories(_texts(coded.categories.to_series(), missing_words, unit, day_first, bounds), coded)
    return _mixed(column.astype("str").reset_index(drop=True), missing_words, unit, day_first, bounds)


def _typed(column: pd.Series) -> Times:
    moments = column.dt.tz_convert("UTC").dt.tz_localize(None) if column.dt.tz is not None else column
    missing = moments.isna().to_numpy()
    microseconds = np.where(missing, 0, moments.astype("datetime64[us]").to_numpy().astype(np.int64))
    return Times(microseconds, np.where(missing, -1, FORMS.index(ISO)).astype(np.int8), missing)


def _numeric(column: pd.Series, unit: str, bounds: tuple[int, int]) -> Times:
    missing = column.isna().to_numpy()
    if pd.api.types.is_integer_dtype(column.dtype):
        whole = column.to_numpy(dtype=np.int64, na_value=0)
        return _counted(whole, None, missing, unit, bounds)
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return _of_floats(values, missing, unit, bounds)


def _of_floats(values: np.ndarray, missing: np.ndarray, unit: str, bounds: tuple[int, int]) -> Times:
    usable = np.isfinite(values) & (np.abs(values) < 2.0**63)
    finite = np.where(usable, values, 0)
    whole = np.floor(finite)
    times = _counted(whole.astype(np.int64), finite - whole, ~usable, unit, bounds)
    return Times(times.microseconds, times.form, missing)


def _mixed(
    texts: pd.Series, missing_words: Sequence[str], unit: str, day_first: bool | None, bounds: tuple[int, int]
) -> Times:
    """Read a column of text: plain numbers and ISO dates all at once, what is left by its distinct texts."""
    values = arrow(texts)
    times = Times(np.zeros(len(texts), np.int64), np.full(len(texts), -1, np.int8), np.zeros(len(texts), dtype=bool))
    digits = pc.and_(pc.ascii_is_decimal(values), pc.less_equal(pc.binary_length(values), _DIGITS))
    plain = np.asarray(digits.fill_null(False).to_numpy(zero_copy_only=False))
    if plain.any():
        chosen = values if plain.all() else values.filter(pa.array(plain))
        numbers = chosen.cast(pa.int64()).to_numpy(zero_copy_only=False)
        _fill(times, plain, _counted(numbers, None, np.zeros(len(numbers), dtype=bool), unit, bounds))
    left = ~plain
    if left.any():
        _read_iso(times, values, left)
        left = times.form < 0
    coded = encode(texts[left])
    found = _of_categories(_texts(coded.categories.to_series(), missing_words, unit, day_first, bounds), coded)
    _fill(times, left, found)
    times.missing[left] = found.missing
    return times


def _read_iso(times: Times, values: pa.Array, left: np.ndarray) -> None:
    """Read dates of the usual length and without a zone; when one of them is no date, none is read here."""
    found = pc.match_substring_regex(values.filter(pa.array(left)), _ISO).fill_null(False)
    positions = np.flatnonzero(left)[found.to_numpy(zero_copy_only=False)]
    try:
        moments = values.take(pa.array(positions)).cast(pa.timestamp("us")).cast(pa.int64())
    except pa.ArrowInvalid:
        return
    times.microseconds[positions] = moments.to_numpy(zero_copy_only=False)
    times.form[positions] = FORMS.index(ISO)


def _counted(
    whole: np.ndarray, fraction: np.ndarray | None, missing: np.ndarray, unit: str, bounds: tuple[int, int]
) -> Times:
    """Read numbers by unit; `whole` and `fraction` are the parts before and after the decimal point."""
    size = np.abs(whole)
    form = np.searchsorted(np.asarray(_LARGEST_OF_UNIT), size, side="right").astype(np.int8)
    compact = _compact_dates(whole, missing) if unit == "auto" else None
    if compact is not None:
        return compact
    microseconds = _microseconds(whole, fraction, form)
    if unit in UNITS:
        given = np.full(len(whole), UNITS.index(unit), dtype=np.int8)
        as_given = _microseconds(whole, fraction, given)
        better = ~_inside(as_given, bounds) & _inside(microseconds, bounds)
        form, microseconds = np.where(better, form, given), np.where(better, microseconds, as_given)
    return Times(np.where(missing, 0, microseconds), np.where(missing, -1, form).astype(np.int8), missing)


def _inside(microseconds: np.ndarray, bounds: tuple[int, int]) -> np.ndarray:
    return (microseconds >= bounds[0]) & (microseconds <= bounds[1])


def _microseconds(whole: np.ndarray, fraction: np.ndarray | None, form: np.ndarray) -> np.ndarray:
    factors = np.array([10**6 // _PER_SECOND[name] for name in ("s", "ms", "us")] + [1])
    # Numbers that no clock counts would overflow; they stay far outside of any plausible time.
    limit = np.iinfo(np.int64).max // factors[form]
    microseconds: np.ndarray = np.clip(whole, -limit, limit) * factors[form]
    nanoseconds = form == UNITS.index("ns")
    if nanoseconds.any():
        microseconds = np.where(nanoseconds, whole // 1000, microseconds)
    if fraction is not None:
        microseconds = microseconds + np.round(fraction * np.where(nanoseconds, 0, factors[form])).astype(np.int64)
    return microseconds


def _compact_dates(whole: np.ndarray, missing: np.ndarray) -> Times | None:
    """Read numbers such as 20240531, where nearly all are such dates; as seconds they would all lie in August 1970."""
    in_range = (whole >= 1900_01_01) & (whole <= 2100_12_31)
    least = _NEARLY_ALL * np.count_nonzero(~missing)
    if not in_range.any() or np.count_nonzero(in_range) < least:
        return None
    texts = pd.Series(whole).where(in_range).astype("Int64").astype("str")
    parsed = pd.to_datetime(texts, format="%Y%m%d", errors="coerce")
    read = parsed.notna().to_numpy()
    if np.count_nonzero(read) < least:
        return None
    microseconds = np.where(read, parsed.astype("datetime64[us]").to_numpy().astype(np.int64), 0)
    return Times(microseconds, np.where(read, FORMS.index(COMPACT), -1).astype(np.int8), missing)


def _texts(
    texts: pd.Series, missing_words: Sequence[str], unit: str, day_first: bool | None, bounds: tuple[int, int]
) -> Times:
    """Read distinct texts of all forms."""
    texts = replaced(texts, r"\s+", " ").str.strip().reset_index(drop=True)
    missing = no_value(texts, missing_words)
    times = Times(np.zeros(len(texts), dtype=np.int64), np.full(len(texts), -1, dtype=np.int8), missing)
    whole = matches(texts, _WHOLE)
    if whole.any():
        numbers = pc.cast(arrow(texts[whole]), pa.int64()).to_numpy(zero_copy_only=False)
        _fill(times, whole, _counted(numbers, None, np.zeros(len(numbers), dtype=bool), unit, bounds))
    fraction = matches(texts, _FRACTION)
    if fraction.any():
        values = pd.to_numeric(texts[fraction]).to_numpy(dtype=np.float64)
        _fill(times, fraction, _of_floats(values, np.zeros(len(values), dtype=bool), unit, bounds))
    _read_dates(times, texts, day_first, ~whole & ~fraction & ~missing)
    return times


def _fill(times: Times, where: np.ndarray, found: Times) -> None:
    times.microseconds[where] = found.microseconds
    times.form[where] = found.form


def _read_dates(times: Times, texts: pd.Series, day_first: bool | None, left: np.ndarray) -> None:
    """Read dates and times written as text, form by form, each among those that the earlier ones did not read."""

    def attempt(candidates: np.ndarray, dates: pd.Series, formats: Sequence[str], form: str) -> None:
        for layout in formats:
            asked = np.flatnonzero(candidates & (times.form < 0))
            if not len(asked):
                return
            parsed = pd.to_datetime(dates.iloc[asked], format=layout, errors="coerce", utc=True)
            read = parsed.notna().to_numpy()
            moments = parsed[read].dt.tz_localize(None).astype("datetime64[us]").to_numpy().astype(np.int64)
            times.microseconds[asked[read]] = moments
            times.form[asked[read]] = FORMS.index(form)

    attempt(left, texts, ["ISO8601"], ISO)
    slashed = matches(texts, _SLASHED) & left
    if slashed.any():
        dates = replaced(texts, r"^(\d{1,2})[/.-](\d{1,2})[/.-]", r"\1/\2/")
        dotted = matches(texts, r"^\d{1,2}\.")
        days = tuple(f"%d/%m/%Y{clock}" for clock in _CLOCKS)
        months = tuple(f"%m/%d/%Y{clock}" for clock in _CLOCKS)
        attempt(slashed & dotted, dates, days, DAY_FIRST)
        first = _is_day_first(dates[slashed & ~dotted]) if day_first is None else day_first
        if first is not None:
            attempt(slashed & ~dotted, dates, days if first else months, DAY_FIRST if first else MONTH_FIRST)
    attempt(left & ~slashed, texts, _OTHERS, WORDS)


def _is_day_first(dates: pd.Series) -> bool | None:
    """Say which of two numbers is the day, if the dates of the column leave no doubt."""
    parts = dates.str.extract(r"^(\d+)/(\d+)/").astype("int64")
    first, second = bool((parts[0] > 12).any()), bool((parts[1] > 12).any())
    return None if first == second else first


def _of_categories(times: Times, coded: pd.Categorical) -> Times:
    return Times(
        lookup(times.microseconds, coded.codes, 0),
        lookup(times.form, coded.codes, -1),
        lookup(times.missing, coded.codes, True),
    )
