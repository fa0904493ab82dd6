from __future__ import annotations

import pandas as pd
import pytest
import torch

from kgxfer.bridges import propose_links
from kgxfer.graph import KnowledgeGraph, build_graph
from kgxfer.splits import FixedFiles
from tests.worlds import domain_of, pair_of


def small_graph(combine: str) -> KnowledgeGraph:
    books = domain_of("books", "Book", {"ann": "b1:5", "bob": "b1:4 b2:2"}, genres={"b1": "war"}, names={"b1": "Dune"})
    films = domain_of("films", "Movie", {"bob": "f1:1", "cem": "f1:3"}, genres={"f1": "war"})
    split = FixedFiles().split(pair_of(books, films, test={"films": {"bob": "f1"}}))
    return build_graph(split, propose_links(split, ["shared_id", "shared_entity"]), combine)


BOOK_EDGES = [
    ("User:books/ann", "RATED", "Book:books/b1"),
    ("User:books/bob", "RATED", "Book:books/b1"),
    ("User:books/bob", "RATED", "Book:books/b2"),
    ("Book:books/b1", "HAS_GENRE", "Genre:books/war"),
    ("User:films/cem", "RATED", "Movie:films/f1"),
]
TRIPLES = {
    "disjoint": [*BOOK_EDGES, ("Movie:films/f1", "HAS_GENRE", "Genre:films/war")],
    "same_as_edges": [
        *BOOK_EDGES,
        ("Movie:films/f1", "HAS_GENRE", "Genre:films/war"),
        ("User:books/bob", "SAME_AS", "User:films/bob"),
        ("Genre:books/war", "SAME_AS", "Genre:films/war"),
    ],
    "collapse": [*BOOK_EDGES, ("Movie:films/f1", "HAS_GENRE", "Genre:books/war")],
}


@pytest.mark.parametrize("combine", TRIPLES)
def test_triples_are_exact(combine: str) -> None:
    table = small_graph(combine).triples()
    assert list(table.columns) == ["head", "relation", "tail"]
    assert sorted(map(tuple, table.to_numpy())) == sorted(TRIPLES[combine])


@pytest.mark.parametrize("combine", TRIPLES)
def test_networkx_has_the_same_edges_and_all_nodes(combine: str) -> None:
    graph = small_graph(combine)
    network = graph.to_networkx()
    assert network.graph == {"source": "books", "target": "films"}
    found = [(head, relation, tail) for head, tail, relation in network.edges(keys=True)]
    assert sorted(found) == sorted(TRIPLES[combine])
    assert len(network) == graph.node_count == {"collapse": 7}.get(combine, 9)
    assert network.nodes["Book:books/b1"] == {"type": "Book", "name": "Dune"}
    assert network.nodes["Book:books/b2"] == {"type": "Book", "name": None}
    if combine != "collapse":
        assert network.nodes["User:films/bob"] == {"type": "User", "name": None}


def test_hetero_data_is_exact() -> None:
    data = small_graph("same_as_edges").to_hetero_data()
    assert data.validate()
    assert {kind: data[kind].num_nodes for kind in data.node_types} == {"User": 4, "Book": 2, "Movie": 1, "Genre": 2}
    assert data["User"].domain.tolist() == [[True, True, False, False], [False, False, True, True]]
    rated = data["User", "RATED", "Book"]
    assert rated.edge_index.tolist() == [[0, 1, 1], [0, 0, 1]]
    assert rated.edge_index.dtype == torch.int64
    assert (rated.rating.dtype, rated.rating.tolist()) == (torch.float32, [5, 4, 2])
    assert rated.domain.tolist() == [0, 0, 0]
    assert data["User", "RATED", "Movie"].edge_index.tolist() == [[3], [0]]
    assert data["User", "RATED", "Movie"].domain.tolist() == [1]
    assert data["Genre", "SAME_AS", "Genre"].edge_index.tolist() == [[0], [1]]
    assert data["Genre", "SAME_AS", "Genre"].domain.tolist() == [-1]
    assert "rating" not in data["Book", "HAS_GENRE", "Genre"]
    assert len(data.edge_types) == 6


def test_without_ratings_there_is_no_rating() -> None:
    books, films = domain_of("books", "Book", {"u": "a", "v": "a"}), domain_of("films", "Movie", {"u": "x", "v": "x"})
    split = FixedFiles().split(pair_of(books, films, test={"films": {"u": "x"}}))
    data = build_graph(split, propose_links(split, [])).to_hetero_data()
    assert "rating" not in data["User", "RATED", "Movie"]


def test_equal_ids_of_two_domains_have_different_labels() -> None:
    one, two = domain_of("one", "Product", {"u": "1", "v": "1"}), domain_of("two", "Product", {"u": "1", "v": "1"})
    split = FixedFiles().split(pair_of(one, two, test={"two": {"u": "1"}}))
    table = build_graph(split, propose_links(split, [])).triples()
    pd.testing.assert_frame_equal(
        table,
        pd.DataFrame(
            {
                "head": ["User:one/u", "User:one/v", "User:two/v"],
                "relation": "RATED",
                "tail": ["Product:one/1", "Product:one/1", "Product:two/1"],
            },
            dtype="str",
        ),
    )
