"""How unequal one distribution is, and how far apart two are: plain functions of arrays.

Every function states formula and range; where a figure is not defined the caller has to ask first, and `nan` is
returned for what has no answer.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata


def gini(counts: np.ndarray) -> float:
    """Gini coefficient, sum_i (2i - n - 1) x_i / (n sum x) of n sorted counts: 0 all equal, towards 1 one has all.

    >>> gini(np.array([1, 1, 1])), gini(np.array([0, 0, 0, 8]))
    (0.0, 0.75)
    """
    ordered = np.sort(np.asarray(counts, dtype=np.float64))
    number, total = len(ordered), ordered.sum()
    if not number or total <= 0:
        return float("nan")
    return float(((2 * np.arange(1, number + 1) - number - 1) * ordered).sum() / (number * total))


def skewness(counts: np.ndarray) -> float:
    """Fisher's skewness, m3 / m2^1.5 with the central moments m over n: 0 symmetric, positive with a long right tail.

    >>> round(skewness(np.array([1, 1, 1, 5])), 4)
    1.1547
    """
    values = np.asarray(counts, dtype=np.float64)
    if len(values) < 2:
        return float("nan")
    apart = values - values.mean()
    spread = float((apart**2).mean())
    return float((apart**3).mean() / spread**1.5) if spread > 0 else float("nan")


def total_variation(one: np.ndarray, other: np.ndarray) -> float:
    """Half the sum of absolute differences of two distributions on the same places: 0 equal, 1 nothing in common.

    >>> total_variation(np.array([1, 1]), np.array([0, 4]))
    0.5
    """
    return float(np.abs(one / one.sum() - other / other.sum()).sum() / 2)


def wasserstein(one: np.ndarray, one_counts: np.ndarray, other: np.ndarray, other_counts: np.ndarray) -> float:
    """Wasserstein-1 distance: the area between the two distribution functions, in the unit of the values; 0 equal.

    >>> wasserstein(np.array([0.0]), np.array([1]), np.array([0.0, 1.0]), np.array([1, 1]))
    0.5
    """
    places = np.union1d(one, other)
    first, second = (
        _cumulated(places, values, counts) for values, counts in ((one, one_counts), (other, other_counts))
    )
    return float((np.abs(first - second)[:-1] * np.diff(places)).sum())


def _cumulated(places: np.ndarray, values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    weights = np.zeros(len(places))
    np.add.at(weights, np.searchsorted(places, values), counts)
    cumulated: np.ndarray = np.cumsum(weights) / weights.sum()
    return cumulated


def jensen_shannon(one: np.ndarray, other: np.ndarray) -> float:
    """Square root of the Jensen-Shannon divergence to base 2, on the same places: 0 equal, 1 nothing in common.

    >>> jensen_shannon(np.array([1, 0]), np.array([0, 1])), jensen_shannon(np.array([1, 3]), np.array([2, 6]))
    (1.0, 0.0)
    """
    first, second = one / one.sum(), other / other.sum()
    middle = (first + second) / 2
    return float(np.sqrt(max((_divergence(first, middle) + _divergence(second, middle)) / 2, 0.0)))


def _divergence(from_: np.ndarray, to: np.ndarray) -> float:
    there = from_ > 0
    return float((from_[there] * np.log2(from_[there] / to[there])).sum())


def lorenz_gap(one: np.ndarray, other: np.ndarray) -> float:
    """Twice the area between two Lorenz curves: 0 equally unequal, towards 1 one equal and one owned by few.

    The Lorenz curve gives the share of all interactions that the least active (or popular) share of x holds. Where one
    curve lies below the other everywhere, this is the difference of their Gini coefficients; it depends on neither
    the number nor the mean of the counts.

    >>> lorenz_gap(np.array([1, 1]), np.array([5, 5, 5])), lorenz_gap(np.array([1, 1]), np.array([0, 4]))
    (0.0, 0.5)
    """
    curves = [_lorenz(counts) for counts in (one, other)]
    places = np.union1d(curves[0][0], curves[1][0])
    apart = np.interp(places, *curves[0]) - np.interp(places, *curves[1])
    left, right, width = apart[:-1], apart[1:], np.diff(places)
    crossing = left * right < 0
    # Between two places the difference is a straight line: a trapezoid, or two triangles where it changes sign.
    whole = (np.abs(left) + np.abs(right)) / 2
    parts = np.divide(left**2 + right**2, 2 * (np.abs(left) + np.abs(right)), out=np.zeros_like(left), where=crossing)
    return float(2 * (np.where(crossing, parts, whole) * width).sum())


def _lorenz(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    cumulated = np.concatenate([[0.0], np.cumsum(np.sort(np.asarray(counts, dtype=np.float64)))])
    return np.linspace(0, 1, len(cumulated)), cumulated / cumulated[-1]


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's correlation, Pearson's of the ranks with ties at their mean rank: -1 to 1, 0 unrelated.

    NaN where there are fewer than three pairs or one side is constant.

    >>> rank_correlation(np.array([1, 2, 9]), np.array([10, 20, 30]))
    1.0
    """
    if len(one) < 3:
        return float("nan")
    first, second = (rankdata(values) - (len(values) + 1) / 2 for values in (one, other))
    scale = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum() / scale) if scale > 0 else float("nan")
