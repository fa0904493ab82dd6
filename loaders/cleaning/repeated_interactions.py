"""Several interactions of one user with one item: copies are merged, the others joined as the configuration says."""

from __future__ import annotations

import numpy as np
import pandas as pd

from loaders.cleaning.draft import Context, Draft, Table, comparable
from loaders.cleaning.findings import RuleFinding

COPY, REPEATED = "exact copy of an interaction", "repeated interaction"
_SUMMED = ("rating", "weight")


def repeated_interactions(draft: Draft, context: Context) -> tuple[Draft, list[RuleFinding]]:
    """Leave one interaction per user and item. Copies, rows that agree in every column, are counted apart."""
    table = draft.interactions
    pairs = pair_codes(table.frame)
    among = pd.Series(pairs).duplicated(keep=False).to_numpy()
    if not among.any():
        return draft, []
    positions = np.flatnonzero(among)
    rows = table.frame.iloc[positions].assign(_pair=pairs[positions], _position=positions)
    findings: list[RuleFinding] = []
    dropped = np.zeros(len(table.frame), dtype=bool)
    if context.config.exact_copies == "merge":
        copies = comparable(rows.drop(columns="_position")).duplicated().to_numpy()
        dropped[positions[copies]] = True
        findings += table.finding(COPY, dropped, "merged", _shown(table))
        rows = rows[~copies]
    kept = _kept(rows, context.config.repeated)
    merged = np.zeros(len(table.frame), dtype=bool)
    merged[np.setdiff1d(rows["_position"].to_numpy(), kept["_position"].to_numpy())] = True
    detail = f"the {context.config.repeated} stands for all of a pair"
    findings += table.finding(REPEATED, merged, "merged", _shown(table), detail)
    changed = {}
    for name in _SUMMED:
        if name in kept.columns and context.config.repeated in ("max", "mean", "sum"):
            values = table.frame[name].to_numpy().copy()
            values[kept["_position"].to_numpy()] = kept[name].to_numpy()
            changed[name] = values
    return draft.put(table.with_columns(**changed).without(dropped | merged)), findings


def pair_codes(frame: pd.DataFrame) -> np.ndarray:
    """Return one number per pair of user and item, int64 [rows]."""
    items = frame["item_id"].array
    pairs: np.ndarray = frame["user_id"].array.codes.astype(np.int64) * (len(items.categories) + 1) + items.codes
    return pairs


def _shown(table: Table) -> list[str]:
    return [name for name in table.frame.columns if name != "_pair"]


def _kept(rows: pd.DataFrame, how: str) -> pd.DataFrame:
    """Return one row per pair: the first or last in time, with ratings and weights of all where they are joined."""
    order = ["_pair", "timestamp", "_position"] if "timestamp" in rows.columns else ["_pair", "_position"]
    ordered = rows.sort_values(order)
    kept = ordered.drop_duplicates("_pair", keep="first" if how == "first" else "last").set_index("_pair")
    if how in ("max", "mean", "sum"):
        joined = [name for name in _SUMMED if name in rows.columns]
        kept = kept.assign(**ordered.groupby("_pair")[joined].agg(how)) if joined else kept
    return kept
