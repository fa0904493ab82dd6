"""Faults of names and other texts: wrongly decoded characters, HTML, unequal Unicode forms, what cannot be seen."""

from __future__ import annotations

import html
from collections.abc import Callable

import ftfy
import numpy as np
import pandas as pd
from ftfy.badness import is_bad

from loaders.cleaning.codes import differs, encode, lookup, matches, recode, replaced
from loaders.cleaning.draft import Context, Draft, Table
from loaders.cleaning.findings import RuleFinding
from loaders.cleaning.identifiers import CONTROL_CHARACTERS

CONTROL, HTML, MOJIBAKE = "control characters in a text", "HTML in a text", "wrongly decoded text"
FORM, SPACES = "unequal Unicode form", "superfluous white space"

_NAMES = {"items": ("name",), "users": ("name",), "facts": ("head_name", "tail_name")}
_VISIBLE_SPACE = r"[\t\n\v\f\r]"
_SPACE = r"[\s\p{Z}]+"
_ENTITY = r"&(#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]+);"
_NOT_ASCII = r"[^\x00-\x7f]"


def texts(draft: Draft, context: Context) -> tuple[Draft, list[RuleFinding]]:
    """Repair names and attributes that are text; from here on they are coded. Empty texts are missing."""
    findings: list[RuleFinding] = []
    for name, names in _NAMES.items():
        table = draft.get(name)
        if table is None:
            continue
        attributes = [one.column for one in draft.attributes(name) if one.kind != "numeric"]
        columns = [column for column in dict.fromkeys([*names, *attributes]) if column in table.frame.columns]
        repaired, found = _repair(table, columns)
        draft = draft.put(repaired)
        findings += found
    return draft, findings


def _repair(table: Table, columns: list[str]) -> tuple[Table, list[RuleFinding]]:
    rows = {fault: np.zeros(len(table.frame), dtype=bool) for fault in (CONTROL, HTML, MOJIBAKE, FORM, SPACES)}
    coded = {column: encode(table.frame[column]) for column in columns}
    whole: dict[str, pd.Categorical] = {}
    for column, values in coded.items():
        found, faults = repair_texts(values.categories.to_series().reset_index(drop=True))
        for fault, mask in faults.items():
            if mask.any():
                rows[fault] |= lookup(mask, values.codes, False)
        whole[column] = recode(values, found.mask(found == ""))
    findings = [
        finding for fault, mask in rows.items() for finding in table.finding(fault, mask, "repaired", columns)
    ]
    return table.with_columns(**whole), findings


def repair_texts(given: pd.Series) -> tuple[pd.Series, dict[str, np.ndarray]]:
    """Return distinct texts without faults, and per fault which of them had it."""
    faults = {}
    # Tabs and line ends become spaces below; removing them would join two words.
    spaced = replaced(given, _VISIBLE_SPACE, " ")
    steps: dict[str, Callable[[pd.Series], pd.Series]] = {
        HTML: lambda text: _changed(text, matches(text, _ENTITY), _unescape),
        # Before control characters go: in text that was wrongly decoded they are halves of letters.
        MOJIBAKE: lambda text: _changed(text, _looks_bad(text), ftfy.fix_encoding),
        CONTROL: lambda text: replaced(text, CONTROL_CHARACTERS, ""),
        FORM: lambda text: text.str.normalize("NFC") if matches(text, _NOT_ASCII).any() else text,
        SPACES: lambda text: replaced(text, _SPACE, " ").str.strip(),
    }
    now = spaced
    for fault, step in steps.items():
        after = step(now)
        faults[fault] = differs(now, after)
        now = after
    faults[SPACES] |= differs(given, spaced)
    return now, faults


def _looks_bad(text: pd.Series) -> np.ndarray:
    """Say which texts have letters side by side that hardly ever stand so; only those are worth a closer look."""
    bad = matches(text, _NOT_ASCII)
    bad[bad] = text[bad].map(is_bad).to_numpy(dtype=bool)
    return bad


def _changed(text: pd.Series, where: np.ndarray, change: Callable[[str], str]) -> pd.Series:
    return text.mask(where, text[where].map(change)) if where.any() else text


def _unescape(text: str) -> str:
    # Text that went through two programs is escaped twice.
    return html.unescape(html.unescape(text))
