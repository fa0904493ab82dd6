"""The clean tables out of the last draft."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from loaders.cleaning.codes import decode
from loaders.cleaning.draft import Draft
from loaders.cleaning.findings import TABLES, Cleaned, RuleFinding
from loaders.dataset import DataCard, DomainTables


def finish(draft: Draft, findings: list[RuleFinding], before: Mapping[str, int]) -> Cleaned:
    """Return the validated domain with its account."""
    frames = {name: _plain(table.frame) for name, table in draft.tables.items()}
    interactions = frames["interactions"]
    if "weight" in interactions.columns and "rating" not in interactions.columns:
        # So that `positive_from` can tell a purchase from a view.
        interactions["rating"] = interactions["weight"]
    items = frames["items"]
    if "item_type" not in items.columns:
        items["item_type"] = draft.item_type
    items["item_type"] = items["item_type"].fillna(draft.item_type)
    tables = DomainTables(
        domain=draft.domain,
        item_type=draft.item_type,
        users=frames["users"],
        items=items,
        interactions=interactions,
        facts=frames["facts"],
        card=DataCard.own(draft.domain),
    )
    after = {name: len(frames[name]) if name in frames else 0 for name in TABLES}
    return Cleaned(tables, tuple(findings), before, after, draft.same_items)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    coded = {name: decode(frame[name].array) for name in frame.columns if frame[name].dtype == "category"}
    return frame.reset_index(drop=True).assign(**coded)
