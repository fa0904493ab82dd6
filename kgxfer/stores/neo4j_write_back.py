"""What models write back to a graph in Neo4j: vectors with their index, and recommendations; and how it is undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from graph_schema.ddl import neo4j_statements
from graph_schema.errors import InputError
from graph_schema.schema import Schema
from graph_schema.tables import RECOMMENDED
from kgxfer.stores import neo4j_statements as cypher
from kgxfer.stores.base import NodeVectors, Progress, Run
from kgxfer.stores.contents import (
    ENDS,
    RECOMMENDATION,
    communities_by_type,
    nearest_among,
    recommendations_from,
    require_found,
)
from kgxfer.stores.neo4j_indexes import create_indexes
from kgxfer.stores.neo4j_session import Neo4jSession
from kgxfer.stores.neo4j_tables import moment_of, table_from, wanted

if TYPE_CHECKING:
    from neo4j import ManagedTransaction

NUMBERS, EDGES = 500_000, 10_000
"""The most numbers of vectors, and the most recommendations, that are written in one transaction."""

OVERFETCH, LEAST = 10, 1_000
"""How many times as many nodes as are wanted the vector index is asked for, and at least how many."""


class WriteBack:
    """Vectors and recommendations of one graph that is there whole.

    Args:
        session: to the server.
        schema: of the graph.
        node_types: that it has nodes of.
    """

    def __init__(self, session: Neo4jSession, schema: Schema, node_types: tuple[str, ...]) -> None:
        self.session, self.schema, self.node_types = session, schema, node_types

    @property
    def roots(self) -> list[str]:
        """The top types of the graph's node types."""
        return list(dict.fromkeys(map(self.schema.root, self.node_types)))

    def embeddings(self, vectors: Mapping[str, NodeVectors], run: Run, progress: Progress) -> None:
        """Write vectors in batches; the run is noted first, so that it can be undone whatever happens."""
        for kind, given in vectors.items():
            self._require(kind, given.keys)
        self._make_indexes(vectors)
        self._note(run)
        total, done = sum(len(one.keys) for one in vectors.values()), 0
        for kind, given in vectors.items():
            step = max(1, NUMBERS // max(1, given.vectors.shape[1]))
            numbers = given.vectors.astype(np.float64)
            for start in range(0, len(given.keys), step):
                part = slice(start, start + step)
                rows = list(map(list, zip(given.keys[part].tolist(), numbers[part].tolist(), strict=True)))
                self.session.change(cypher.set_vectors(kind), rows=rows, run=run.name)
                done += len(rows)
                progress("embeddings", done, total)

    def read_embeddings(self) -> dict[str, NodeVectors]:
        """All vectors by node type, in the order of the rows."""
        found = {}
        for kind in self.node_types:
            if rows := self.session.read(cypher.read_vectors(kind)):
                keys, vectors, runs = zip(*rows, strict=True)
                given = np.array(vectors, dtype=np.float32)
                found[kind] = NodeVectors(pd.Index(keys, dtype="str"), given, pd.Index(runs, dtype="str"))
        return found

    def recommendations(self, edges: pd.DataFrame, run: Run, progress: Progress) -> None:
        """Write RECOMMENDED edges in place of those of the same run."""
        types = [edges[end].str.partition(":")[0] for end in ENDS]
        groups = dict(iter(edges.groupby(types, sort=True)))
        for kinds, group in groups.items():
            self.schema.edge_type(kinds[0], RECOMMENDED, kinds[1])
            for kind, end in zip(kinds, ENDS, strict=True):
                self._require(kind, pd.Index(group[end].unique()))
        self._note(run)
        self.session.run(cypher.FORGET_RECOMMENDATIONS, run=run.name)
        said = {"model": run.model, "run": run.name, "at": moment_of(run.at)}
        done = 0
        for (head, tail), group in groups.items():
            ordered = group.sort_values("head", kind="stable")
            columns = [ordered[name].tolist() for name in (*ENDS, "score", "rank")]
            rows = list(map(list, zip(*columns, strict=True)))
            for start in range(0, len(rows), EDGES):
                part = rows[start : start + EDGES]
                self.session.change(cypher.recommend(head, tail), rows=part, **said)
                done += len(part)
                progress("recommendations", done, len(edges))

    def read_recommendations(self) -> pd.DataFrame:
        """All RECOMMENDED edges, of all runs."""
        dtypes = {name: dtype for name, dtype in RECOMMENDATION.items() if name not in ENDS}
        rows = self.session.read(cypher.read_recommendations(wanted(dtypes)))
        return recommendations_from(table_from(rows, dtypes, first=ENDS))

    def communities(self, communities: pd.Series) -> None:
        """Write numbers of communities in place of all that were there, in one transaction."""
        by_type = communities_by_type(communities)
        given = {"graph": self.session.graph}

        def work(transaction: ManagedTransaction) -> None:
            for kind in self.node_types:
                transaction.run(cypher.forget_communities(kind), given).consume()
            for kind, chosen in by_type.items():
                rows = [[key, int(number)] for key, number in chosen.items()] if kind in self.node_types else []
                found = 0
                for start in range(0, len(rows), EDGES):
                    part = {**given, "rows": rows[start : start + EDGES]}
                    found += transaction.run(cypher.set_communities(kind), part).values()[0][0]
                require_found(kind, chosen, found)

        self.session.write(work)

    def runs(self) -> list[str]:
        """The runs that wrote something back."""
        return [row[0] for row in self.session.read(cypher.RUNS)]

    def undo(self, run: str) -> pd.DataFrame:
        """Remove what a run wrote, then the note of it; a table what, count."""
        gone = {"recommendations": self.session.run(cypher.FORGET_RECOMMENDATIONS, run=run)[0][0]}
        gone["embeddings"] = sum(self.session.run(cypher.forget_vectors(root), run=run)[0][0] for root in self.roots)
        self.session.change(cypher.DELETE_RUN, run=run)
        return pd.DataFrame(sorted(gone.items()), columns=["what", "count"])

    def counts(self) -> list[tuple[str, str, int]]:
        """Rows what, run, count."""
        rows = [("recommendations", run, count) for run, count in self.session.read(cypher.RECOMMENDATION_RUNS)]
        found: dict[str, int] = {}
        for kind in self.node_types:
            for run, count in self.session.read(cypher.vector_runs(kind)):
                found[run] = found.get(run, 0) + count
        return rows + [("embeddings", run, count) for run, count in found.items()]

    def nearest(self, node_type: str, vector: np.ndarray, n: int) -> pd.DataFrame:
        """The nearest nodes of a type or one below it: a table key, name, similarity."""
        root, given = self.schema.root(node_type), np.asarray(vector, dtype=np.float64)
        index = cypher.vector_index(root)
        dim = self._dim(root)
        if dim is not None and dim != len(given):
            raise InputError(f"the vector has {len(given)} numbers, those of {node_type} have {dim}")
        if not given.any():
            raise InputError("the vector has no direction: all its numbers are 0")
        asked = {"vector": given.tolist(), "n": n, "k": max(LEAST, OVERFETCH * n)}
        rows = self.session.read(cypher.nearest(node_type), index=index, **asked) if dim is not None else []
        if len(rows) < n and dim is not None:
            rows = self.session.read(cypher.nearest_of_all(node_type), **asked)
        keys, names, vectors = zip(*rows, strict=True) if rows else ((), (), ())
        there = np.array(vectors, dtype=np.float64).reshape(len(rows), len(given))
        best = nearest_among(np.array(keys, dtype=object), there, given, n)
        name_of = dict(zip(keys, names, strict=True))
        return best.assign(name=best["key"].map(name_of).astype("str"))[["key", "name", "similarity"]]

    def _dim(self, root: str) -> int | None:
        """The length that the vector index of a top type takes; None where there is no index."""
        rows = self.session.read(cypher.VECTOR_INDEX, name=cypher.vector_index(root))
        return int(rows[0][0]) if rows else None

    def _make_indexes(self, vectors: Mapping[str, NodeVectors]) -> None:
        dims: dict[str, int] = {}
        for kind, given in vectors.items():
            root, dim = self.schema.root(kind), given.vectors.shape[1]
            if dims.setdefault(root, dim) != dim:
                raise InputError(f"{kind}: vectors of length {dim}, others of {root} have {dims[root]}; use one length")
        for root, dim in dims.items():
            found = self._dim(root)
            if found is not None and found != dim:
                self._make_room(root, dim, found, vectors)
        for root, dim in dims.items():
            name = cypher.vector_index(root)
            statements = neo4j_statements(self.schema, [root], dim=dim)
            create_indexes(self.session, [one for one in statements if one.startswith(f"CREATE VECTOR INDEX `{name}`")])

    def _make_room(self, root: str, dim: int, found: int, vectors: Mapping[str, NodeVectors]) -> None:
        """Drop an index of another length, if all its vectors are about to be replaced."""
        new = {key for given in vectors.values() for key in given.keys}
        for graph, key, run in self.session.read(cypher.holders_of_vectors(root)):
            if graph != self.session.graph or key not in new:
                raise InputError(
                    f'{root}: vectors of length {dim}, but others there have {found} (run "{run}" of graph "{graph}"); '
                    "undo that run first"
                )
        self.session.change(cypher.drop_vector_index(root))

    def _note(self, run: Run) -> None:
        self.session.change(cypher.WRITE_RUN, run=run.name, model=run.model, at=moment_of(run.at))

    def _require(self, kind: str, keys: pd.Index) -> None:
        """InputError when the graph has no node of the type by one of the keys."""
        found: set[str] = set()
        if kind in self.node_types:
            for start in range(0, len(keys), EDGES):
                part = keys[start : start + EDGES].tolist()
                found |= {row[0] for row in self.session.read(cypher.known_keys(kind), keys=part)}
        lost = next((key for key in keys if key not in found), None)
        if lost is not None:
            raise InputError(f'the graph has no node "{lost}"; was it another data set?')
