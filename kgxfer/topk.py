"""The best columns of each row, exactly, without sorting or partitioning whole rows.

Columns are taken in blocks of 32. The n best entries of a row, in the order "larger first, equal ones by column", lie
in the n best blocks, in the order "larger maximum first, equal ones by place": each block before another holds an entry
that comes before everything in the other. So a row is read once, for the maxima, and what is left to choose from are
n x 32 entries, whatever its length.
"""

from __future__ import annotations

import numpy as np
import torch

BLOCK = 32
"""Columns per block: large enough that the maxima are few, small enough that n blocks are."""

MEMORY_MIB = 64
"""Scores held at a time, in MiB, where nothing else is said."""


def rows_at_once(columns: int, memory_mib: int = MEMORY_MIB) -> int:
    """How many rows of float32 scores fit into the memory given; at least one.

    >>> rows_at_once(50_000), rows_at_once(50_000, memory_mib=1)
    (335, 5)
    """
    return max(1, memory_mib * 2**20 // (4 * max(columns, 1)))


def best_columns(scores: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns and values of the `n` largest entries per row, best first; equal scores keep column order.

    NaN counts as -inf, which stands last. Where rows have fewer than `n` columns all of them are returned.

    Args:
        scores: float [rows, columns].
        n: at least 1.

    Returns:
        int64 and float [rows, min(n, columns)].
    """
    rows, width = scores.shape
    n, whole = min(n, width), width // BLOCK * BLOCK
    if whole // BLOCK <= 2 * n or not rows:
        return _stable_best(np.where(np.isnan(scores), np.array(-np.inf, scores.dtype), scores), n)
    blocks = scores[:, :whole].reshape(rows, -1, BLOCK)
    # Many short reductions are what numpy is slow at; torch reads at the pace of the memory.
    maxima = torch.from_numpy(blocks).amax(2).numpy()
    if np.isnan(maxima).any() or np.isnan(scores[:, whole:]).any():
        return best_columns(np.where(np.isnan(scores), np.array(-np.inf, scores.dtype), scores), n)
    chosen = np.sort(_stable_best(maxima, n)[0], axis=1)
    candidates = blocks[np.arange(rows)[:, None], chosen].reshape(rows, -1)
    # Columns after the last whole block are candidates too.
    places, values = _stable_best(np.concatenate([candidates, scores[:, whole:]], axis=1), n)
    start = np.take_along_axis(chosen, np.minimum(places // BLOCK, n - 1), axis=1) * BLOCK
    columns = np.where(places < n * BLOCK, start + places % BLOCK, whole + places - n * BLOCK)
    return columns, values


def _stable_best(values: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Places and values of the `n` largest per row, best first, equal ones by place; no NaN."""
    rows, width = values.shape
    threshold = np.partition(values, width - n, axis=1)[:, -n, None]
    keep = values >= threshold
    crowded = np.flatnonzero(np.count_nonzero(keep, axis=1) > n)
    if len(crowded):
        few, edge = values[crowded], threshold[crowded]
        above, equal = few > edge, few == edge
        keep[crowded] = above | (equal & (equal.cumsum(axis=1) <= n - above.sum(axis=1, keepdims=True)))
    places = np.flatnonzero(keep).reshape(rows, n) % width
    chosen = np.take_along_axis(values, places, axis=1)
    order = np.argsort(-chosen, axis=1, kind="stable")
    return np.take_along_axis(places, order, axis=1), np.take_along_axis(chosen, order, axis=1)
