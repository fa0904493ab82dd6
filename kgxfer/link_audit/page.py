"""A link audit as one HTML page that needs no other file, in the form of every audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kgxfer import audit, experiment
from kgxfer.audit.finding import Finding
from kgxfer.audit.page import Section, _table
from kgxfer.experiment.plots import Picture


def render(
    name: str, facts: Mapping[str, Any], findings: Sequence[Finding], pictures: Mapping[str, Picture]
) -> str:
    """The page as text; `pictures` by the name of their finding."""
    folders = [Path(package.__file__ or "").parent for package in (audit, experiment)]
    environment = Environment(
        loader=FileSystemLoader(folders), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )
    split = facts["split"]
    sections = [
        Section(each.name, each.title, each.verdict, each.concern, each.method, _table(each), pictures.get(each.name))
        for each in findings
    ]
    return environment.get_template("audit.html.jinja").render(
        name=f"Links of {name}", version=facts["kgxfer"], summary=_summary(facts), findings=sections,
        facts=[
            ("data set", facts["data"]["name"]), ("fingerprint of the data", facts["data"]["fingerprint"]),
            ("split", split["protocol"]), ("fingerprint of the split", split["fingerprint"]),
            ("training rows", f"{split['train']:,}"),
            ("settings", ", ".join(f"{key} {value}" for key, value in facts["settings"].items())),
            ("seconds", f"{facts['seconds']:.1f}"),
        ],
    )  # fmt: skip


def _summary(facts: Mapping[str, Any]) -> list[str]:
    links = "; ".join(f"{bridge} {count:,}" for bridge, count in facts["links"].items())
    source, target = facts["data"]["domains"]
    lines = [f"Links from {source} to {target}, by bridge: {links}. Bridges read training rows only."]
    return lines + [f"Left out: {reason}." for reason in facts["refused"].values()]
