"""Take the last rows of each user: what leave-one-out, ratio and per-user temporal splits have in common."""

from __future__ import annotations

import numpy as np
import pandas as pd


def places_of(rows: pd.DataFrame, generator: np.random.Generator, by_time: bool) -> tuple[np.ndarray, np.ndarray]:
    """Number each user's rows in each domain from the end, int64 [rows], and count them, int64 [rows].

    The order is drawn. By time it is that of the timestamps, and drawn among equal ones and in a domain without any.

    Args:
        rows: columns domain, user_id and, by time, timestamp.
        generator: draws the order.
        by_time: whether to put rows in the order of their timestamps.
    """
    order = generator.permutation(len(rows))
    if by_time:
        # Missing times sort to the end and keep the drawn order among themselves.
        order = order[np.argsort(rows["timestamp"].to_numpy()[order], kind="stable")]
    users = rows.iloc[order].groupby(["domain", "user_id"], sort=False)["domain"]
    from_end, size = np.empty((2, len(rows)), dtype=np.int64)
    from_end[order] = users.cumcount(ascending=False)
    size[order] = users.transform("size")
    return from_end, size


def last_shares(from_end: np.ndarray, size: np.ndarray, test_share: float, valid_share: float) -> np.ndarray:
    """Part of each row, int8 [rows]: 2 for a user's last rows, 1 for those before them, 0 for the first.

    Shares are of the user's rows, rounded to whole rows, a half upwards; at least one row stays in training.
    """
    tests = np.minimum(np.floor(test_share * size + 0.5), size - 1)
    valids = np.minimum(np.floor(valid_share * size + 0.5), size - 1 - tests)
    return np.where(from_end < tests, 2, np.where(from_end < tests + valids, 1, 0)).astype(np.int8)


def timed(rows: pd.DataFrame) -> dict[str, bool]:
    """Whether the rows of each domain have timestamps."""
    if "timestamp" not in rows:
        return dict.fromkeys(rows["domain"].unique(), False)
    known: pd.Series = rows["timestamp"].notna().groupby(rows["domain"], sort=False).all()
    return {str(domain): bool(value) for domain, value in known.items()}
