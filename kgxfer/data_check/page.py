"""A quality report as one HTML page that needs no other file: warnings first, then tables, then pictures."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from kgxfer.audit.finding import counted, listed
from kgxfer.data_check import tables
from kgxfer.data_check.pictures import pictures
from kgxfer.experiment.page_files import filled
from loaders.quality import DomainQuality, QualityReport


def render(report: QualityReport) -> str:
    """The page as text; everything from the data is escaped."""
    domains = report.domains
    return filled(
        Path(__file__).parent / "quality.html.jinja",
        name=report.name, version=metadata.version("kgxfer"), origin=report.origin, summary=summary(report),
        warnings=report.warnings, applied=report.source.applied, pictures=pictures(report),
        findings=[table for domain in domains if (table := tables.finding_table(domain)) is not None],
        accounts=[tables.account_table(domain) for domain in domains],
        domain_tables=tables.domain_tables(report), pair_tables=tables.pair_tables(report.pair),
        links=sorted(report.pair.links.items()), entities=tables.entity_table(report),
        coverage=tables.coverage_tables(report), unmeasured=tables.unmeasured(report),
        checksums=sorted({**report.source.sha256, **report.target.sha256}.items()),
        definitions=tables.definitions([*report.source, *report.pair]),
    )  # fmt: skip


def summary(report: QualityReport) -> list[str]:
    """What the data set is, and what cleaning came to, in a sentence each."""
    shared = counted(int(report.pair.known["overlapping users"]), "user")
    target_share = report.pair["share of the target's users"].value
    part = f" ({tables.share_of(float(target_share))} of the target's)" if target_share is not None else ""
    of_each = [f"{domain.domain} has {_sizes(domain)}" for domain in report.domains]
    return [f"From {report.source.domain} to {report.target.domain}: {'; '.join(of_each)}. In both: {shared}{part}.",
            *(_cleaned(domain) for domain in report.domains)]  # fmt: skip


def _sizes(domain: DomainQuality) -> str:
    return listed([
        counted(int(domain.known[f"{thing}s"]), thing) for thing in ("user", "item", "interaction", "fact")
    ])  # fmt: skip


def _cleaned(domain: DomainQuality) -> str:
    """How many rows each kind of action concerns; a row may be repaired by several rules."""
    if not domain.findings:
        return f"The rules of cleaning found nothing in {domain.domain}."
    actions = dict.fromkeys(each.action for each in domain.findings)
    done = [
        f"{sum(each.count for each in domain.findings if each.action == action):,} {action}" for action in actions
    ]
    found = counted(len(domain.findings), "finding")
    of = "Cleaning" if domain.applied else "What cleaning would do with"
    return f"{of} {domain.domain}: {found}; rows: {listed(done)}."
