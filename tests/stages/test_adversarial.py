"""Adversarial alignment by hand: which nodes, the reversed gradient, what the discriminator learns."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, normalize

from kgxfer.encoders import Embeddings
from kgxfer.graph import USER, GraphTensors
from kgxfer.splits import Split
from kgxfer.stages import Adversarial
from kgxfer.stages.adversarial import AdversarialConfig, reverse_gradient, rows_of_one_domain
from tests.networks import all_edges, small_split, tensors_of
from tests.stages.drawn import COMBINATIONS, DIM, context_of, random_embeddings


def test_a_reversed_gradient_changes_sign_and_size_and_nothing_else() -> None:
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    out = reverse_gradient(x, 0.5)
    assert torch.equal(out, x)
    torch.autograd.backward((out * torch.tensor([3.0, 10.0])).sum())
    assert x.grad is not None and x.grad.tolist() == [-1.5, -5.0]


@pytest.mark.parametrize("combine", COMBINATIONS)
def test_nodes_of_one_domain(combine: str) -> None:
    graph = tensors_of(small_split(), combine)
    found = [rows_of_one_domain(graph, USER, domain).tolist() for domain in (0, 1)]
    # Books: Ann, Bob, Cid, Dan, Sue. Films: the first four, Eve, Tom. Collapsed, the four are one node each.
    expected = [[4], [5, 6]] if combine == "collapse" else [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9, 10]]
    assert found == expected


def test_where_every_node_is_in_both_domains_all_of_them_are_drawn(board_split: Split) -> None:
    graph = tensors_of(board_split, "collapse")
    assert rows_of_one_domain(graph, USER, 0).tolist() == list(range(graph.node_counts[USER]))


def separable(graph: GraphTensors) -> Embeddings:
    """Readers point one way, viewers the other, with some noise."""
    embeddings = random_embeddings(graph)
    side = torch.where(graph.membership[USER][0], 1.0, -1.0)
    return {**embeddings, USER: 0.3 * embeddings[USER] + 2 * side[:, None] * torch.ones(DIM)}


def test_the_discriminator_learns_to_tell_the_domains(graph: GraphTensors) -> None:
    torch.manual_seed(0)
    stage = Adversarial(AdversarialConfig(nodes=("users",), strength=0, hidden=8, nodes_per_domain=64), graph, DIM)
    embeddings = {kind: tensor.requires_grad_() for kind, tensor in separable(graph).items()}
    optimiser = torch.optim.Adam(stage.parameters(), lr=0.03)
    losses = []
    for _ in range(40):
        loss = stage(embeddings, all_edges(graph, progress=1.0), context_of(graph)).losses["adversarial"]
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(loss.item())
    assert losses[0] > 0.5 and losses[-1] < 0.05
    assert stage.notes() == {"discriminator accuracy, users": 1.0}
    gradient = embeddings[USER].grad
    assert gradient is not None and gradient.eq(0).all()


@pytest.mark.parametrize(("progress", "strength"), [(0.0, 1.0), (0.1, 1.0), (1.0, 0.4)])
def test_the_encoder_gets_the_discriminators_gradient_reversed(
    graph: GraphTensors, progress: float, strength: float
) -> None:
    """Against the same loss on the same drawn nodes without any reversal."""
    torch.manual_seed(1)
    stage = Adversarial(
        AdversarialConfig(nodes=("users",), strength=strength, hidden=8, nodes_per_domain=32), graph, DIM
    )
    embeddings = {kind: tensor.requires_grad_() for kind, tensor in separable(graph).items()}
    batch = all_edges(graph, progress=progress)
    state = batch.generator.get_state()
    output = stage(embeddings, batch, context_of(graph))
    assert output.embeddings is embeddings
    parameters = list(stage.parameters())
    ours = torch.autograd.grad(output.losses["adversarial"], [embeddings[USER], *parameters])
    batch.generator.set_state(state)
    drawn = []
    for domain in (0, 1):
        rows = torch.nonzero(graph.membership[USER][domain]).squeeze(1)
        drawn.append(embeddings[USER][rows[torch.randint(len(rows), (32,), generator=batch.generator)]])
    logits = stage.discriminators["of_users"](normalize(torch.cat(drawn), dim=1)).squeeze(1)
    plain = binary_cross_entropy_with_logits(logits, torch.tensor([0.0] * 32 + [1.0] * 32))
    torch.testing.assert_close(output.losses["adversarial"], plain)
    theirs = torch.autograd.grad(plain, [embeddings[USER], *parameters])
    factor = strength * (2 / (1 + math.exp(-10 * progress)) - 1)
    assert theirs[0].norm() > 1e-3
    torch.testing.assert_close(ours[0], -factor * theirs[0])
    for own, other in zip(ours[1:], theirs[1:], strict=True):
        torch.testing.assert_close(own, other)


def test_items_are_aligned_when_asked(graph: GraphTensors) -> None:
    stage = Adversarial(AdversarialConfig(nodes=("items",), nodes_per_domain=16), graph, DIM)
    embeddings = {kind: tensor.requires_grad_() for kind, tensor in random_embeddings(graph).items()}
    torch.autograd.backward(stage(embeddings, all_edges(graph, progress=1.0), context_of(graph)).losses["adversarial"])
    assert embeddings[USER].grad is None
    for kind in graph.item_types:
        gradient = embeddings[kind].grad
        assert gradient is not None and gradient.norm() > 0
    assert set(stage.notes()) == {"discriminator accuracy, items"}
