"""Graphs that differ from the usual: a vocabulary of one's own, a person under three ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from graph_schema import SCHEMA, NodeType, Relation
from graph_schema.tables import LINKS
from kgxfer.bridges.links import link_table
from kgxfer.graph import KnowledgeGraph, build_graph
from kgxfer.queries import QUERIES, query_names, run_query
from kgxfer.splits import FixedFiles
from kgxfer.stores import GraphStore
from kgxfer.stores.ladybug import LadybugStore
from tests.queries.conftest import DATABASES
from tests.worlds import domain_of, pair_of

OWN = SCHEMA.extend(
    [NodeType("Recipe", parent="Item"), NodeType("Soup", parent="Recipe"), NodeType("Taste", parent="Entity")],
    [Relation("TASTES", "Recipe", "Taste", {"en": "tastes"})],
)


@pytest.fixture(params=DATABASES)
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[KnowledgeGraph], GraphStore]]:
    """Write a graph into one database."""
    made: list[GraphStore] = []

    def write(graph: KnowledgeGraph) -> GraphStore:
        neo4j = request.param == "neo4j"
        made.append(request.getfixturevalue("neo4j_store")() if neo4j else LadybugStore(tmp_path / "graph.lbug"))
        made[-1].write_graph(graph)
        return made[-1]

    yield write
    if request.param == "ladybug":
        for store in made:
            store.close()


def test_own_types_and_relations_are_asked_for(stored: Callable[[KnowledgeGraph], GraphStore]) -> None:
    tastes = pd.DataFrame({"head_id": ["s1", "s2"], "tail_id": ["sour", "sour"]})
    facts = tastes.assign(head_type="Soup", relation="TASTES", tail_type="Taste")
    names = {"s1": "Borscht", "s2": "Rasam"}
    soups = domain_of("soups", "Soup", {"ann": "s1 s2", "bob": "s1"}, names=names, facts=facts)
    films = domain_of("films", "Movie", {"ann": "f1 f2", "bob": "f1"})
    dataset = pair_of(soups, films, test={"films": {"ann": "f1"}}, schema=OWN)
    store = stored(build_graph(FixedFiles().split(dataset), LINKS.empty()))
    assert run_query(store, "popular-items", {"domain": "soups"})["item"].tolist() == ["Borscht", "Rasam"]
    assert run_query(store, "profile", {"relation": "TASTES"}).to_numpy().tolist() == [["soups", "sour", 2, 1.0]]
    assert run_query(store, "similar-by-facts", {"item": "Rasam"})["item_key"].tolist() == ["Soup:soups/s1"]
    assert run_query(store, "find", {"text": "sour"})["type"].tolist() == ["Taste"]
    given = {"text": "x", "node": "sour", "item": "s1", "user": "User:soups/ann"}
    asked = 0
    for name in query_names():
        parameters = QUERIES[name].parameters
        if all(one.kind != "run" for one in parameters):
            run_query(store, name, {one.name: given[one.name] for one in parameters if one.name in given})
            asked += 1
    assert asked >= 30


def test_three_ids_of_one_person_count_once(stored: Callable[[KnowledgeGraph], GraphStore]) -> None:
    likes = {"ann": "b1 b2", "bob": "b1"}
    books = domain_of("books", "Book", likes, genres={"b1": "war", "b2": "war"}, names={"b1": "A", "b2": "B"})
    seen = {"anna": "f1 f2", "ann-2": "f1", "cem": "f2 f3"}
    films = domain_of("films", "Movie", seen, genres={"f1": "war", "f2": "war", "f3": "war"})
    split = FixedFiles().split(pair_of(books, films, test={"films": {"cem": "f3"}}))
    links = pd.concat(
        [
            link_table(["ann", "ann"], ["anna", "ann-2"], "User", 1.0, "shared_id", ""),
            link_table(["war"], ["war"], "Genre", 1.0, "shared_entity", ""),
        ],
        ignore_index=True,
    )
    store = stored(build_graph(split, links))
    both = run_query(store, "users-in-both")[["source_key", "target_key", "source_items", "target_items"]]
    assert both.to_numpy().tolist() == [
        ["User:books/ann", "User:films/anna", 2, 2], ["User:books/ann", "User:films/ann-2", 2, 1]
    ]
    together = run_query(store, "taken-together", {"item": "b1"})[["item_key", "people"]]
    assert together.to_numpy().tolist() == [["Book:books/b2", 1], ["Movie:films/f1", 1], ["Movie:films/f2", 1]]
    assert run_query(store, "cold-start-users")["user_key"].tolist() == ["User:books/bob"]
    paths = run_query(store, "paths-by-facts", {"user": "User:books/ann", "item": "f3"})
    assert paths["taken_key"].str[-2:].tolist() == ["b1", "b2", "f1", "f1", "f2"]  # both of ann's other ids took f1
    assert not paths.duplicated().any()
    assert len(run_query(store, "suspicious-links")) == 2  # ann has two links
