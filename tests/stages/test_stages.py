"""Two stages of another make through the model and the training loop, and what every stage keeps to."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pytest
import torch
from pydantic import Field
from torch import Tensor, nn

from kgxfer.encoders import Embeddings, ParameterGroup
from kgxfer.graph import USER, GraphTensors
from kgxfer.model import RECOMMENDATION, TransferModel, TransferNetwork
from kgxfer.recommender import Catalogue
from kgxfer.splits import Split
from kgxfer.stages import STAGES, Batch, ScoreStage, Stage, StageConfig, StageContext, StageOutput
from kgxfer.training import Trainer
from kgxfer.training.freeze import freeze
from tests.networks import all_edges, graph_of, network_of, tensors_of
from tests.stages.drawn import DIM, values


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
