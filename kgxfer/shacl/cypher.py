"""The same constraints asked of a graph in Neo4j or Ladybug, in Cypher: what these databases do not enforce themselves.

Presence, bounds and, in Neo4j, datatypes of properties; where relations lead. A shape that looks at a type looks at the
types below it too, and asks for what all of them have in common, as `graph_schema.shapes` does. Names in a text come
from the schema, in backticks; bounds and types are parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pandas as pd

from graph_schema.ontology import BASE
from graph_schema.schema import Datatype, Property, Schema
from graph_schema.tables import RECOMMENDED
from kgxfer.queries.dialects import EVERY_NODE, Dialect, Neo4jDialect
from kgxfer.queries.stored import ask
from kgxfer.shacl.report import COLUMNS
from kgxfer.stores import GraphStore

_TYPES: dict[Datatype, tuple[str, ...]] = {
    "string": ("STRING",), "integer": ("INTEGER",), "year": ("INTEGER",), "float": ("FLOAT", "INTEGER"),
    "boolean": ("BOOLEAN",), "datetime": ("ZONED DATETIME", "LOCAL DATETIME"),
}  # fmt: skip
"""Datatype -> what Neo4j calls the values that it writes for it."""


class Question(NamedTuple):
    """One constraint: the shape and path that it is of, what is wrong, and the text that finds where."""

    shape: str
    path: str
    message: str
    text: str
    parameters: dict[str, Any]


def questions(dialect: Dialect) -> list[Question]:
    """The constraints on properties of the nodes and edges that a stored graph has."""
    return [*_of_nodes(dialect), *_of_edges(dialect)]


def faults(store: GraphStore, dialect: Dialect) -> tuple[pd.DataFrame, int]:
    """What is against the shapes, as `COLUMNS` of keys, and how many constraints were asked for.

    Raises:
        InputError: the store cannot be asked.
    """
    asked = questions(dialect)
    tables = [_answered(store, dialect, question) for question in asked]
    relations = [name for name in dialect.stored.schema.relation_names if dialect.stored.relations(name)]
    tables += [table for relation in relations for table in _ends(store, dialect, relation)]
    return pd.concat([pd.DataFrame(columns=[*COLUMNS]), *tables]).astype("str"), len(asked) + 2 * len(relations)


def _of_nodes(dialect: Dialect) -> Iterator[Question]:
    schema = dialect.stored.schema
    for kind in schema.names:
        if not dialect.stored.types(kind):
            continue
        match = f"MATCH {dialect.node('it', kind, '')}"
        for own in schema.node_type(kind).properties:
            below = [row for other in schema.subtypes(kind) for row in schema.properties(other) if row.name == own.name]
            required = all(row.required for row in below)
            yield from _of_property(dialect, f"{kind}-{own.name}", match, "it.key AS node", below, required)


def _of_edges(dialect: Dialect) -> Iterator[Question]:
    schema = dialect.stored.schema
    for relation in schema.relation_names:
        if not dialect.stored.relations(relation):
            continue
        rows = schema.relation(relation)
        match, shown = _match(dialect, relation), f"a.key + ' {relation} ' + b.key AS node"
        for name in dict.fromkeys(own.name for row in rows for own in row.properties):
            declared = [own for row in rows for own in row.properties if own.name == name]
            required = len(declared) == len(rows) and all(own.required for own in declared)
            yield from _of_property(dialect, f"{relation}-{name}", match, shown, declared, required)


def _match(dialect: Dialect, relation: str) -> str:
    """The clause that finds the edges of a relation, `it`, from `a` to `b`."""
    edge = dialect.edge("it", relation)
    return f"MATCH {dialect.node('a', EVERY_NODE, '')}-{edge}->{dialect.node('b', EVERY_NODE, '')}"


def _of_property(
    dialect: Dialect, shape: str, match: str, shown: str, declared: list[Property], required: bool
) -> Iterator[Question]:
    """What all declarations of a property have in common; bounds of single values."""
    name = declared[0].name
    value = f"it.`{name}`"

    def question(test: str, message: str, said: str = value, **parameters: Any) -> Question:
        text = f"{match} WHERE {test} RETURN {shown}, {said} AS value"
        return Question(f"{BASE}{shape}-shape", BASE + name, message, text, parameters)

    if required:
        yield question(f"{value} IS NULL", "is missing", "NULL")
    if any(row.many for row in declared):
        return
    if isinstance(dialect, Neo4jDialect):
        wanted = sorted({one for row in declared for one in _TYPES[row.datatype]})
        is_none = "none(one IN $wanted WHERE valueType(" + value + ") = one + ' NOT NULL')"
        message = f"is no {' and no '.join(dict.fromkeys(row.datatype for row in declared))}"
        yield question(f"{value} IS NOT NULL AND {is_none}", message, f"toStringOrNull({value})", wanted=wanted)
    for sign, bounds, choose, words in (
        ("<", [row.minimum for row in declared], min, "more"), (">", [row.maximum for row in declared], max, "less"),
    ):  # fmt: skip
        known = [bound for bound in bounds if bound is not None]
        if len(known) == len(bounds):
            limit = choose(known)
            yield question(f"{value} {sign} $bound", f"is not {limit} or {words}", bound=limit)


def _answered(store: GraphStore, dialect: Dialect, question: Question) -> pd.DataFrame:
    table = ask(store, dialect, question.text, question.parameters)
    about = {"path": question.path, "message": question.message, "shape": question.shape}
    return _told(table.assign(**about)) if len(table) else pd.DataFrame(columns=[*COLUMNS])


def _ends(store: GraphStore, dialect: Dialect, relation: str) -> Iterator[pd.DataFrame]:
    """The edges of a relation between types that it does not join."""
    schema = dialect.stored.schema
    match = _match(dialect, relation)
    pairs = ask(store, dialect, f"{match} RETURN DISTINCT kind(a) AS head, kind(b) AS tail", {})
    for head, tail in zip(pairs["head"], pairs["tail"], strict=True):
        wrong = _wrong_end(schema, head, relation, tail)
        if wrong is None:
            continue
        end, shape, path, message = wrong
        text = f"{match} WHERE kind(a) = $head AND kind(b) = $tail RETURN DISTINCT {end}.key AS node, b.key AS value"
        table = ask(store, dialect, text, {"head": head, "tail": tail})
        table["value"] = table["node"] if path is None else table["value"]
        about = {"path": path, "message": message, "shape": f"{BASE}{shape}-shape"}
        yield _told(table.assign(**about)).drop_duplicates()


def _wrong_end(schema: Schema, head: str, relation: str, tail: str) -> tuple[str, str, str | None, str] | None:
    """What to show, shape, path and message of an edge type that the schema does not have."""
    allowed = schema.tails(head, relation)
    if tail in allowed:
        return None
    if not allowed:
        return "a", f"{relation}-head", None, f"this is no head of {relation}"
    if not any(tail in schema.tails(other, relation) for other in schema.names):
        return "b", f"{relation}-tail", None, f"this is no tail of {relation}"
    return "a", f"{head}-{relation}", BASE + relation, f"{relation} does not lead from {head} to this"


def _told(table: pd.DataFrame) -> pd.DataFrame:
    return table[[*COLUMNS]].astype(object).where(table[[*COLUMNS]].notna(), None)


def counts(dialect: Dialect, store: GraphStore) -> tuple[dict[str, int], int]:
    """Nodes by type, and how many nodes and edges there are in all."""
    table = store.stats()
    nodes = table[table["kind"] == "nodes"].set_index("name")["count"]
    edges = table[(table["kind"] == "edges") & ~table["name"].str.contains(f" {RECOMMENDED} ")]["count"]
    return {kind: int(nodes[kind]) for kind in dialect.stored.node_types}, int(nodes.sum() + edges.sum())
