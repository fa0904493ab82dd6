"""Nodes, edges and paths in Ladybug's answers: as a word in a table, and as two tables to be drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from graph_schema.ddl import KEY
from kgxfer.stores import ladybug_statements as cypher
from kgxfer.stores.ladybug_file import LadybugFile


def readable(value: Any) -> Any:
    """A node as its key, an edge as its relation, a path as a list of them; other values as they are."""
    if isinstance(value, list):
        return [readable(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "_NODES" in value:
        nodes, edges = value["_NODES"], value["_RELS"]
        turns = [part for pair in zip(nodes, edges, strict=False) for part in pair]
        return [readable(part) for part in [*turns, *nodes[len(edges):]]]
    if "_SRC" in value:
        return value["_LABEL"]
    if "_LABEL" in value:
        return value.get(KEY)
    return {name: readable(one) for name, one in value.items()}


def drawn(file: LadybugFile, rows: list[list[Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The nodes (key, type, name) and edges (head, relation, tail) anywhere in an answer, each once."""
    nodes: dict[tuple[int, int], dict[str, Any]] = {}
    edges: dict[tuple[int, int], dict[str, Any]] = {}
    for part in _parts(rows):
        (edges if "_SRC" in part else nodes)[_number(part["_ID"])] = part
    missing: dict[int, set[int]] = {}
    for edge in edges.values():
        for table, number in (_number(edge["_SRC"]), _number(edge["_DST"])):
            if (table, number) not in nodes:
                missing.setdefault(table, set()).add(number)
    names = dict(file.run(cypher.TABLE_NUMBERS)) if missing else {}
    for table, numbers in missing.items():
        for number, node in file.run(cypher.ends(names[table]), numbers=sorted(numbers)):
            nodes[table, number] = node
    keys = {place: node[KEY] for place, node in nodes.items()}
    told = [(node[KEY], node["_LABEL"], node.get("name")) for node in nodes.values()]
    said = [(keys[_number(edge["_SRC"])], edge["_LABEL"], keys[_number(edge["_DST"])]) for edge in edges.values()]
    return (
        pd.DataFrame(told, columns=["key", "type", "name"], dtype="str"),
        pd.DataFrame(said, columns=["head", "relation", "tail"], dtype="str"),
    )


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """All nodes and edges in a value."""
    if isinstance(value, list):
        for one in value:
            yield from _parts(one)
    elif isinstance(value, dict):
        if "_LABEL" in value:
            if value["_LABEL"] != cypher.MANIFEST:
                yield value
        else:
            for one in value.values():
                yield from _parts(one)


def _number(place: dict[str, int]) -> tuple[int, int]:
    return place["table"], place["offset"]
