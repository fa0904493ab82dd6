"""Distillation by hand: its loss, its teachers, what learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kgxfer.graph import USER, GraphTensors
from kgxfer.stages import Distillation, StageContext
from kgxfer.stages.distillation import DistillationConfig
from tests.networks import all_edges, network_of
from tests.stages.drawn import DIM, context_of, random_embeddings, values


def test_a_student_of_the_teachers_size_has_nothing_to_learn(graph: GraphTensors) -> None:
    """Its start is an orthogonal map, which keeps every product."""
    stage = Distillation(DistillationConfig(student_dim=2 * DIM), graph, DIM)
    assert stage.output_dim == DIM
    for start in (stage.user_projection.detach().clone(), torch.eye(DIM)):
        with torch.no_grad():
            stage.user_projection.copy_(start)
            stage.item_projection.copy_(start)
        loss = stage(random_embeddings(graph), all_edges(graph), context_of(graph)).losses["distillation"]
        gradients = torch.autograd.grad(loss, list(stage.parameters()))
        assert loss.item() == pytest.approx(0, abs=1e-6)
        assert all(gradient.norm() < 1e-5 for gradient in gradients)


def test_distillation_by_hand(graph: GraphTensors) -> None:
    """T^2 times the divergence of the student's ranking from the teacher's, averaged over users, then domains."""
    temperature, rows = 1.5, 3
    stage = Distillation(DistillationConfig(student_dim=2, temperature=temperature, rows_per_domain=rows), graph, DIM)
    embeddings, batch, context = random_embeddings(graph), all_edges(graph, negatives=5), context_of(graph)
    maps = [values(stage.user_projection), values(stage.item_projection)]
    losses = []
    for part in batch.parts:
        items = torch.cat([part.negatives, part.items[:rows]])
        user, item = (
            values(embeddings[USER][part.users[:rows]]),
            values(embeddings[graph.item_types[part.domain]][items]),
        )
        logs = []
        for left, right in ((user, item), (user @ maps[0].T, item @ maps[1].T)):
            scores = left @ right.T / temperature
            logs.append(scores - np.log(np.exp(scores).sum(1, keepdims=True)))
        losses.append(temperature**2 * (np.exp(logs[0]) * (logs[0] - logs[1])).sum(1).mean())
    assert len(losses) == 2
    loss = stage(embeddings, batch, context).losses["distillation"]
    assert loss.item() == pytest.approx(np.mean(losses), rel=1e-4)


def test_only_the_student_learns(graph: GraphTensors) -> None:
    network = network_of(
        graph, "relational", "fusion", "distillation", stage_settings={"distillation": {"student_dim": 2}}
    )
    losses = network.losses(graph, all_edges(graph), ["distillation"])
    assert set(losses) == {"distillation"}
    torch.autograd.backward(losses["distillation"])
    moved = {
        name for name, parameter in network.named_parameters() if parameter.grad is not None and parameter.grad.norm()
    }
    student = {name for name in moved if name.startswith("stages.distillation.")}
    # The scorer's scale and offsets enter the student's scores; the phase trains the student alone.
    assert student == {"stages.distillation.user_projection", "stages.distillation.item_projection"}
    assert not {name for name in moved if name.startswith(("encoder.", "stages.fusion."))}


def test_a_teacher_from_outside_is_the_one_that_is_copied(graph: GraphTensors) -> None:
    stage = Distillation(DistillationConfig(student_dim=2), graph, DIM)
    own, outside = random_embeddings(graph), random_embeddings(graph, seed=1)
    batch, context = all_edges(graph), context_of(graph)
    with_teacher = StageContext(context.graph, context.score, outside)
    taught = stage(own, batch, with_teacher)
    assert torch.equal(taught.losses["distillation"], stage(outside, batch, context).losses["distillation"])
    assert not torch.equal(taught.losses["distillation"], stage(own, batch, context).losses["distillation"])
