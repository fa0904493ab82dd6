"""What validation found: a table, a text, a record for programs, a page for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd

from kgxfer.audit.finding import counted, listed
from kgxfer.audit.page import TEMPLATE, Section
from kgxfer.experiment.page_files import filled, save_both
from kgxfer.experiment.page_tables import Cell, Table

COLUMNS = ("node", "path", "value", "message", "shape")
PAGE, RECORD = "shapes.html", "shapes.json"
SHOWN = 20
"""Faults of one kind on the page; all of them are in the record up to `KEPT`."""

KEPT = 10_000
LONGEST = 200


@dataclass(frozen=True, eq=False)
class ShaclReport:
    """The faults of one graph.

    Attributes:
        name: what was checked: a file's name, or the domains.
        faults: node, path, value, message, shape; one line per fault, no lines where there is none.
        base: what the IRIs of the schema begin with.
        rules: how many constraints were asked for.
        size: how many triples there were, or in a graph database nodes and edges.
        nodes: how many nodes of each type there were.
        seconds: what it took, reading included.
    """

    name: str
    faults: pd.DataFrame
    base: str
    rules: int
    size: int
    nodes: Mapping[str, int]
    seconds: float
    unit: str = "triples"

    @property
    def conforms(self) -> bool:
        """Whether nothing is against the shapes."""
        return not len(self.faults)

    @property
    def counts(self) -> pd.DataFrame:
        """Faults by kind: shape, message, faults, nodes, most frequent first."""
        found = self.faults.groupby(["shape", "message"])["node"].agg(["size", "nunique"]).reset_index()
        table = found.rename(columns={"size": "faults", "nunique": "nodes"})
        return table.sort_values(["faults", "shape"], ascending=[False, True], ignore_index=True)

    def __str__(self) -> str:
        lines = [self.summary]
        for kind in self.counts.to_dict("records"):
            lines.append(f"! {self._title(kind)}: {self._verdict(kind)}")
            lines += [f"    {self._readable(row['node'])}{_said(row['value'])}" for row in self._of(kind, 3)]
            lines += [f"    and {kind['faults'] - 3:,} more"] if kind["faults"] > 3 else []
        return "\n".join(lines)

    @property
    def summary(self) -> str:
        """The result in a sentence or two."""
        asked = f"{self.size:,} {self.unit}, {self.rules:,} constraints"
        if not self.nodes:
            return f"{self.name}: no node is of a type of the schema ({self.base}...), nothing was checked ({asked})."
        kinds = listed([f"{kind} {count:,}" for kind, count in self.nodes.items()])
        if self.conforms:
            return f"{self.name}: no fault; {kinds} ({asked})."
        found = counted(len(self.faults), "fault")
        return f"{self.name}: {found} at {counted(self.faults['node'].nunique(), 'node')}; {kinds} ({asked})."

    def record(self) -> dict[str, Any]:
        """Everything, as JSON can hold it; of many faults the first `KEPT`."""
        kept = self.faults.head(KEPT).astype(object)
        return {
            "name": self.name, "conforms": self.conforms, "base": self.base, "kgxfer": metadata.version("kgxfer"),
            "rules": self.rules, "size": self.size, "unit": self.unit, "nodes": dict(self.nodes),
            "seconds": self.seconds,
            "counts": self.counts.to_dict("records"), "fault_count": len(self.faults),
            "faults": kept.where(kept.notna(), None).to_dict("records"),
        }  # fmt: skip

    def save(self, folder: str | Path) -> None:
        """Write `shapes.json` and `shapes.html`; the folder appears complete or not at all.

        Raises:
            InputError: the folder exists already, or the disk is full.
        """
        save_both(Path(folder), {PAGE: self.page()}, {RECORD: self.record()})

    def page(self) -> str:
        """The report as one HTML page that needs no other file."""
        sections = [self._section(number, kind) for number, kind in enumerate(self.counts.to_dict("records"))]
        none = "no fault" if self.nodes else "nothing was checked"
        clean = Section("none", "Faults", none, not self.nodes, self.summary, Table("", [], []), None)
        return filled(
            TEMPLATE, name=f"Shapes of {self.name}", version=metadata.version("kgxfer"), summary=[self.summary],
            findings=sections or [clean], mark="the vocabulary does not allow what is there",
            facts=[
                (self.unit, f"{self.size:,}"), ("constraints", f"{self.rules:,}"), ("schema", self.base),
                *((kind, f"{count:,}") for kind, count in self.nodes.items()), ("seconds", f"{self.seconds:.1f}"),
            ],
        )  # fmt: skip

    def _section(self, number: int, kind: Mapping[str, Any]) -> Section:
        rows = [[Cell(self._readable(row["node"]), below=_short(row["node"])), Cell(_short(row["value"] or ""))]
                for row in self._of(kind, SHOWN)]  # fmt: skip
        more = f" The first {SHOWN} are shown." if kind["faults"] > SHOWN else ""
        method = f"Shape {self._local(kind['shape'])}.{more}"
        table = Table("", [Cell("node"), Cell("value")], rows)
        return Section(f"kind-{number}", self._title(kind), self._verdict(kind), True, method, table, None)

    def _title(self, kind: Mapping[str, Any]) -> str:
        path = self._of(kind, 1)[0]["path"]
        return self._local(kind["shape"]).removesuffix("-shape") if path is None else self._local(path)

    def _verdict(self, kind: Mapping[str, Any]) -> str:
        many = f"{counted(kind['faults'], 'fault')} at {counted(kind['nodes'], 'node')}"
        return f"{self._local(kind['message'])} ({many}, {self._local(kind['shape'])})"

    def _of(self, kind: Mapping[str, Any], most: int) -> list[dict[str, Any]]:
        same = (self.faults["shape"] == kind["shape"]) & (self.faults["message"] == kind["message"])
        rows = self.faults[same].head(most).astype(object)
        records: list[dict[str, Any]] = rows.where(rows.notna(), None).to_dict("records")
        return records

    def _local(self, text: str) -> str:
        """IRIs of the schema by their name."""
        return text.replace(self.base, "")

    def _readable(self, iri: str) -> str:
        """A node of one of our graphs by its key, an edge by its type and row, any other by its IRI."""
        local = iri.removeprefix(self.base).split("/") if iri.startswith(self.base) else []
        if len(local) == 4 and local[0] == "graph":
            return _short(f"{local[1]}:{unquote(local[2])}/{unquote(local[3])}")
        if len(local) == 5 and local[0] == "edge":
            return f"edge {local[4]} of {' '.join(local[1:4])}"
        return _short(self._local(iri))


def _said(value: str | None) -> str:
    return "" if value is None else f': "{_short(value)}"'


def _short(text: str) -> str:
    """One line, of a bearable length."""
    line = "".join(one if one.isprintable() else " " for one in text)
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} ..."
