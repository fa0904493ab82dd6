"""The vocabulary as an OWL ontology: classes, properties with domain and range, and what others call them.

Everything is read off a `Schema`, so a user's own types are in it too. What an edge carries (a rating, a confidence)
hangs on a statement about the edge: a node of the class `RELATION-statement`, a kind of `rdf:Statement`, with
`rdf:subject`, `rdf:predicate` and `rdf:object`. No identifier has a hyphen, so no name of a user's own is taken for it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from graph_schema.errors import InputError
from graph_schema.schema import ANY, PREFIXES, Datatype, Property, Relation, Schema

if TYPE_CHECKING:
    from rdflib import BNode, Graph, URIRef

__all__ = ["BASE", "XSD_TYPES", "Namer", "ontology", "topmost", "turtle"]

BASE = "https://w3id.org/kgxfer/"
"""What the IRIs of types, relations and properties begin with, unless another base is given."""

XSD_TYPES: dict[Datatype, str] = {
    "string": "string",
    "integer": "integer",
    "float": "double",
    "boolean": "boolean",
    "datetime": "dateTime",
    "year": "gYear",
}
"""Datatype -> local name of its XML Schema type."""

_BASE_FORM = re.compile(r"https?://[^\s<>\"{}|\\^`]+[/#]")


class Namer(NamedTuple):
    """IRIs below one base; blank nodes whose names follow from what they describe, so that output never varies."""

    base: str

    @classmethod
    def of(cls, schema: Schema, base: str) -> Namer:
        """Return the namer for a schema whose names fit into IRIs; InputError for a name or base that does not."""
        schema.require_identifiers()
        if not _BASE_FORM.fullmatch(base):
            raise InputError(f"base {base!r} of an ontology: give an http or https IRI that ends in / or #")
        return cls(base)

    def iri(self, name: str) -> URIRef:
        """IRI of a node type, relation or property."""
        from rdflib import URIRef

        return URIRef(self.base + name)

    def statement(self, relation: str) -> URIRef:
        """IRI of the class of statements about edges of one relation."""
        return self.iri(f"{relation}-statement")

    def blank(self, *parts: object) -> BNode:
        """Blank node whose name follows from what it is: merged with a copy of itself it stays one node."""
        from rdflib import BNode

        return BNode("n" + hashlib.sha256("\n".join([self.base, *map(str, parts)]).encode()).hexdigest()[:20])

    def sequence(self, graph: Graph, members: Iterable[URIRef | BNode], *owner: object) -> BNode | URIRef:
        """Add an RDF list to the graph and return its first cell."""
        from rdflib import RDF

        rest: BNode | URIRef = RDF.nil
        for member in reversed(list(members)):
            cell = self.blank(*owner, member, rest)
            graph.add((cell, RDF.first, member))
            graph.add((cell, RDF.rest, rest))
            rest = cell
        return rest


def ontology(schema: Schema, base: str = BASE) -> Graph:
    """Return the OWL ontology of a schema.

    Classes with labels and parents; object properties with domain and range (`owl:unionOf` where a relation joins
    several pairs of types); datatype properties with XML Schema ranges and `schema:unitText`. Terms of `aligned` are
    super-classes and super-properties; one that starts with "^" is an inverse.

    Args:
        schema: the vocabulary, extended or not.
        base: what the IRIs begin with; ends in / or #.

    Raises:
        InputError: a base that is no such IRI, or a name that fits into no IRI.
    """
    from rdflib import OWL, RDF, RDFS, Graph, Literal, Namespace, URIRef

    name = Namer.of(schema, base)
    graph = Graph()
    for prefix, namespace in {**PREFIXES, "kg": base}.items():
        graph.bind(prefix, Namespace(namespace), override=True, replace=True)
    graph.add((URIRef(base), RDF.type, OWL.Ontology))
    graph.add((URIRef(base), RDFS.label, Literal("Knowledge graph for cross-domain recommendation", lang="en")))
    for node_type in schema.node_types:
        subject = name.iri(node_type.name)
        graph.add((subject, RDF.type, OWL.Class))
        if node_type.parent is not None:
            graph.add((subject, RDFS.subClassOf, name.iri(node_type.parent)))
        _describe(graph, subject, node_type.labels.items(), [node_type.comment])
        _align(graph, subject, node_type.aligned, RDFS.subClassOf)
    for relation in schema.relation_names:
        _add_relation(graph, name, schema, relation)
    for prop, holders in _properties(schema).items():
        _add_property(graph, name, prop, holders)
    return graph


def turtle(schema: Schema, base: str = BASE) -> str:
    """Return the ontology as Turtle text, the same for the same schema wherever it is made.

    >>> from graph_schema.vocabulary import SCHEMA
    >>> "kg:Movie a owl:Class" in turtle(SCHEMA)
    True
    """
    return ontology(schema, base).serialize(format="turtle")


def topmost(schema: Schema, names: Iterable[str]) -> list[str]:
    """Return the node types among `names` that no other of them covers, sorted; none where one is `ANY`."""
    given = set(names)
    if ANY in given:
        return []
    return sorted(one for one in given if not given & set(schema.ancestors(one)[1:]))


def _describe(graph: Graph, subject: URIRef, labels: Iterable[tuple[str, str]], comments: Iterable[str]) -> None:
    from rdflib import RDFS, Literal

    for language, label in labels:
        graph.add((subject, RDFS.label, Literal(label, lang=language)))
    for comment in filter(None, comments):
        graph.add((subject, RDFS.comment, Literal(comment, lang="en")))


def _align(graph: Graph, subject: URIRef, terms: Iterable[str], predicate: URIRef) -> None:
    from rdflib import OWL, URIRef

    for term in terms:
        plain = term.removeprefix("^")
        prefix, _, local = plain.partition(":")
        found = URIRef(PREFIXES[prefix] + local if prefix in PREFIXES else plain)
        graph.add((subject, OWL.inverseOf if term.startswith("^") else predicate, found))


def _add_relation(graph: Graph, name: Namer, schema: Schema, relation: str) -> None:
    from rdflib import OWL, RDF, RDFS

    subject = name.iri(relation)
    rows = schema.relation(relation)
    graph.add((subject, RDF.type, OWL.ObjectProperty))
    if all(row.symmetric for row in rows):
        graph.add((subject, RDF.type, OWL.SymmetricProperty))
    for row in rows:
        _describe(graph, subject, row.labels.items(), [row.comment])
        _align(graph, subject, row.aligned, RDFS.subPropertyOf)
    # Of a symmetric relation each end may stand on either side.
    ends = {"head": [row.head for row in rows], "tail": [row.tail for row in rows]}
    either = {one for row in rows if row.symmetric for one in (row.head, row.tail)}
    for end, predicate in (("head", RDFS.domain), ("tail", RDFS.range)):
        members = [name.iri(one) for one in topmost(schema, {*ends[end], *either})]
        _state(graph, name, subject, predicate, members, OWL.Class)
    if any(row.properties for row in rows):
        graph.add((name.statement(relation), RDF.type, OWL.Class))
        graph.add((name.statement(relation), RDFS.subClassOf, RDF.Statement))


def _state(graph: Graph, name: Namer, subject: URIRef, predicate: URIRef, members: list[URIRef], kind: URIRef) -> None:
    """State a domain or range: one class, any of several, or nothing where there are none (everything will do)."""
    from rdflib import OWL, RDF

    if len(members) == 1:
        graph.add((subject, predicate, members[0]))
    elif members:
        union = name.blank(subject, predicate, *members)
        graph.add((subject, predicate, union))
        graph.add((union, RDF.type, kind))
        graph.add((union, OWL.unionOf, name.sequence(graph, members, subject, predicate)))


def _properties(schema: Schema) -> dict[str, list[tuple[Property, str | Relation]]]:
    """Every property by name, each with the node type or relation that it is declared on."""
    found: dict[str, list[tuple[Property, str | Relation]]] = {}
    for node_type in schema.node_types:
        for row in node_type.properties:
            found.setdefault(row.name, []).append((row, node_type.name))
    for relation in schema.relations:
        for row in relation.properties:
            found.setdefault(row.name, []).append((row, relation))
    return found


def _add_property(graph: Graph, name: Namer, prop: str, holders: list[tuple[Property, str | Relation]]) -> None:
    from rdflib import OWL, RDF, RDFS, SDO, XSD, Literal

    subject = name.iri(prop)
    graph.add((subject, RDF.type, OWL.DatatypeProperty))
    domains = {name.iri(one) if isinstance(one, str) else name.statement(one.name) for _, one in holders}
    ranges = {XSD[XSD_TYPES[row.datatype]] for row, _ in holders}
    _state(graph, name, subject, RDFS.domain, sorted(domains), OWL.Class)
    _state(graph, name, subject, RDFS.range, sorted(ranges), RDFS.Datatype)
    for row, _ in holders:
        _describe(graph, subject, [], [row.comment])
        _align(graph, subject, row.aligned, RDFS.subPropertyOf)
        if row.unit is not None:
            graph.add((subject, SDO.unitText, Literal(row.unit)))
