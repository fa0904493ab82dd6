"""Fusion by hand, and what it is before it has learned."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from kgxfer.graph import USER, GraphTensors
from kgxfer.model import RECOMMENDATION
from kgxfer.splits import Split
from kgxfer.stages import Fusion
from kgxfer.stages.fusion import FusionConfig
from tests.networks import all_edges, network_of, small_split, tensors_of
from tests.stages.drawn import COMBINATIONS, DIM, context_of, random_embeddings, values


@pytest.mark.parametrize("combine", COMBINATIONS)
def test_fusion_starts_as_the_identity(combine: str) -> None:
    graph = tensors_of(small_split(), combine)
    embeddings = random_embeddings(graph)
    stage = Fusion(FusionConfig(), graph, DIM)
    fused = stage(embeddings, all_edges(graph), context_of(graph)).embeddings
    assert all(torch.equal(fused[kind], embeddings[kind]) for kind in embeddings)
    assert list(stage.notes().values()) == [0.0]


def test_a_step_moves_fusion_away_from_the_identity(graph: GraphTensors) -> None:
    network = network_of(graph, "mf", "fusion")
    before = network.embed(graph)[USER]
    loss = network.losses(graph, all_edges(graph), [RECOMMENDATION])[RECOMMENDATION]
    torch.autograd.backward(loss)
    fusion = network.stages["fusion"]
    torch.optim.Adam(fusion.parameters(), lr=0.01).step()
    assert not torch.allclose(network.embed(graph)[USER], before, atol=1e-4)
    after = network.losses(graph, all_edges(graph), [RECOMMENDATION])[RECOMMENDATION]
    assert after.item() < loss.item()


def opened(graph: GraphTensors) -> Fusion:
    """A fusion with weights that are far from the start."""
    stage = Fusion(FusionConfig(), graph, DIM)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in stage.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return stage


@pytest.mark.parametrize("combine", COMBINATIONS)
def test_fusion_by_hand(combine: str) -> None:
    """z' = z + sigmoid(G c) * W c with c = [z ; v_source ; v_target], all with loops."""
    graph = tensors_of(small_split(), combine)
    embeddings, stage = random_embeddings(graph), opened(graph)
    users = values(embeddings[USER])
    joined = [users]
    for domain in (0, 1):
        kind = graph.interaction_type(domain)
        adjacency, view = graph.adjacencies[kind], np.zeros((graph.person_count, DIM))
        edges = list(zip(adjacency.rows.tolist(), adjacency.columns.tolist(), strict=True))
        for row, column in edges:
            degrees = sum(head == row for head, _ in edges) * sum(tail == column for _, tail in edges)
            view[graph.persons[row]] += values(embeddings[kind.tail][column]) / math.sqrt(degrees)
        joined.append(view[graph.persons.numpy()])
    c = np.hstack(joined)
    gate = 1 / (1 + np.exp(-(c @ values(stage.gate.weight).T + values(stage.gate.bias))))
    expected = users + gate * (c @ values(stage.mix.weight).T)
    result = stage.infer(embeddings, context_of(graph))
    np.testing.assert_allclose(values(result[USER]), expected, rtol=1e-4, atol=1e-5)
    change = np.linalg.norm(expected - users, axis=1).mean() / np.linalg.norm(users, axis=1).mean()
    assert list(stage.notes().values()) == pytest.approx([change], rel=1e-4)


def test_fusion_is_the_same_for_linked_and_for_collapsed_people(split: Split) -> None:
    linked, collapsed = tensors_of(split), tensors_of(split, "collapse")
    assert linked.person_count == collapsed.node_counts[USER] < linked.node_counts[USER]
    embeddings = random_embeddings(collapsed)
    of_linked = {**embeddings, USER: embeddings[USER][linked.persons]}
    ours = opened(linked).infer(of_linked, context_of(linked))[USER]
    theirs = opened(collapsed).infer(embeddings, context_of(collapsed))[USER]
    torch.testing.assert_close(ours, theirs[linked.persons])
