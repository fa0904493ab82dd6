"""The graph as RDF, in the words of the ontology (`graph_schema.ontology`).

A node has its class and its properties, and beside the vocabulary the properties ``store#key`` and ``store#domain``. An
edge is one triple. Where it carries something, or is there more than once, a statement about it besides, whose IRI ends
in the edge's row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graph_schema.schema import Datatype, EdgeType, Property, Schema
from kgxfer.graph.convert import node_labels
from kgxfer.graph.knowledge_graph import KnowledgeGraph
from kgxfer.graph.rdf_terms import (
    N_TRIPLES,
    RDF,
    STORE,
    Form,
    described,
    edge_local,
    literals,
    node_tokens,
    strings,
    text_of,
)

if TYPE_CHECKING:
    import rdflib

ROWS = 200_000
"""Nodes or edges whose text is made at once."""

Pairs = list[tuple[str, str | pa.Array]]
More = Callable[[Form, str], Pairs]
"""Form and node type -> what else each node of the type is to carry, in the order of the rows."""


def to_rdf(graph: KnowledgeGraph) -> rdflib.Graph:
    """Return the graph for rdflib: readable, and slow beyond some hundred thousand edges (`kgxfer.stores` is quick).

    Raises:
        InputError: a name of the schema that fits into no IRI.
    """
    import rdflib

    from graph_schema.ontology import BASE

    result = rdflib.Graph()
    result.bind("kg", rdflib.Namespace(BASE))
    for text in graph_texts(graph, N_TRIPLES):
        result.parse(data=bytes(text), format="nt")
    return result


def graph_texts(graph: KnowledgeGraph, form: Form, more: More | None = None) -> Iterator[memoryview]:
    """The triples as text, in parts of `ROWS` nodes or edges; see `form.head` for what stands before them."""
    graph.schema.require_identifiers()
    for kind in graph.nodes:
        yield from node_texts(graph, form, kind, more)
    for edge_type in graph.edges:
        yield from edge_texts(graph, form, edge_type)


def node_texts(graph: KnowledgeGraph, form: Form, kind: str, more: More | None = None) -> Iterator[memoryview]:
    """The triples of the nodes of one type."""
    vocabulary = graph.nodes[kind]
    keys = vocabulary.first_keys
    subject = node_tokens(form, kind, graph.domain_names, keys)
    pairs: Pairs = [_is_a(form, kind), (form.iri(f"{STORE}key"), strings(text_of(node_labels(graph, kind), kind)))]
    for code, name in enumerate(graph.domain_names):
        said = strings(pa.array([name])).cast(pa.string())
        member = pc.if_else(pa.array(vocabulary.membership[code]), said[0], pa.scalar(None, pa.string()))
        pairs.append((form.iri(f"{STORE}domain"), member))
    known = {row.name: row for row in graph.schema.properties(kind)}
    pairs += _properties(form, keys.drop(columns=["domain", "id", "row"]), known, kind)
    pairs += more(form, kind) if more is not None else []
    yield from _in_parts(form, subject, pairs)


def edge_texts(graph: KnowledgeGraph, form: Form, kind: EdgeType) -> Iterator[memoryview]:
    """The triples of the edges of one type, and the statements about them."""
    edges = graph.edges[kind]
    ends = {name: node_tokens(form, name, graph.domain_names, graph.nodes[name].first_keys)
            for name in {kind.head, kind.tail}}  # fmt: skip
    relation = form.iri(kind.relation)
    known = relation_properties(graph.schema, kind.relation)
    stated = stated_rows(graph, kind)
    for start in range(0, len(edges), ROWS):
        part = slice(start, start + ROWS)
        head, tail = ends[kind.head].take(pa.array(edges.head[part])), ends[kind.tail].take(pa.array(edges.tail[part]))
        yield from _in_parts(form, head, [(relation, tail)])
        chosen = np.flatnonzero(stated[part])
        if not len(chosen):
            continue
        rows = pa.array(chosen + start).cast(pa.string())
        subject = pc.binary_join_element_wise(form.iri(edge_local(kind))[:-1], rows, ">", "")
        pairs: Pairs = [_is_a(form, f"{kind.relation}-statement"), (_rdf(form, "subject"), head.take(chosen)),
                        (_rdf(form, "predicate"), relation), (_rdf(form, "object"), tail.take(chosen))]  # fmt: skip
        properties = edges.properties.iloc[chosen + start] if len(edges.properties.columns) else pd.DataFrame()
        yield from _in_parts(form, subject, pairs + _properties(form, properties, known, " ".join(kind)))


def stated_rows(graph: KnowledgeGraph, kind: EdgeType) -> np.ndarray:
    """Bool [edges]: which edges of a type have a statement.

    Those that carry something, or are there more than once; all where something is required, so that it can be missed.
    """
    edges = graph.edges[kind]
    if any(own.required for own in relation_properties(graph.schema, kind.relation).values()):
        return np.ones(len(edges), dtype=bool)
    ends = pd.DataFrame({"head": edges.head, "tail": edges.tail})
    repeated: np.ndarray = ends.duplicated(keep=False).to_numpy()
    return repeated | edges.properties.notna().any(axis=1).to_numpy() if len(edges.properties.columns) else repeated


def property_local(name: str, known: Collection[str]) -> str:
    """What names a property below the base: one that the schema does not know stays apart from those it knows."""
    return name if name in known else f"{STORE}its-{quote(name, safe='')}"


def relation_properties(schema: Schema, relation: str) -> dict[str, Property]:
    """The properties of all rows of a relation by name."""
    return {own.name: own for row in schema.relation(relation) for own in row.properties}


def _properties(form: Form, table: pd.DataFrame, known: dict[str, Property], of: str) -> Pairs:
    made: Pairs = []
    for name, column in table.items():
        datatype = known[str(name)].datatype if name in known else _datatype_of(column)
        made.append((form.iri(property_local(str(name), known)), literals(form, column, datatype, f"{of}: {name}")))
    return made


def _datatype_of(column: pd.Series) -> Datatype:
    tests: dict[Datatype, Callable[[Any], bool]] = {
        "boolean": pd.api.types.is_bool_dtype, "integer": pd.api.types.is_integer_dtype,
        "float": pd.api.types.is_float_dtype, "datetime": pd.api.types.is_datetime64_any_dtype,
    }  # fmt: skip
    return next((datatype for datatype, fits in tests.items() if fits(column.dtype)), "string")


def _is_a(form: Form, name: str) -> tuple[str, str]:
    return ("a" if form.joined else f"<{RDF}type>", form.iri(name))


def _rdf(form: Form, name: str) -> str:
    return f"rdf:{name}" if form.joined else f"<{RDF}{name}>"


def _in_parts(form: Form, subject: pa.Array, pairs: Sequence[tuple[str, str | pa.Array]]) -> Iterator[memoryview]:
    for start in range(0, len(subject), ROWS):
        part = [(name, value if isinstance(value, str) else value.slice(start, ROWS)) for name, value in pairs]
        yield described(form, subject.slice(start, ROWS), part)
