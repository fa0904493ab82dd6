"""Columns by their roles: from a data frame, and from what any reader made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graph_schema.errors import InputError, unknown_name
from loaders.own.messages import one_line, some_of
from loaders.raw import RawTable

LIST_SEPARATOR = "|"
"""Between the values of a list, where a column of lists becomes text."""


def read_frame(frame: pd.DataFrame, columns: Mapping[str, str] | None = None, where: str = "data frame") -> RawTable:
    """Take the columns of a data frame by their roles; the frame itself is left as it is.

    Args:
        frame: the table.
        columns: role -> name of the column; None: every column under its own name.
        where: what messages call the frame.

    Raises:
        InputError: a column that is not there (the nearest is named), or there twice.

    >>> ratings = pd.DataFrame({"reader": ["u1"], "book": ["b1"]})
    >>> read_frame(ratings, {"user_id": "reader", "item_id": "book"}).frame.columns.tolist()
    ['user_id', 'item_id']
    """
    chosen = choose_columns([str(name) for name in frame.columns], columns, where)
    parts = {role: frame.iloc[:, number].reset_index(drop=True) for role, number in chosen.items()}
    return RawTable(pd.DataFrame(parts, columns=list(parts)), where)


def choose_columns(names: Sequence[str], columns: Mapping[str, str] | None, where: str) -> dict[str, int]:
    """Return role -> number of its column; InputError when one is not there, or there twice."""
    wanted = {name: name for name in names} if columns is None else columns
    first: dict[str, int] = {}
    repeated: dict[str, int] = {}
    for number, name in enumerate(names):
        if first.setdefault(name, number) != number:
            repeated.setdefault(name, number)
    chosen = {}
    for role, name in wanted.items():
        if name not in first:
            kind = "column" if role == name else f"column for {one_line(role, 40)}"
            raise InputError(f"{where}: {unknown_name(kind, one_line(name, 40), some_of(names))}")
        if name in repeated:
            raise InputError(
                f'{where}: column "{one_line(name, 40)}" is there twice (columns {first[name] + 1} and '
                f"{repeated[name] + 1}); rename or drop one"
            )
        chosen[role] = first[name]
    return chosen


def frame_of(table: pa.Table, chosen: Mapping[str, int]) -> pd.DataFrame:
    """Make the frame of roles from a table whose columns bear their numbers, without changing any value's type."""
    parts = {role: series_of(table.column(str(number))) for role, number in chosen.items()}
    return pd.DataFrame(parts, columns=list(parts), index=pd.RangeIndex(table.num_rows))


def series_of(column: pa.ChunkedArray) -> pd.Series:
    """Make a pandas column: text stays text, whole numbers stay whole where some are missing, lists become text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        column = _joined_lists(column)
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_string(kind):
        column = column.cast(pa.large_string())
    elif pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    elif pa.types.is_date(kind):
        column = column.cast(pa.timestamp("us"))
    elif pa.types.is_null(kind):
        column = column.cast(pa.large_string())
    elif pa.types.is_integer(kind) and column.null_count:
        whole = pd.Series(pd.array(np.asarray(pc.fill_null(column, 0)), dtype="Int64"))
        return whole.mask(np.asarray(pc.is_null(column)))
    elif pa.types.is_boolean(kind) and column.null_count:
        return column.to_pandas().astype("boolean")
    return column.combine_chunks().to_pandas()


def _joined_lists(column: pa.ChunkedArray) -> pa.ChunkedArray:
    text = pa.chunked_array(
        [chunk.cast(pa.list_(pa.string())) for chunk in column.chunks] or [pa.array([], pa.list_(pa.string()))]
    )
    return pc.binary_join(text, LIST_SEPARATOR).cast(pa.large_string())
