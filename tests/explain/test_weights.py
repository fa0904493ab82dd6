"""What paths weigh, against walks enumerated one by one and against the encoder itself."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_schema.tables import IDENTITY
from kgxfer.explain.search import Search, SearchConfig
from kgxfer.explain.walks import NONE, Walks
from kgxfer.explain.weigh import weigh
from kgxfer.graph import USER, GraphTensors, KnowledgeGraph
from kgxfer.recommender import Catalogue, Propagation, Recommender
from kgxfer.splits import Split
from kgxfer.training.freeze import freeze
from tests.networks import graph_of, network_of, small_split
from tests.worlds import Likes

Edge = tuple[int, int, float, bool]
"""Receiver, sender, weight of the message, whether it is an identity link."""


def trained(split: Split, combine: str = "same_as_edges", layers: int = 2) -> tuple[KnowledgeGraph, Recommender]:
    """A relational network with start values far from nothing and gates of its own, frozen."""
    graph = graph_of(split, combine)
    tensors = GraphTensors.of(graph)
    network = network_of(tensors, dim=3, encoder_settings={"initial_deviation": 1.0, "layers": layers})
    with torch.no_grad():
        for number, gate in enumerate(network.encoder.gates.parameters()):  # type: ignore[union-attr]
            gate.fill_(0.4 + 0.1 * (number % 7))
        network.scorer.scale.fill_(1.5)
    return graph, freeze(network, tensors, graph, Catalogue.of(split), [], explainable=True)


def weighed(graph: KnowledgeGraph, recommender: Recommender) -> tuple[Walks, np.ndarray, Propagation]:
    how = recommender.propagation
    assert how is not None
    walks = Walks.of(graph, how.gates, how.layers)
    return walks, walks.spread(how.embeddings), how


def messages_by_hand(graph: KnowledgeGraph, how: Propagation, starts: dict[str, int]) -> list[Edge]:
    """The same messages, in the same order, from the definition of the encoder alone."""
    found: list[Edge] = []
    for kind, edges in graph.edges.items():
        ends = list(zip(edges.head.tolist(), edges.tail.tolist(), strict=True))
        for head, tail in ends:
            of_head, of_tail = (sum(end[side] == one for end in ends) for side, one in ((0, head), (1, tail)))
            same = kind.relation == IDENTITY
            weight = 1 / max(of_head, of_tail) if same else 1 / sqrt(of_head * of_tail)
            name = " ".join(kind)
            gates = [how.gates[f"{kind.head} {IDENTITY}" if same else f"{name} to_{end}"] for end in ("head", "tail")]
            pair = (starts[kind.head] + head, starts[kind.tail] + tail)
            found += [(*pair, weight * gates[0], same), (*pair[::-1], weight * gates[1], same)]
    return found


def walks_from(node: int, edges: list[Edge], layers: int) -> Iterator[tuple[tuple[int, ...], int, float]]:
    """Every walk as (messages, where it ends, weight): at most `layers` hops, one identity step between two of them."""
    frontier: list[tuple[tuple[int, ...], int, float, int, bool]] = [((), node, 1.0, 0, False)]
    received: dict[int, list[tuple[int, int, float, bool]]] = {}
    for number, (receiver, sender, own, same) in enumerate(edges):
        received.setdefault(receiver, []).append((number, sender, own, same))
    while frontier:
        walk, end, weight, hops, rested = frontier.pop()
        yield walk, end, weight
        for number, sender, own, same in received.get(end, []):
            if not rested if same else hops < layers:
                frontier.append(((*walk, number), sender, weight * own, hops + (not same), same))


def pairs_of_walks(
    walks: Walks, how: Propagation, edges: list[Edge], user: int, item: int
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], float]]:
    vectors = np.zeros((walks.node_count, next(iter(how.embeddings.values())).shape[1]))
    for kind, table in how.embeddings.items():
        vectors[walks.starts[kind] : walks.starts[kind] + len(table)] = table
    behind = list(walks_from(item, edges, how.layers))
    for one, end, weight in walks_from(user, edges, how.layers):
        for other, meeting, own in behind:
            yield one, other, weight * own * float(vectors[end] @ vectors[meeting])


def simple_paths(walks: Walks, edges: list[Edge], user: int, item: int, hops: int) -> set[tuple[int, ...]]:
    """Paths as the search has them, by trying everything."""
    found = set()
    limit = hops + 1
    for walk, end, _ in walks_from(user, edges, limit):
        nodes = [user, *(edges[number][1] for number in walk)]
        own = [place for place, node in enumerate(nodes) if walks.person[node] == walks.person[user]]
        first = next((number for number in walk if not edges[number][3]), None)
        began = len(own) == (2 if walk and edges[walk[0]][3] else 1)
        if end != item or len(set(nodes)) < len(nodes) or first is None or not began:
            continue
        if walks.interaction[first] and len(walk) - edges[walk[0]][3] > 1:
            found.add(walk)
    return found


likes = st.dictionaries(
    st.sampled_from(["ann", "bob", "cid", "tom"]),
    st.lists(st.sampled_from(["f0", "f1", "f2"]), min_size=1, max_size=3, unique=True).map(" ".join),
    min_size=1,
)


@given(films=likes, combine=st.sampled_from(["same_as_edges", "collapse", "disjoint"]), layers=st.integers(1, 2))
@settings(max_examples=8)
def test_all_walks_together_are_the_score(films: Likes, combine: str, layers: int) -> None:
    graph, recommender = trained(small_split({**films, "dan": "f2 f0"}), combine, layers)
    walks, vectors, how = weighed(graph, recommender)
    edges = messages_by_hand(graph, how, walks.starts)
    by_hand = (np.array([edge[place] for edge in edges]) for place in (0, 1, 2))
    for one, other in zip((walks.receiver, walks.sender, walks.weight), by_hand, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    user = walks.starts[USER] + int(graph.user_rows_anywhere(1, ["ann"])[0])
    item = walks.starts["Movie"] + int(graph.item_rows(1, ["f2"])[0])
    every = list(pairs_of_walks(walks, how, edges, user, item))
    scored = recommender.vectors[1]
    place, column = recommender.catalogue.user_ids.get_loc("ann"), recommender.catalogue.item_index(1).get_loc("f2")
    score = float(scored.users[place] @ scored.items[column])
    assert sum(value for _, _, value in every) == pytest.approx(score, rel=1e-4, abs=1e-5)
    assert float(vectors[0, -1, user] @ vectors[0, -1, item]) == pytest.approx(score, rel=1e-4, abs=1e-5)
    found = Search(walks, SearchConfig(hops=2)).paths(np.array([user]), np.array([item]))
    paths = [tuple(row[row != NONE].tolist()) for row in found.messages]
    assert set(paths) == simple_paths(walks, edges, user, item, 2) and len(set(paths)) == len(paths)
    weights = weigh(walks, vectors, np.full(len(paths), user), np.full(len(paths), item), found.messages)
    for number, path in enumerate(paths):
        carried = sum(value for one, other, value in every if covers(path, one, other))
        assert weights.carried[number] == pytest.approx(carried, rel=1e-3, abs=1e-5)
        reached = len(path[: 1 + edges[path[0]][3]])
        owed = sum(value for one, _, value in every if one[:reached] == path[:reached])
        assert weights.owed[number] == pytest.approx(owed, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("hops", [1, 3, 4])
def test_no_path_is_missed(hops: int) -> None:
    graph, recommender = trained(small_split())
    walks, _, how = weighed(graph, recommender)
    edges = messages_by_hand(graph, how, walks.starts)
    people, films = ["ann", "sue", "eve"], ["f0", "f1", "f2"]
    users = walks.starts[USER] + graph.user_rows_anywhere(1, [user for user in people for _ in films])
    items = walks.starts["Movie"] + graph.item_rows(1, films * len(people))
    bounds = dict.fromkeys(("beam", "fan", "ways", "candidates"), 10**6)
    found = Search(walks, SearchConfig(hops=hops, **bounds)).paths(users, items)
    for pair, (user, item) in enumerate(zip(users.tolist(), items.tolist(), strict=True)):
        paths = [tuple(row[row != NONE].tolist()) for row in found.messages[found.pair == pair]]
        assert set(paths) == simple_paths(walks, edges, user, item, hops) and len(set(paths)) == len(paths)
    few = Search(walks, SearchConfig(hops=hops, candidates=1)).paths(users, items)
    assert few.pair.tolist() == np.unique(found.pair).tolist()


def covers(path: tuple[int, ...], one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two walks have every edge of a path between them, along it from either end."""
    back = tuple(message ^ 1 for message in reversed(path))
    return any(one[:cut] == path[:cut] and other[: len(path) - cut] == back[: len(path) - cut]
               for cut in range(len(path) + 1))


def test_a_row_of_reach_times_the_embeddings_is_the_vector() -> None:
    graph, recommender = trained(small_split(), layers=3)
    walks, vectors, how = weighed(graph, recommender)
    start = np.zeros((walks.node_count, 3))
    for kind, table in how.embeddings.items():
        start[walks.starts[kind] : walks.starts[kind] + len(table)] = table
    nodes = np.arange(walks.node_count)
    np.testing.assert_allclose(walks.reach(nodes) @ start, vectors[0, 3], rtol=1e-4, atol=1e-5)


def test_weights_of_a_path_by_hand() -> None:
    """Sue read b0 and b2; of b0 and f0 the genre is g0, which each domain has, joined by an identity link."""
    split = small_split()
    graph = graph_of(split)
    walks = Walks.of(graph, {}, layers=2)
    user = walks.starts[USER] + int(graph.user_rows_anywhere(1, ["sue"])[0])
    item = walks.starts["Movie"] + int(graph.item_rows(1, ["f0"])[0])
    found = Search(walks, SearchConfig(hops=2, through="facts")).paths(np.array([user]), np.array([item]))
    assert len(found.pair) == 1
    # b0 has 3 readers, Sue 2 books, b0 2 genres and g0 2 books; among the films g0 has one film, of one genre.
    steps = [1 / sqrt(3 * 2), 1 / sqrt(2 * 2), 1.0, 1 / sqrt(1 * 1)]
    taken = found.messages[0][found.messages[0] != NONE]
    assert walks.weight[taken].tolist() == pytest.approx(steps)
    weights = weigh(walks, None, np.array([user]), np.array([item]), found.messages)
    assert weights.owed.tolist() == pytest.approx([1 / sqrt(6)])
    # With p = 1, s, s/2, s/2 from Sue's end (three hops are too many) and q = 1/2, 1, 1, 1 from f0's, s = 1/sqrt(6):
    # three nodes where they meet, s/2 each; less the two edges that both may take, s/2 (identity) and s/4 (b0 to g0).
    assert weights.carried.tolist() == pytest.approx([3 / (4 * sqrt(6))])
    assert weights.strength.tolist() == pytest.approx([sqrt(1 / sqrt(6) * 3 / (4 * sqrt(6)))])
