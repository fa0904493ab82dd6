from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations
from math import log2

import ir_measures
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgxfer.evaluation.metrics import (
    GRADED_METRICS,
    LIST_METRICS,
    WHOLE_LIST_METRICS,
    Positives,
    auc,
    hit_rate,
    mean_average_precision,
    mrr,
    ndcg,
    ndcg_exponential,
    ndcg_linear,
    precision,
    r_precision,
    recall,
)

BINARY = {**LIST_METRICS, **WHOLE_LIST_METRICS}
ALL = {**BINARY, **GRADED_METRICS}


def placed(
    scores: Sequence[float], positives: list[int], user: int = 0, ratings: Sequence[float] | None = None
) -> Positives:
    """Positives of one user among candidates with these scores; the ratings are those of all candidates."""
    above = [sum(other > scores[item] for other in scores) for item in positives]
    tied = [sum(other == scores[item] for other in scores) for item in positives]
    counts = np.full(len(positives), user), np.array(above), np.array(tied), np.full(len(positives), len(scores))
    return Positives(*counts, None if ratings is None else np.array(ratings, dtype=float)[positives])


def together(*parts: Positives) -> Positives:
    return Positives(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("user", "above", "tied", "candidates"))
    )


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
    # Precision is 1/2, 2/3 and 3/5 at the positives; all three are the denominator, wherever the list is cut.
    assert value(mean_average_precision, rows, 5) == pytest.approx((1 / 2 + 2 / 3 + 3 / 5) / 3)
    assert value(mean_average_precision, rows, 2) == pytest.approx((1 / 2) / 3)
    # Two other candidates, at places 1 and 4: of six pairs, 0 and 2 are wrong for the first two, 2 for the third.
    assert value(auc, rows, 1) == pytest.approx(1 - (1 + 1 + 2) / 6)
    assert value(r_precision, rows, 1) == pytest.approx(2 / 3)


def test_graded_gains_by_hand() -> None:
    # Places 2, 3 and 5 hold ratings 1, 3 and 2; the ideal order is 3, 2, 1.
    rows = placed([9, 8, 7, 6, 5], [1, 2, 4], ratings=[0, 1, 3, 0, 2])
    assert value(ndcg_linear, rows, 3) == pytest.approx((1 * D2 + 3 * D3) / (3 + 2 * D2 + 1 * D3))
    assert value(ndcg_linear, rows, 1) == 0
    assert value(ndcg_exponential, rows, 3) == pytest.approx((1 * D2 + 7 * D3) / (7 + 3 * D2 + 1 * D3))
    # A user whose positives have no gain at all earns nothing, and no row without a rating counts.
    assert value(ndcg_linear, placed([2, 1], [0], ratings=[0, 0]), 1) == 0
    half = placed([2, 1], [0, 1], ratings=[np.nan, 4])
    assert value(ndcg_linear, half, 2) == pytest.approx(D2)
    with pytest.raises(ValueError, match="graded gains need the ratings"):
        ndcg_linear(placed([2, 1], [0]), 1)


def test_without_other_candidates_there_is_nothing_to_order() -> None:
    assert value(auc, placed([2, 1], [0, 1]), 1) == 1 / 2


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
    both = together(second, first)
    for metric in BINARY.values():
        alone = Positives(np.zeros(1, dtype=int), second.above, second.tied, second.candidates)
        assert metric(both, 2).tolist() == [*metric(first, 2), *metric(alone, 2)]
    assert both.relevant.tolist() == [2, 1]


def test_each_row_alone_takes_the_others_for_candidates() -> None:
    rows = placed([9, 8, 7, 6, 5], [1, 2, 4]).each_alone()
    assert recall(rows, 3).tolist() == [1, 1, 0]
    assert mean_average_precision(rows, 5) == pytest.approx([1 / 2, 1 / 3, 1 / 5])
    assert auc(rows) == pytest.approx([3 / 4, 2 / 4, 0])


def of_one_order(order: tuple[int, ...], positives: list[int], ratings: Sequence[int], k: int) -> dict[str, float]:
    """The metrics of a ranking without ties, from their definitions."""
    places = sorted(order.index(item) + 1 for item in positives)
    hits = [place for place in places if place <= k]
    others = [place for place in range(1, len(order) + 1) if place not in places]

    def gain(gains: list[float]) -> float:
        return sum(gain / log2(place + 1) for place, gain in enumerate(gains[:k], 1))

    found = {
        "recall": len(hits) / len(positives),
        "precision": len(hits) / k,
        "hr": float(bool(hits)),
        "mrr": 1 / hits[0] if hits else 0.0,
        "map": sum((number + 1) / place for number, place in enumerate(hits)) / len(positives),
        "r_precision": sum(place <= len(positives) for place in places) / len(positives),
        "auc": sum(place < other for place in places for other in others) / (len(places) * len(others) or 1),
    }
    if not others:
        found["auc"] = 0.5
    for name, gains in (
        ("ndcg", [1.0] * len(order)), ("ndcg_linear", [float(rating) for rating in ratings]),
        ("ndcg_exponential", [2.0**rating - 1 for rating in ratings]),
    ):  # fmt: skip
        ideal = gain(sorted((gains[item] for item in positives), reverse=True))
        found[name] = gain([gains[item] if item in positives else 0.0 for item in order]) / ideal if ideal else 0.0
    return found


TABLES = st.tuples(
    st.lists(st.integers(0, 2), min_size=2, max_size=6), st.sets(st.integers(0, 5), min_size=1), st.integers(1, 7)
).map(lambda drawn: (drawn[0], sorted({item % len(drawn[0]) for item in drawn[1]}), drawn[2]))


@settings(max_examples=80)
@given(TABLES, st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_ties_are_the_mean_the_best_and_the_worst_of_all_orders(
    table: tuple[list[int], list[int], int], ratings: list[int]
) -> None:
    scores, positives, k = table
    orders = [
        order
        for order in permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in zip(order, order[1:], strict=False))
    ]
    each = [of_one_order(order, positives, ratings, k) for order in orders]
    rows = placed(scores, positives, ratings=ratings)
    for name, metric in ALL.items():
        values = [found[name] for found in each]
        assert value(metric, rows, k) == pytest.approx(sum(values) / len(values)), name
        assert value(metric, rows.resolved("optimistic"), k) == pytest.approx(max(values)), name
        assert value(metric, rows.resolved("pessimistic"), k) == pytest.approx(min(values)), name


LONGER = st.tuples(
    st.lists(st.integers(0, 6), min_size=3, max_size=40), st.sets(st.integers(0, 39), min_size=1), st.integers(1, 15)
).map(lambda drawn: (drawn[0], sorted({item % len(drawn[0]) for item in drawn[1]}), drawn[2]))


@given(LONGER)
def test_bounds_and_the_relations_between_metrics(table: tuple[list[int], list[int], int]) -> None:
    scores, positives, k = table
    rows = placed(scores, positives)
    at_k, further = (
        {name: value(metric, rows, depth) for name, metric in BINARY.items()} for depth in (k, k + 1)
    )
    assert all(-1e-12 <= found <= 1 + 1e-12 for found in at_k.values())
    for name in ("recall", "hr", "mrr", "map"):
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
    for name, metric in BINARY.items():
        assert value(metric, after, k) >= value(metric, before, k) - 1e-12, name


def random_rows(seed: int) -> tuple[Positives, pd.DataFrame, pd.DataFrame]:
    """Twenty users with up to 60 candidates without ties, as positives and as what retrieval tools read."""
    generator = np.random.default_rng(seed)
    parts, run, wanted = [], [], []
    for user in range(20):
        size = int(generator.integers(2, 60))
        scores, ratings = generator.permutation(size).tolist(), generator.integers(1, 6, size).tolist()
        positives = sorted(generator.permutation(size)[: generator.integers(1, size + 1)].tolist())
        parts.append(placed(scores, positives, user, ratings))
        run += [(str(user), str(item), float(score)) for item, score in enumerate(scores)]
        wanted += [(str(user), str(item), ratings[item]) for item in positives]
    rows = Positives(*(np.concatenate([getattr(part, name) for part in parts]) for name in Positives.__annotations__))
    columns = ["query_id", "doc_id"]
    return rows, pd.DataFrame(run, columns=[*columns, "score"]), pd.DataFrame(wanted, columns=[*columns, "relevance"])


@pytest.mark.parametrize("seed", range(5))
def test_without_ties_figures_are_those_of_trec_eval(seed: int) -> None:
    rows, run, wanted = random_rows(seed)
    provider, every = ir_measures.pytrec_eval, 60
    pairs = [(mrr, every, ir_measures.RR), (r_precision, 0, ir_measures.Rprec)]
    for k in (1, 3, 10):
        gains = {rating: 2**rating - 1 for rating in range(1, 6)}
        pairs += [
            (recall, k, ir_measures.R @ k),
            (precision, k, ir_measures.P @ k),
            (hit_rate, k, ir_measures.Success @ k),
            (mean_average_precision, k, ir_measures.AP @ k),
            (ndcg, k, ir_measures.nDCG(cutoff=k, gains=dict.fromkeys(range(1, 6), 1))),
            (ndcg_linear, k, ir_measures.nDCG @ k),
            (ndcg_exponential, k, ir_measures.nDCG(cutoff=k, gains=gains)),
        ]
    for metric, k, measure in pairs:
        expected = {found.query_id: found.value for found in provider.iter_calc([measure], wanted, run)}
        assert metric(rows, k) == pytest.approx([expected[str(user)] for user in range(20)], abs=1e-9), measure
