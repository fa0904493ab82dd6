"""What a store holds, asked of the store itself, and the dialect that it speaks."""

from __future__ import annotations

import json
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
from kgxfer.stores import neo4j_statements as neo4j
from kgxfer.stores.ladybug import LadybugStore
from kgxfer.stores.neo4j import Neo4jStore
from kgxfer.stores.neo4j_manifest import IMPORTED, READY

_IN_PART = "the graph was not written whole; load it again to complete it"
WRITTEN_BACK = (EMBEDDING, COMMUNITY)


def dialect_of(store: GraphStore) -> Dialect:
    """Return the dialect of a store for the graph that it holds.

    Raises:
        InputError: a store without Cypher, or without a graph.
    """
    if isinstance(store, LadybugStore):
        return LadybugDialect(_in_ladybug(store))
    if isinstance(store, Neo4jStore):
        return Neo4jDialect(_in_neo4j(store))
    kind = type(store).__name__
    raise InputError(f"{kind} answers no Cypher; load the graph into a Ladybug file (graph.lbug) or Neo4j")


def ask(store: GraphStore, dialect: Dialect, text: str, parameters: Mapping[str, Any]) -> pd.DataFrame:
    """Render a text of the pack, give it those of the parameters that it names, and ask."""
    rendered = dialect.render(text)
    named = set(re.findall(r"\$(\w+)", rendered))  # Ladybug refuses the others
    return store.query(rendered, {name: value for name, value in parameters.items() if name in named})


def _in_ladybug(store: LadybugStore) -> StoredGraph:
    tables = store.query(ladybug.TABLES)
    names = set(tables["name"])
    if ladybug.MANIFEST not in names:
        raise InputError("the store holds no graph; load one first")
    manifest = store.query(ladybug.READ_MANIFEST).iloc[0]
    if not manifest["complete"]:
        raise InputError(_IN_PART)
    told = json.loads(manifest["description"])
    columns = {name for kind in told["nodes"] for name in store.query(ladybug.columns_of(kind))["name"]}
    return _stored(told, RECOMMENDED in names, columns & {*WRITTEN_BACK})


def _in_neo4j(store: Neo4jStore) -> StoredGraph:
    manifest = store.query(neo4j.READ_MANIFEST)
    if manifest.empty:
        raise InputError(f'the database holds no graph "{store.graph}"; load one first, or give another name')
    if manifest["m.state"].iloc[0] not in (IMPORTED, READY):
        raise InputError(_IN_PART)
    # Where nothing of the kind was written, a property is null and a relation matches nothing.
    return _stored(json.loads(manifest["m.description"].iloc[0]), True, {*WRITTEN_BACK})


def _stored(told: dict[str, Any], recommended: bool, properties: set[str]) -> StoredGraph:
    graph = restore(told, {}, {})
    edges = {EdgeType(*names) for names in told["edges"]}
    if recommended:
        edges |= {EdgeType(USER, RECOMMENDED, kind) for kind in graph.item_types}
    types = tuple(name for name in graph.schema.names if name in told["nodes"])
    return StoredGraph(graph.schema, graph.domain_names, types, frozenset(edges), frozenset(properties))
