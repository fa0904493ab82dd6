"""Graphs that every kind of store is given, and how the tests look at what it says of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import numpy as np
import pandas as pd
import pytest

from graph_schema import SCHEMA, EdgeType, NodeType, Property, Relation
from kgxfer.bridges import propose_links
from kgxfer.graph import COMBINATIONS, EdgeTable, KnowledgeGraph, Vocabulary, build_graph
from kgxfer.splits import FixedFiles
from kgxfer.stores import GraphStore, NodeVectors, Run
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
