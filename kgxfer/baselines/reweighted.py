"""Models that are a sum over paths times a weight per item, so that candidates for the weight can share the sums."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kgxfer.baselines.matrix import JointMatrix
from kgxfer.recommender import Catalogue, RankingModel

Sums = Callable[[int, np.ndarray], np.ndarray]
"""Domain and places of users in the catalogue -> float [users, items of the domain]."""


class LastBlocks:
    """Sums that remember the last block of users of each domain, since candidates ask for it one after the other.

    Args:
        sums: domain, places and, by name, the settings that the sums depend on -> float [users, items].
    """

    def __init__(self, sums: Callable[..., np.ndarray]) -> None:
        self._sums = sums
        self._last: dict[int, tuple[tuple[bytes, dict[str, float]], np.ndarray]] = {}

    def __call__(self, domain: int, places: np.ndarray, **settings: float) -> np.ndarray:
        """Return the sums of a block; the result is shared and not to be changed."""
        key = (places.tobytes(), settings)
        if domain not in self._last or self._last[domain][0] != key:
            self._last[domain] = (key, self._sums(domain, places, **settings))
        return self._last[domain][1]


class Reweighted(RankingModel):
    """``score(u, i) = sums(u, i) * weight(i)``.

    Args:
        catalogue: ids and seen items.
        joint: whose columns the weights belong to.
        sums: float [users, items of a domain].
        weight: float [joint items].
    """

    def __init__(self, catalogue: Catalogue, joint: JointMatrix, sums: Sums, weight: np.ndarray) -> None:
        super().__init__(catalogue)
        self._joint, self._sums, self._weight = joint, sums, weight

    def score_places(self, domain: int, places: np.ndarray) -> np.ndarray:
        """See `RankingModel.score_places`."""
        scores: np.ndarray = self._sums(domain, places) * self._weight[self._joint.columns[domain]]
        return scores.astype(np.float32, copy=False)
