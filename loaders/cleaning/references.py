"""Rows that name a user or an item that its table does not have."""

from __future__ import annotations

import numpy as np
import pandas as pd

from loaders.cleaning.codes import lookup
from loaders.cleaning.draft import Context, Draft, Table
from loaders.cleaning.findings import RuleFinding

UNKNOWN = {"users": "interaction of an unknown user", "items": "interaction with an unknown item"}
KEYS = {"users": "user_id", "items": "item_id"}


def interactions_of_unknown(draft: Draft, context: Context) -> tuple[Draft, list[RuleFinding]]:
    """Add the users and items that only interactions name, or drop those interactions, as the configuration says."""
    findings: list[RuleFinding] = []
    choices = {"users": context.config.unknown_users, "items": context.config.unknown_items}
    for name, choice in choices.items():
        table = draft.get(name)
        if table is not None and choice == "drop":
            rows = draft.interactions
            unknown = _unknown(rows, KEYS[name], table)
            findings += rows.finding(UNKNOWN[name], unknown, "dropped", ("user_id", "item_id"))
            draft = draft.put(rows.without(unknown))
    for name, choice in choices.items():
        table = draft.get(name)
        if table is None or choice == "add":
            draft, found = _added(draft, name)
            findings += found
    return draft, findings


def _unknown(rows: Table, key: str, table: Table) -> np.ndarray:
    coded = rows.frame[key].array
    return lookup(~coded.categories.isin(table.frame[key].array.categories), coded.codes, False)


def _added(draft: Draft, name: str) -> tuple[Draft, list[RuleFinding]]:
    """Give every user or item of the interactions a row in its table."""
    rows, key, table = draft.interactions, KEYS[name], draft.get(name)
    coded = rows.frame[key].array
    used = np.unique(coded.codes)
    # In order of first appearance, as the codes are.
    ids = coded.categories[used]
    if table is None:
        frame = pd.DataFrame({key: pd.Categorical(ids, categories=ids)}, index=np.full(len(ids), -1))
        added = Table(name, frame)
        detail = f"no table of {name} was given; these are the {name} of the interactions"
        every = np.ones(len(ids), dtype=bool)
        return draft.put(added), added.finding(f"{name} of interactions", every, "added", (key,), detail)
    known = table.frame[key].array.categories
    new = ids[~ids.isin(known)]
    if not len(new):
        return draft, []
    unknown = _unknown(rows, key, table)
    findings = rows.finding(UNKNOWN[name], unknown, "reported", ("user_id", "item_id"))
    every = known.append(new)
    old = pd.Categorical.from_codes(table.frame[key].array.codes, categories=every)
    frame = table.frame.assign(**{key: old})
    more = pd.DataFrame({key: pd.Categorical(new, categories=every)}, index=np.full(len(new), -1))
    joined = Table(name, pd.concat([frame, more]), table.lines)
    mask = np.arange(len(joined.frame)) >= len(table.frame)
    detail = f"interactions name them, the table of {name} does not"
    return draft.put(joined), [*findings, *joined.finding(UNKNOWN[name], mask, "added", (key,), detail)]
