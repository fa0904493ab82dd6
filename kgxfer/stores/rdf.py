"""The graph as RDF: a file for other programs, or a folder that pyoxigraph keeps as a database, asked in SPARQL.

Triples are those of `kgxfer.graph.rdf`. Vectors stand at their node as ``store#embedding``, recommendations are triples
of the relation RECOMMENDED with a statement each. All of it lies in the default graph; triples of others stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from graph_schema.ddl import KEY
from graph_schema.errors import InputError
from graph_schema.ontology import BASE
from kgxfer.graph import KnowledgeGraph
from kgxfer.graph.rdf import edge_texts, node_texts
from kgxfer.graph.rdf_terms import N_TRIPLES, STORE, Form
from kgxfer.stores.base import GraphStore, NodeVectors, Progress, Run, silent
from kgxfer.stores.contents import Described, description_of, nearest_of
from kgxfer.stores.rdf_place import Place, oxigraph
from kgxfer.stores.rdf_query import ask
from kgxfer.stores.rdf_tables import (
    DESCRIPTION,
    FINGERPRINT,
    GRAPH,
    ORDER,
    STATE,
    graph_of,
    more_of,
    order_of,
)
from kgxfer.stores.rdf_triples import Triples, texts
from kgxfer.stores.rdf_written import Written

WHOLE, PART = "whole", "part"


class RdfStore(GraphStore):
    """One graph in RDF.

    Args:
        path: a file that ends in .nt, .ttl, .nq or .trig, or a folder that ends in .oxigraph; need not exist.

    Raises:
        InputError: another ending, or pyoxigraph is not installed.
    """

    language: ClassVar[str | None] = "SPARQL"

    def __init__(self, path: str | Path) -> None:
        self._place = Place(Path(path))
        self._written = Written(self._place)
        oxigraph()

    @property
    def path(self) -> Path:
        """Where the graph lies."""
        return self._place.path

    @property
    def database(self) -> Any:
        """The pyoxigraph store itself, for what no method does; InputError where nothing lies there."""
        if not self._place.exists:
            raise self._no_graph()
        return self._place.store()

    def write_graph(self, graph: KnowledgeGraph, progress: Progress = silent) -> None:
        """Write the graph; a file appears whole, a folder's load goes on where the same graph was interrupted.

        Raises:
            InputError: another graph is there already, something else lies there, or a value RDF does not hold.
        """
        graph.schema.require_identifiers()
        if not self._place.exists and not self._place.is_folder:
            self._place.write_new(_parts(graph, self._place.form, progress))
            return
        said = self._said()
        if said.get(FINGERPRINT, graph.fingerprint) != graph.fingerprint:
            raise InputError(f'"{self._place.path}" holds another graph; clear it first or give another place')
        if said.get(STATE) == WHOLE:
            return
        # What is whole says so last; until then it cannot be read, and writing goes on.
        self._say(_about(graph) | {STATE: PART})
        self._place.load(_parts(graph, N_TRIPLES, progress, PART))
        self._say({STATE: WHOLE})
        self._place.save()

    def read_graph(self) -> KnowledgeGraph:
        """Read the graph back; InputError where there is none, a part of one, or one that was changed."""
        if not self._place.exists:
            raise self._no_graph()
        triples = Triples(self._place.triples())
        said = {name: texts(triples.of(name)[1]).to_pylist() for name in (DESCRIPTION, ORDER, STATE)}
        if not said[DESCRIPTION]:
            raise self._no_graph()
        if said[STATE] != [WHOLE]:
            raise InputError(f'"{self._place.path}" holds a part of a graph; write the same graph again to complete it')
        return graph_of(triples, said[DESCRIPTION][0], said[ORDER][0])

    def write_embeddings(self, vectors: Mapping[str, NodeVectors], run: Run, progress: Progress = silent) -> None:
        """Write vectors, by node type; InputError for a node that is not there."""
        self.described()
        self._written.add_vectors(vectors, run, progress)

    def read_embeddings(self) -> dict[str, NodeVectors]:
        """All vectors by node type, in the order of the graph's rows."""
        self.described()
        return self._written.vectors()

    def write_recommendations(self, edges: pd.DataFrame, run: Run, progress: Progress = silent) -> None:
        """Write RECOMMENDED edges instead of those of the same run; InputError for a node that is not there."""
        self.described()
        self._written.add_recommendations(edges, run, progress)

    def read_recommendations(self) -> pd.DataFrame:
        """All RECOMMENDED edges; see `GraphStore.read_recommendations`."""
        self.described()
        return self._written.recommendations()

    def undo(self, run: str) -> pd.DataFrame:
        """Remove all vectors and recommendations of a run and return what went, as a table what, count."""
        self.described()
        return self._written.undo(run)

    def described(self) -> Described:
        """What the file says of its graph; see `GraphStore.described`."""
        said = self._said() if self._place.exists else {}
        if said.get(STATE) != WHOLE:
            raise self._no_graph()
        return Described(said[DESCRIPTION])

    def query(self, text: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Ask in SPARQL; see `kgxfer.stores.rdf_query.ask` for parameters, prefixes and the form of the answer."""
        if not self._place.exists:
            raise self._no_graph()
        return ask(self._place.store(), text, parameters)

    def neighbours(self, key: str, limit: int = 100) -> pd.DataFrame:
        """The edges at a node as a table head, relation, tail of keys, those that lead from it first."""
        node, store, pyoxigraph = self._node(key), self._place.store(), oxigraph()
        default = pyoxigraph.DefaultGraph()
        at = pyoxigraph.NamedNode(f"{BASE}{STORE}{KEY}")

        def edges() -> Iterator[tuple[str, str, str]]:
            for ends in ((node, None, None, default), (None, None, node, default)):
                for quad in store.quads_for_pattern(*ends):
                    other = quad.object if ends[0] is not None else quad.subject
                    if isinstance(other, pyoxigraph.Literal) or (ends[0] is None and other == node):
                        continue
                    of_graph = quad.predicate.value.startswith(BASE)
                    found = next(store.quads_for_pattern(other, at, None, default), None) if of_graph else None
                    if found is not None:
                        name, said = quad.predicate.value.removeprefix(BASE), found.object.value
                        yield (key, name, said) if ends[0] is not None else (said, name, key)

        return pd.DataFrame(list(islice(edges(), limit)), columns=["head", "relation", "tail"], dtype="str")

    def nearest(self, node_type: str, vector: np.ndarray, n: int = 10) -> pd.DataFrame:
        """The `n` nodes of a type, or of a type below it, nearest by cosine: a table key, name, similarity."""
        best = nearest_of(self.read_embeddings(), self.described().schema, node_type, vector, n)
        return best.assign(name=self._written.names(best["key"]))[["key", "name", "similarity"]]

    def stats(self) -> pd.DataFrame:
        """Counts as a table kind, name, count."""
        return self._written.stats(self.described().told)

    def clear(self, progress: Progress = silent) -> None:
        """Remove the graph with all that was written back; triples of others stay. No graph is no error."""
        if not self._place.exists:
            return
        if self._said():
            self._say({STATE: PART})
            self._written.remove_all(progress)
            self._place.save()

    def close(self) -> None:
        """Let go of the file or folder."""
        self._place.close()
        self._written.forget()

    def _said(self) -> dict[str, str]:
        """What is said of the graph as a whole: of a folder or a file that is there."""
        pyoxigraph = oxigraph()
        quads = self._place.store().quads_for_pattern(
            pyoxigraph.NamedNode(GRAPH), None, None, pyoxigraph.DefaultGraph()
        )
        return {quad.predicate.value: quad.object.value for quad in quads}

    def _say(self, said: dict[str, str]) -> None:
        """Say it instead of what was said before."""
        pyoxigraph, store = oxigraph(), self._place.store()
        graph, default = pyoxigraph.NamedNode(GRAPH), pyoxigraph.DefaultGraph()
        for name, value in said.items():
            predicate = pyoxigraph.NamedNode(name)
            for quad in list(store.quads_for_pattern(graph, predicate, None, default)):
                store.remove(quad)
            store.add(pyoxigraph.Quad(graph, predicate, pyoxigraph.Literal(value), default))

    def _node(self, key: str) -> Any:
        self.described()
        pyoxigraph = oxigraph()
        at = (pyoxigraph.NamedNode(f"{BASE}{STORE}{KEY}"), pyoxigraph.Literal(key), pyoxigraph.DefaultGraph())
        found = next(self._place.store().quads_for_pattern(None, *at), None)
        if found is None:
            raise InputError(f'"{self._place.path}" holds no node "{key}"; a key is TYPE:DOMAIN/ID')
        return found.subject

    def _no_graph(self) -> InputError:
        return InputError(f'"{self._place.path}" holds no whole graph; write one first')


def _about(graph: KnowledgeGraph) -> dict[str, str]:
    return {FINGERPRINT: graph.fingerprint, DESCRIPTION: description_of(graph), ORDER: order_of(graph)}


def _parts(graph: KnowledgeGraph, form: Form, progress: Progress, state: str = WHOLE) -> Iterator[memoryview | bytes]:
    """The text of all triples, those about the graph first, with what is written told as it goes."""
    subject, said = f"<{GRAPH}>", {**_about(graph), STATE: state}
    for name, value in said.items():
        yield f"{subject} <{name}> {oxigraph().Literal(value)} .\n".encode()
    done = 0
    for kind in graph.nodes:
        yield from node_texts(graph, form, kind, partial(more_of, graph))
        done += graph.nodes[kind].size
        progress("nodes", done, graph.node_count)
    done = 0
    for edge_type in graph.edges:
        yield from edge_texts(graph, form, edge_type)
        done += len(graph.edges[edge_type])
        progress("edges", done, graph.edge_count)
