"""Where the test rows stand among all candidates of their domain, counted block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import sparse

from graph_schema.errors import InputError
from kgxfer.evaluation.metrics import Positives
from kgxfer.recommender import RankingModel
from kgxfer.splits import Split
from kgxfer.topk import MEMORY_MIB, best_columns, rows_at_once

Part = Literal["valid", "test"]

COUNTS = ("above", "tied", "candidates", "positives_above", "positives_tied", "positives_other")


@dataclass(frozen=True, eq=False)
class Placement:
    """The relevant rows of one model in one domain.

    Attributes:
        rows: table user_id, item_id, rating (where the data have them), user (number), above, tied (itself included),
            candidates, and the same three counted over the user's other positives among the candidates:
            positives_above, positives_tied, positives_other. A row whose item is no candidate stands after all of them.
        columns: int64 [rows], the items' places in the catalogue.
        top: int64 [users, k], the best columns of each user; -1 where there are fewer candidates.
    """

    rows: pd.DataFrame
    columns: np.ndarray
    top: np.ndarray


def competing_columns(split: Split, part: Part, domain: str, item_ids: pd.Index) -> np.ndarray:
    """Which items of a domain compete when rows of a part are ranked; bool [items]."""
    candidates = split.candidates(part, domain)
    return np.ones(len(item_ids), dtype=bool) if candidates is None else np.asarray(item_ids.isin(candidates))


def place_rows(
    model: RankingModel,
    split: Split,
    part: Part,
    domain: str,
    k: int,
    dropped: Sequence[sparse.csr_matrix | None] = (None,),
    memory_mib: int = MEMORY_MIB,
) -> list[Placement]:
    """Count, for every relevant row, the candidates above it and tied with it.

    Candidates are the items of the domain that compete in the split, without those the user has a training row for. A
    user whom the model does not know (scores NaN) sees all items tied, which is what a random order would earn.

    Args:
        model: what scores.
        split: whose rows.
        part: "valid" or "test".
        domain: which domain's rows.
        k: length of the lists kept.
        dropped: one placement is made for each entry: Boolean [users, items], further (user, item) pairs that are no
            candidates, by place in the catalogue. Scores are computed once for all.
        memory_mib: MiB of scores, and of comparisons, held at a time.

    Raises:
        InputError: a row of an item that does not compete.
    """
    table = split.rows(part, domain)
    table = table[[name for name in ("user_id", "item_id", "rating") if name in table]].reset_index(drop=True)
    catalogue, code = model.catalogue, model.catalogue.domain_code(domain)
    user, users = pd.factorize(table["user_id"])
    places = catalogue.user_ids.get_indexer(pd.Index(users))
    column = catalogue.item_index(code).get_indexer(table["item_id"])
    competing = competing_columns(split, part, domain, catalogue.item_index(code))
    if not competing[column].all():
        outside = table["item_id"].iloc[int(competing[column].argmin())]
        raise InputError(
            f'{split.protocol}: the {part} row of item "{outside}" in "{domain}" is not among the split\'s candidate '
            "items; add the item there or drop the row"
        )
    order = np.argsort(user, kind="stable")
    counts = np.zeros((len(dropped), len(table), 3), dtype=np.int64)
    tops: list[list[np.ndarray]] = [[] for _ in dropped]
    block = rows_at_once(len(catalogue.items[code]), memory_mib)
    for start in range(0, len(users), block):
        scores = np.nan_to_num(model.score(domain, users[start : start + block]), nan=0.0)
        if not competing.all():
            scores[:, ~competing] = -np.inf
        chosen = order[np.searchsorted(user[order], start) : np.searchsorted(user[order], start + block)]
        for number, further in enumerate(dropped):
            excluded = catalogue.seen[code][places[start : start + block]]
            if further is not None:
                excluded = excluded + further[places[start : start + block]]
            excluded = excluded.tocoo()
            remaining = scores.copy() if number + 1 < len(dropped) else scores
            remaining[excluded.row, excluded.col] = -np.inf
            best, values = best_columns(remaining, k)
            filled = np.where(np.isfinite(values), best, -1)
            tops[number].append(np.pad(filled, ((0, 0), (0, k - filled.shape[1])), constant_values=-1))
            counts[number, chosen] = _count(remaining, user[chosen] - start, column[chosen], block)
    return [
        Placement(_with_positives(table.assign(user=user), counted), column, np.concatenate(top))
        for counted, top in zip(counts, tops, strict=True)
    ]


def _count(scores: np.ndarray, user: np.ndarray, column: np.ndarray, step: int) -> np.ndarray:
    """Three counts per row: above, tied, candidates; a row that is no candidate stands after all of them."""
    candidates = np.count_nonzero(np.isfinite(scores), axis=1)
    result = np.zeros((len(user), 3), dtype=np.int64)
    for start in range(0, len(user), step):
        part = slice(start, start + step)
        rows, own = scores[user[part]], scores[user[part], column[part]][:, None]
        counted = [np.count_nonzero(rows > own, axis=1), np.count_nonzero(rows == own, axis=1), candidates[user[part]]]
        result[part] = np.stack(counted, axis=1)
    outside = ~np.isfinite(scores[user, column])
    result[outside, 1] = 1
    return result


def _with_positives(rows: pd.DataFrame, counted: np.ndarray) -> pd.DataFrame:
    """Add the counts, and the same among the user's own positives that are candidates."""
    above, tied, candidates = counted.T
    own = np.zeros((3, len(rows)), dtype=np.int64)
    inside = np.flatnonzero(above < candidates)
    if len(inside):
        user = pd.factorize(rows["user"].to_numpy()[inside])[0]
        positives = Positives(user, above[inside], tied[inside], candidates[inside])
        higher, same = positives.own
        own[:, inside] = higher, same - 1, positives.relevant[user] - 1
    return rows.assign(**dict(zip(COUNTS, [*counted.T, *own], strict=True)))
