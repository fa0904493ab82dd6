"""What one domain is like: sizes, how activity and popularity are spread, ratings, times, and how much is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from graph_schema.schema import Schema
from loaders.dataset import DomainTables
from loaders.quality.distances import gini, skewness
from loaders.quality.figure import Absent, Distribution, Measure, Value

FEW = 5
"""Users and items with fewer interactions than this say little of themselves."""

NO_ROWS = Absent("the domain has no interactions")
NO_RATINGS = Absent("the interactions have no ratings")
NO_TIMES = Absent("the interactions have no timestamps")


@dataclass(frozen=True, eq=False)
class DomainView:
    """A domain and what several measures need of it, each counted once.

    Attributes:
        positive_from: as of the data set; None where every interaction counts as positive.
    """

    tables: DomainTables
    schema: Schema
    positive_from: float | None

    @cached_property
    def user_ids(self) -> pd.Index:
        """The user table's ids, ready to be looked up."""
        return pd.Index(self.tables.users["user_id"])

    @cached_property
    def item_ids(self) -> pd.Index:
        """The item table's ids, ready to be looked up."""
        return pd.Index(self.tables.items["item_id"])

    @cached_property
    def per_user(self) -> np.ndarray:
        """int64 [users]: interactions of each user, in the order of the user table."""
        return _rows_of(self.tables.interactions["user_id"], self.user_ids)

    @cached_property
    def per_item(self) -> np.ndarray:
        """int64 [items]: interactions of each item, in the order of the item table."""
        return _rows_of(self.tables.interactions["item_id"], self.item_ids)

    @cached_property
    def ratings(self) -> Distribution:
        """Rating -> interactions with it; empty where there are none."""
        if "rating" not in self.tables.interactions:
            return Distribution((), ())
        counts = self.tables.interactions["rating"].value_counts().sort_index()
        return Distribution(tuple(float(value) for value in counts.index), tuple(int(count) for count in counts))

    @cached_property
    def times(self) -> np.ndarray:
        """datetime64 [interactions with a time]; empty where there are none."""
        if "timestamp" not in self.tables.interactions:
            return np.empty(0, dtype="datetime64[us]")
        return np.asarray(self.tables.interactions["timestamp"].dropna())

    @cached_property
    def months(self) -> Distribution:
        """Month, such as "2003-05", -> interactions in it; months without any are left out."""
        if not len(self.times):
            return Distribution((), ())
        months = self.times.astype("datetime64[M]").astype(np.int64)
        first = int(months.min())
        counts = np.bincount(months - first)
        there = np.flatnonzero(counts)
        named = np.datetime_as_string((there + first).astype("datetime64[M]"))
        return Distribution(tuple(named.tolist()), tuple(counts[there].tolist()))

    @cached_property
    def items_with_facts(self) -> np.ndarray:
        """bool [items]: whether any fact speaks of the item."""
        facts = self.tables.facts
        found = np.zeros(len(self.item_ids), dtype=bool)
        for end in ("head", "tail"):
            kinds = [kind for kind in facts[f"{end}_type"].unique() if self.schema.root(kind) == "Item"]
            found |= _named(self.item_ids, facts.loc[facts[f"{end}_type"].isin(kinds), f"{end}_id"])
        return found


def _rows_of(column: pd.Series, ids: pd.Index) -> np.ndarray:
    counted = column.value_counts(sort=False)
    rows = np.zeros(len(ids), dtype=np.int64)
    rows[ids.get_indexer(counted.index)] = counted.to_numpy()
    return rows


def _named(ids: pd.Index, column: pd.Series) -> np.ndarray:
    """bool [ids]: whether each occurs in the column. Looked up by hash, much faster than `isin` for text."""
    places = ids.get_indexer(pd.Index(column.unique()))
    found = np.zeros(len(ids), dtype=bool)
    found[places[places >= 0]] = True
    return found


def spread_of(counts: np.ndarray) -> Distribution:
    """Return how many users, or items, have each number of interactions; those without any are left out."""
    values, owners = np.unique(counts[counts > 0], return_counts=True)
    return Distribution(tuple(values.tolist()), tuple(owners.tolist()))


def users(view: DomainView) -> Value:
    """Rows of the user table, with interactions or without."""
    return len(view.tables.users)


def items(view: DomainView) -> Value:
    """Rows of the item table, with interactions or without."""
    return len(view.tables.items)


def interactions(view: DomainView) -> Value:
    """Rows of the interactions, one per user and item."""
    return len(view.tables.interactions)


def facts(view: DomainView) -> Value:
    """Rows of the facts."""
    return len(view.tables.facts)


def density(view: DomainView) -> Value | Absent:
    """Interactions / (users x items) of the tables; 0 to 1, the share of all pairs that were seen."""
    pairs = len(view.tables.users) * len(view.tables.items)
    return len(view.tables.interactions) / pairs if pairs else Absent("the domain has no users or no items")


def user_median(view: DomainView) -> Value | Absent:
    """Median number of interactions of the users that have any; 1 or more."""
    return _median(view.per_user)


def user_maximum(view: DomainView) -> Value | Absent:
    """Interactions of the most active user."""
    return int(view.per_user.max()) if view.per_user.any() else NO_ROWS


def idle_users(view: DomainView) -> Value | Absent:
    """Users without interactions / users of the table; 0 to 1."""
    return _share(view.per_user == 0, "the domain has no users")


def light_users(view: DomainView) -> Value | Absent:
    """Users with 1 to 4 interactions / users with any; 0 to 1."""
    return _share(view.per_user[view.per_user > 0] < FEW, NO_ROWS.reason)


def user_gini(view: DomainView) -> Value | Absent:
    """Gini coefficient of interactions over the users that have any: 0 all equally active, towards 1 few do all."""
    return gini(view.per_user[view.per_user > 0]) if view.per_user.any() else NO_ROWS


def user_skewness(view: DomainView) -> Value | Absent:
    """Skewness m3 / m2^1.5 of interactions over the users that have any; 0 symmetric, positive: a few very active."""
    return _skewness(view.per_user)


def item_median(view: DomainView) -> Value | Absent:
    """Median number of interactions of the items that have any; 1 or more."""
    return _median(view.per_item)


def item_maximum(view: DomainView) -> Value | Absent:
    """Interactions of the most popular item."""
    return int(view.per_item.max()) if view.per_item.any() else NO_ROWS


def cold_items(view: DomainView) -> Value | Absent:
    """Items without interactions / items of the table; 0 to 1."""
    return _share(view.per_item == 0, "the domain has no items")


def rare_items(view: DomainView) -> Value | Absent:
    """Items with 1 to 4 interactions / items with any; 0 to 1."""
    return _share(view.per_item[view.per_item > 0] < FEW, NO_ROWS.reason)


def item_gini(view: DomainView) -> Value | Absent:
    """Gini coefficient of interactions over the items that have any: 0 all equally popular, towards 1 few have all."""
    return gini(view.per_item[view.per_item > 0]) if view.per_item.any() else NO_ROWS


def item_skewness(view: DomainView) -> Value | Absent:
    """Skewness m3 / m2^1.5 of interactions over the items that have any; 0 symmetric, positive: a few very popular."""
    return _skewness(view.per_item)


def lowest_rating(view: DomainView) -> Value | Absent:
    """The lowest rating that occurs."""
    return view.ratings.values[0] if view.ratings else NO_RATINGS


def highest_rating(view: DomainView) -> Value | Absent:
    """The highest rating that occurs."""
    return view.ratings.values[-1] if view.ratings else NO_RATINGS


def distinct_ratings(view: DomainView) -> Value | Absent:
    """How many different ratings occur."""
    return len(view.ratings.values) if view.ratings else NO_RATINGS


def mean_rating(view: DomainView) -> Value | Absent:
    """Sum of the ratings / interactions with a rating."""
    if not view.ratings:
        return NO_RATINGS
    return float(np.average(np.array(view.ratings.values, dtype=np.float64), weights=view.ratings.counts))


def positive_share(view: DomainView) -> Value | Absent:
    """Interactions rated `positive_from` or higher / interactions with a rating; 0 to 1."""
    if not view.ratings:
        return NO_RATINGS
    if view.positive_from is None:
        return Absent("every interaction counts as positive, since positive_from is not given")
    counts = np.array(view.ratings.counts)
    return float(counts[np.array(view.ratings.values) >= view.positive_from].sum() / counts.sum())


def first_time(view: DomainView) -> Value | Absent:
    """The earliest timestamp, UTC."""
    return str(view.times.min().astype("datetime64[s]")) if len(view.times) else NO_TIMES


def last_time(view: DomainView) -> Value | Absent:
    """The latest timestamp, UTC."""
    return str(view.times.max().astype("datetime64[s]")) if len(view.times) else NO_TIMES


def time_span(view: DomainView) -> Value | Absent:
    """Latest minus earliest timestamp, in days of 86,400 seconds."""
    if not len(view.times):
        return NO_TIMES
    return float((view.times.max() - view.times.min()) / np.timedelta64(86400, "s"))


def named_items(view: DomainView) -> Value | Absent:
    """Items with a name that is not blank / items of the table; 0 to 1."""
    if "name" not in view.tables.items:
        return Absent("the item table has no column name")
    return _share(_filled(view.tables.items["name"]), "the domain has no items")


def dated_items(view: DomainView) -> Value | Absent:
    """Items with a year / items of the table; 0 to 1."""
    if "year" not in view.tables.items:
        return Absent("the item table has no column year")
    return _share(_filled(view.tables.items["year"]), "the domain has no items")


def described_items(view: DomainView) -> Value | Absent:
    """Items that at least one fact speaks of / items of the table; 0 to 1."""
    if view.tables.facts.empty:
        return Absent("the domain has no facts")
    return _share(view.items_with_facts, "the domain has no items")


def described_interactions(view: DomainView) -> Value | Absent:
    """Interactions with an item that at least one fact speaks of / interactions; 0 to 1."""
    if view.tables.facts.empty:
        return Absent("the domain has no facts")
    if not view.per_item.any():
        return NO_ROWS
    return float(view.per_item[view.items_with_facts].sum() / view.per_item.sum())


def numbered_users(view: DomainView) -> Value | Absent:
    """Users whose id is a whole number from 0 to the number of users / users of the table; 0 to 1. At 1 the ids are row
    numbers, which say nothing of who is meant: equal ids of two such domains need not be one person."""
    ids = view.tables.users["user_id"]
    plain = ids.str.fullmatch(r"0|[1-9]\d{0,9}").to_numpy(dtype=bool)
    numbers = pd.to_numeric(ids[plain]).to_numpy()
    return float((numbers <= len(ids)).sum() / len(ids)) if len(ids) else Absent("the domain has no users")


def _median(counts: np.ndarray) -> Value | Absent:
    return float(np.median(counts[counts > 0])) if counts.any() else NO_ROWS


def _skewness(counts: np.ndarray) -> Value | Absent:
    found = skewness(counts[counts > 0])
    return Absent("fewer than two, or all have equally many") if np.isnan(found) else found


def _share(chosen: np.ndarray, otherwise: str) -> Value | Absent:
    return float(chosen.mean()) if len(chosen) else Absent(otherwise)


def _filled(column: pd.Series) -> np.ndarray:
    """bool: whether there is a value that is not blank."""
    there = column.notna()
    if pd.api.types.is_string_dtype(column.dtype):
        there &= column.str.strip().ne("").fillna(value=False)
    return np.asarray(there, dtype=bool)


DOMAIN_MEASURES: tuple[tuple[str, tuple[Measure[DomainView], ...]], ...] = (
    (
        "size",
        (
            Measure("users", "users", users),
            Measure("items", "items", items),
            Measure("interactions", "interactions", interactions),
            Measure("facts", "facts", facts),
            Measure("density", "share", density),
        ),
    ),
    (
        "users",
        (
            Measure("median per user", "interactions", user_median),
            Measure("maximum per user", "interactions", user_maximum),
            Measure("users without interactions", "share", idle_users),
            Measure("users with fewer than 5", "share", light_users),
            Measure("Gini of activity", "", user_gini),
            Measure("skewness of activity", "", user_skewness),
            Measure("users with a row number as id", "share", numbered_users),
        ),
    ),
    (
        "items",
        (
            Measure("median per item", "interactions", item_median),
            Measure("maximum per item", "interactions", item_maximum),
            Measure("cold items", "share", cold_items),
            Measure("items with fewer than 5", "share", rare_items),
            Measure("Gini of popularity", "", item_gini),
            Measure("skewness of popularity", "", item_skewness),
        ),
    ),
    (
        "ratings",
        (
            Measure("lowest rating", "rating", lowest_rating),
            Measure("highest rating", "rating", highest_rating),
            Measure("distinct ratings", "values", distinct_ratings),
            Measure("mean rating", "rating", mean_rating),
            Measure("positive interactions", "share", positive_share),
        ),
    ),
    (
        "time",
        (
            Measure("first interaction", "UTC", first_time),
            Measure("last interaction", "UTC", last_time),
            Measure("time span", "days", time_span),
        ),
    ),
    (
        "knowledge",
        (
            Measure("items with a name", "share", named_items),
            Measure("items with a year", "share", dated_items),
            Measure("items with facts", "share", described_items),
            Measure("interactions with described items", "share", described_interactions),
        ),
    ),
)
"""What is measured of a domain, by group, in the order of the report. A new measure is a function and a line here."""


def coverage(view: DomainView) -> pd.DataFrame:
    """Return how much of each attribute is there: kind, attribute, owners (that have it), of (all), share.

    A column of users or items covers those with a value that is not blank; a relation of the facts covers the items,
    or users, that are an end of at least one such fact.
    """
    tables, schema = view.tables, view.schema
    rows = []
    for kind, table, key in (("users", tables.users, "user_id"), ("items", tables.items, "item_id")):
        for column in table.columns.difference([key, "item_type"], sort=False):
            rows.append((kind, str(column), int(_filled(table[column]).sum()), len(table)))
    for kinds, about in tables.facts.groupby(["head_type", "relation", "tail_type"], sort=True):
        head_type, relation, tail_type = kinds
        for end, own, other in (("head", head_type, tail_type), ("tail", tail_type, head_type)):
            root = schema.root(own)
            if root in ("User", "Item"):
                ids = view.user_ids if root == "User" else view.item_ids
                found = int(_named(ids, about[f"{end}_id"]).sum())
                rows.append((f"{root.lower()}s", f"{relation} {other}", found, len(ids)))
    frame = pd.DataFrame(rows, columns=["kind", "attribute", "owners", "of"]).drop_duplicates(ignore_index=True)
    return frame.assign(share=frame["owners"] / frame["of"].clip(lower=1))
