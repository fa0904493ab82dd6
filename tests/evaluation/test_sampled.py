"""Sampled ranking: the integral is what enumeration, simulation and literal draws tend to."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import product
from math import log2
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgxfer.baselines import ItemKNN, Popularity
from kgxfer.bridges import propose_links
from kgxfer.evaluation import EvaluationConfig, evaluate, sampled
from kgxfer.evaluation.rows import RankedRows
from kgxfer.evaluation.sampled import Pool, drawn_ranks, sampled_hr, sampled_mrr, sampled_ndcg, sampled_ranks
from kgxfer.graph import build_graph
from kgxfer.splits import FixedFiles
from loaders import CrossDomainDataset


def ranks(above: int, tied: int, pool: int, negatives: int, count: int | None = None) -> np.ndarray:
    counts = [np.array([number]) for number in (above, tied, pool)]
    return sampled_ranks(counts[0], counts[1], counts[2], negatives, count or negatives + 1)[:, 0]


@pytest.mark.parametrize(("above", "tied", "pool"), [(1, 2, 5), (0, 0, 4), (4, 0, 4), (0, 3, 3), (2, 1, 3), (0, 1, 6)])
@pytest.mark.parametrize("negatives", [1, 2, 4])
def test_integrated_ranks_equal_the_enumeration_of_all_draws(above: int, tied: int, pool: int, negatives: int) -> None:
    candidates = [1] * above + [0] * tied + [-1] * (pool - above - tied)
    expected = np.zeros(negatives + 1)
    for draw in product(candidates, repeat=negatives):
        higher, same = draw.count(1), draw.count(0)
        # The positive takes each of the same + 1 places among its equals with the same probability.
        expected[higher : higher + same + 1] += 1 / (same + 1) / pool**negatives
    assert ranks(above, tied, pool, negatives) == pytest.approx(expected)


@given(st.integers(1, 500), st.integers(0, 500), st.integers(0, 500), st.integers(1, 60))
def test_probabilities_sum_to_one(pool: int, above: int, tied: int, negatives: int) -> None:
    above = above % (pool + 1)
    found = ranks(above, tied % (pool - above + 1), pool, negatives)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)


def pool_of(above: Any, tied: Any, size: Any, negatives: int) -> Pool:
    return Pool(np.atleast_1d(above), np.atleast_1d(tied), np.atleast_1d(size), negatives)


def test_when_everything_is_tied_every_rank_is_as_likely() -> None:
    assert ranks(0, 500, 500, 999) == pytest.approx(1 / 1000)


def test_ranks_after_the_last_have_no_probability() -> None:
    assert ranks(1, 2, 5, 2, count=6)[3:].tolist() == [0, 0, 0]


@given(st.integers(1, 500), st.integers(0, 500), st.integers(0, 500), st.integers(1, 60), st.integers(1, 70))
def test_metrics_are_sums_over_ranks(pool: int, above: int, tied: int, negatives: int, k: int) -> None:
    above = above % (pool + 1)
    tied = tied % (pool - above + 1)
    probability, place = ranks(above, tied, pool, negatives), np.arange(1, negatives + 2)
    rows = pool_of(above, tied, pool, negatives)
    assert sampled_hr(rows, k)[0] == pytest.approx(probability[:k].sum())
    assert sampled_ndcg(rows, k)[0] == pytest.approx((probability / np.log2(place + 1))[:k].sum())
    assert sampled_mrr(rows)[0] == pytest.approx((probability / place).sum())


def test_by_hand() -> None:
    # One negative out of two candidates, one above, one tied: rank 2, or with one half each rank 1 and 2.
    rows = pool_of(1, 1, 2, 1)
    assert sampled_hr(rows, 1).tolist() == pytest.approx([1 / 4])
    assert sampled_ndcg(rows, 2).tolist() == pytest.approx([1 / 4 + 3 / 4 / log2(3)])
    assert sampled_mrr(rows).tolist() == pytest.approx([1 / 4 + 3 / 4 / 2])


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    rows = pool_of(generator.integers(0, 50, 40), generator.integers(0, 50, 40), np.full(40, 100), 99)
    whole = np.array([metric(rows, 10) for metric in sampled.ROW_METRICS.values()])
    monkeypatch.setattr(sampled, "CELLS", 300)
    assert np.array([metric(rows, 10) for metric in sampled.ROW_METRICS.values()]) == pytest.approx(whole, abs=1e-12)


@pytest.mark.parametrize(("above", "tied"), [(0, 200), (3, 40), (5, 994), (900, 50), (0, 0)])
def test_drawn_ranks_have_the_integrated_distribution(above: int, tied: int) -> None:
    draws, negatives = 4000, 99
    higher, same, size = (np.array([count]) for count in (above, tied, 999))
    drawn = drawn_ranks(higher, same, size, negatives, draws, np.random.default_rng(1))[:, 0]
    assert drawn.min() >= 1
    assert drawn.max() <= negatives + 1
    rows = pool_of(above, tied, 999, negatives)
    for values, exact in (
        (drawn <= 10, sampled_hr(rows, 10)), ((drawn <= 10) / np.log2(drawn + 1), sampled_ndcg(rows, 10)),
        (1 / drawn, sampled_mrr(rows)),
    ):  # fmt: skip
        error = max(values.std() / draws**0.5, 1 / draws)
        assert abs(values.mean() - exact[0]) < 3.5 * error


def test_the_same_generator_draws_the_same() -> None:
    above, tied, size = (np.array(values) for values in ([1, 5], [2, 0], [10, 10]))
    first, second = (drawn_ranks(above, tied, size, 20, 7, np.random.default_rng(3)) for _ in range(2))
    assert first.shape == (7, 2)
    assert first.tolist() == second.tolist()


@pytest.mark.real_data
@pytest.mark.slow
def test_on_games_and_videos_the_integral_is_200_draws_in_a_twentieth_of_the_time(
    loaded: Callable[[str], CrossDomainDataset],
) -> None:
    split = FixedFiles().split(loaded("cdrib-game-video"))
    graph = build_graph(split, propose_links(split, ["shared_id"]))
    config = EvaluationConfig(sampled_negatives=999, exclude_other_positives=("game",))
    models = {"popularity": Popularity().fit(graph, split), "item_knn": ItemKNN(beta=(-0.75,)).fit(graph, split)}
    report = evaluate(models, split, config)
    seconds, generator = np.zeros(2), np.random.default_rng(0)
    for name in models:
        for domain, rows in report.rows[name].items():
            pool = RankedRows(rows, 999, domain == "game").pool
            clock = time.perf_counter()
            exact = [metric(pool, 10).mean() for metric in (sampled_hr, sampled_ndcg, sampled_mrr)]
            middle = time.perf_counter()
            drawn = drawn_ranks(pool.above, pool.tied, pool.size, 999, 200, generator)
            seconds += middle - clock, time.perf_counter() - middle
            hits = drawn <= 10
            for found, values in zip(exact, (hits, hits / np.log2(drawn + 1), 1 / drawn), strict=True):
                means = values.mean(axis=1)
                assert abs(means.mean() - found) < 3.5 * means.std(ddof=1) / 200**0.5, (name, domain)
    assert seconds[1] > 20 * seconds[0], seconds
