"""Indexes of a database, which its graphs share: made, waited for, and extended to the types of a further graph."""

from __future__ import annotations

import re
from collections.abc import Iterable

from graph_schema.schema import Schema
from kgxfer.stores import neo4j_statements as cypher
from kgxfer.stores.neo4j_session import Neo4jSession

SECONDS = 3600
"""How long the server may take to fill an index."""


def create_indexes(session: Neo4jSession, statements: Iterable[str]) -> None:
    """Make the constraints and indexes that are not there by name, and wait until those that were made answer."""
    named = {re.findall("`([^`]+)`", statement)[0]: statement for statement in statements}
    there = _there(session)
    made = [name for name in named if name not in there]
    for name in made:
        session.change(named[name])
    # One by one: an index of somebody else's that failed is not ours to wait for. An equal one may bear another name.
    for name in sorted(_there(session) & set(made)) if made else ():
        session.read(cypher.AWAIT_INDEX, name=name, seconds=SECONDS)


def extend_names_index(session: Neo4jSession, schema: Schema, node_types: Iterable[str]) -> None:
    """Let the full-text index cover the types of this graph too, where an earlier one made it for its own."""
    found = session.read(cypher.NAMES)
    used = {one for name in node_types for one in schema.ancestors(name)}
    declared = [
        (name, row.name)
        for name in schema.names
        if name in used
        for row in schema.node_type(name).properties
        if row.indexed and row.datatype == "string"
    ]
    if not found or not declared:
        return
    there = found[0]
    labels = list(dict.fromkeys([*there[0], *(label for label, _ in declared)]))
    names = list(dict.fromkeys([*there[1], *(name for _, name in declared)]))
    if [labels, names] != there:
        session.change(cypher.DROP_NAMES)
        create_indexes(session, [cypher.create_names(labels, names)])


def _there(session: Neo4jSession) -> set[str]:
    return {row[0] for row in session.read(cypher.INDEXES)}
