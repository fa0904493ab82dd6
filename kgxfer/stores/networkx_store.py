"""A graph in networkx: in memory, for the algorithms that people know, and as one JSON file in node-link form.

Nodes are named by their key and have `type`, `id`, `domain`, `row`, `place` and their properties; edges have
`relation`, `row`, `domain` and theirs. What is missing is no attribute; moments are text in ISO 8601.
`KnowledgeGraph.to_networkx` is the light conversion: names and relations alone, repeated edges once.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from graph_schema.ddl import ALIASES, DOMAIN, EMBEDDING, EMBEDDING_RUN, ID, KEY, PLACE, ROW
from graph_schema.errors import InputError, unknown_name
from graph_schema.schema import EdgeType, Schema
from graph_schema.tables import RECOMMENDED
from kgxfer.graph import KnowledgeGraph
from kgxfer.stores.base import GraphStore, NodeVectors, Progress, Run, silent
from kgxfer.stores.contents import (
    ENDS,
    Described,
    description_of,
    edge_table,
    graph_from,
    nearest_of,
    node_table,
    recommendations_from,
)
from loaders.files import new_file

if TYPE_CHECKING:
    import networkx

FORMAT = 1
TYPE, RELATION = "type", "relation"
_FORM = {"name": KEY, "source": "head", "target": "tail", "key": "number", "edges": "edges"}
"""What node-link calls its parts; a node has an `id` of its own."""

_OF_NODES = {KEY, ID, TYPE, DOMAIN, ROW, PLACE, ALIASES, EMBEDDING, EMBEDDING_RUN}
_OF_EDGES = {"head", "tail", "number", RELATION, DOMAIN, ROW}


class NetworkxStore(GraphStore):
    """One graph as a `networkx.MultiDiGraph`.

    Args:
        path: the JSON file that holds it between programs, made when there is none; in memory alone when not given.

    Attributes:
        graph: the graph itself; what is changed there is saved with the next write.

    Raises:
        InputError: the file holds something else.
    """

    language = None

    def __init__(self, path: str | Path | None = None) -> None:
        import networkx

        self.path = None if path is None else Path(path)
        self.graph: networkx.MultiDiGraph = networkx.MultiDiGraph()
        if self.path is not None and self.path.exists():
            self.graph = _loaded(self.path)

    def write_graph(self, graph: KnowledgeGraph, progress: Progress = silent) -> None:
        """Write the graph; see `GraphStore.write_graph`."""
        import networkx

        if "fingerprint" in self.graph.graph:
            if self.graph.graph["fingerprint"] != graph.fingerprint:
                raise InputError(f"{self._name} holds another graph; clear it first, or give another file")
            return
        _refuse_names(graph.schema)
        about = {"format": FORMAT, "fingerprint": graph.fingerprint, "description": description_of(graph)}
        made = networkx.MultiDiGraph(**about)
        for kind in graph.nodes:
            table = node_table(graph, kind)
            made.add_nodes_from(zip(table[KEY], _attributes(table.drop(columns=KEY).assign(type=kind)), strict=True))
            progress("nodes", made.number_of_nodes(), graph.node_count)
        for edge_type in graph.edges:
            table = edge_table(graph, edge_type)
            said = _attributes(table.drop(columns=[*ENDS]).assign(relation=edge_type.relation))
            numbers = edge_type.relation + " " + table[ROW].astype("str")
            made.add_edges_from(zip(table["head"], table["tail"], numbers, said, strict=True))
            progress("edges", made.number_of_edges(), graph.edge_count)
        self._replace(made)

    def read_graph(self) -> KnowledgeGraph:
        """Read the graph back; see `GraphStore.read_graph`."""
        self.described()
        nodes: dict[str, list[dict[str, Any]]] = {}
        for key, one in self.graph.nodes(data=True):
            nodes.setdefault(one[TYPE], []).append({KEY: key, **one})
        edges: dict[EdgeType, list[dict[str, Any]]] = {}
        types = self.graph.nodes(data=TYPE)
        for head, tail, one in self.graph.edges(data=True):
            kind = EdgeType(types[head], one[RELATION], types[tail])
            if kind.relation != RECOMMENDED:
                edges.setdefault(kind, []).append({"head": head, "tail": tail, **one})
        return graph_from(
            self.graph.graph["description"],
            {kind: _table(rows, ALIASES) for kind, rows in nodes.items()},
            {kind: _table(rows, DOMAIN) for kind, rows in edges.items()},
        )

    def write_embeddings(
        self, vectors: Mapping[str, NodeVectors], run: Run, progress: Progress = silent
    ) -> None:
        """Write vectors, all of them or none; see `GraphStore.write_embeddings`."""
        self.described()
        for given in vectors.values():
            self._require(given.keys)
        done, total = 0, sum(len(one.keys) for one in vectors.values())
        for given in vectors.values():
            for key, vector in zip(given.keys, np.asarray(given.vectors, dtype=np.float32).tolist(), strict=True):
                self.graph.nodes[key].update({EMBEDDING: vector, EMBEDDING_RUN: run.name})
            done += len(given.keys)
            progress("embeddings", done, total)
        self._save(self.graph)

    def read_embeddings(self) -> dict[str, NodeVectors]:
        """All vectors by node type; see `GraphStore.read_embeddings`."""
        told = self.described().told
        found: dict[str, NodeVectors] = {}
        for kind in told["nodes"]:
            rows = sorted((one[ROW], key) for key, one in self._embedded() if one[TYPE] == kind)
            if rows:
                vectors = np.array([self.graph.nodes[key][EMBEDDING] for _, key in rows], dtype=np.float32)
                runs = pd.Index([self.graph.nodes[key][EMBEDDING_RUN] for _, key in rows], dtype="str")
                found[kind] = NodeVectors(pd.Index([key for _, key in rows], dtype="str"), vectors, runs)
        return found

    def write_recommendations(self, edges: pd.DataFrame, run: Run, progress: Progress = silent) -> None:
        """Write RECOMMENDED edges in place of those of the same run; see `GraphStore.write_recommendations`."""
        self.described()
        for end in ENDS:
            self._require(edges[end])
        self.graph.remove_edges_from(list(self._recommended(run.name)))
        said = edges[["score", "rank"]].assign(
            relation=RECOMMENDED, model=run.model, run=run.name, at=pd.Timestamp(run.at).isoformat()
        )
        numbers = f"{RECOMMENDED} {run.name} " + edges["rank"].astype("str")
        self.graph.add_edges_from(zip(edges["head"], edges["tail"], numbers, _attributes(said), strict=True))
        progress("recommendations", len(edges), len(edges))
        self._save(self.graph)

    def read_recommendations(self) -> pd.DataFrame:
        """All RECOMMENDED edges; see `GraphStore.read_recommendations`."""
        self.described()
        edges = self.graph.edges(data=True)
        rows = [{"head": head, "tail": tail, **one} for head, tail, one in edges if one[RELATION] == RECOMMENDED]
        return recommendations_from(pd.DataFrame(rows))

    def undo(self, run: str) -> pd.DataFrame:
        """Remove what a run wrote; see `GraphStore.undo`."""
        self.described()
        edges = list(self._recommended(run))
        nodes = [one for _, one in self._embedded() if one[EMBEDDING_RUN] == run]
        if not edges and not nodes:
            back = {one["run"] for _, _, one in self.graph.edges(data=True) if one[RELATION] == RECOMMENDED}
            raise unknown_name("run", run, sorted(back | {one[EMBEDDING_RUN] for _, one in self._embedded()}))
        self.graph.remove_edges_from(edges)
        for one in nodes:
            del one[EMBEDDING], one[EMBEDDING_RUN]
        self._save(self.graph)
        return pd.DataFrame({"what": ["embeddings", "recommendations"], "count": [len(nodes), len(edges)]})

    def described(self) -> Described:
        """What the file says of its graph; see `GraphStore.described`."""
        if "description" not in self.graph.graph:
            raise InputError(f"{self._name} holds no graph; load one first")
        return Described(self.graph.graph["description"])

    def query(self, text: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """networkx has no query language: always an InputError that says what to use."""
        raise InputError(
            "networkx has no query language; use its functions on `store.graph`, or load the graph into a file such as "
            "graph.lbug and ask there in Cypher"
        )

    def neighbours(self, key: str, limit: int = 100) -> pd.DataFrame:
        """The edges at a node, those that leave it first; see `GraphStore.neighbours`."""
        self.described()
        if key not in self.graph:
            raise InputError(f'no node has the key "{key}"; a key is Type:domain/id, such as User:books/u1')
        rows = [(key, said, tail) for _, tail, said in self.graph.out_edges(key, data=RELATION)]
        rows += [(head, said, key) for head, _, said in self.graph.in_edges(key, data=RELATION) if head != key]
        return pd.DataFrame(rows[:limit], columns=["head", RELATION, "tail"], dtype="str")

    def nearest(self, node_type: str, vector: np.ndarray, n: int = 10) -> pd.DataFrame:
        """The nearest nodes by cosine, exact; see `GraphStore.nearest`."""
        best = nearest_of(self.read_embeddings(), self.described().schema, node_type, vector, n)
        names = pd.Series([self.graph.nodes[key].get("name") for key in best["key"]], dtype="str")
        return best.assign(name=names)[["key", "name", "similarity"]]

    def stats(self) -> pd.DataFrame:
        """Counts; the edges by type, what was written back by run; see `GraphStore.stats`."""
        told = self.described().told
        types = self.graph.nodes(data=TYPE)
        edges, back = [], []
        for head, tail, one in self.graph.edges(data=True):
            if one[RELATION] == RECOMMENDED:
                back.append(one["run"])
            else:
                edges.append(f"{types[head]} {one[RELATION]} {types[tail]}")
        counts = {
            "nodes": _counts((kind for _, kind in types), list(told["nodes"])),
            "edges": _counts(edges, [" ".join(names) for names in told["edges"]]),
            "recommendations": _counts(back),
            "embeddings": _counts(one[EMBEDDING_RUN] for _, one in self._embedded()),
        }
        rows = [(kind, name, count) for kind, some in counts.items() for name, count in some.items()]
        return pd.DataFrame(rows, columns=["kind", "name", "count"])

    def clear(self, progress: Progress = silent) -> None:
        """Remove the graph, and the file; see `GraphStore.clear`."""
        self.graph.clear()
        if self.path is not None:
            self.path.unlink(missing_ok=True)
        progress("tables", 1, 1)

    def close(self) -> None:
        """Nothing is held."""

    @property
    def _name(self) -> str:
        return "the store" if self.path is None else f'"{self.path}"'

    def _require(self, keys: Iterable[str]) -> None:
        if lost := next((key for key in keys if key not in self.graph), None):
            raise InputError(f'the graph has no node "{lost}"; was it another data set?')

    def _embedded(self) -> Iterator[tuple[str, dict[str, Any]]]:
        return ((key, one) for key, one in self.graph.nodes(data=True) if EMBEDDING in one)

    def _recommended(self, run: str) -> Iterator[tuple[str, str, str]]:
        for head, tail, number, one in self.graph.edges(keys=True, data=True):
            if one[RELATION] == RECOMMENDED and one["run"] == run:
                yield head, tail, number

    def _replace(self, made: networkx.MultiDiGraph) -> None:
        self._save(made)
        self.graph = made

    def _save(self, graph: networkx.MultiDiGraph) -> None:
        import networkx

        if self.path is None:
            return
        with new_file(self.path) as draft, open(draft, "w") as file:
            json.dump(networkx.node_link_data(graph, **_FORM), file)


def _loaded(path: Path) -> networkx.MultiDiGraph:
    import networkx

    try:
        told = json.loads(path.read_text())
        found = told["graph"]["format"]
        if found != FORMAT:
            raise InputError(f'"{path}" has format {found}, this version reads {FORMAT}; load the graph again')
        return networkx.node_link_graph(told, **_FORM)
    except OSError as error:
        raise InputError(f'cannot read "{path}" ({error.strerror})') from error
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f'"{path}" holds no graph that this program wrote; give another name') from error


def _attributes(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The values of each line by name, without those that are missing."""
    columns = []
    for name, values in table.items():
        plain = values.astype(object)
        if pd.api.types.is_datetime64_any_dtype(values.dtype):
            plain = plain.map(lambda moment: moment.isoformat(), na_action="ignore")
        columns.append((name, plain.tolist(), values.notna().to_numpy()))
    for row in range(len(table)):
        yield {name: values[row] for name, values, there in columns if there[row]}


def _counts(names: Iterable[str], known: Iterable[str] = ()) -> dict[str, int]:
    """How often each name occurs, the known ones first and also where they do not."""
    counted = Counter(names)
    return {name: counted[name] for name in dict.fromkeys([*known, *sorted(counted)])}


def _table(rows: list[dict[str, Any]], column: str) -> pd.DataFrame:
    """Lines as a table with a column that all of them may lack; whole numbers stay whole where some are missing."""
    table = pd.DataFrame(rows, dtype=object)
    return table if column in table else table.assign(**{column: None})


def _refuse_names(schema: Schema) -> None:
    """InputError where a property would take the place of what every node or edge has."""
    holders = [(one.name, one.properties, _OF_NODES) for one in schema.node_types]
    holders += [(one.name, one.properties, _OF_EDGES) for one in schema.relations]
    for holder, properties, taken in holders:
        for row in properties:
            if row.name in taken:
                raise InputError(f'property "{row.name}" of {holder}: the store uses this name itself; rename it')
