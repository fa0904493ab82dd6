"""Columns of tables as the values that Neo4j keeps, and back.

A moment becomes a `datetime`, which travels as two whole numbers: seconds since 1970 and nanoseconds within.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from graph_schema.ddl import ALIASES, DOMAIN, ID, KEY, PLACE, ROW
from graph_schema.errors import InputError
from graph_schema.schema import EdgeType, Schema
from kgxfer.stores import neo4j_statements as cypher
from kgxfer.stores.contents import ENDS
from kgxfer.stores.neo4j_session import Neo4jSession

NODE_COLUMNS = (KEY, ID, DOMAIN, ROW, PLACE, ALIASES)
"""What every node has besides its properties and its graph."""

NAME = "name"
"""Of nodes, which every vocabulary has, whether or not its type declares it."""

EDGE_COLUMNS = (ROW, DOMAIN)
"""What every edge has besides its properties."""

LONGEST_KEY = 8_000
"""Bytes of a graph's name and a key together that the index of keys takes."""

_NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


def expressions(table: pd.DataFrame, first: int = 0) -> list[tuple[str, str]]:
    """What each property is made of in a statement over rows of `values_of`, whose columns begin at place `first`."""
    made, place = [], first
    for name, column in table.items():
        if _is_moment(column.dtype):
            given = f"datetime({{epochSeconds: row[{place}], nanosecond: row[{place + 1}]}})"
            made.append((str(name), f"CASE WHEN row[{place}] IS NULL THEN NULL ELSE {given} END"))
            place += 2
        else:
            made.append((str(name), f"row[{place}]"))
            place += 1
    return made


def values_of(table: pd.DataFrame) -> list[list[Any]]:
    """The columns as lists of plain values, None for what is missing."""
    made: list[list[Any]] = []
    for _, column in table.items():
        if _is_moment(column.dtype):
            made += _moment(column)
        elif column.dtype.kind in "iu" and isinstance(column.dtype, np.dtype):
            made.append(column.tolist())
        else:
            made.append(column.astype(object).where(column.notna(), None).tolist())
    return made


def wanted(dtypes: Mapping[str, str]) -> list[str]:
    """Expressions that read properties of n, in the order in which `table_from` takes them."""
    made = []
    for name, dtype in dtypes.items():
        # Neo4j rounds epochSeconds towards 1970, and epochMillis downwards.
        parts = [".epochMillis", ".nanosecond"] if dtype.startswith("datetime64") else [""]
        made += [f"n.`{name}`{part}" for part in parts]
    return made


def table_from(rows: Sequence[Sequence[Any]], dtypes: Mapping[str, str], first: Sequence[str] = ()) -> pd.DataFrame:
    """The rows that `wanted` asked for as a table, after columns `first`; whole numbers stay whole."""
    columns = iter(zip(*rows, strict=True))
    made: dict[str, Any] = {name: np.array(next(columns)) for name in first} if rows else {}
    for name, dtype in dtypes.items() if rows else ():
        if dtype.startswith("datetime64"):
            made[name] = _from_moment(next(columns), next(columns), dtype)
        else:
            made[name] = pd.Series(next(columns), dtype=object)
    return pd.DataFrame(made)


def read_node_tables(session: Neo4jSession, told: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """All nodes by type, as the description `told` of a graph says that they are."""
    tables = {}
    for kind, dtypes in zip(told["nodes"], told["node_properties"], strict=True):
        columns = {**dict.fromkeys(NODE_COLUMNS, "object"), **dtypes}
        tables[kind] = table_from(session.read(cypher.read_nodes(kind, wanted(columns))), columns)
    return tables


def read_edge_tables(
    session: Neo4jSession, told: dict[str, Any], nodes: dict[str, pd.DataFrame]
) -> dict[EdgeType, pd.DataFrame]:
    """All edges by type; their ends come as rows and are named by the keys in `nodes`."""
    keys = {kind: table.set_index(ROW)[KEY] for kind, table in nodes.items() if len(table)}
    tables = {}
    for names, dtypes in zip(told["edges"], told["edge_properties"], strict=True):
        kind = EdgeType(*names)
        columns = {**dict.fromkeys(EDGE_COLUMNS, "object"), **dtypes}
        found = session.read(cypher.read_edges(kind, wanted(columns)))
        table = table_from(found, columns, first=ENDS)
        if len(table):
            ends = {"head": keys[kind.head], "tail": keys[kind.tail]}
            table = table.assign(**{end: rows.reindex(table[end]).to_numpy() for end, rows in ends.items()})
        tables[kind] = table
    return tables


def require_known(schema: Schema, kind: str | EdgeType, names: Iterable[object]) -> None:
    """Refuse properties that the schema does not give to a type: their names would enter a statement unchecked."""
    if isinstance(kind, EdgeType):
        known = {row.name for one in schema.relation(kind.relation) for row in one.properties}
    else:
        known = {NAME, *(row.name for row in schema.properties(kind))}
    for name in names:
        if name not in known:
            where = " ".join(kind) if isinstance(kind, EdgeType) else kind
            raise InputError(f'{where}: property "{name}" is not in the schema; declare it or drop it')


def require_short_keys(keys: pd.Series, graph: str) -> None:
    """Refuse keys that no index of Neo4j takes, before anything is written."""
    room = LONGEST_KEY - len(graph.encode())
    long = keys[keys.str.len() > room // 4]
    size = long.map(lambda key: len(key.encode()))
    if (size > room).any():
        worst = size.idxmax()
        found = f'"{keys[worst][:40]}..." has {size[worst]:,} bytes'
        raise InputError(f"{found}; Neo4j finds nodes by keys of up to {room:,}; shorten the id")


def _is_moment(dtype: object) -> bool:
    return bool(pd.api.types.is_datetime64_any_dtype(dtype))


def _moment(column: pd.Series) -> list[list[Any]]:
    """Seconds and nanoseconds of each moment, in UTC."""
    plain = column.dt.tz_convert("UTC").dt.tz_localize(None) if column.dt.tz is not None else column
    ticks = plain.to_numpy()
    per_second = 1_000_000_000 // _NANOSECONDS[np.datetime_data(ticks.dtype)[0]]
    seconds, rest = np.divmod(ticks.astype(np.int64), per_second)
    there = ~np.isnat(ticks)
    parts = [pd.Series(seconds), pd.Series(rest * (1_000_000_000 // per_second))]
    return [part.astype(object).where(there, None).tolist() if not there.all() else part.tolist() for part in parts]


def _from_moment(milliseconds: Sequence[int | None], nanoseconds: Sequence[int | None], dtype: str) -> pd.Series:
    unit, _, zone = dtype.removeprefix("datetime64[").removesuffix("]").partition(", ")
    there = np.array([one is not None for one in milliseconds])
    ticks = np.full(len(milliseconds), np.iinfo(np.int64).min)
    length = _NANOSECONDS[unit]
    given = [np.array(part, dtype=object)[there].astype(np.int64) for part in (milliseconds, nanoseconds)]
    ticks[there] = given[0] // 1000 * (1_000_000_000 // length) + given[1] // length
    column = pd.Series(ticks.view(f"M8[{unit}]"))
    return column.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else column



def moment_of(at: datetime) -> datetime:
    """A moment in UTC; one without a zone is in UTC."""
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
