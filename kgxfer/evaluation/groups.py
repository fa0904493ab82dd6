"""Groups of test rows whose figures stand beside those of all rows: who the user is, and what the item.

Each grouping gives every row one label, read from the training part of the split.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from kgxfer.splits import Split

HEAD_SHARE = TAIL_SHARE = 0.2
"""Shares of a domain's training interactions that its head items and its tail items hold."""


@dataclass(frozen=True, eq=False)
class Grouped:
    """What groupings read.

    Attributes:
        rows: user_id, item_id of the test rows.
        split: whose training rows.
        domain: the evaluated domain.
        links: the link table that the graph was built with, or None.
    """

    rows: pd.DataFrame
    split: Split
    domain: str
    links: pd.DataFrame | None = None

    @cached_property
    def history(self) -> tuple[np.ndarray, np.ndarray]:
        """Relevant training rows of each row's user, in the evaluated domain and in the other; int64 [rows]."""
        other = next(tables.domain for tables in self.split.dataset.domains if tables.domain != self.domain)
        here, there = (self.split.rows("train", name)["user_id"].value_counts() for name in (self.domain, other))
        own, foreign = (self.rows["user_id"].map(count).fillna(0).to_numpy(dtype=np.int64) for count in (here, there))
        return own, foreign


def kind_of_user(grouped: Grouped) -> np.ndarray:
    """Cold-start users have no relevant training row in the evaluated domain, warm users have some."""
    return np.where(grouped.history[0] > 0, "warm users", "cold-start users")


def history_length(grouped: Grouped) -> np.ndarray:
    """Thirds of the users by their number of training rows: cold-start users among themselves, warm among themselves.

    A cold-start user's rows are those of the other domain, a warm user's those of both. Users with equal numbers are in
    one group, so the thirds are rough where many are equal.
    """
    own, other = grouped.history
    first = ~grouped.rows["user_id"].duplicated().to_numpy()
    third = np.zeros(len(own), dtype=np.int64)
    for kind in (own > 0, own == 0):
        if kind.any():
            edges = np.quantile((own + other)[kind & first], [1 / 3, 2 / 3])
            third[kind] = np.searchsorted(edges, (own + other)[kind], side="left")
    return np.array(["short history", "medium history", "long history"])[third]


def popularity_of_item(grouped: Grouped) -> np.ndarray:
    """Head items are the most popular, which together hold the first 20 % of the domain's training interactions.

    Tail items are the least popular, which hold the last 20 %, and those without any; the others are middle items.
    """
    counts = grouped.split.rows("train", grouped.domain)["item_id"].value_counts(sort=True)
    before = (counts.cumsum() - counts) / counts.sum()
    place = grouped.rows["item_id"].map(before).fillna(1).to_numpy(dtype=np.float64)
    return np.select([place < HEAD_SHARE, place < 1 - TAIL_SHARE], ["head items", "middle items"], "tail items")


def bridge_of_user(grouped: Grouped) -> np.ndarray:
    """Whether the user is joined to the other domain, and by which bridge where the link table is given.

    Without a link table users are linked whose id both domains have, and those of the split's own links.
    """
    dataset, links = grouped.split.dataset, grouped.links
    users = grouped.rows["user_id"]
    end = "source_id" if grouped.domain == dataset.source.domain else "target_id"
    if links is None:
        given = grouped.split.train_links
        linked = users.isin(dataset.overlapping_users)
        if len(given):
            linked |= users.isin(given.loc[given["node_type"] == "User", end])
        return np.where(linked, "linked users", "users without link")
    of_users = links[links["node_type"] == "User"].drop_duplicates(end).set_index(end)["method"]
    methods = users.map(of_users).astype("str")  # text even where nobody is linked
    return np.asarray(("users linked by " + methods).fillna("users without link"), dtype=object)


GROUPINGS: dict[str, Callable[[Grouped], np.ndarray]] = {
    "kind of user": kind_of_user,
    "history length": history_length,
    "popularity of the item": popularity_of_item,
    "bridge": bridge_of_user,
}
"""Grouping -> label per row; each is a column of `Report.rows`, and each label a group of `Report.figures`."""
