"""What was read and is not yet believed: the rows of a user's files, each with the place that it came from.

Reading makes these values, cleaning turns them into `DomainTables` and counts what it did. Columns bear the names of
their roles; what stands in them is as it was read, text or typed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

AttributeKind = Literal["categorical", "multi-valued", "numeric", "text"]


@dataclass(frozen=True)
class BadLine:
    """A line that could not be read as a row: its number (the first line of a file is line 1), why, and an excerpt."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True, eq=False)
class RawTable:
    """Rows as they were read.

    Attributes:
        frame: one column per role, such as user_id, item_id, rating, timestamp, and the attributes by their own names.
        where: the file or query, for messages.
        lines: int64 [rows], the line of each row; None where rows have no lines, as in Parquet, frames and queries.
        bad_lines: lines that gave no row.
    """

    frame: pd.DataFrame
    where: str
    lines: np.ndarray | None = None
    bad_lines: tuple[BadLine, ...] = ()


@dataclass(frozen=True)
class Attribute:
    """How a column of items or users is meant.

    A categorical or multi-valued attribute gives one fact per value, (item, `relation`, value of `node_type`);
    `separator` parts the values of a multi-valued one. Numbers and texts stay columns of the table.
    """

    column: str
    kind: AttributeKind
    relation: str = ""
    node_type: str = ""
    separator: str = "|"


@dataclass(frozen=True, eq=False)
class RawDomain:
    """One domain as it was read.

    Attributes:
        interactions: user_id, item_id, and where there are some rating, timestamp, weight, event.
        items: item_id, and where there are some name, year, item_type and attributes.
        users: user_id, and where there are some name and attributes.
        knows: user_id, other_id: people who know each other.
        facts: head_id, head_type, relation, tail_id, tail_type, and where there are some head_name, tail_name.
    """

    domain: str
    item_type: str
    interactions: RawTable
    items: RawTable | None = None
    users: RawTable | None = None
    knows: RawTable | None = None
    facts: RawTable | None = None
    item_attributes: tuple[Attribute, ...] = field(default=())
    user_attributes: tuple[Attribute, ...] = field(default=())
