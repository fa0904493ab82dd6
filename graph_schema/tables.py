"""The tables that carry users, items, interactions, facts and links, and the validation every one of them passes.

A validated table has its columns in normal form (see `graph_schema.columns`), rows numbered from 0, and none of the
faults that would otherwise surface far away: an id read as 7.0, a rating "4,5", a pair that occurs twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pandas as pd

from graph_schema.columns import Column, codes_of, normalise
from graph_schema.errors import InputError
from graph_schema.schema import Schema

__all__ = [
    "FACTS",
    "IDENTITY",
    "INTERACTIONS",
    "ITEMS",
    "LIKENESS",
    "LINKS",
    "RECOMMENDED",
    "USERS",
    "Column",
    "TableDefinition",
    "row_numbers",
    "validate",
    "validate_facts",
]


@dataclass(frozen=True)
class TableDefinition:
    """The columns of a table and the combination of columns that may not repeat (empty: rows may repeat).

    Columns that are not defined are kept as they are, except one whose name is nearly that of a defined column:
    that is a slip of the pen and would lose the column without a word.
    """

    name: str
    columns: tuple[Column, ...]
    unique: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the defined columns, required and optional."""
        return tuple(column.name for column in self.columns)

    def empty(self) -> pd.DataFrame:
        """Return the table without rows, all its columns in normal form."""
        return validate(pd.DataFrame({name: pd.Series([], dtype=object) for name in self.names}), self)


USERS = TableDefinition(
    "users",
    (Column("user_id", "id"), Column("name", "string", required=False, nullable=True)),
    unique=("user_id",),
)

ITEMS = TableDefinition(
    "items",
    (
        Column("item_id", "id"),
        Column("item_type", "string"),
        Column("name", "string", required=False, nullable=True),
        Column("year", "integer", required=False, nullable=True),
    ),
    unique=("item_id",),
)

INTERACTIONS = TableDefinition(
    "interactions",
    (
        Column("user_id", "id"),
        Column("item_id", "id"),
        Column("rating", "float", required=False),
        Column("timestamp", "timestamp", required=False),
    ),
    unique=("user_id", "item_id"),
)

FACTS = TableDefinition(
    "facts",
    (
        Column("head_id", "id"),
        Column("head_type", "string"),
        Column("relation", "string"),
        Column("tail_id", "id"),
        Column("tail_type", "string"),
        Column("head_name", "string", required=False, nullable=True),
        Column("tail_name", "string", required=False, nullable=True),
    ),
)

IDENTITY, LIKENESS = "SAME_AS", "SIMILAR_TO"
"""The relations of links: two names of one thing; alike but not the same (a soft link)."""

RECOMMENDED = "RECOMMENDED"
"""The relation that models write back."""

LINKS = TableDefinition(
    "links",
    (
        Column("source_id", "id"),
        Column("target_id", "id"),
        Column("node_type", "string"),
        Column("confidence", "float", minimum=0.0, maximum=1.0),
        Column("method", "string"),
        Column("evidence", "string", nullable=True),
        Column("relation", "string", required=False),
    ),
    unique=("source_id", "target_id", "node_type"),
)
"""`node_type` is the type of both ends; where items of two types are alike, a type that both descend from ("Item").
`relation` is SAME_AS (identity, also where the column is absent) or SIMILAR_TO (a soft link)."""


def validate(frame: pd.DataFrame, definition: TableDefinition, where: str = "") -> pd.DataFrame:
    """Return a copy of `frame` in normal form, rows numbered from 0, columns in their given order.

    Args:
        frame: the table; optional columns may be absent and stay absent.
        definition: what the table must look like.
        where: what to call this table in messages, such as a domain or a file; the table's name is added.

    Raises:
        InputError: names the table, the column, the first offending row (the first row is row 0) and the remedy.

    >>> validate(pd.DataFrame({"user_id": [7.0], "item_id": ["b"]}), INTERACTIONS)["user_id"].tolist()
    ['7']
    """
    place = f"{where}: table {definition.name}" if where else f"table {definition.name}"
    _check_columns(frame, definition, place)
    checked = frame.reset_index(drop=True)
    for column in definition.columns:
        if column.name in checked.columns:
            checked[column.name] = normalise(checked[column.name], column, place)
    _refuse_repeated_rows(checked, definition, place)
    return checked


def _check_columns(frame: pd.DataFrame, definition: TableDefinition, place: str) -> None:
    given = [str(name) for name in frame.columns]
    repeated = [name for name in dict.fromkeys(given) if given.count(name) > 1]
    if repeated:
        raise InputError(f'{place}: column "{repeated[0]}" is there twice; drop or rename one')
    lacking = [column.name for column in definition.columns if column.required and column.name not in given]
    if lacking:
        raise InputError(
            f'{place}: no column "{lacking[0]}"; the table has {", ".join(given) or "no columns"}; '
            f"rename or add it (needed: {', '.join(column.name for column in definition.columns if column.required)})"
        )
    absent = [name for name in definition.names if name not in given]
    for name in given:
        nearest = get_close_matches(name.casefold(), absent, n=1, cutoff=0.8)
        if name not in definition.names and nearest:
            raise InputError(f'{place}: unknown column "{name}"; did you mean "{nearest[0]}"? rename or drop it')


def _refuse_repeated_rows(frame: pd.DataFrame, definition: TableDefinition, place: str) -> None:
    if not definition.unique or frame.empty:
        return
    numbers = row_numbers(frame, definition.unique)
    # Sorting shows whether any row repeats; which one it is matters only then.
    in_order = np.sort(numbers)
    if (in_order[1:] == in_order[:-1]).any():
        row = int(pd.Series(numbers).duplicated().to_numpy().argmax())
        key = ", ".join(f'{name} "{frame[name].iloc[row]}"' for name in definition.unique)
        keys = frame[list(definition.unique)]
        earlier = int(np.argmax((keys == keys.iloc[row]).all(axis=1).to_numpy()))
        raise InputError(
            f"{place}, row {row}: {key} is already in row {earlier}; keep one row of each (the first row is row 0)"
        )


def row_numbers(frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Return one number per row, int64 [rows], equal exactly where all `columns` are (missing values are equal too).

    >>> pairs = pd.DataFrame({"head": ["a", "a", "b", "a"], "tail": ["x", None, "x", "x"]})
    >>> row_numbers(pairs, ["head", "tail"]).tolist()
    [3, 2, 5, 3]
    """
    numbers = np.zeros(len(frame), dtype=np.int64)
    size = 1
    for name in columns:
        codes, distinct = codes_of(frame[name])
        # Code -1 stands for missing values, so there is one more value than `distinct` has.
        if size * (len(distinct) + 1) > np.iinfo(np.int64).max:
            numbers, kinds = pd.factorize(numbers)
            size = len(kinds)
        numbers = numbers * (len(distinct) + 1) + codes + 1
        size *= len(distinct) + 1
    return numbers


def validate_facts(facts: pd.DataFrame, schema: Schema, where: str = "") -> None:
    """Check that the schema has every (head_type, relation, tail_type) of a validated facts table.

    Raises:
        InputError: names the first row whose edge type is not in the schema, and the nearest choice.
    """
    place = f"{where}: table facts" if where else "table facts"
    kinds = facts[["head_type", "relation", "tail_type"]].drop_duplicates()
    for row, head, relation, tail in kinds.itertuples():
        try:
            schema.edge_type(head, relation, tail)
        except InputError as error:
            raise InputError(f"{place}, row {row}: {error} (the first row is row 0)") from None
