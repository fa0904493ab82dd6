"""What an encoder is: a module that turns a graph into one embedding per node."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from graph_schema.config import Config
from kgxfer.graph import GraphTensors

Embeddings = dict[str, Tensor]
"""Node type -> float [nodes, dim]."""


class EncoderConfig(Config):
    """Settings of every encoder: `dim` of the embeddings, and the learning rate of its main parameters."""

    dim: int = Field(64, ge=1, le=4096)
    learning_rate: float = Field(1e-3, gt=0)
    initial_deviation: float = Field(0.03, gt=0)


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that one optimiser owns; a component may return several, each trained at its own pace."""

    name: str
    parameters: list[nn.Parameter]
    learning_rate: float
    weight_decay: float = 0.0


class Encoder(nn.Module):
    """Base of encoders; built for the node counts and edge types of one graph, run on any masking of it."""

    config_class: ClassVar[type[EncoderConfig]] = EncoderConfig
    inductive: ClassVar[bool] = False
    """Whether a node without parameters of its own gets an embedding from its neighbours."""

    def __init__(self, config: EncoderConfig, graph: GraphTensors) -> None:
        super().__init__()
        self.config = config

    def forward(self, graph: GraphTensors) -> Embeddings:
        """Embed the nodes; types that the encoder does not serve are absent from the result."""
        raise NotImplementedError

    def parameter_groups(self) -> list[ParameterGroup]:
        """All parameters in one group unless an encoder says otherwise."""
        return [ParameterGroup("encoder", list(self.parameters()), self.config.learning_rate)]


def embedding_table(rows: int, config: EncoderConfig) -> nn.Parameter:
    """Normally distributed start values; drawn from torch's global generator, which the training loop seeds."""
    return nn.Parameter(nn.init.normal_(Tensor(rows, config.dim), std=config.initial_deviation))


def parameter_count(parameters: Iterable[nn.Parameter]) -> int:
    """Number of scalars."""
    return sum(parameter.numel() for parameter in parameters)
