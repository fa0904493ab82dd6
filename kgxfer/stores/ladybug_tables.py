"""Tables of a graph as Ladybug's typed columns take them, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from graph_schema.ddl import ALIASES, DOMAIN, ID, KEY, LADYBUG_TYPES, PLACE, ROW
from graph_schema.errors import InputError
from graph_schema.schema import EdgeType, Property, Schema

if TYPE_CHECKING:
    import pyarrow as pa

NODE_COLUMNS = {KEY: "STRING", ID: "STRING", DOMAIN: "STRING[]", ROW: "INT64", PLACE: "INT64", ALIASES: "STRING"}
"""What every node has besides its properties."""

NAME = {"name": "STRING"}
"""Which a node has even where its type declares none."""

_OF_EDGES = {"head": "STRING", "tail": "STRING", ROW: "INT64", DOMAIN: "STRING"}


def node_columns(schema: Schema, kind: str) -> dict[str, str]:
    """The columns of a node table and their datatypes."""
    return {**NODE_COLUMNS, **NAME, **{row.name: _datatype(row) for row in schema.properties(kind)}}


def edge_columns(schema: Schema, kind: EdgeType) -> dict[str, str]:
    """The columns of an edge table, the keys of its ends first, and their datatypes."""
    rows = (row for one in schema.relation(kind.relation) for row in one.properties)
    return {**_OF_EDGES, **{row.name: _datatype(row) for row in rows}}


def to_arrow(frame: pd.DataFrame, columns: Mapping[str, str], where: str) -> pa.Table:
    """The columns that a frame has, in the datatypes of the database.

    Raises:
        InputError: a column that the schema does not know, or values that its datatype does not take.
    """
    import pyarrow as pa

    made = {}
    for name, values in frame.items():
        if name not in columns:
            raise InputError(
                f'{where}: property "{name}" is not in the schema; a store has no place for it, declare it or drop it'
            )
        try:
            made[str(name)] = pa.Array.from_pandas(values, type=_arrow_type(columns[str(name)]))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, UnicodeEncodeError) as error:
            problem = str(error).splitlines()[0]
            raise InputError(f'{where}: property "{name}" is no {columns[str(name)]} ({problem}); mend it') from None
    return pa.table(made)


def to_frame(table: pa.Table) -> pd.DataFrame:
    """What the database returned; whole numbers stay whole where some are missing."""
    import pyarrow as pa

    return table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}.get)


def _datatype(row: Property) -> str:
    return f"{LADYBUG_TYPES[row.datatype]}{'[]' if row.many else ''}"


def _arrow_type(datatype: str) -> pa.DataType:
    import pyarrow as pa

    if datatype.endswith("[]"):
        return pa.list_(_arrow_type(datatype.removesuffix("[]")))
    known = {
        "STRING": pa.string(), "INT64": pa.int64(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_(),
        "TIMESTAMP": pa.timestamp("us"),
    }
    return known[datatype]
