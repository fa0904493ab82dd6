"""Checksums: of tables, by what they say and not how they are stored; of files, by their bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd


def digest(words: Mapping[str, str], tables: Mapping[str, pd.DataFrame]) -> str:
    """Return the sha256 (hex) over words and tables: names, order of columns and rows, every value, what is missing.

    >>> one = pd.DataFrame({"a": ["x", "yz"]})
    >>> digest({}, {"t": one}) == digest({}, {"t": pd.DataFrame({"a": ["xy", "z"]})})
    False
    """
    total = hashlib.sha256()
    for name, word in words.items():
        _add(total, f"word {name}", word.encode())
    for name, frame in tables.items():
        _add(total, f"table {name}", str(len(frame)).encode())
        for column in frame.columns:
            kind, content = _content(frame[column])
            _add(total, f"column {column} {kind}", content)
    return total.hexdigest()


def file_sha256(path: Path) -> str:
    """Return the sha256 (hex) of a file as it lies there; OSError when it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _add(total: hashlib._Hash, label: str, content: bytes) -> None:
    """Put lengths before contents, so that no two different inputs give the same stream."""
    for part in (label.encode(), content):
        total.update(len(part).to_bytes(8, "little"))
        total.update(part)


def _content(values: pd.Series) -> tuple[str, bytes]:
    """Return the kind of a column and its bytes, the same on every machine: little-endian, missing values masked."""
    missing = values.isna().to_numpy(dtype=bool)
    mask = np.packbits(missing).tobytes()
    if pd.api.types.is_bool_dtype(values.dtype):
        return "boolean", mask + values.to_numpy(dtype=bool, na_value=False).tobytes()
    if pd.api.types.is_integer_dtype(values.dtype):
        return "integer", mask + values.to_numpy(dtype="<i8", na_value=0).tobytes()
    if pd.api.types.is_float_dtype(values.dtype):
        numbers = values.to_numpy(dtype="<f8", na_value=np.nan)
        return "float", mask + np.where(missing, 0.0, numbers).astype("<f8").tobytes()
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        microseconds = values.astype("datetime64[us]").astype("int64").to_numpy(dtype="<i8")
        return "timestamp", mask + np.where(missing, 0, microseconds).astype("<i8").tobytes()
    texts = values.astype(object).where(~missing, "").map(str).to_numpy(dtype=object)
    lengths = np.fromiter(map(len, texts), dtype="<i8", count=len(texts))
    return "string", mask + lengths.tobytes() + "".join(texts).encode()
