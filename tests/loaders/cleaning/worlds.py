"""Small raw domains for the tests of single rules, and what cleaning found in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from loaders.cleaning import Cleaned, CleaningConfig, clean
from loaders.raw import Attribute, RawDomain, RawTable

NOW = datetime(2024, 1, 1, tzinfo=UTC)
Rows = Mapping[str, Any]


def cleaned(
    interactions: Rows,
    items: Rows | None = None,
    users: Rows | None = None,
    knows: Rows | None = None,
    facts: Rows | None = None,
    item_attributes: tuple[Attribute, ...] = (),
    user_attributes: tuple[Attribute, ...] = (),
    **choices: Any,
) -> Cleaned:
    """Clean tables that are given column by column, as text."""
    named = {"items": items, "users": users, "knows": knows, "facts": facts}
    read: dict[str, Any] = {name: None if rows is None else table(rows, name) for name, rows in named.items()}
    raw = RawDomain(
        "films", "Movie", table(interactions, "interactions"), **read,
        item_attributes=item_attributes, user_attributes=user_attributes,
    )  # fmt: skip
    return clean(raw, CleaningConfig(**{"now": NOW, **choices}))


def table(rows: Rows, name: str) -> RawTable:
    columns = {column: pd.Series(values, dtype=object) for column, values in rows.items()}
    return RawTable(pd.DataFrame(columns), f"{name}.csv")


def pairs(count: int, users: int = 10**6) -> dict[str, list[str]]:
    """Interactions of different pairs, users taking turns."""
    return {
        "user_id": [f"u{row % users}" for row in range(count)],
        "item_id": [f"i{row // users}" for row in range(count)],
    }


def found(result: Cleaned, table: str = "interactions") -> dict[str, tuple[int, str]]:
    """Rule -> count and action, of one table; what is added for want of a table is no fault and left out."""
    return {
        finding.rule: (finding.count, finding.action)
        for finding in result.findings
        if finding.table == table and not finding.rule.endswith("of interactions")
    }


def ratings(result: Cleaned) -> list[float]:
    values: list[float] = result.tables.interactions["rating"].tolist()
    return values
