"""Nodes, relationships and paths in Neo4j's answers: as a word in a table, and as two tables to be drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from graph_schema.ddl import GRAPH, KEY

if TYPE_CHECKING:
    from neo4j.graph import Node, Relationship


def readable(value: Any) -> Any:
    """A node as its key, a relationship as its type, a path as a list of them, a moment as Python's."""
    if value is None or isinstance(value, str | int | float):
        return value
    from neo4j.graph import Node, Path, Relationship
    from neo4j.spatial import Point
    from neo4j.time import Date, DateTime, Duration, Time

    if isinstance(value, Node):
        return _key(value)
    if isinstance(value, Relationship):
        return value.type
    if isinstance(value, Path):
        turns = [part for pair in zip(value.nodes, value.relationships, strict=False) for part in pair]
        return [readable(part) for part in [*turns, value.nodes[-1]]]
    if isinstance(value, list):
        return [readable(one) for one in value]
    if isinstance(value, dict):
        return {name: readable(one) for name, one in value.items()}
    if isinstance(value, Date | DateTime | Time):
        return value.to_native()
    return str(value) if isinstance(value, Duration | Point) else value


def drawn(
    rows: list[list[Any]], find: Callable[[list[str]], list[Node]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The nodes (key, type, name) and relationships (head, relation, tail) anywhere in an answer, each once.

    Args:
        rows: of the answer.
        find: nodes by the server's own ids, for the ends of relationships that stand in an answer alone.
    """
    from neo4j.graph import Node

    nodes: dict[str, Node] = {}
    edges: dict[str, Relationship] = {}
    for part in _parts(rows):
        if isinstance(part, Node):
            nodes[part.element_id] = part
        else:
            edges[part.element_id] = part
    ends = {end.element_id for edge in edges.values() for end in edge.nodes if end is not None}
    if missing := sorted(ends - set(nodes)):
        nodes |= {node.element_id: node for node in find(missing)}
    keys = {number: _key(node) for number, node in nodes.items()}
    told = [(keys[number], _type(node), node.get("name")) for number, node in nodes.items()]
    said = [(keys[edge.nodes[0].element_id], edge.type, keys[edge.nodes[1].element_id]) for edge in edges.values()]  # type: ignore[union-attr]
    return (
        pd.DataFrame(told, columns=["key", "type", "name"], dtype="str"),
        pd.DataFrame(said, columns=["head", "relation", "tail"], dtype="str"),
    )


def _parts(value: Any) -> Iterator[Node | Relationship]:
    """All nodes and relationships in a value."""
    from neo4j.graph import Node, Path, Relationship

    if isinstance(value, Node | Relationship):
        yield value
    elif isinstance(value, Path):
        yield from value.nodes
        yield from value.relationships
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _parts(one)


def _key(node: Node) -> str:
    """Of a node of ours its key; of a user's own, its label and the server's id."""
    return str(node[KEY]) if _is_ours(node) else f"{_type(node)}:{node.element_id}"


def _type(node: Node) -> str:
    """The node's own type: its key begins with it; its labels are those of ancestors too, in any order."""
    return str(node[KEY]).partition(":")[0] if _is_ours(node) else min(node.labels, default="")


def _is_ours(node: Node) -> bool:
    return GRAPH in node and KEY in node
