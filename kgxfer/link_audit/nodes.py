"""The two domains as links see them: which nodes there are, who takes them, and what links say in names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from kgxfer.bridges.review import kinds_of, node_ids
from kgxfer.splits import Split
from loaders.dataset import CrossDomainDataset, DomainTables

USER, ITEM = "User", "Item"


@dataclass(frozen=True, eq=False)
class Side:
    """One domain.

    Attributes:
        rows: user_id, item_id of its relevant training rows.
        members: item_id, kind, id: the nodes that an interaction with an item touches, each pair once: the item itself,
            and the entities in its facts.
    """

    tables: DomainTables
    dataset: CrossDomainDataset
    rows: pd.DataFrame
    members: pd.DataFrame

    @cached_property
    def nodes(self) -> pd.DataFrame:
        """name, title (another name of the item, where its table has one), year and interactions of every node; index
        (kind, id). What is unknown is NaN.
        """
        keys = node_ids(self.tables, self.dataset).set_names(["kind", "id"])
        table = pd.DataFrame(index=keys)
        table["name"] = _names(self.tables, self.dataset).reindex(keys)
        table["title"] = _titles(self.tables).reindex(keys)
        table["year"] = _years(self.tables).reindex(keys)
        table["interactions"] = self._interactions.reindex(keys).fillna(0).astype(int)
        return table

    @cached_property
    def _interactions(self) -> pd.Series:
        """Training rows per (kind, id)."""
        of_user = self.rows["user_id"].astype(object).value_counts()
        of_item = self.rows["item_id"].value_counts()
        touched = self.members.assign(rows=self.members["item_id"].map(of_item).fillna(0))
        of_member = touched.groupby(["kind", "id"])["rows"].sum()
        users = of_user.set_axis(pd.MultiIndex.from_product([[USER], of_user.index]))
        return pd.concat([users, of_member])

    def touching(self, kind: str, ids: pd.Series) -> int:
        """Training rows of these users, or with these items, or with items whose facts name these entities."""
        if kind == USER:
            return int(self.rows["user_id"].isin(ids).sum())
        chosen = (self.members["kind"] == kind) & self.members["id"].isin(ids)
        return int(self.rows["item_id"].isin(self.members.loc[chosen, "item_id"]).sum())

    def audience(self, kind: str, ids: pd.Index, users: pd.Index) -> sparse.csc_matrix:
        """Who takes which node, 0 or 1, [users, ids]; an entity is taken with any item whose facts name it."""
        user = users.get_indexer(pd.Index(self.rows["user_id"].astype(object)))
        item, items = pd.factorize(self.rows["item_id"].astype(object))
        kept = user >= 0
        taken = _ones(user[kept], item[kept], (len(users), len(items)))
        chosen = self.members[self.members["kind"] == kind]
        place = pd.Index(items).get_indexer(chosen["item_id"].astype(object))
        node = ids.get_indexer(chosen["id"].astype(object))
        kept = (place >= 0) & (node >= 0)
        held = taken @ _ones(place[kept], node[kept], (len(items), len(ids)))
        held.data[:] = 1
        return held.tocsc()


def sides_of(split: Split, training_only: bool = True) -> tuple[Side, Side]:
    """Source and target domain of a split, from its training rows; from all interactions only where asked to."""
    sides = []
    for tables in split.dataset.domains:
        rows = split.rows("train", tables.domain) if training_only else tables.interactions
        members = _members(tables, split.dataset)
        sides.append(Side(tables, split.dataset, rows[["user_id", "item_id"]].reset_index(drop=True), members))
    return sides[0], sides[1]


def active_in_both(sides: tuple[Side, Side]) -> pd.Index:
    """Users with training rows in both domains, sorted."""
    users = [side.rows["user_id"].astype(object).unique() for side in sides]
    return pd.Index(np.intersect1d(*users))


def described(links: pd.DataFrame, sides: tuple[Side, Side]) -> pd.DataFrame:
    """Links with what their ends are: kind, and per end (`source_`, `target_`) name, title, year, interactions and
    rank.

    `rank` is the share of the domain's nodes of that kind with fewer interactions, those with as many counted half.
    """
    table = links.assign(kind=kinds_of(links["node_type"], sides[0].dataset)).reset_index(drop=True)
    for side, end in zip(sides, ("source", "target"), strict=True):
        keys = pd.MultiIndex.from_arrays([table["kind"].astype(object), table[f"{end}_id"].astype(object)])
        by_kind = side.nodes.groupby(level="kind")["interactions"]
        size = by_kind.transform("size")
        ranked = side.nodes.assign(rank=(by_kind.rank() - 0.5) / size)
        found = ranked.reindex(keys).reset_index(drop=True)
        table[[f"{end}_{name}" for name in found]] = found
    return table


def _ones(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
    matrix = sparse.csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)
    matrix.data[:] = 1  # a pair that occurs twice counts once
    return matrix


def _members(tables: DomainTables, dataset: CrossDomainDataset) -> pd.DataFrame:
    facts, items = tables.facts, tables.items["item_id"]
    own = pd.DataFrame({"item_id": items, "kind": ITEM, "id": items})
    parts = [own.astype(object)]
    for near, far in (("head", "tail"), ("tail", "head")):
        kinds = {end: kinds_of(facts[f"{end}_type"], dataset) for end in (near, far)}
        of_item = (kinds[near] == ITEM) & ~kinds[far].isin([ITEM, USER]) & facts[f"{near}_id"].isin(items)
        part = pd.DataFrame({"item_id": facts[f"{near}_id"], "kind": kinds[far], "id": facts[f"{far}_id"]})
        parts.append(part[of_item].astype(object))
    return pd.concat(parts, ignore_index=True).drop_duplicates(ignore_index=True)


def _names(tables: DomainTables, dataset: CrossDomainDataset) -> pd.Series:
    """Names by (kind, id), where there are any: of the tables, and what facts call their ends."""
    facts = tables.facts
    parts = [
        pd.DataFrame({"kind": USER, "id": tables.users["user_id"], "name": tables.users.get("name")}),
        pd.DataFrame({"kind": ITEM, "id": tables.items["item_id"], "name": tables.items.get("name")}),
        *(
            pd.DataFrame({"kind": kinds_of(facts[f"{end}_type"], dataset), "id": facts[f"{end}_id"],
                          "name": facts[f"{end}_name"]})
            for end in ("head", "tail") if f"{end}_name" in facts
        ),
    ]  # fmt: skip
    named = pd.concat([part.astype(object) for part in parts], ignore_index=True).dropna()
    return named.drop_duplicates(["kind", "id"]).set_index(["kind", "id"])["name"]


def _titles(tables: DomainTables) -> pd.Series:
    """The first column of the items that ends in "title": what somebody else calls them."""
    column = next((name for name in tables.items if str(name).endswith("title")), None)
    titled = tables.items[["item_id", column]].dropna() if column else tables.items[["item_id", "item_type"]].head(0)
    keys = pd.MultiIndex.from_product([[ITEM], titled["item_id"].astype(object)])
    return pd.Series(titled.iloc[:, 1].to_numpy(dtype=object), index=keys, dtype=object)


def _years(tables: DomainTables) -> pd.Series:
    years = tables.items.reindex(columns=["item_id", "year"]).dropna()
    keys = pd.MultiIndex.from_product([[ITEM], years["item_id"].astype(object)])
    return pd.Series(years["year"].to_numpy(dtype=float), index=keys)
