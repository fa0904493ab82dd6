"""What a store holds, asked of the store itself, and the dialect that it speaks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from graph_schema.ddl import COMMUNITY, EMBEDDING
from graph_schema.errors import InputError
from graph_schema.schema import EdgeType
from graph_schema.tables import RECOMMENDED
from kgxfer.graph import USER
from kgxfer.graph.storage import restore
from kgxfer.queries.dialects import Dialect, LadybugDialect, Neo4jDialect, StoredGraph
from kgxfer.stores import GraphStore
from kgxfer.stores import ladybug_statements as ladybug
from kgxfer.stores.contents import Described
from kgxfer.stores.ladybug import LadybugStore
from kgxfer.stores.neo4j import Neo4jStore

WRITTEN_BACK = (EMBEDDING, COMMUNITY)


def dialect_of(store: GraphStore) -> Dialect:
    """Return the dialect of a store for the graph that it holds.

    Raises:
        InputError: a store without Cypher, or without a graph.
    """
    if isinstance(store, LadybugStore):
        return LadybugDialect(_in_ladybug(store))
    if isinstance(store, Neo4jStore):
        # Where nothing of the kind was written, a property is null and a relation matches nothing.
        return Neo4jDialect(_stored(store.described(), True, {*WRITTEN_BACK}))
    kind = type(store).__name__
    raise InputError(f"{kind} answers no Cypher; load the graph into a Ladybug file (graph.lbug) or Neo4j")


def ask(store: GraphStore, dialect: Dialect, text: str, parameters: Mapping[str, Any]) -> pd.DataFrame:
    """Render a text of the pack, give it those of the parameters that it names, and ask."""
    rendered = dialect.render(text)
    named = set(re.findall(r"\$(\w+)", rendered))  # Ladybug refuses the others
    return store.query(rendered, {name: value for name, value in parameters.items() if name in named})


def _in_ladybug(store: LadybugStore) -> StoredGraph:
    described = store.described()
    columns = {name for kind in described.told["nodes"] for name in store.query(ladybug.columns_of(kind))["name"]}
    recommended = RECOMMENDED in set(store.query(ladybug.TABLES)["name"])
    return _stored(described, recommended, columns & {*WRITTEN_BACK})


def _stored(described: Described, recommended: bool, properties: set[str]) -> StoredGraph:
    graph = restore(described.told, {}, {})
    edges = {EdgeType(*names) for names in described.told["edges"]}
    if recommended:
        edges |= {EdgeType(USER, RECOMMENDED, kind) for kind in graph.item_types}
    types = tuple(name for name in graph.schema.names if name in described.told["nodes"])
    return StoredGraph(graph.schema, graph.domain_names, types, frozenset(edges), frozenset(properties))
