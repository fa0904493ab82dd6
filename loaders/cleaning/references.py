"""Rows that name a user or an item that its table does not have."""

from __future__ import annotations

import numpy as np
import pandas as pd

from graph_schema.columns import is_among
from loaders.cleaning.codes import decode, encode, lookup, used
from loaders.cleaning.draft import Context, Draft, Table
from loaders.cleaning.findings import RuleFinding

UNKNOWN = {"users": "unknown user", "items": "unknown item"}
KEYS = {"users": "user_id", "items": "item_id"}
_NAMED_BY: dict[str, dict[str, tuple[str, ...]]] = {
    "users": {"interactions": ("user_id",), "knows": ("user_id", "other_id")},
    "items": {"interactions": ("item_id",)},
}


def references(draft: Draft, context: Context) -> tuple[Draft, list[RuleFinding]]:
    """Add the users and items that other tables name, or drop those rows, as the configuration says.

    Where no table of users (or items) is given, those of the interactions are it.
    """
    findings: list[RuleFinding] = []
    choices = {"users": context.config.unknown_users, "items": context.config.unknown_items}
    for name, choice in choices.items():
        if draft.get(name) is not None and choice == "drop":
            draft, found = _without_unknown(draft, name)
            findings += found
    for name, choice in choices.items():
        if draft.get(name) is None or choice == "add":
            draft, found = _added(draft, name)
            findings += found
    return draft, findings


def unknown_rows(draft: Draft, rows: Table, name: str) -> np.ndarray:
    """Return which rows name a user (or an item: `name` is "users" or "items") that is not in its table."""
    unknown = np.zeros(len(rows.frame), dtype=bool)
    ids = used(draft.tables[name].frame[KEYS[name]].array)
    for column in _NAMED_BY[name][rows.name]:
        coded = rows.frame[column].array
        unknown |= lookup(~is_among(coded.categories, ids), coded.codes, True)
    return unknown


def _without_unknown(draft: Draft, name: str) -> tuple[Draft, list[RuleFinding]]:
    findings: list[RuleFinding] = []
    for place, columns in _NAMED_BY[name].items():
        rows = draft.get(place)
        if rows is not None:
            unknown = unknown_rows(draft, rows, name)
            findings += rows.finding(UNKNOWN[name], unknown, "dropped", columns)
            draft = draft.put(rows.without(unknown))
    return draft, findings


def _added(draft: Draft, name: str) -> tuple[Draft, list[RuleFinding]]:
    """Give every user or item that another table names a row in its own, in order of first appearance."""
    key, table = KEYS[name], draft.get(name)
    named = [
        used(rows.frame[column].array)
        for place, columns in _NAMED_BY[name].items()
        if (rows := draft.get(place)) is not None
        for column in columns
    ]
    ids = named[0].append(named[1:]).unique() if named[1:] else named[0]
    if table is None:
        table = Table(name, pd.DataFrame({key: pd.Categorical([], categories=ids[:0])}, index=pd.RangeIndex(0)))
        detail = f"no table of {name} was given; these are the {name} that interactions name"
        return _with_rows(draft, table, key, ids, name, f"{name} of interactions", detail)
    new = ids[~is_among(ids, used(table.frame[key].array))]
    if not len(new):
        return draft, []
    findings: list[RuleFinding] = []
    for place, columns in _NAMED_BY[name].items():
        rows = draft.get(place)
        if rows is not None:
            findings += rows.finding(UNKNOWN[name], unknown_rows(draft, rows, name), "reported", columns, "added")
    detail = f"the table of {name} did not have them"
    draft, added = _with_rows(draft, table, key, new, name, UNKNOWN[name], detail)
    return draft, [*findings, *added]


def _with_rows(
    draft: Draft, table: Table, key: str, new: pd.Index, name: str, rule: str, detail: str
) -> tuple[Draft, list[RuleFinding]]:
    more = pd.DataFrame({key: new}, index=np.full(len(new), -1))
    old = table.frame.assign(**{key: decode(table.frame[key].array).array})
    joined = Table(name, pd.concat([old, more]), table.lines)
    joined = joined.with_columns(**{key: encode(joined.frame[key])})
    mask = np.arange(len(joined.frame)) >= len(table.frame)
    return draft.put(joined), joined.finding(rule, mask, "added", (key,), detail)
