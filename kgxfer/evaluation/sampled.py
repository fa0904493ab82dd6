"""Sampled ranking: a positive among randomly drawn negatives, the draw integrated out, or drawn for comparison.

Published evaluations rank a positive among itself and n (often 999) uniform draws from the items. What they report
moves with the seed and with the way ties are broken; the expectation over both is exact here and needs neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc
from scipy.stats import binom

from kgxfer.evaluation.metrics import Array, discounts

CELLS = 2_000_000
"""Probabilities or draws held at a time; bounds the memory whatever the numbers of rows, ranks and negatives."""


@dataclass(frozen=True, eq=False)
class Pool:
    """The negatives that each positive may meet.

    Shapes: int64 [rows]: candidates of the pool that score higher than the positive (`above`) and the same (`tied`),
    the positive itself not counted, and the size of the pool. `negatives` are drawn from it, with replacement.
    """

    above: Array
    tied: Array
    size: Array
    negatives: int

    def blocks(self, cells_per_row: int) -> Iterator[tuple[slice, Pool]]:
        """Divide the rows so that `cells_per_row` for each of a block fit into the memory allowed."""
        step = max(1, CELLS // max(cells_per_row, 1))
        for start in range(0, len(self.above), step):
            part = slice(start, start + step)
            yield part, Pool(self.above[part], self.tied[part], self.size[part], self.negatives)

    @property
    def shares(self) -> tuple[Array, Array]:
        """Share of the pool that scores higher, and that scores at least the same; float [rows]."""
        size = np.maximum(self.size, 1)
        return self.above / size, np.minimum((self.above + self.tied) / size, 1.0)


def sampled_ranks(above: Array, tied: Array, pool: Array, negatives: int, ranks: int) -> Array:
    """Probability of each rank 1..`ranks` when a positive meets `negatives` uniform draws from a pool.

    The rank minus one is Binomial(n, above + v * tied) with n negatives, v uniform on [0, 1] (uniform tie-break), above
    and tied as shares of the pool. The integral over v is exact: the Binomial(n, p) probability of j, integrated over p
    from 0 to x, is P(Binomial(n + 1, x) > j) / (n + 1).

    Args:
        above, tied: candidates of the pool that score higher and the same, the positive itself not counted; [rows].
        pool: size of the pool; [rows].
        negatives: draws per positive.
        ranks: how many ranks are asked for; those after negatives + 1 have the probability 0.

    Returns:
        float [ranks, rows].
    """
    low, high = Pool(above, tied, pool, negatives).shares
    probability = np.zeros((ranks, len(low)))
    place = np.arange(min(ranks, negatives + 1))[:, None]
    spread = high > low
    width = (high - low)[spread]
    # P(Binomial(n + 1, x) > j) is the regularised incomplete beta function at j + 1, n + 1 - j.
    tails = (betainc(place + 1, negatives + 1 - place, bound[spread]) for bound in (high, low))
    probability[: len(place), spread] = np.subtract(*tails).clip(min=0) / ((negatives + 1) * width)
    probability[: len(place), ~spread] = binom.pmf(place, negatives, low[~spread])
    return probability


def drawn_ranks(
    above: Array, tied: Array, pool: Array, negatives: int, draws: int, generator: np.random.Generator
) -> Array:
    """Rank of each positive among itself and literally drawn negatives, ties broken at random; int64 [draws, rows].

    For comparison with papers, whose figures come from one such draw: `sampled_ranks` is what the mean over draws tends
    to. Negatives are drawn with replacement; the arguments are those of `sampled_ranks`.
    """
    ranks = np.empty((draws, len(above)), dtype=np.int64)
    rows = Pool(above, tied, np.maximum(pool, 1), negatives)
    for part, few in rows.blocks(negatives):
        for draw in range(draws):
            drawn = generator.random((len(few.above), negatives)) * few.size[:, None]
            higher = (drawn < few.above[:, None]).sum(axis=1)
            same = (drawn < (few.above + few.tied)[:, None]).sum(axis=1) - higher
            ranks[draw, part] = 1 + higher + generator.integers(0, same + 1)
    return ranks


def sampled_hr(rows: Pool, k: int) -> Array:
    """Probability that the positive is among the first k of the sampled list; per row."""
    return _weighted(rows, np.ones(k))


def sampled_ndcg(rows: Pool, k: int) -> Array:
    """Expected discount of the positive's sampled rank, 0 after k; per row (one positive: the ideal is 1)."""
    return _weighted(rows, discounts(k))


def _weighted(rows: Pool, rank_values: Array) -> Array:
    """Expectation of a value that depends on the rank; ranks past the end are worth 0."""
    result = np.empty(len(rows.above))
    for part, few in rows.blocks(len(rank_values)):
        result[part] = rank_values @ sampled_ranks(few.above, few.tied, few.size, rows.negatives, len(rank_values))
    return result


def sampled_mrr(rows: Pool, k: int = 0) -> Array:
    """Expected reciprocal sampled rank over all ranks, `k` ignored; per row.

    With n negatives and q = 1 - p, the mean of 1 / (1 + Binomial(n, p)) is (1 + q + ... + q^n) / (n + 1), whose
    integral over p is a sum of powers too.
    """
    count = np.arange(1, rows.negatives + 2)
    result = np.empty(len(rows.above))
    for part, few in rows.blocks(len(count)):
        low, high = few.shares
        width, left = high - low, 1 - low
        # Powers q, q^2, .. at both ends; where nothing is tied the integral is the value at the one end.
        near, far = (
            np.cumprod(np.broadcast_to(1 - bound[:, None], (len(low), len(count))), axis=1) for bound in (low, high)
        )
        spread = ((near - far) / count).sum(axis=1) / np.where(width > 0, width, 1)
        point = np.where(left > 0, near.sum(axis=1) / np.where(left > 0, left, 1), 1.0)
        result[part] = np.where(width > 0, spread, point) / len(count)
    return result


ROW_METRICS: dict[str, Callable[[Pool, int], Array]] = {
    "sampled_hr": sampled_hr, "sampled_ndcg": sampled_ndcg, "sampled_mrr": sampled_mrr,
}
"""Metrics of a single row under sampled ranking, one value per row; averaged per row and per user."""

WITHOUT_CUT = ("sampled_mrr",)
"""Those that look at every rank and have no k."""
