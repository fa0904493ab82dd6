"""What RDF says of a graph: IRIs, types, literals, statements; that it comes back; whatever else lies in the file."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import RDF, XSD, Literal, Namespace, URIRef

from graph_schema import EdgeType, InputError
from graph_schema.ontology import BASE
from graph_schema.shapes import violations
from kgxfer.bridges import propose_links
from kgxfer.graph import COMBINATIONS, KnowledgeGraph, Vocabulary, build_graph
from kgxfer.graph.knowledge_graph import EdgeTable
from kgxfer.graph.rdf_terms import node_iri
from kgxfer.splits import FixedFiles
from kgxfer.stores import NodeVectors, Run
from kgxfer.stores.contents import node_table
from kgxfer.stores.rdf import RdfStore
from tests.worlds import domain_of, pair_of

KG, NODE = Namespace(BASE), Namespace(BASE + "graph/")
ENDINGS = (".nt", ".ttl", ".nq", ".trig", ".oxigraph")
OWN = "https://example.org/"
ODD_NAMES = {
    "m1": 'He said "no"\n\r\t\\', "m2": "🦊 `été` \u202e图书\u2028", "m3": "", "m4": "x" * 10_000,
    "m5": "\x00\x1f\x7f\\u0041",
}  # fmt: skip


@lru_cache
def films_graph(combine: str = "same_as_edges") -> KnowledgeGraph:
    """Two domains of films: odd names, ids and years, ratings, moments, a genre called "..", an edge that is twice."""
    likes = {"ann": "m1:5 m2:4.5 m4:3 m5:2", "bob\n'\"": "m1:1 m3:0.1"}
    old = domain_of(
        "old 🍜/films", "Movie", likes, names=ODD_NAMES, years={"m1": 995, "m2": -44, "m4": 12_345},
        genres={"m1": "a/b c%20 ..", "m2": "c%20"},
    )  # fmt: skip
    moments = pd.to_datetime([0, 1_700_000_000_123_456, 5, 6, 7, 8], unit="us")
    new = domain_of("new", "Movie", {"ann": "m1", "cem": "m1 m9"}, names={"m1": "Heat"}, years={"m1": 1995})
    dated = replace(old, interactions=old.interactions.assign(timestamp=moments))
    split = FixedFiles().split(pair_of(dated, new, test={"new": {"ann": "m1"}}))
    graph = build_graph(split, propose_links(split, ["shared_id"]), combine)
    kind = EdgeType("Movie", "HAS_GENRE", "Genre")
    edges = graph.edges[kind]
    twice = np.array([2, 0, 1, 0, 3])
    return replace(
        graph,
        edges=graph.edges | {
            kind: EdgeTable(
                edges.head[twice], edges.tail[twice], np.array([1, 0, 0, 0, 0], np.int8), pd.DataFrame(index=range(5))
            )
        },
    )


@pytest.fixture(params=ENDINGS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"the graph{request.param}"


@pytest.mark.parametrize("combine", COMBINATIONS)
def test_a_graph_comes_back_equal(path: Path, combine: str) -> None:
    graph = films_graph(combine)
    with RdfStore(path) as store:
        store.write_graph(graph)
    with RdfStore(path) as store:
        back = store.read_graph()
    assert back.equals(graph)
    assert back.fingerprint == graph.fingerprint


def test_writing_twice_is_writing_once_and_another_graph_is_refused(path: Path) -> None:
    for _ in range(2):
        with RdfStore(path) as store:
            store.write_graph(films_graph())
            store.write_graph(films_graph())
            if path.is_file():
                size = path.stat().st_size
    with RdfStore(path) as store, pytest.raises(InputError, match="holds another graph; clear it first"):
        store.write_graph(films_graph("collapse"))
    with RdfStore(path) as store:
        assert store.read_graph().equals(films_graph())
    assert not path.is_file() or path.stat().st_size == size


def test_the_triples_are_those_of_the_ontology() -> None:
    graph = films_graph()
    triples = graph.to_rdf()
    heat, ann = NODE["Movie/new/m1"], NODE["User/old%20%F0%9F%8D%9C%2Ffilms/ann"]
    assert str(ann) == node_iri("User", "old 🍜/films", "ann")
    assert (heat, RDF.type, KG.Movie) in triples
    assert triples.value(heat, KG.name) == Literal("Heat")
    assert triples.value(heat, KG.year) == Literal("1995", datatype=XSD.gYear)
    old = NODE["Movie/old%20%F0%9F%8D%9C%2Ffilms/m1"]
    assert triples.value(old, KG.year) == Literal("0995", datatype=XSD.gYear)
    assert str(triples.value(old, KG.name)) == ODD_NAMES["m1"]
    assert (old, KG.HAS_GENRE, URIRef(node_iri("Genre", "old 🍜/films", ".."))) in triples
    assert "%2E%2E" in node_iri("Genre", "old 🍜/films", "..")
    assert (ann, KG.RATED, old) in triples
    about = [one for one in triples.subjects(RDF.subject, ann) if triples.value(one, RDF.object) == old]
    assert len(about) == 1
    assert triples.value(about[0], RDF.type) == KG["RATED-statement"]
    assert triples.value(about[0], KG.rating) == Literal(5.0)
    assert str(triples.value(about[0], KG.timestamp)).startswith("1970-01-01T00:00:00")
    edges = sum(len(set(zip(table.head, table.tail, strict=True))) for table in graph.edges.values())
    assert sum((None, KG[kind.relation], None) in triples for kind in graph.edges) == len(graph.edges)
    relations = {kind.relation for kind in graph.edges}
    assert sum(len(list(triples.triples((None, KG[one], None)))) for one in relations) == edges
    plain = {str(one) for one in triples.objects(None, RDF.subject)}
    assert NODE["User/new/cem"].toPython() not in plain, "an edge that carries nothing needs no statement"


def test_what_is_written_is_clean_by_the_shapes(tmp_path: Path) -> None:
    import rdflib

    graph = films_graph()
    with RdfStore(tmp_path / "g.ttl") as store:
        store.write_graph(graph)
    triples = rdflib.Graph().parse(tmp_path / "g.ttl")
    # pyshacl takes no year before 1 and none after 9999, which the films above have.
    wrong = violations(triples, graph.schema)
    assert set(wrong["path"]) <= {KG.year.toPython()}


def test_the_same_triples_whatever_the_form(tmp_path: Path) -> None:
    import rdflib
    from rdflib.compare import to_isomorphic

    found = []
    for ending in (".nt", ".ttl"):
        with RdfStore(tmp_path / f"g{ending}") as store:
            store.write_graph(films_graph())
        found.append(rdflib.Graph().parse(tmp_path / f"g{ending}"))
    assert len(found[0]) > 100
    assert to_isomorphic(found[0]) == to_isomorphic(found[1])


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def users_graph(ids: list[str], names: list[str | None]) -> KnowledgeGraph:
    """Users alone."""
    graph = films_graph("disjoint")
    keys = pd.DataFrame({"domain": np.int8(0), "id": ids, "row": range(len(ids)), "name": names[: len(ids)]})
    keys = keys.astype({"domain": "int8", "id": "str", "name": "str"})[["domain", "id", "name", "row"]]
    return replace(graph, nodes={"User": Vocabulary(keys, len(ids))}, edges={})


@settings(max_examples=40)
@given(st.lists(texts, min_size=2, max_size=6, unique=True), st.lists(st.none() | texts, min_size=6, max_size=6))
def test_any_id_and_any_name_comes_back(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str], names: list[str | None]
) -> None:
    alone = users_graph(ids, names)
    for ending in (".nt", ".ttl"):
        path = tmp_path_factory.mktemp("rdf") / f"g{ending}"
        with RdfStore(path) as store:
            store.write_graph(alone)
            assert store.read_graph().equals(alone)
            assert set(store.query("SELECT ?key { ?n store:key ?key }")["key"]) == set(node_table(alone, "User")["key"])


def test_sparql_answers_with_values_and_takes_parameters(path: Path) -> None:
    with RdfStore(path) as store:
        store.write_graph(films_graph())
        years = store.query("SELECT ?name ?year { ?m a kg:Movie ; kg:year ?year ; kg:name ?name } ORDER BY ?year")
        assert years["year"].tolist() == [-44, 995, 1995, 12_345]
        assert years["year"].dtype == np.int64
        text = "SELECT ?wanted ?key { ?m kg:name ?wanted ; store:key ?key }"
        for name in (ODD_NAMES["m1"], ODD_NAMES["m2"], "Heat"):
            assert len(store.query(text, {"wanted": name})) == 1
        assert store.query(text, {"wanted": "Heat"}).to_dict("list") == {"key": ["Movie:new/m1"]}
        assert store.query(text, {"wanted": '" } #'}).columns.tolist() == ["key"]
        best = store.query(
            "SELECT ?least ?key { ?it kg:rating ?r ; rdf:object ?m . ?m store:key ?key FILTER(?r >= ?least) }",
            {"least": 4.5},
        )
        assert sorted(best["key"]) == ["Movie:old 🍜/films/m1", "Movie:old 🍜/films/m2"]
        assert store.query("ASK { ?m kg:year '1995'^^xsd:gYear }")["answer"].tolist() == [True]
        made = store.query("CONSTRUCT { ?m kg:old true } WHERE { ?m kg:year ?y FILTER(?y = '-0044'^^xsd:gYear) }")
        assert made.values.tolist() == [[node_iri("Movie", "old 🍜/films", "m2"), BASE + "old", True]]


MISTAKES: dict[str, tuple[str, dict[str, Any], str]] = {
    "a mistake": ("SELECT ?a WHERE {\n ?a FILTER( }", {}, r"^SPARQL, line 2, column \d+: expected one of"),
    "an update": ("DELETE WHERE { ?a ?b ?c }", {}, "^SPARQL, line 1, column 1"),
    "a parameter that is not selected": ("SELECT ?a { ?a kg:name ?n }", {"n": "x"}, r"the query does not SELECT \?n"),
    "a parameter that is no value": ("SELECT ?a ?n { ?a kg:name ?n }", {"n": [1]}, 'parameter "n": list is no single'),
    "a parameter that is no variable": ("SELECT ?a { ?a kg:name ?n }", {"n m": 1}, 'parameter "n m": a variable'),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_in_a_query_is_one_line(tmp_path: Path, what: str) -> None:
    text, parameters, said = MISTAKES[what]
    with RdfStore(tmp_path / "g.nt") as store:
        store.write_graph(films_graph())
        with pytest.raises(InputError, match=said) as caught:
            store.query(text, parameters)
        assert "\n" not in str(caught.value)
        assert store.read_graph().equals(films_graph())


def test_triples_of_others_stay_whatever_is_done(path: Path) -> None:
    import pyoxigraph

    graph = films_graph()
    known = node_iri("Movie", "new", "m1")
    lines = [
        f'<{OWN}a> <{OWN}b> "mine" .', f"<{known}> <{OWN}b> <{OWN}c> .", f'<{BASE}Movie> <{OWN}b> "class" .',
    ]  # fmt: skip
    named = path.suffix in (".nq", ".trig", ".oxigraph")
    others = pyoxigraph.Store(path) if path.suffix == ".oxigraph" else pyoxigraph.Store()
    others.load("\n".join(lines).encode(), format=pyoxigraph.RdfFormat.N_TRIPLES)
    if named:
        a, g = pyoxigraph.NamedNode(f"{OWN}a"), pyoxigraph.NamedNode(f"{OWN}g")
        others.add(pyoxigraph.Quad(a, a, pyoxigraph.NamedNode(known), g))
    before = set(others)
    if path.suffix != ".oxigraph":
        alone = None if named else pyoxigraph.DefaultGraph()
        others.dump(path, from_graph=alone)
    del others
    with RdfStore(path) as store:
        store.write_graph(graph)
        store.write_recommendations(recommended(), Run("r", "m"))
    with RdfStore(path) as store:
        assert store.read_graph().equals(graph)
        assert store.query(f'ASK {{ <{OWN}a> <{OWN}b> "mine" }}')["answer"].tolist() == [True]
        store.clear()
    after = pyoxigraph.Store(path) if path.suffix == ".oxigraph" else pyoxigraph.Store()
    if path.suffix != ".oxigraph":
        after.load(path=path)
    assert set(after) == before
    assert len(before) == 3 + named


def recommended(rank: int = 1) -> pd.DataFrame:
    return pd.DataFrame({"head": ["User:new/cem"], "tail": ["Movie:new/m1"], "score": [0.1], "rank": [rank]})


def test_a_clear_file_is_gone_and_clearing_nothing_is_no_error(tmp_path: Path) -> None:
    with RdfStore(tmp_path / "g.ttl") as store:
        store.clear()
        store.write_graph(films_graph())
        store.clear()
        assert [*tmp_path.iterdir()] == []
        with pytest.raises(InputError, match="holds no whole graph; write one first"):
            store.read_graph()


def test_recommendations_are_statements_and_one_run_goes_without_the_other(path: Path) -> None:
    asked = "SELECT ?user ?item { ?u kg:RECOMMENDED ?i . ?u store:key ?user . ?i store:key ?item }"
    at = pd.Timestamp("2026-01-31T12:00:00Z").to_pydatetime()
    with RdfStore(path) as store:
        store.write_graph(films_graph())
        for run in ('one "of"\n them', "two"):
            store.write_recommendations(recommended(2), Run(run, "old", at))
            store.write_recommendations(recommended(), Run(run, "m", at))
        said = store.query("SELECT ?run ?score ?rank ?model ?at { ?it kg:run ?run ; kg:score ?score ; kg:rank ?rank ; "
                           "kg:model ?model ; kg:at ?at ; a kg:RECOMMENDED-statement } ORDER BY ?run")  # fmt: skip
        assert said.values.tolist() == [[run, 0.1, 1, "m", pd.Timestamp(at)] for run in ('one "of"\n them', "two")]
        gone = store.undo('one "of"\n them')
        assert gone.values.tolist() == [["embeddings", 0], ["recommendations", 1]]
        assert store.query(asked).values.tolist() == [["User:new/cem", "Movie:new/m1"]]
        with pytest.raises(InputError, match='no run "one".*runs there: "two"'):
            store.undo("one")
        store.undo("two")
        assert store.query(asked).empty
        assert store.read_graph().equals(films_graph())


def test_vectors_come_back_bit_by_bit_and_the_last_counts(path: Path) -> None:
    graph = films_graph()
    keys = pd.Index(node_table(graph, "Movie")["key"])
    values = np.random.default_rng(1).normal(size=(len(keys), 3)).astype(np.float32)
    values[0] = np.array([0, -0.0, 1e-45], dtype=np.float32)
    with RdfStore(path) as store:
        store.write_graph(graph)
        store.write_embeddings({"Movie": NodeVectors(keys[::-1], values[::-1])}, Run("first", "m"))
        store.write_embeddings({"Movie": NodeVectors(keys[:1], values[1:2])}, Run("second", "m"))
    with RdfStore(path) as store:
        found = store.read_embeddings()
        assert [*found] == ["Movie"]
        assert found["Movie"].keys.tolist() == keys.tolist()
        assert found["Movie"].vectors[1:].tobytes() == values[1:].tobytes()
        assert found["Movie"].vectors[0].tobytes() == values[1].tobytes()
        near = store.nearest("Item", values[2], 2)
        assert near["key"].iloc[0] == keys[2]
        assert near["similarity"].iloc[0] == pytest.approx(1)
        assert near["name"].iloc[0] == ODD_NAMES["m3"]
        assert store.nearest("Person", values[2]).empty
        assert store.undo("second").values.tolist() == [["embeddings", 1], ["recommendations", 0]]
        assert len(store.read_embeddings()["Movie"].keys) == len(keys) - 1
        with pytest.raises(InputError, match='holds no node "Movie:new/none"'):
            store.write_embeddings({"Movie": NodeVectors(pd.Index(["Movie:new/none"]), values[:1])}, Run("x", "m"))


def test_neighbours_are_edges_both_ways(path: Path) -> None:
    with RdfStore(path) as store:
        store.write_graph(films_graph())
        found = store.neighbours("Movie:old 🍜/films/m1")
        assert sorted(found["relation"]) == ["HAS_GENRE"] * 3 + ["RATED"] * 2
        assert found["tail"].iloc[-1] == "Movie:old 🍜/films/m1"
        assert len(store.neighbours("Movie:old 🍜/films/m1", 2)) == 2
        with pytest.raises(InputError, match='holds no node "Movie:x/y"; a key is TYPE:DOMAIN/ID'):
            store.neighbours("Movie:x/y")
