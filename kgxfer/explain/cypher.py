"""A path as a query in Cypher that finds exactly this path again, on Neo4j or on Ladybug."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graph_schema.ddl import GRAPH, KEY, ROW
from graph_schema.errors import unknown_name
from graph_schema.schema import Schema
from kgxfer.explain.path import Path

_BESIDE_KEY = {"neo4j": f", `{GRAPH}`: $graph", "ladybug": ""}
"""Dialect -> what a node is known by beside its key: a database of Neo4j holds several graphs, one of Ladybug one."""


@dataclass(frozen=True)
class Query:
    """A text, and the values of its parameters."""

    text: str
    parameters: dict[str, Any]


def path_query(path: Path, schema: Schema, dialect: str, graph: str | None = None) -> Query:
    """Write the query, whose answer is one line with the path.

    Keys and rows are parameters; types and relations come from the schema.

    Args:
        path: what to find.
        schema: the graph's.
        dialect: "neo4j" or "ladybug".
        graph: the graph's name, which becomes $graph in Neo4j; a store knows it, other programs have to be told.

    Raises:
        InputError: another dialect, or names in the schema that fit into no query.
    """
    if dialect not in _BESIDE_KEY:
        raise unknown_name("dialect of Cypher", dialect, _BESIDE_KEY)
    schema.require_identifiers()
    parameters: dict[str, Any] = {"graph": graph} if dialect == "neo4j" and graph is not None else {}
    pattern = ""
    for place, node in enumerate(path.nodes):
        if place:
            step = path.steps[place - 1]
            left, right = ("-", "->") if step.away else ("<-", "-")
            relation = schema.edge_type(*step.edge_type).relation
            pattern += f"{left}[:`{relation}` {{`{ROW}`: $row_{place}}}]{right}"
            parameters[f"row_{place}"] = step.row
        pattern += f"(:`{schema.node_type(node.type).name}` {{`{KEY}`: $node_{place}{_BESIDE_KEY[dialect]}}})"
        parameters[f"node_{place}"] = node.key
    return Query(f"MATCH path = {pattern}\nRETURN path", parameters)
