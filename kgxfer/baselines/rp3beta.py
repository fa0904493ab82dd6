"""RP3beta: three steps of a random walk, with exponents on the transitions and on the popularity of where it ends.

Paudel, Christoffel, Newell, Bernstein: Updatable, accurate, diverse, and scalable recommendations for interactive
applications, ACM TiiS 2017. With X the interactions, d_u and d_i the degrees,
``score(u, i) = sum over j, v of (x_uj / d_u)^alpha (x_vj / d_j)^alpha (x_vi / d_v)^alpha, divided by d_i^beta``.
The walk is computed exactly, where the paper may sample it, and runs over both domains; no neighbours are cut off.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field
from scipy import sparse

from kgxfer.baselines.base import Baseline, BaselineConfig, Candidate
from kgxfer.baselines.matrix import JointMatrix
from kgxfer.baselines.reweighted import LastBlocks, Reweighted
from kgxfer.graph import KnowledgeGraph
from kgxfer.recommender import Catalogue
from kgxfer.splits import Split


class RP3BetaConfig(BaselineConfig):
    """Settings: `alpha` (transitions) and `beta` (popularity, negative to favour it) are candidates to choose from."""

    alpha: tuple[Annotated[float, Field(ge=0)], ...] = Field((1.0, 0.5, 1.5), min_length=1)
    beta: tuple[float, ...] = Field((0.0, -0.5, -0.25, 0.25, 0.5), min_length=1)


class RP3Beta(Baseline):
    """Walk user -> item -> user -> item, and correct for popular ends."""

    config_class: ClassVar[type[BaselineConfig]] = RP3BetaConfig
    config: RP3BetaConfig

    def candidates(self, graph: KnowledgeGraph, split: Split) -> Sequence[Candidate]:
        """The candidates are the pairs of alpha and beta; those of one alpha share the walk."""
        catalogue = Catalogue.of(split)
        joint = JointMatrix.of(graph, catalogue, self.config.joint)
        history = np.maximum(np.asarray(joint.matrix.sum(1)).ravel(), 1.0)

        def sums(domain: int, places: np.ndarray, alpha: float) -> np.ndarray:
            leave_user = sparse.diags(history**-alpha) @ joint.matrix
            leave_item = (joint.matrix @ sparse.diags(joint.degree**-alpha)).T.tocsr()
            at_users = leave_user.tocsr()[joint.persons[domain][places]] @ leave_item
            arrived: np.ndarray = (at_users @ leave_user.tocsc()[:, joint.columns[domain]].tocsr()).toarray()
            return arrived

        shared = LastBlocks(sums)
        found = []
        for alpha, beta in product(self.config.alpha, self.config.beta):
            make = partial(Reweighted, catalogue, joint, partial(shared, alpha=alpha), joint.degree**-beta)
            found.append(Candidate({"alpha": alpha, "beta": beta}, make))
        return found
