"""The vocabulary as SHACL shapes, which find in an RDF graph what its databases do not enforce.

Node types are closed under their subtypes: a node need only say its own type, classes come from the ontology. A subtype
may loosen what its parent says of a property or relation; the parent's shape, which also sees the subtype's nodes, then
asks for no more than both have in common.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from graph_schema.errors import InputError
from graph_schema.ontology import BASE, XSD_TYPES, Namer, ontology, topmost
from graph_schema.schema import Property, Schema

if TYPE_CHECKING:
    from rdflib import Graph, URIRef

__all__ = ["shapes", "violations"]


class _Drawing(NamedTuple):
    """The shapes so far, and what they are drawn from."""

    graph: Graph
    name: Namer
    schema: Schema


def shapes(schema: Schema, base: str = BASE) -> Graph:
    """Return the SHACL shapes of a schema.

    Of a node type: datatype, bounds, presence and number of values of its properties, where its relations may lead. Of
    a relation: what its heads and tails are, and what statements about its edges carry (see `graph_schema.ontology`).

    Args:
        schema: the vocabulary, extended or not.
        base: what the IRIs begin with; ends in / or #.

    Raises:
        InputError: a base that is no such IRI, or a name that fits into no IRI.
    """
    from rdflib import SH, Graph, Namespace

    drawing = _Drawing(Graph(), Namer.of(schema, base), schema)
    drawing.graph.bind("kg", Namespace(base))
    drawing.graph.bind("sh", Namespace(str(SH)))
    tails = {relation: _tails(schema, relation) for relation in schema.relation_names}
    for node_type in schema.names:
        _add_node_type(drawing, node_type, tails)
    for relation in schema.relation_names:
        _add_relation(drawing, relation, tails[relation])
    return drawing.graph


def violations(data: Graph, schema: Schema, base: str = BASE) -> pd.DataFrame:
    """Return what in `data` is against the shapes: node, path, value, message, shape; no rows where nothing is.

    Raises:
        InputError: pyshacl is not installed, or a name or base is no part of an IRI.
    """
    try:
        import pyshacl
    except ImportError as error:
        raise InputError('validating RDF needs pyshacl; install it with: pip install "kgxfer[rdf]"') from error
    from rdflib import SH

    _, report, _ = pyshacl.validate(data, shacl_graph=shapes(schema, base), ont_graph=ontology(schema, base))
    parts = {
        "node": SH.focusNode,
        "path": SH.resultPath,
        "value": SH.value,
        "message": SH.resultMessage,
        "shape": SH.sourceShape,
    }
    found = [
        {part: None if (value := report.value(result, predicate)) is None else str(value)
         for part, predicate in parts.items()}
        for result in report.objects(None, SH.result)
    ]  # fmt: skip
    return pd.DataFrame(found, columns=list(parts), dtype="str").sort_values(list(parts), ignore_index=True)


def _add_node_type(drawing: _Drawing, node_type: str, tails: Mapping[str, Mapping[str, frozenset[str]]]) -> None:
    from rdflib import SH

    graph, name, schema = drawing
    shape = _node_shape(drawing, f"{node_type}-shape", SH.targetClass, name.iri(node_type))
    for own in schema.node_type(node_type).properties:
        below = [schema.node_type(other).properties for other in schema.subtypes(node_type)]
        declared = [row for properties in below for row in properties if row.name == own.name]
        _add_property(drawing, shape, f"{node_type}-{own.name}-shape", declared, all(row.required for row in declared))
    parent = schema.node_type(node_type).parent
    for relation, allowed in tails.items():
        known = _all_of(allowed) if parent is None else allowed[parent]
        # Where it has no such relation, the shape of the relation's heads says so already.
        if allowed[node_type] and allowed[node_type] != known:
            path = _property_shape(drawing, shape, f"{node_type}-{relation}-shape", name.iri(relation))
            _restrict(drawing, path, allowed[node_type], f"{relation} does not lead from {node_type} to this")


def _add_relation(drawing: _Drawing, relation: str, tails: Mapping[str, frozenset[str]]) -> None:
    from rdflib import RDF, SH, Literal

    graph, name, schema = drawing
    heads = frozenset(head for head in schema.names if schema.tails(head, relation))
    for end, target, allowed in (("head", SH.targetSubjectsOf, heads), ("tail", SH.targetObjectsOf, _all_of(tails))):
        shape = _node_shape(drawing, f"{relation}-{end}-shape", target, name.iri(relation))
        _restrict(drawing, shape, allowed, f"this is no {end} of {relation}")
    rows = schema.relation(relation)
    declared: dict[str, list[Property]] = {}
    for own in (own for row in rows for own in row.properties):
        declared.setdefault(own.name, []).append(own)
    if not declared:
        return
    shape = _node_shape(drawing, f"{relation}-statement-shape", SH.targetClass, name.statement(relation))
    for local, path in (("subject", RDF.subject), ("predicate", RDF.predicate), ("object", RDF.object)):
        part = _property_shape(drawing, shape, f"{relation}-statement-{local}-shape", path)
        graph.add((part, SH.minCount, Literal(1)))
        graph.add((part, SH.maxCount, Literal(1)))
        if path == RDF.predicate:
            graph.add((part, SH.hasValue, name.iri(relation)))
    for own_name, same in declared.items():
        required = len(same) == len(rows) and all(row.required for row in same)
        _add_property(drawing, shape, f"{relation}-{own_name}-shape", same, required)


def _tails(schema: Schema, relation: str) -> dict[str, frozenset[str]]:
    """Node type -> the types that a relation may lead to from it or from a subtype; none where it has no such edge."""
    joined = {head: schema.tails(head, relation) for head in schema.names}
    return {head: _all_of({one: joined[one] for one in schema.subtypes(head)}) for head in schema.names}


def _all_of(tails: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*tails.values())


def _node_shape(drawing: _Drawing, local: str, target: URIRef, of: URIRef) -> URIRef:
    from rdflib import RDF, SH

    shape = drawing.name.iri(local)
    drawing.graph.add((shape, RDF.type, SH.NodeShape))
    drawing.graph.add((shape, target, of))
    return shape


def _property_shape(drawing: _Drawing, shape: URIRef, local: str, path: URIRef) -> URIRef:
    from rdflib import RDF, SH

    found = drawing.name.iri(local)
    drawing.graph.add((shape, SH.property, found))
    drawing.graph.add((found, RDF.type, SH.PropertyShape))
    drawing.graph.add((found, SH.path, path))
    return found


def _restrict(drawing: _Drawing, shape: URIRef, allowed: frozenset[str], message: str) -> None:
    """Ask for a node of one of these types: of a type that covers some of them, and of none that covers none."""
    from rdflib import RDF, SH, Literal

    graph, name, schema = drawing
    graph.add((shape, SH.message, Literal(message, lang="en")))
    upper = topmost(schema, allowed)
    _any_of(drawing, shape, SH["class"], [name.iri(one) for one in upper])
    if not upper:
        graph.add((shape, SH["in"], RDF.nil))
    under = {one for top in upper for one in schema.subtypes(top)}
    for other in topmost(schema, (one for one in under if not allowed & set(schema.subtypes(one)))):
        refused = name.blank(shape, "no", other)
        graph.add((shape, SH["not"], refused))
        graph.add((refused, SH["class"], name.iri(other)))


def _any_of(drawing: _Drawing, shape: URIRef, predicate: URIRef, values: list[URIRef]) -> None:
    """State a constraint of one value, or that it holds of any of several."""
    from rdflib import SH

    graph, name, _ = drawing
    if len(values) == 1:
        graph.add((shape, predicate, values[0]))
    elif values:
        choices = {name.blank(shape, predicate, value): value for value in values}
        for choice, value in choices.items():
            graph.add((choice, predicate, value))
        graph.add((shape, SH["or"], name.sequence(graph, choices, shape, predicate)))


def _add_property(drawing: _Drawing, shape: URIRef, local: str, rows: list[Property], required: bool) -> None:
    """Add what all declarations of a property have in common."""
    from rdflib import SH, XSD, Literal

    graph, name, _ = drawing
    path = _property_shape(drawing, shape, local, name.iri(rows[0].name))
    _any_of(drawing, path, SH.datatype, [XSD[one] for one in sorted({XSD_TYPES[row.datatype] for row in rows})])
    if not any(row.many for row in rows):
        graph.add((path, SH.maxCount, Literal(1)))
    if required:
        graph.add((path, SH.minCount, Literal(1)))
    lowest = [row.minimum for row in rows if row.minimum is not None]
    highest = [row.maximum for row in rows if row.maximum is not None]
    if len(lowest) == len(rows):
        graph.add((path, SH.minInclusive, Literal(min(lowest))))
    if len(highest) == len(rows):
        graph.add((path, SH.maxInclusive, Literal(max(highest))))
