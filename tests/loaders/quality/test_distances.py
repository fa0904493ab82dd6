"""The distances against independent implementations, and where their answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import skew, spearmanr, wasserstein_distance

from loaders.quality.distances import (
    gini,
    jensen_shannon,
    lorenz_gap,
    rank_correlation,
    skewness,
    total_variation,
    wasserstein,
)

COUNTS = st.lists(st.integers(1, 500), min_size=2, max_size=40).map(np.array)
WEIGHTS = st.lists(st.integers(0, 50), min_size=8, max_size=8).filter(any).map(np.array)


def numeric_lorenz_gap(one: np.ndarray, other: np.ndarray) -> float:
    """The same area by brute force, on a fine grid."""
    grid = np.linspace(0, 1, 200_001)
    curves = []
    for counts in (one, other):
        cumulated = np.r_[0, np.cumsum(np.sort(counts))] / counts.sum()
        curves.append(np.interp(grid, np.arange(len(cumulated)) / len(counts), cumulated))
    return float(2 * np.abs(curves[0] - curves[1]).mean())


def test_gini_by_hand() -> None:
    assert gini(np.array([3, 1])) == 0.25  # (-1 * 1 + 1 * 3) / (2 * 4)
    assert gini(np.array([1, 2, 1])) == pytest.approx(1 / 6)  # (-2 * 1 + 0 * 1 + 2 * 2) / (3 * 4)
    assert np.isnan(gini(np.array([]))) and np.isnan(gini(np.array([0, 0])))


@given(COUNTS)
def test_gini_is_half_the_mean_difference_over_the_mean(counts: np.ndarray) -> None:
    expected = np.abs(counts[:, None] - counts[None, :]).mean() / (2 * counts.mean())
    assert gini(counts) == pytest.approx(expected)
    assert gini(7 * counts) == pytest.approx(expected)


@given(COUNTS)
def test_skewness_is_that_of_scipy(counts: np.ndarray) -> None:
    if counts.std() > 0:
        assert skewness(counts) == pytest.approx(skew(counts), rel=1e-6, abs=1e-9)
    else:
        assert np.isnan(skewness(counts))


@given(WEIGHTS, WEIGHTS)
def test_distances_are_those_of_scipy(one: np.ndarray, other: np.ndarray) -> None:
    assert jensen_shannon(one, other) == pytest.approx(jensenshannon(one, other, base=2), abs=1e-7)
    places = np.arange(8) / 7
    expected = wasserstein_distance(places, places, one, other)
    assert wasserstein(places, one, places, other) == pytest.approx(expected)
    variation = total_variation(one, other)
    assert variation == pytest.approx(total_variation(other, one)) and 0 <= variation <= 1 + 1e-12
    # Moving mass by at most the whole scale of 1 cannot take more than the mass that has to move.
    assert wasserstein(places, one, places, other) <= variation + 1e-12


def test_wasserstein_of_different_places_by_hand() -> None:
    found = wasserstein(np.array([0.0, 1.0]), np.array([1, 3]), np.array([0.0, 0.5, 1.0]), np.array([1, 1, 2]))
    assert found == 0.125  # a quarter moves by half the scale


@given(COUNTS, COUNTS)
def test_lorenz_gap_is_the_area(one: np.ndarray, other: np.ndarray) -> None:
    found = lorenz_gap(one, other)
    assert found == pytest.approx(numeric_lorenz_gap(one, other), abs=2e-5)
    assert found == pytest.approx(lorenz_gap(3 * other, np.repeat(one, 2)), abs=1e-9)
    assert found >= abs(gini(one) - gini(other)) - 1e-9


def test_lorenz_gap_where_curves_cross() -> None:
    """Of [0, 1, 1] and [1, 1, 4] by hand: the curves (0, 1/2, 1) and (1/6, 1/3, 1) at a third and two thirds."""
    first, second = 1 / 6, 1 / 6
    triangles = (first / 2 + (first**2 + second**2) / (2 * (first + second)) + second / 2) / 3
    assert lorenz_gap(np.array([0, 1, 1]), np.array([1, 1, 4])) == pytest.approx(2 * triangles)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=30))
def test_rank_correlation_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    one, other = np.array(pairs).T
    found = rank_correlation(one, other)
    if np.ptp(one) and np.ptp(other):
        assert found == pytest.approx(spearmanr(one, other).statistic)
    else:
        assert np.isnan(found)


def test_two_pairs_have_no_rank_correlation() -> None:
    assert np.isnan(rank_correlation(np.array([1, 2]), np.array([1, 2])))
