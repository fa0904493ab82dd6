from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgxfer.graph.combine import COMBINATIONS, collapse, disjoint, link_edges, same_as_edges
from kgxfer.graph.knowledge_graph import EdgeTable, connected_rows


def links(*pairs: tuple[int, int]) -> EdgeTable:
    source, target = (np.array([pair[end] for pair in pairs], dtype=np.int64) for end in (0, 1))
    return link_edges(source, target, np.full(len(pairs), 0.5), pd.Series(["hand"] * len(pairs)))


def test_link_edges_belong_to_no_domain_and_say_where_they_come_from() -> None:
    edges = links((0, 3), (1, 4))
    assert (edges.head.tolist(), edges.tail.tolist(), edges.domain.tolist()) == ([0, 1], [3, 4], [-1, -1])
    assert edges.properties.to_dict("list") == {"confidence": [0.5, 0.5], "method": ["hand", "hand"]}


def test_disjoint_ignores_the_links() -> None:
    joined = disjoint(4, links((0, 2)))
    assert joined.rows.tolist() == [0, 1, 2, 3]
    assert joined.identity is None


def test_same_as_edges_keep_every_node_and_every_link() -> None:
    edges = links((0, 2))
    joined = same_as_edges(4, edges)
    assert joined.rows.tolist() == [0, 1, 2, 3]
    assert joined.identity is edges
    assert same_as_edges(4, links()).identity is None


def test_collapse_joins_chains_and_numbers_by_first_appearance() -> None:
    # 0 - 3 - 1 - 4 is one chain; 2 and 5 stay alone.
    joined = collapse(6, links((0, 3), (1, 3), (1, 4)))
    assert joined.rows.tolist() == [0, 0, 1, 0, 0, 2]
    assert joined.identity is None
    assert collapse(3, links()).rows.tolist() == [0, 1, 2]


@given(st.integers(1, 12), st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=15))
def test_components_are_those_of_a_plain_search(size: int, pairs: list[tuple[int, int]]) -> None:
    pairs = [(head % size, tail % size) for head, tail in pairs]
    component = list(range(size))
    for head, tail in pairs:
        old, new = component[tail], component[head]
        component = [new if value == old else value for value in component]
    expected = [sorted(set(component), key=component.index).index(value) for value in component]
    assert connected_rows(links(*pairs), size).tolist() == expected


@pytest.mark.parametrize("name", COMBINATIONS)
def test_every_combination_gives_each_key_a_row_without_gaps(name: str) -> None:
    rows = COMBINATIONS[name](5, links((0, 3), (2, 4))).rows
    assert rows.shape == (5,)
    assert set(rows.tolist()) == set(range(rows.max() + 1))
