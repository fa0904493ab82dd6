"""A path as a query in Cypher that finds exactly this path again, on Neo4j or on Ladybug."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from graph_schema.ddl import GRAPH, KEY, ROW
from graph_schema.errors import unknown_name
from graph_schema.schema import Schema
from kgxfer.explain.path import Path

Dialect = Literal["neo4j", "ladybug"]
_RELATION_OF: dict[str, str] = {"neo4j": "type", "ladybug": "label"}


@dataclass(frozen=True)
class Query:
    """A text, and the values of its parameters."""

    text: str
    parameters: dict[str, Any]


def path_query(path: Path, schema: Schema, dialect: str, graph: str | None = None, whole: bool = False) -> Query:
    """Write the query. Keys and rows are parameters; types and relations come from the schema.

    Args:
        path: what to find.
        schema: the graph's.
        dialect: "neo4j" or "ladybug".
        graph: the graph's name in Neo4j, where one database holds several; any graph when not given.
        whole: return the path itself, for a browser to draw, instead of a line node_0, relation_1, node_1 ...

    Raises:
        InputError: another dialect, or names in the schema that fit into no query.
    """
    if dialect not in get_args(Dialect):
        raise unknown_name("dialect of Cypher", dialect, get_args(Dialect))
    schema.require_identifiers()
    own_graph = f", `{GRAPH}`: $graph" if graph is not None and dialect == "neo4j" else ""
    parameters: dict[str, Any] = {"graph": graph} if own_graph else {}
    pattern, columns = "", []
    for place, node in enumerate(path.nodes):
        if place:
            step = path.steps[place - 1]
            relation, row = schema.edge_type(*step.edge_type).relation, f"row_{place}"
            left, right = ("-", "->") if step.away else ("<-", "-")
            pattern += f"{left}[r{place}:`{relation}` {{`{ROW}`: ${row}}}]{right}"
            columns.append(f"{_RELATION_OF[dialect]}(r{place}) AS relation_{place}")
            parameters[row] = step.row
        pattern += f"(n{place}:`{schema.node_type(node.type).name}` {{`{KEY}`: $node_{place}{own_graph}}})"
        columns.append(f"n{place}.`{KEY}` AS node_{place}")
        parameters[f"node_{place}"] = node.key
    returned = "path" if whole else ", ".join(columns)
    return Query(f"MATCH path = {pattern}\nRETURN {returned}", parameters)
