"""Ask a graph, a store or a file of RDF whether it keeps to the shapes of a schema."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from graph_schema import SCHEMA
from graph_schema.ontology import BASE
from graph_schema.schema import Schema
from kgxfer.graph import KnowledgeGraph
from kgxfer.graph.rdf import graph_texts
from kgxfer.graph.rdf_terms import N_TRIPLES
from kgxfer.queries.stored import dialect_of
from kgxfer.shacl.compiled import Rule, rules
from kgxfer.shacl.cypher import counts
from kgxfer.shacl.cypher import faults as faults_in_cypher
from kgxfer.shacl.report import COLUMNS, ShaclReport
from kgxfer.stores.base import GraphStore
from kgxfer.stores.contents import Described
from kgxfer.stores.rdf import RdfStore
from kgxfer.stores.rdf_place import database_of, oxigraph
from kgxfer.stores.rdf_query import value_of
from kgxfer.stores.rdf_tables import DESCRIPTION, GRAPH

_SUBCLASS = "http://www.w3.org/2000/01/rdf-schema#subClassOf"
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


def validate(
    data: KnowledgeGraph | GraphStore | str | Path, schema: Schema | None = None, base: str = BASE
) -> ShaclReport:
    """Check data against the shapes of a schema.

    Args:
        data: a graph, a store that holds one, or a file of RDF from anywhere; of a file with named graphs all of them.
            Neo4j and Ladybug are asked in Cypher, by the schema of their graph.
        schema: whose shapes; that of the graph when not given, and the vocabulary's where there is none.
        base: what the IRIs of the schema begin with in a file of others.

    Raises:
        InputError: a file that is no RDF, with its line; a schema whose names fit into no IRI.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "films.ttl"
    ...     text = f'@prefix kg: <{BASE}> . <https://films.example/heat> a kg:Movie ; kg:runtime -1 .'
    ...     _ = path.write_text(text)
    ...     print(validate(path).faults["message"].tolist())
    ['is not 0 or more']
    """
    started = time.perf_counter()
    if isinstance(data, GraphStore) and data.language == "Cypher":
        return _asked_in_cypher(data, started)
    name, store, union = _opened(data)
    schema = schema or (data.schema if isinstance(data, KnowledgeGraph) else _schema_of(store)) or SCHEMA
    asked = rules(schema, base, _subclasses(store))
    there = _There(store, union)
    found = [part for rule in asked if there.concerns(rule) for part in _faults(store, rule, union)]
    # A value that two constraints of a shape refuse in the same words, such as two types that it may not be, once.
    faults = pd.DataFrame(found, columns=list(COLUMNS), dtype="str").drop_duplicates()
    counts = {kind: there.count(base + kind) for kind in schema.names}
    return ShaclReport(
        name, faults.sort_values(list(COLUMNS), ignore_index=True), base, len(asked), len(store),
        {kind: count for kind, count in counts.items() if count}, round(time.perf_counter() - started, 2),
    )  # fmt: skip


def _opened(data: KnowledgeGraph | GraphStore | str | Path) -> tuple[str, Any, bool]:
    """What to call it, its triples, and whether named graphs count."""
    if isinstance(data, RdfStore):
        return data.path.name, data.database, False
    if isinstance(data, KnowledgeGraph):
        store = oxigraph().Store()
        for text in graph_texts(data, N_TRIPLES):
            store.bulk_load(text.tobytes(), format=oxigraph().RdfFormat.N_TRIPLES)
        return " and ".join(data.domain_names), store, False
    if isinstance(data, GraphStore):
        return " and ".join((graph := data.read_graph()).domain_names), _opened(graph)[1], False
    return Path(data).name, database_of(Path(data)), True


def _asked_in_cypher(store: GraphStore, started: float) -> ShaclReport:
    """Of a graph database what it does not enforce, by the schema of its graph."""
    dialect = dialect_of(store)
    found, asked = faults_in_cypher(store, dialect)
    nodes, size = counts(dialect, store)
    return ShaclReport(
        " and ".join(dialect.stored.domains), found.sort_values(list(COLUMNS), ignore_index=True), BASE, asked, size,
        nodes, round(time.perf_counter() - started, 2), "nodes and edges",
    )  # fmt: skip


class _There:
    """Which predicates and classes there are at all."""

    def __init__(self, store: Any, union: bool) -> None:
        self._store, self._graph = store, None if union else oxigraph().DefaultGraph()
        self._known: dict[tuple[str, str], bool] = {}

    def concerns(self, rule: Rule) -> bool:
        """Whether a rule could find anything."""
        used = all(self._has(predicate) for predicate in rule.predicates)
        return used and (not rule.classes or any(self._has(_TYPE, one) for one in rule.classes))

    def count(self, name: str) -> int:
        """How many nodes say that they are of a class."""
        if not self._has(_TYPE, name):
            return 0
        text = f"SELECT (COUNT(?node) AS ?count) WHERE {{ ?node a <{name}> }}"
        (found,) = self._store.query(text, use_default_graph_as_union=self._graph is None)
        return int(found["count"].value)

    def _has(self, predicate: str, value: str = "") -> bool:
        if (predicate, value) not in self._known:
            self._known[predicate, value] = next(self._quads(predicate, value), None) is not None
        return self._known[predicate, value]

    def _quads(self, predicate: str, value: str) -> Iterator[Any]:
        node = oxigraph().NamedNode
        quads: Iterator[Any] = self._store.quads_for_pattern(
            None, node(predicate), node(value) if value else None, self._graph
        )
        return quads


def _faults(store: Any, rule: Rule, union: bool) -> Iterator[tuple[str | None, ...]]:
    for solution in store.query(rule.query, use_default_graph_as_union=union):
        values = [*solution]
        value = values[1] if len(values) > 1 else None
        said = None if value is None else value.value if hasattr(value, "datatype") else str(value_of(value))
        yield str(value_of(values[0])), rule.path, said, rule.message, rule.shape


def _subclasses(store: Any) -> set[tuple[str, str]]:
    """Classes of the data's own that are below others."""
    pyoxigraph = oxigraph()
    quads = store.quads_for_pattern(None, pyoxigraph.NamedNode(_SUBCLASS), None)
    return {
        (quad.subject.value, quad.object.value)
        for quad in quads
        if isinstance(quad.subject, pyoxigraph.NamedNode) and isinstance(quad.object, pyoxigraph.NamedNode)
    }


def _schema_of(store: Any) -> Schema | None:
    """The schema of the graph that a store holds, where it holds one of ours."""
    pyoxigraph = oxigraph()
    said = store.quads_for_pattern(pyoxigraph.NamedNode(GRAPH), pyoxigraph.NamedNode(DESCRIPTION), None)
    found = next(said, None)
    return None if found is None else Described(found.object.value).schema
