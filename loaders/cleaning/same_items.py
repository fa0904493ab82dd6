"""The same item under two ids: equal name but for case, accents and punctuation, equal year, equal type."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from loaders.cleaning.codes import decode, lookup, recode, replaced
from loaders.cleaning.draft import Context, Draft, Table
from loaders.cleaning.findings import RuleFinding

RULE = "item listed under two ids"

_MOST_IDS = 5
"""A name that more ids of one year and type have is no name of one item."""

_ID_COLUMNS: dict[str, dict[str, str | None]] = {
    "interactions": {"item_id": None},
    "facts": {"head_id": "head_type", "tail_id": "tail_type"},
}
"""Columns of item ids, and those that say whether an id is one."""


def same_items(draft: Draft, context: Context) -> tuple[Draft, list[RuleFinding]]:
    """Find items that are listed twice; report them, or merge them under the first id (`same_items`).

    Items without a name are not compared; where the table has years, neither are items without one; nor are names
    that many items of a year and type have, such as "Untitled".
    """
    items = draft.get("items")
    if items is None or "name" not in items.frame.columns:
        return draft, []
    pairs, twice = _pairs(items)
    if pairs.empty:
        return draft, []
    draft = replace(draft, same_items=pairs)
    shown = ("item_id", "name", "year")
    if context.config.same_items == "report":
        return draft, items.finding(RULE, twice, "reported", shown, 'same_items = "merge" joins them')
    findings = items.finding(RULE, twice, "merged", shown, "the first id stands for all")
    draft = draft.put(items.without(twice))
    to_first = pd.Series(pairs["same_as"].array, index=pairs["item_id"])
    for name, columns in _ID_COLUMNS.items():
        table = draft.get(name)
        if table is not None:
            renamed, changed = _renamed(table, columns, to_first, context.schema.subtypes("Item"))
            findings += table.finding(RULE, changed, "repaired", list(columns), "the first id stands for all")
            draft = draft.put(renamed)
    return draft, findings


def _pairs(items: Table) -> tuple[pd.DataFrame, np.ndarray]:
    """Return item_id, same_as for each item that repeats an earlier one, and the mask of those rows."""
    names = items.frame["name"].array
    keys, _ = pd.factorize(name_keys(names.categories.to_series().reset_index(drop=True)))
    known = pd.DataFrame({"name": lookup(keys, names.codes, -1)})
    compared = known["name"].to_numpy() >= 0
    for column in ("year", "item_type"):
        if column in items.frame.columns:
            known[column] = items.frame[column].array
            compared &= known[column].notna().to_numpy() | (column == "item_type")
    rows = known[compared]
    first = rows.groupby(list(known.columns), sort=False, dropna=False).ngroup().to_numpy()
    positions = np.flatnonzero(compared)
    _, start, size = np.unique(first, return_index=True, return_counts=True)
    original = np.where(size[first] > _MOST_IDS, positions, positions[start[first]])
    twice = np.zeros(len(known), dtype=bool)
    twice[positions[original != positions]] = True
    ids = decode(items.frame["item_id"].array)
    pairs = {"item_id": ids[twice].array, "same_as": ids.iloc[original[original != positions]].array}
    return pd.DataFrame(pairs), twice


def name_keys(names: pd.Series) -> pd.Series:
    """Return what names are compared by; missing where nothing is left of them.

    >>> name_keys(pd.Series(["Amélie,  the film", "AMELIE (the film)", "?!"])).tolist()
    ['amelie the film', 'amelie the film', nan]
    """
    plain = replaced(names.str.normalize("NFKD").str.casefold(), r"\p{M}", "")
    words = replaced(plain, r"[^\p{L}\p{N}]+", " ").str.strip()
    return words.mask(words == "")


def _renamed(
    table: Table, columns: dict[str, str | None], to_first: pd.Series, item_types: tuple[str, ...]
) -> tuple[Table, np.ndarray]:
    changed = np.zeros(len(table.frame), dtype=bool)
    for column, type_column in columns.items():
        coded = table.frame[column].array
        old = coded.categories.to_series().reset_index(drop=True)
        new = old.map(to_first).astype("str")
        rows = lookup(new.notna().to_numpy(), coded.codes, False)
        if type_column is None:
            table = table.with_columns(**{column: recode(coded, new.fillna(old))})
        else:
            rows &= table.frame[type_column].isin(item_types).to_numpy()
            texts = decode(coded).set_axis(table.frame.index)
            first = decode(recode(coded, new.fillna(old))).set_axis(table.frame.index)
            table = table.with_columns(**{column: pd.Categorical(texts.mask(rows, first))})
        changed |= rows
    return table, changed
