"""What a leak check can say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Severity = Literal["error", "warning"]


class Kind(StrEnum):
    """The kinds of leak, by the name that messages use."""

    TEST_IN_GRAPH = "test rows in the graph"
    VALIDATION_IN_GRAPH = "validation rows in the graph"
    TEST_IN_RELATION = "test rows through another relation"
    COLD_USER_TRAINED = "cold-start users with training rows"
    COLD_USER_OTHER_ID = "cold-start users under another id"
    SAME_EVENT = "the same event in both domains"
    ROWS_IN_TWO_PARTS = "rows in two parts"
    REPEATED_ROWS = "repeated rows"
    FACTS_FROM_TEST = "facts from test rows"
    TRAINING_AFTER_TEST = "training after the test"
    VALIDATION_IN_TRAINING = "validation rows in training"
    CHOSEN_ON_TEST_USERS = "choosing on the test users"
    LINKS_FROM_TEST = "links from test rows"
    TEST_IN_MODEL = "test rows in a model"


@dataclass(frozen=True)
class Finding:
    """One leak.

    Attributes:
        kind: which.
        severity: an "error" makes the figures worthless; a "warning" has to stand beside them.
        where: the table, the relation or the model.
        count: how many rows, users, facts or links, as the message says.
        message: one line: what was found and what to do.
    """

    kind: Kind
    severity: Severity
    where: str
    count: int
    message: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.kind} ({self.where}): {self.message}"
