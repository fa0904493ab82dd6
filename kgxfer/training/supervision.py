"""What is predicted at each step, and which edges the encoder may see meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from graph_schema.config import Config
from graph_schema.schema import EdgeType
from kgxfer.graph import GraphTensors
from kgxfer.registry import Registry
from kgxfer.stages import Batch, DomainBatch


class SupervisionConfig(Config):
    """Settings: supervision edges used per domain and step, and the uniform negatives they share."""

    rows_per_domain: int = Field(3072, ge=1)
    negatives: int = Field(1024, ge=1)


class HeldOutConfig(SupervisionConfig):
    """Settings: share of all edges held out per step, of overlapping persons who lose one domain, and their weight."""

    share: float = Field(0.1, ge=0, lt=1)
    hidden_share: float = Field(0.2, ge=0, le=1)
    hidden_weight: float = Field(2.0, gt=0)

    @model_validator(mode="after")
    def _holds_something_out(self) -> Self:
        if not self.share and not self.hidden_share:
            raise ValueError("share and hidden_share are both 0, which leaves nothing to predict; raise one of them")
        return self


@dataclass(frozen=True, eq=False)
class Draw:
    """One step: the graph that is seen and the batch that is predicted."""

    graph: GraphTensors
    batch: Batch


class Supervision:
    """Base: draws rows and negatives; subclasses say which edges are held out, and so which may be drawn."""

    config_class: ClassVar[type[SupervisionConfig]] = SupervisionConfig

    def __init__(self, config: SupervisionConfig, graph: GraphTensors, ratings: dict[EdgeType, Tensor]) -> None:
        self.config, self.graph, self.ratings = config, graph, ratings
        self._items = tuple(
            torch.nonzero(graph.membership[graph.item_types[domain]][domain]).squeeze(1) for domain in (0, 1)
        )

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which every edge is drawn about once."""
        most = max(int((domains == domain).sum()) for domains in self.graph.edge_domain.values() for domain in (0, 1))
        return max(1, round(most / self.config.rows_per_domain))

    def draw(self, generator: torch.Generator, progress: float = 0.0) -> Draw:
        """Draw one step."""
        held = self.held_out(generator)
        graph = self.graph if held is None else self._without(held)
        parts = tuple(self._part(domain, held, generator) for domain in (0, 1))
        found = tuple(part for part in parts if part is not None)
        return Draw(graph, Batch(found, generator, progress, self._touched(held)))

    def _touched(self, held: dict[EdgeType, Tensor] | None) -> dict[str, Tensor]:
        """Share of the supervision edges that end at each node."""
        total, counts = 0.0, dict[str, Tensor]()
        for kind in self.graph.edge_domain:
            adjacency = self.graph.adjacencies[kind]
            everything = torch.ones(adjacency.rows.numel(), device=self.graph.device)
            ones = everything if held is None else (held[kind] > 0).float()
            for node_type, ends in ((kind.head, adjacency.rows), (kind.tail, adjacency.columns)):
                found = torch.bincount(ends, weights=ones, minlength=self.graph.node_counts[node_type])
                counts[node_type] = counts[node_type] + found if node_type in counts else found
            total += float(ones.sum())
        return {node_type: (count / max(total, 1.0)).float() for node_type, count in counts.items()}

    def held_out(self, generator: torch.Generator) -> dict[EdgeType, Tensor] | None:
        """Weight of each interaction as supervision, 0 where it stays in the graph; None: all are drawn and stay."""
        return None

    def _without(self, held: dict[EdgeType, Tensor]) -> GraphTensors:
        return self.graph.with_masks({kind: (weight == 0).float() for kind, weight in held.items()})

    def _part(
        self, domain: int, held: dict[EdgeType, Tensor] | None, generator: torch.Generator
    ) -> DomainBatch | None:
        kind = self.graph.interaction_type(domain)
        of_domain = self.graph.edge_domain[kind] == domain
        eligible = torch.nonzero(of_domain if held is None else of_domain & (held[kind] > 0)).squeeze(1)
        if not len(eligible):
            return None
        device = self.graph.device
        if len(eligible) > self.config.rows_per_domain:
            order = torch.randperm(len(eligible), generator=generator)[: self.config.rows_per_domain]
            eligible = eligible[order.to(device)]
        items = self._items[domain]
        negatives = items[torch.randint(len(items), (self.config.negatives,), generator=generator).to(device)]
        adjacency = self.graph.adjacencies[kind]
        weight = torch.ones(len(eligible), device=device) if held is None else held[kind][eligible]
        rating = self.ratings[kind][eligible] if kind in self.ratings else None
        return DomainBatch(domain, adjacency.rows[eligible], adjacency.columns[eligible], weight, rating, negatives)


class AllEdges(Supervision):
    """The usual way: the encoder sees the edges that it is asked to predict. Right for free user embeddings."""


class HeldOut(Supervision):
    """Train as the model will be tested: what is predicted leaves the graph first.

    Each step holds out a share of all interactions and, for some persons with interactions in both domains, every
    interaction of one domain drawn at random; the rest is normalised again.
    """

    config_class: ClassVar[type[SupervisionConfig]] = HeldOutConfig
    config: HeldOutConfig

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which every edge is held out about once, were it for `share` alone."""
        return max(1, round(1 / self.config.share)) if self.config.share else 10

    def held_out(self, generator: torch.Generator) -> dict[EdgeType, Tensor]:
        """See `Supervision.held_out`; hidden persons' edges weigh `hidden_weight`, other held edges 1."""
        overlapping = self.graph.overlapping_persons
        hidden_domain = torch.full((self.graph.person_count,), -1, device=self.graph.device)
        picked = torch.rand(len(overlapping), generator=generator) < self.config.hidden_share
        side = torch.randint(2, (len(overlapping),), generator=generator)
        hidden_domain[overlapping] = torch.where(picked, side, -1).to(self.graph.device)
        held = {}
        for kind, domain in self.graph.edge_domain.items():
            by_share = torch.rand(len(domain), generator=generator).to(self.graph.device) < self.config.share
            person = self.graph.persons[self.graph.adjacencies[kind].rows]
            weight = torch.where(hidden_domain[person] == domain, self.config.hidden_weight, by_share.float())
            held[kind] = weight
        return held


SUPERVISION: Registry[Supervision] = Registry("supervision", {"held_out": HeldOut, "all_edges": AllEdges})
