"""Popularity: the floor that every personalised model has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from kgxfer.baselines.base import Baseline, Candidate
from kgxfer.baselines.matrix import JointMatrix
from kgxfer.graph import KnowledgeGraph
from kgxfer.recommender import Catalogue, RankingModel
from kgxfer.splits import Split


class Popularity(Baseline):
    """Score an item by the number of its training interactions, the same for every user."""

    def candidates(self, graph: KnowledgeGraph, split: Split) -> Sequence[Candidate]:
        """Count; there is nothing to choose."""
        catalogue = Catalogue.of(split)
        joint = JointMatrix.of(graph, catalogue, self.config.joint)
        counts = np.asarray(joint.matrix.sum(0)).ravel()
        return [Candidate({}, partial(SameForAll, catalogue, joint, counts))]


class SameForAll(RankingModel):
    """One score per item, whoever asks; `scores` float [joint items]."""

    def __init__(self, catalogue: Catalogue, joint: JointMatrix, scores: np.ndarray) -> None:
        super().__init__(catalogue)
        self._scores = tuple(scores[columns].astype(np.float32) for columns in joint.columns)

    def score_places(self, domain: int, places: np.ndarray) -> np.ndarray:
        """See `RankingModel.score_places`."""
        return np.tile(self._scores[domain], (len(places), 1))
