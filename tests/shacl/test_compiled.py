"""The queries find exactly what pyshacl finds: on each fault by hand, on all together, on graphs drawn at random."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import RDF, RDFS, XSD, Graph, Literal, Namespace, URIRef

from graph_schema import SCHEMA, NodeType, Property, Relation, Schema
from graph_schema.ontology import BASE
from graph_schema.shapes import violations
from kgxfer.shacl import validate
from tests.graph_schema.extensions import COOKERY
from tests.graph_schema.test_shapes import CLEAN, FAULTS, parsed

KG, EX = Namespace(BASE), Namespace("https://example.org/")
COMPARED = ["node", "path", "value", "shape"]


def checked(graph: Graph, schema: Schema = SCHEMA, base: str = BASE) -> pd.DataFrame:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "data.nt"
        graph.serialize(path, format="nt", encoding="utf-8")
        return validate(path, schema, base).faults


def assert_same(graph: Graph, schema: Schema = SCHEMA) -> pd.DataFrame:
    """That pyshacl finds the same values of the same nodes against the same shapes."""
    ours, theirs = checked(graph, schema), violations(graph, schema)
    # 91.0 and 91 are one number, which each writes as it likes.
    same = {"value": {r"^(-?\d+)\.0$": r"\1"}}
    tables = [
        table[COMPARED].fillna("").replace(same, regex=True).drop_duplicates().sort_values(COMPARED, ignore_index=True)
        for table in (ours, theirs)
    ]
    pd.testing.assert_frame_equal(tables[0], tables[1])
    stated = theirs[theirs["message"].str.contains(" of | lead ")]
    assert set(stated["message"]) <= set(ours["message"]), "messages of the shapes are told"
    return ours


def test_a_clean_graph_has_no_fault() -> None:
    assert checked(parsed(CLEAN)).empty


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_where_it_is(fault: str) -> None:
    text, shape = FAULTS[fault]
    found = set(checked(parsed(CLEAN + text))["shape"])
    assert found == {f"{BASE}{shape}-shape"}


def test_all_faults_together_are_those_that_pyshacl_finds() -> None:
    ours = assert_same(parsed(CLEAN + "\n".join(text for text, _ in FAULTS.values())))
    assert len(ours) >= len(FAULTS)


LOOSE = SCHEMA.extend(
    [
        NodeType("Anthology", parent="Book", properties=(Property("name", "string", many=True),)),
        NodeType("Named", parent="Book", properties=(Property("name", "string", required=True),)),
    ],
    [
        Relation("SELLS", "Person", "Item", properties=(Property("weight", "float", required=True, minimum=0.5),)),
        Relation("IS", "User", "Genre", agreement="type"),
    ],
)
TYPES = ["User", "Item", "Movie", "Book", "Anthology", "Named", "Track", "Album", "Person", "Genre", "Place", "Domain"]
RELATIONS = ["RATED", "SAME_AS", "SIMILAR_TO", "PART_OF", "HAS_GENRE", "SELLS", "IS", "BELONGS_TO", "ACTED_IN"]
OTHER = [EX.Film, EX.Thing]
NODES = [EX[f"n{number}"] for number in range(6)]
VALUES = [
    Literal("Heat"), Literal(""), Literal("chaud", lang="fr"), Literal(-3), Literal(0), Literal(7), Literal(0.25),
    Literal(91.5), Literal("many", datatype=XSD.integer), Literal("1995", datatype=XSD.gYear),
    Literal("soon", datatype=XSD.gYear),
    Literal("2026-01-31T12:00:00Z", datatype=XSD.dateTime), Literal("2026-02-31T12:00:00Z", datatype=XSD.dateTime),
    Literal(True), Literal("x", datatype=XSD.double), EX.n0,
]  # fmt: skip
PROPERTIES = ["name", "year", "runtime", "pages", "latitude", "confidence", "rating", "timestamp", "weight", "language"]

triples = st.one_of(
    st.tuples(st.sampled_from(NODES), st.just(RDF.type), st.sampled_from([*(KG[one] for one in TYPES), *OTHER])),
    st.tuples(
        st.sampled_from(NODES), st.sampled_from([KG[one] for one in RELATIONS]), st.sampled_from([*NODES, VALUES[0]])
    ),
    st.tuples(st.sampled_from(NODES), st.sampled_from([KG[one] for one in PROPERTIES]), st.sampled_from(VALUES)),
    st.tuples(st.just(EX.Film), st.just(RDFS.subClassOf), st.sampled_from([KG.Movie, EX.Thing])),
    st.tuples(st.just(EX.Thing), st.just(RDFS.subClassOf), st.just(KG.Item)),
)
statements = st.tuples(
    st.sampled_from([EX.s0, EX.s1]), st.sampled_from(["RATED", "SAME_AS", "SELLS", "PART_OF"]), st.sampled_from(NODES),
    st.sampled_from([KG.RATED, KG.SELLS]), st.sampled_from(["score", "rating", "confidence", "weight", "position"]),
    st.sampled_from(VALUES), st.sets(st.sampled_from(["subject", "predicate", "object", "value"])),
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=25)
@given(st.lists(triples, max_size=30), st.lists(statements, max_size=3))
def test_graphs_at_random_have_the_faults_that_pyshacl_finds(
    plain: list[tuple[URIRef, URIRef, URIRef]],
    about: list[tuple[URIRef, str, URIRef, URIRef, str, Literal, set[str]]],
) -> None:
    graph = Graph()
    for triple in plain:
        graph.add(triple)
    for statement, relation, node, predicate, name, value, parts in about:
        graph.add((statement, RDF.type, KG[f"{relation}-statement"]))
        every = {"subject": (RDF.subject, node), "object": (RDF.object, node), "predicate": (RDF.predicate, predicate),
                 "value": (KG[name], value)}  # fmt: skip
        for part in parts:
            graph.add((statement, *every[part]))
    assert_same(graph, LOOSE)


def test_classes_of_others_below_ours_are_ours() -> None:
    text = "ex:Film <http://www.w3.org/2000/01/rdf-schema#subClassOf> kg:Movie . ex:f a ex:Film ; kg:runtime -1 ."
    assert assert_same(parsed(text))["shape"].tolist() == [BASE + "Movie-runtime-shape"]


def test_a_users_own_types_are_checked() -> None:
    text = """
    ex:goulash a kg:Stew ; kg:servings 4 ; kg:CONTAINS ex:salt, ex:rice ; kg:spicy "very" . ex:salt a kg:Ingredient .
    ex:rice a kg:Recipe ; kg:servings 0 . ex:soup a kg:Stew .
    """
    assert len(assert_same(parsed(text), COOKERY)) == 4


def test_another_base_is_everywhere() -> None:
    base = "https://films.example/#"
    data = Graph()
    data.add((URIRef("urn:x"), RDF.type, URIRef(base + "Movie")))
    data.add((URIRef("urn:x"), URIRef(base + "year"), Literal("soon")))
    assert checked(data, base=base)["shape"].tolist() == [base + "Movie-year-shape"]
    assert checked(data).empty
