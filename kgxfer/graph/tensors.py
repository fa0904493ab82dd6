"""The graph as tensors: sorted adjacencies once, and the weights that change when edges are held out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from graph_schema.schema import EdgeType
from graph_schema.tables import IDENTITY
from kgxfer.graph.knowledge_graph import INTERACTION, USER, KnowledgeGraph
from kgxfer.graph.propagate import Adjacency, SortedWeights, symmetric_normalisation


@dataclass(frozen=True)
class EdgeWeights:
    """Of one edge type: the mask and the normalised weights, float [edges], the latter also laid out both ways."""

    mask: Tensor
    weight: Tensor
    laid_out: SortedWeights


@dataclass(frozen=True, eq=False)
class GraphTensors:
    """What encoders read. Rows of an adjacency are heads, columns are tails.

    Attributes:
        node_counts: nodes per type.
        item_types: node type of the items of the source and the target domain.
        adjacencies: one per edge type; the edge order is that of the `KnowledgeGraph`.
        weights: normalised message-passing weights; 0 where an edge is held out.
        edge_domain: int64 [edges] for the interactions, by edge type.
        persons: int64 [users].
        membership: bool [2, nodes] by type: which domain a node belongs to.
        popularity: float [items] by item type: training interactions per item.
    """

    node_counts: dict[str, int]
    item_types: tuple[str, str]
    adjacencies: dict[EdgeType, Adjacency]
    weights: dict[EdgeType, EdgeWeights]
    edge_domain: dict[EdgeType, Tensor]
    persons: Tensor
    membership: dict[str, Tensor]
    popularity: dict[str, Tensor]

    @staticmethod
    def of(graph: KnowledgeGraph, device: torch.device | str = "cpu") -> GraphTensors:
        """Convert a graph; every edge takes part in message passing."""
        counts = {kind: vocabulary.size for kind, vocabulary in graph.nodes.items()}
        adjacencies = {
            kind: Adjacency.build(
                torch.from_numpy(edges.head.copy()), torch.from_numpy(edges.tail.copy()),
                counts[kind.head], counts[kind.tail],
            ).to(device)
            for kind, edges in graph.edges.items()
        }
        domains = {
            kind: torch.from_numpy(edges.domain.astype(np.int64)).to(device)
            for kind, edges in graph.edges.items() if kind.relation == INTERACTION
        }
        tensors = GraphTensors(
            counts, graph.item_types, adjacencies, {}, domains, torch.from_numpy(graph.persons.copy()).to(device),
            {kind: torch.from_numpy(vocabulary.membership).to(device) for kind, vocabulary in graph.nodes.items()},
            {
                kind.tail: torch.bincount(adjacencies[kind].columns, minlength=counts[kind.tail]).float()
                for kind in domains
            },
        )
        return tensors.with_masks(
            {kind: torch.ones(adjacency.rows.numel(), device=device) for kind, adjacency in adjacencies.items()}
        )

    def with_masks(self, masks: dict[EdgeType, Tensor]) -> GraphTensors:
        """Give edge types a new mask, float [edges] (0: held out), and normalise them again; others stay as they are.

        The same adjacencies are used, so the cost is that of counting degrees.
        """
        renewed = {}
        for kind, mask in masks.items():
            adjacency = self.adjacencies[kind]
            normalise = _mean_normalisation if kind.relation == IDENTITY else symmetric_normalisation
            weight = normalise(mask, adjacency)
            renewed[kind] = EdgeWeights(mask, weight, SortedWeights.of(weight, adjacency))
        return replace(self, weights=self.weights | renewed)

    @property
    def device(self) -> torch.device:
        """Where the tensors lie."""
        return self.persons.device

    @property
    def relations(self) -> list[EdgeType]:
        """Edge types that carry messages from one node to another, identity links left out."""
        return [kind for kind in self.adjacencies if kind.relation != IDENTITY]

    @property
    def masks(self) -> dict[EdgeType, Tensor]:
        """Mask per edge type, float [edges]: 0 where an edge is held out."""
        return {kind: weights.mask for kind, weights in self.weights.items()}

    @property
    def identities(self) -> dict[str, EdgeType]:
        """Node type -> its identity links, where it has some."""
        return {kind.head: kind for kind in self.adjacencies if kind.relation == IDENTITY}

    def interaction_type(self, domain: int) -> EdgeType:
        """Edge type of the interactions of one domain."""
        return EdgeType(USER, INTERACTION, self.item_types[domain])

    @property
    def person_count(self) -> int:
        """Number of persons."""
        return int(self.persons.max()) + 1

    @cached_property
    def overlapping_persons(self) -> Tensor:
        """Persons with interactions in both domains, int64, ascending."""
        active = torch.zeros(2, self.person_count, dtype=torch.bool, device=self.device)
        for kind, domain in self.edge_domain.items():
            active[domain, self.persons[self.adjacencies[kind].rows]] = True
        return torch.nonzero(active.all(0)).squeeze(1)


def _mean_normalisation(mask: Tensor, adjacency: Adjacency) -> Tensor:
    """Identity links count each partner equally: one over the larger of the two degrees, so that sums stay bounded."""
    row_degree = torch.bincount(adjacency.rows, weights=mask, minlength=adjacency.row_count)
    column_degree = torch.bincount(adjacency.columns, weights=mask, minlength=adjacency.column_count)
    larger = torch.maximum(row_degree[adjacency.rows], column_degree[adjacency.columns])
    return (mask / larger.clamp_min(1.0)).to(mask.dtype)
