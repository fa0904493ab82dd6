"""What cleaning found and did: one finding per rule, table and action, and the cleaned domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from loaders.dataset import DomainTables

Action = Literal["repaired", "emptied", "rescaled", "dropped", "merged", "added", "reported"]

EFFECTS: Mapping[Action, int] = {
    "repaired": 0, "emptied": 0, "rescaled": 0, "dropped": -1, "merged": -1, "added": 1, "reported": 0,
}  # fmt: skip
"""By how many rows an action changes its table, for each row that it counts."""

TABLES = ("interactions", "items", "users", "knows", "facts")
"""The tables of a domain, as they are named in findings."""


@dataclass(frozen=True)
class Example:
    """One row that a rule concerns.

    Attributes:
        line: its line in the file (the first line is line 1); None where rows have no lines.
        row: its number as it was read (the first row is row 0); -1 where it is no row that was read.
        text: what stands there.
    """

    line: int | None
    row: int
    text: str


@dataclass(frozen=True)
class RuleFinding:
    """How many rows of a table a rule concerns and what became of them.

    Attributes:
        rule: the fault in words, such as "missing id".
        table: one of `TABLES`.
        count: rows, each once.
        action: "repaired": the value is right now; "emptied": the value is gone, the row stays; "rescaled": the value
            was changed as asked; "dropped"; "merged": the row went into another one; "added"; "reported": nothing
            was changed.
        examples: the first few.
        detail: what to know besides, in a sentence; may be empty.
    """

    rule: str
    table: str
    count: int
    action: Action
    examples: tuple[Example, ...] = ()
    detail: str = ""


@dataclass(frozen=True, eq=False)
class Cleaned:
    """A clean domain, and an account of every row that was given.

    Attributes:
        tables: the domain.
        findings: what the rules found, in the order of the rules; a rule that found nothing has none.
        before: rows by table as they were given, with the lines that could not be read.
        after: rows by table now; `knows` counts acquaintances, which are facts now.
        same_items: item_id, same_as: ids that seem to name an item of another id, and that id.
    """

    tables: DomainTables
    findings: tuple[RuleFinding, ...]
    before: Mapping[str, int]
    after: Mapping[str, int]
    same_items: pd.DataFrame

    @property
    def unaccounted(self) -> dict[str, int]:
        """Rows per table that came or went without a finding: 0 for every table."""
        changes = dict.fromkeys(TABLES, 0)
        for finding in self.findings:
            changes[finding.table] += EFFECTS[finding.action] * finding.count
        return {table: self.before[table] + changes[table] - self.after[table] for table in TABLES}
