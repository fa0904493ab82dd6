"""Years and numeric attributes: read as numbers, emptied where they are none."""

from __future__ import annotations

import numpy as np
import pandas as pd

from loaders.cleaning.codes import encode, lookup, no_value, recode, replaced
from loaders.cleaning.draft import Context, Draft, Table
from loaders.cleaning.findings import RuleFinding
from loaders.cleaning.numbers import read_numbers

ITEM_TYPE = "item type that does not belong to the domain"
YEAR, NUMBER, COMMA = "year that is none", "attribute is no number", "attribute with a decimal comma"
_YEAR_IN_TEXT = r"^\(?(-?\d{1,4})(?:\.0*|\)|-\d{2}(?:-\d{2}.*)?)?$"
_YEARS_AHEAD = 10
"""Announced works have years that are still to come."""


def typed_columns(draft: Draft, context: Context) -> tuple[Draft, list[RuleFinding]]:
    """Read the years of items, also out of "(1999)" and "1999-05-01", and the numeric attributes."""
    findings: list[RuleFinding] = []
    items = draft.get("items")
    if items is not None and "item_type" in items.frame.columns:
        items, findings = _item_types(items, draft.item_type, context)
        draft = draft.put(items)
    for name, key in (("items", "item_id"), ("users", "user_id")):
        table = draft.get(name)
        if table is None:
            continue
        if name == "items" and "year" in table.frame.columns:
            table, found = _years(table, context)
            findings += found
        for attribute in draft.attributes(name):
            if attribute.kind == "numeric" and attribute.column != "year":
                table, found = _numbers(table, key, attribute.column, context)
                findings += found
        draft = draft.put(table)
    return draft, findings


def _item_types(table: Table, item_type: str, context: Context) -> tuple[Table, list[RuleFinding]]:
    """Give items of a type that is not the domain's, or a subtype of it, the domain's type."""
    coded = encode(table.frame["item_type"])
    types = coded.categories.to_series().str.strip()
    allowed = context.schema.subtypes(item_type)
    missing = no_value(types, context.config.missing_words)
    wrong = ~types.isin(allowed).to_numpy() & ~missing
    rows = lookup(wrong, coded.codes, False)
    detail = f"they are of type {item_type} now; the domain has {', '.join(allowed)}"
    findings = table.finding(ITEM_TYPE, rows, "repaired", ("item_id", "item_type"), detail)
    return table.with_columns(item_type=recode(coded, types.mask(wrong | missing, item_type))), findings


def _years(table: Table, context: Context) -> tuple[Table, list[RuleFinding]]:
    coded = encode(table.frame["year"])
    texts = coded.categories.to_series().str.strip()
    digits = pd.Series(read_numbers(replaced(texts, _YEAR_IN_TEXT, r"\1"), context.config.missing_words).values)
    right = (digits.abs().between(1, context.now.year + _YEARS_AHEAD) & (digits % 1 == 0)).to_numpy()
    missing = no_value(texts, context.config.missing_words)
    years = lookup(digits.where(right).to_numpy(), coded.codes, np.nan)
    wrong = lookup(~right & ~missing, coded.codes, False)
    findings = table.finding(YEAR, wrong, "emptied", ("item_id", "year"))
    return table.with_columns(year=pd.array(years, dtype="Float64").astype("Int64")), findings


def _numbers(table: Table, key: str, column: str, context: Context) -> tuple[Table, list[RuleFinding]]:
    read = read_numbers(table.frame[column], context.config.missing_words)
    findings = table.finding(COMMA, read.comma, "repaired", (key, column), f'column "{column}"')
    findings += table.finding(NUMBER, read.unreadable, "emptied", (key, column), f'column "{column}"')
    return table.with_columns(**{column: read.values}), findings
