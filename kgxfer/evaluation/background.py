"""What lists and rows are compared with, read once per domain from training rows and facts: popularity, histories.

A user's *history* is their relevant training rows of the evaluated domain, or, where there are none, as for cold-start
users, of the other domain. Popularity is an item's number of training users; where domains are mixed it is *relative*,
the log of that number over the mean of the domain's items. Items without training rows count as with one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse

from kgxfer.evaluation.ranking import competing_columns
from kgxfer.splits import Split

CATEGORY_TYPES = ("Genre", "Category")
"""Node types whose facts put items into categories."""


@dataclass(frozen=True, eq=False)
class Background:
    """One domain, for users in the order of their lists.

    Attributes:
        counts: training users by item; int64 [items].
        people: training users of the domain.
        competing: which items are candidates at all; bool [items].
        content: one vector per item, of length 1, or 0 where nothing is known; CSR [items, features]. Features are the
            entities that facts join items with, or, in a domain without facts, the training users who took the item.
        history_popularity: mean log relative popularity of the user's history; float [users], NaN without a history.
        categories: the item's categories, with weights that sum to 1, or to 0 where it has none; CSR
            [items, categories], or None where no item of the domain has any.
        history_categories: mean of the same over those items of the user's history that have categories; CSR
            [users, categories], or None.
    """

    counts: np.ndarray
    people: int
    competing: np.ndarray
    content: sparse.csr_matrix
    history_popularity: np.ndarray
    categories: sparse.csr_matrix | None = None
    history_categories: sparse.csr_matrix | None = None

    def of_users(self, chosen: np.ndarray) -> Background:
        """The same for some of the users, by place."""
        of_history = None if self.history_categories is None else self.history_categories[chosen]
        return replace(self, history_popularity=self.history_popularity[chosen], history_categories=of_history)


def read_background(split: Split, domain: str, users: pd.Index) -> Background:
    """Read the training rows and facts of a split, for its test; items are in the order of the domain's item table."""
    names = [domain, *(tables.domain for tables in split.dataset.domains if tables.domain != domain)]
    items = {name: pd.Index(split.dataset.domain(name).items["item_id"]) for name in names}
    taken = {name: _incidence(split.rows("train", name), items[name]) for name in names}
    counts = {name: np.bincount(matrix.indices, minlength=len(items[name])) for name, (matrix, _) in taken.items()}
    histories = [_rows_of(*taken[name], users) for name in names]
    own = np.diff(histories[0].indptr) > 0
    popularity = [_mean(rows, log_popularity(counts[name])) for rows, name in zip(histories, names, strict=True)]
    facts = {name: _facts(split, name, items[name]) for name in names}
    content = taken[domain][0].T if facts[domain].empty else _matrix(facts[domain], len(items[domain]))
    background = Background(
        counts[domain], len(taken[domain][1]), competing_columns(split, "test", domain, items[domain]),
        _scaled(content, 2), np.where(own, *popularity),
    )
    sorts = {name: table[table["type"].isin(CATEGORY_TYPES)] for name, table in facts.items()}
    if sorts[domain].empty:
        return background
    labels = pd.Index(pd.concat([table["entity"] for table in sorts.values()]).unique())
    weights = [_scaled(_matrix(sorts[name], len(items[name]), labels), 1) for name in names]
    liked = [rows @ sort for rows, sort in zip(histories, weights, strict=True)]
    chosen = sparse.diags(own.astype(float)) @ liked[0] + sparse.diags((~own).astype(float)) @ liked[1]
    return replace(background, categories=weights[0], history_categories=_scaled(chosen, 1))


def log_popularity(counts: np.ndarray) -> np.ndarray:
    """Log of each item's count over the mean count; float [items]."""
    relative: np.ndarray = np.log(np.maximum(counts, 1) / max(counts.mean(), 1e-12))
    return relative


def _incidence(rows: pd.DataFrame, items: pd.Index) -> tuple[sparse.csr_matrix, pd.Index]:
    user, users = pd.factorize(rows["user_id"])
    shape = (len(users), len(items))
    matrix = sparse.csr_matrix((np.ones(len(rows)), (user, items.get_indexer(rows["item_id"]))), shape=shape)
    return matrix, pd.Index(users)


def _rows_of(matrix: sparse.csr_matrix, people: pd.Index, users: pd.Index) -> sparse.csr_matrix:
    """Rows of `matrix` for other users; empty for those it does not know."""
    place = people.get_indexer(users)
    known = np.flatnonzero(place >= 0)
    chooser = sparse.csr_matrix((np.ones(len(known)), (known, place[known])), shape=(len(users), matrix.shape[0]))
    return (chooser @ matrix).tocsr()


def _mean(rows: sparse.csr_matrix, values: np.ndarray) -> np.ndarray:
    """Mean of item values over each row; NaN for empty rows."""
    size = np.diff(rows.indptr)
    total = rows @ values
    mean: np.ndarray = np.divide(total, size, out=np.full(len(total), np.nan), where=size > 0)
    return mean


def _facts(split: Split, domain: str, items: pd.Index) -> pd.DataFrame:
    """Facts between an item of the domain and something that is neither user nor item: item (column), entity, type."""
    tables = split.dataset.domain(domain)
    no_entities = ("User", *(other.item_type for other in split.dataset.domains))
    ends = []
    for item, entity in (("head", "tail"), ("tail", "head")):
        facts = tables.facts[(tables.facts[f"{item}_type"] == tables.item_type)]
        facts = facts[~facts[f"{entity}_type"].isin(no_entities)]
        kind = facts[f"{entity}_type"].to_numpy(dtype=object)
        name = kind + "\x1f" + facts[f"{entity}_id"].to_numpy(dtype=object)
        ends.append(pd.DataFrame({"item": items.get_indexer(facts[f"{item}_id"]), "entity": name, "type": kind}))
    table = pd.concat(ends, ignore_index=True)
    return table[table["item"] >= 0].drop_duplicates()


def _matrix(facts: pd.DataFrame, items: int, labels: pd.Index | None = None) -> sparse.csr_matrix:
    labels = pd.Index(facts["entity"].unique()) if labels is None else labels
    cells = (facts["item"].to_numpy(), labels.get_indexer(facts["entity"]))
    return sparse.csr_matrix((np.ones(len(facts)), cells), shape=(items, len(labels)))


def _scaled(matrix: sparse.csr_matrix, power: int) -> sparse.csr_matrix:
    """Rows divided by their sum (power 1) or length (power 2); empty rows stay empty."""
    matrix = sparse.csr_matrix(matrix, dtype=np.float64)
    size = np.asarray(matrix.power(power).sum(1)).ravel() ** (1 / power)
    return (sparse.diags(np.divide(1, size, out=np.zeros(len(size)), where=size > 0)) @ matrix).tocsr()
