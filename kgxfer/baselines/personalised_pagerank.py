"""Personalised PageRank: diffusion from the user over the joint graph, with or without facts.

A random walk starts at the user and goes back there with probability a (restart) after every visit to an item;
``score(u, i) = sum over the steps of the probability of arriving at i, times d_i^-beta``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import Annotated, ClassVar

import numpy as np
import torch
from pydantic import Field
from scipy import sparse

from kgxfer.baselines.base import Baseline, BaselineConfig, Candidate
from kgxfer.baselines.matrix import JointMatrix, item_entities, item_pairs
from kgxfer.baselines.reweighted import LastBlocks, Reweighted
from kgxfer.graph import KnowledgeGraph
from kgxfer.graph.propagate import Adjacency, SortedWeights
from kgxfer.recommender import Catalogue
from kgxfer.splits import Split


class PersonalisedPageRankConfig(BaselineConfig):
    """Settings: `restart` and `beta` are candidates to choose from; `fact_weight` 0 walks over interactions only.

    With facts the walk also takes edges between items: a book and its film.
    """

    restart: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field((0.1, 0.3, 0.6), min_length=1)
    beta: tuple[float, ...] = Field((-0.25, 0.0, 0.25), min_length=1)
    steps: int = Field(10, ge=1)
    fact_weight: float = Field(0.0, ge=0)


class PersonalisedPageRank(Baseline):
    """Diffuse from the user's node; long paths reach items that share no user with the history."""

    config_class: ClassVar[type[BaselineConfig]] = PersonalisedPageRankConfig
    config: PersonalisedPageRankConfig

    def candidates(self, graph: KnowledgeGraph, split: Split) -> Sequence[Candidate]:
        """Normalise the transitions once; the candidates are the pairs of restart and beta."""
        catalogue = Catalogue.of(split)
        joint = JointMatrix.of(graph, catalogue, self.config.joint)
        hubs = joint.matrix
        if self.config.fact_weight:
            known = sparse.vstack([of(graph, catalogue, joint) for of in (item_entities, item_pairs)])
            hubs = sparse.vstack([hubs, self.config.fact_weight * known]).tocsr()
        shared = LastBlocks(_Walk(joint, hubs, self.config.steps).arrivals)
        found = []
        for restart, beta in product(self.config.restart, self.config.beta):
            weight = (joint.degree**-beta).astype(np.float32)
            make = partial(Reweighted, catalogue, joint, partial(shared, restart=restart), weight)
            found.append(Candidate({"restart": restart, "beta": beta}, make))
        return found


class _Walk:
    """Steps item -> hub (person or entity) -> item; every hub and every item passes on all it receives."""

    def __init__(self, joint: JointMatrix, hubs: sparse.csr_matrix, steps: int) -> None:
        entries = hubs.tocoo()
        self._joint, self._steps = joint, steps
        self._adjacency = Adjacency.build(torch.from_numpy(entries.row), torch.from_numpy(entries.col), *hubs.shape)
        value = torch.from_numpy(entries.data).float()
        from_hub, from_item = (torch.from_numpy(np.asarray(hubs.sum(axis)).ravel()).float() for axis in (1, 0))
        self._to_items = SortedWeights.of(value / from_hub[self._adjacency.rows], self._adjacency).backward
        self._to_hubs = SortedWeights.of(value / from_item[self._adjacency.columns], self._adjacency).forward

    def arrivals(self, domain: int, places: np.ndarray, restart: float) -> np.ndarray:
        """Summed probability of arriving at each item of a domain, float32 [users, items]."""
        return self._walk(self._joint.persons[domain][places], restart)[self._joint.columns[domain]].T

    def _walk(self, persons: np.ndarray, restart: float) -> np.ndarray:
        home = torch.zeros(self._adjacency.row_count, len(persons))
        home[torch.from_numpy(persons), torch.arange(len(persons))] = 1.0
        at_hubs, arrived = home, torch.zeros(self._adjacency.column_count, len(persons))
        for _ in range(self._steps):
            at_items = self._adjacency.backward_rows.bag(at_hubs, self._to_items)
            arrived += at_items
            at_hubs = (1 - restart) * self._adjacency.forward_rows.bag(at_items, self._to_hubs)
            at_hubs += restart * home
        return arrived.numpy()
