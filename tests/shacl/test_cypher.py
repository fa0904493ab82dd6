"""Ladybug and Neo4j are asked for what they do not enforce, and answer as RDF does for the same graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from graph_schema import SCHEMA, EdgeType, NodeType, Property, Relation
from graph_schema.ontology import BASE
from kgxfer.graph import KnowledgeGraph
from kgxfer.shacl import validate
from kgxfer.stores import GraphStore
from kgxfer.stores.ladybug import LadybugStore
from tests.graph.test_storage import with_edges, with_nodes
from tests.stores.test_rdf import films_graph

if TYPE_CHECKING:
    from neo4j import Driver

    from kgxfer.stores.neo4j import Neo4jStore

STRICT = SCHEMA.extend(
    [
        NodeType("Short", parent="Movie", properties=(Property("minutes", "integer", required=True, maximum=40),)),
        NodeType("Club", parent="Entity", properties=(Property("motto", "string", required=True),)),
    ],
    [Relation("SHOWS", "Club", "Movie", properties=(Property("often", "integer", required=True, minimum=1),))],
)
SAME_AS = EdgeType("User", "SAME_AS", "User")


def clean() -> KnowledgeGraph:
    graph = films_graph()
    years = pd.array([1995] * len(graph.nodes["Movie"].keys), dtype="Int64")
    return replace(with_nodes(graph, "Movie", year=years), schema=STRICT)


def faulty() -> KnowledgeGraph:
    """A confidence of 1.5, two films with a negative runtime, of which one is far below, names that are hostile."""
    graph = clean()
    runtime = pd.array([None, -1, 120, -5_000_000_000, 0, None, None], dtype="Int64")
    graph = with_nodes(graph, "Movie", runtime=runtime)
    links = graph.edges[SAME_AS].properties.assign(confidence=[1.5])
    return with_edges(graph, SAME_AS, properties=links)


def told(store: GraphStore, graph: KnowledgeGraph) -> pd.DataFrame:
    """What a store says, after what RDF says of the same graph was found to be as much of the same shapes."""
    store.write_graph(graph)
    report, of_rdf = validate(store), validate(graph)
    assert report.faults["shape"].value_counts().to_dict() == of_rdf.faults["shape"].value_counts().to_dict()
    assert set(report.faults["message"]) == set(of_rdf.faults["message"])
    assert report.nodes == of_rdf.nodes
    return report.faults


def test_a_clean_graph_has_no_fault(tmp_path: Path) -> None:
    with LadybugStore(tmp_path / "g.lbug") as store:
        store.write_graph(clean())
        report = validate(store)
        assert report.conforms
        assert report.unit == "nodes and edges"
        assert report.size == clean().node_count + clean().edge_count
        assert report.rules > 10


def assert_faults(found: pd.DataFrame) -> None:
    assert len(found) == 3
    of_films = found[found["path"] == BASE + "runtime"]
    assert sorted(of_films["value"].astype(float)) == [-5_000_000_000, -1]
    assert sorted(of_films["node"]) == ["Movie:old 🍜/films/m2", "Movie:old 🍜/films/m4"]
    assert set(of_films["message"]) == {"is not 0 or more"}
    link = found[found["path"] == BASE + "confidence"].iloc[0]
    assert link["node"] == "User:old 🍜/films/ann SAME_AS User:new/ann"
    assert link["message"] == "is not 1 or less"


def test_faults_are_those_of_rdf(tmp_path: Path) -> None:
    with LadybugStore(tmp_path / "g.lbug") as store:
        assert_faults(told(store, faulty()))


def test_what_is_required_is_missed_on_nodes_and_edges(tmp_path: Path) -> None:
    graph = clean()
    clubs = graph.nodes["Genre"].keys.assign(motto=["a", None, "b"]).astype({"motto": "str"})
    kind, shows = EdgeType("Movie", "HAS_GENRE", "Genre"), EdgeType("Club", "SHOWS", "Movie")
    old = graph.edges[kind]
    often = pd.DataFrame({"often": pd.array([0, 2, None, 1, 5], dtype="Int64")})
    edges = replace(old, head=old.tail, tail=old.head, properties=often)
    nodes = {**graph.nodes, "Club": replace(graph.nodes["Genre"], keys=clubs)}
    nodes.pop("Genre")
    graph = replace(graph, nodes=nodes, edges={SAME_AS: graph.edges[SAME_AS], shows: edges})
    with LadybugStore(tmp_path / "g.lbug") as store:
        found = told(store, graph).set_index("shape")
        assert found.loc[f"{BASE}Club-motto-shape", "message"] == "is missing"
        assert sorted(found.loc[[f"{BASE}SHOWS-often-shape"], "message"]) == ["is missing", "is not 1 or more"]
        assert len(found) == 3


@pytest.mark.neo4j
def test_neo4j_says_the_same_and_sees_what_others_wrote(
    neo4j_store: Callable[..., Neo4jStore], neo4j_driver: Driver
) -> None:
    store = neo4j_store("shapes")
    assert_faults(told(store, faulty()))
    changes = [
        "MATCH (n:Movie {graph: 'shapes', key: 'Movie:new/m1'}) SET n.year = 'soon'",
        "MATCH (n:Genre {graph: 'shapes'}), (m:Movie {graph: 'shapes'}) WITH n, m LIMIT 1 CREATE (n)-[:RATED]->(m)",
        "MATCH (m:Movie {graph: 'shapes'}), (u:User {graph: 'shapes'}) WITH m, u LIMIT 1 CREATE (u)-[:HAS_GENRE]->(m)",
        "MATCH (m:Movie {graph: 'shapes'}), (u:User {graph: 'shapes'}) WITH m, u LIMIT 1 CREATE (u)-[:SAME_AS]->(m)",
    ]
    for change in changes:
        neo4j_driver.execute_query(change)
    found = validate(store).faults
    # A store is not cleared while relationships of others hang on its nodes.
    neo4j_driver.execute_query("MATCH ({graph: 'shapes'})-[r]->() WHERE r.row IS NULL DELETE r")
    assert found.loc[found["path"] == BASE + "year", ["node", "value", "message"]].values.tolist() == [
        ["Movie:new/m1", "soon", "is no year"]
    ]
    assert set(found["message"]) == {
        "is not 0 or more", "is not 1 or less", "is no year", "this is no head of RATED",
        "this is no head of HAS_GENRE", "SAME_AS does not lead from User to this",
    }  # fmt: skip
    assert len(found) == 7
