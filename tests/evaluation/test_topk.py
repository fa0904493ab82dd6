"""The best columns are those of a stable sort, with and without the blocks, whatever stands in the rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgxfer import topk
from kgxfer.topk import BLOCK, best_columns, rows_at_once


def agree(scores: np.ndarray, n: int) -> None:
    columns, values = best_columns(scores, n)
    cleaned = np.where(np.isnan(scores), -np.inf, scores)
    expected = np.argsort(-cleaned, axis=1, kind="stable")[:, :n]
    assert columns.tolist() == expected.tolist()
    assert values.tolist() == np.take_along_axis(cleaned, expected, axis=1).tolist()


@given(st.integers(1, 12), st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=4))
def test_short_rows_are_sorted_stably(n: int, rows: list[list[int]]) -> None:
    scores = np.array(rows, dtype=np.float32)
    scores[scores == 0] = -np.inf
    agree(scores, n)


@settings(max_examples=80)
@given(
    seed=st.integers(0, 10_000),
    width=st.integers(1, 40 * BLOCK),
    n=st.integers(1, 25),
    values=st.sampled_from([1, 2, 5, 50, 10**6]),
    missing=st.sampled_from([0.0, 0.01, 0.5, 0.999]),
)
def test_long_rows_too_with_ties_and_excluded_and_missing_scores(
    seed: int, width: int, n: int, values: int, missing: float
) -> None:
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, values, (5, width)).astype(np.float32)
    scores[generator.random(scores.shape) < missing] = -np.inf
    agree(scores, n)
    if seed % 3 == 0:
        scores[generator.random(scores.shape) < 0.05] = np.nan
        scores[generator.integers(0, 5), generator.integers(0, width)] = np.inf
        agree(scores, n)


@pytest.mark.parametrize("width", [BLOCK * 50, BLOCK * 50 + 1, BLOCK * 51 - 1])
@pytest.mark.parametrize("value", [0.5, -np.inf, np.nan])
def test_constant_rows_give_the_first_columns(width: int, value: float) -> None:
    columns, _ = best_columns(np.full((3, width), value, dtype=np.float32), 7)
    assert columns.tolist() == [list(range(7))] * 3


def test_the_best_may_stand_in_the_short_last_block() -> None:
    scores = np.zeros((2, BLOCK * 50 + 3), dtype=np.float32)
    scores[:, -3:] = [3, 5, 5]
    columns, values = best_columns(scores, 5)
    last = BLOCK * 50
    assert columns[0].tolist() == [last + 1, last + 2, last, 0, 1]
    assert values[0].tolist() == [5, 5, 3, 0, 0]


def test_the_blocks_are_used_and_the_scores_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = np.random.default_rng(0).standard_normal((4, BLOCK * 100), dtype=np.float32)
    kept = scores.copy()
    widths: list[int] = []
    chosen = topk._stable_best

    def watched(values: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
        widths.append(values.shape[1])
        return chosen(values, n)

    monkeypatch.setattr(topk, "_stable_best", watched)
    agree(scores, 3)
    assert widths == [100, 3 * BLOCK]
    assert np.array_equal(scores, kept)


def test_no_rows_give_none() -> None:
    columns, values = best_columns(np.empty((0, 9999), dtype=np.float32), 4)
    assert columns.shape == values.shape == (0, 4)


def test_rows_at_once_fill_the_memory_and_are_never_none() -> None:
    assert rows_at_once(1000, memory_mib=1) == 2**20 // 4000
    assert rows_at_once(10**9, memory_mib=1) == 1
    assert rows_at_once(0) > 0
