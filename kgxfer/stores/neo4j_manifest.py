"""What a database says of a graph that it holds: a node of its own beside the graph's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from graph_schema.errors import InputError
from kgxfer.graph import KnowledgeGraph
from kgxfer.stores import neo4j_statements as cypher
from kgxfer.stores.contents import Described, description_of
from kgxfer.stores.neo4j_load import LoadSettings
from kgxfer.stores.neo4j_session import Neo4jSession

FORMAT = 1
LOADING, INDEXING, IMPORTED, READY, CLEARING = "loading", "indexing", "imported", "ready", "clearing"
"""What can be the state of a graph; an imported one is whole, but has no constraints and indexes."""


@dataclass(frozen=True)
class Manifest(Described):
    """Of one graph; `done` counts the batches that are there."""

    fingerprint: str
    format: int
    labels: tuple[str, ...]
    plan: str
    done: int
    state: str

    @property
    def settings(self) -> LoadSettings:
        """What the load began with."""
        return LoadSettings.parse(json.loads(self.plan), "the graph's manifest")


def said_of(graph: KnowledgeGraph, settings: LoadSettings) -> dict[str, Any]:
    """What the manifest says of a graph from the beginning on."""
    return {
        "fingerprint": graph.fingerprint,
        "description": description_of(graph),
        "labels": [one for one in graph.schema.names if one in graph.nodes],
        "plan": settings.model_dump_json(),
    }


def manifest_of(session: Neo4jSession, *, any_format: bool = False) -> Manifest | None:
    """What the database says of the session's graph; None where it has none of this name.

    Raises:
        InputError: it was written in another format, unless any is taken.
    """
    rows = session.read(cypher.READ_MANIFEST)
    if not rows:
        return None
    fingerprint, version, description, labels, plan, done, state = rows[0]
    if version != FORMAT and not any_format:
        raise InputError(
            f'graph "{session.graph}" has format {version}, this version reads {FORMAT}; clear it and load it again'
        )
    return Manifest(description, fingerprint, version, tuple(labels), plan, done, state)


def complete(session: Neo4jSession) -> Manifest:
    """The manifest of a graph that is there whole; InputError for any other."""
    manifest = manifest_of(session)
    if manifest is None:
        known = ", ".join(f'"{row[0]}"' for row in session.read(cypher.GRAPHS)) or "none"
        raise InputError(f'no graph "{session.graph}" in this database (graphs: {known}); load it first')
    if manifest.state == CLEARING:
        raise InputError(f'graph "{session.graph}" is half removed; clear it again')
    if manifest.state not in (IMPORTED, READY):
        raise InputError(f'graph "{session.graph}" was not written whole; load it again to complete it')
    return manifest


def require_same(manifest: Manifest, graph: KnowledgeGraph, name: str) -> None:
    """InputError where another graph bears the name, or one that is going."""
    if manifest.fingerprint != graph.fingerprint:
        raise InputError(f'graph "{name}" is another one in this database; clear it first, or use another name')
    if manifest.state == CLEARING:
        raise InputError(f'graph "{name}" is half removed; clear it again, then load it')
