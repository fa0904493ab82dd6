"""Communities: groups that one person joins are found, and written beside a graph that stays the same."""

from __future__ import annotations

import pandas as pd
import pytest

from graph_schema import InputError
from graph_schema.tables import LINKS
from kgxfer.graph import KnowledgeGraph, build_graph
from kgxfer.queries import CommunityConfig, find_communities, run_query
from kgxfer.splits import FixedFiles
from kgxfer.stores.networkx_store import NetworkxStore
from tests.queries.conftest import DATABASES, Worlds
from tests.worlds import domain_of, pair_of


def two_groups() -> KnowledgeGraph:
    """Books and films of two groups of three people each, and one person who took a book of either."""
    likes = {**dict.fromkeys("abc", "b1 b2 b3"), **dict.fromkeys("xyz", "b4 b5 b6"), "m": "b1 b4"}
    books = domain_of("books", "Book", likes, items=["b9"])
    films = domain_of("films", "Movie", {"a": "f1 f2", "q": "f1 f2"})
    return build_graph(FixedFiles().split(pair_of(books, films, test={"films": {"a": "f1"}})), LINKS.empty())


def test_groups_are_found() -> None:
    found = find_communities(two_groups())
    groups = {frozenset(keys) for keys in found.groupby(found).groups.values()}
    first = {f"User:books/{name}" for name in "abc"} | {f"Book:books/b{number}" for number in (1, 2, 3)}
    second = {f"User:books/{name}" for name in "xyz"} | {f"Book:books/b{number}" for number in (4, 5, 6)}
    apart = frozenset({"User:films/a", "User:films/q", "Movie:films/f1", "Movie:films/f2"})
    between = {"User:books/m"}
    assert groups in (
        {frozenset(first | between), frozenset(second), apart}, {frozenset(first), frozenset(second | between), apart}
    )
    assert found.value_counts().sort_index().tolist() == [7, 6, 4]
    assert "Book:books/b9" not in found.index
    pd.testing.assert_series_equal(found, find_communities(two_groups()))


def test_resolution_decides_how_many() -> None:
    counts = [find_communities(two_groups(), CommunityConfig(resolution=one)).nunique() for one in (0.01, 1, 5)]
    assert counts[0] < counts[1] < counts[2]
    assert counts[0] == 2  # what no edge joins stays apart


def test_no_edges_no_communities() -> None:
    graph = two_groups()
    alone = KnowledgeGraph(graph.schema, graph.domain_names, graph.item_types, graph.nodes, {}, graph.combination)
    assert find_communities(alone).empty


@pytest.mark.parametrize("database", DATABASES)
def test_communities_are_written_back(request: pytest.FixtureRequest, database: str) -> None:
    worlds: Worlds = request.getfixturevalue(f"{database}_worlds")
    store = worlds("collapsed")
    graph = store.read_graph()
    assert run_query(store, "communities").empty
    found = find_communities(graph)
    store.write_communities(found + 100)
    store.write_communities(found)  # in place of the first
    table = run_query(store, "communities")
    assert table["community"].tolist() == found.value_counts().sort_index().index.tolist()
    assert table["nodes"].tolist() == found.value_counts().sort_index().tolist()
    book = "Book:books/b1"
    others = {key for key, number in found.items() if number == found[book]} - {book}
    assert set(run_query(store, "community-of", {"node": book})["key"]) == others
    assert store.read_graph().equals(graph)
    with pytest.raises(InputError, match="1 of 1 Movie nodes that have a community are not in the stored graph"):
        store.write_communities(pd.Series({"Movie:films/zz": 1}))
    with pytest.raises(InputError, match="1 of 1 Track nodes that have a community are not in the stored graph"):
        store.write_communities(pd.Series({"Track:films/f1": 1}))
    assert run_query(store, "communities").equals(table)
    store.write_communities(found.head(0))
    assert run_query(store, "communities").empty


def test_a_store_without_cypher_keeps_none() -> None:
    store = NetworkxStore()
    store.write_graph(two_groups())
    with pytest.raises(InputError, match=r"NetworkxStore keeps no communities; use Neo4j or a Ladybug file"):
        store.write_communities(find_communities(two_groups()))
