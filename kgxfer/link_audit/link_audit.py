"""A link audit: every question asked of the links of one split, and the folder that keeps the answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from kgxfer.audit.finding import Finding
from kgxfer.bridges.review import KEY
from kgxfer.experiment.page_files import save_both
from kgxfer.experiment.plots import Picture
from kgxfer.link_audit.findings import FINDINGS
from kgxfer.link_audit.page import render
from kgxfer.link_audit.pictures import PICTURES
from kgxfer.link_audit.subject import LinkAuditConfig, LinkSubject, measured
from kgxfer.splits import Split

PAGE, RECORD = "links.html", "links.json"
REVIEW_DOUBT = 0.4
"""Doubt from which on a link goes to the review file whatever its confidence: that of names that differ, and more."""


@dataclass(frozen=True, eq=False)
class LinkAudit:
    """The answers.

    Attributes:
        name: whose links were audited.
        facts: data set, split, links by bridge, settings, versions and seconds.
        findings: in the order of `FINDINGS`.
        pictures: by the name of their finding.
        links: every link with what was measured of it, the columns of `graph_schema.LINKS` first.
    """

    name: str
    facts: Mapping[str, Any]
    findings: tuple[Finding, ...]
    pictures: Mapping[str, Picture]
    links: pd.DataFrame

    def __getitem__(self, name: str) -> Finding:
        """The finding of that name; KeyError where there is none."""
        return {finding.name: finding for finding in self.findings}[name]

    def __str__(self) -> str:
        lines = [f"{'!' if finding.concern else ' '} {finding.title}: {finding.verdict}" for finding in self.findings]
        return "\n".join([f"Links of {self.name}", *lines])

    def record(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        return {"name": self.name, **self.facts, "findings": [finding.record() for finding in self.findings]}

    def save(self, folder: Path) -> None:
        """Write `links.json` and `links.html`; the folder appears complete or not at all.

        Raises:
            InputError: the folder exists already, or the disk is full.
        """
        page = render(self.name, self.facts, self.findings, self.pictures)
        save_both(folder, {PAGE: page}, {RECORD: self.record()})

    def for_review(self, minimum_confidence: float) -> pd.DataFrame:
        """Links for a person to decide on, the most doubtful first, as `write_review` takes them.

        Those below `minimum_confidence`, and those whose doubt is at least `REVIEW_DOUBT`; a pair that several bridges
        propose once.
        """
        unsure = (self.links["confidence"] < minimum_confidence) | (self.links["doubt"] >= REVIEW_DOUBT)
        order = self.links[unsure].sort_values(["doubt", "confidence"], ascending=[False, True], kind="stable")
        return order.drop_duplicates(KEY).reset_index(drop=True)


def audit_links(
    split: Split, tables: Mapping[str, pd.DataFrame], config: LinkAuditConfig | None = None, *,
    name: str | None = None, refused: Mapping[str, str] | None = None,
) -> LinkAudit:
    """Audit link tables of a split.

    Args:
        split: whose training rows say what is popular and who takes what.
        tables: link tables by bridge, as `proposed` makes them, or from anywhere.
        config: settings.
        name: what to call it; the data set's name when not given.
        refused: bridges that could not be asked, with the reason.

    Raises:
        InputError: a link to a node that does not exist, or no link at all.
    """
    started = time.perf_counter()
    subject = measured(split, tables, config or LinkAuditConfig(), refused)
    findings = tuple(question(subject) for question in FINDINGS)
    drawn = {finding: draw(subject) for finding, draw in PICTURES.items()}
    pictures = {finding: picture for finding, picture in drawn.items() if picture is not None}
    facts = _facts(subject, time.perf_counter() - started)
    return LinkAudit(name or split.dataset.name, facts, findings, pictures, subject.links)


def _facts(subject: LinkSubject, seconds: float) -> dict[str, Any]:
    split, dataset = subject.split, subject.split.dataset
    return {
        "kgxfer": metadata.version("kgxfer"),
        "data": {
            "name": dataset.name, "fingerprint": dataset.fingerprint,
            "domains": [tables.domain for tables in dataset.domains],
        },
        "split": {
            "protocol": split.protocol, "fingerprint": split.fingerprint, "train": int(split.train["relevant"].sum()),
        },
        "links": {bridge: len(rows) for bridge, rows in subject.of_bridges()},
        "refused": dict(subject.refused),
        "settings": subject.config.model_dump(mode="json"),
        "seconds": round(seconds, 1),
    }
