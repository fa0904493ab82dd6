"""Stages by hand, two stages of another make through the model and the training loop, and what every stage keeps to."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pytest
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, normalize

from kgxfer.encoders import Embeddings, ParameterGroup
from kgxfer.graph import USER, GraphTensors
from kgxfer.model import RECOMMENDATION, TransferModel, TransferNetwork
from kgxfer.recommender import Catalogue
from kgxfer.splits import Split
from kgxfer.stages import (
    STAGES,
    Adversarial,
    Batch,
    Distillation,
    Fusion,
    ScoreStage,
    Stage,
    StageConfig,
    StageContext,
    StageOutput,
)
from kgxfer.stages.adversarial import AdversarialConfig, reverse_gradient, rows_of_one_domain
from kgxfer.stages.distillation import DistillationConfig
from kgxfer.stages.fusion import FusionConfig
from kgxfer.training import Trainer
from kgxfer.training.freeze import freeze
from tests.networks import all_edges, graph_of, network_of, small_split, tensors_of

DIM = 4
COMBINATIONS = ["disjoint", "same_as_edges", "collapse"]


@pytest.fixture(scope="module")
def split() -> Split:
    return small_split()


@pytest.fixture(scope="module")
def graph(split: Split) -> GraphTensors:
    return tensors_of(split)


def random_embeddings(graph: GraphTensors, seed: int = 0) -> Embeddings:
    generator = torch.Generator().manual_seed(seed)
    kinds = dict.fromkeys([USER, *graph.item_types])
    return {kind: torch.randn(graph.node_counts[kind], DIM, generator=generator) for kind in kinds}


def context_of(graph: GraphTensors) -> StageContext:
    return network_of(graph, "mf", dim=DIM).context(graph)


def values(tensor: Tensor) -> np.ndarray:
    array: np.ndarray = tensor.detach().numpy().astype(float)
    return array


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


class CentreConfig(StageConfig):
    """Settings of `Centre`."""

    inner_steps: int = Field(40, ge=0)


class Centre(Stage):
    """A stage with an inner loop: finds the mean user by its own optimiser, then pulls the users towards it."""

    config_class: ClassVar[type[StageConfig]] = CentreConfig
    config: CentreConfig
    loss_names: ClassVar[tuple[str, ...]] = ("centre",)

    def __init__(self, config: CentreConfig, graph: GraphTensors, dim: int) -> None:
        super().__init__(config, graph, dim)
        self.centre = nn.Parameter(torch.full((dim,), 3.0))
        self.distance = math.nan

    def inner_step(
        self, embeddings: Embeddings, batch: Batch, context: StageContext, step: Callable[[Tensor], None]
    ) -> None:
        assert not any(tensor.requires_grad for tensor in embeddings.values())
        mean = embeddings[USER].mean(0)
        for _ in range(self.config.inner_steps):
            step((self.centre - mean).pow(2).sum())
        self.distance = float((self.centre - mean).detach().norm())

    def forward(self, embeddings: Embeddings, batch: Batch, context: StageContext) -> StageOutput:
        return StageOutput(embeddings, {"centre": (embeddings[USER] - self.centre.detach()).pow(2).mean()})

    def parameter_groups(self) -> list[ParameterGroup]:
        return [ParameterGroup("centre", [self.centre], 0.2)]

    def notes(self) -> dict[str, float]:
        return {"distance": self.distance}


class Calibration(ScoreStage):
    """An affine score stage: a factor and a popularity term per domain."""

    def __init__(self, config: StageConfig, graph: GraphTensors, dim: int) -> None:
        super().__init__(config, graph, dim)
        self.factor, self.popular = nn.Parameter(torch.ones(2)), nn.Parameter(torch.zeros(2))
        self._counts = [graph.popularity[kind] for kind in graph.item_types]

    def forward(self, scores: Tensor, domain: int, items: Tensor) -> Tensor:
        return self.factor[domain] * scores + self.popular[domain] * self._counts[domain][items]

    def parameter_groups(self) -> list[ParameterGroup]:
        return [ParameterGroup("calibration", [self.factor, self.popular], 0.05)]


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two stages that the library does not know are in the registry."""
    for name, stage in (("centre", Centre), ("calibration", Calibration)):
        monkeypatch.setitem(STAGES._members, name, stage)


def fitted(split: Split, model: TransferModel, epochs: int = 2) -> Trainer:
    settings = {"rows_per_domain": 64, "negatives": 8}
    trainer = Trainer(epochs=epochs, steps_per_epoch=3, supervision="all_edges", supervision_settings=settings)
    trainer.fit(model, graph_of(split), split, rng=0)
    return trainer


@pytest.mark.usefixtures("registered")
def test_an_inner_loop_runs_before_each_step_with_the_stages_own_optimiser(split: Split) -> None:
    records = {}
    for steps in (0, 40):
        model = TransferModel("mf", ["centre"], DIM, stage_settings={"centre": {"inner_steps": steps}})
        trainer = fitted(split, model)
        records[steps] = trainer.records[0].notes["distance"]
        history = trainer.history.table()
        assert {"centre", RECOMMENDATION, "loss"} <= set(history["name"])
    # The main loss does not reach the centre: without the inner loop it stays at 3, 6 away from a mean near zero.
    assert records[0] == pytest.approx(6, abs=0.6)
    assert records[40] < 0.05


@pytest.mark.usefixtures("registered")
def test_an_inner_loop_leaves_everything_else_alone(graph: GraphTensors) -> None:
    network = network_of(graph, "mf", "centre")
    optimiser = torch.optim.Adam(network.stages["centre"].parameters(), lr=0.2)
    seen: list[str] = []

    def step(name: str, loss: Tensor) -> None:
        seen.append(name)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()

    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.losses(graph, all_edges(graph), [RECOMMENDATION, "centre"], inner_step=step)
    changed = [name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])]
    assert seen == ["centre"] * 40 and changed == ["stages.centre.centre"]


def shaken(network: TransferNetwork) -> TransferNetwork:
    """Every parameter away from its start, so that no term is zero."""
    generator = torch.Generator().manual_seed(9)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return network


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("stages", [(), ("calibration",), ("calibration", "fusion", "distillation")])
@pytest.mark.parametrize("combine", ["same_as_edges", "collapse"])
def test_a_frozen_model_scores_as_the_network_does(split: Split, stages: tuple[str, ...], combine: str) -> None:
    """Score stages are folded into scale and offsets."""
    graph = graph_of(split, combine)
    tensors = GraphTensors.of(graph)
    network = shaken(network_of(tensors, "relational", *stages))
    recommender = freeze(network, tensors, graph, Catalogue.of(split), stages)
    embeddings = network.embed(tensors)
    for domain, tables in enumerate(split.dataset.domains):
        ids = tables.users["user_id"].to_numpy()
        items = torch.from_numpy(graph.item_rows(domain, tables.items["item_id"].to_numpy()))
        users = embeddings[USER][torch.from_numpy(graph.user_rows(domain, ids))]
        expected = network.score(domain, users, embeddings[graph.item_types[domain]][items], items)
        np.testing.assert_allclose(recommender.score(tables.domain, ids), values(expected), rtol=1e-4, atol=1e-5)


def test_a_user_of_the_other_domain_only_is_scored_as_the_other_domain_knows_them(split: Split) -> None:
    graph = graph_of(split)
    tensors = GraphTensors.of(graph)
    network = shaken(network_of(tensors))
    recommender = freeze(network, tensors, graph, Catalogue.of(split), ())
    place = recommender.catalogue.user_ids.get_loc("sue")
    expected = values(network.embed(tensors)[USER][int(graph.user_rows(0, ["sue"])[0])])
    np.testing.assert_array_equal(recommender.vectors[1].users[place], expected.astype(np.float32))


@pytest.mark.usefixtures("registered")
def test_the_training_loop_trains_a_score_stage_and_the_recommender_carries_it(split: Split) -> None:
    plain, calibrated = (fitted(split, TransferModel("mf", stages, DIM)) for stages in ([], ["calibration"]))
    scales = [trainer.records[-1].recommender.vectors[1].scale for trainer in (plain, calibrated)]
    # Six steps of 0.05 at most move the factor by 0.3; the scorer's own scale moves by 6 * 0.001.
    assert abs(scales[0] - 1) < 0.01 < abs(scales[1] - 1) < 0.32


@pytest.fixture(params=list(STAGES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_stage_keeps_the_nodes_and_names_its_losses(name: str, graph: GraphTensors) -> None:
    network = shaken(network_of(graph, "relational", name))
    stage = network.stages[name]
    assert stage.phase in ("train", "align", "distil")
    assert isinstance(stage, Stage)
    embeddings, batch = network.encoder(graph), all_edges(graph, progress=0.5)
    output = stage(embeddings, batch, network.context(graph))
    assert tuple(output.losses) == stage.loss_names
    assert all(loss.shape == () and loss.isfinite() for loss in output.losses.values())
    dim = stage.output_dim or DIM
    for kind in (USER, *graph.item_types):
        assert output.embeddings[kind].shape == (graph.node_counts[kind], dim)
    for kind, table in stage.infer(embeddings, network.context(graph)).items():
        torch.testing.assert_close(table, output.embeddings[kind])
    assert all(math.isfinite(value) for value in stage.notes().values())


def test_every_parameter_of_a_stage_is_in_one_group(name: str, graph: GraphTensors) -> None:
    stage = network_of(graph, "relational", name).stages[name]
    groups: list[ParameterGroup] = stage.parameter_groups()  # type: ignore[operator]
    grouped = [id(parameter) for group in groups for parameter in group.parameters]
    assert sorted(grouped) == sorted(id(parameter) for parameter in stage.parameters())


def test_the_same_seed_gives_the_same_stage(name: str, graph: GraphTensors) -> None:
    model = TransferModel("mf", [name], DIM)
    first, again = (model.build(graph, 2).stages[name].state_dict() for _ in range(2))
    assert all(torch.equal(first[key], again[key]) for key in first)


def test_ten_steps_lower_the_loss_with_the_stage_in_place(name: str, board_split: Split) -> None:
    graph = tensors_of(board_split)
    network = shaken(network_of(graph, "relational", name, dim=24))  # more than the student has
    stage = network.stages[name]
    wanted = list(stage.loss_names) or [RECOMMENDATION]  # type: ignore[arg-type]
    losses: list[float] = []
    for _ in range(11):
        found = network.losses(graph, all_edges(graph, progress=0.0), wanted)
        total = torch.stack([found[loss] for loss in wanted]).sum()
        if not losses:
            groups: list[ParameterGroup] = stage.parameter_groups()  # type: ignore[operator]
            optimisers = [torch.optim.Adam(group.parameters, lr=group.learning_rate) for group in groups]
        losses.append(total.item())
        for optimiser in optimisers:
            optimiser.zero_grad()
        torch.autograd.backward(total)
        for optimiser in optimisers:
            optimiser.step()
    assert losses[-1] < losses[0]
