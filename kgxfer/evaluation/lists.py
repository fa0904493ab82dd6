"""What the users' lists are like beyond hits: how much of the catalogue they show, how popular, varied and fitting.

Pure functions of the first k columns of each user under full ranking. Equal scores stand in column order here: a list
that is shown has to decide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from kgxfer.evaluation.background import Background, log_popularity
from kgxfer.topk import best_columns

Array = np.ndarray

SMOOTHING = 0.01
"""Share of the history's distribution mixed into the list's, so that a missing category does not make infinity."""

CELLS = 4_000_000
"""Entries of content vectors held at a time, which bounds the memory."""


@dataclass(frozen=True, eq=False)
class Lists:
    """The first k of each user, and what they are compared with.

    Attributes:
        top: int64 [users, k], item columns, best first; -1 where a list is shorter.
        relevant: bool [users, k], which of them are the user's relevant test rows.
        background: popularity, content, categories and histories, users in the same order.
    """

    top: Array
    relevant: Array
    background: Background

    @property
    def filled(self) -> Array:
        """Which places hold an item; bool [users, k]."""
        return self.top >= 0

    def mean(self, item_values: Array) -> Array:
        """Mean of item values over each list; NaN for an empty list."""
        size = self.filled.sum(1)
        total = np.where(self.filled, item_values[self.top], 0).sum(1)
        mean: Array = np.divide(total, size, out=np.full(len(size), np.nan), where=size > 0)
        return mean

    @property
    def incidence(self) -> sparse.csr_matrix:
        """The lists as a matrix of ones, CSR [users, items]."""
        user, place = np.nonzero(self.filled)
        shape = (len(self.top), len(self.background.counts))
        return sparse.csr_matrix((np.ones(len(user)), (user, self.top[user, place])), shape=shape)


def coverage(lists: Lists) -> float:
    """Share of the competing items that stand in at least one user's first k."""
    return len(np.unique(lists.top[lists.filled])) / int(lists.background.competing.sum())


def gini(lists: Lists) -> float:
    """Gini coefficient of how often each competing item is shown: 0 all equally, near 1 a few items all the time."""
    competing = lists.background.competing
    shown = np.bincount(lists.top[lists.filled], minlength=len(competing))[competing]
    shown = np.sort(shown)
    place = np.arange(1, len(shown) + 1)
    return float(2 * (place * shown).sum() / (len(shown) * max(shown.sum(), 1)) - (len(shown) + 1) / len(shown))


def novelty(lists: Lists) -> Array:
    """Mean over the list of -log2 of the share of the domain's training users who took the item, in bits.

    Items that nobody took count as taken by one (Vargas and Castells, RecSys 2011, popularity-based novelty).
    """
    background = lists.background
    return lists.mean(-np.log2(np.maximum(background.counts, 1) / max(background.people, 1)))


def serendipity(lists: Lists) -> Array:
    """Share of the k places with an item that is relevant and not among the k most popular competing items.

    The most popular items have the most training users; equal ones are taken in column order. The denominator is k.
    """
    background, k = lists.background, lists.top.shape[1]
    counts = np.where(background.competing, background.counts, -np.inf)
    popular = np.zeros(len(counts), dtype=bool)
    popular[best_columns(counts[None], k)[0]] = True
    share: Array = (lists.relevant & ~popular[lists.top]).sum(1) / k
    return share


def diversity(lists: Lists) -> Array:
    """One minus the mean cosine of the content vectors over all pairs of the list; NaN for lists of one item or none.

    An item of which nothing is known is unlike everything. The sum over pairs is half of the squared length of the
    summed vectors less that of each.
    """
    content = lists.background.content
    size = lists.filled.sum(1)
    # Models that show everybody the same make few different lists, with the longest vectors.
    distinct, which = np.unique(np.sort(lists.top, axis=1), axis=0, return_inverse=True)
    known = np.diff(content.indptr)
    entries = np.where(distinct >= 0, known[distinct], 0).sum(1)
    block = np.cumsum(entries) // CELLS
    pairs = np.empty(len(distinct))
    for number in np.unique(block):
        chosen = block == number
        summed = Lists(distinct[chosen], np.empty(0), lists.background).incidence @ content
        lengths = np.where(distinct[chosen] >= 0, known[distinct[chosen]] > 0, False).sum(1)
        pairs[chosen] = (np.asarray(summed.power(2).sum(1)).ravel() - lengths) / 2
    possible = size * (size - 1) / 2
    alike: Array = np.divide(pairs[which.ravel()], possible, out=np.full(len(size), np.nan), where=possible > 0)
    return 1 - alike


def popularity_bias(lists: Lists) -> Array:
    """Mean log relative popularity of the list less that of the user's history: above 0, more popular than their taste.

    Natural logs; relative to the mean count of the items' own domain, so that a history in the other domain compares.
    NaN for users without a history.
    """
    difference: Array = lists.mean(log_popularity(lists.background.counts)) - lists.background.history_popularity
    return difference


def calibration(lists: Lists) -> Array:
    """Kullback-Leibler divergence of the list's categories q from the history's p, in nats; 0 is calibrated.

    ``sum_c p(c) log(p(c) / q'(c))`` with ``q' = (1 - 0.01) q + 0.01 p`` (Steck, RecSys 2018); each item spreads one
    unit over its categories, and items without any are left out. NaN where list or history have no category.
    """
    wanted, of_items = lists.background.history_categories, lists.background.categories
    if wanted is None or of_items is None:
        return np.full(len(lists.top), np.nan)
    found = (lists.incidence @ of_items).tocsr()
    total = np.asarray(found.sum(1)).ravel()
    cells = wanted.tocoo()
    share = np.asarray(found[cells.row, cells.col]).ravel() / np.where(total > 0, total, 1)[cells.row]
    terms = cells.data * np.log(cells.data / ((1 - SMOOTHING) * share + SMOOTHING * cells.data))
    divergence = np.bincount(cells.row, weights=terms, minlength=len(total))
    return np.where((total > 0) & (np.diff(wanted.indptr) > 0), divergence, np.nan)


USER_LIST_METRICS: dict[str, Callable[[Lists], Array]] = {
    "novelty": novelty, "serendipity": serendipity, "diversity": diversity, "popularity_bias": popularity_bias,
    "calibration": calibration,
}
"""One value per user, NaN where the user has none; averaged over the users that have one."""

ALL_LISTS_METRICS: dict[str, Callable[[Lists], float]] = {"coverage": coverage, "gini": gini}
"""One value for the lists of all users together."""
