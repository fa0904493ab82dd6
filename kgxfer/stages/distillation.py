"""Knowledge distillation (Hinton et al., 2015): a large teacher's soft rankings into a small student.

The student projects the teacher's user and item embeddings to few dimensions; that is all that is left when it serves,
no graph and no encoder. It learns from the Kullback-Leibler divergence between the two softmax distributions over each
user's candidates at temperature T::

    loss = T^2 * KL( softmax(s_teacher / T) || softmax(s_student / T) )

Differs from the paper in what is classified: a ranking over sampled candidates instead of classes, without hard
targets.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import embedding, kl_div, log_softmax

from kgxfer.encoders import Embeddings, ParameterGroup
from kgxfer.graph import USER, GraphTensors
from kgxfer.stages.base import Batch, DomainBatch, Stage, StageConfig, StageContext, StageOutput


class DistillationConfig(StageConfig):
    """Settings: size of the student, temperature, users compared per domain and step, learning rate."""

    student_dim: int = Field(32, ge=1)
    temperature: float = Field(2.0, gt=0)
    rows_per_domain: int = Field(512, ge=1)
    learning_rate: float = Field(1e-2, gt=0)


class Distillation(Stage):
    """Project user and item embeddings; in its own phase, with everything before it frozen, it adds "distillation"."""

    config_class: ClassVar[type[StageConfig]] = DistillationConfig
    config: DistillationConfig
    phase: ClassVar[str] = "distil"
    loss_names: ClassVar[tuple[str, ...]] = ("distillation",)

    def __init__(self, config: DistillationConfig, graph: GraphTensors, dim: int) -> None:
        super().__init__(config, graph, dim)
        size = min(config.student_dim, dim)
        start = nn.init.orthogonal_(torch.empty(size, dim))
        self.user_projection = nn.Parameter(start.clone())
        self.item_projection = nn.Parameter(start.clone())
        self._item_types = tuple(dict.fromkeys(graph.item_types))

    @property
    def output_dim(self) -> int:
        """The student's dim."""
        return int(self.user_projection.shape[0])

    def forward(self, embeddings: Embeddings, batch: Batch, context: StageContext) -> StageOutput:
        """Compare the teacher's and the student's rankings of the batch's negatives and positives."""
        teacher = {kind: tensor.detach() for kind, tensor in (context.teacher or embeddings).items()}
        student = self.infer(teacher, context)
        losses = [self._divergence(part, teacher, student, context) for part in batch.parts]
        return StageOutput(student, {"distillation": torch.stack(losses).mean()})

    def infer(self, embeddings: Embeddings, context: StageContext) -> Embeddings:
        """Embeddings of the student; other node types are dropped, it serves users and items."""
        student = {kind: embeddings[kind] @ self.item_projection.T for kind in self._item_types}
        return {USER: embeddings[USER] @ self.user_projection.T, **student}

    def _divergence(
        self, part: DomainBatch, teacher: Embeddings, student: Embeddings, context: StageContext
    ) -> Tensor:
        kind = context.graph.item_types[part.domain]
        chosen = slice(0, self.config.rows_per_domain)
        candidates = torch.cat([part.negatives, part.items[chosen]])
        distributions = []
        for embeddings in (student, teacher):
            users = embedding(part.users[chosen], embeddings[USER])
            scores = context.score(part.domain, users, embedding(candidates, embeddings[kind]), candidates)
            distributions.append(log_softmax(scores / self.config.temperature, dim=1))
        divergence = kl_div(distributions[0], distributions[1], log_target=True, reduction="batchmean")
        return self.config.temperature**2 * divergence

    def parameter_groups(self) -> list[ParameterGroup]:
        """The two projections."""
        return [ParameterGroup("student", list(self.parameters()), self.config.learning_rate)]

    def notes(self) -> dict[str, float]:
        """Size of the student."""
        return {"student dim": float(self.output_dim)}
