"""What every store does, whichever it is: one contract over all of them.

A store is opened anew for each step, so that what is read is what was kept.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph_schema import EdgeType, InputError
from kgxfer.graph import EdgeTable, KnowledgeGraph, Vocabulary
from kgxfer.stores import NodeVectors
from tests.stores.worlds import (
    HOSTILE,
    MORNING,
    NEO4J,
    OWN_SCHEMA,
    WORLDS,
    Place,
    counts,
    empty,
    films,
    hostile,
    identifiers,
    matrix,
    recommendations,
    rows_of,
    tied,
    vectors,
)


@pytest.mark.parametrize("world", WORLDS)
def test_a_graph_comes_back_equal(place: Place, world: str) -> None:
    graph = WORLDS[world]()
    with place() as store:
        store.write_graph(graph)
    with place() as store:
        back = store.read_graph()
    for kind in graph.nodes:
        pd.testing.assert_frame_equal(back.nodes[kind].keys, graph.nodes[kind].keys)
    for edge_type, edges in graph.edges.items():
        pd.testing.assert_frame_equal(back.edges[edge_type].properties, edges.properties, check_column_type=False)
    assert back.equals(graph)
    assert back.fingerprint == graph.fingerprint


def test_the_worlds_hold_what_they_say() -> None:
    properties = {kind.relation: set(edges.properties) for kind, edges in hostile().edges.items()}
    assert properties["RATED"] == {"rating", "timestamp"}
    assert properties["SAME_AS"] == {"confidence", "method"}
    recipes = hostile().nodes["Recipe"].keys
    assert {"minutes", "spice", "end", "served"} < set(recipes)
    assert recipes["spice"].max() == 2**53 + 1
    assert len(hostile("collapse").nodes["User"].keys) > hostile("collapse").nodes["User"].size
    assert sorted(len(edges) for edges in empty().edges.values()) == [0, 0, 1, 3]
    assert {kind.relation for kind in tied().edges} == {"RATED", "SAME_AS", "SIMILAR_TO"}


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
MISSING = st.none() | TEXT


@st.composite
def vocabularies(draw: st.DrawFn, described: bool) -> Vocabulary:
    """Nodes of one type; some have several keys, in any order."""
    pairs = draw(st.lists(st.tuples(st.integers(0, 1), TEXT.filter(bool)), min_size=1, max_size=4, unique=True))
    rows = pd.factorize(np.array(draw(st.permutations([number // 2 for number in range(len(pairs))]))))[0]
    keys = pd.DataFrame(
        {
            "domain": np.array([domain for domain, _ in pairs], dtype=np.int8),
            "id": pd.array([one for _, one in pairs], dtype="str"),
            "name": pd.array([draw(MISSING) for _ in pairs], dtype="str"),
        }
    )
    if described:
        years = [draw(st.none() | st.integers(-(2**62), 2**62)) for _ in pairs]
        texts = [draw(MISSING) for _ in pairs]
        keys = keys.assign(year=pd.array(years, dtype="Int64"), description=pd.array(texts, dtype="str"))
    return Vocabulary(keys.assign(row=rows.astype(np.int64)), int(rows.max()) + 1)


@st.composite
def edge_tables(draw: st.DrawFn, head: Vocabulary, tail: Vocabulary, domain: int) -> EdgeTable:
    """Edges, which may repeat; interactions of a domain, or links between them."""
    ends = st.tuples(st.integers(0, head.size - 1), st.integers(0, tail.size - 1))
    pairs = np.array(draw(st.lists(ends, max_size=4)), dtype=np.int64).reshape(-1, 2)
    numbers = [draw(st.floats(allow_infinity=False)) for _ in pairs]
    if domain < 0:
        texts = pd.array([draw(MISSING) for _ in pairs], dtype="str")
        said = pd.DataFrame({"confidence": np.array(numbers, dtype=np.float64), "method": texts})
    else:
        moments = [draw(st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))) for _ in pairs]
        times = np.array(moments, dtype="datetime64[us]")
        said = pd.DataFrame({"rating": np.array(numbers, dtype=np.float64), "timestamp": times})
    return EdgeTable(pairs[:, 0], pairs[:, 1], np.full(len(pairs), domain, dtype=np.int8), said)


@st.composite
def graphs(draw: st.DrawFn) -> KnowledgeGraph:
    """Any small graph."""
    users, books, seen = (draw(vocabularies(described)) for described in (False, True, False))
    edges = {
        EdgeType("User", "RATED", "Book"): draw(edge_tables(users, books, 0)),
        EdgeType("User", "RATED", "Movie"): draw(edge_tables(users, seen, 1)),
        EdgeType("Book", "SIMILAR_TO", "Movie"): draw(edge_tables(books, seen, -1)),
        EdgeType("User", "SAME_AS", "User"): draw(edge_tables(users, users, -1)),
    }
    nodes = {"User": users, "Book": books, "Movie": seen}
    return KnowledgeGraph(OWN_SCHEMA, ("b", "f"), ("Book", "Movie"), nodes, edges, "collapse")


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(graph=graphs())
def test_any_small_graph_comes_back_equal(place: Place, graph: KnowledgeGraph) -> None:
    with place() as store:
        store.clear()
        store.write_graph(graph)
    with place() as store:
        assert store.read_graph().equals(graph)


def test_writing_again_changes_nothing_and_another_graph_is_refused(place: Place) -> None:
    graph = films()
    with place() as store:
        store.write_graph(graph)
        store.write_embeddings(vectors(graph), MORNING)
        store.write_recommendations(recommendations(), MORNING)
        before = store.stats()
    with place() as store:
        store.write_graph(films())
        pd.testing.assert_frame_equal(store.stats(), before)
        with pytest.raises(InputError, match="another.*clear") as caught:
            store.write_graph(tied())
        assert "\n" not in str(caught.value)
        assert store.read_graph().equals(graph)
        pd.testing.assert_frame_equal(store.stats(), before)


def test_counts_are_those_by_hand(place: Place) -> None:
    with place() as store:
        store.write_graph(films())
        assert counts(store) == {
            # ann in both domains, bob, cem; the test row of ann's f1 is held out
            ("nodes", "User"): 4, ("nodes", "Book"): 3, ("nodes", "Movie"): 3, ("nodes", "Genre"): 1,
            ("edges", "User RATED Book"): 3, ("edges", "User RATED Movie"): 3, ("edges", "Book HAS_GENRE Genre"): 2,
            ("edges", "User SAME_AS User"): 1,
        }  # fmt: skip


def test_what_is_written_says_how_far_it_is(place: Place) -> None:
    told: list[tuple[str, int, int]] = []
    with place() as store:
        store.write_graph(films(), lambda *said: told.append(said))
    for what, size in (("nodes", 11), ("edges", 9)):
        done = [(count, of) for kind, count, of in told if kind == what]
        assert done == sorted(done)
        assert done[-1] == (size, size)


def test_edges_at_a_node(place: Place) -> None:
    with place() as store:
        store.write_graph(films())
        store.write_recommendations(recommendations().head(1), MORNING)
        found = store.neighbours("User:books/ann")
        assert list(found) == ["head", "relation", "tail"]
        assert rows_of(found) == {
            ("User:books/ann", "RATED", "Book:books/b1"),
            ("User:books/ann", "RATED", "Book:books/b2"),
            ("User:books/ann", "SAME_AS", "User:films/ann"),
            ("User:books/ann", "RECOMMENDED", "Movie:films/f3"),
        }
        assert rows_of(store.neighbours("Book:books/b2")) == {
            ("Book:books/b2", "HAS_GENRE", "Genre:books/crime"),
            ("User:books/ann", "RATED", "Book:books/b2"),
            ("User:books/bob", "RATED", "Book:books/b2"),
        }
        assert len(store.neighbours("User:books/ann", limit=2)) == 2
        assert store.neighbours("Book:books/b3").empty
        with pytest.raises(InputError, match="User:books/nobody") as caught:
            store.neighbours("User:books/nobody")
        assert "\n" not in str(caught.value)


def test_edges_at_a_node_with_a_hostile_key(place: Place) -> None:
    with place() as store:
        store.write_graph(hostile())
        for text in identifiers():
            key = f'Recipe:dishes "🍜" `/{text}'
            found = store.neighbours(key)
            assert set(found["relation"]) == {"RATED", "TASTES"}
            assert set(found["head"]) | set(found["tail"]) > {key}


EAST, NORTH = np.array([10.0, 0, 0, 0]), np.array([0, 1.0, 0, 0])


def test_nearest_by_cosine(place: Place) -> None:
    graph = films()
    given = {
        "Book": NodeVectors(pd.Index(["Book:books/b1", "Book:books/b2"]), matrix([2, 0, 0, 0], [0, 1, 0, 0])),
        "Movie": NodeVectors(pd.Index(["Movie:films/f1"]), matrix([3, 4, 0, 0])),
        "User": NodeVectors(pd.Index(["User:books/bob"]), matrix([-1, 0, 0, 0])),
    }
    with place() as store:
        store.write_graph(graph)
        assert store.nearest("Item", EAST).empty
        store.write_embeddings(given, MORNING)
    with place() as store:
        found = store.nearest("Item", EAST)
        assert list(found) == ["key", "name", "similarity"]
        assert found["key"].tolist() == ["Book:books/b1", "Movie:films/f1", "Book:books/b2"]
        np.testing.assert_allclose(found["similarity"], [1, 0.6, 0], atol=1e-6)
        assert found["name"].isna().tolist() == [True, False, True]
        assert found["name"].iloc[1] == "Heat"
        assert store.nearest("Item", EAST, n=1)["key"].tolist() == ["Book:books/b1"]
        assert store.nearest("Movie", NORTH)["key"].tolist() == ["Movie:films/f1"]
        opposite = store.nearest("User", EAST)
        np.testing.assert_allclose(opposite["similarity"], [-1], atol=1e-6)
        with pytest.raises(InputError, match='unknown node type "Mvie"; did you mean "Movie"'):
            store.nearest("Mvie", NORTH)


@pytest.mark.parametrize("place", ["graph.lbug", NEO4J], indirect=True)
def test_values_of_a_query_are_nothing_but_values(place: Place) -> None:
    graph = hostile()
    with place() as store:
        assert store.language == "Cypher"
        store.write_graph(graph)
        text = "MATCH (n:Recipe) WHERE n.name = $name RETURN n.id AS id"
        for name, identifier in zip(HOSTILE.values(), identifiers(), strict=True):
            assert store.query(text, {"name": name})["id"].tolist() == [identifier]
        assert store.query(text, {"name": "' OR 1=1 //"}).empty
        with pytest.raises(InputError, match="name"):
            store.query(text)  # a value that is not given is no missing value
        assert store.query("RETURN '$no' AS a, \"it's $none\" AS b // $nor\n")["a"].tolist() == ["$no"]
        for broken in ("MATCH (n:Recipe RETURN n", "RETURN n.name", ""):
            with pytest.raises(InputError) as caught:
                store.query(broken)
            assert "\n" not in str(caught.value)
        assert store.read_graph().equals(graph)


@pytest.mark.parametrize("place", ["graph.lbug", NEO4J], indirect=True)
def test_a_query_only_reads(place: Place) -> None:
    graph = films()
    with place() as store:
        assert store.language == "Cypher"
        store.write_graph(graph)
        with pytest.raises(InputError):
            store.query("MATCH (n:User) DETACH DELETE n")
        assert store.read_graph().equals(graph)
