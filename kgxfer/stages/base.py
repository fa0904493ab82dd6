"""What a stage is: a module that reads or changes embeddings (or scores) between the encoder and the scorer.

A stage may return losses, own parameter groups with an optimiser each, run an inner loop before the main step, and read
what the context holds: the graph with this step's edges held out, the identity links in it, the scorer, and the
teacher's embeddings. The training loop knows nothing else about stages, so a new kind needs no change there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn

from graph_schema.config import Config
from kgxfer.encoders import Embeddings, ParameterGroup
from kgxfer.graph import GraphTensors


@dataclass(frozen=True, eq=False)
class DomainBatch:
    """Supervision edges of one domain and the negatives they share.

    Shapes: users, items int64 [rows] (graph rows); weight float [rows]; rating float [rows] or None;
    negatives int64 [negatives] (graph rows of items of the domain).
    """

    domain: int
    users: Tensor
    items: Tensor
    weight: Tensor
    rating: Tensor | None
    negatives: Tensor


@dataclass(frozen=True, eq=False)
class Batch:
    """One step's supervision.

    Attributes:
        parts: supervision edges and negatives per domain.
        generator: for further draws of this step.
        progress: how far the phase is, 0 to 1.
        touched: node type -> share of the step's supervision edges (all of them, not only the drawn ones) that end at
            each node, float [nodes]; what regularisation weighs the nodes by.
    """

    parts: tuple[DomainBatch, ...]
    generator: torch.Generator
    progress: float = 0.0
    touched: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class StageContext:
    """What a stage may read beside its input.

    Attributes:
        graph: the graph with this step's masks; its identity edges are the links.
        score: (domain, user vectors [rows, dim], item vectors [items, dim], item rows [items]) -> scores [rows, items],
            as the model's scorer computes them.
        teacher: embeddings of a teacher model, where the run has one; otherwise a stage's own input is the teacher.
    """

    graph: GraphTensors
    score: Callable[[int, Tensor, Tensor, Tensor], Tensor]
    teacher: Embeddings | None = None


@dataclass(frozen=True, eq=False)
class StageOutput:
    """Embeddings for the next stage, and scalar losses by name."""

    embeddings: Embeddings
    losses: dict[str, Tensor] = field(default_factory=dict)


class StageConfig(Config):
    """Settings of a stage."""


class Stage(nn.Module):
    """Base of stages that work on embeddings."""

    config_class: ClassVar[type[StageConfig]] = StageConfig
    phase: ClassVar[str] = "train"
    """The phase from which on the stage's losses count: "train", "align" or "distil"."""
    loss_names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: StageConfig, graph: GraphTensors, dim: int) -> None:
        super().__init__()
        self.config = config

    @property
    def output_dim(self) -> int | None:
        """Dim of the embeddings it returns; None where it does not change."""
        return None

    def forward(self, embeddings: Embeddings, batch: Batch, context: StageContext) -> StageOutput:
        """Transform embeddings in training and compute losses."""
        raise NotImplementedError

    def infer(self, embeddings: Embeddings, context: StageContext) -> Embeddings:
        """Transform embeddings for recommending; as they are unless a stage says otherwise."""
        return embeddings

    def inner_step(
        self, embeddings: Embeddings, batch: Batch, context: StageContext, step: Callable[[Tensor], None]
    ) -> None:
        """Run an inner loop before the main step (a discriminator's own steps, an attack's ascent).

        Args:
            embeddings: as they enter the stage, detached.
            batch: this step's supervision.
            context: see `StageContext`.
            step: takes a loss, and moves the stage's own parameters to lower it.
        """

    def parameter_groups(self) -> list[ParameterGroup]:
        """Parameter groups, each with an optimiser of its own; none for a stage without parameters."""
        return []

    def notes(self) -> dict[str, float]:
        """Figures for the report."""
        return {}


class ScoreStage(nn.Module):
    """Base of stages that work on scores: blends, calibrations, popularity corrections.

    A score stage must be affine in the score so that a frozen recommender can carry it: it is folded into the scale and
    the item offsets.
    """

    config_class: ClassVar[type[StageConfig]] = StageConfig
    phase: ClassVar[str] = "train"
    loss_names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: StageConfig, graph: GraphTensors, dim: int) -> None:
        super().__init__()
        self.config = config

    def forward(self, scores: Tensor, domain: int, items: Tensor) -> Tensor:
        """Change scores, float [..., items], of the item rows `items` of a domain."""
        raise NotImplementedError

    def parameter_groups(self) -> list[ParameterGroup]:
        """As for `Stage`."""
        return []

    def notes(self) -> dict[str, float]:
        """Figures for the report."""
        return {}
