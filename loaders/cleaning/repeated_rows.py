"""Several rows of one item or one user: copies, rows that complete each other, and rows that contradict each other."""

from __future__ import annotations

import numpy as np
import pandas as pd

from loaders.cleaning.codes import decode, encode
from loaders.cleaning.draft import Context, Draft, Table, comparable
from loaders.cleaning.findings import RuleFinding
from loaders.raw import Attribute

COPY, COMPLETING = "exact copy of a row", "rows of one id that complete each other"
CONFLICTING = "conflicting rows of one id"


def repeated_rows(draft: Draft, context: Context) -> tuple[Draft, list[RuleFinding]]:
    """Leave one row per item and per user; what stands for contradicting values is a choice (`conflicts`)."""
    findings: list[RuleFinding] = []
    for name, key in (("items", "item_id"), ("users", "user_id")):
        table = draft.get(name)
        if table is not None:
            merged, found = _merge(table, key, context.config.conflicts, draft.attributes(name))
            draft = draft.put(merged)
            findings += found
    return draft, findings


def _merge(table: Table, key: str, how: str, attributes: tuple[Attribute, ...]) -> tuple[Table, list[RuleFinding]]:
    codes = table.frame[key].array.codes
    among = np.flatnonzero(pd.Series(codes).duplicated(keep=False).to_numpy())
    if not len(among):
        return table, []
    rows = comparable(_decoded(table.frame.iloc[among].drop(columns=key))).set_axis(among)
    rows.insert(0, "_key", codes[among])
    copy = np.zeros(len(table.frame), dtype=bool)
    copy[among[rows.duplicated().to_numpy()]] = True
    findings = table.finding(COPY, copy, "merged", list(table.frame.columns))
    rows = rows[~copy[among]]
    rows = rows[rows["_key"].duplicated(keep=False).to_numpy()]
    if rows.empty:
        return table.without(copy), findings
    many = {one.column: one.separator for one in attributes if one.kind == "multi-valued"}
    first = rows.drop_duplicates("_key")
    later = rows.index.difference(first.index)
    single = [column for column in rows.columns if column not in many]
    contradicted = rows[single].groupby("_key").nunique().gt(1).any(axis=1)
    of_conflict = rows.loc[later, "_key"].map(contradicted).to_numpy(dtype=bool)
    masks = {CONFLICTING: later[of_conflict], COMPLETING: later[~of_conflict]}
    details = {CONFLICTING: f"each column keeps its {how.replace('_', ' ')} value"}
    for rule, positions in masks.items():
        mask = np.zeros(len(table.frame), dtype=bool)
        mask[positions] = True
        findings += table.finding(rule, mask, "merged", list(table.frame.columns), details.get(rule, ""))
        copy |= mask
    return _written(table, first, _values(rows, how, many)).without(copy), findings


def _decoded(frame: pd.DataFrame) -> pd.DataFrame:
    coded = [name for name in frame.columns if frame[name].dtype == "category"]
    return frame.assign(**{name: decode(frame[name].array).set_axis(frame.index) for name in coded})


def _values(rows: pd.DataFrame, how: str, many: dict[str, str]) -> pd.DataFrame:
    """Return the values that stand for the rows of each key, keys as index."""
    grouped = rows.groupby("_key", sort=False)
    columns = {}
    for column in rows.columns.drop("_key"):
        if column in many:
            columns[column] = _joined(rows[["_key", column]], many[column])
        elif how == "most_frequent":
            counts = rows.groupby(["_key", column], sort=False).size().rename("_count").reset_index()
            # Stable, so that among equally frequent values the first wins.
            ranked = counts.sort_values("_count", ascending=False, kind="stable").drop_duplicates("_key")
            columns[column] = ranked.set_index("_key")[column]
        else:
            columns[column] = getattr(grouped[column], how)()
    return pd.DataFrame(columns, index=rows["_key"].unique())


def _joined(rows: pd.DataFrame, separator: str) -> pd.Series:
    """Join the lists of values of each key, each value once."""
    column = rows.columns[1]
    parted = rows.assign(**{column: rows[column].str.split(separator, regex=False)}).explode(column)
    single = parted.dropna().drop_duplicates()
    return single.groupby("_key", sort=False)[column].agg(separator.join)


def _written(table: Table, first: pd.DataFrame, values: pd.DataFrame) -> Table:
    """Return the table with `values` in the first row of each key."""
    chosen = values.reindex(first["_key"].to_numpy())
    positions = first.index.to_numpy()
    changed: dict[str, object] = {}
    for column in chosen.columns:
        coded = table.frame[column].dtype == "category"
        whole = decode(table.frame[column].array) if coded else table.frame[column].reset_index(drop=True).copy()
        # Where every value is missing, grouping has lost the type.
        whole.iloc[positions] = chosen[column].astype(whole.dtype).array
        changed[column] = encode(whole) if coded else whole.array
    return table.with_columns(**changed)
