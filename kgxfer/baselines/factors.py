"""What baselines that factorise have in common: vectors of persons and items, from both domains together or apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from kgxfer.baselines.matrix import JointMatrix
from kgxfer.recommender import Catalogue, RankingModel

Factorise = Callable[[sparse.csr_matrix], tuple[np.ndarray, np.ndarray]]
"""Persons by items -> vectors of the persons [persons, dim] and of the items [items, dim]."""


@dataclass(frozen=True, eq=False)
class Factors:
    """Vectors of all persons and of the items, as each domain uses them.

    Attributes:
        users: per domain float [persons, dim].
        items: per domain float [items of the domain, dim].
    """

    users: tuple[np.ndarray, np.ndarray]
    items: tuple[np.ndarray, np.ndarray]

    @staticmethod
    def of(joint: JointMatrix, together: bool, factorise: Factorise) -> Factors:
        """Factorise the joint matrix, or each domain's part of it by itself."""
        if together:
            users, items = factorise(joint.matrix)
            return Factors((users, users), (items[joint.columns[0]], items[joint.columns[1]]))
        source, target = (factorise(joint.of_domain(domain)) for domain in (0, 1))
        return Factors((source[0], target[0]), (source[1], target[1]))

    def first(self, dim: int) -> Factors:
        """The same with the first `dim` components only."""
        users, items = ((part[0][:, :dim], part[1][:, :dim]) for part in (self.users, self.items))
        return Factors(users, items)


class FactorModel(RankingModel):
    """``score(u, i) = <user vector, item vector>``."""

    def __init__(self, catalogue: Catalogue, joint: JointMatrix, factors: Factors) -> None:
        super().__init__(catalogue)
        self._joint, self._factors = joint, factors

    def score_places(self, domain: int, places: np.ndarray) -> np.ndarray:
        """See `RankingModel.score_places`."""
        users = self._factors.users[domain][self._joint.persons[domain][places]]
        scores: np.ndarray = users @ self._factors.items[domain].T
        return scores.astype(np.float32, copy=False)
