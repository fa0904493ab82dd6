"""A graph in Ladybug: one file, no server, Cypher.

The file has a table per node type and one per relation, typed by the schema (`graph_schema.ddl`), and one of its own
that says what is in the others. Ancestors of a type are no labels: ask for `:Book:Movie` instead of `:Item`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from graph_schema.ddl import EMBEDDING
from graph_schema.errors import InputError, unknown_name
from graph_schema.schema import EdgeType
from graph_schema.tables import RECOMMENDED
from kgxfer.graph import KnowledgeGraph
from kgxfer.stores import ladybug_statements as cypher
from kgxfer.stores.base import GraphStore, NodeVectors, Progress, Run, silent
from kgxfer.stores.contents import (
    ENDS,
    Described,
    communities_by_type,
    graph_from,
    recommendations_from,
    require_found,
)
from kgxfer.stores.ladybug_drawing import drawn, readable
from kgxfer.stores.ladybug_file import LadybugFile
from kgxfer.stores.ladybug_load import checked, copy, create, fill, holds
from kgxfer.stores.ladybug_tables import NODE_COLUMNS, edge_columns, to_arrow, to_frame

if TYPE_CHECKING:
    import ladybug
    import pyarrow as pa

FORMAT = 1

VECTORS = 20_000
"""Vectors that are written in one statement."""


@dataclass(frozen=True)
class _Manifest(Described):
    format: int
    fingerprint: str
    done: int
    complete: bool


class LadybugStore(GraphStore):
    """One graph in one file.

    Args:
        place: the file, made where there is none; or an open `ladybug.Database`, which stays open.

    Raises:
        InputError: the file is none of Ladybug's, another program has it open, or the folder may not be written.
    """

    language = "Cypher"

    def __init__(self, place: str | Path | ladybug.Database) -> None:
        self._file = LadybugFile(Path(place) if isinstance(place, str | Path) else place)

    def write_graph(self, graph: KnowledgeGraph, progress: Progress = silent) -> None:
        """Write the graph, table by table; see `GraphStore.write_graph`."""
        manifest = self._manifest()
        if manifest is not None and manifest.fingerprint != graph.fingerprint:
            raise InputError(f'"{self._file.name}" holds another graph; clear it first, or give another file')
        if manifest is not None and manifest.complete:
            return
        nodes = checked(graph)
        if manifest is not None and not holds(self._file, graph, manifest.done):
            self.clear()
            manifest = None
        if manifest is None:
            create(self._file, graph, FORMAT)
        fill(self._file, graph, nodes, 0 if manifest is None else manifest.done, progress)

    def read_graph(self) -> KnowledgeGraph:
        """Read the graph back; see `GraphStore.read_graph`."""
        manifest = self.described()
        nodes, edges = {}, {}
        for kind, dtypes in zip(manifest.told["nodes"], manifest.told["node_properties"], strict=True):
            nodes[kind] = to_frame(self._file.arrow(cypher.read_nodes(kind, [*NODE_COLUMNS, *dtypes])))
        for names, dtypes in zip(manifest.told["edges"], manifest.told["edge_properties"], strict=True):
            kind = EdgeType(*names)
            edges[kind] = to_frame(self._file.arrow(cypher.read_edges(kind, dtypes)))
        return graph_from(manifest.description, nodes, edges)

    def write_embeddings(
        self, vectors: Mapping[str, NodeVectors], run: Run, progress: Progress = silent
    ) -> None:
        """Write vectors, all of them or none; see `GraphStore.write_embeddings`."""
        total, done = sum(len(one.keys) for one in vectors.values()), 0
        with self._file.transaction():
            for kind, given in vectors.items():
                table = _vector_table(given)
                self._require(kind, given.keys.to_series())
                self._make_room(kind, given)
                for start in range(0, len(table), VECTORS):
                    part = table.slice(start, VECTORS)
                    self._file.run(cypher.set_vectors(kind), given=part, run=run.name)
                    done += len(part)
                    progress("embeddings", done, total)

    def _make_room(self, kind: str, given: NodeVectors) -> None:
        """Columns for vectors of this length, in place of those for vectors of another where all these go."""
        dim = given.vectors.shape[1]
        found = self._dim(kind)
        if found == dim:
            return
        if found is not None:
            there = self._file.arrow(cypher.read_vectors(kind))
            if not set(there.column("key").to_pylist()) <= set(given.keys):
                runs = ", ".join(f'"{run}"' for run, _ in self._file.run(cypher.vector_runs(kind)))
                raise InputError(
                    f"{kind}: vectors of length {dim}, but others there have {found} (run {runs}); undo that run first"
                )
            for statement in cypher.drop_vectors(kind):
                self._file.run(statement)
        for statement in cypher.add_vectors(kind, dim):
            self._file.run(statement)

    def read_embeddings(self) -> dict[str, NodeVectors]:
        """All vectors by node type; see `GraphStore.read_embeddings`."""
        found = {}
        for kind, dim in self._dims().items():
            table = self._file.arrow(cypher.read_vectors(kind))
            if len(table):
                flat = table.column("vector").combine_chunks().flatten().to_numpy()
                keys = pd.Index(table.column("key").to_pandas().astype("str"))
                runs = pd.Index(table.column("run").to_pandas().astype("str"))
                found[kind] = NodeVectors(keys, flat.reshape(-1, dim).astype(np.float32), runs)
        return found

    def write_recommendations(self, edges: pd.DataFrame, run: Run, progress: Progress = silent) -> None:
        """Write RECOMMENDED edges in place of those of the same run; see `GraphStore.write_recommendations`."""
        schema = self.described().schema
        moment = run.at.astimezone(UTC).replace(tzinfo=None) if run.at.tzinfo else run.at
        table = edges[["head", "tail", "score", "rank"]].assign(model=run.model, run=run.name, at=moment)
        types = [table[end].str.partition(":")[0] for end in ENDS]
        done = 0
        with self._file.transaction():
            self._file.run(cypher.FORGET_RECOMMENDATIONS, run=run.name)
            for (head, tail), group in table.groupby(types, sort=True):
                for end, one in zip(ENDS, (head, tail), strict=True):
                    self._require(one, group[end].drop_duplicates())
                kind = schema.edge_type(head, RECOMMENDED, tail)
                part = to_arrow(group, edge_columns(schema, kind), RECOMMENDED)
                if [head, tail] not in self._file.run(cypher.pairs_of(RECOMMENDED)):
                    self._file.run(cypher.add_pair(RECOMMENDED, head, tail))
                self._file.run(copy(kind, part.column_names), given=part)
                done += len(part)
                progress("recommendations", done, len(table))

    def read_recommendations(self) -> pd.DataFrame:
        """All RECOMMENDED edges; see `GraphStore.read_recommendations`."""
        self.described()
        there = self._has_recommendations()
        return recommendations_from(to_frame(self._file.arrow(cypher.RECOMMENDATIONS)) if there else pd.DataFrame())

    def write_communities(self, communities: pd.Series) -> None:
        """Write numbers of communities; see `GraphStore.write_communities`."""
        kinds = [*self.described().told["nodes"]]
        with self._file.transaction():
            for kind in kinds:
                self._file.run(cypher.add_communities(kind))
                self._file.run(cypher.forget_communities(kind))
            for kind, chosen in communities_by_type(communities).items():
                table = pd.DataFrame({"key": chosen.index, "number": chosen.to_numpy()})
                given = to_arrow(table, {"key": "STRING", "number": "INT64"}, "communities")
                found = self._file.run(cypher.set_communities(kind), given=given)[0][0] if kind in kinds else 0
                require_found(kind, chosen, found)

    def undo(self, run: str) -> pd.DataFrame:
        """Remove what a run wrote; see `GraphStore.undo`."""
        runs = self._runs()
        if run not in set(runs["run"]):
            raise unknown_name("run", run, sorted(set(runs["run"])))
        with self._file.transaction():
            if self._has_recommendations():
                self._file.run(cypher.FORGET_RECOMMENDATIONS, run=run)
            for kind in self._dims():
                self._file.run(cypher.forget_vectors(kind), run=run)
        gone = runs[runs["run"] == run].groupby("what")["count"].sum()
        return gone.reindex(["embeddings", "recommendations"], fill_value=0).rename_axis("what").reset_index()

    def described(self) -> _Manifest:
        """What the file says of its graph; see `GraphStore.described`."""
        manifest = self._manifest()
        if manifest is None:
            raise InputError(f'"{self._file.name}" holds no graph; load one first')
        if not manifest.complete:
            raise InputError(f'the graph in "{self._file.name}" was not written whole; load it again to complete it')
        return manifest

    def query(self, text: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Ask in Cypher, reading only; see `GraphStore.query`. A node is shown as its key, an edge as its relation."""
        columns, rows = self._file.ask(text, parameters)
        return pd.DataFrame([[readable(value) for value in row] for row in rows], columns=columns)

    def query_graph(
        self, text: str, parameters: Mapping[str, Any] | None = None
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Ask in Cypher and return the nodes and edges of the answer, to be drawn.

        Returns:
            nodes: key, type, name; each once, the ends of all edges among them.
            relationships: head, relation, tail (keys).
        """
        return drawn(self._file, self._file.ask(text, parameters)[1])

    def neighbours(self, key: str, limit: int = 100) -> pd.DataFrame:
        """The edges at a node, those that leave it first; see `GraphStore.neighbours`."""
        kind = key.partition(":")[0]
        if kind not in self.described().told["nodes"] or not self._file.run(cypher.find(kind), key=key):
            raise InputError(f'no node has the key "{key}"; a key is Type:domain/id, such as User:books/u1')
        rows = self._file.run(cypher.leaving(kind), key=key, limit=limit)
        if len(rows) < limit:
            rows += self._file.run(cypher.arriving(kind), key=key, limit=limit - len(rows))
        return pd.DataFrame(rows, columns=["head", "relation", "tail"], dtype="str")

    def nearest(self, node_type: str, vector: np.ndarray, n: int = 10) -> pd.DataFrame:
        """The nearest nodes by cosine, exact; see `GraphStore.nearest`."""
        below = self.described().schema.subtypes(node_type)
        dims = {kind: dim for kind, dim in self._dims().items() if kind in below}
        kinds = [kind for kind, dim in dims.items() if dim == len(vector)]
        if dims and not kinds:
            raise InputError(f"the vector has {len(vector)} numbers, those of {node_type} have {max(dims.values())}")
        given = {"vector": np.asarray(vector, dtype=np.float64).tolist(), "n": n}
        rows = self._file.run(cypher.nearest(kinds, len(vector)), **given) if kinds else []
        table = pd.DataFrame(rows, columns=["key", "name", "similarity"])
        return table.astype({"key": "str", "name": "str", "similarity": float})

    def stats(self) -> pd.DataFrame:
        """Counts; the edges by type, what was written back by run; see `GraphStore.stats`."""
        told = self.described().told
        rows = [("nodes", kind, self._file.run(cypher.count_nodes(kind))[0][0]) for kind in told["nodes"]]
        for kind in (EdgeType(*names) for names in told["edges"]):
            rows.append(("edges", " ".join(kind), self._file.run(cypher.count_edges(kind))[0][0]))
        back = self._runs().groupby(["what", "run"])["count"].sum()
        rows += [(what, run, count) for (what, run), count in back.items()]
        return pd.DataFrame(rows, columns=["kind", "name", "count"])

    def clear(self, progress: Progress = silent) -> None:
        """Remove the graph and all that was written back; see `GraphStore.clear`."""
        if self._manifest() is None:
            return
        tables = self._file.run(cypher.TABLES)
        edges_first = sorted(tables, key=lambda row: row[1] == "NODE")
        with self._file.transaction():
            for number, (name, _) in enumerate(edges_first, start=1):
                self._file.run(cypher.drop(name))
                progress("tables", number, len(tables))
        self._file.run(cypher.CHECKPOINT)

    def close(self) -> None:
        """Close the file; a database that was passed in stays open."""
        self._file.close()

    def _manifest(self) -> _Manifest | None:
        if [cypher.MANIFEST, "NODE"] not in self._file.run(cypher.TABLES):
            return None
        said = self._file.run(cypher.READ_MANIFEST)[0]
        manifest = _Manifest(**dict(zip(cypher.MANIFEST_COLUMNS, said, strict=True)))
        if manifest.format != FORMAT:
            raise InputError(
                f'"{self._file.name}" has format {manifest.format}, this version reads {FORMAT}; '
                "load the graph into a new file"
            )
        return manifest

    def _require(self, kind: str, keys: pd.Series) -> None:
        """InputError when a node of the type lacks one of the keys."""
        import pyarrow as pa

        found: list[str] = []
        if kind in self.described().told["nodes"]:
            given = pa.table({"key": pa.Array.from_pandas(keys, type=pa.string())})
            found = self._file.arrow(cypher.known_keys(kind), given=given).column("key").to_pylist()
        if len(found) < len(keys):
            lost = keys[~keys.isin(found)].iloc[0]
            raise InputError(f'the graph has no node "{lost}"; was it another data set?')

    def _dim(self, kind: str) -> int | None:
        """Length of the vectors that the nodes of a type have room for."""
        columns = dict(self._file.run(cypher.columns_of(kind)))
        return int(columns[EMBEDDING].removeprefix("FLOAT[").removesuffix("]")) if EMBEDDING in columns else None

    def _dims(self) -> dict[str, int]:
        dims = {kind: self._dim(kind) for kind in self.described().told["nodes"]}
        return {kind: dim for kind, dim in dims.items() if dim is not None}

    def _has_recommendations(self) -> bool:
        return [RECOMMENDED, "REL"] in self._file.run(cypher.TABLES)

    def _runs(self) -> pd.DataFrame:
        """What was written back: a table what, run, count."""
        asked = self._file.run(cypher.RECOMMENDATION_RUNS) if self._has_recommendations() else []
        rows = [("recommendations", *row) for row in asked]
        for kind in self._dims():
            rows += [("embeddings", *row) for row in self._file.run(cypher.vector_runs(kind))]
        return pd.DataFrame(rows, columns=["what", "run", "count"])


def _vector_table(given: NodeVectors) -> pa.Table:
    import pyarrow as pa

    vectors = np.ascontiguousarray(given.vectors, dtype=np.float32)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    return pa.table({"key": pa.array(given.keys, type=pa.string(), from_pandas=True), "vector": lists})
