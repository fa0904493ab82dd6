"""The quality of a data set as one value: what cleaning found, what both domains are like, and what to be wary of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from typing import Any

import pandas as pd

from loaders.cleaning import Cleaned, RuleFinding
from loaders.dataset import CrossDomainDataset
from loaders.quality.concerns import Concern, concerns_of
from loaders.quality.domain import DOMAIN_MEASURES, DomainView, coverage, spread_of
from loaders.quality.figure import Distribution, Figure, Value
from loaders.quality.pair import PAIR_MEASURES, PairView, shared_entities

Groups = tuple[tuple[str, tuple[Figure, ...]], ...]
"""Figures in groups, as they are shown."""


@dataclass(frozen=True, eq=False)
class Measured:
    """Figures by group, and by name.

    Attributes:
        groups: name of a group -> its figures, in order.
    """

    groups: Groups

    def __getitem__(self, name: str) -> Figure:
        """The figure of that name; KeyError where there is none."""
        return {figure.name: figure for figure in self}[name]

    def __iter__(self) -> Iterator[Figure]:
        """All figures, in order."""
        return (figure for _, figures in self.groups for figure in figures)

    @cached_property
    def known(self) -> Mapping[str, Value]:
        """The values of the figures that could be computed, by name."""
        return {figure.name: figure.value for figure in self if figure.value is not None}

    def figures_record(self) -> dict[str, Any]:
        """The figures as JSON can hold them."""
        return {name: [figure.record() for figure in figures] for name, figures in self.groups}


@dataclass(frozen=True, eq=False)
class DomainQuality(Measured):
    """One domain.

    Attributes:
        before: rows by table as they were read.
        after: rows by table after cleaning.
        applied: whether the tables that were measured are the cleaned ones; False where the rules were only asked what
            they would do, as with a published data set, which stays what it is.
        findings: what the rules found, in their order.
        unaccounted: rows by table that came or went without a finding; 0 for every table.
        activity: interactions -> users with so many; `popularity` the same for items.
        months: month -> interactions.
        coverage: as `loaders.quality.domain.coverage` makes it.
        files: table -> the file that it was read from; without an entry where there is none.
        sha256: file -> checksum, as the data card gives it: which data these figures are of.
    """

    domain: str
    item_type: str
    before: Mapping[str, int]
    after: Mapping[str, int]
    applied: bool
    findings: tuple[RuleFinding, ...]
    unaccounted: Mapping[str, int]
    activity: Distribution
    popularity: Distribution
    ratings: Distribution
    months: Distribution
    coverage: pd.DataFrame
    files: Mapping[str, str]
    sha256: Mapping[str, str]

    def record(self) -> dict[str, Any]:
        """The domain as JSON can hold it."""
        return {
            "domain": self.domain, "item_type": self.item_type, "before": dict(self.before), "after": dict(self.after),
            "applied": self.applied, "files": dict(self.files),
            "sha256": dict(self.sha256), "unaccounted": dict(self.unaccounted),
            "findings": [_finding_record(finding) for finding in self.findings],
            "figures": self.figures_record(), "coverage": _rows(self.coverage),
            "distributions": {
                name: getattr(self, name).record() for name in ("activity", "popularity", "ratings", "months")
            },
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class PairQuality(Measured):
    """The two domains together.

    Attributes:
        entities: as `loaders.quality.pair.shared_entities` makes it.
        links: node type -> given links of it.
    """

    entities: pd.DataFrame
    links: Mapping[str, int]

    def record(self) -> dict[str, Any]:
        """The pair as JSON can hold it."""
        return {"figures": self.figures_record(), "entities": _rows(self.entities), "links": dict(self.links)}


@dataclass(frozen=True, eq=False)
class QualityReport:
    """What is known of a data set before anything is learned from it.

    Attributes:
        name: of the data set.
        origin: what was read, in words.
        warnings: the gravest first.
    """

    name: str
    origin: str
    source: DomainQuality
    target: DomainQuality
    pair: PairQuality
    warnings: tuple[Concern, ...]

    @property
    def domains(self) -> tuple[DomainQuality, DomainQuality]:
        """Both domains, source first."""
        return (self.source, self.target)

    def record(self) -> dict[str, Any]:
        """Everything, as JSON can hold it; a figure without a value has a reason instead."""
        return {
            "name": self.name, "origin": self.origin, "kgxfer": metadata.version("kgxfer"),
            "warnings": [concern.record() for concern in self.warnings],
            "domains": [domain.record() for domain in self.domains], "pair": self.pair.record(),
        }  # fmt: skip


def quality_of(
    dataset: CrossDomainDataset,
    cleaned: tuple[Cleaned, Cleaned] | None = None,
    *,
    applied: bool = True,
    files: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {}),
    origin: str = "",
) -> QualityReport:
    """Measure a data set.

    Args:
        dataset: what is measured.
        cleaned: what cleaning did to the source and the target; without it there are no findings.
        applied: whether the tables of `dataset` are the cleaned ones.
        files: of the source and the target, table -> the file that it was read from.
        origin: what was read, in words; the data set's name when not given.
    """
    views = [DomainView(tables, dataset.schema, dataset.positive_from) for tables in dataset.domains]
    done: tuple[Cleaned | None, Cleaned | None] = cleaned or (None, None)
    source, target = (_domain(view, one, applied, read) for view, one, read in zip(views, done, files, strict=True))
    view = PairView(dataset, *views)
    groups = tuple((name, tuple(measure.of(view) for measure in measures)) for name, measures in PAIR_MEASURES)
    links = {str(kind): int(count) for kind, count in dataset.links["node_type"].value_counts().items()}
    pair = PairQuality(groups, shared_entities(view), links)
    warnings = concerns_of(source, target, pair)
    return QualityReport(dataset.name, origin or dataset.name, source, target, pair, warnings)


def _domain(view: DomainView, cleaned: Cleaned | None, applied: bool, files: Mapping[str, str]) -> DomainQuality:
    tables = view.tables
    groups = tuple((name, tuple(measure.of(view) for measure in measures)) for name, measures in DOMAIN_MEASURES)
    counts = {name: len(getattr(tables, name)) for name in ("interactions", "items", "users", "facts")}
    return DomainQuality(
        groups, tables.domain, tables.item_type,
        before=cleaned.before if cleaned else counts, after=cleaned.after if cleaned else counts, applied=applied,
        findings=cleaned.findings if cleaned else (), unaccounted=cleaned.unaccounted if cleaned else {},
        activity=spread_of(view.per_user), popularity=spread_of(view.per_item), ratings=view.ratings,
        months=view.months, coverage=coverage(view), files=files,
        sha256=tables.card.sha256,
    )  # fmt: skip


def _finding_record(finding: RuleFinding) -> dict[str, Any]:
    examples = [{"line": one.line, "row": one.row, "text": one.text} for one in finding.examples]
    return {
        "rule": finding.rule, "table": finding.table, "count": finding.count, "action": finding.action,
        "detail": finding.detail, "examples": examples,
    }  # fmt: skip


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A table as JSON can hold it; what is missing is null."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]
