"""A graph as tables and back, whatever order the tables come in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from graph_schema import EdgeType, InputError
from kgxfer.bridges import propose_links
from kgxfer.graph import COMBINATIONS, KnowledgeGraph, build_graph
from kgxfer.splits import FixedFiles
from kgxfer.stores.contents import description_of, edge_table, graph_from, node_table
from tests.graph.test_storage import odd_graph
from tests.worlds import domain_of, pair_of


def tables_of(graph: KnowledgeGraph) -> tuple[dict[str, pd.DataFrame], dict[EdgeType, pd.DataFrame]]:
    nodes = {kind: node_table(graph, kind) for kind in graph.nodes}
    return nodes, {kind: edge_table(graph, kind) for kind in graph.edges}


@pytest.mark.parametrize("combine", COMBINATIONS)
def test_a_graph_comes_back_equal_from_shuffled_tables(combine: str) -> None:
    graph = odd_graph(combine)
    nodes, edges = tables_of(graph)
    shuffled = {kind: table.sample(frac=1, random_state=3) for kind, table in nodes.items()}
    mixed = {kind: table.sample(frac=1, random_state=4) for kind, table in edges.items()}
    back = graph_from(description_of(graph), shuffled, mixed)
    assert graph.equals(back)
    assert back.fingerprint == graph.fingerprint


def test_years_reach_the_graph_and_stay_with_their_own_key() -> None:
    likes = {"ann": "m1 m2", "bob": "m1"}
    books = domain_of("books", "Movie", likes, names={"m1": "Heat", "m2": "Ran"}, years={"m1": 1995})
    films = domain_of("films", "Movie", {"ann": "m1", "cem": "m1"}, names={"m1": "Heat, the film"}, years={"m1": 1996})
    split = FixedFiles().split(pair_of(books, films, test={"films": {"ann": "m1"}}))
    graph = build_graph(split, propose_links(split, ["shared_id"]), "collapse")
    keys = graph.nodes["Movie"].keys
    assert keys["year"].tolist()[:1] + keys["year"].tolist()[2:] == [1995, 1996]
    assert keys["year"].isna().tolist() == [False, True, False]
    table = node_table(graph, "User")
    assert table["domain"].tolist() == [["books", "films"], ["books"], ["films"]]
    assert table["aliases"].tolist() == ['[{"domain": "films", "id": "ann", "name": null, "place": 2}]', None, None]
    nodes, edges = tables_of(graph)
    assert graph.equals(graph_from(description_of(graph), nodes, edges))


def test_a_part_of_a_graph_is_refused() -> None:
    graph = odd_graph()
    nodes, edges = tables_of(graph)
    with pytest.raises(InputError, match=r"Movie: 1 of 2 are there"):
        graph_from(description_of(graph), {**nodes, "Movie": nodes["Movie"].head(1)}, edges)
    kind = next(iter(edges))
    with pytest.raises(InputError, match=f"{' '.join(kind)}: 0 of {len(edges[kind])}"):
        graph_from(description_of(graph), nodes, {**edges, kind: edges[kind].head(0)})


def test_the_fingerprint_sees_order_and_values() -> None:
    graph = odd_graph()
    kind = next(iter(graph.edges))
    table = graph.edges[kind]
    turned = type(table)(table.head[::-1], table.tail[::-1], table.domain[::-1], table.properties.iloc[::-1])
    other = KnowledgeGraph(
        graph.schema, graph.domain_names, graph.item_types, graph.nodes, {**graph.edges, kind: turned},
        graph.combination,
    )
    assert len(table) > 1
    assert not np.array_equal(turned.head, table.head)
    assert other.fingerprint != graph.fingerprint
