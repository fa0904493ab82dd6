"""A small graph as one HTML page that a browser shows without a network: nodes to drag, colours by type."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from graph_schema.errors import InputError
from kgxfer.queries.arguments import short
from kgxfer.queries.dialects import EVERY_NODE
from kgxfer.queries.pack import query_called
from kgxfer.queries.stored import ask, dialect_of
from kgxfer.queries.values import Chain, Line
from kgxfer.stores import GraphStore
from kgxfer.stores.ladybug import LadybugStore
from kgxfer.stores.neo4j import Neo4jStore
from loaders.files import new_file

MOST = 2_000
"""Nodes of a page: more are a blot, and slow."""

NODES, RELATIONSHIPS = ("key", "type", "name"), ("head", "relation", "tail")
PALETTE = (
    "#4C72B0", "#DD8452", "#55A868", "#C44E52", "#8172B3", "#937860", "#DA8BC3", "#8C8C8C", "#CCB974", "#64B5CD",
)
_NAMES = f"MATCH (n:{EVERY_NODE}) WHERE n.key IN $keys RETURN n.key AS key, kind(n) AS type, called(n) AS name"


def draw(nodes: pd.DataFrame, relationships: pd.DataFrame, path: Path, title: str) -> None:
    """Write a page with a graph; a file of that name is replaced.

    Args:
        nodes: key, type, name; a name that is missing is written as the key.
        relationships: head, relation, tail, whose ends are among the keys.
        path: of the page.
        title: of the page.

    Raises:
        InputError: nothing to draw, or more than can be looked at; the extra `draw` is not installed; the file cannot
            be written.
    """
    if nodes.empty:
        raise InputError("nothing to draw: the answer has no nodes")
    if len(nodes) > MOST:
        raise InputError(f"{len(nodes):,} nodes are more than a picture shows ({MOST:,}); ask for fewer rows")
    page = _page(nodes, relationships, title)
    with new_file(path) as draft:
        draft.write_text(page, encoding="utf-8")


def answer_graph(store: GraphStore, name: str, table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The nodes and relationships that an answer of `run_query` speaks of, as `draw` takes them.

    Raises:
        InputError: the query counts things and names none.
    """
    pictures = query_called(name).pictures
    if not pictures:
        raise InputError(f'the answer of "{name}" is counts, which are no graph; leave --draw out')
    edges = pd.concat([_edges(table, picture) for picture in pictures], ignore_index=True)
    edges = edges.drop_duplicates(ignore_index=True)
    keys = pd.unique(pd.concat([edges["head"], edges["tail"]]).dropna())
    nodes = ask(store, dialect_of(store), _NAMES, {"keys": [*keys]}) if len(keys) else pd.DataFrame(columns=NODES)
    between = edges[edges["tail"].notna() & (edges["head"] != edges["tail"])]
    order = pd.Series(range(len(keys)), index=keys)
    nodes = nodes[[*NODES]].sort_values("key", key=lambda column: column.map(order), ignore_index=True)
    return nodes, between.reset_index(drop=True)


def drawable(
    store: GraphStore, text: str, parameters: Mapping[str, Any] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The nodes and relationships of the answer to a text of one's own, as `draw` takes them; InputError: no Cypher."""
    if not isinstance(store, LadybugStore | Neo4jStore):
        raise InputError(f"{type(store).__name__} answers no Cypher; ask Neo4j or a Ladybug file")
    return store.query_graph(text, parameters)


def _edges(table: pd.DataFrame, picture: Line | Chain) -> pd.DataFrame:
    if isinstance(picture, Chain):
        parts = pd.DataFrame(
            {
                "head": table[picture.keys].map(lambda keys: keys[:-1]),
                "relation": table[picture.relations],
                "tail": table[picture.keys].map(lambda keys: keys[1:]),
            }
        )
        return parts.explode([*RELATIONSHIPS], ignore_index=True).astype("str")
    tail = table[picture.tail] if picture.tail is not None else pd.Series([None] * len(table), dtype="str")
    relation = picture.relation if picture.column is None else table[picture.column]
    return pd.DataFrame({"head": table[picture.head], "relation": relation, "tail": tail}).astype("str")


def _page(nodes: pd.DataFrame, relationships: pd.DataFrame, title: str) -> str:
    try:
        from neo4j_viz import Node, Relationship, VisualizationGraph
    except ImportError:
        raise InputError('drawing needs neo4j-viz; pip install "kgxfer[draw]"') from None
    types = dict(zip(pd.unique(nodes["type"]), PALETTE * (len(nodes) // len(PALETTE) + 1), strict=False))
    names = nodes["name"].astype(object).where(nodes["name"].notna() & (nodes["name"] != ""), nodes["key"])
    dots = [
        Node(
            id=key, caption=short(name, 40), size=22, caption_size=2, color=types[kind],
            properties={"key": key, "name": name, "type": kind},
        )
        for key, kind, name in zip(nodes["key"], nodes["type"], names, strict=True)
    ]
    lines = [
        Relationship(id=number, source=head, target=tail, caption=relation, properties={"relation": relation})
        for number, (head, relation, tail) in enumerate(relationships[[*RELATIONSHIPS]].itertuples(index=False))
    ]
    graph = VisualizationGraph(nodes=dots, relationships=lines)
    graph.color_nodes(property="type", colors=types)
    page = str(graph.render(layout="forcedirected", height="100vh", theme="light", on_dangling="error").data)
    return page.replace("<title>neo4j-viz</title>", f"<title>{html.escape(title)}</title>", 1)
