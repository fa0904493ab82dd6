"""From a user's and an item's embedding to a score."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import embedding

from graph_schema.config import Config
from kgxfer.encoders import ParameterGroup
from kgxfer.graph import GraphTensors


class ScorerConfig(Config):
    """Settings: which terms the score has beside the inner product."""

    item_bias: bool = True
    popularity: bool = True
    learn_scale: bool = True
    scale: float = Field(1.0, gt=0)
    learning_rate: float = Field(1e-3, gt=0)


class Scorer(nn.Module):
    """``score = scale * <z_u, z_i> + bias_i + g_domain * log(1 + popularity_i)``."""

    def __init__(self, config: ScorerConfig, graph: GraphTensors) -> None:
        super().__init__()
        self.config = config
        self.scale = nn.Parameter(torch.tensor(config.scale), requires_grad=config.learn_scale)
        kinds = dict.fromkeys(graph.item_types)
        self.bias = nn.ParameterDict(
            {kind: nn.Parameter(torch.zeros(graph.node_counts[kind]), requires_grad=config.item_bias) for kind in kinds}
        )
        self.popularity_weight = nn.Parameter(torch.zeros(2), requires_grad=config.popularity)
        self._item_types = graph.item_types
        for kind in kinds:
            self.register_buffer(f"log_popularity_{kind}", torch.log1p(graph.popularity[kind]), persistent=False)

    def offset(self, domain: int, items: Tensor) -> Tensor:
        """What an item's score has whoever asks; float [items]."""
        kind = self._item_types[domain]
        popularity = self.get_buffer(f"log_popularity_{kind}")[items]
        bias = embedding(items, self.bias[kind][:, None]).squeeze(1)
        return bias + self.popularity_weight[domain] * popularity

    def forward(self, domain: int, users: Tensor, items: Tensor, item_rows: Tensor) -> Tensor:
        """Score every pair: users float [rows, dim], items float [items, dim] -> float [rows, items]."""
        return (self.scale * users) @ items.T + self.offset(domain, item_rows)

    def pairs(self, domain: int, users: Tensor, items: Tensor, item_rows: Tensor) -> Tensor:
        """Score row by row: users and items float [rows, dim] -> float [rows]."""
        return self.scale * (users * items).sum(1) + self.offset(domain, item_rows)

    def parameter_groups(self) -> list[ParameterGroup]:
        """All parameters that are learned."""
        learned = [parameter for parameter in self.parameters() if parameter.requires_grad]
        return [ParameterGroup("scorer", learned, self.config.learning_rate)] if learned else []
