"""An audit as one HTML page that needs no other file: the verdicts first, then the figures behind each."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from kgxfer.audit import pictures
from kgxfer.audit.finding import Finding, listed
from kgxfer.experiment.page_files import filled
from kgxfer.experiment.page_tables import Cell, Table
from kgxfer.experiment.plots import Picture

TEMPLATE = Path(__file__).parent / "audit.html.jinja"
"""Of every audit."""

PICTURES: Mapping[str, Callable[[Finding, Collection[str]], Picture]] = {
    "ties": pictures.tie_ranges, "twin gain": pictures.twin_bars, "sampled ranking": pictures.both_rankings,
}
"""Finding -> what is drawn of it; others are tables alone."""


@dataclass(frozen=True, eq=False)
class Section:
    """One finding on the page."""

    anchor: str
    title: str
    verdict: str
    concern: bool
    method: str
    table: Table
    picture: Picture | None


def render(name: str, facts: Mapping[str, Any], findings: Sequence[Finding]) -> str:
    """The page as text."""
    split = facts["split"]
    return filled(
        TEMPLATE, name=name, version=facts["kgxfer"], summary=_summary(facts),
        findings=[_section(each, facts["models"]) for each in findings],
        facts=[
            ("data set", facts["data"]["name"]), ("fingerprint of the data", facts["data"]["fingerprint"]),
            ("split", split["protocol"]), ("fingerprint of the split", split["fingerprint"]),
            ("rows", ", ".join(f"{split[part]:,} {part}" for part in ("train", "valid", "test"))),
            ("chosen on", split["validation"]),
            ("settings", ", ".join(f"{key} {value}" for key, value in facts["settings"].items())),
            ("seconds", f"{facts['seconds']:.1f}"),
        ],
    )  # fmt: skip


def _summary(facts: Mapping[str, Any]) -> list[str]:
    split = facts["split"]
    audited = f"Audited: {listed(facts['models'])}." if facts["models"] else "Data and controls were audited."
    return [
        f"{audited} Controls: {listed(facts['controls'])}.",
        f"{split['train']:,} training and {split['test']:,} test rows of {facts['data']['name']}, tested in "
        f"{listed(split['domains'])}; protocol: {split['protocol']}; chosen on: {split['validation']}.",
    ]


def _section(finding: Finding, audited: Collection[str]) -> Section:
    draw = PICTURES.get(finding.name)
    picture = draw(finding, audited) if draw is not None and len(finding.table) else None
    anchor = finding.name.replace(" ", "-")
    return Section(anchor, finding.title, finding.verdict, finding.concern, finding.method, table_of(finding), picture)


def table_of(finding: Finding) -> Table:
    """The finding's table; a domain is named once, in its first row."""
    table = finding.table
    numeric = {name: pd.api.types.is_numeric_dtype(table[name]) for name in table}
    head = [
        Cell(str(name), bool(numeric[name]), below="percent" if name in finding.shares else "") for name in table
    ]
    rows = []
    before = None
    for record in table.to_dict("records"):
        cells = [Cell(_shown(value, str(key) in finding.shares), bool(numeric[key])) for key, value in record.items()]
        first = cells[0].text
        if len(cells) > 1 and first == before and "domain" in record:
            cells[0] = Cell("")
        before = first
        rows.append(cells)
    return Table("", head, rows)


def _shown(value: Any, share: bool) -> str:
    """A cell as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return "-"
    if share:
        return f"{100 * value:.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
