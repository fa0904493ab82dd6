"""The tables between two rules: frames whose index still says which row each row was when it was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd

from graph_schema.errors import InputError
from graph_schema.schema import Schema
from loaders.cleaning.config import CleaningConfig
from loaders.cleaning.findings import Action, Example, RuleFinding
from loaders.raw import Attribute, RawDomain, RawTable

EXAMPLES = 5
"""So many examples does a finding have at most."""

_LONGEST_VALUE = 60

NEEDED = {
    "interactions": ("user_id", "item_id"),
    "items": ("item_id",),
    "users": ("user_id",),
    "knows": ("user_id", "other_id"),
    "facts": ("head_id", "head_type", "relation", "tail_id", "tail_type"),
}
"""The columns that each table must have."""


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of one table; the index of `frame` is the number of the row as it was read, -1 for rows that were added."""

    name: str
    frame: pd.DataFrame
    lines: np.ndarray | None = None

    @classmethod
    def of(cls, name: str, raw: RawTable) -> Table:
        """Number the rows of a raw table."""
        return cls(name, raw.frame.set_axis(pd.RangeIndex(len(raw.frame))), raw.lines)

    def with_columns(self, **columns: object) -> Table:
        """Return the table with these columns set."""
        return replace(self, frame=self.frame.assign(**columns))

    def without(self, mask: np.ndarray) -> Table:
        """Return the table without the rows where `mask` is true."""
        return replace(self, frame=self.frame[~mask]) if mask.any() else self

    def example(self, position: int, columns: Sequence[str]) -> Example:
        """Return the row at a position with the values of `columns` as they are now."""
        row = int(self.frame.index[position])
        line = None if self.lines is None or row < 0 else int(self.lines[row])
        shown = ", ".join(f"{name} {_shown(self.frame[name].iloc[position])}" for name in columns)
        return Example(line, row, shown)

    def finding(
        self, rule: str, mask: np.ndarray, action: Action, columns: Sequence[str], detail: str = ""
    ) -> list[RuleFinding]:
        """Return what a rule found, the rows where `mask` is true; nothing where there is none.

        Args:
            columns: whose values the examples show; those that the table lacks are left out.
        """
        count = int(np.count_nonzero(mask))
        if not count:
            return []
        shown = [name for name in columns if name in self.frame.columns]
        examples = tuple(self.example(position, shown) for position in _first_true(mask))
        return [RuleFinding(rule, self.name, count, action, examples, detail)]


def _first_true(mask: np.ndarray) -> list[int]:
    found: list[int] = []
    start = 0
    while len(found) < EXAMPLES and start < len(mask):
        step = int(mask[start:].argmax())
        if not mask[start + step]:
            break
        found.append(start + step)
        start += step + 1
    return found


def _shown(value: object) -> str:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return "(none)"
    # Escapes show what the eye cannot see, and keep an example on one line.
    text = repr(value)[1:-1] if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
    text = text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."
    return f'"{text}"' if isinstance(value, str) else text


@dataclass(frozen=True, eq=False)
class Draft:
    """A domain between two rules: the tables that it has, and how their columns are meant.

    Attributes:
        same_items: item_id, same_as: pairs of ids that seem to name one item.
    """

    domain: str
    item_type: str
    tables: Mapping[str, Table]
    item_attributes: tuple[Attribute, ...]
    user_attributes: tuple[Attribute, ...]
    same_items: pd.DataFrame

    @classmethod
    def of(cls, raw: RawDomain) -> Draft:
        """Take the tables of a raw domain as they are; InputError where a column that a table needs is not there."""
        given = given_tables(raw)
        for name, table in given.items():
            _check_columns(table, NEEDED[name], f'domain "{raw.domain}", {name}')
        tables = {name: Table.of(name, table) for name, table in given.items()}
        nothing = pd.DataFrame({"item_id": pd.Series([], dtype="str"), "same_as": pd.Series([], dtype="str")})
        return cls(raw.domain, raw.item_type, tables, raw.item_attributes, raw.user_attributes, nothing)

    @property
    def interactions(self) -> Table:
        """The interactions, which every domain has."""
        return self.tables["interactions"]

    def get(self, name: str) -> Table | None:
        """Return a table, or None where the domain has none of that name."""
        return self.tables.get(name)

    def put(self, table: Table) -> Draft:
        """Return the draft with this table in the place of the one of the same name."""
        return replace(self, tables={**self.tables, table.name: table})

    def attributes(self, table: str) -> tuple[Attribute, ...]:
        """Return how the columns of a table are meant."""
        return {"items": self.item_attributes, "users": self.user_attributes}.get(table, ())


def _check_columns(table: RawTable, needed: tuple[str, ...], place: str) -> None:
    columns = [str(name) for name in table.frame.columns]
    repeated = [name for name in dict.fromkeys(columns) if columns.count(name) > 1]
    if repeated:
        raise InputError(f'{place} ({table.where}): column "{repeated[0]}" is there twice; drop or rename one')
    lacking = [name for name in needed if name not in columns]
    if lacking:
        raise InputError(
            f'{place} ({table.where}): no column "{lacking[0]}"; there are {", ".join(columns) or "no columns"}; '
            "say which of them it is"
        )


def comparable(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with values that cannot be compared as they are, such as lists, as their text."""
    mixed = [name for name in frame.columns if frame[name].dtype == object]
    return frame.assign(**{name: frame[name].map(str, na_action="ignore") for name in mixed})


def given_tables(raw: RawDomain) -> dict[str, RawTable]:
    """Return the tables that a raw domain has, by name."""
    tables = {
        "interactions": raw.interactions,
        "items": raw.items,
        "users": raw.users,
        "knows": raw.knows,
        "facts": raw.facts,
    }
    return {name: table for name, table in tables.items() if table is not None}


@dataclass(frozen=True)
class Context:
    """What rules go by besides the tables."""

    config: CleaningConfig
    schema: Schema
    now: datetime
