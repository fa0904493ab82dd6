"""What a quality report is made of: figures that are there or say why they are not, and distributions to draw."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Value = int | float | str
Subject = TypeVar("Subject")


@dataclass(frozen=True)
class Absent:
    """Why a figure cannot be computed; nothing is ever reported as 0 because it was not measured."""

    reason: str


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        name: by which programs find it, and people read it.
        value: a count, a fraction, or a moment as text; None where it cannot be computed.
        unit: "share" for fractions of 1, else what is counted.
        what: formula, denominator and range.
        absent: why there is no value; empty where there is one.
    """

    name: str
    value: Value | None
    unit: str
    what: str
    absent: str = ""

    def record(self) -> dict[str, Any]:
        """The figure as JSON can hold it: with a value, or with the reason why there is none."""
        known = {"value": self.value} if self.value is not None else {"absent": self.absent}
        return {"name": self.name, **known, "unit": self.unit, "what": self.what}


@dataclass(frozen=True)
class Measure(Generic[Subject]):
    """A figure to be computed; what it means is the docstring of the function that computes it."""

    name: str
    unit: str
    compute: Callable[[Subject], Value | Absent]

    def of(self, subject: Subject) -> Figure:
        """Compute the figure."""
        found = self.compute(subject)
        what = " ".join((inspect.getdoc(self.compute) or "").split())
        if isinstance(found, Absent):
            return Figure(self.name, None, self.unit, what, found.reason)
        return Figure(self.name, found, self.unit, what)


@dataclass(frozen=True)
class Distribution:
    """How often each value occurs, values in ascending order; what pictures are drawn from.

    Attributes:
        values: numbers, or months such as "2003-05".
        counts: of each value, at least 1.
    """

    values: tuple[Value, ...]
    counts: tuple[int, ...]

    def __bool__(self) -> bool:
        """Whether anything was counted."""
        return bool(self.values)

    def record(self) -> dict[str, Any]:
        """The distribution as JSON can hold it."""
        return {"values": list(self.values), "counts": list(self.counts)}
