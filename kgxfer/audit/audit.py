"""An audit: every question asked of one split and the models fitted on it, and the folder that keeps the answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from kgxfer.audit.finding import Finding, plain
from kgxfer.audit.findings import FINDINGS
from kgxfer.audit.page import render
from kgxfer.audit.subject import AuditConfig, Subject, of_domain, prepare
from kgxfer.experiment.config import GraphConfig
from kgxfer.experiment.page_files import save_both
from kgxfer.experiment.state import Ground
from kgxfer.recommender import RankingModel
from kgxfer.splits import Split

PAGE, RECORD = "audit.html", "audit.json"
BRIDGES = ("shared_id",)
"""Joined for the controls where nothing else is said: the same person in both domains."""


@dataclass(frozen=True, eq=False)
class Audit:
    """The answers.

    Attributes:
        name: what was audited.
        facts: data set, split, models, settings, versions and seconds.
        findings: in the order of `FINDINGS`.
        figures: as `Report.figures`, of audited models and controls.
    """

    name: str
    facts: Mapping[str, Any]
    findings: tuple[Finding, ...]
    figures: pd.DataFrame

    def __getitem__(self, name: str) -> Finding:
        """The finding of that name; KeyError where there is none."""
        return {finding.name: finding for finding in self.findings}[name]

    def __str__(self) -> str:
        lines = [f"{'!' if finding.concern else ' '} {finding.title}: {finding.verdict}" for finding in self.findings]
        return "\n".join([self.name, *lines])

    def record(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        rows = self.figures.to_dict("records")
        figures = [{str(key): plain(value) for key, value in row.items()} for row in rows]
        findings = [finding.record() for finding in self.findings]
        return {"name": self.name, **self.facts, "findings": findings, "figures": figures}

    def save(self, folder: Path) -> None:
        """Write `audit.json` and `audit.html`; the folder appears complete or not at all.

        Raises:
            InputError: the folder exists already, or the disk is full.
        """
        page = render(self.name, self.facts, self.findings)
        save_both(folder, {PAGE: page}, {RECORD: self.record()})


def audit(
    split: Split | Ground,
    models: Mapping[str, RankingModel] | None = None,
    *,
    choosing: Ground | None = None,
    controls: Mapping[str, RankingModel] | None = None,
    domain: str | None = None,
    config: AuditConfig | None = None,
    name: str | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Audit:
    """Audit a split and models fitted on it.

    Args:
        split: what is tested; with links and graph (a `Ground`) where the models learned from other ones than user ids
            joined by SAME_AS edges.
        models: fitted models by name; without any, data and controls are audited.
        choosing: what settings were chosen on, where everything was then fitted again on `split`.
        controls: fitted ones by name; those of `CONTROLS` that are not among them are fitted.
        domain: look at the test rows of this domain alone.
        config: settings.
        name: what to call it; the data set's name when not given.
        say: told what happens, line by line.

    Raises:
        InputError: a model of other data or with the name of a control, an unknown domain, or a split that cannot be
            learned from or evaluated.
    """
    started = time.perf_counter()
    config = config or AuditConfig()
    final = split if isinstance(split, Ground) else Ground.of(split, GraphConfig(bridges=BRIDGES))
    # Where one ground serves for both it stays one: that tells the controls not to fit twice.
    grounds = [final] if choosing is None else [choosing, final]
    if domain is not None:
        grounds = [of_domain(ground, domain) for ground in grounds]
    choosing, final = grounds[0], grounds[-1]
    subject = prepare(choosing, final, models or {}, controls or {}, config, say)
    findings = tuple(question(subject) for question in FINDINGS)
    facts = _facts(subject, time.perf_counter() - started)
    return Audit(name or final.split.dataset.name, facts, findings, subject.report.figures)


def _facts(subject: Subject, seconds: float) -> dict[str, Any]:
    split = subject.split
    parts = {part: getattr(split, part) for part in ("train", "valid", "test")}
    return {
        "kgxfer": metadata.version("kgxfer"),
        "data": {"name": split.dataset.name, "fingerprint": split.dataset.fingerprint},
        "split": {
            "protocol": split.protocol, "validation": split.validation, "domains": subject.domains,
            "fingerprint": split.fingerprint,
            **{part: int(table["relevant"].sum()) for part, table in parts.items()},
        },
        "models": list(subject.audited),
        "controls": [name for name in subject.report.rows if name not in subject.audited],
        "settings": subject.config.model_dump(mode="json"),
        "seconds": round(seconds, 1),
    }
