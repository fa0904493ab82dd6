"""User-based neighbourhoods over the joint matrix.

Cosine over the items of both domains without truncation or shrinkage: for user rows x_u,
``c(u, v) = <x_u, x_v> / (|x_u| |x_v|)``, and ``score(u, i) = sum over the users v of c(u, v) x_vi, times d_i^-beta``.
A cold-start user's neighbours are found in the other domain alone and bring their own items of this one.
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


class UserKNNConfig(BaselineConfig):
    """Settings: `beta` are the popularity exponents to choose from."""

    beta: tuple[float, ...] = Field((0.0, -0.5, -0.25, 0.25, 0.5), min_length=1)


class UserKNN(Baseline):
    """Recommend what people with a similar taste, in whichever domain, took."""

    config_class: ClassVar[type[BaselineConfig]] = UserKNNConfig
    config: UserKNNConfig

    def candidates(self, graph: KnowledgeGraph, split: Split) -> Sequence[Candidate]:
        """Scale the rows once; the candidates are the values of beta."""
        catalogue = Catalogue.of(split)
        joint = JointMatrix.of(graph, catalogue, self.config.joint)
        history = np.maximum(np.asarray(joint.matrix.sum(1)).ravel(), 1.0)
        scaled = (sparse.diags(1 / np.sqrt(history)) @ joint.matrix).tocsr()
        by_item = scaled.T.tocsr()

        def sums(domain: int, places: np.ndarray) -> np.ndarray:
            similarity = scaled[joint.persons[domain][places]] @ by_item
            summed: np.ndarray = (similarity @ joint.of_domain(domain)).toarray()
            return summed

        shared = LastBlocks(sums)
        return [
            Candidate({"beta": beta}, partial(Reweighted, catalogue, joint, shared, joint.degree**-beta))
            for beta in self.config.beta
        ]
