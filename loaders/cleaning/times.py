"""Times in mixed units and forms, repaired to UTC; times that are missing, unreadable, or cannot be right."""

from __future__ import annotations

import numpy as np
import pandas as pd

from loaders.cleaning.draft import Context, Draft, Table
from loaders.cleaning.findings import Action, RuleFinding
from loaders.cleaning.time_forms import FORMS, NUMERIC_FORMS, Times, read_times

UNREADABLE, MISSING = "time that cannot be read", "missing time"
UNIT, FORM = "time in another unit", "time in another form"
FUTURE, EARLY = "time in the future", "time before the earliest"

SHOWN = ("user_id", "item_id", "timestamp")


def times(draft: Draft, context: Context) -> tuple[Draft, list[RuleFinding]]:
    """Bring the times of interactions to UTC and drop, or report, what cannot be right.

    A unit or form is "another" when most rows have a different one.
    """
    table, config = draft.interactions, context.config
    if "timestamp" not in table.frame.columns:
        return draft, []
    bounds = (int(config.earliest.timestamp()) * 10**6, int(context.now.timestamp()) * 10**6)
    read = read_times(table.frame["timestamp"], config.missing_words, config.time_unit, config.day_first, bounds)
    bad = read.form < 0
    give_up = config.bad_times == "drop_column" and bool(bad.any())
    action: Action = "emptied" if give_up else "dropped"
    detail = "the domain has no times now, as bad_times = drop_column says" if give_up else _why_unreadable(read)
    findings = table.finding(UNREADABLE, bad & ~read.missing, action, SHOWN, detail)
    findings += table.finding(MISSING, bad & read.missing, action, SHOWN, detail if give_up else "")
    if give_up:
        return draft.put(Table(table.name, table.frame.drop(columns="timestamp"), table.lines)), findings
    implausible, found = _implausible(table, read, bounds, context)
    findings += _other_forms(table, read, implausible) + found
    moments = pd.Series(read.microseconds.view("datetime64[us]"), index=table.frame.index)
    return draft.put(table.with_columns(timestamp=moments).without(bad | implausible)), findings


def _implausible(
    table: Table, read: Times, bounds: tuple[int, int], context: Context
) -> tuple[np.ndarray, list[RuleFinding]]:
    """Return the rows to drop for their time, and what was found."""
    future = (read.microseconds > bounds[1]) & (read.form >= 0)
    early = (read.microseconds < bounds[0]) & (read.form >= 0)
    drop = context.config.implausible_times == "drop"
    action: Action = "dropped" if drop else "reported"
    findings = table.finding(FUTURE, future, action, SHOWN, f"after {context.now:%Y-%m-%d %H:%M:%S} UTC")
    findings += table.finding(EARLY, early, action, SHOWN, f"before {context.config.earliest:%Y-%m-%d} UTC")
    return (future | early) if drop else np.zeros(len(future), dtype=bool), findings


def _other_forms(table: Table, read: Times, dropped: np.ndarray) -> list[RuleFinding]:
    main = read.main_form
    other = (read.form != main) & (read.form >= 0) & ~dropped
    if not other.any():
        return []
    both_numbers = (read.form < NUMERIC_FORMS) & (main < NUMERIC_FORMS)
    names = ", ".join(FORMS[form] for form in np.unique(read.form[other]))
    detail = f"most times are {FORMS[main]}, these were {names}"
    findings = table.finding(UNIT, other & both_numbers, "repaired", SHOWN, detail)
    return findings + table.finding(FORM, other & ~both_numbers, "repaired", SHOWN, detail)


def _why_unreadable(read: Times) -> str:
    return "dates such as 3/4/2020 can be read where day_first is given" if (read.form < 0).any() else ""
