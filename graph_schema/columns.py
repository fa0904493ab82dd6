"""Turn one column of a table into its normal form, or say which value in it cannot be used.

Normal forms: "id" and "string" pandas `str`; "float" float64; "integer" int64, or Int64 where values may be missing;
"timestamp" datetime64[us] in UTC without a zone; "boolean" bool, or `boolean` where values may be missing. The form
follows from the definition alone, so the same column of two domains has the same form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graph_schema.errors import InputError

ColumnDatatype = Literal["id", "string", "float", "integer", "timestamp", "boolean"]

_LARGEST_SECOND = 10**11
"""Year 5138: whole seconds above this are milliseconds by mistake."""

_LARGEST_EXACT_FLOAT = 2**53
"""Above this not every whole number is a float, so an id read as float has lost digits already."""

_TRUTH_VALUES = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}


_NULLABLE_DTYPES: dict[ColumnDatatype, Any] = {"integer": "Int64", "boolean": "boolean"}


@dataclass(frozen=True)
class Column:
    """A column of a table: what it holds, whether it must be there, whether values may be missing, and its bounds."""

    name: str
    datatype: ColumnDatatype
    required: bool = True
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None


def normalise(values: pd.Series, column: Column, where: str) -> pd.Series:
    """Return the normal form of a column; `where` names the table in the message of the InputError."""
    fail = _Failure(column, where)
    normal: pd.Series = _NORMALISERS[column.datatype](values, fail)
    missing = normal.isna().to_numpy()
    if not column.nullable:
        fail.first(missing, values, "is missing", "fill it in or drop the row")
    elif column.datatype in _NULLABLE_DTYPES:
        normal = normal.astype(_NULLABLE_DTYPES[column.datatype])
    if column.datatype in ("float", "integer"):
        _refuse_out_of_bounds(normal, values, column, fail)
    return normal


def codes_of(values: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Return a column as codes, int64 [rows], and its distinct values; missing values have code -1.

    Of text it is far faster than pandas' own, which matters with ten million rows.

    >>> codes, distinct = codes_of(pd.Series(["b", None, "a", "b"]))
    >>> codes.tolist(), list(distinct)
    ([0, -1, 1, 0], ['b', 'a'])
    """
    if not isinstance(values.dtype, pd.StringDtype):
        return pd.factorize(values)  # type: ignore[no-any-return]
    texts = pa.array(values.array, from_pandas=True)
    texts = (texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts).dictionary_encode()
    codes = texts.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, pd.Index(texts.dictionary.to_pandas(), dtype=values.dtype)


def is_among(values: pd.Index | pd.Series, known: pd.Index | pd.Series) -> np.ndarray:
    """Return which texts are among `known`, bool [values]; missing ones are not. Both are columns of text.

    >>> is_among(pd.Series(["b", None, "a"]), pd.Index(["a", "c"])).tolist()
    [False, False, True]
    """
    kept = pa.array(known.dropna().array, from_pandas=True)
    kept = kept.combine_chunks() if isinstance(kept, pa.ChunkedArray) else kept
    texts = pa.array(values.array, from_pandas=True)
    found = pc.is_in(texts.cast(pa.large_string()), value_set=kept.cast(pa.large_string()))
    return np.asarray(found.to_numpy(zero_copy_only=False) if isinstance(found, pa.Array) else found.to_numpy())


class _Failure:
    """Raises for the first offending row; holds what every message of one column has in common."""

    def __init__(self, column: Column, where: str) -> None:
        self.place = f'{where}, column "{column.name}"'

    def first(self, offending: np.ndarray, values: pd.Series, what: str, remedy: str) -> None:
        """Raise InputError naming the first row where `offending` is true; do nothing when there is none."""
        if offending.any():
            row = int(offending.argmax())
            self.at(row, values.iloc[row], what, remedy)

    def at(self, row: int, value: object, what: str, remedy: str) -> NoReturn:
        """Raise InputError for one row (the first data row is row 0)."""
        raise InputError(f"{self.place}, row {row}: value {_shown(value)} {what}; {remedy} (the first row is row 0)")


def _shown(value: object) -> str:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return "(none)"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _identifiers(values: pd.Series, fail: _Failure) -> pd.Series:
    text = _text(values, fail, what_for="an id")
    fail.first((text == "").to_numpy(dtype=bool, na_value=False), values, "is an empty id", "give every row an id")
    return text


def _strings(values: pd.Series, fail: _Failure) -> pd.Series:
    return _text(values, fail, what_for="text")


def _text(values: pd.Series, fail: _Failure, what_for: str) -> pd.Series:
    """Whole numbers become their decimal text, so that 7, 7.0 and "7" are one id whatever file they came from."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    if isinstance(values.dtype, pd.StringDtype):
        return values.astype("str")
    if pd.api.types.is_bool_dtype(values.dtype) or pd.api.types.is_datetime64_any_dtype(values.dtype):
        fail.first(values.notna().to_numpy(), values, f"cannot be {what_for}", "give text or whole numbers")
    if pd.api.types.is_integer_dtype(values.dtype):
        return values.astype("str")
    if pd.api.types.is_float_dtype(values.dtype):
        return _text_of_floats(values, fail, what_for)
    if pd.api.types.infer_dtype(values, skipna=True) in ("string", "empty"):
        return values.astype("str")
    return _text_of_objects(values, fail, what_for)


def _text_of_floats(values: pd.Series, fail: _Failure, what_for: str) -> pd.Series:
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    missing = np.isnan(numbers)
    remedy = f"{what_for} made of digits must be a whole number; read the column as text"
    with np.errstate(invalid="ignore"):
        fail.first(~missing & (numbers != np.floor(numbers)), values, "is not a whole number", remedy)
    fail.first(np.abs(numbers) > _LARGEST_EXACT_FLOAT, values, "is too large to be exact", "read the column as text")
    whole = pd.Series(np.where(missing, 0, numbers).astype(np.int64), index=values.index)
    return whole.astype("str").mask(missing)


def _text_of_objects(values: pd.Series, fail: _Failure, what_for: str) -> pd.Series:
    """Handle a column of mixed Python objects kind by kind: text stays, numbers go the way of a numeric column."""
    missing = values.isna().to_numpy()
    kinds = values.map(type)
    is_text = kinds.map(lambda kind: issubclass(kind, str)).to_numpy(dtype=bool)
    is_number = kinds.map(_is_number_type).to_numpy(dtype=bool) & ~missing
    other = ~(missing | is_text | is_number)
    fail.first(other, values, f"cannot be {what_for}", "give text or whole numbers")
    text = pd.Series(pd.NA, index=values.index, dtype="str")
    text[is_text] = values[is_text].astype("str")
    is_integer = is_number & kinds.map(lambda kind: issubclass(kind, int | np.integer)).to_numpy(dtype=bool)
    text[is_integer] = values[is_integer].map(int).astype(object).map(str).astype("str")
    is_float = is_number & ~is_integer
    if is_float.any():
        whole = pd.Series(np.where(is_float, values.where(is_float, 0), 0).astype(np.float64), index=values.index)
        text[is_float] = _text_of_floats(whole, fail, what_for)[is_float]
    return text


def _is_number_type(kind: type) -> bool:
    return issubclass(kind, int | float | np.integer | np.floating) and not issubclass(kind, bool | np.bool_)


def _floats(values: pd.Series, fail: _Failure) -> pd.Series:
    numbers = _numbers(values, fail)
    fail.first(np.isinf(numbers.to_numpy()), values, "is infinite", "give a finite number or leave it empty")
    return numbers


def _numbers(values: pd.Series, fail: _Failure) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(values.dtype) or isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype("str")
    numbers = pd.to_numeric(values, errors="coerce")
    unread = (numbers.isna() & values.notna()).to_numpy()
    fail.first(unread, values, "is not a number", "write it with digits and a decimal point")
    return pd.Series(numbers.to_numpy(dtype=np.float64, na_value=np.nan), index=values.index, name=values.name)


def _integers(values: pd.Series, fail: _Failure) -> pd.Series:
    if pd.api.types.is_integer_dtype(values.dtype):
        return values.astype("Int64" if values.isna().any() else "int64")
    numbers = _floats(values, fail)
    raw = numbers.to_numpy()
    missing = np.isnan(raw)
    fail.first(~missing & (raw != np.floor(raw)), values, "is not a whole number", "round it or use a float column")
    fail.first(np.abs(raw) > _LARGEST_EXACT_FLOAT, values, "is too large to be exact", "give the column as integers")
    whole = pd.Series(np.where(missing, 0, raw).astype(np.int64), index=values.index, name=values.name)
    return whole.astype("Int64").mask(missing) if missing.any() else whole


def _timestamps(values: pd.Series, fail: _Failure) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        moments = values
    elif pd.api.types.is_numeric_dtype(values.dtype):
        seconds = _integers(values, fail)
        remedy = "timestamps are whole seconds since 1970; divide milliseconds by 1000"
        too_large = (seconds.abs() > _LARGEST_SECOND).to_numpy(dtype=bool, na_value=False)
        fail.first(too_large, values, "is too large", remedy)
        moments = pd.to_datetime(seconds, unit="s")
    else:
        moments = pd.to_datetime(values, errors="coerce", format="ISO8601", utc=True)
        unread = (moments.isna() & values.notna()).to_numpy()
        remedy = "write it as 2024-05-31T12:00:00, or as whole seconds since 1970"
        fail.first(unread, values, "is not a time", remedy)
    if moments.dt.tz is not None:
        moments = moments.dt.tz_convert("UTC").dt.tz_localize(None)
    return moments.astype("datetime64[us]")


def _booleans(values: pd.Series, fail: _Failure) -> pd.Series:
    if values.dtype == bool:
        return values
    truth = values.astype("str").str.lower().map(_TRUTH_VALUES).astype("boolean")
    unread = (truth.isna() & values.notna()).to_numpy()
    fail.first(unread, values, "is neither true nor false", "write true or false")
    return truth if truth.isna().any() else truth.astype(bool)


def _refuse_out_of_bounds(normal: pd.Series, values: pd.Series, column: Column, fail: _Failure) -> None:
    low = -np.inf if column.minimum is None else column.minimum
    high = np.inf if column.maximum is None else column.maximum
    outside = ((normal < low) | (normal > high)).to_numpy(dtype=bool, na_value=False)
    fail.first(outside, values, f"lies outside {low:g} to {high:g}", "correct the value or drop the row")


_NORMALISERS: dict[ColumnDatatype, Callable[[pd.Series, _Failure], Any]] = {
    "id": _identifiers,
    "string": _strings,
    "float": _floats,
    "integer": _integers,
    "timestamp": _timestamps,
    "boolean": _booleans,
}
