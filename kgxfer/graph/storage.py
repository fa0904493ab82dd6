"""A graph on disk: one Parquet file per node and edge type, and a JSON file that says how they belong together."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from graph_schema.errors import InputError
from graph_schema.schema import EdgeType, NodeType, Property, Relation, Schema
from kgxfer.graph.knowledge_graph import EdgeTable, KnowledgeGraph
from kgxfer.graph.vocabulary import Vocabulary
from loaders.files import new_folder

FORMAT = 1


def save_graph(graph: KnowledgeGraph, folder: Path) -> None:
    """Write the graph; the folder appears complete or not at all.

    Raises:
        InputError: the folder exists already, or the disk is full.
    """
    with new_folder(folder) as draft:
        for number, vocabulary in enumerate(graph.nodes.values()):
            vocabulary.keys.to_parquet(draft / f"nodes-{number}.parquet")
        for number, edges in enumerate(graph.edges.values()):
            table = edges.properties.add_prefix("property_")
            table = table.assign(head=edges.head, tail=edges.tail, domain=edges.domain)
            table.to_parquet(draft / f"edges-{number}.parquet")
        (draft / "graph.json").write_text(json.dumps(describe(graph), ensure_ascii=False, indent=1))


def load_graph(folder: Path) -> KnowledgeGraph:
    """Read a graph that `save_graph` wrote, equal in every part.

    Raises:
        InputError: no graph lies there, it has another format, or a file is lost or damaged.
    """
    if not (folder / "graph.json").is_file():
        raise InputError(f'"{folder}" holds no saved graph (no graph.json); give the folder that save() wrote')
    try:
        return _read(folder)
    except InputError:
        raise
    except (OSError, ValueError, KeyError) as error:
        problem = str(error).splitlines()[0]
        raise InputError(f'the graph in "{folder}" is damaged ({problem}); save it again') from error


def _read(folder: Path) -> KnowledgeGraph:
    path = folder / "graph.json"
    description = json.loads(path.read_text())
    if description["format"] != FORMAT:
        found = description["format"]
        raise InputError(f'"{path}" has format {found}, this version reads {FORMAT}; build the graph again')
    nodes = {
        kind: Vocabulary(pd.read_parquet(folder / f"nodes-{number}.parquet"), size)
        for number, (kind, size) in enumerate(description["nodes"].items())
    }
    edges = {
        EdgeType(*kind): _edge_table(pd.read_parquet(folder / f"edges-{number}.parquet"))
        for number, kind in enumerate(description["edges"])
    }
    return restore(description, nodes, edges)


def restore(
    description: dict[str, Any], nodes: dict[str, Vocabulary], edges: dict[EdgeType, EdgeTable]
) -> KnowledgeGraph:
    """Make a graph of its parts and of what `describe` said of it."""
    source, target = description["domains"]
    return KnowledgeGraph(
        schema_of(description), (source["name"], target["name"]), (source["item_type"], target["item_type"]),
        nodes, edges, description["combination"],
    )


def describe(graph: KnowledgeGraph) -> dict[str, Any]:
    """What nodes and edges do not say themselves, as JSON takes it: schema, domains, types in order, sizes."""
    return {
        "format": FORMAT,
        "domains": [
            {"name": name, "item_type": kind} for name, kind in zip(graph.domain_names, graph.item_types, strict=True)
        ],
        "combination": graph.combination,
        "nodes": {kind: vocabulary.size for kind, vocabulary in graph.nodes.items()},
        "edges": [list(kind) for kind in graph.edges],
        "schema": {
            "node_types": [_plain(node_type) for node_type in graph.schema.node_types],
            "relations": [_plain(relation) for relation in graph.schema.relations],
        },
    }


def _plain(part: NodeType | Relation) -> dict[str, object]:
    return {**asdict(part), "labels": dict(part.labels)}


def schema_of(description: dict[str, Any]) -> Schema:
    """The schema of a graph that `describe` told of."""
    told = description["schema"]

    def properties(part: dict[str, Any]) -> dict[str, Any]:
        return {**part, "properties": tuple(Property(**values) for values in part["properties"])}

    return Schema(
        tuple(NodeType(**properties(part)) for part in told["node_types"]),
        tuple(Relation(**properties(part)) for part in told["relations"]),
    )


def _edge_table(table: pd.DataFrame) -> EdgeTable:
    properties = table[[name for name in table if name.startswith("property_")]]
    properties = properties.rename(columns=lambda name: name.removeprefix("property_"))
    return EdgeTable(
        table["head"].to_numpy(np.int64), table["tail"].to_numpy(np.int64), table["domain"].to_numpy(np.int8),
        properties,
    )
