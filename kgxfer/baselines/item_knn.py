"""Item-based neighbourhoods over the joint matrix.

Cosine over all users without truncation or shrinkage: for item columns x_i, ``c(j, i) = <x_j, x_i> / (|x_j| |x_i|)``,
and ``score(u, i) = sum over the user's items j of c(j, i) * d_i^-beta``. Truncation to K neighbours would drop the
cross-domain ones, which are what cold-start users have. Negative exponents give popularity back; on sparse data -1,
which turns the cosine into a count of co-occurrences times the root of popularity, is often the best.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field
from scipy import sparse

from kgxfer.baselines.base import Baseline, BaselineConfig, choose_per_domain
from kgxfer.baselines.matrix import JointMatrix
from kgxfer.evaluation import EvaluationConfig
from kgxfer.graph import KnowledgeGraph
from kgxfer.recommender import Catalogue, RankingModel
from kgxfer.splits import Split


class ItemKNNConfig(BaselineConfig):
    """Settings: `beta` are the popularity exponents to choose from."""

    beta: tuple[float, ...] = Field((-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5), min_length=1)


class ItemKNN(Baseline):
    """Recommend what is taken together with what the user took, in whichever domain."""

    config_class: ClassVar[type[BaselineConfig]] = ItemKNNConfig
    config: ItemKNNConfig

    def fit(self, graph: KnowledgeGraph, split: Split, evaluation: EvaluationConfig | None = None) -> RankingModel:
        """Scale the columns once; choose beta on the validation rows."""
        catalogue = Catalogue.of(split)
        joint = JointMatrix.of(graph, catalogue, self.config.joint)
        degree = np.asarray(joint.matrix.sum(0)).ravel()
        neighbours = _Neighbours(joint, (joint.matrix @ sparse.diags(1 / np.sqrt(np.maximum(degree, 1)))).tocsr())
        models = [
            _FittedItemKNN(catalogue, joint, neighbours, np.maximum(degree, 1) ** -beta) for beta in self.config.beta
        ]
        return choose_per_domain(models, split, evaluation)


class _Neighbours:
    """Summed cosines; the last block of users is kept, since the candidates for beta differ by item weights alone."""

    def __init__(self, joint: JointMatrix, scaled: sparse.csr_matrix) -> None:
        self._joint, self._scaled = joint, scaled
        self._last: tuple[tuple[int, bytes], np.ndarray] | None = None

    def sums(self, domain: int, places: np.ndarray) -> np.ndarray:
        """Sum over each user's items of the cosine with every item of a domain; float64 [users, items]."""
        key = (domain, places.tobytes())
        if self._last is None or self._last[0] != key:
            histories = self._joint.histories(domain, places)
            cosines = (histories @ self._scaled.T) @ self._scaled[:, self._joint.columns[domain]]
            self._last = (key, cosines.toarray())
        return self._last[1]


class _FittedItemKNN(RankingModel):
    def __init__(
        self, catalogue: Catalogue, joint: JointMatrix, neighbours: _Neighbours, item_weight: np.ndarray
    ) -> None:
        super().__init__(catalogue)
        self._joint, self._neighbours, self._item_weight = joint, neighbours, item_weight

    def score_places(self, domain: int, places: np.ndarray) -> np.ndarray:
        scores: np.ndarray = self._neighbours.sums(domain, places) * self._item_weight[self._joint.columns[domain]]
        return scores.astype(np.float32)
