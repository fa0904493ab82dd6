"""Graphs on a real Neo4j server: written, read back equal, cleared, beside what else is in the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from graph_schema import SCHEMA, InputError, NodeType, Property, Relation
from kgxfer.bridges import propose_links
from kgxfer.graph import COMBINATIONS, KnowledgeGraph, build_graph
from kgxfer.splits import FixedFiles
from kgxfer.stores.neo4j import Neo4jStore
from tests.worlds import domain_of, pair_of

pytestmark = pytest.mark.neo4j
Stores = Callable[..., Neo4jStore]

ODD = {
    "b1": 'He said "no" and `yes`',
    "b2": "two\nlines\tand a \\ backslash",
    "b3": "🦊 \u202eété\u202c 图书",
    "b4": "",
    "b`5 🍜": "'}) DETACH DELETE n //",
    "b6": "x" * 10_240,
}
OWN_SCHEMA = SCHEMA.extend(
    [NodeType("Recipe", {"en": 'a "dish"'}, "Item", (Property("order", "integer", indexed=True),)), NodeType("Taste")],
    [Relation("TASTES", "Recipe", "Taste", properties=(Property("match", "integer"),))],
)


def odd_graph(combine: str = "same_as_edges") -> KnowledgeGraph:
    """Odd names and ids, missing names, times, ratings, years, an own schema with words of the language."""
    facts = pd.DataFrame(
        {
            "head_id": ["b1", "b2"],
            "head_type": "Recipe",
            "relation": "TASTES",
            "tail_id": ["süß", 'a"b'],
            "tail_type": "Taste",
            "tail_name": [None, "'quoted'"],
        }
    )
    dishes = domain_of(
        "dishes 🍜 `n`", "Recipe", {"ann": "b1:5 b2:4.5", "bob\n": "b1:3"}, items=list(ODD), names=ODD, facts=facts
    )
    times = dishes.interactions.assign(timestamp=[0, 1_700_000_000, 5])
    films = domain_of("films", "Movie", {"ann": "f1", "cem": "f1 f2"}, years={"f1": 1995}, genres={"f1": "g1"})
    dataset = pair_of(replace(dishes, interactions=times), films, test={"films": {"ann": "f1"}}, schema=OWN_SCHEMA)
    split = FixedFiles().split(dataset)
    return build_graph(split, propose_links(split, ["shared_id"]), combine)


@pytest.mark.parametrize("combine", COMBINATIONS)
def test_a_graph_comes_back_equal_and_goes_whole(neo4j_store: Stores, combine: str) -> None:
    graph, store = odd_graph(combine), neo4j_store()
    told: list[tuple[str, int, int]] = []
    store.write_graph(graph, lambda *said: told.append(said))
    assert [one for one in told if one[1] == one[2]] == [
        ("nodes", graph.node_count, graph.node_count),
        ("edges", graph.edge_count, graph.edge_count),
    ]
    back = store.read_graph()
    assert back.equals(graph)
    assert back.fingerprint == graph.fingerprint
    store.clear()
    with pytest.raises(InputError, match=rf'no graph "{store.graph}" in this database \(graphs: .*\); load it first'):
        store.read_graph()
    left = store.query("MATCH (n) WHERE n.graph = $graph RETURN count(*) AS count")
    assert left["count"].tolist() == [0]


def test_writing_twice_is_writing_once_and_another_graph_is_refused(neo4j_store: Stores) -> None:
    store = neo4j_store()
    store.write_graph(odd_graph())
    before = store.stats()
    store.write_graph(odd_graph(), lambda *said: pytest.fail("something was written"))
    pd.testing.assert_frame_equal(store.stats(), before)
    with pytest.raises(InputError, match="is another one in this database; clear it first, or use another name"):
        store.write_graph(odd_graph("disjoint"))
    assert store.read_graph().equals(odd_graph())
