"""What every store does, whichever it is: one contract over all of them.

A store is opened anew for each step, so that what is read is what was kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph_schema import SCHEMA, EdgeType, InputError, NodeType, Property, Relation
from kgxfer.bridges import propose_links
from kgxfer.graph import COMBINATIONS, EdgeTable, KnowledgeGraph, Vocabulary, build_graph
from kgxfer.splits import FixedFiles
from kgxfer.stores import GraphStore, NodeVectors, Run, open_store
from loaders import DomainTables
from tests.worlds import domain_of, pair_of

Place = Callable[[], GraphStore]
"""Opens one and the same store again and again."""

NEO4J = pytest.param("neo4j", marks=pytest.mark.neo4j)
FILES = ("graph.lbug", "graph.json", "graph.nt", "graph.oxigraph")
MORNING, EVENING = Run("morning", "relational", datetime(2026, 5, 4, 8, 30, tzinfo=UTC)), Run("evening 🌙", 'a "model"')

HOSTILE = {
    "quotes": "He said \"no\", 'never' and `not at all`",
    "lines": "two\nlines,\r\n\ta tab and a \\ backslash\\",
    "cypher": "'}) DETACH DELETE n; MATCH (n) DROP TABLE `User`; //",
    "sparql": '"} ; DROP ALL ; <http://example.org/x> "a"@en ^^',
    "right to left": "\u202eשלום\u200f עולם\u202c",
    "emoji": "🦊 👩‍👩‍👧 été 图书",
    "long": "x" * 10_000 + "é",
    "parameters": "$key {name} %s \\u0041 &amp;",
    "empty": "",
}
OWN_SCHEMA = SCHEMA.extend(
    [
        NodeType(
            "Recipe",
            {"en": 'a "dish"', "zh": "菜"},
            "Item",
            (
                Property("minutes", "float"), Property("spice", "integer"), Property("end", "string"),
                Property("served", "year"),
            ),  # fmt: skip
        ),
        NodeType("Taste", parent="Entity", comment="one\nor two lines"),
        NodeType("Shelf", comment="declares no name"),
    ],
    [
        Relation("TASTES", "Recipe", "Taste", {"en": "tastes"}, symmetric=True),
        Relation("STANDS_ON", "Recipe", "Shelf"),
    ],
)


@pytest.fixture(params=[*FILES, NEO4J])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A store of each kind, with nothing in it."""
    if request.param == "neo4j":
        make, name = request.getfixturevalue("neo4j_store"), f"test {uuid4()}"
        yield lambda: make(name)
    else:
        yield lambda: open_store(str(tmp_path / request.param))


def identifiers() -> list[str]:
    """The hostile texts as ids: not empty, and of a length by which databases can look nodes up."""
    return [text[-2_000:] or "none" for text in HOSTILE.values()]


def hostile(combine: str = "same_as_edges") -> KnowledgeGraph:
    """Everything that a store could lose or take for a statement, in ids, names, domains and properties."""
    ids = identifiers()
    items = pd.DataFrame({"item_id": [*ids, "nameless"], "name": [*HOSTILE.values(), None]}).assign(
        minutes=[0.1, np.nan, *range(len(ids) - 1)],
        spice=pd.array([2**53 + 1, None, *range(len(ids) - 1)], dtype="Int64"),
        end=["", None, *ids[1:]],
        served=pd.array([1999, None, *range(len(ids) - 1)], dtype="Int64"),
    )
    rows = pd.DataFrame({"user_id": [*ids, "ann"], "item_id": [*ids[::-1], "nameless"]}).assign(
        rating=[5, 4.5, 0.1, *[1] * (len(ids) - 2)], timestamp=[0, 1_700_000_000, *range(len(ids) - 1)]
    )
    facts = pd.DataFrame({"head_id": ids, "tail_id": ids[::-1], "tail_name": [*HOSTILE.values()]})
    facts = facts.assign(head_type="Recipe", relation="TASTES", tail_type="Taste")
    dishes = DomainTables.from_frames(
        'dishes "🍜" `', rows, item_type="Recipe", items=items, facts=pd.concat([facts, facts.head(2)])
    )
    films = domain_of("films'\n", "Movie", {"ann": "f1", ids[0]: "f1 f2"}, names={"f1": "Heat"}, years={"f1": 1995})
    return graph_of(dishes, films, combine)


def graph_of(source: DomainTables, target: DomainTables, combine: str) -> KnowledgeGraph:
    held = {target.domain: {target.interactions["user_id"].iloc[0]: target.interactions["item_id"].iloc[0]}}
    split = FixedFiles().split(pair_of(source, target, schema=OWN_SCHEMA, test=held))
    return build_graph(split, propose_links(split, ["shared_id", "same_name"]), combine)


def films() -> KnowledgeGraph:
    """Two people, three books, three films, a genre: counted by hand in the tests."""
    genres = {"b1": "crime", "b2": "crime"}
    books = domain_of("books", "Book", {"ann": "b1:5 b2:3", "bob": "b2:4"}, items=["b3"], genres=genres)
    seen = domain_of("films", "Movie", {"ann": "f1 f2", "cem": "f1 f3"}, names={"f1": "Heat"})
    return graph_of(books, seen, "same_as_edges")


def empty() -> KnowledgeGraph:
    """Types of nodes and edges that the graph knows of and has none of."""
    graph, none = films(), np.empty(0, dtype=np.int64)
    fact, rated = EdgeType("Book", "HAS_GENRE", "Genre"), graph.interaction_type(1)
    properties = {kind: graph.edges[kind].properties.head(0) for kind in (fact, rated)}
    nothing = {kind: EdgeTable(none, none, none.astype(np.int8), table) for kind, table in properties.items()}
    genres = Vocabulary(graph.nodes["Genre"].keys.head(0), 0)
    return replace(graph, nodes={**graph.nodes, "Genre": genres}, edges={**graph.edges, **nothing})


def one_type() -> KnowledgeGraph:
    """Both domains have items of one type, one of them with ratings; a film and a user are in both."""
    first = domain_of("old", "Movie", {"ann": "m1:4.5 m2:3", "cem": "m2:1"}, names={"m1": "Heat"}, years={"m1": 1995})
    second = domain_of("new", "Movie", {"ann": "m1", "bob": "m1 m3"}, names={"m1": "Heat"}, years={"m1": 1996})
    return graph_of(first, second, "collapse")


def tied() -> KnowledgeGraph:
    """A book and a film of one title, which are alike."""
    books = domain_of("books", "Book", {"ann": "b1", "cem": "b1"}, names={"b1": "The Firm"})
    seen = domain_of("films", "Movie", {"ann": "f1", "bob": "f1"}, names={"f1": "The Firm"})
    return graph_of(books, seen, "same_as_edges")


def nameless() -> KnowledgeGraph:
    """Nodes with names, of a type that declares none."""
    shelf = {"head_id": "r1", "head_type": "Recipe", "relation": "STANDS_ON", "tail_id": "s1", "tail_type": "Shelf"}
    facts = pd.DataFrame([{**shelf, "tail_name": "top"}])
    dishes = domain_of("dishes", "Recipe", {"ann": "r1", "cem": "r1"}, facts=facts)
    return graph_of(dishes, domain_of("films", "Movie", {"ann": "f1", "bob": "f1"}), "same_as_edges")


WORLDS: dict[str, Callable[[], KnowledgeGraph]] = {
    **{f"hostile, {combine}": partial(hostile, combine) for combine in COMBINATIONS},
    "films": films,
    "types without nodes or edges": empty,
    "one type of items": one_type,
    "a book and its film": tied,
    "a type that declares no name": nameless,
}


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


def test_embeddings_and_recommendations_of_two_runs_come_and_go(place: Place) -> None:
    graph = films()
    first, second = vectors(graph), {"Book": vectors(graph, seed=2)["Book"]}
    with place() as store:
        store.write_graph(graph)
        assert store.read_embeddings() == {}
        store.write_embeddings(first, MORNING)
        store.write_recommendations(recommendations(), MORNING)
    with place() as store:
        assert_vectors(store.read_embeddings(), first)
        store.write_embeddings(second, EVENING)
        store.write_recommendations(recommendations().tail(1), EVENING)
        assert_vectors(store.read_embeddings(), {**first, "Book": second["Book"]})
        assert back(store) == {
            ("recommendations", "morning"): 3, ("recommendations", EVENING.name): 1,
            ("embeddings", "morning"): 4, ("embeddings", EVENING.name): 3,
        }  # fmt: skip
        store.write_recommendations(recommendations().head(2), MORNING)  # in place of the three
        assert back(store)["recommendations", "morning"] == 2
        assert store.read_graph().equals(graph)
    with place() as store:
        gone = store.undo("morning")
        assert dict(zip(gone["what"], gone["count"], strict=True)) == {"recommendations": 2, "embeddings": 4}
    with place() as store:
        assert back(store) == {("recommendations", EVENING.name): 1, ("embeddings", EVENING.name): 3}
        assert_vectors(store.read_embeddings(), second)
        with pytest.raises(InputError, match=f'"morning".*{EVENING.name}') as caught:
            store.undo("morning")
        assert "\n" not in str(caught.value)
        store.undo(EVENING.name)
    with place() as store:
        assert back(store) == {}
        assert store.read_embeddings() == {}
        assert store.read_graph().equals(graph)


def test_vectors_of_another_length_take_the_place_of_those_that_are_gone(place: Place) -> None:
    graph = films()
    with place() as store:
        store.write_graph(graph)
        store.write_embeddings(vectors(graph), MORNING)
        store.undo("morning")
        longer = vectors(graph, dim=6)
        store.write_embeddings(longer, EVENING)
        assert_vectors(store.read_embeddings(), longer)


def test_what_names_an_unknown_node_is_refused_whole(place: Place) -> None:
    graph = films()
    with place() as store:
        store.write_graph(graph)
        store.write_recommendations(recommendations(), MORNING)
        lost = recommendations().assign(tail=["Movie:films/f1", "Movie:films/f9", "Movie:films/f2"])
        with pytest.raises(InputError, match="Movie:films/f9") as caught:
            store.write_recommendations(lost, MORNING)
        assert "\n" not in str(caught.value)
        with pytest.raises(InputError, match="Spoon"):
            store.write_recommendations(lost.assign(tail="Spoon:films/f9"), MORNING)
        stray = NodeVectors(pd.Index(["Book:books/b1", "Book:books/b9"]), np.eye(2, dtype=np.float32))
        with pytest.raises(InputError, match="Book:books/b9"):
            store.write_embeddings({"Book": stray}, MORNING)
    with place() as store:
        assert back(store) == {("recommendations", "morning"): 3}
        assert store.read_embeddings() == {}


def test_what_is_cleared_is_gone_and_the_place_can_be_used_again(place: Place) -> None:
    graph = films()
    with place() as store:
        store.clear()  # nothing there is no error
        store.write_graph(graph)
        store.write_embeddings(vectors(graph), MORNING)
        store.write_recommendations(recommendations(), MORNING)
    with place() as store:
        store.clear()
    with place() as store:
        for asked in (store.read_graph, store.stats, store.read_embeddings, lambda: store.undo("morning")):
            with pytest.raises(InputError) as caught:
                asked()
            assert "\n" not in str(caught.value)
        with pytest.raises(InputError):
            store.write_recommendations(recommendations(), MORNING)
        other = tied()
        store.write_graph(other)
    with place() as store:
        assert store.read_graph().equals(other)
        assert back(store) == {}


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


def vectors(graph: KnowledgeGraph, dim: int = 4, seed: int = 1) -> dict[str, NodeVectors]:
    """Vectors of all users and books."""
    random = np.random.default_rng(seed)
    keys = {"User": ["books/ann", "books/bob", "films/ann", "films/cem"], "Book": ["books/b1", "books/b2", "books/b3"]}
    return {
        kind: NodeVectors(
            pd.Index([f"{kind}:{key}" for key in names]), random.normal(size=(len(names), dim)).astype(np.float32)
        )
        for kind, names in keys.items()
    }


def matrix(*rows: list[int]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def recommendations() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "head": ["User:books/ann", "User:books/bob", "User:books/bob"],
            "tail": ["Movie:films/f3", "Movie:films/f1", "Movie:films/f2"],
            "score": [0.5, 0.25, 0.125],
            "rank": [1, 1, 2],
        }
    )


def rows_of(table: pd.DataFrame) -> set[tuple[str, ...]]:
    rows = [tuple(row) for row in table.itertuples(index=False)]
    assert len(set(rows)) == len(rows)
    return set(rows)


def counts(store: GraphStore) -> dict[tuple[str, str], int]:
    table = store.stats()
    assert list(table) == ["kind", "name", "count"]
    return {(row.kind, row.name): row.count for row in table.itertuples(index=False, name="Row")}


def back(store: GraphStore) -> dict[tuple[str, str], int]:
    """What was written back, by kind and run."""
    return {key: count for key, count in counts(store).items() if key[0] in ("recommendations", "embeddings") and count}


def assert_vectors(found: dict[str, NodeVectors], given: dict[str, NodeVectors]) -> None:
    assert set(found) == set(given)
    for kind, one in given.items():
        assert found[kind].keys.tolist() == one.keys.tolist()
        assert found[kind].vectors.dtype == np.float32
        np.testing.assert_array_equal(found[kind].vectors, one.vectors)
