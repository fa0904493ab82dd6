from __future__ import annotations

import os
import subprocess
import sys

import pytest
import rdflib
from hypothesis import given, settings
from rdflib import DCTERMS, OWL, RDF, RDFS, SKOS, Graph, Literal, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.compare import isomorphic

from graph_schema import SCHEMA, InputError, NodeType, Relation, Schema
from graph_schema.ontology import BASE, ontology, turtle
from tests.graph_schema.extensions import COOKERY, extended_schemas, names_of

KG, SDO, XSD = Namespace(BASE), Namespace("https://schema.org/"), Namespace("http://www.w3.org/2001/XMLSchema#")
GRAPH = ontology(SCHEMA)


def members(graph: Graph, subject: URIRef, predicate: URIRef) -> set[URIRef]:
    """What a domain or range holds of: one class, or the classes of a union."""
    values = list(graph.objects(subject, predicate))
    assert len(values) <= 1
    if not values or isinstance(values[0], URIRef):
        return set(values)  # type: ignore[arg-type]
    union = graph.value(values[0], OWL.unionOf)
    assert union is not None
    return set(Collection(graph, union))  # type: ignore[arg-type]


def test_every_declaration_is_there_once() -> None:
    assert set(GRAPH.subjects(RDF.type, OWL.ObjectProperty)) == {KG[name] for name in SCHEMA.relation_names}
    statements = {f"{row.name}-statement" for row in SCHEMA.relations if row.properties}
    named = {one for one in GRAPH.subjects(RDF.type, OWL.Class) if isinstance(one, URIRef)}
    assert named == {KG[name] for name in (*SCHEMA.names, *statements)}
    declared = {name for kind, name in names_of(SCHEMA) if kind == "property"}
    assert set(GRAPH.subjects(RDF.type, OWL.DatatypeProperty)) == {KG[name] for name in declared}
    assert len(declared) == 33


def test_a_class_has_labels_parents_and_what_others_call_it() -> None:
    assert set(GRAPH.objects(KG.Movie, RDFS.label)) == {Literal("film", lang="en"), Literal("电影", lang="zh")}
    assert set(GRAPH.objects(KG.Movie, RDFS.subClassOf)) == {KG.Item, SDO.Movie}
    assert set(GRAPH.objects(KG.Book, RDFS.subClassOf)) == {KG.Item, SDO.Book, DCTERMS.BibliographicResource}
    assert set(GRAPH.objects(KG.Genre, RDFS.subClassOf)) == {KG.Entity, SKOS.Concept}


@pytest.mark.parametrize(
    ("relation", "domain", "range_"),
    [
        ("HAS_GENRE", {"Item"}, {"Genre"}),
        ("ACTED_IN", {"Person"}, {"Item"}),
        ("PERFORMED_BY", {"Item"}, {"Person", "Organisation"}),
        ("LOCATED_IN", {"Item", "Entity"}, {"Place"}),
        ("PART_OF", {"Track", "Video"}, {"Album", "Course"}),
        ("BELONGS_TO", set(), {"Domain"}),
        ("SAME_AS", set(), set()),
    ],
)
def test_domain_and_range(relation: str, domain: set[str], range_: set[str]) -> None:
    assert members(GRAPH, KG[relation], RDFS.domain) == {KG[name] for name in domain}
    assert members(GRAPH, KG[relation], RDFS.range) == {KG[name] for name in range_}


def test_relations_that_are_symmetric_or_go_the_other_way_elsewhere() -> None:
    symmetric = set(GRAPH.subjects(RDF.type, OWL.SymmetricProperty))
    assert symmetric == {KG.KNOWS, KG.SAME_AS, KG.SIMILAR_TO}
    assert set(GRAPH.subject_objects(OWL.inverseOf)) == {(KG.ACTED_IN, SDO.actor)}
    assert set(GRAPH.objects(KG.AUTHORED_BY, RDFS.subPropertyOf)) == {DCTERMS.creator, SDO.author}
    assert set(GRAPH.objects(KG.SUBCATEGORY_OF, RDFS.subPropertyOf)) == {SKOS.broader}


def test_a_union_leaves_out_what_another_member_covers() -> None:
    graph = ontology(
        SCHEMA.extend(relations=[Relation("SHOWN_IN", "Item", "Place"), Relation("SHOWN_IN", "Movie", "Place")])
    )
    assert members(graph, KG.SHOWN_IN, RDFS.domain) == {KG.Item}
    both = ontology(SCHEMA.extend(relations=[Relation("PAIRED", "Movie", "Book", symmetric=True)]))
    assert members(both, KG.PAIRED, RDFS.domain) == members(both, KG.PAIRED, RDFS.range) == {KG.Movie, KG.Book}


def test_values_have_datatypes_units_and_holders() -> None:
    assert members(GRAPH, KG.runtime, RDFS.range) == {XSD.integer}
    assert set(GRAPH.objects(KG.runtime, SDO.unitText)) == {Literal("minute")}
    assert members(GRAPH, KG.year, RDFS.range) == {XSD.gYear}
    assert members(GRAPH, KG.year, RDFS.domain) == {
        KG[name] for name in ("Book", "Movie", "Track", "Album", "Video", "Game")
    }
    assert members(GRAPH, KG.rating, RDFS.domain) == {KG["RATED-statement"]}
    assert members(GRAPH, KG.confidence, RDFS.domain) == {KG["SAME_AS-statement"], KG["SIMILAR_TO-statement"]}
    assert members(GRAPH, KG.position, RDFS.range) == {XSD.integer, XSD.double}
    assert set(GRAPH.objects(KG["RATED-statement"], RDFS.subClassOf)) == {RDF.Statement}


def test_the_terms_of_others_exist() -> None:
    terms = {
        str(term)
        for predicate in (RDFS.subClassOf, RDFS.subPropertyOf, OWL.inverseOf)
        for term in GRAPH.objects(None, predicate)
    }
    foreign = {term for term in terms if not term.startswith(BASE)} - {str(RDF.Statement)}
    assert len(foreign) >= 45
    for term in foreign:
        namespace = next(one for one in (rdflib.SDO, DCTERMS, SKOS) if term.startswith(str(one)))
        assert namespace.__contains__(term), term


def test_a_users_own_types_are_in_it() -> None:
    graph = ontology(COOKERY)
    assert set(graph.objects(KG.Recipe, RDFS.subClassOf)) == {KG.Item, SDO.Recipe}
    assert Literal("Rezept", lang="de") in set(graph.objects(KG.Recipe, RDFS.label))
    assert set(graph.objects(KG.Stew, RDFS.subClassOf)) == {KG.Recipe}
    assert members(graph, KG.CONTAINS, RDFS.range) == {KG.Ingredient}
    assert set(graph.objects(KG.SERVED_WITH, RDFS.subPropertyOf)) == {URIRef("https://food.example/with")}
    assert members(graph, KG.grams, RDFS.domain) == {KG["CONTAINS-statement"]}
    assert set(GRAPH) < set(graph)


def test_the_text_is_the_same_in_every_process() -> None:
    code = "from graph_schema import SCHEMA; from graph_schema.ontology import turtle; print(turtle(SCHEMA), end='')"
    texts = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout.decode()
        for seed in ("1", "2")
    }
    assert texts == {turtle(SCHEMA)}


def test_an_ontology_merged_with_its_copy_is_itself() -> None:
    merged = ontology(COOKERY) + ontology(COOKERY)
    assert len(merged) == len(ontology(COOKERY))


def test_lists_stay_lists_where_two_versions_of_an_ontology_are_merged() -> None:
    longer = SCHEMA.extend(relations=[Relation("PART_OF", "Game", "Series")])
    merged = ontology(SCHEMA) + ontology(longer)
    assert all(len(list(merged.objects(cell, RDF.rest))) == 1 for cell in merged.subjects(RDF.first))
    assert all(len(list(merged.objects(union, OWL.unionOf))) == 1 for union in merged.subjects(OWL.unionOf))


@settings(max_examples=15)
@given(extended_schemas())
def test_any_extension_gives_turtle_that_reads_back(schema: Schema) -> None:
    graph = ontology(schema)
    assert isomorphic(Graph().parse(data=turtle(schema), format="turtle"), graph)
    assert {KG[name] for name in schema.names} <= set(graph.subjects(RDF.type, OWL.Class))
    assert turtle(schema) == turtle(Schema(schema.node_types[::-1], schema.relations[::-1]))


@pytest.mark.parametrize(
    "base", ["", "kg/", "https://example.org/kg", "https://example.org/a b/", "file:///tmp/", 'https://e/">/']
)
def test_a_base_that_is_no_iri_is_refused(base: str) -> None:
    with pytest.raises(InputError, match="give an http or https IRI that ends in / or #"):
        ontology(SCHEMA, base)


def test_another_base_is_everywhere() -> None:
    text = turtle(SCHEMA, "https://example.org/films#")
    assert "https://example.org/films#" in text
    assert BASE not in text
    assert len(ontology(SCHEMA, "https://example.org/films#")) == len(GRAPH)


def test_a_name_that_fits_into_no_iri_is_refused() -> None:
    with pytest.raises(InputError, match='node type "Film noir": .* call it "Film_noir"'):
        turtle(SCHEMA.extend([NodeType("Film noir", parent="Movie")]))
