"""A link audit as one HTML page that needs no other file, in the form of every audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kgxfer.audit.finding import Finding
from kgxfer.audit.page import TEMPLATE, Section, table_of
from kgxfer.experiment.page_files import filled
from kgxfer.experiment.page_tables import Cell, Table
from kgxfer.experiment.plots import Picture


def render(
    name: str, facts: Mapping[str, Any], findings: Sequence[Finding], pictures: Mapping[str, Picture]
) -> str:
    """The page as text; `pictures` by the name of their finding."""
    split = facts["split"]
    sections = [
        Section(
            each.name, each.title, each.verdict, each.concern, each.method,
            _link_table(each) if "source id" in each.table else table_of(each), pictures.get(each.name),
        )
        for each in findings
    ]
    return filled(
        TEMPLATE, name=f"Links of {name}", version=facts["kgxfer"], summary=_summary(facts), findings=sections,
        facts=[
            ("data set", facts["data"]["name"]), ("fingerprint of the data", facts["data"]["fingerprint"]),
            ("split", split["protocol"]), ("fingerprint of the split", split["fingerprint"]),
            ("training rows", f"{split['train']:,}"),
            ("settings", ", ".join(f"{key} {value}" for key, value in facts["settings"].items())),
            ("seconds", f"{facts['seconds']:.1f}"),
        ],
    )  # fmt: skip


def _link_table(finding: Finding) -> Table:
    """Links by name, ids and types in small print."""
    columns = [name for name in finding.table if name not in ("source id", "target id", "node type")]
    numeric = ("similarity", "confidence")
    rows = []
    for row in finding.table.to_dict("records"):
        below = {"source": row["source id"], "target": row["target id"], "bridge": row["node type"]}
        shown = {name: f"{row[name]:.2f}" if name in numeric else row[name] for name in columns}
        shown["similarity"] = shown["similarity"].replace("nan", "-")
        rows.append([
            Cell(shown[name], name in numeric, below="" if below.get(name) == shown[name] else below.get(name, ""))
            for name in columns
        ])  # fmt: skip
    return Table("", [Cell(str(name), name in numeric) for name in columns], rows)


def _summary(facts: Mapping[str, Any]) -> list[str]:
    links = "; ".join(f"{bridge} {count:,}" for bridge, count in facts["links"].items())
    source, target = facts["data"]["domains"]
    lines = [f"Links from {source} to {target}, by bridge: {links}. Bridges read training rows only."]
    return lines + [f"Left out: {reason}." for reason in facts["refused"].values()]
