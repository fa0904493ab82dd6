"""Cleaning: from what was read to tables that can be trusted, each rule explicit and counted.

>>> import pandas as pd
>>> from loaders.raw import RawDomain, RawTable
>>> rows = pd.DataFrame({"user_id": ["u1", " u2", "null"], "item_id": ["a", "a", "b"], "rating": ["4", "3,5", "2"]})
>>> cleaned = clean(RawDomain("books", "Book", RawTable(rows, "ratings.csv")))
>>> [(finding.rule, finding.count, finding.action) for finding in cleaned.findings if finding.table == "interactions"]
[('missing id', 1, 'dropped'), ('spaces around an id', 1, 'repaired'), ('rating with a decimal comma', 1, 'repaired')]
>>> cleaned.tables.interactions.values.tolist()
[['u1', 'a', 4.0], ['u2', 'a', 3.5]]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from graph_schema.schema import Schema
from graph_schema.vocabulary import SCHEMA
from loaders.cleaning.activity import core, suspicious_users
from loaders.cleaning.config import CleaningConfig
from loaders.cleaning.draft import Context, Draft, given_tables
from loaders.cleaning.events import events
from loaders.cleaning.facts import facts
from loaders.cleaning.findings import TABLES, Cleaned, Example, RuleFinding
from loaders.cleaning.finish import finish
from loaders.cleaning.identifiers import identifiers
from loaders.cleaning.ratings import rating_numbers, rating_range
from loaders.cleaning.references import references
from loaders.cleaning.repeated_interactions import repeated_interactions
from loaders.cleaning.repeated_rows import repeated_rows
from loaders.cleaning.same_items import same_items
from loaders.cleaning.scales import normalised_ratings, rating_scales
from loaders.cleaning.texts import texts
from loaders.cleaning.times import times
from loaders.cleaning.typed_columns import typed_columns
from loaders.cleaning.unreadable_lines import unreadable_lines
from loaders.raw import RawDomain

__all__ = ["RULES", "Cleaned", "CleaningConfig", "Example", "RuleFinding", "clean"]

Rule = Callable[[Draft, Context], tuple[Draft, list[RuleFinding]]]

RULES: Mapping[str, Rule] = {
    "identifiers": identifiers,
    "texts": texts,
    "typed_columns": typed_columns,
    "repeated_rows": repeated_rows,
    "same_items": same_items,
    "events": events,
    "rating_numbers": rating_numbers,
    "rating_scales": rating_scales,
    "rating_range": rating_range,
    "times": times,
    "repeated_interactions": repeated_interactions,
    "references": references,
    "suspicious_users": suspicious_users,
    "core": core,
    "normalised_ratings": normalised_ratings,
    "facts": facts,
}
"""The registry, in the order in which the rules are applied. A new rule is one function and one line here."""


def clean(raw: RawDomain, config: CleaningConfig | None = None, schema: Schema = SCHEMA) -> Cleaned:
    """Return the domain as tables that pass validation, with everything that was repaired, dropped, merged or added.

    Nothing goes without a word: `Cleaned.unaccounted` is 0 for every table.

    Args:
        raw: what was read.
        config: the choices of the rules.
        schema: the vocabulary that attributes and facts must belong to.

    Raises:
        InputError: a column that is needed is not there, or an attribute's relation is not in the schema.
    """
    chosen = config or CleaningConfig()
    context = Context(chosen, schema, chosen.now or datetime.now(UTC))
    findings = unreadable_lines(raw)
    draft = Draft.of(raw)
    for rule in RULES.values():
        draft, found = rule(draft, context)
        findings += found
    given = given_tables(raw)
    before = dict.fromkeys(TABLES, 0) | {
        name: len(table.frame) + len(table.bad_lines) for name, table in given.items()
    }
    return finish(draft, findings, before)
