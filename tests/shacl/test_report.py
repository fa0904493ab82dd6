"""What is said of faults: to people, to programs, on a page; of graphs, of stores, of files that others bring."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from graph_schema import SCHEMA, EdgeType, InputError
from graph_schema.ontology import BASE
from kgxfer.bridges import propose_links
from kgxfer.graph import KnowledgeGraph, build_graph
from kgxfer.graph.rdf_terms import RDF, node_iri
from kgxfer.shacl import validate
from kgxfer.splits import SPLITS
from kgxfer.stores.rdf import RdfStore
from loaders import CrossDomainDataset
from tests.graph.test_storage import with_edges, with_nodes
from tests.graph_schema.test_shapes import CLEAN, PREFIXES
from tests.stores.test_rdf import films_graph

FAULTY = PREFIXES + CLEAN + '\nex:heat kg:runtime "long" . ex:heat kg:SAME_AS ex:novel .'


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    path = tmp_path / "films.ttl"
    path.write_text(FAULTY)
    return path


def years_in_reach(graph: KnowledgeGraph) -> KnowledgeGraph:
    return with_nodes(graph, "Movie", year=pd.array([1995] * len(graph.nodes["Movie"].keys), dtype="Int64"))


def test_a_report_names_the_file_the_node_the_value_and_the_fault(faulty: Path) -> None:
    report = validate(faulty)
    assert not report.conforms
    assert report.faults.columns.tolist() == ["node", "path", "value", "message", "shape"]
    found = report.faults[report.faults["message"] == "is no xsd:integer"].iloc[0]
    assert found.tolist() == [
        "https://example.org/heat", f"{BASE}runtime", "long", "is no xsd:integer", f"{BASE}Movie-runtime-shape",
    ]  # fmt: skip
    text = str(report)
    assert text.startswith("films.ttl: 4 faults at 1 node; User 2, Item 1, Book 1, Movie 1,")
    assert "! runtime: is no xsd:integer (1 fault at 1 node, Movie-runtime-shape)" in text
    assert '    https://example.org/heat: "long"' in text
    assert "! SAME_AS: SAME_AS does not lead from Movie to this (1 fault at 1 node, Movie-SAME_AS-shape)" in text
    assert report.counts["faults"].sum() == len(report.faults) == 4


def test_a_report_is_kept_as_a_page_and_a_record(faulty: Path, tmp_path: Path) -> None:
    faulty.write_text(FAULTY + 'ex:x a kg:Movie ; kg:runtime "<script>alert(1)</script>\\n" .')
    report = validate(faulty)
    report.save(tmp_path / "report")
    record = json.loads((tmp_path / "report" / "shapes.json").read_text())
    assert (record["conforms"], record["fault_count"], len(record["faults"])) == (False, 6, 6)
    assert record["nodes"]["Movie"] == 2
    page = (tmp_path / "report" / "shapes.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "SAME_AS does not lead from Movie to this" in page
    with pytest.raises(InputError, match="exists already"):
        report.save(tmp_path / "report")


def test_a_graph_is_clean_and_its_faults_are_named_by_key() -> None:
    graph = years_in_reach(films_graph())
    report = validate(graph)
    assert report.conforms
    assert "no fault" in str(report)
    assert report.nodes == {"User": 4, "Movie": 7, "Genre": 3}
    kind = EdgeType("User", "SAME_AS", "User")
    links = graph.edges[kind]
    wrong = with_edges(graph, kind, properties=links.properties.assign(confidence=[1.5]))
    assert "    edge 0 of User SAME_AS User" in str(validate(wrong))
    assert validate(wrong).faults["message"].tolist() == ["is not 1 or less"]


def test_edges_between_the_wrong_types_are_found_in_a_graph() -> None:
    graph = years_in_reach(films_graph())
    kind = EdgeType("User", "RATED", "Movie")
    edges = graph.edges[kind]
    turned = replace(graph, edges={EdgeType("Genre", "RATED", "Movie"): replace(edges, head=edges.head % 2)})
    report = validate(turned)
    assert set(report.faults["shape"]) == {f"{BASE}RATED-head-shape"}
    keys = graph.nodes["Genre"].first_keys.head(2)
    names = np.array(graph.domain_names)[keys["domain"]]
    expected = {node_iri("Genre", domain, each) for domain, each in zip(names, keys["id"], strict=True)}
    assert set(report.faults["node"]) == expected
    assert len(expected) == 2


@pytest.mark.parametrize("ending", [".nt", ".ttl", ".trig", ".oxigraph"])
def test_a_store_is_checked_by_the_schema_of_its_graph(tmp_path: Path, ending: str) -> None:
    own = years_in_reach(replace(films_graph(), schema=SCHEMA.extend()))
    with RdfStore(tmp_path / f"g{ending}") as store:
        store.write_graph(own)
        assert validate(store).conforms
    if ending != ".oxigraph":
        assert validate(tmp_path / f"g{ending}").conforms


def test_named_graphs_of_a_file_are_looked_at_together(tmp_path: Path) -> None:
    path = tmp_path / "films.trig"
    path.write_text(
        f"@prefix kg: <{BASE}> . @prefix ex: <https://example.org/> . "
        "ex:one { ex:heat a kg:Movie } ex:two { ex:heat kg:runtime -1 ; kg:HAS_GENRE ex:x }"
    )
    assert set(validate(path).faults["shape"]) == {f"{BASE}Movie-runtime-shape", f"{BASE}HAS_GENRE-tail-shape"}


def test_rdf_xml_and_json_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "a.rdf").write_text(
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:kg="' + BASE + '">'
        '<kg:Movie rdf:about="urn:x"><kg:runtime>no</kg:runtime></kg:Movie></rdf:RDF>'
    )
    (tmp_path / "a.jsonld").write_text(
        json.dumps({"@context": {"@vocab": BASE}, "@id": "urn:x", "@type": "Movie", "runtime": "no"})
    )
    for name in ("a.rdf", "a.jsonld"):
        found = validate(tmp_path / name).faults
        assert found["message"].tolist() == ["is no xsd:integer", "is not 0 or more"]
        assert set(found["node"]) == {"urn:x"}


def test_nothing_of_the_schema_is_not_called_clean(tmp_path: Path) -> None:
    path = tmp_path / "other.ttl"
    path.write_text('<urn:a> a <https://schema.org/Movie> ; <https://schema.org/name> "Heat" .')
    report = validate(path)
    assert "no node is of a type of the schema" in str(report)
    assert "nothing was checked" in report.page()


FAULTS = {
    "not there": ("a.ttl", None, 'a.ttl" is no file; give one that holds RDF'),
    "no RDF": ("a.ttl", "<a:b> <a:c> 1 .\n\nuser,item\n", 'a.ttl", line 3: this is no Turtle'),
    "another ending": ("a.csv", "x", 'unknown ending of RDF ".csv"'),
    "half a file": ("a.rdf", "<rdf:RDF", 'a.rdf"(, line 1)?: this is no RDF'),
}


@pytest.mark.parametrize("what", FAULTS)
def test_what_cannot_be_read_is_one_line(tmp_path: Path, what: str) -> None:
    name, text, said = FAULTS[what]
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        validate(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_many_faults_are_counted_and_the_first_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "many.nt"
    lines = [f'<urn:{one}> <{RDF}type> <{BASE}Book> .\n<urn:{one}> <{BASE}pages> "x" .\n' for one in range(50)]
    path.write_text("".join(lines))
    report = validate(path)
    assert report.counts["faults"].tolist() == [50, 50]
    assert "and 47 more" in str(report)
    assert "The first 20 are shown" in report.page()
    assert len(re.findall("<tr", report.page())) < 60


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "protocol", "triples"),
    [("amazon-books-movies", "cold_start_users", 469_617), ("dbpedia-movies-music-books", "leave_one_out", 890_630)],
)
def test_public_graphs_come_back_equal_from_rdf_and_are_clean(
    loaded: Callable[[str], CrossDomainDataset], tmp_path: Path, name: str, protocol: str, triples: int
) -> None:
    split = SPLITS[protocol]().split(loaded(name), rng=0)
    bridge = "shared_id" if protocol == "cold_start_users" else "shared_entity"
    graph = build_graph(split, propose_links(split, [bridge]))
    with RdfStore(tmp_path / "g.nt") as store:
        store.write_graph(graph)
        assert store.read_graph().equals(graph)
    report = validate(graph)
    assert report.conforms, str(report)
    assert report.size == pytest.approx(triples, rel=0.01)
    assert report.nodes["Book"] == graph.nodes["Book"].size
