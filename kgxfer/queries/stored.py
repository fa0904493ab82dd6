"""What a store holds, asked of the store itself, and the dialect that it speaks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from graph_schema.ddl import EMBEDDING
from graph_schema.errors import InputError
from graph_schema.schema import EdgeType
from kgxfer.graph import USER
from kgxfer.graph.storage import restore
from kgxfer.queries.dialects import RECOMMENDED, Dialect, LadybugDialect, StoredGraph
from kgxfer.stores import GraphStore
from kgxfer.stores import ladybug_statements as ladybug
from kgxfer.stores.ladybug import LadybugStore

COMMUNITY = "community"
WRITTEN_BACK = (EMBEDDING, COMMUNITY)


def dialect_of(store: GraphStore) -> Dialect:
    """Return the dialect of a store for the graph that it holds.

    Raises:
        InputError: a store without Cypher, or without a graph.
    """
    if isinstance(store, LadybugStore):
        return LadybugDialect(_in_ladybug(store))
    kind = type(store).__name__
    raise InputError(f"{kind} answers no Cypher; load the graph into a Ladybug file (graph.lbug) or Neo4j")


def ask(store: GraphStore, dialect: Dialect, text: str, parameters: Mapping[str, Any]) -> pd.DataFrame:
    """Render a text of the pack, give it those of the parameters that it names, and ask."""
    rendered = dialect.render(text)
    return store.query(rendered, {name: value for name, value in parameters.items() if f"${name}" in rendered})


def _in_ladybug(store: LadybugStore) -> StoredGraph:
    tables = store.query(ladybug.TABLES)
    names = set(tables["name"])
    if ladybug.MANIFEST not in names:
        raise InputError("the store holds no graph; load one first")
    told = json.loads(store.query(ladybug.READ_MANIFEST)["description"].iloc[0])
    columns = {name for kind in told["nodes"] for name in store.query(ladybug.columns_of(kind))["name"]}
    return _stored(told, RECOMMENDED in names, columns & {*WRITTEN_BACK})


def _stored(told: dict[str, Any], recommended: bool, properties: set[str]) -> StoredGraph:
    graph = restore(told, {}, {})
    edges = {EdgeType(*names) for names in told["edges"]}
    if recommended:
        edges |= {EdgeType(USER, RECOMMENDED, kind) for kind in graph.item_types}
    types = tuple(name for name in graph.schema.names if name in told["nodes"])
    return StoredGraph(graph.schema, graph.domain_names, types, frozenset(edges), frozenset(properties))
