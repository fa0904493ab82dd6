"""Parquet files: columns keep their types, as far as a table of ids, numbers, times and texts has use for them."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from graph_schema.errors import InputError
from loaders.own.frames import choose_columns, series_of
from loaders.own.messages import file_named, one_line

BEGINNING = b"PAR1"


def parquet_names(content: Path | BytesIO, path: Path) -> list[str]:
    """Return the names of the columns; InputError when the file is damaged."""
    return [str(name) for name in _open(content, path).schema_arrow.names]


def read_parquet(
    content: Path | BytesIO, path: Path, columns: Mapping[str, str] | None, where: str, limit: int | None
) -> pd.DataFrame:
    """Read the columns by their roles.

    Raises:
        InputError: a damaged file, an absent column, or one that is neither numbers, times, texts nor lists of them.
    """
    file = _open(content, path)
    chosen = choose_columns([str(name) for name in file.schema_arrow.names], columns, where)
    names = {role: file.schema_arrow.names[number] for role, number in chosen.items()}
    try:
        if limit is None:
            table = file.read(columns=list(dict.fromkeys(names.values())))
        else:
            batches = file.iter_batches(batch_size=max(limit, 1), columns=list(dict.fromkeys(names.values())))
            first = next(batches, None)
            table = file.schema_arrow.empty_table() if first is None else pa.Table.from_batches([first])
            table = table.slice(0, limit)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(path, error) from None
    parts = {}
    for role, name in names.items():
        try:
            parts[role] = series_of(table.column(name))
        except (pa.ArrowException, ValueError) as error:
            raise InputError(
                f'{where}, column "{one_line(name, 40)}" of type {one_line(table.column(name).type, 40)} cannot be '
                f"used ({one_line(error)}); write it as text or numbers"
            ) from None
    return pd.DataFrame(parts, columns=list(parts), index=pd.RangeIndex(table.num_rows))


def _open(content: Path | BytesIO, path: Path) -> parquet.ParquetFile:
    try:
        return parquet.ParquetFile(content)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{file_named(path)} cannot be read as Parquet ({one_line(error)}); write or fetch it again")
