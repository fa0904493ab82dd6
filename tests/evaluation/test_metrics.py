from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations, product
from math import log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgxfer.evaluation.metrics import (
    LIST_METRICS,
    Positives,
    coverage,
    hit_rate,
    mrr,
    ndcg,
    precision,
    recall,
    sampled_hr,
    sampled_mrr,
    sampled_ndcg,
    sampled_ranks,
)


def placed(scores: Sequence[float], positives: list[int], user: int = 0) -> Positives:
    """Positives of one user among candidates with these scores."""
    above = [sum(other > scores[item] for other in scores) for item in positives]
    tied = [sum(other == scores[item] for other in scores) for item in positives]
    return Positives(np.full(len(positives), user), np.array(above), np.array(tied))


def value(metric: Callable[[Positives, int], np.ndarray], rows: Positives, k: int) -> float:
    (only,) = metric(rows, k)
    return float(only)


D2, D3 = 1 / log2(3), 1 / log2(4)
"""Discounts of the second and the third place."""


def test_fractions_by_hand_without_ties() -> None:
    # Five candidates, best first; the positives stand at places 2, 3 and 5.
    rows = placed([9, 8, 7, 6, 5], [1, 2, 4])
    assert value(recall, rows, 3) == pytest.approx(2 / 3)
    assert value(precision, rows, 3) == pytest.approx(2 / 3)
    assert value(precision, rows, 4) == pytest.approx(2 / 4)
    assert value(hit_rate, rows, 1) == 0
    assert value(hit_rate, rows, 2) == 1
    assert value(mrr, rows, 3) == pytest.approx(1 / 2)
    assert value(mrr, rows, 1) == 0
    assert value(ndcg, rows, 3) == pytest.approx((D2 + D3) / (1 + D2 + D3))
    # The ideal has min(positives, k) hits.
    assert value(ndcg, rows, 2) == pytest.approx(D2 / (1 + D2))


def test_fractions_by_hand_with_ties() -> None:
    # One candidate above, three tied at places 2 to 4, one of them positive.
    rows = placed([9, 5, 5, 5, 1], [2])
    assert value(recall, rows, 2) == pytest.approx(1 / 3)
    assert value(precision, rows, 2) == pytest.approx(1 / 6)
    assert value(hit_rate, rows, 3) == pytest.approx(2 / 3)
    assert value(mrr, rows, 3) == pytest.approx((1 / 2 + 1 / 3) / 3)
    assert value(mrr, rows, 10) == pytest.approx((1 / 2 + 1 / 3 + 1 / 4) / 3)
    assert value(ndcg, rows, 3) == pytest.approx((D2 + D3) / 3)
    # Two positives among the three: the chance that the first place holds neither is 1/3.
    pair = placed([9, 5, 5, 5, 1], [1, 2])
    assert value(hit_rate, pair, 2) == pytest.approx(2 / 3)
    assert value(mrr, pair, 10) == pytest.approx(2 / 3 * 1 / 2 + 1 / 3 * 1 / 3)


def test_users_are_kept_apart_in_the_order_of_their_numbers() -> None:
    first, second = placed([3, 2, 1], [0, 2]), placed([3, 2, 1], [1], user=1)
    both = Positives(
        *(np.concatenate([getattr(second, part), getattr(first, part)]) for part in ("user", "above", "tied"))
    )
    for metric in LIST_METRICS.values():
        alone = Positives(np.zeros(1, dtype=int), second.above, second.tied)
        assert metric(both, 2).tolist() == [*metric(first, 2), *metric(alone, 2)]
    assert both.relevant.tolist() == [2, 1]


def of_one_order(order: tuple[int, ...], positives: list[int], k: int) -> dict[str, float]:
    """The metrics of a ranking without ties, from their definitions."""
    places = sorted(order.index(item) + 1 for item in positives)
    hits = [place for place in places if place <= k]
    ideal = sum(1 / log2(place + 1) for place in range(1, min(len(positives), k) + 1))
    return {
        "recall": len(hits) / len(positives),
        "precision": len(hits) / k,
        "hr": float(bool(hits)),
        "mrr": 1 / hits[0] if hits else 0.0,
        "ndcg": sum(1 / log2(place + 1) for place in hits) / ideal,
    }


TABLES = st.tuples(
    st.lists(st.integers(0, 2), min_size=2, max_size=6), st.sets(st.integers(0, 5), min_size=1), st.integers(1, 7)
).map(lambda drawn: (drawn[0], sorted({item % len(drawn[0]) for item in drawn[1]}), drawn[2]))


@settings(max_examples=60)
@given(TABLES)
def test_ties_are_the_mean_over_all_orders_of_the_tied(table: tuple[list[int], list[int], int]) -> None:
    scores, positives, k = table
    orders = [
        order
        for order in permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in zip(order, order[1:], strict=False))
    ]
    each = [of_one_order(order, positives, k) for order in orders]
    rows = placed(scores, positives)
    for name, metric in LIST_METRICS.items():
        expected = sum(values[name] for values in each) / len(each)
        assert value(metric, rows, k) == pytest.approx(expected), name


LONGER = st.tuples(
    st.lists(st.integers(0, 6), min_size=3, max_size=40), st.sets(st.integers(0, 39), min_size=1), st.integers(1, 15)
).map(lambda drawn: (drawn[0], sorted({item % len(drawn[0]) for item in drawn[1]}), drawn[2]))


@given(LONGER)
def test_bounds_and_the_relations_between_metrics(table: tuple[list[int], list[int], int]) -> None:
    scores, positives, k = table
    rows = placed(scores, positives)
    at_k, further = (
        {name: value(metric, rows, depth) for name, metric in LIST_METRICS.items()} for depth in (k, k + 1)
    )
    assert all(-1e-12 <= found <= 1 + 1e-12 for found in at_k.values())
    for name in ("recall", "hr", "mrr"):
        assert further[name] >= at_k[name] - 1e-12
    assert at_k["mrr"] <= at_k["hr"] + 1e-12
    assert at_k["recall"] <= at_k["hr"] + 1e-12
    assert at_k["precision"] * k == pytest.approx(at_k["recall"] * len(positives))
    if k >= len(scores):
        assert at_k["recall"] == pytest.approx(1)


@given(LONGER, st.integers(0, 39))
def test_a_positive_that_rises_never_lowers_a_metric(table: tuple[list[int], list[int], int], which: int) -> None:
    scores, positives, k = table
    better = list(scores)
    better[positives[which % len(positives)]] += 1
    before, after = placed(scores, positives), placed(better, positives)
    for name, metric in LIST_METRICS.items():
        assert value(metric, after, k) >= value(metric, before, k) - 1e-12, name


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


@pytest.mark.parametrize(("above", "tied"), [(0, 200), (3, 40), (5, 995), (900, 50)])
def test_integrated_ranks_agree_with_a_literal_simulation(above: int, tied: int) -> None:
    generator, pool, negatives, repeats = np.random.default_rng(1), 1000, 999, 4000
    hits, gains = np.zeros(repeats), np.zeros(repeats)
    for repeat in range(repeats):
        drawn = generator.integers(0, pool, negatives)
        higher, same = int((drawn < above).sum()), int(((drawn >= above) & (drawn < above + tied)).sum())
        rank = 1 + higher + generator.integers(0, same + 1)
        hits[repeat], gains[repeat] = rank <= 10, (rank <= 10) / log2(rank + 1)
    probability = ranks(above, tied, pool, negatives)[:, None]
    for values, exact in ((hits, sampled_hr(probability, 10)), (gains, sampled_ndcg(probability, 10))):
        error = max(values.std() / repeats**0.5, 1 / repeats)
        assert abs(values.mean() - exact[0]) < 3.5 * error


def test_when_everything_is_tied_every_rank_is_as_likely() -> None:
    assert ranks(0, 500, 500, 999) == pytest.approx(1 / 1000)


def test_sampled_metrics_by_hand() -> None:
    table = np.array([[0.5, 0.0], [0.25, 0.0], [0.25, 1.0]])
    assert sampled_hr(table, 2).tolist() == [0.75, 0]
    assert sampled_ndcg(table, 2).tolist() == pytest.approx([0.5 + 0.25 * D2, 0])
    assert sampled_mrr(table, 1).tolist() == pytest.approx([0.5 + 0.25 / 2 + 0.25 / 3, 1 / 3])


def test_coverage_counts_each_item_once() -> None:
    assert coverage(np.array([[0, 1], [1, 2]]), 12) == 3 / 12
