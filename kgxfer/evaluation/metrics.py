"""Ranking metrics as pure functions of where the positives stand, exact under ties.

A positive is described by `above`, how many candidates score strictly higher, and `tied`, how many score the same,
itself included. Ties are broken uniformly at random and the randomness is integrated out: every metric is the exact
expectation over all orders of the tied candidates, so no order of the data and no seed can move it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

Array = np.ndarray


def _discounts(k: int) -> Array:
    return 1 / np.log2(np.arange(2, k + 2))


def expected_gain(above: Array, tied: Array, position_values: Array) -> Array:
    """Mean of `position_values` over the positions above+1 .. above+tied; positions past the end are worth 0."""
    cumulated = np.concatenate([[0.0], np.cumsum(position_values)])
    last = len(position_values)
    gain: Array = (cumulated[np.minimum(above + tied, last)] - cumulated[np.minimum(above, last)]) / tied
    return gain


@dataclass(frozen=True)
class Positives:
    """The relevant test rows of one model in one domain, against all candidates.

    Shapes: all int64 [rows]. `user` numbers the users 0.. in the order of first appearance.
    """

    user: Array
    above: Array
    tied: Array

    @property
    def users(self) -> int:
        """How many users there are."""
        return int(self.user.max()) + 1

    def per_user(self, values: Array) -> Array:
        """Sum row values by user."""
        return np.bincount(self.user, weights=values, minlength=self.users)

    @property
    def relevant(self) -> Array:
        """Positives per user."""
        return np.bincount(self.user, minlength=self.users)


def recall(rows: Positives, k: int) -> Array:
    """Expected share of a user's positives among the first k; the denominator is all of them.

    >>> rows = Positives(np.array([0, 0]), np.array([0, 12]), np.array([1, 1]))
    >>> float(recall(rows, 10)[0])
    0.5
    """
    share: Array = rows.per_user(expected_gain(rows.above, rows.tied, np.ones(k))) / rows.relevant
    return share


def precision(rows: Positives, k: int) -> Array:
    """Expected share of positives among the first k; the denominator is k."""
    return rows.per_user(expected_gain(rows.above, rows.tied, np.ones(k))) / k


def ndcg(rows: Positives, k: int) -> Array:
    """Expected DCG (binary gains, log2 discount) over the best possible with min(positives, k) hits."""
    ideal = np.cumsum(_discounts(k))[np.minimum(rows.relevant, k) - 1]
    gain: Array = rows.per_user(expected_gain(rows.above, rows.tied, _discounts(k))) / ideal
    return gain


def _first_positive(rows: Positives) -> tuple[Array, Array, Array]:
    """Per user the tie group of the best positive: above it, its size, positives in it."""
    best = np.full(rows.users, np.iinfo(np.int64).max)
    np.minimum.at(best, rows.user, rows.above)
    in_group = rows.above == best[rows.user]
    group = np.zeros(rows.users, dtype=np.int64)
    np.maximum.at(group, rows.user[in_group], rows.tied[in_group])
    return best, group, np.bincount(rows.user[in_group], minlength=rows.users)


def _still_missing(group: Array, positives: Array, drawn: int) -> Array:
    """Probability that `drawn` draws from a tie group without replacement hold none of its positives."""
    place = np.arange(drawn)[:, None]
    left = np.maximum(group - positives - place, 0) / np.maximum(group - place, 1)
    missing: Array = np.prod(left, axis=0)
    return missing


def hit_rate(rows: Positives, k: int) -> Array:
    """Probability that at least one positive is among the first k."""
    above, group, positives = _first_positive(rows)
    missing = np.ones(rows.users)
    for room in range(1, k + 1):
        chosen = np.clip(k - above, 0, group) == room
        missing[chosen] = _still_missing(group[chosen], positives[chosen], room)
    return 1 - missing


def mrr(rows: Positives, k: int) -> Array:
    """Expected reciprocal rank of the first positive; 0 where it stands after k."""
    above, group, positives = _first_positive(rows)
    total = np.zeros(rows.users)
    for place in range(1, k + 1):
        first_here = _still_missing(group, positives, place - 1) - _still_missing(group, positives, place)
        total += np.where((above + place <= k) & (place <= group), first_here / (above + place), 0)
    return total


LIST_METRICS: dict[str, Callable[[Positives, int], Array]] = {
    "ndcg": ndcg, "recall": recall, "precision": precision, "hr": hit_rate, "mrr": mrr,
}
"""Metrics of a user's whole list under full ranking, one value per user."""

def sampled_ranks(above: Array, tied: Array, pool: Array, negatives: int, ranks: int) -> Array:
    """Probability of each rank 1..`ranks` when a positive meets `negatives` uniform draws from a pool.

    The rank minus one is Binomial(n, above + v * tied) with n negatives, v uniform on [0, 1] (uniform tie-break), above
    and tied as shares of the pool. The integral over v is exact: the Binomial(n, p) probability of j, integrated over p
    from 0 to x, is P(Binomial(n + 1, x) > j) / (n + 1).

    Args:
        above, tied: candidates of the pool that score higher and the same, the positive itself not counted; [rows].
        pool: size of the pool; [rows].
        negatives: draws per positive.
        ranks: how many ranks are asked for.

    Returns:
        float [ranks, rows].
    """
    size = np.maximum(pool, 1)
    low, high = above / size, np.minimum((above + tied) / size, 1.0)
    width = high - low
    place = np.arange(ranks)[:, None]
    integral = binom.sf(place, negatives + 1, high) - binom.sf(place, negatives + 1, low)
    spread = integral.clip(min=0) / ((negatives + 1) * np.where(width > 0, width, 1))
    probability: Array = np.where(width > 0, spread, binom.pmf(place, negatives, low))
    return probability


def sampled_hr(ranks: Array, k: int) -> Array:
    """Probability that the positive is among the first k of the sampled list; per row."""
    probability: Array = ranks[:k].sum(0)
    return probability


def sampled_ndcg(ranks: Array, k: int) -> Array:
    """Expected discount of the positive's sampled rank, 0 after k; per row (one positive: the ideal is 1)."""
    gain: Array = _discounts(k) @ ranks[:k]
    return gain


def sampled_mrr(ranks: Array, k: int) -> Array:
    """Expected reciprocal sampled rank over all ranks, `k` ignored; per row."""
    reciprocal: Array = (1 / np.arange(1, len(ranks) + 1)) @ ranks
    return reciprocal


ROW_METRICS: dict[str, Callable[[Array, int], Array]] = {
    "sampled_hr": sampled_hr, "sampled_ndcg": sampled_ndcg, "sampled_mrr": sampled_mrr,
}
"""Metrics of a single test row under sampled ranking, one value per row; averaged per row and per user."""


def coverage(top: Array, items: int) -> float:
    """Share of a domain's items that stand in at least one user's first k; `top` int64 [users, k]."""
    return len(np.unique(top)) / items
