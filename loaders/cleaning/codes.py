"""Columns as codes into their distinct values, so that a rule looks at each distinct value once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_LARGEST_EXACT_FLOAT = 2**53


def encode(values: pd.Series) -> pd.Categorical:
    """Return a column as codes into its distinct texts, in order of first appearance; missing values have code -1.

    Whole numbers are their decimal text whatever type they were read as.

    >>> encode(pd.Series(["b", None, "a", "b"])).codes.tolist()
    [0, -1, 1, 0]
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        return recode(values.array, texts_of(values.array.categories.to_series()))
    if not pd.api.types.is_string_dtype(values.dtype) or values.dtype == object:
        codes, distinct = pd.factorize(values)
        return recode(_categorical(codes, pd.RangeIndex(len(distinct))), texts_of(pd.Series(distinct)))
    texts = arrow(values).dictionary_encode()
    codes = texts.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return _categorical(codes, pd.Index(texts.dictionary.to_pandas(), dtype="str"))


def arrow(values: pd.Series) -> pa.Array:
    """Return a column of text as one Arrow array, without copying where it is one."""
    texts = pa.array(values.astype("str").array, from_pandas=True)
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts


def texts_of(values: pd.Series) -> pd.Series:
    """Return distinct values of any type as text; what is missing stays so."""
    if pd.api.types.is_float_dtype(values.dtype):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        whole = np.isfinite(numbers) & (numbers == np.floor(numbers)) & (np.abs(numbers) <= _LARGEST_EXACT_FLOAT)
        integers = pd.Series(np.where(whole, numbers, 0).astype(np.int64)).astype("str")
        return integers.where(whole, pd.Series(numbers).astype("str"))
    if values.dtype == object:
        return values.map(_text_of, na_action="ignore").astype("str")
    return values.astype("str")


def _text_of(value: object) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST_EXACT_FLOAT:
        return str(int(value))
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def recode(coded: pd.Categorical, texts: pd.Series) -> pd.Categorical:
    """Return the column with each category replaced by the text in its place; equal texts become one, missing none."""
    to_new, distinct = pd.factorize(texts.astype("str"))
    return _categorical(lookup(to_new, coded.codes, -1), pd.Index(distinct, dtype="str"))


def lookup(of_category: np.ndarray, codes: np.ndarray, missing: object) -> np.ndarray:
    """Return what each row's category has in `of_category`; rows without a value have `missing`."""
    # Code -1 takes the last place, which is the one for missing values.
    values: np.ndarray = np.append(of_category, np.asarray([missing], dtype=of_category.dtype))[codes]
    return values


def used(coded: pd.Categorical) -> pd.Index:
    """Return the categories that some row has, in their order."""
    seen = np.zeros(len(coded.categories), dtype=bool)
    seen[coded.codes[coded.codes >= 0]] = True
    return coded.categories if seen.all() else coded.categories[seen]


def decode(coded: pd.Categorical) -> pd.Series:
    """Return the texts of a coded column."""
    values = pa.array(coded.categories.array, from_pandas=True)
    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    codes = pa.array(coded.codes, mask=coded.codes < 0)
    texts = values.take(codes) if len(values) else pa.nulls(len(coded), pa.large_string())
    return pd.Series(texts.to_pandas(), dtype="str")


def _categorical(codes: np.ndarray, categories: pd.Index) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(categories), validate=False)


def matches(texts: pd.Series, pattern: str) -> np.ndarray:
    """Return which texts the pattern (RE2) is found in; missing ones do not match."""
    found = pc.match_substring_regex(arrow(texts), pattern)
    return np.asarray(found.fill_null(False).to_numpy(zero_copy_only=False))


def replaced(texts: pd.Series, pattern: str, by: str) -> pd.Series:
    """Return the texts with every match of the pattern (RE2) replaced."""
    fresh = pc.replace_substring_regex(arrow(texts), pattern, by).to_pandas()
    return pd.Series(fresh.array, texts.index, dtype="str")


def no_value(texts: pd.Series, missing_words: Sequence[str]) -> np.ndarray:
    """Return which texts stand for "no value": empty ones and the words for it; missing ones are not asked about."""
    words = texts.str.lower()
    return np.asarray((words.isin(missing_words) | (words == "")).to_numpy(dtype=bool))


def differs(texts: pd.Series, others: pd.Series) -> np.ndarray:
    """Return which texts are unlike those in the same place of `others`; where one is missing they are not."""
    unlike = pc.not_equal(arrow(texts), arrow(others))
    return np.asarray(unlike.fill_null(False).to_numpy(zero_copy_only=False))
