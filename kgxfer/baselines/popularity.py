"""Popularity: the floor that every personalised model has to beat."""

from __future__ import annotations

import numpy as np

from kgxfer.baselines.base import Baseline
from kgxfer.baselines.matrix import JointMatrix
from kgxfer.evaluation import EvaluationConfig
from kgxfer.graph import KnowledgeGraph
from kgxfer.recommender import Catalogue, RankingModel
from kgxfer.splits import Split


class Popularity(Baseline):
    """Score an item by the number of its training interactions, the same for every user."""

    def fit(self, graph: KnowledgeGraph, split: Split, evaluation: EvaluationConfig | None = None) -> RankingModel:
        """Count; there is nothing to choose."""
        catalogue = Catalogue.of(split)
        joint = JointMatrix.of(graph, catalogue, self.config.joint)
        return _FittedPopularity(catalogue, joint)


class _FittedPopularity(RankingModel):
    def __init__(self, catalogue: Catalogue, joint: JointMatrix) -> None:
        super().__init__(catalogue)
        counts = np.asarray(joint.matrix.sum(0)).ravel().astype(np.float32)
        self._counts = tuple(counts[columns] for columns in joint.columns)

    def score_places(self, domain: int, places: np.ndarray) -> np.ndarray:
        return np.tile(self._counts[domain], (len(places), 1))
