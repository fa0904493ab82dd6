"""What two domains have in common, and how far apart they lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from loaders.dataset import CrossDomainDataset
from loaders.quality.distances import jensen_shannon, lorenz_gap, rank_correlation, total_variation, wasserstein
from loaders.quality.domain import DomainView
from loaders.quality.figure import Absent, Measure, Value

NOBODY = Absent("no user is in both domains")
LARGEST_SCALE = 50
"""Ratings with more different values than this are compared in equal parts of their scale instead of value by value."""


@dataclass(frozen=True, eq=False)
class PairView:
    """Two domains and what several measures need of them."""

    dataset: CrossDomainDataset
    source: DomainView
    target: DomainView

    @cached_property
    def overlap(self) -> tuple[np.ndarray, np.ndarray]:
        """int64 [overlapping users], twice: interactions of each in the source and in the target domain."""
        ids = self.dataset.overlapping_users
        first, second = (view.per_user[view.user_ids.get_indexer(ids)] for view in (self.source, self.target))
        return first, second

    @cached_property
    def scales(self) -> tuple[np.ndarray, np.ndarray] | Absent:
        """The ratings that occur in each domain, on one scale from 0 to 1.

        Domains whose highest rating is the same share a scale, from the lowest to the highest rating of both. Otherwise
        each domain's own lowest rating is 0 and its own highest 1.
        """
        if not self.source.ratings or not self.target.ratings:
            return Absent("one of the domains has no ratings")
        values = [np.array(view.ratings.values, dtype=np.float64) for view in (self.source, self.target)]
        if values[0][-1] == values[1][-1]:
            values_both = np.concatenate(values)
            ranges = [(values_both.min(), values_both.max())] * 2
        else:
            ranges = [(own[0], own[-1]) for own in values]
        if any(low == high for low, high in ranges):
            return Absent("all ratings of a domain are equal, so that it has no scale")
        first, second = ((own - low) / (high - low) for own, (low, high) in zip(values, ranges, strict=True))
        return first, second

    @cached_property
    def spans(self) -> tuple[np.datetime64, np.datetime64, np.datetime64, np.datetime64] | Absent:
        """First and last moment of the source domain, then of the target domain."""
        if not len(self.source.times) or not len(self.target.times):
            return Absent("one of the domains has no timestamps")
        of_source, of_target = self.source.times, self.target.times
        return of_source.min(), of_source.max(), of_target.min(), of_target.max()


def overlapping_users(view: PairView) -> Value:
    """Users whose id is in the user tables of both domains."""
    return len(view.dataset.overlapping_users)


def active_in_both(view: PairView) -> Value:
    """Users with at least one interaction in each domain."""
    return int(((view.overlap[0] > 0) & (view.overlap[1] > 0)).sum())


def share_of_source(view: PairView) -> Value | Absent:
    """Overlapping users / users of the source domain; 0 to 1."""
    return _share(len(view.dataset.overlapping_users), len(view.source.tables.users), "users in the source domain")


def share_of_target(view: PairView) -> Value | Absent:
    """Overlapping users / users of the target domain; 0 to 1."""
    return _share(len(view.dataset.overlapping_users), len(view.target.tables.users), "users in the target domain")


def source_rows(view: PairView) -> Value | Absent:
    """Interactions of overlapping users in the source domain / interactions of the source domain; 0 to 1."""
    return _share(view.overlap[0].sum(), len(view.source.tables.interactions), "interactions in the source domain")


def target_rows(view: PairView) -> Value | Absent:
    """Interactions of overlapping users in the target domain / interactions of the target domain; 0 to 1."""
    return _share(view.overlap[1].sum(), len(view.target.tables.interactions), "interactions in the target domain")


def activity_correlation(view: PairView) -> Value | Absent:
    """Spearman's rank correlation of interactions in the source and in the target, over users with some in both; -1 to
    1, ties at their mean rank."""
    if not len(view.dataset.overlapping_users):
        return NOBODY
    both = (view.overlap[0] > 0) & (view.overlap[1] > 0)
    found = rank_correlation(view.overlap[0][both], view.overlap[1][both])
    if np.isnan(found):
        return Absent("fewer than three users are active in both domains, or all of them equally")
    return found


def links(view: PairView) -> Value:
    """Rows of the link table that was given; those that bridges propose are not among them."""
    return len(view.dataset.links)


def items_in_both(view: PairView) -> Value:
    """Items whose id is in the item tables of both domains."""
    return len(view.source.item_ids.intersection(view.target.item_ids))


def sparsity_ratio(view: PairView) -> Value | Absent:
    """Density of the source / density of the target, density being interactions / (users x items); above 1 where the
    source is the denser one."""
    rows = [len(tables.interactions) for tables in view.dataset.domains]
    pairs = [len(tables.users) * len(tables.items) for tables in view.dataset.domains]
    if not all(pairs) or not all(rows):
        return Absent("one of the domains has no interactions")
    return float(rows[0] / pairs[0] / (rows[1] / pairs[1]))


def size_ratio(view: PairView) -> Value | Absent:
    """Interactions of the source / interactions of the target; above 1 where the source is the larger one."""
    rows = [len(tables.interactions) for tables in view.dataset.domains]
    return rows[0] / rows[1] if rows[1] else Absent("the target domain has no interactions")


def rating_variation(view: PairView) -> Value | Absent:
    """Total variation of the ratings on a common scale, half the sum over its parts of |share in source - share in
    target|; 0 to 1. Domains with the same highest rating are compared value by value (up to 50 values); others are
    stretched to 0 .. 1 and compared in as many equal parts as the coarser of them has values."""
    if isinstance(view.scales, Absent):
        return view.scales
    counts = [np.array(one.ratings.counts) for one in (view.source, view.target)]
    places: np.ndarray = np.union1d(view.scales[0], view.scales[1])
    same = view.source.ratings.values[-1] == view.target.ratings.values[-1]
    if same and len(places) <= LARGEST_SCALE:
        parts = [np.searchsorted(places, values) for values in view.scales]
        number = len(places)
    else:
        number = min(LARGEST_SCALE, *(len(values) for values in view.scales))
        parts = [np.minimum((values * number).astype(np.int64), number - 1) for values in view.scales]
    return total_variation(*(np.bincount(own, each, minlength=number) for own, each in zip(parts, counts, strict=True)))


def rating_wasserstein(view: PairView) -> Value | Absent:
    """Wasserstein-1 distance of the ratings on a common scale from 0 to 1: by what part of the scale ratings have to be
    moved, on average, to turn one domain's distribution into the other's; 0 to 1. The scale is the joint one where the
    highest rating of both domains is the same, else each domain's own."""
    if isinstance(view.scales, Absent):
        return view.scales
    first, second = view.scales
    return wasserstein(first, np.array(view.source.ratings.counts), second, np.array(view.target.ratings.counts))


def popularity_gap(view: PairView) -> Value | Absent:
    """Twice the area between the Lorenz curves of item popularity, over items with interactions; 0 to 1, and where the
    curves do not cross the difference of the Gini coefficients."""
    return _gap(view.source.per_item, view.target.per_item)


def activity_gap(view: PairView) -> Value | Absent:
    """Twice the area between the Lorenz curves of user activity, over users with interactions; 0 to 1, and where the
    curves do not cross the difference of the Gini coefficients."""
    return _gap(view.source.per_user, view.target.per_user)


def time_overlap(view: PairView) -> Value | Absent:
    """Length of the time that both domains cover / length of the time that either covers, from each domain's first to
    its last interaction; 0 to 1. Absent where both cover one and the same moment."""
    if isinstance(view.spans, Absent):
        return view.spans
    source_first, source_last, target_first, target_last = view.spans
    common = min(source_last, target_last) - max(source_first, target_first)
    if common < np.timedelta64(0, "s"):
        return 0.0
    either = source_last - source_first + target_last - target_first - common
    return float(common / either) if either else Absent("all interactions have one and the same time")


def source_in_common_time(view: PairView) -> Value | Absent:
    """Interactions of the source in the time that both domains cover / its interactions with a time; 0 to 1."""
    return _in_common_time(view, view.source)


def target_in_common_time(view: PairView) -> Value | Absent:
    """Interactions of the target in the time that both domains cover / its interactions with a time; 0 to 1."""
    return _in_common_time(view, view.target)


def _in_common_time(view: PairView, domain: DomainView) -> Value | Absent:
    if isinstance(view.spans, Absent):
        return view.spans
    source_first, source_last, target_first, target_last = view.spans
    first, last = max(source_first, target_first), min(source_last, target_last)
    return float(((domain.times >= first) & (domain.times <= last)).mean())


def _share(part: int, whole: int, of: str) -> Value | Absent:
    return float(part / whole) if whole else Absent(f"there are no {of}")


def _gap(one: np.ndarray, other: np.ndarray) -> Value | Absent:
    if not one.any() or not other.any():
        return Absent("one of the domains has no interactions")
    return lorenz_gap(one[one > 0], other[other > 0])


PAIR_MEASURES: tuple[tuple[str, tuple[Measure[PairView], ...]], ...] = (
    (
        "overlap",
        (
            Measure("overlapping users", "users", overlapping_users),
            Measure("users active in both", "users", active_in_both),
            Measure("share of the source's users", "share", share_of_source),
            Measure("share of the target's users", "share", share_of_target),
            Measure("their share of the source's interactions", "share", source_rows),
            Measure("their share of the target's interactions", "share", target_rows),
            Measure("rank correlation of their activity", "", activity_correlation),
            Measure("given links", "links", links),
            Measure("items with an id of both", "items", items_in_both),
        ),
    ),
    (
        "shift",
        (
            Measure("rating, total variation", "", rating_variation),
            Measure("rating, Wasserstein", "of the scale", rating_wasserstein),
            Measure("popularity, Lorenz gap", "", popularity_gap),
            Measure("activity, Lorenz gap", "", activity_gap),
        ),
    ),
    (
        "balance",
        (
            Measure("sparsity ratio", "source : target", sparsity_ratio),
            Measure("interactions ratio", "source : target", size_ratio),
        ),
    ),
    (
        "time",
        (
            Measure("time overlap", "share", time_overlap),
            Measure("source in common time", "share", source_in_common_time),
            Measure("target in common time", "share", target_in_common_time),
        ),
    ),
)
"""What is measured of a pair, by group, in the order of the report. A new measure is a function and a line here."""


def shared_entities(view: PairView) -> pd.DataFrame:
    """Compare the entities of the facts, type by type, for the types that occur in both domains.

    Returns:
        node_type; source, target: entities of each domain; both: entities of both; distance: Jensen-Shannon distance
        (square root of the divergence to base 2, 0 to 1) of how often facts name each entity; distance_interactions:
        the same, each fact counted as often as its item was interacted with, NaN where no item of a domain with such
        facts was.
    """
    named = [_named_entities(domain) for domain in (view.source, view.target)]
    rows = []
    for node_type in sorted(set(named[0]["node_type"]) & set(named[1]["node_type"])):
        own = [one[one["node_type"] == node_type].set_index("node_id")[["facts", "interactions"]] for one in named]
        joined = own[0].merge(
            own[1], how="outer", left_index=True, right_index=True, suffixes=("_source", "_target")
        ).fillna(0)
        distances = []
        for weight in ("facts", "interactions"):
            pair = [joined[f"{weight}_{side}"].to_numpy() for side in ("source", "target")]
            distances.append(jensen_shannon(*pair) if all(each.sum() > 0 for each in pair) else float("nan"))
        both = len(own[0].index.intersection(own[1].index))
        rows.append((node_type, len(own[0]), len(own[1]), both, *distances))
    columns = ["node_type", "source", "target", "both", "distance", "distance_interactions"]
    return pd.DataFrame(rows, columns=columns)


def _named_entities(domain: DomainView) -> pd.DataFrame:
    """Return node_type, node_id, facts, interactions: how often facts name each entity, plain and weighted."""
    facts, schema = domain.tables.facts, domain.schema
    parts = []
    for end, other in (("head", "tail"), ("tail", "head")):
        entity = [kind for kind in facts[f"{end}_type"].unique() if schema.root(kind) not in ("User", "Item")]
        rows = facts[facts[f"{end}_type"].isin(entity)]
        items = [kind for kind in rows[f"{other}_type"].unique() if schema.root(kind) == "Item"]
        of_item = rows[f"{other}_type"].isin(items).to_numpy()
        places = domain.item_ids.get_indexer(pd.Index(rows[f"{other}_id"]))
        weights = np.where(of_item & (places >= 0), domain.per_item[places], 0) if len(domain.item_ids) else 0
        ends = rows[[f"{end}_type", f"{end}_id"]].set_axis(["node_type", "node_id"], axis=1)
        parts.append(ends.assign(facts=1, interactions=weights))
    named = pd.concat(parts, ignore_index=True)
    return named.groupby(["node_type", "node_id"], as_index=False, sort=False).sum()
