from __future__ import annotations

import subprocess
import sys
from itertools import product

import pytest
from hypothesis import given, settings
from rdflib import RDF, Graph, Literal, Namespace, URIRef

from graph_schema import SCHEMA, InputError, NodeType, Property, Relation, Schema
from graph_schema.ontology import BASE
from graph_schema.shapes import shapes, violations
from tests.graph_schema.extensions import COOKERY, extended_schemas

KG, EX = Namespace(BASE), Namespace("https://example.org/")
PREFIXES = f"""
@prefix kg: <{BASE}> . @prefix ex: <{EX}> . @prefix rdf: <{RDF}> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
CLEAN = """
ex:ann a kg:User ; kg:name "Ann" ; kg:RATED ex:heat ; kg:KNOWS ex:bob .
ex:bob a kg:User .
ex:heat a kg:Movie ; kg:name "Heat" ; kg:year "1995"^^xsd:gYear ; kg:runtime 170 ; kg:language "en", "es" ;
    kg:HAS_GENRE ex:crime ; kg:DIRECTED_BY ex:mann ; kg:SAME_AS ex:item ; kg:SIMILAR_TO ex:novel .
ex:heat kg:BELONGS_TO ex:films .
ex:novel a kg:Book ; kg:pages 466 ; kg:isbn "9780062653314", "0062653318" ; kg:AUTHORED_BY ex:mann .
ex:item a kg:Item ; kg:description "any" .
ex:mann a kg:Person ; kg:born "1943"^^xsd:gYear ; kg:ACTED_IN ex:heat .
ex:song a kg:Track ; kg:duration 61.5e0 ; kg:PART_OF ex:record ; kg:PERFORMED_BY ex:mann, ex:band .
ex:record a kg:Album . ex:band a kg:Organisation . ex:crime a kg:Genre . ex:films a kg:Domain .
ex:likes a kg:RATED-statement ; rdf:subject ex:ann ; rdf:predicate kg:RATED ; rdf:object ex:heat ;
    kg:rating 4.5e0 ; kg:timestamp "2026-01-31T12:00:00Z"^^xsd:dateTime .
ex:same a kg:SAME_AS-statement ; rdf:subject ex:heat ; rdf:predicate kg:SAME_AS ; rdf:object ex:item ;
    kg:confidence 0.5e0 ; kg:method "same_name" .
"""
FAULTS = {
    "a year that is a string": ('ex:item2 a kg:Movie ; kg:year "1995" .', "Movie-year"),
    "a number in words": ('ex:item2 a kg:Book ; kg:pages "many"^^xsd:integer .', "Book-pages"),
    "a negative number of pages": ("ex:item2 a kg:Book ; kg:pages -1 .", "Book-pages"),
    "a second name, inherited": ('ex:heat kg:name "Hitze" .', "Item-name"),
    "a second year": ('ex:heat kg:year "1996"^^xsd:gYear .', "Movie-year"),
    "a place off the globe": ("ex:city a kg:Place ; kg:latitude 91.0e0 .", "Place-latitude"),
    "a confidence of 2": ("ex:same2 a kg:SAME_AS-statement ; kg:confidence 2.0e0 ; rdf:subject ex:heat ; "
                          "rdf:predicate kg:SAME_AS ; rdf:object ex:item .", "SAME_AS-confidence"),
    "a negative confidence": ("ex:soft a kg:SIMILAR_TO-statement ; kg:confidence -0.1e0 ; rdf:subject ex:heat ; "
                              "rdf:predicate kg:SIMILAR_TO ; rdf:object ex:novel .", "SIMILAR_TO-confidence"),
    "a second rating of one edge": ("ex:likes kg:rating 1.0e0 .", "RATED-rating"),
    "a statement without its edge's head": ("ex:half a kg:RATED-statement ; rdf:predicate kg:RATED ; "
                                            "rdf:object ex:heat .", "RATED-statement-subject"),
    "a statement about another relation": ("ex:odd a kg:RATED-statement ; rdf:subject ex:ann ; "
                                           "rdf:predicate kg:KNOWS ; rdf:object ex:bob .", "RATED-statement-predicate"),
    "a head of the wrong type": ("ex:ann kg:HAS_GENRE ex:crime .", "HAS_GENRE-head"),
    "a tail of the wrong type": ("ex:heat kg:HAS_GENRE ex:mann .", "HAS_GENRE-tail"),
    "a tail without a type": ("ex:heat kg:HAS_GENRE ex:nothing .", "HAS_GENRE-tail"),
    "a tail that is text": ('ex:heat kg:HAS_GENRE "crime" .', "HAS_GENRE-tail"),
    "the pair of another row": ("ex:film2 a kg:Course . ex:song kg:PART_OF ex:film2 .", "Track-PART_OF"),
    "identity of two kinds": ("ex:heat kg:SAME_AS ex:novel .", "Movie-SAME_AS"),
    "likeness across top types": ("ex:heat kg:SIMILAR_TO ex:crime .", "Item-SIMILAR_TO"),
}  # fmt: skip


def parsed(text: str) -> Graph:
    return Graph().parse(data=PREFIXES + text, format="turtle")


def found(text: str, schema: Schema = SCHEMA) -> set[str]:
    """Names of the shapes that are violated."""
    return {one.removeprefix(BASE).removesuffix("-shape") for one in violations(parsed(text), schema)["shape"]}


def test_a_clean_graph_conforms() -> None:
    assert violations(parsed(CLEAN), SCHEMA).empty


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_where_it_is(fault: str) -> None:
    text, shape = FAULTS[fault]
    assert found(CLEAN + text) == {shape}


def test_a_violation_says_which_node_which_value_and_why() -> None:
    table = violations(parsed(CLEAN + 'ex:heat kg:runtime "long" . ex:heat kg:SAME_AS ex:novel .'), SCHEMA)
    assert table.columns.tolist() == ["node", "path", "value", "message", "shape"]
    assert set(table["node"]) == {EX.heat.toPython()}
    wrong = table.set_index("path").loc[BASE + "SAME_AS"]
    assert wrong["value"] == EX.novel.toPython()
    assert wrong["message"] == "SAME_AS does not lead from Movie to this"
    assert sorted(table[table["path"] == BASE + "runtime"]["value"].isna()) == [False, False, True]


def test_types_may_be_stated_with_their_ancestors() -> None:
    every = "ex:heat a kg:Item . ex:novel a kg:Item . ex:mann a kg:Entity . ex:crime a kg:Entity . ex:song a kg:Item ."
    assert found(CLEAN + every) == set()
    assert found(CLEAN + every + "ex:heat kg:SAME_AS ex:novel .") == {"Movie-SAME_AS"}


def test_the_given_graph_is_left_as_it_is() -> None:
    graph = parsed(CLEAN)
    size = len(graph)
    violations(graph, SCHEMA)
    assert len(graph) == size


def test_shapes_allow_exactly_the_edge_types_of_the_schema() -> None:
    """For one pair of nodes per edge type: pyshacl refuses it exactly where the schema does."""
    types = ("User", "Item", "Movie", "Track", "Album", "Person", "Organisation", "Category", "Domain")
    graph, allowed = Graph(), {}
    for number, (head, relation, tail) in enumerate(product(types, SCHEMA.relation_names, types)):
        ends = EX[f"head{number}"], EX[f"tail{number}"]
        for node, kind in zip(ends, (head, tail), strict=True):
            graph.add((node, RDF.type, KG[kind]))
        graph.add((ends[0], KG[relation], ends[1]))
        try:
            allowed[number] = bool(SCHEMA.edge_type(head, relation, tail))
        except InputError:
            allowed[number] = False
    nodes = violations(graph, SCHEMA)["node"].str.extract(r"(\d+)$")[0].astype(int)
    assert sum(allowed.values()) == 108
    assert {number for number, fine in allowed.items() if not fine} == set(nodes)


def test_a_users_own_types_are_checked() -> None:
    clean = """
    ex:goulash a kg:Stew ; kg:servings 4 ; kg:CONTAINS ex:salt ; kg:SERVED_WITH ex:rice . ex:salt a kg:Ingredient .
    ex:rice a kg:Recipe ; kg:servings 2 ; kg:spicy false .
    """
    assert found(clean, COOKERY) == set()
    assert found(clean + "ex:soup a kg:Stew .", COOKERY) == {"Recipe-servings"}
    assert found(clean + "ex:soup a kg:Recipe ; kg:servings 0 .", COOKERY) == {"Recipe-servings"}
    assert found(clean + "ex:goulash kg:CONTAINS ex:rice .", COOKERY) == {"CONTAINS-tail"}
    assert found(clean + 'ex:goulash kg:spicy "very" .', COOKERY) == {"Recipe-spicy"}


def test_a_subtype_that_loosens_a_property_loosens_its_parents_shape() -> None:
    names = Property("name", "string", many=True)
    schema = SCHEMA.extend([NodeType("Anthology", parent="Book", properties=(names,))])
    assert found('ex:a a kg:Anthology ; kg:name "A", "B" .', schema) == set()
    tight = SCHEMA.extend([NodeType("Named", parent="Book", properties=(Property("name", "string", required=True),))])
    assert found("ex:a a kg:Named . ex:b a kg:Book .", tight) == {"Named-name"}


def test_a_property_of_edges_is_required_where_every_row_requires_it() -> None:
    weight = Property("weight", "float", required=True)
    rows = [Relation("SELLS", "Organisation", "Item", properties=(weight,)), Relation("SELLS", "Person", "Item")]
    text = """
    ex:m a kg:Movie . ex:o a kg:Organisation .
    ex:s a kg:SELLS-statement ; rdf:subject ex:o ; rdf:predicate kg:SELLS ; rdf:object ex:m .
    """
    assert found(text, SCHEMA.extend(relations=rows[:1])) == {"SELLS-weight"}
    assert found(text, SCHEMA.extend(relations=rows)) == set()


def test_a_relation_that_can_join_nothing_is_refused_everywhere() -> None:
    schema = SCHEMA.extend(relations=[Relation("IS", "User", "Genre", agreement="type")])
    assert found("ex:u a kg:User ; kg:IS ex:g . ex:g a kg:Genre .", schema) == {"IS-head", "IS-tail"}


@settings(max_examples=8)
@given(extended_schemas())
def test_shapes_of_any_extension_accept_a_plain_graph_and_refuse_a_stranger(schema: Schema) -> None:
    assert set(shapes(schema)) == set(shapes(Schema(schema.node_types[::-1], schema.relations[::-1])))
    data = Graph()
    for name in schema.names:
        if not any(row.required for row in schema.properties(name)):
            data.add((EX[name], RDF.type, KG[name]))
            data.add((EX[name], KG.SAME_AS, EX[name]))
    data.add((EX.stranger, KG.SAME_AS, Literal("text")))
    refused = {KG["SAME_AS-head-shape"].toPython(), KG["SAME_AS-tail-shape"].toPython()}
    assert set(violations(data, schema)["shape"]) == refused


def test_without_pyshacl_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['pyshacl'] = None\n"
        "from rdflib import Graph\n"
        "from graph_schema import SCHEMA, InputError\n"
        "from graph_schema.shapes import violations\n"
        "try: violations(Graph(), SCHEMA)\n"
        "except InputError as error: print(error)"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == 'validating RDF needs pyshacl; install it with: pip install "kgxfer[rdf]"'


def test_another_base_is_everywhere() -> None:
    base = "https://films.example/#"
    data = Graph()
    data.add((URIRef("urn:x"), RDF.type, URIRef(base + "Movie")))
    data.add((URIRef("urn:x"), URIRef(base + "year"), Literal("soon")))
    assert violations(data, SCHEMA, base)["shape"].tolist() == [base + "Movie-year-shape"]
