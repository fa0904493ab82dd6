"""Who has too few interactions (the k-core), and who behaves like a program."""

from __future__ import annotations

import numpy as np
import pandas as pd

from loaders.cleaning.codes import lookup
from loaders.cleaning.draft import Context, Draft
from loaders.cleaning.findings import Action, RuleFinding
from loaders.cleaning.references import KEYS

FAST, MANY = "user with too many interactions in a minute", "user with too many interactions"
EQUAL = "user whose ratings are all equal"
CORE = "outside the core"


def suspicious_users(draft: Draft, context: Context) -> tuple[Draft, list[RuleFinding]]:
    """Find users who behave like programs; report them, or drop them with their interactions (`suspicious_users`)."""
    config, rows = context.config, draft.interactions
    coded = rows.frame["user_id"].array
    counts = np.bincount(coded.codes, minlength=len(coded.categories))
    found = {
        FAST: _fast(rows.frame, counts, config.most_per_minute),
        MANY: counts > config.most_interactions,
        EQUAL: _equal(rows.frame, counts, config.most_equal_ratings),
    }
    limits = {FAST: config.most_per_minute, MANY: config.most_interactions, EQUAL: config.most_equal_ratings}
    drop = config.suspicious_users == "drop"
    action: Action = "dropped" if drop else "reported"
    users, findings = draft.tables["users"], []
    for rule, suspects in found.items():
        ids = coded.categories[suspects]
        of_user = users.frame["user_id"].isin(ids).to_numpy()
        detail = f"the limit is {limits[rule]}; {counts[suspects].sum()} interactions are theirs"
        findings += users.finding(rule, of_user, action, ("user_id", "name"), detail)
        if drop and suspects.any():
            of_row = lookup(suspects, rows.frame["user_id"].array.codes, False)
            findings += rows.finding(rule, of_row, "dropped", ("user_id", "item_id"), detail)
            rows, users = rows.without(of_row), users.without(of_user)
    return draft.put(rows).put(users), findings


def _fast(frame: pd.DataFrame, counts: np.ndarray, most: int) -> np.ndarray:
    """Say which users have more than `most` interactions within some 60 seconds."""
    suspects = np.zeros(len(counts), dtype=bool)
    if "timestamp" not in frame.columns:
        return suspects
    codes = frame["user_id"].array.codes
    active = (counts > most)[codes]
    if not active.any():
        return suspects
    # One number per row that sorts by user and then by time, with more than a minute between two users.
    times = frame["timestamp"].to_numpy()[active].astype("datetime64[us]").astype(np.int64) // 10**6
    times -= times.min()
    span = int(times.max()) + 61
    keys = np.sort(codes[active].astype(np.int64) * span + times)
    within = keys[most:] - keys[:-most] <= 60
    suspects[keys[most:][within] // span] = True
    return suspects


def _equal(frame: pd.DataFrame, counts: np.ndarray, least: int) -> np.ndarray:
    """Say which users gave at least `least` ratings, all of them equal, where others' ratings differ."""
    suspects = np.zeros(len(counts), dtype=bool)
    if "rating" not in frame.columns or frame["rating"].nunique() < 2:
        return suspects
    codes = frame["user_id"].array.codes
    active = (counts >= least)[codes]
    spread = frame["rating"].to_numpy()[active]
    grouped = pd.Series(spread).groupby(codes[active])
    equal = grouped.min() == grouped.max()
    suspects[equal.index[equal.to_numpy()]] = True
    return suspects


def core(draft: Draft, context: Context) -> tuple[Draft, list[RuleFinding]]:
    """Leave out users and items with too few interactions, until all have enough (`user_core`, `item_core`).

    Users and items that lose all interactions by this leave their tables too; those that had none stay.
    """
    least = {"users": context.config.user_core, "items": context.config.item_core}
    if not any(least.values()):
        return draft, []
    rows = draft.interactions
    codes = {name: rows.frame[KEYS[name]].array.codes for name in least}
    sizes = {name: len(rows.frame[KEYS[name]].array.categories) for name in least}
    kept = np.ones(len(rows.frame), dtype=bool)
    while True:
        before = np.count_nonzero(kept)
        for name, minimum in least.items():
            enough = np.bincount(codes[name][kept], minlength=sizes[name]) >= minimum
            kept &= enough[codes[name]]
        if np.count_nonzero(kept) == before:
            break
    detail = f"at least {least['users']} interactions of each user and {least['items']} of each item"
    findings = rows.finding(CORE, ~kept, "dropped", ("user_id", "item_id"), detail)
    for name in least:
        had = np.bincount(codes[name], minlength=sizes[name]) > 0
        has = np.bincount(codes[name][kept], minlength=sizes[name]) > 0
        table = draft.tables[name]
        gone = table.frame[KEYS[name]].isin(rows.frame[KEYS[name]].array.categories[had & ~has]).to_numpy()
        findings += table.finding(CORE, gone, "dropped", (KEYS[name], "name"), detail)
        draft = draft.put(table.without(gone))
    return draft.put(rows.without(~kept)), findings
