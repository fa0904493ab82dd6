"""Ids that are missing or malformed. From here on the id columns are codes into their distinct values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from loaders.cleaning.codes import differs, encode, lookup, matches, no_value, recode, replaced
from loaders.cleaning.config import CleaningConfig
from loaders.cleaning.draft import Context, Draft, Table
from loaders.cleaning.findings import Action, RuleFinding

MISSING, CONTROL, SPACES = "missing id", "control characters in an id", "spaces around an id"
DECIMAL, LONG = "id written as a decimal number", "id too long"

ID_COLUMNS = {
    "interactions": {"user_id": "users", "item_id": "items"},
    "items": {"item_id": "items"},
    "users": {"user_id": "users"},
    "knows": {"user_id": "users", "other_id": "users"},
    "facts": {"head_id": "facts", "tail_id": "facts"},
}
"""Per table the columns of ids and what they name; the ends of facts name items and more."""

CONTROL_CHARACTERS = r"[\x00-\x1f\x7f-\x9f\x{200b}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2060}\x{feff}\x{fffe}\x{ffff}]"
"""Control characters and marks without width; the joiners of Persian, Indic scripts and emoji are no faults."""

_WHOLE, _WHOLE_AS_DECIMAL = r"^-?\d+$", r"^-?\d+\.0+$"


def identifiers(draft: Draft, context: Context) -> tuple[Draft, list[RuleFinding]]:
    """Repair ids where that is certain, drop rows without one.

    "123.0" becomes "123" where all ids of users (or of items) are whole numbers, or where "123" is there as well. An
    end of a fact stays as it is where a user keeps such an id.
    """
    coded = {name: _encoded(table) for name, table in draft.tables.items()}
    plain = {
        (name, column): _plain(table.frame[column].array.categories.to_series(), context.config)
        for name, table in coded.items()
        for column in _columns(table)
    }
    repair_decimal = {kind: _decimal_repair(kind, plain) for kind in ("users", "items")}
    people = _known("users", plain)
    kept = people[~repair_decimal["users"](people)[1]]
    repair_decimal["facts"] = _decimal_repair("facts", plain, kept)
    findings: list[RuleFinding] = []
    for table in coded.values():
        cleaned, found = _clean(table, plain, repair_decimal, context.config)
        draft = draft.put(cleaned)
        findings += found
    return draft, findings


def _columns(table: Table) -> dict[str, str]:
    return {column: kind for column, kind in ID_COLUMNS[table.name].items() if column in table.frame.columns}


def _encoded(table: Table) -> Table:
    return table.with_columns(**{column: encode(table.frame[column]) for column in _columns(table)})


def _plain(texts: pd.Series, config: CleaningConfig) -> pd.DataFrame:
    """Return per distinct text what it becomes, and which faults it has: missing, spaces, control, long."""
    stripped = texts.str.strip()
    visible = replaced(stripped, CONTROL_CHARACTERS, "").str.strip()
    missing = no_value(visible, config.missing_words)
    long = (visible.str.len() > config.longest_id).to_numpy(dtype=bool) & ~missing
    return pd.DataFrame(
        {
            "id": visible.mask(missing).to_numpy(),
            MISSING: missing,
            LONG: long,
            SPACES: differs(texts, stripped) & ~missing,
            CONTROL: matches(stripped, CONTROL_CHARACTERS) & ~missing,
        }
    ).astype({"id": "str"})


def _known(kind: str, plain: dict[tuple[str, str], pd.DataFrame]) -> pd.Series:
    """The distinct ids of a kind; the ends of facts name items too."""
    asked = ("items", "facts") if kind == "facts" else (kind,)
    known = [
        parts["id"].dropna() for (name, column), parts in plain.items() if ID_COLUMNS[name][column] in asked
    ]
    return pd.concat(known).drop_duplicates() if known else pd.Series([], dtype="str")


def _decimal_repair(
    kind: str, plain: dict[tuple[str, str], pd.DataFrame], kept: Sequence[str] | pd.Series = ()
) -> Callable[[pd.Series], tuple[pd.Series, np.ndarray]]:
    """Return the function that gives ids without ".0" where that is certain, and which ones it changed."""
    vocabulary = _known(kind, plain)
    as_decimal = matches(vocabulary, _WHOLE_AS_DECIMAL)
    whole = matches(vocabulary, _WHOLE)
    everywhere = bool((as_decimal | whole).all())
    beside = vocabulary[whole]

    def repair(ids: pd.Series) -> tuple[pd.Series, np.ndarray]:
        if not as_decimal.any():
            return ids, np.zeros(len(ids), dtype=bool)
        short = replaced(ids, r"\.0+$", "")
        changed = matches(ids, _WHOLE_AS_DECIMAL) & (everywhere | short.isin(beside).to_numpy())
        changed &= ~ids.isin(kept).to_numpy()
        return ids.mask(changed, short), changed

    return repair


def _clean(
    table: Table,
    plain: dict[tuple[str, str], pd.DataFrame],
    repair_decimal: dict[str, Callable[[pd.Series], tuple[pd.Series, np.ndarray]]],
    config: CleaningConfig,
) -> tuple[Table, list[RuleFinding]]:
    rows = {fault: np.zeros(len(table.frame), dtype=bool) for fault in (MISSING, LONG, CONTROL, SPACES, DECIMAL)}
    columns: dict[str, pd.Categorical] = {}
    for column, kind in _columns(table).items():
        coded, parts = table.frame[column].array, plain[table.name, column]
        ids, parts[DECIMAL] = repair_decimal[kind](parts["id"])
        columns[column] = recode(coded, ids)
        for fault in rows:
            if parts[fault].any():
                rows[fault] |= lookup(parts[fault].to_numpy(), coded.codes, False)
        rows[MISSING] |= coded.codes < 0
    actions: dict[str, Action] = {MISSING: "dropped", LONG: "dropped"}
    if config.control_characters_in_ids == "drop":
        actions[CONTROL] = "dropped"
    dropped = np.zeros(len(table.frame), dtype=bool)
    findings: list[RuleFinding] = []
    for fault, mask in rows.items():
        action = actions.get(fault, "repaired")
        findings += table.finding(fault, mask & ~dropped, action, list(columns))
        if action == "dropped":
            dropped |= mask
    return table.with_columns(**columns).without(dropped), findings
