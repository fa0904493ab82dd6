"""Where the test rows stand among all candidates of their domain, counted block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import sparse

from kgxfer.recommender import RankingModel, best_columns
from kgxfer.splits import Split

Part = Literal["train", "valid", "test"]

COUNTS = ("above", "tied", "candidates", "positives_above", "positives_tied", "positives_other")

MEMORY_CELLS = 16_000_000
"""Scores or comparisons held at a time; bounds the memory whatever the numbers of users and items."""


@dataclass(frozen=True)
class Placement:
    """The relevant rows of one model in one domain.

    Attributes:
        rows: table user_id, item_id, user (number), above, tied (itself included), candidates, and the same three
            counted over the user's other positives among the candidates: positives_above, positives_tied,
            positives_other.
        top: int64 [users, k], the best columns of each user.
        items: number of items in the domain.
    """

    rows: pd.DataFrame
    top: np.ndarray
    items: int


def place_rows(
    model: RankingModel,
    split: Split,
    part: Part,
    domain: str,
    k: int,
    dropped: Sequence[sparse.csr_matrix | None] = (None,),
) -> list[Placement]:
    """Count, for every relevant row, the candidates above it and tied with it.

    Candidates are all items of the domain but those the user has a training row for. A user whom the model does not
    know (scores NaN) sees all items tied, which is what a random order would earn.

    Args:
        model: what scores.
        split: whose rows.
        part: "valid" or "test".
        domain: which domain's rows.
        k: length of the lists kept for coverage.
        dropped: one placement is made for each entry: Boolean [users, items], further (user, item) pairs that are no
            candidates, by place in the catalogue. Scores are computed once for all.
    """
    table = split.rows(part, domain)[["user_id", "item_id"]].reset_index(drop=True)
    catalogue, code = model.catalogue, model.catalogue.domain_code(domain)
    user, users = pd.factorize(table["user_id"])
    places = catalogue.user_ids.get_indexer(pd.Index(users))
    column = catalogue.item_index(code).get_indexer(table["item_id"])
    items = len(catalogue.items[code])
    order = np.argsort(user, kind="stable")
    counts = np.zeros((len(dropped), len(table), len(COUNTS)), dtype=np.int64)
    tops: list[list[np.ndarray]] = [[] for _ in dropped]
    block = max(1, MEMORY_CELLS // items)
    for start in range(0, len(users), block):
        scores = np.nan_to_num(model.score(domain, users[start : start + block]), nan=0.0)
        chosen = order[np.searchsorted(user[order], start) : np.searchsorted(user[order], start + block)]
        for number, further in enumerate(dropped):
            excluded = catalogue.seen[code][places[start : start + block]]
            if further is not None:
                excluded = excluded + further[places[start : start + block]]
            excluded = excluded.tocoo()
            remaining = scores.copy()
            remaining[excluded.row, excluded.col] = -np.inf
            tops[number].append(best_columns(remaining, k)[0])
            counts[number, chosen] = _count(remaining, user[chosen] - start, column[chosen])
    return [
        Placement(
            pd.concat([table, pd.DataFrame(counts[number], columns=list(COUNTS))], axis=1).assign(user=user),
            np.concatenate(tops[number]), items,
        )
        for number in range(len(dropped))
    ]


def _count(scores: np.ndarray, user: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Six counts per row: above, tied, candidates, and above, tied, others among the user's own positives."""
    result = np.zeros((len(user), 6), dtype=np.int64)
    positive = np.zeros(scores.shape, dtype=bool)
    positive[user, column] = True
    step = max(1, MEMORY_CELLS // scores.shape[1])
    for start in range(0, len(user), step):
        part = slice(start, start + step)
        rows, own = scores[user[part]], scores[user[part], column[part]][:, None]
        marked = positive[user[part]] & np.isfinite(rows)
        above, tied = rows > own, rows == own
        result[part] = np.stack(
            [
                above.sum(1), tied.sum(1), np.isfinite(rows).sum(1),
                (above & marked).sum(1), (tied & marked).sum(1) - 1, marked.sum(1) - 1,
            ],
            axis=1,
        )
    return result
