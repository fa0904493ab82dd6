"""From a trained network to a recommender that needs neither graph nor torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from kgxfer.encoders import Relational
from kgxfer.graph import USER, GraphTensors, KnowledgeGraph
from kgxfer.model import TransferNetwork
from kgxfer.recommender import Catalogue, DomainVectors, Propagation, Recommender


@torch.no_grad()
def freeze(
    network: TransferNetwork,
    tensors: GraphTensors,
    graph: KnowledgeGraph,
    catalogue: Catalogue,
    stages: Sequence[str],
    manifest: dict[str, Any] | None = None,
    explainable: bool = False,
) -> Recommender:
    """Embed all nodes of the full graph once and keep, per domain, what scores are made of.

    A user whom only the other domain knows is represented by that domain's node. `explainable`: keep besides how the
    encoder made the vectors, where it can tell; what is frozen for a glance at validation rows does without.
    """
    network.eval()
    embeddings = {kind: tensor.cpu().numpy() for kind, tensor in network.embed(tensors, stages).items()}
    network.train()
    vectors = []
    for domain in (0, 1):
        kind = graph.item_types[domain]
        items = graph.item_rows(domain, catalogue.item_index(domain).to_numpy())
        users = graph.user_rows_anywhere(domain, catalogue.user_ids.to_numpy())
        scale, offset = _affine(network, domain, torch.from_numpy(items).to(tensors.device), embeddings[kind].shape[1])
        vectors.append(DomainVectors(embeddings[USER][users], embeddings[kind][items], offset, scale))
    how = _propagation(network, graph) if explainable else None
    return Recommender(catalogue, (vectors[0], vectors[1]), manifest, how)


def _propagation(network: TransferNetwork, graph: KnowledgeGraph) -> Propagation | None:
    encoder = network.encoder
    if not isinstance(encoder, Relational):
        return None
    # A copy: training goes on in the same memory.
    embeddings = {kind: table.detach().cpu().numpy().copy() for kind, table in encoder.tables.items()}
    return Propagation(encoder.config.layers, encoder.gate_values(), embeddings, graph.fingerprint)


def _affine(network: TransferNetwork, domain: int, items: torch.Tensor, dim: int) -> tuple[float, np.ndarray]:
    """Scale and item offsets, score stages folded in: they are affine, so two probes determine them."""
    device = items.device
    one = torch.ones(1, dim, device=device) / dim
    nothing = torch.zeros(1, dim, device=device)
    offset = network.score(domain, nothing, nothing.expand(len(items), -1), items)[0]
    probe = network.score(domain, one, torch.ones(1, dim, device=device), items[:1])[0] - offset[:1]
    return float(probe[0]), offset.cpu().numpy().astype(np.float32)
