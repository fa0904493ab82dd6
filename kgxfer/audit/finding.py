"""What an audit finds: one small record per question."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd


@dataclass(frozen=True, eq=False)
class Finding:
    """The answer to one question.

    Attributes:
        name: by which programs find it, such as "twins".
        title: what was asked, for people.
        verdict: the answer in one sentence.
        concern: whether the answer changes how figures have to be read.
        numbers: the figures behind the verdict, by name; shares as fractions, NaN where there is nothing to measure.
        table: the figures in full.
        shares: columns of `table` that are shown in percent.
        method: how it was measured, with denominators.
    """

    name: str
    title: str
    verdict: str
    concern: bool
    numbers: Mapping[str, float]
    table: pd.DataFrame
    method: str
    shares: tuple[str, ...] = field(default=())

    def record(self) -> dict[str, Any]:
        """The finding as JSON can hold it; what is not a finite number is null."""
        return {
            "name": self.name, "title": self.title, "verdict": self.verdict, "concern": self.concern,
            "numbers": {name: plain(value) for name, value in self.numbers.items()}, "method": self.method,
            "table": [{str(key): plain(value) for key, value in row.items()} for row in self.table.to_dict("records")],
        }


def plain(value: Any) -> Any:
    """A value as JSON can hold it: no numpy type, None for what is missing or infinite."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def percent(value: float, digits: int = 1) -> str:
    """A share as text.

    >>> percent(0.147), percent(float("nan"))
    ('14.7 %', 'not measured')
    """
    return "not measured" if math.isnan(value) else f"{100 * value:.{digits}f} %"


def counted(number: int, thing: str, things: str | None = None) -> str:
    """A number with its noun.

    >>> counted(1, "row"), counted(1200, "row"), counted(2, "copy", "copies")
    ('1 row', '1,200 rows', '2 copies')
    """
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def listed(words: Sequence[str]) -> str:
    """Words joined as a sentence joins them.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)
