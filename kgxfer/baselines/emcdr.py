"""EMCDR, linear: each domain is factorised by itself, and a mapping carries the vectors of users across.

Man, Shen, Jin, Cheng: Cross-domain recommendation: an embedding and mapping approach, IJCAI 2017. For the users active
in both domains, with vectors A in one and B in the other, the mapping is the ridge regression
``M = (A^T A + r I)^-1 A^T B``; a user without interactions in a domain gets there the vector ``a M``.

Differs from the paper: the vectors are those of iALS, the stronger factorisation of implicit interactions; there is a
mapping in both directions; the mapping is the linear one of the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from kgxfer.baselines.base import Baseline, BaselineConfig, Candidate
from kgxfer.baselines.factors import FactorModel, Factors
from kgxfer.baselines.ials import IALSConfig, ials_factors
from kgxfer.baselines.matrix import JointMatrix
from kgxfer.graph import KnowledgeGraph
from kgxfer.recommender import Catalogue, RankingModel
from kgxfer.splits import Split


class EMCDRConfig(BaselineConfig):
    """Settings: `regularisation` of the mapping is what candidates differ in; `joint` False leaves the mapping out.

    `dim`, `unobserved`, `factor_regularisation` and `seed` are those of iALS for one domain, see `IALSConfig`.
    """

    regularisation: tuple[Annotated[float, Field(gt=0)], ...] = Field((10.0, 1.0, 100.0), min_length=1)
    dim: int = Field(64, ge=1)
    unobserved: float = Field(100.0, gt=0)
    factor_regularisation: float = Field(0.2, gt=0)
    seed: int = 0


class EMCDR(Baseline):
    """Map users between two spaces that know nothing of each other."""

    config_class: ClassVar[type[BaselineConfig]] = EMCDRConfig
    config: EMCDRConfig

    def candidates(self, graph: KnowledgeGraph, split: Split) -> Sequence[Candidate]:
        """Factorise each domain once; the candidates are the regularisations of the mapping."""
        catalogue = Catalogue.of(split)
        joint = JointMatrix.of(graph, catalogue, self.config.joint)
        factorise = partial(
            ials_factors, config=IALSConfig(dim=self.config.dim, seed=self.config.seed),
            unobserved=self.config.unobserved, regularisation=self.config.factor_regularisation,
        )
        factors = Factors.of(joint, together=False, factorise=factorise)
        source, target = (joint.of_domain(domain).getnnz(1) > 0 for domain in (0, 1))

        def make(regularisation: float) -> RankingModel:
            of_source, of_target = factors.users
            to_source = mapped(of_target, of_source, source & target, regularisation)
            to_target = mapped(of_source, of_target, source & target, regularisation)
            users = (np.where(source[:, None], of_source, to_source), np.where(target[:, None], of_target, to_target))
            return FactorModel(catalogue, joint, Factors(users, factors.items))

        return [Candidate({"regularisation": value}, partial(make, value)) for value in self.config.regularisation]


def mapped(inputs: np.ndarray, outputs: np.ndarray, known: np.ndarray, regularisation: float) -> np.ndarray:
    """Ridge regression from inputs to outputs over the known rows, applied to all rows; float32 [rows, dim]."""
    of_known = inputs[known].astype(np.float64)
    gram = of_known.T @ of_known + regularisation * np.eye(inputs.shape[1])
    mapping = np.linalg.solve(gram, of_known.T @ outputs[known])
    return (inputs @ mapping).astype(np.float32)
