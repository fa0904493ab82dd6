"""Feature-level fusion: what each domain says of a user, concatenated and let in by a learned gate.

With z the encoder's embedding and v_s, v_t the sums of the embeddings of the user's source and target items (normalised
as in message passing, over all nodes of the person)::

    c = [z ; v_s ; v_t]        z' = z + sigmoid(G c) * (W c)

W starts at zero, so the stage starts as the identity and has to earn every change.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import embedding

from kgxfer.encoders import Embeddings, ParameterGroup
from kgxfer.graph import USER, GraphTensors
from kgxfer.graph.propagate import propagate
from kgxfer.stages.base import Batch, Stage, StageConfig, StageContext, StageOutput


class FusionConfig(StageConfig):
    """Settings: learning rate of gate and mixing matrix; slow, since the two see every user and overfit first."""

    learning_rate: float = Field(1e-4, gt=0)


class Fusion(Stage):
    """Replace user embeddings by a gated mixture of the joint and the two domain-specific views."""

    config_class: ClassVar[type[StageConfig]] = FusionConfig
    config: FusionConfig

    def __init__(self, config: FusionConfig, graph: GraphTensors, dim: int) -> None:
        super().__init__(config, graph, dim)
        self.gate = nn.Linear(3 * dim, dim)
        self.mix = nn.Linear(3 * dim, dim, bias=False)
        nn.init.zeros_(self.mix.weight)
        self._opened = 0.0

    def forward(self, embeddings: Embeddings, batch: Batch, context: StageContext) -> StageOutput:
        """Fuse; no loss of its own."""
        return StageOutput(self.infer(embeddings, context))

    def infer(self, embeddings: Embeddings, context: StageContext) -> Embeddings:
        """Fuse all users."""
        views = [self._view(domain, embeddings, context.graph) for domain in (0, 1)]
        joined = torch.cat([embeddings[USER], *views], dim=1)
        change = torch.sigmoid(self.gate(joined)) * self.mix(joined)
        size = embeddings[USER].detach().norm(dim=1).mean().clamp_min(1e-12)
        self._opened = float(change.detach().norm(dim=1).mean() / size)
        return {**embeddings, USER: embeddings[USER] + change}

    def _view(self, domain: int, embeddings: Embeddings, graph: GraphTensors) -> Tensor:
        kind = graph.interaction_type(domain)
        weight = graph.weights[kind].weight * (graph.edge_domain[kind] == domain)
        view = propagate(embeddings[kind.tail], weight, graph.adjacencies[kind])
        if not graph.identities.get(USER):
            return view
        person = view.new_zeros(graph.person_count, view.shape[1]).index_add(0, graph.persons, view)
        return embedding(graph.persons, person)

    def parameter_groups(self) -> list[ParameterGroup]:
        """Gate and mixing matrix."""
        return [ParameterGroup("fusion", list(self.parameters()), self.config.learning_rate)]

    def notes(self) -> dict[str, float]:
        """Mean size of the change relative to the embedding it changes."""
        return {"fusion, relative change of user embeddings": self._opened}
