"""The rows of a split as numbers, so that millions of them are compared by sorting and merging."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from kgxfer.splits import Split

PARTS = ("train", "valid", "test")


@dataclass(frozen=True, eq=False)
class CodedRows:
    """Rows of one part.

    Shapes: all int64 [rows]. `user` is a place in `Coded.users`, `item` a place among the items of the source domain
    followed by those of the target domain, `domain` 0 or 1.
    """

    domain: np.ndarray
    user: np.ndarray
    item: np.ndarray
    items: int

    @property
    def pair(self) -> np.ndarray:
        """A number for (user, item), and so for the whole row."""
        number: np.ndarray = self.user * self.items + self.item
        return number

    @property
    def place(self) -> np.ndarray:
        """A number for (user, domain)."""
        number: np.ndarray = self.user * 2 + self.domain
        return number

    def take(self, chosen: np.ndarray) -> CodedRows:
        """The rows that a Boolean or an index array chooses."""
        return CodedRows(self.domain[chosen], self.user[chosen], self.item[chosen], self.items)


@dataclass(frozen=True, eq=False)
class Coded:
    """A split whose users and items are numbered; a user id of both domains is one user."""

    split: Split
    users: pd.Index
    items: tuple[pd.Index, pd.Index]
    train: CodedRows
    valid: CodedRows
    test: CodedRows
    cold: np.ndarray
    """Int64, `CodedRows.place` of every cold-start user."""

    @staticmethod
    def of(split: Split) -> Coded:
        """Number the rows; ids that the data set's tables lack are numbered too."""
        tables = [getattr(split, part) for part in PARTS]
        names = [domain.domain for domain in split.dataset.domains]
        of_domain = [domain.users["user_id"] for domain in split.dataset.domains]
        rows_users = [table["user_id"].drop_duplicates() for table in tables]
        users = pd.Index(pd.concat([*of_domain, *rows_users, split.cold_users["user_id"]]).unique())
        items = []
        for domain in split.dataset.domains:
            rows_items = [table.loc[table["domain"] == domain.domain, "item_id"].drop_duplicates() for table in tables]
            items.append(pd.Index(pd.concat([domain.items["item_id"], *rows_items]).unique()))
        train, valid, test = (_code(table, names, users, items) for table in tables)
        cold = users.get_indexer(split.cold_users["user_id"]) * 2 + (split.cold_users["domain"] == names[1]).to_numpy()
        return Coded(split, users, (items[0], items[1]), train, valid, test, cold.astype(np.int64))

    @property
    def first_target_item(self) -> int:
        """Where the target domain's items begin."""
        return len(self.items[0])

    @property
    def domain_names(self) -> tuple[str, str]:
        """Source, target."""
        return self.split.dataset.source.domain, self.split.dataset.target.domain

    def item_codes(self, domain: int, ids: pd.Series) -> np.ndarray:
        """Places of a domain's item ids; -1 for ids that it does not have."""
        places = self.items[domain].get_indexer(pd.Index(ids))
        return np.where(places >= 0, places + domain * self.first_target_item, -1)

    def incidence(self, *rows: CodedRows) -> sparse.csc_matrix:
        """Who has what: int32 CSC [users, items of both domains], 1 for every pair in any of the parts."""
        user, item = (np.concatenate([getattr(part, name) for part in rows]) for name in ("user", "item"))
        shape = (len(self.users), len(self.items[0]) + len(self.items[1]))
        matrix = sparse.csc_matrix((np.ones(len(user), dtype=np.int32), (user, item)), shape=shape)
        matrix.data[:] = 1
        return matrix


def among(values: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """Bool [values]: which of them occur in `pool`; by hashing, which is many times faster than sorting here."""
    found: np.ndarray = pd.Index(values).isin(pd.Index(pool))
    return found


def distinct(values: np.ndarray) -> np.ndarray:
    """Every value once, in order of first appearance."""
    found: np.ndarray = pd.unique(values)
    return found


def _code(table: pd.DataFrame, names: list[str], users: pd.Index, items: list[pd.Index]) -> CodedRows:
    domain = (table["domain"] == names[1]).to_numpy().astype(np.int64)
    user = users.get_indexer(pd.Index(table["user_id"])).astype(np.int64)
    item = np.empty(len(table), dtype=np.int64)
    for code, index in enumerate(items):
        own = domain == code
        item[own] = index.get_indexer(pd.Index(table["item_id"].to_numpy()[own])) + code * len(items[0])
    return CodedRows(domain, user, item, len(items[0]) + len(items[1]))
