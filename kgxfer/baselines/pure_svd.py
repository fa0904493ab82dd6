"""PureSVD: the interactions projected on their leading singular directions.

Cremonesi, Koren, Turrin: Performance of recommender algorithms on top-N recommendation tasks, RecSys 2010. With the
leading right singular vectors Q of the matrix X, zeros included, ``score(u, i) = <x_u Q, q_i>``. Here X holds the items
of both domains. One decomposition serves all candidates, since its components come in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field
from scipy import sparse
from scipy.sparse.linalg import svds

from kgxfer.baselines.base import Baseline, BaselineConfig, Candidate
from kgxfer.baselines.factors import FactorModel, Factors
from kgxfer.baselines.matrix import JointMatrix
from kgxfer.graph import KnowledgeGraph
from kgxfer.recommender import Catalogue, RankingModel
from kgxfer.rng import numpy_generator
from kgxfer.splits import Split


class PureSVDConfig(BaselineConfig):
    """Settings: `dim` are candidates; `seed` sets the start of the decomposition, which hardly shows in the result."""

    dim: tuple[Annotated[int, Field(ge=1)], ...] = Field((64, 8, 16, 32, 128), min_length=1)
    seed: int = 0


class PureSVD(Baseline):
    """Recommend what lies in the user's leading directions of taste."""

    config_class: ClassVar[type[BaselineConfig]] = PureSVDConfig
    config: PureSVDConfig

    def candidates(self, graph: KnowledgeGraph, split: Split) -> Sequence[Candidate]:
        """Decompose once; the candidates are the numbers of components."""
        catalogue = Catalogue.of(split)
        joint = JointMatrix.of(graph, catalogue, self.config.joint)
        factorise = partial(singular_factors, dim=max(self.config.dim), seed=self.config.seed)
        factors = Factors.of(joint, self.config.joint, factorise)

        def make(dim: int) -> RankingModel:
            return FactorModel(catalogue, joint, factors.first(dim))

        return [Candidate({"dim": dim}, partial(make, dim)) for dim in self.config.dim]


def singular_factors(matrix: sparse.csr_matrix, dim: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Leading right singular vectors and the rows projected on them, strongest component first.

    Returns:
        float32 [rows, components] and [columns, components]; fewer components than `dim` where the matrix has fewer.
    """
    smaller = min(matrix.shape)
    if dim < smaller:
        start = numpy_generator(seed, "singular vectors").standard_normal(smaller)
        _, strength, directions = svds(matrix.astype(np.float64), k=dim, v0=start)
        directions = directions[np.argsort(-strength, kind="stable")]
    else:
        directions = np.linalg.svd(matrix.toarray(), full_matrices=False)[2]
    items = np.ascontiguousarray(directions.T)
    return (matrix @ items).astype(np.float32), items.astype(np.float32)
