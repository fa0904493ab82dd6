"""Item-based neighbourhoods over the joint matrix.

Cosine over all users without truncation or shrinkage: for item columns x_i, ``c(j, i) = <x_j, x_i> / (|x_j| |x_i|)``,
and ``score(u, i) = sum over the user's items j of c(j, i) * d_i^-beta``. Truncation to K neighbours would drop the
cross-domain ones, which are what cold-start users have. Negative exponents give popularity back; on sparse data -1,
which turns the cosine into a count of co-occurrences times the root of popularity, is often the best.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import numpy as np
from pydantic import Field
from scipy import sparse

from kgxfer.baselines.base import Baseline, BaselineConfig, Candidate
from kgxfer.baselines.matrix import JointMatrix
from kgxfer.baselines.reweighted import LastBlocks, Reweighted
from kgxfer.graph import KnowledgeGraph
from kgxfer.recommender import Catalogue
from kgxfer.splits import Split


class ItemKNNConfig(BaselineConfig):
    """Settings: `beta` are the popularity exponents to choose from."""

    beta: tuple[float, ...] = Field((-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5), min_length=1)


class ItemKNN(Baseline):
    """Recommend what is taken together with what the user took, in whichever domain."""

    config_class: ClassVar[type[BaselineConfig]] = ItemKNNConfig
    config: ItemKNNConfig

    def candidates(self, graph: KnowledgeGraph, split: Split) -> Sequence[Candidate]:
        """Scale the columns once; the candidates are the values of beta."""
        catalogue = Catalogue.of(split)
        joint = JointMatrix.of(graph, catalogue, self.config.joint)
        scaled = (joint.matrix @ sparse.diags(1 / np.sqrt(joint.degree))).tocsr()

        def sums(domain: int, places: np.ndarray) -> np.ndarray:
            cosines = (joint.histories(domain, places) @ scaled.T) @ scaled[:, joint.columns[domain]]
            summed: np.ndarray = cosines.toarray()
            return summed

        shared = LastBlocks(sums)
        return [
            Candidate({"beta": beta}, partial(Reweighted, catalogue, joint, shared, joint.degree**-beta))
            for beta in self.config.beta
        ]
