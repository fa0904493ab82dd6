"""How much memory a training run will take, said before it starts."""

from __future__ import annotations

from kgxfer.encoders.base import parameter_count
from kgxfer.graph import GraphTensors
from kgxfer.model import TransferNetwork
from kgxfer.training.supervision import SupervisionConfig

FLOAT = 4
PARAMETER_COPIES = 5
"""Value, gradient, Adam's two moments and the running average."""
LOGIT_COPIES = 10
"""Scores, their masked copy and its mask, what the loss keeps, and the gradients of all of these at their peak."""


def training_bytes(network: TransferNetwork, graph: GraphTensors, supervision: SupervisionConfig) -> int:
    """Estimate the peak of what training adds to the process: parameters, adjacencies, activations and logits."""
    dim = network.config.dim
    layers = getattr(network.encoder.config, "layers", 0)
    nodes = sum(graph.node_counts.values())
    edges = sum(adjacency.rows.numel() for adjacency in graph.adjacencies.values())
    parameters = parameter_count(network.parameters()) * FLOAT * PARAMETER_COPIES
    # Two int64 ends, two sorted directions (int32 column, int64 order), mask, weight and its two layouts.
    adjacencies = edges * (2 * 8 + 2 * 12 + 4 * FLOAT)
    # Per layer a message and a running sum, and as much again for their gradients.
    activations = nodes * dim * FLOAT * (layers + 1) * 4
    logits = 2 * supervision.rows_per_domain * supervision.negatives * FLOAT * LOGIT_COPIES
    return parameters + adjacencies + activations + logits


def readable_bytes(count: float) -> str:
    """Bytes in the largest unit that leaves a number above one.

    >>> readable_bytes(3_400_000_000)
    '3.4 GB'
    """
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
