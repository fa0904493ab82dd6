"""Ranking metrics as pure functions of where the positives stand, exact under ties.

A positive is described by `above`, how many candidates score strictly higher, and `tied`, how many score the same,
itself included. Ties are broken uniformly at random and the randomness is integrated out: every metric is the exact
expectation over all orders of the tied candidates, so no order of the data and no seed can move it. The two other ways
of breaking ties, all for the positives or all against them, are `Positives.resolved`: they show what ties are worth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

Array = np.ndarray
Ties = Literal["uniform", "optimistic", "pessimistic"]


def discounts(k: int) -> Array:
    """Weight of the places 1..k in a discounted gain: 1 / log2(place + 1)."""
    return 1 / np.log2(np.arange(2, k + 2))


def expected_gain(above: Array, tied: Array, position_values: Array) -> Array:
    """Mean of `position_values` over the positions above+1 .. above+tied; positions past the end are worth 0."""
    cumulated = np.concatenate([[0.0], np.cumsum(position_values)])
    last = len(position_values)
    gain: Array = (cumulated[np.minimum(above + tied, last)] - cumulated[np.minimum(above, last)]) / tied
    return gain


@dataclass(frozen=True, eq=False)
class Positives:
    """The relevant rows of one model in one domain, against all candidates.

    Shapes: all [rows]. `user` numbers the users 0.. in the order of first appearance; `above`, `tied` and `candidates`
    (all that compete, the positive included) are int64. `rating` is float, or None where the data have no ratings; a
    row without a rating has NaN.
    """

    user: Array
    above: Array
    tied: Array
    candidates: Array
    rating: Array | None = None

    @cached_property
    def users(self) -> int:
        """How many users there are."""
        return int(self.user.max()) + 1

    def per_user(self, values: Array) -> Array:
        """Sum row values by user."""
        return np.bincount(self.user, weights=values, minlength=self.users)

    @cached_property
    def relevant(self) -> Array:
        """Positives per user."""
        return np.bincount(self.user, minlength=self.users)

    @cached_property
    def own(self) -> tuple[Array, Array]:
        """Per row, how many of the user's positives score higher, and how many score the same, itself included."""
        order = np.lexsort((self.above, self.user))
        user, above = self.user[order], self.above[order]
        new_user = np.r_[True, user[1:] != user[:-1]]
        new_group = new_user | np.r_[True, above[1:] != above[:-1]]
        starts = np.flatnonzero(new_group)
        group = np.cumsum(new_group) - 1
        first_of_user = np.maximum.accumulate(np.where(new_user, np.arange(len(order)), 0))
        higher, same = np.empty((2, len(order)), dtype=np.int64)
        higher[order] = starts[group] - first_of_user
        same[order] = np.diff(np.r_[starts, len(order)])[group]
        return higher, same

    def resolved(self, ties: Ties) -> Positives:
        """Break the ties: all for the positives ("optimistic"), all against them ("pessimistic"), or not at all.

        Where several positives of a user are tied with each other, optimism puts the best rated first and pessimism
        last.
        """
        if ties == "uniform":
            return self
        rating = np.zeros(len(self.user)) if self.rating is None else np.nan_to_num(self.rating)
        order = np.lexsort((-rating if ties == "optimistic" else rating, self.above, self.user))
        user, above = self.user[order], self.above[order]
        starts = np.r_[True, (user[1:] != user[:-1]) | (above[1:] != above[:-1])]
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order)) - np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))
        behind = 0 if ties == "optimistic" else self.tied - self.own[1]
        return replace(self, above=self.above + behind + place, tied=np.ones_like(self.tied))

    def each_alone(self) -> Positives:
        """Every row as a user of its own: the user's other positives are candidates like any other."""
        return replace(self, user=np.arange(len(self.user)))


def recall(rows: Positives, k: int) -> Array:
    """Expected share of a user's positives among the first k; the denominator is all of them.

    >>> rows = Positives(np.array([0, 0]), np.array([0, 12]), np.array([1, 1]), np.array([20, 20]))
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
    ideal = np.cumsum(discounts(k))[np.minimum(rows.relevant, k) - 1]
    gain: Array = rows.per_user(expected_gain(rows.above, rows.tied, discounts(k))) / ideal
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
    missing = np.ones(rows.users)
    for place in range(1, k + 1):
        # The next draw misses too when it is none of the positives among what is left of the group.
        left = np.maximum(group - place + 1, 1)
        still = missing * np.maximum(left - positives, 0) / left
        total += np.where((above + place <= k) & (place <= group), (missing - still) / (above + place), 0)
        missing = still
    return total


def mean_average_precision(rows: Positives, k: int) -> Array:
    """Expected mean, over all of a user's positives, of the precision at the positive's rank; 0 for ranks after k.

    The denominator is all positives, as in trec_eval's map_cut, not min(positives, k).

    With m positives among the t candidates of a tie group, a candidates and r positives above it, a positive stands at
    place j of the group with probability 1 / t and has there r + 1 + (j - 1) (m - 1) / (t - 1) positives up to itself;
    the sum over j of that over a + j is a difference of harmonic numbers.
    """
    higher, same = rows.own
    room = np.clip(k - rows.above, 0, rows.tied)
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, k + 1))])
    reciprocals = harmonic[np.minimum(rows.above + room, k)] - harmonic[np.minimum(rows.above, k)]
    fellows = (same - 1) / np.maximum(rows.tied - 1, 1)
    summed = (higher + 1) * reciprocals + fellows * (room - (rows.above + 1) * reciprocals)
    average: Array = rows.per_user(summed / rows.tied) / rows.relevant
    return average


def _discounted(rows: Positives, gain: Array, k: int) -> Array:
    """Expected DCG of graded gains over that of the best order; 0 where no positive has a gain."""
    best = np.lexsort((-gain, rows.user))
    place = np.arange(len(best)) - np.concatenate([[0], np.cumsum(rows.relevant)])[rows.user[best]]
    weight = np.concatenate([discounts(k), [0.0]])[np.minimum(place, k)]
    ideal = np.bincount(rows.user[best], weights=gain[best] * weight, minlength=rows.users)
    found = rows.per_user(gain * expected_gain(rows.above, rows.tied, discounts(k)))
    gained: Array = np.divide(found, ideal, out=np.zeros(rows.users), where=ideal > 0)
    return gained


def _ratings(rows: Positives) -> Array:
    if rows.rating is None:
        raise ValueError("graded gains need the ratings of the rows")
    ratings: Array = np.nan_to_num(rows.rating).clip(min=0)
    return ratings


def ndcg_linear(rows: Positives, k: int) -> Array:
    """NDCG whose gain is a positive's rating (none: 0); the ideal is the order by rating, cut at k.

    Rows below the threshold of relevance have no gain.
    """
    return _discounted(rows, _ratings(rows), k)


def ndcg_exponential(rows: Positives, k: int) -> Array:
    """NDCG whose gain is 2^rating - 1 of a positive (none: 0); the ideal is the order by rating, cut at k.

    Rows below the threshold of relevance have no gain.
    """
    return _discounted(rows, np.exp2(_ratings(rows)) - 1, k)


def auc(rows: Positives, k: int = 0) -> Array:
    """Share of a user's pairs of a positive and another candidate in the right order, ties one half; `k` ignored.

    The denominator is positives times candidates that are none of the user's positives; without such candidates there
    is nothing to order, which counts as one half.
    """
    higher, same = rows.own
    others = rows.candidates - rows.relevant[rows.user]
    wrong = rows.above - higher + (rows.tied - same) / 2
    share: Array = rows.per_user(1 - np.where(others > 0, wrong / np.maximum(others, 1), 0.5)) / rows.relevant
    return share


def r_precision(rows: Positives, k: int = 0) -> Array:
    """Expected share of positives among the first R, where R is the number of the user's positives; `k` ignored."""
    cut = rows.relevant[rows.user]
    share: Array = rows.per_user(np.clip(cut - rows.above, 0, rows.tied) / rows.tied) / rows.relevant
    return share


ListMetric = Callable[[Positives, int], Array]

LIST_METRICS: dict[str, ListMetric] = {
    "ndcg": ndcg, "recall": recall, "precision": precision, "hr": hit_rate, "mrr": mrr, "map": mean_average_precision,
}
"""Metrics of a user's first k under full ranking, one value per user."""

WHOLE_LIST_METRICS: dict[str, ListMetric] = {"auc": auc, "r_precision": r_precision}
"""Metrics of a user's whole list, which have no k."""

GRADED_METRICS: dict[str, ListMetric] = {"ndcg_linear": ndcg_linear, "ndcg_exponential": ndcg_exponential}
"""Metrics of a user's first k whose gains are ratings, where the data have them."""
