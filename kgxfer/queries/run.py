"""Ask a store a query of the pack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from graph_schema.errors import InputError
from kgxfer.queries.arguments import arguments_of
from kgxfer.queries.pack import query_called
from kgxfer.queries.stored import ask, dialect_of
from kgxfer.queries.values import ColumnKind, Query
from kgxfer.stores import GraphStore

LIMIT = 25


def run_query(
    store: GraphStore, name: str, parameters: Mapping[str, Any] | None = None, limit: int = LIMIT
) -> pd.DataFrame:
    """Ask a query of the pack and return its rows.

    Args:
        store: Neo4j or Ladybug, with a graph in it.
        name: one of `query_names`.
        parameters: values by name, or texts that stand for them; what is not given has its default. Users, items,
            entities and nodes are given by key, id or name.
        limit: rows at most.

    Raises:
        InputError: an unknown name or parameter, a value that is missing or of another kind, a node, domain or run
            that the graph does not have, a store without Cypher.
    """
    query = query_called(name)
    if not (type(limit) is int and limit > 0):
        raise InputError(f"limit {limit!r}: give a whole number above 0")
    dialect = dialect_of(store)
    given = arguments_of(query, parameters or {}, store, dialect)
    if any(dialect.stored.lacks(need) for need in query.needs):
        return _table(query, pd.DataFrame(columns=[column.name for column in query.columns]))
    return _table(query, ask(store, dialect, query.text + "\nLIMIT $limit", {**given, "limit": limit}))


def query_text(store: GraphStore, name: str) -> str:
    """The Cypher that a query is for this store's graph, to be read or run elsewhere."""
    text = dialect_of(store).render(query_called(name).text)
    return "\n".join(line.removeprefix(" " * 8) for line in text.strip("\n").rstrip().splitlines())


def _table(query: Query, found: pd.DataFrame) -> pd.DataFrame:
    """The answer in the declared columns and datatypes, the same whatever database it came from."""
    return pd.DataFrame({column.name: _FORMS[column.kind](found[column.name]) for column in query.columns})


def _texts(values: pd.Series) -> pd.Series:
    return values.astype(object).where(values.notna(), None).astype("str")


def _numbers(dtype: str) -> Callable[[pd.Series], pd.Series]:
    return lambda values: pd.to_numeric(values.astype(object).where(values.notna(), None)).astype(dtype)


def _moments(values: pd.Series) -> pd.Series:
    return pd.to_datetime(values.map(str), utc=True)


_FORMS: dict[ColumnKind, Callable[[pd.Series], pd.Series]] = {
    "text": _texts,
    "integer": _numbers("Int64"),
    "number": _numbers("float64"),
    "boolean": lambda values: values.astype("boolean"),
    "datetime": _moments,
    "set": lambda values: values.map(sorted).astype(object),
    "list": lambda values: values.map(list).astype(object),
}
