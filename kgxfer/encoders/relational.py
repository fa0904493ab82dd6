"""The default encoder: an inductive relational network over all node and edge types.

Only items and entities have embeddings; a user is what the graph says of them, so a user that training never saw is
embedded like any other. One layer, for every node v::

    h_v^(l+1) = I( sum over relations r and directions  g_r * sum over neighbours u  w_uv * h_u^(l) )
    z_v       = sum over l of h_v^(l)

with symmetric degree normalisation w (`symmetric_normalisation`), one learned gate g per relation and direction, and I
the identity step: what SAME_AS links join adds its partner's message with a learned gate of its own, at no cost of a
hop.
Gates start at 1 for interactions and identity, and low for facts, so that a relation has to earn its influence. Where
one relation holds all interactions it is the unit that the others are measured in: its gates stay 1, since the scorer's
scale says the same already, and learning both trained worse.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from graph_schema.schema import EdgeType
from graph_schema.tables import IDENTITY
from kgxfer.encoders.base import Embeddings, Encoder, EncoderConfig, ParameterGroup, embedding_table
from kgxfer.graph import INTERACTION, USER, GraphTensors
from kgxfer.graph.propagate import propagate


class RelationalConfig(EncoderConfig):
    """Settings: `fact_gate` is the start value of the gates of facts, which learn at `gate_learning_rate`."""

    layers: int = Field(3, ge=1, le=10)
    fact_gate: float = Field(0.3, ge=0)
    gate_learning_rate: float = Field(1e-3, gt=0)


class Relational(Encoder):
    """Inductive, relational, linear in the embeddings."""

    config_class: ClassVar[type[EncoderConfig]] = RelationalConfig
    config: RelationalConfig
    inductive: ClassVar[bool] = True

    def __init__(self, config: RelationalConfig, graph: GraphTensors) -> None:
        super().__init__(config, graph)
        self.tables = nn.ParameterDict(
            {
                kind: embedding_table(count, config)
                for kind, count in graph.node_counts.items()
                if kind != USER and count
            }
        )
        self.gates = nn.ParameterDict()
        interactions = [kind for kind in graph.relations if kind.relation == INTERACTION]
        for kind in graph.relations:
            start = 1.0 if kind in interactions else config.fact_gate
            learned = interactions != [kind]
            for direction in ("to_head", "to_tail"):
                self.gates[_gate_name(kind, direction)] = nn.Parameter(torch.tensor(start), requires_grad=learned)
        for kind in graph.identities.values():
            self.gates[_gate_name(kind, "both")] = nn.Parameter(torch.tensor(1.0))

    def forward(self, graph: GraphTensors) -> Embeddings:
        """Propagate; a type that no message has reached yet is skipped, so a plain bipartite graph costs half."""
        layer: dict[str, Tensor] = self._identity(dict(self.tables.items()), graph)
        total = dict(layer)
        for _ in range(self.config.layers):
            layer = self._identity(self._messages(layer, graph), graph)
            for kind, message in layer.items():
                total[kind] = total[kind] + message if kind in total else message
        return total

    def _messages(self, layer: dict[str, Tensor], graph: GraphTensors) -> dict[str, Tensor]:
        result: dict[str, Tensor] = {}

        def add(receiver: str, message: Tensor, gate: Tensor) -> None:
            gated = gate * message
            result[receiver] = result[receiver] + gated if receiver in result else gated

        for kind in graph.relations:
            adjacency, weights = graph.adjacencies[kind], graph.weights[kind]
            if kind.tail in layer:
                message = propagate(layer[kind.tail], weights.weight, adjacency, weights.laid_out)
                add(kind.head, message, self.gates[_gate_name(kind, "to_head")])
            if kind.head in layer:
                message = propagate(
                    layer[kind.head], weights.weight, adjacency.transposed, weights.laid_out.transposed
                )
                add(kind.tail, message, self.gates[_gate_name(kind, "to_tail")])
        return result

    def _identity(self, layer: dict[str, Tensor], graph: GraphTensors) -> dict[str, Tensor]:
        result = dict(layer)
        for node_type, kind in graph.identities.items():
            if node_type not in layer:
                continue
            adjacency, weights, own = graph.adjacencies[kind], graph.weights[kind], layer[node_type]
            partner = propagate(own, weights.weight, adjacency, weights.laid_out)
            partner = partner + propagate(own, weights.weight, adjacency.transposed, weights.laid_out.transposed)
            result[node_type] = own + self.gates[_gate_name(kind, "both")] * partner
        return result

    def parameter_groups(self) -> list[ParameterGroup]:
        """Embeddings and gates apart: few gates decide much and may move faster."""
        gates = [gate for gate in self.gates.parameters() if gate.requires_grad]
        return [
            ParameterGroup("embeddings", list(self.tables.parameters()), self.config.learning_rate),
            ParameterGroup("gates", gates, self.config.gate_learning_rate),
        ]

    def gate_values(self) -> dict[str, float]:
        """Current gate per relation and direction, for reports."""
        return {name.replace("__", " "): float(gate.detach()) for name, gate in self.gates.items()}


def _gate_name(kind: EdgeType, direction: str) -> str:
    if kind.relation == IDENTITY:
        return f"{kind.head}__{kind.relation}"
    return f"{kind.head}__{kind.relation}__{kind.tail}__{direction}"
