"""A graph in Neo4j: on a server that others use too, where people look at it and ask in Cypher.

One database holds several graphs beside what else is there: every node of a graph carries the graph's name, and nothing
without it is ever touched. Constraints and indexes belong to the database and stay when a graph is cleared. Written for
and tested on Neo4j 5.26 Community.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from graph_schema.ddl import neo4j_statements
from graph_schema.errors import InputError, unknown_name
from graph_schema.schema import EdgeType, Schema
from kgxfer.graph import KnowledgeGraph
from kgxfer.graph.storage import restore
from kgxfer.stores import neo4j_statements as cypher
from kgxfer.stores.base import GraphStore, NodeVectors, Progress, Run, silent
from kgxfer.stores.contents import description_of, graph_from
from kgxfer.stores.neo4j_drawing import drawn, readable
from kgxfer.stores.neo4j_indexes import create_indexes, extend_names_index
from kgxfer.stores.neo4j_load import LoadSettings, checked_nodes, load
from kgxfer.stores.neo4j_session import Neo4jSession, connect
from kgxfer.stores.neo4j_tables import read_edge_tables, read_node_tables
from kgxfer.stores.neo4j_write_back import WriteBack

if TYPE_CHECKING:
    from neo4j import Driver
    from neo4j.graph import Node

FORMAT = 1
LOADING, INDEXING, READY, CLEARING = "loading", "indexing", "ready", "clearing"


@dataclass(frozen=True)
class Manifest:
    """What the database says of a graph."""

    fingerprint: str
    format: int
    description: str
    labels: tuple[str, ...]
    plan: str
    done: int
    state: str

    @cached_property
    def told(self) -> dict[str, Any]:
        """The description, read."""
        return json.loads(self.description)  # type: ignore[no-any-return]

    @cached_property
    def schema(self) -> Schema:
        """Of the graph."""
        return restore(self.told, {}, {}).schema


class Neo4jStore(GraphStore):
    """One graph of a database, by its name.

    Args:
        driver: to the server; it stays open.
        graph: the graph's name.
        database: its name, where it is not the user's own.
        settings: how much is written together.
    """

    language = "Cypher"

    def __init__(
        self, driver: Driver, graph: str, database: str | None = None, settings: LoadSettings | None = None
    ) -> None:
        self._hold(Neo4jSession(driver, graph, database), settings)

    def _hold(self, session: Neo4jSession, settings: LoadSettings | None) -> None:
        self._session, self.graph, self._settings = session, session.graph, settings or LoadSettings()

    @classmethod
    def connect(
        cls,
        uri: str,
        user: str,
        password: str,
        graph: str,
        database: str | None = None,
        settings: LoadSettings | None = None,
    ) -> Self:
        """Reach a server; `close` closes the way to it.

        Raises:
            InputError: no server answers, it refuses the user or has no such database, or it is too old.
        """
        store = cls.__new__(cls)
        store._hold(connect(uri, user, password, graph, database), settings)
        return store

    def write_graph(self, graph: KnowledgeGraph, progress: Progress = silent) -> None:
        """Write the graph, in batches that are written once each; see `GraphStore.write_graph`."""
        statements = (*cypher.CONSTRAINTS, *neo4j_statements(graph.schema, graph.nodes))
        manifest = self._manifest()
        if manifest is not None:
            self._require_same(manifest, graph)
            if manifest.state == READY:
                return
        nodes = checked_nodes(graph, self.graph)
        # The other indexes come last: filling one is quicker than keeping it up through a load.
        constraints = [one for one in statements if one.startswith("CREATE CONSTRAINT")]
        create_indexes(self._session, constraints)
        if manifest is None:
            manifest = self._begin(graph)
        settings = LoadSettings.parse(json.loads(manifest.plan), f'graph "{self.graph}"')
        load(self._session, graph, nodes, settings, manifest.done, progress)
        self._session.change(cypher.SET_STATE, state=INDEXING)
        create_indexes(self._session, statements[len(constraints) :])
        extend_names_index(self._session, graph.schema, graph.nodes)
        self._session.change(cypher.SET_STATE, state=READY)

    def _begin(self, graph: KnowledgeGraph) -> Manifest:
        """Say what is going to be written, before it is; another program may have said so meanwhile."""
        labels = [one for one in graph.schema.names if one in graph.nodes]
        plan = self._settings.model_dump_json()
        said = {"fingerprint": graph.fingerprint, "description": description_of(graph), "labels": labels}
        self._session.change(cypher.CREATE_MANIFEST, format=FORMAT, plan=plan, state=LOADING, **said)
        manifest = self._manifest()
        if manifest is None:
            raise InputError(f'graph "{self.graph}" was cleared while it was loaded; load it again')
        self._require_same(manifest, graph)
        return manifest

    def _require_same(self, manifest: Manifest, graph: KnowledgeGraph) -> None:
        place = f'graph "{self.graph}"'
        if manifest.fingerprint != graph.fingerprint:
            raise InputError(f"{place} is another one in this database; clear it first, or use another name")
        if manifest.state == CLEARING:
            raise InputError(f"{place} is half removed; clear it again, then load it")

    def read_graph(self) -> KnowledgeGraph:
        """Read the graph back; see `GraphStore.read_graph`."""
        manifest = self._complete()
        nodes = read_node_tables(self._session, manifest.told)
        return graph_from(manifest.description, nodes, read_edge_tables(self._session, manifest.told, nodes))

    def write_embeddings(
        self, vectors: Mapping[str, NodeVectors], run: Run, progress: Progress = silent
    ) -> None:
        """Write vectors and index them; see `GraphStore.write_embeddings`.

        A database indexes vectors of one length for users, items and entities each: another length takes the place of
        one that no vector has any more.
        """
        self._write_back.embeddings(vectors, run, progress)

    def read_embeddings(self) -> dict[str, NodeVectors]:
        """All vectors by node type; see `GraphStore.read_embeddings`."""
        return self._write_back.read_embeddings()

    def write_recommendations(self, edges: pd.DataFrame, run: Run, progress: Progress = silent) -> None:
        """Write RECOMMENDED edges in place of those of the same run; see `GraphStore.write_recommendations`."""
        self._write_back.recommendations(edges, run, progress)

    def undo(self, run: str) -> pd.DataFrame:
        """Remove what a run wrote; see `GraphStore.undo`."""
        back = self._write_back
        known = back.runs()
        if run not in known:
            raise unknown_name("run", run, known)
        return back.undo(run)

    def query(self, text: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Ask in Cypher, reading only; see `GraphStore.query`.

        $graph is the graph's name. A node is shown as its key, a relationship as its type, a path as a list of them.
        """
        columns, rows = self._session.ask(text, parameters or {})
        return pd.DataFrame([[readable(value) for value in row] for row in rows], columns=columns)

    def query_graph(
        self, text: str, parameters: Mapping[str, Any] | None = None
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Ask in Cypher and return the nodes and relationships of the answer, to be drawn.

        Returns:
            nodes: key, type, name; each once, the ends of all relationships among them.
            relationships: head, relation, tail (keys).
        """

        def find(ids: list[str]) -> list[Node]:
            return [row[0] for row in self._session.read(cypher.ENDS, ids=ids)]

        return drawn(self._session.ask(text, parameters or {})[1], find)

    def neighbours(self, key: str, limit: int = 100) -> pd.DataFrame:
        """The edges at a node, those that leave it first; see `GraphStore.neighbours`."""
        kind = key.partition(":")[0]
        if kind not in self._complete().told["nodes"] or not self._session.read(cypher.known_keys(kind), keys=[key]):
            raise InputError(f'no node has the key "{key}"; a key is Type:domain/id, such as User:books/u1')
        rows = self._session.read(cypher.leaving(kind), key=key, limit=limit)
        if len(rows) < limit:
            rows += self._session.read(cypher.arriving(kind), key=key, limit=limit - len(rows))
        return pd.DataFrame(rows, columns=["head", "relation", "tail"], dtype="str")

    def nearest(self, node_type: str, vector: np.ndarray, n: int = 10) -> pd.DataFrame:
        """The nearest nodes by cosine; see `GraphStore.nearest`.

        The index proposes, exact cosines decide; where it proposes too few of this graph, all vectors are looked at.
        """
        return self._write_back.nearest(node_type, vector, n)

    def stats(self) -> pd.DataFrame:
        """Counts; the edges by type, what was written back by run; see `GraphStore.stats`."""
        told = self._complete().told
        rows = [("nodes", kind, self._session.read(cypher.count_nodes(kind))[0][0]) for kind in told["nodes"]]
        for names in told["edges"]:
            kind = EdgeType(*names)
            rows.append(("edges", " ".join(kind), self._session.read(cypher.count_edges(kind))[0][0]))
        rows += self._write_back.counts()
        return pd.DataFrame(rows, columns=["kind", "name", "count"])

    def clear(self, progress: Progress = silent) -> None:
        """Remove the graph and all that was written back; see `GraphStore.clear`.

        Raises:
            InputError: relationships of somebody else's hang on the graph's nodes, and would go with them.
        """
        manifest = self._manifest(any_format=True)
        if manifest is None:
            return
        for label in manifest.labels:
            if found := self._session.read(cypher.strangers(label)):
                relation, count = found[0]
                raise InputError(
                    f'graph "{self.graph}": {count:,} relationships {relation} at its {label} nodes were not loaded '
                    "with it; remove them first"
                )
        self._session.change(cypher.SET_STATE, state=CLEARING)
        steps = [one(label) for one in (cypher.delete_edges, cypher.delete_nodes) for label in manifest.labels]
        for number, statement in enumerate(steps, start=1):
            self._session.run(statement)
            progress("tables", number, len(steps))
        self._session.change(cypher.DELETE_RUNS)
        self._session.change(cypher.DELETE_MANIFEST)

    def close(self) -> None:
        """Let go of the server; a driver that was passed in stays open."""
        self._session.close()

    def _manifest(self, *, any_format: bool = False) -> Manifest | None:
        rows = self._session.read(cypher.READ_MANIFEST)
        if not rows:
            return None
        fingerprint, version, description, labels, plan, done, state = rows[0]
        if version != FORMAT and not any_format:
            raise InputError(
                f'graph "{self.graph}" has format {version}, this version reads {FORMAT}; clear it and load it again'
            )
        return Manifest(fingerprint, version, description, tuple(labels), plan, done, state)

    def _complete(self) -> Manifest:
        manifest = self._manifest()
        if manifest is None:
            known = ", ".join(f'"{row[0]}"' for row in self._session.read(cypher.GRAPHS)) or "none"
            raise InputError(f'no graph "{self.graph}" in this database (graphs: {known}); load it first')
        if manifest.state == CLEARING:
            raise InputError(f'graph "{self.graph}" is half removed; clear it again')
        if manifest.state != READY:
            raise InputError(f'graph "{self.graph}" was not written whole; load it again to complete it')
        return manifest

    @property
    def _write_back(self) -> WriteBack:
        manifest = self._complete()
        return WriteBack(self._session, manifest.schema, tuple(manifest.told["nodes"]))
