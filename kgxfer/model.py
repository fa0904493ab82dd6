"""A transfer model: an encoder, ordered stages, a scorer, and the weights of their losses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import embedding

from graph_schema.config import Config
from graph_schema.errors import InputError
from kgxfer.encoders import ENCODERS, Embeddings, ParameterGroup
from kgxfer.encoders.base import parameter_count
from kgxfer.graph import USER, GraphTensors
from kgxfer.losses import LOSSES
from kgxfer.rng import derive
from kgxfer.scorer import Scorer, ScorerConfig
from kgxfer.stages import STAGES, Batch, DomainBatch, ScoreStage, Stage, StageContext

RECOMMENDATION = "recommendation"


class TransferModelConfig(Config):
    """Settings of a model; those of its parts stand in tables of their own, checked when the model is made.

    `l2` weighs the mean squared norm of the user and item embeddings at the ends of the step's supervision edges, all
    of them and not only the drawn ones: Adam turns even a small pull on rarely drawn items into a strong one.
    """

    encoder: str = "relational"
    dim: int = Field(64, ge=1, le=4096)
    stages: tuple[str, ...] = ()
    loss: str = "sampled_softmax"
    encoder_settings: dict[str, Any] = Field(default_factory=dict)
    stage_settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    scorer: ScorerConfig = Field(default_factory=ScorerConfig)
    loss_weights: dict[str, float] = Field(default_factory=dict)
    l2: float = Field(1e-5, ge=0)


class TransferModel:
    """What a model is made of; the network itself is built for a graph by `build`.

    >>> TransferModel("relational", stages=["adversarial", "fusion"], dim=128)
    TransferModel(relational, dim 128, stages adversarial > fusion, loss sampled_softmax)
    """

    def __init__(
        self, encoder: str = "relational", stages: Sequence[str] = (), dim: int = 64, **settings: Any
    ) -> None:
        given = {"encoder": encoder, "stages": tuple(stages), "dim": dim, **settings}
        self.config = TransferModelConfig.parse(given, "model")
        self._check()

    def _check(self) -> None:
        """Resolve every name and setting now, so that a mistake shows before anything is loaded or trained."""
        config = self.config
        ENCODERS[config.encoder].config_class.parse(
            {"dim": config.dim, **config.encoder_settings}, f"encoder {config.encoder}"
        )
        LOSSES[config.loss]
        if len(set(config.stages)) < len(config.stages):
            raise InputError(f"model: stages {', '.join(config.stages)} name one stage twice")
        for name in [*config.stages, *config.stage_settings]:
            STAGES[name].config_class.parse(config.stage_settings.get(name, {}), f"stage {name}")
        unused = [name for name in config.stage_settings if name not in config.stages]
        if unused:
            raise InputError(f'model: settings for stage "{unused[0]}", which it does not have; add it or drop them')
        if "distillation" in config.stages[:-1]:
            raise InputError("model: distillation freezes what comes before it and must be the last stage")

    @classmethod
    def from_config(cls, config: TransferModelConfig) -> TransferModel:
        """Make the model from a parsed configuration."""
        return cls(**{name: getattr(config, name) for name in type(config).model_fields})

    def build(self, graph: GraphTensors, seed: int) -> TransferNetwork:
        """Build the network for a graph; the same seed gives the same start values."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(seed, "network"))
            return TransferNetwork(self.config, graph)

    def __repr__(self) -> str:
        config = self.config
        stages = " > ".join(config.stages) or "none"
        return f"TransferModel({config.encoder}, dim {config.dim}, stages {stages}, loss {config.loss})"


class TransferNetwork(nn.Module):
    """The trainable network of a `TransferModel` for one graph."""

    def __init__(self, config: TransferModelConfig, graph: GraphTensors) -> None:
        super().__init__()
        self.config = config
        encoder = ENCODERS[config.encoder]
        settings = {"dim": config.dim, **config.encoder_settings}
        self.encoder = encoder(encoder.config_class.parse(settings, f"encoder {config.encoder}"), graph)
        self.stages = nn.ModuleDict()
        for name in config.stages:
            stage = STAGES[name]
            parsed = stage.config_class.parse(config.stage_settings.get(name, {}), f"stage {name}")
            self.stages[name] = stage(parsed, graph, config.dim)
        self.scorer = Scorer(config.scorer, graph)
        self.loss = LOSSES[config.loss]()

    def score(self, domain: int, users: Tensor, items: Tensor, item_rows: Tensor) -> Tensor:
        """Scores [rows, items] through the scorer and the score stages."""
        scores: Tensor = self.scorer(domain, users, items, item_rows)
        for stage in self.stages.values():
            if isinstance(stage, ScoreStage):
                scores = stage(scores, domain, item_rows)
        return scores

    def context(self, graph: GraphTensors, teacher: Embeddings | None = None) -> StageContext:
        """What stages may read."""
        return StageContext(graph, self.score, teacher)

    def losses(
        self,
        graph: GraphTensors,
        batch: Batch,
        wanted: Sequence[str],
        encoded: Embeddings | None = None,
        inner_step: Callable[[str, Tensor], None] | None = None,
    ) -> dict[str, Tensor]:
        """Compute the losses named in `wanted` for one step.

        Args:
            graph: the graph with this step's supervision edges held out.
            batch: the supervision.
            wanted: names; a stage that has losses, none of them wanted, belongs to a later phase and is left out.
            encoded: the encoder's output where it is known already, because the encoder is frozen.
            inner_step: (stage name, loss) -> moves that stage's own parameters; handed to stages with an inner loop.
        """
        embeddings = self.encoder(graph) if encoded is None else encoded
        context = self.context(graph)
        result: dict[str, Tensor] = {}
        for name, stage in self.stages.items():
            if not isinstance(stage, Stage) or (stage.loss_names and not set(stage.loss_names) & set(wanted)):
                continue
            if inner_step is not None:
                detached = {kind: tensor.detach() for kind, tensor in embeddings.items()}
                stage.inner_step(detached, batch, context, partial(inner_step, name))
            output = stage(embeddings, batch, context)
            embeddings = output.embeddings
            result |= {name: loss for name, loss in output.losses.items() if name in wanted}
        if RECOMMENDATION in wanted:
            result[RECOMMENDATION] = self._recommendation(embeddings, batch, graph)
        return result

    def _recommendation(self, embeddings: Embeddings, batch: Batch, graph: GraphTensors) -> Tensor:
        total = torch.zeros((), device=graph.device)
        weight = torch.zeros((), device=graph.device)
        for part in batch.parts:
            total = total + (self._rows(part, embeddings, graph) * part.weight).sum()
            weight = weight + part.weight.sum()
        squares = [share @ (embeddings[kind] ** 2).sum(1) for kind, share in batch.touched.items()]
        penalty = torch.stack(squares).sum() if squares else torch.zeros((), device=graph.device)
        return total / weight.clamp_min(1e-12) + self.config.l2 * penalty

    def _rows(self, part: DomainBatch, embeddings: Embeddings, graph: GraphTensors) -> Tensor:
        vectors = embeddings[graph.item_types[part.domain]]
        users, items = embedding(part.users, embeddings[USER]), embedding(part.items, vectors)
        positive = self.scorer.pairs(part.domain, users, items, part.items)
        negative = self.scorer(part.domain, users, embedding(part.negatives, vectors), part.negatives)
        for stage in self.stages.values():
            if isinstance(stage, ScoreStage):
                positive = stage(positive, part.domain, part.items)
                negative = stage(negative, part.domain, part.negatives)
        negative = negative.masked_fill(part.items[:, None] == part.negatives[None], -torch.inf)
        return self.loss(positive, negative, part.rating)

    @torch.no_grad()
    def embed(self, graph: GraphTensors, upto: Sequence[str] | None = None) -> Embeddings:
        """Embeddings for recommending, through all stages or those named in `upto`."""
        embeddings: Embeddings = self.encoder(graph)
        context = self.context(graph)
        for name, stage in self.stages.items():
            if isinstance(stage, Stage) and (upto is None or name in upto):
                embeddings = stage.infer(embeddings, context)
        return embeddings

    def parameter_groups(self) -> dict[str, list[ParameterGroup]]:
        """Parameter groups by component: "encoder", "scorer", and each stage by its name."""
        groups = {"encoder": self.encoder.parameter_groups(), "scorer": self.scorer.parameter_groups()}
        for name, stage in self.stages.items():
            if isinstance(stage, Stage | ScoreStage):
                groups[name] = stage.parameter_groups()
        return groups

    @property
    def parameter_count(self) -> int:
        """Number of scalars that are learned."""
        return parameter_count(self.parameters())
