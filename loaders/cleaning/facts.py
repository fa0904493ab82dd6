"""Facts: those that were given, checked; those that attributes and acquaintances make; each once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from graph_schema.columns import is_among
from graph_schema.errors import InputError, unknown_name
from graph_schema.schema import Schema
from graph_schema.tables import row_numbers
from loaders.cleaning.codes import decode, no_value, used
from loaders.cleaning.draft import Context, Draft, Table
from loaders.cleaning.findings import RuleFinding
from loaders.cleaning.references import KEYS, UNKNOWN, unknown_rows
from loaders.raw import Attribute

UNKNOWN_KIND, COPY = "relation or type outside the schema", "fact that is there twice"
SELF, OF_ATTRIBUTE, OF_KNOWS = "user who knows themselves", "facts of attributes", "facts of acquaintances"
MISSING_VALUE = "missing value of an attribute"

TRIPLE = ["head_id", "head_type", "relation", "tail_id", "tail_type"]


def facts(draft: Draft, context: Context) -> tuple[Draft, list[RuleFinding]]:
    """Make the table of facts; attributes that became facts leave their tables.

    Raises:
        InputError: an attribute whose column is not there, or whose relation does not join what it should.
    """
    findings: list[RuleFinding] = []
    table = draft.get("facts") or Table("facts", pd.DataFrame({name: pd.Series([], dtype="str") for name in TRIPLE}))
    table = Table("facts", _decoded(table.frame), table.lines)
    table, found = _inside_schema(table, context.schema)
    findings += found
    table, found = _about_known(table, draft, context)
    findings += found
    parts = {"": table.frame}
    for name in ("items", "users"):
        for attribute in draft.attributes(name):
            draft, made, found = _of_attribute(draft, name, attribute, context)
            findings += found
            if made is not None:
                parts[f'column "{attribute.column}" of {name}'] = made
    if draft.get("knows") is not None:
        draft, made, found = _of_knows(draft, context)
        findings += found
        parts["knows"] = made
    joined = Table("facts", pd.concat(parts.values()), table.lines)
    findings += _added(joined, parts)
    copies = pd.Series(row_numbers(joined.frame, TRIPLE)).duplicated().to_numpy()
    findings += joined.finding(COPY, copies, "merged", TRIPLE)
    return draft.put(joined.without(copies)), findings


def _decoded(frame: pd.DataFrame) -> pd.DataFrame:
    coded = [name for name in frame.columns if frame[name].dtype == "category"]
    return frame.assign(**{name: decode(frame[name].array).set_axis(frame.index) for name in coded})


def _added(joined: Table, parts: Mapping[str, pd.DataFrame]) -> list[RuleFinding]:
    findings, start = [], 0
    for detail, part in parts.items():
        mask = np.zeros(len(joined.frame), dtype=bool)
        mask[start : start + len(part)] = bool(detail)
        rule = OF_KNOWS if detail == "knows" else OF_ATTRIBUTE
        findings += joined.finding(rule, mask, "added", TRIPLE, detail)
        start += len(part)
    return findings


def _inside_schema(table: Table, schema: Schema) -> tuple[Table, list[RuleFinding]]:
    """Drop facts whose edge type the schema does not have; the detail says what would be right."""
    kinds = table.frame[["head_type", "relation", "tail_type"]].astype("str")
    problems: dict[int, str] = {}
    numbers = row_numbers(kinds, list(kinds.columns))
    distinct, first, kind_of_row = np.unique(numbers, return_index=True, return_inverse=True)
    for kind, row in zip(range(len(distinct)), kinds.iloc[first].fillna("").itertuples(index=False), strict=True):
        try:
            schema.edge_type(*row)
        except InputError as error:
            problems[kind] = str(error)
    outside = np.isin(np.arange(len(distinct)), list(problems))[kind_of_row]
    told = "; ".join(list(problems.values())[:3]) + (f"; and {len(problems) - 3} more" if len(problems) > 3 else "")
    return table.without(outside), table.finding(UNKNOWN_KIND, outside, "dropped", TRIPLE, told)


def _about_known(table: Table, draft: Draft, context: Context) -> tuple[Table, list[RuleFinding]]:
    """Drop facts about items of the domain, and about users, that are in no table."""
    findings: list[RuleFinding] = []
    for name, top in (("users", "User"), ("items", draft.item_type)):
        if table.frame.empty or (name == "items" and context.config.facts_of_unknown_items == "keep"):
            continue
        known, types = used(draft.tables[name].frame[KEYS[name]].array), context.schema.subtypes(top)
        unknown = np.zeros(len(table.frame), dtype=bool)
        for end in ("head", "tail"):
            of_type = table.frame[f"{end}_type"].isin(types).to_numpy()
            unknown |= of_type & ~is_among(table.frame[f"{end}_id"], known)
        findings += table.finding(UNKNOWN[name], unknown, "dropped", TRIPLE)
        table = table.without(unknown)
    return table, findings


def _of_attribute(
    draft: Draft, name: str, attribute: Attribute, context: Context
) -> tuple[Draft, pd.DataFrame | None, list[RuleFinding]]:
    """Return the draft without the attribute's column, and the facts it makes; None where it stays a column."""
    table = draft.tables[name]
    if attribute.column not in table.frame.columns:
        raise unknown_name(f"attribute column of {name}", attribute.column, [str(one) for one in table.frame.columns])
    if attribute.kind in ("numeric", "text"):
        return draft, None, []
    head_types = _head_types(draft, name)
    _check(attribute, name, pd.unique(head_types), context.schema)
    values = decode(table.frame[attribute.column].array)
    rows = pd.DataFrame({"head_id": decode(table.frame[KEYS[name]].array), "head_type": head_types, "value": values})
    if attribute.kind == "multi-valued":
        rows = rows.assign(value=rows["value"].str.split(attribute.separator, regex=False)).explode("value")
        rows["value"] = rows["value"].astype("str").str.strip()
    empty = no_value(rows["value"], context.config.missing_words)
    unknown = empty & (rows["value"] != "").to_numpy(dtype=bool)
    emptied = np.zeros(len(table.frame), dtype=bool)
    emptied[rows.index[unknown]] = True
    shown = (KEYS[name], attribute.column)
    findings = table.finding(MISSING_VALUE, emptied, "emptied", shown, f'column "{attribute.column}"')
    rows = rows[~empty & rows["value"].notna().to_numpy()].drop_duplicates()
    ends = {"relation": attribute.relation, "tail_type": attribute.node_type}
    made = rows.assign(tail_id=rows["value"], tail_name=rows["value"], **ends).drop(columns="value")
    draft = draft.put(Table(name, table.frame.drop(columns=attribute.column), table.lines))
    return draft, made.set_axis(np.full(len(made), -1)), findings


def _head_types(draft: Draft, name: str) -> pd.Series:
    frame = draft.tables[name].frame
    if name == "users" or "item_type" not in frame.columns:
        return pd.Series("User" if name == "users" else draft.item_type, index=range(len(frame)), dtype="str")
    return decode(frame["item_type"].array).fillna(draft.item_type)


def _check(attribute: Attribute, name: str, head_types: np.ndarray, schema: Schema) -> None:
    for head_type in head_types:
        try:
            schema.edge_type(head_type, attribute.relation, attribute.node_type)
        except InputError as error:
            raise InputError(
                f'attribute "{attribute.column}" of {name}: {error}; '
                'correct relation and node_type, or make its kind "text" to keep it as a column'
            ) from None


def _of_knows(draft: Draft, context: Context) -> tuple[Draft, pd.DataFrame, list[RuleFinding]]:
    """Return the facts that acquaintances make; one per pair of users, whoever of the two was named first."""
    table = draft.tables["knows"]
    findings: list[RuleFinding] = []
    unknown = unknown_rows(draft, table, "users")
    findings += table.finding(UNKNOWN["users"], unknown, "dropped", ("user_id", "other_id"))
    table = Table("knows", _decoded(table.without(unknown).frame), table.lines)
    themselves = (table.frame["user_id"] == table.frame["other_id"]).to_numpy()
    findings += table.finding(SELF, themselves, "dropped", ("user_id", "other_id"))
    table = table.without(themselves)
    one, other = table.frame["user_id"], table.frame["other_id"]
    first = (one <= other).to_numpy()
    pairs = pd.DataFrame({"low": one.where(first, other), "high": other.where(first, one)})
    copies = pd.Series(row_numbers(pairs, ["low", "high"])).duplicated().to_numpy()
    findings += table.finding("acquaintance that is there twice", copies, "merged", ("user_id", "other_id"))
    table = table.without(copies)
    kind = context.schema.edge_type("User", "KNOWS", "User")
    made = pd.DataFrame(
        {
            "head_id": table.frame["user_id"].array, "head_type": kind.head, "relation": kind.relation,
            "tail_id": table.frame["other_id"].array, "tail_type": kind.tail,
        },
        index=np.full(len(table.frame), -1),
    )  # fmt: skip
    return draft.put(table), made, findings
