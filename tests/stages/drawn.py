"""What the tests of stages begin with."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from kgxfer.encoders import Embeddings
from kgxfer.graph import USER, GraphTensors
from kgxfer.stages import StageContext
from tests.networks import network_of

DIM = 4
COMBINATIONS = ["disjoint", "same_as_edges", "collapse"]


def random_embeddings(graph: GraphTensors, seed: int = 0) -> Embeddings:
    generator = torch.Generator().manual_seed(seed)
    kinds = dict.fromkeys([USER, *graph.item_types])
    return {kind: torch.randn(graph.node_counts[kind], DIM, generator=generator) for kind in kinds}


def context_of(graph: GraphTensors) -> StageContext:
    return network_of(graph, "mf", dim=DIM).context(graph)


def values(tensor: Tensor) -> np.ndarray:
    array: np.ndarray = tensor.detach().numpy().astype(float)
    return array
