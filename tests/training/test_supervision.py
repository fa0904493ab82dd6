"""What is predicted is not in the graph that predicts it; what is not predicted is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from graph_schema import InputError
from kgxfer.graph import USER, GraphTensors
from kgxfer.splits import Split
from kgxfer.training import Trainer
from kgxfer.training.supervision import AllEdges, HeldOut, HeldOutConfig, SupervisionConfig
from tests.networks import graph_of, small_split, tensors_of

HELD_OUT = {"share": 0.3, "hidden_share": 0.5, "negatives": 16, "rows_per_domain": 128}


def held_out(graph: GraphTensors, **settings: float) -> HeldOut:
    return HeldOut(HeldOutConfig(**{"negatives": 8, **settings}), graph, {})


def draws(supervision: HeldOut, count: int = 20) -> Iterator[Any]:
    for seed in range(count):
        yield supervision.draw(torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("combine", ["disjoint", "same_as_edges", "collapse"])
@pytest.mark.parametrize("one_type", [False, True])
def test_what_is_predicted_is_not_in_the_graph_and_the_rest_is(combine: str, one_type: bool) -> None:
    graph = tensors_of(small_split(one_type=one_type), combine)
    for draw in draws(held_out(graph, share=0.3, hidden_share=0.3)):
        drawn = {
            (part.domain, int(u), int(i))
            for part in draw.batch.parts
            for u, i in zip(part.users, part.items, strict=True)
        }
        visible, every = set(), set()
        for kind, domains in graph.edge_domain.items():
            adjacency, weights = draw.graph.adjacencies[kind], draw.graph.weights[kind]
            assert torch.equal(weights.weight > 0, weights.mask > 0)
            cells = zip(domains.tolist(), adjacency.rows.tolist(), adjacency.columns.tolist(), strict=True)
            for cell, mask in zip(cells, weights.mask.tolist(), strict=True):
                every.add(cell)
                if mask:
                    visible.add(cell)
        assert not drawn & visible and drawn | visible == every
        for kind in graph.relations:
            if kind not in graph.edge_domain:
                assert draw.graph.weights[kind] is graph.weights[kind]  # facts stay


def test_a_hidden_person_loses_exactly_one_domain() -> None:
    graph = tensors_of(small_split())
    overlapping = set(graph.overlapping_persons.tolist())
    assert len(overlapping) == 3  # Ann, Bob and Cid; Dan is cold, Sue, Tom and Eve are in one domain
    chosen, sides = [], []
    for draw in draws(held_out(graph, share=0.0, hidden_share=0.5, hidden_weight=3.0), 100):
        lost: dict[int, dict[int, set[float]]] = {}
        for kind, domains in graph.edge_domain.items():
            persons = graph.persons[graph.adjacencies[kind].rows].tolist()
            for person, domain, mask in zip(
                persons, domains.tolist(), draw.graph.weights[kind].mask.tolist(), strict=True
            ):
                lost.setdefault(person, {}).setdefault(domain, set()).add(mask)
        hidden = {person: by_domain for person, by_domain in lost.items() if {0.0} in by_domain.values()}
        assert set(hidden) <= overlapping
        assert all(sorted(map(sorted, by_domain.values())) == [[0.0], [1.0]] for by_domain in hidden.values())
        others = [masks for person, by_domain in lost.items() if person not in hidden for masks in by_domain.values()]
        assert all(masks == {1.0} for masks in others)
        assert all(part.weight.eq(3.0).all() for part in draw.batch.parts)
        chosen.append(len(hidden) / len(overlapping))
        sides += [
            next(domain for domain, masks in by_domain.items() if masks == {0.0}) for by_domain in hidden.values()
        ]
    # 300 persons and about 150 sides, each with probability one half: five standard errors.
    assert np.mean(chosen) == pytest.approx(0.5, abs=0.15) and np.mean(sides) == pytest.approx(0.5, abs=0.2)


def test_the_share_held_out_is_the_setting(board_split: Split) -> None:
    graph = tensors_of(board_split)
    edges = sum(len(domains) for domains in graph.edge_domain.values())
    held = [1 - sum(float(draw.graph.masks[kind].sum()) for kind in graph.edge_domain) / edges
            for draw in draws(held_out(graph, share=0.2, hidden_share=0.0), 50)]  # fmt: skip
    # About 5,000 independent edges: five standard errors are 0.03.
    assert np.mean(held) == pytest.approx(0.2, abs=0.03)
    assert np.std(held) > 0
    assert held_out(graph, share=0.2).steps_per_epoch == 5


def test_holding_nothing_out_is_refused() -> None:
    with pytest.raises(InputError, match="share and hidden_share are both 0"):
        Trainer(supervision="held_out", supervision_settings={"share": 0, "hidden_share": 0})


@pytest.mark.parametrize("one_type", [False, True])
def test_negatives_are_items_of_the_domain(one_type: bool) -> None:
    split = small_split(one_type=one_type)
    graph, joined = tensors_of(split), graph_of(split)
    for draw in draws(held_out(graph, share=0.5, negatives=64), 5):
        for part in draw.batch.parts:
            items = split.dataset.domains[part.domain].items["item_id"].to_numpy()
            assert set(part.negatives.tolist()) == set(joined.item_rows(part.domain, items).tolist())


def test_all_edges_predicts_what_it_sees() -> None:
    graph = tensors_of(small_split())
    ratings = {kind: torch.arange(len(domains)).float() for kind, domains in graph.edge_domain.items()}
    supervision = AllEdges(SupervisionConfig(negatives=4), graph, ratings)
    draw = supervision.draw(torch.Generator().manual_seed(0), 0.25)
    assert draw.graph is graph and draw.batch.progress == 0.25 and supervision.steps_per_epoch == 1
    for part in draw.batch.parts:
        kind = graph.interaction_type(part.domain)
        adjacency = graph.adjacencies[kind]
        assert torch.equal(part.users, adjacency.rows) and torch.equal(part.items, adjacency.columns)
        assert part.weight.eq(1).all() and part.rating is not None and torch.equal(part.rating, ratings[kind])
    edges = 10 + 10  # rows of the books; of the films without Dan's two
    for item_type in ("Book", "Movie"):
        torch.testing.assert_close(draw.batch.touched[item_type], graph.popularity[item_type] / edges)
    assert float(draw.batch.touched[USER].sum()) == pytest.approx(1)
    some = AllEdges(SupervisionConfig(rows_per_domain=3, negatives=4), graph, {})
    assert some.steps_per_epoch == 3
    parts = some.draw(torch.Generator().manual_seed(0)).batch.parts
    for part in parts:
        adjacency = graph.adjacencies[graph.interaction_type(part.domain)]
        cells = list(zip(adjacency.rows.tolist(), adjacency.columns.tolist(), strict=True))
        drawn = list(zip(part.users.tolist(), part.items.tolist(), strict=True))
        assert len(set(drawn)) == 3 and set(drawn) <= set(cells)
