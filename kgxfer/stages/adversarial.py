"""Domain-adversarial alignment (Ganin et al., JMLR 2016): embeddings from which no discriminator can tell the domain.

A discriminator learns to name the domain of a node from the direction of its embedding; the gradient that reaches the
encoder is reversed, ``d loss / d z -> -lambda d loss / d z`` with ``lambda = strength * (2 / (1 + exp(-10 p)) - 1)``
for progress p (the paper's schedule). Differs from the paper in that one backward pass serves both players, each with
an optimiser of its own, and that nodes are drawn equally from both domains.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, embedding, normalize

from kgxfer.encoders import Embeddings, ParameterGroup
from kgxfer.graph import USER, GraphTensors
from kgxfer.stages.base import Batch, Stage, StageConfig, StageContext, StageOutput


class AdversarialConfig(StageConfig):
    """Settings: whose embeddings are aligned, how strongly, and the discriminator's size and pace."""

    nodes: tuple[Literal["users", "items"], ...] = ("users", "items")
    strength: float = Field(1.0, ge=0)
    hidden: int = Field(64, ge=1)
    nodes_per_domain: int = Field(1024, ge=1)
    learning_rate: float = Field(1e-3, gt=0)


class _ReverseGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * grads[0], None


def reverse_gradient(x: Tensor, strength: float) -> Tensor:
    """Identity forwards; backwards the gradient times ``-strength``."""
    result: Tensor = _ReverseGradient.apply(x, strength)  # type: ignore[no-untyped-call]
    return result


class Adversarial(Stage):
    """Leave embeddings as they are and add the loss "adversarial"."""

    config_class: ClassVar[type[StageConfig]] = AdversarialConfig
    config: AdversarialConfig
    phase: ClassVar[str] = "align"
    loss_names: ClassVar[tuple[str, ...]] = ("adversarial",)

    def __init__(self, config: AdversarialConfig, graph: GraphTensors, dim: int) -> None:
        super().__init__(config, graph, dim)
        self.discriminators = nn.ModuleDict(
            {
                f"of_{name}": nn.Sequential(
                    nn.Linear(dim, config.hidden), nn.LeakyReLU(0.2), nn.Linear(config.hidden, 1)
                )
                for name in config.nodes
            }
        )
        self._accuracy: dict[str, float] = {}

    def forward(self, embeddings: Embeddings, batch: Batch, context: StageContext) -> StageOutput:
        """Draw nodes of both domains and let the discriminator judge them through reversed gradients."""
        strength = self.config.strength * (2 / (1 + math.exp(-10 * batch.progress)) - 1)
        loss = torch.zeros((), device=context.graph.device)
        for name in self.config.nodes:
            discriminator = self.discriminators[f"of_{name}"]
            drawn = [self._draw(name, domain, embeddings, batch, context.graph) for domain in (0, 1)]
            labels = torch.cat([torch.full((len(part),), float(domain)) for domain, part in enumerate(drawn)])
            labels = labels.to(context.graph.device)
            logits = discriminator(reverse_gradient(normalize(torch.cat(drawn), dim=1), strength)).squeeze(1)
            loss = loss + binary_cross_entropy_with_logits(logits, labels)
            self._accuracy[name] = float(((logits.detach() > 0) == (labels > 0.5)).float().mean())
        return StageOutput(embeddings, {"adversarial": loss})

    def _draw(self, name: str, domain: int, embeddings: Embeddings, batch: Batch, graph: GraphTensors) -> Tensor:
        kind = USER if name == "users" else graph.item_types[domain]
        rows = rows_of_one_domain(graph, kind, domain)
        chosen = torch.randint(len(rows), (self.config.nodes_per_domain,), generator=batch.generator)
        return embedding(rows[chosen.to(graph.device)], embeddings[kind])

    def parameter_groups(self) -> list[ParameterGroup]:
        """The discriminator has an optimiser of its own."""
        return [ParameterGroup("discriminator", list(self.parameters()), self.config.learning_rate)]

    def notes(self) -> dict[str, float]:
        """Share of nodes whose domain the discriminator names rightly in the last step; 0.5 is perfect alignment."""
        return {f"discriminator accuracy, {name}": value for name, value in self._accuracy.items()}


def rows_of_one_domain(graph: GraphTensors, kind: str, domain: int) -> Tensor:
    """Nodes that belong to this domain and not to the other; all of the domain's where there is no such node."""
    member = graph.membership[kind]
    alone = torch.nonzero(member[domain] & ~member[1 - domain]).squeeze(1)
    return alone if len(alone) else torch.nonzero(member[domain]).squeeze(1)
