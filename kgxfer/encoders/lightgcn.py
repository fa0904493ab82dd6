"""LightGCN (He et al., SIGIR 2020) on the joint graph of both domains.

``E^(l+1) = D^-1/2 A D^-1/2 E^(l)`` over the person-item graph, and the mean of E^(0) .. E^(L) as embedding (equation 8
with equal weights). Differs from the paper in its graph alone: the items of both domains are in it, and users whom a
bridge identifies are one person.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import normalize

from graph_schema.schema import EdgeType
from kgxfer.encoders.base import Embeddings, Encoder, EncoderConfig, embedding_table
from kgxfer.graph import USER, GraphTensors
from kgxfer.graph.propagate import Adjacency, SortedWeights, propagate, symmetric_normalisation


class LightGCNConfig(EncoderConfig):
    """Settings: number of layers; a learning rate as usual for the model; whether embeddings have length one.

    With `normalise` the inner product is the cosine, and one over the scorer's scale is the temperature of the softmax.
    """

    layers: int = Field(3, ge=1, le=10)
    learning_rate: float = Field(5e-3, gt=0)
    normalise: bool = False


class LightGCN(Encoder):
    """Linear propagation of free embeddings; transductive, since a new person has no embedding of its own."""

    config_class: ClassVar[type[EncoderConfig]] = LightGCNConfig
    config: LightGCNConfig

    def __init__(self, config: LightGCNConfig, graph: GraphTensors) -> None:
        super().__init__(config, graph)
        self.persons = embedding_table(graph.person_count, config)
        self.items = nn.ParameterDict(
            {kind: embedding_table(graph.node_counts[kind], config) for kind in dict.fromkeys(graph.item_types)}
        )
        self._joint: Adjacency | None = None

    def forward(self, graph: GraphTensors) -> Embeddings:
        """Propagate over the edges that the graph's masks leave in."""
        kinds = [graph.interaction_type(domain) for domain in ((0,) if len(self.items) == 1 else (0, 1))]
        joint = self._adjacency(graph, kinds)
        mask = torch.cat([graph.masks[kind] for kind in kinds])
        weight = symmetric_normalisation(mask, joint)
        layout = SortedWeights.of(weight, joint)
        persons: Tensor = self.persons
        items = torch.cat(list(self.items.values()))
        person_layers, item_layers = [persons], [items]
        for _ in range(self.config.layers):
            persons, items = (
                propagate(items, weight, joint, layout),
                propagate(persons, weight, joint.transposed, layout.transposed),
            )
            person_layers.append(persons)
            item_layers.append(items)
        people, things = _mean(person_layers), _mean(item_layers)
        if self.config.normalise:
            people, things = normalize(people), normalize(things)
        sizes = [table.shape[0] for table in self.items.values()]
        return {USER: people[graph.persons]} | dict(zip(self.items, torch.split(things, sizes), strict=True))

    def _adjacency(self, graph: GraphTensors, kinds: list[EdgeType]) -> Adjacency:
        """Persons by stacked items; made once, since masks change weights and not edges."""
        if self._joint is None or self._joint.rows.device != graph.device:
            starts = [0, graph.node_counts[kinds[0].tail]]
            rows = torch.cat([graph.persons[graph.adjacencies[kind].rows] for kind in kinds])
            columns = torch.cat(
                [graph.adjacencies[kind].columns + start for kind, start in zip(kinds, starts, strict=False)]
            )
            items = sum(table.shape[0] for table in self.items.values())
            self._joint = Adjacency.build(rows, columns, graph.person_count, items)
        return self._joint


def _mean(layers: list[Tensor]) -> Tensor:
    return torch.stack(layers).mean(0)
