"""The tables of a data check's page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from kgxfer.experiment.page_tables import Cell, Table
from loaders.cleaning import RuleFinding
from loaders.quality import DomainQuality, Figure, PairQuality, QualityReport

SHOWN_EXAMPLES = 3
MISSING = "-"


def shown(figure: Figure) -> str:
    """A figure as text; shares in percent, what has no value as a dash.

    >>> shown(Figure("density", 0.000512, "share", "")), shown(Figure("users", 1200, "users", ""))
    ('0.0512 %', '1,200')
    """
    value = figure.value
    if value is None:
        return MISSING
    if isinstance(value, str):
        return value
    if figure.unit == "share":
        return share_of(value)
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e9):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def share_of(value: float) -> str:
    """A share in percent, three digits; what is not all of it is not shown as all.

    >>> share_of(1), share_of(0.99997), share_of(0.8752)
    ('100 %', '> 99.9 %', '87.5 %')
    """
    return "> 99.9 %" if 0.9995 <= value < 1 else f"{100 * value:.3g} %"


def domain_tables(report: QualityReport) -> list[Table]:
    """One table per group of figures, both domains side by side."""
    tables = []
    head = [Cell(""), *(Cell(domain.domain, True) for domain in report.domains)]
    for (title, first), (_, second) in zip(report.source.groups, report.target.groups, strict=True):
        rows = [
            [_name(left), _value(left), _value(right)]
            for left, right in zip(first, second, strict=True)
        ]
        if any(cell.text != MISSING for row in rows for cell in row[1:]):
            tables.append(Table(title, head, rows))
    return tables


def pair_tables(pair: PairQuality) -> list[Table]:
    """One table per group of figures of the pair."""
    tables = []
    for title, figures in pair.groups:
        rows = [[_name(figure), _value(figure)] for figure in figures]
        if any(row[1].text != MISSING for row in rows):
            tables.append(Table(title, [Cell(""), Cell("value", True)], rows))
    return tables


def entity_table(report: QualityReport) -> Table | None:
    """Entities of both domains by type, and how differently they are spread."""
    if report.pair.entities.empty:
        return None
    head = [
        Cell("type"), *(Cell(domain.domain, True, below="entities") for domain in report.domains),
        Cell("in both", True, below="entities"), Cell("distance", True, below="of facts"),
        Cell("distance", True, below="of interactions"),
    ]  # fmt: skip
    rows = []
    for row in report.pair.entities.to_dict("records"):
        counts = [Cell(f"{row[name]:,}", True) for name in ("source", "target", "both")]
        distances = [Cell(_number(row[name]), True) for name in ("distance", "distance_interactions")]
        rows.append([Cell(row["node_type"]), *counts, *distances])
    note = (
        "Distance: Jensen-Shannon (0 the same, 1 nothing in common) between how often each domain's facts name each "
        "entity; of interactions: each fact counted as often as its item was interacted with."
    )
    return Table("entities by type", head, rows, note)


def coverage_tables(report: QualityReport) -> list[Table]:
    """How much of each column and relation is there, one table per domain."""
    head = [Cell("attribute"), Cell("of"), Cell("there", True), Cell("share", True)]
    tables = []
    for domain in report.domains:
        rows = [
            [Cell(attribute), Cell(kind), Cell(f"{owners:,}", True), Cell(share_of(share), True)]
            for kind, attribute, owners, _, share in domain.coverage.itertuples(index=False)
        ]
        if rows:
            tables.append(Table(domain.domain, head, rows))
    return tables


def finding_table(domain: DomainQuality) -> Table | None:
    """What each rule found in a domain, with the first places."""
    if not domain.findings:
        return None
    head = [Cell("rule"), Cell("table"), Cell("rows", True), Cell(action_title(domain)), Cell("for example")]
    rows = [
        [
            Cell(each.rule, below=each.detail), Cell(each.table), Cell(f"{each.count:,}", True), Cell(each.action),
            _examples(each, domain.files.get(each.table, "")),
        ]
        for each in in_order(domain.findings)
    ]  # fmt: skip
    return Table(domain.domain, head, rows)


def account_table(domain: DomainQuality) -> Table:
    """Rows read, gone, come and left, table by table; what is left over is accounted for by nothing."""
    changes = ("dropped", "merged", "added")
    head = [Cell("table"), *(Cell(name, True) for name in ("read", *changes, "left", "unaccounted"))]
    rows = []
    for table, before in domain.before.items():
        if not before and not domain.after[table]:
            continue
        sums = [sum(each.count for each in domain.findings if (each.table, each.action) == (table, change))
                for change in changes]  # fmt: skip
        numbers = [before, *sums, domain.after[table], domain.unaccounted.get(table, 0)]
        rows.append([Cell(table), *(Cell(f"{number:,}", True) for number in numbers)])
    return Table(domain.domain, head, rows)


def action_title(domain: DomainQuality) -> str:
    """What the column of actions is called."""
    return "done" if domain.applied else "would be"


def in_order(findings: Sequence[RuleFinding]) -> list[RuleFinding]:
    """Faults first, then what was merely completed."""
    return sorted(findings, key=lambda finding: finding.action == "added")


def place_of(finding: RuleFinding, file: str) -> str:
    """Where the first example of a finding stands, and what stands there; empty where there is none."""
    if not finding.examples:
        return ""
    first = finding.examples[0]
    position = _position(first.line, first.row)
    # What was added stands in no file.
    where = [part for part in (file, position) if part] if position else []
    return f"{', '.join(where)}: {first.text}" if where else first.text


def unmeasured(report: QualityReport) -> list[tuple[str, str]]:
    """What has no value, and why; figures of one reason together."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for place, figures in (*((domain.domain, domain) for domain in report.domains), ("both domains", report.pair)):
        for figure in figures:
            if figure.value is None:
                reasons.setdefault((place, figure.absent), []).append(figure.name)
    return [(f"{place}: {', '.join(names)}", reason) for (place, reason), names in reasons.items()]


def definitions(figures: Iterable[Figure]) -> list[tuple[str, str]]:
    """Figure -> formula, denominator and range."""
    return [(figure.name, figure.what) for figure in figures]


def _name(figure: Figure) -> Cell:
    told = figure.unit == "share" or figure.unit in figure.name
    return Cell(figure.name, note=figure.what, below="" if told else figure.unit)


def _value(figure: Figure) -> Cell:
    """The value; of a moment the time of day stands below the date."""
    text, _, time = shown(figure).partition("T")
    return Cell(text, True, note=figure.absent, below=time)


def _number(value: float) -> str:
    return MISSING if math.isnan(value) else f"{value:.3f}"


def _examples(finding: RuleFinding, file: str) -> Cell:
    others = [_position(each.line, each.row) for each in finding.examples[1 : 1 + SHOWN_EXAMPLES]]
    more = ", ".join(place for place in others if place)
    return Cell(place_of(finding, file), below=f"also {more}" if more else "")


def _position(line: int | None, row: int) -> str:
    if line is not None:
        return f"line {line:,}"
    return f"row {row:,}" if row >= 0 else ""
