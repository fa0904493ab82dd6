"""A graph in Neo4j: on a server that others use too, where people look at it and ask in Cypher.

One database holds several graphs beside what else is there: every node of a graph carries the graph's name, and nothing
without it is ever touched. Constraints and indexes belong to the database and stay when a graph is cleared. Written for
and tested on Neo4j 5.26 Community.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from graph_schema.ddl import neo4j_statements
from graph_schema.errors import InputError, unknown_name
from graph_schema.schema import EdgeType
from kgxfer.graph import KnowledgeGraph
from kgxfer.stores import neo4j_statements as cypher
from kgxfer.stores.base import GraphStore, NodeVectors, Progress, Run, silent
from kgxfer.stores.contents import graph_from
from kgxfer.stores.neo4j_drawing import drawn, readable
from kgxfer.stores.neo4j_indexes import create_indexes, extend_names_index
from kgxfer.stores.neo4j_load import LoadSettings, checked_nodes, load
from kgxfer.stores.neo4j_manifest import (
    CLEARING,
    FORMAT,
    INDEXING,
    LOADING,
    READY,
    Manifest,
    complete,
    manifest_of,
    require_same,
    said_of,
)
from kgxfer.stores.neo4j_session import Neo4jSession, connect
from kgxfer.stores.neo4j_tables import read_edge_tables, read_node_tables
from kgxfer.stores.neo4j_write_back import WriteBack

if TYPE_CHECKING:
    from neo4j import Driver
    from neo4j.graph import Node

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
        with self._session.patient():
            self._write(graph, statements, progress)

    def _write(self, graph: KnowledgeGraph, statements: tuple[str, ...], progress: Progress) -> None:
        session = self._session
        manifest = manifest_of(session)
        if manifest is not None:
            require_same(manifest, graph, self.graph)
            if manifest.state == READY:
                return
        nodes = checked_nodes(graph, self.graph)
        # The other indexes come last: filling one is quicker than keeping it up through a load.
        constraints = [one for one in statements if one.startswith("CREATE CONSTRAINT")]
        create_indexes(session, constraints)
        said = said_of(graph, self._settings)
        session.change(cypher.CREATE_MANIFEST, format=FORMAT, state=LOADING, **said)
        manifest = manifest_of(session)  # another program may have begun meanwhile
        if manifest is None:
            raise InputError(f'graph "{self.graph}" was cleared while it was loaded; load it again')
        require_same(manifest, graph, self.graph)
        load(session, graph, nodes, manifest.settings, manifest.done, progress)
        session.change(cypher.SET_STATE, state=INDEXING)
        create_indexes(session, statements[len(constraints) :])
        extend_names_index(session, graph.schema, graph.nodes)
        session.change(cypher.SET_STATE, state=READY)

    def read_graph(self) -> KnowledgeGraph:
        """Read the graph back; see `GraphStore.read_graph`."""
        manifest = self.described()
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

    def read_recommendations(self) -> pd.DataFrame:
        """All RECOMMENDED edges; see `GraphStore.read_recommendations`."""
        return self._write_back.read_recommendations()

    def write_communities(self, communities: pd.Series) -> None:
        """Write numbers of communities; see `GraphStore.write_communities`."""
        self._write_back.communities(communities)

    def undo(self, run: str) -> pd.DataFrame:
        """Remove what a run wrote; see `GraphStore.undo`."""
        back = self._write_back
        known = back.runs()
        if run not in known:
            raise unknown_name("run", run, known)
        return back.undo(run)

    def described(self) -> Manifest:
        """What the database says of the graph; see `GraphStore.described`."""
        return complete(self._session)

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
        known = kind in self.described().told["nodes"]
        if not known or not self._session.read(cypher.known_keys(kind), keys=[key]):
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
        told = self.described().told
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
        manifest = manifest_of(self._session, any_format=True)
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

    @property
    def _write_back(self) -> WriteBack:
        manifest = self.described()
        return WriteBack(self._session, manifest.schema, tuple(manifest.told["nodes"]))
