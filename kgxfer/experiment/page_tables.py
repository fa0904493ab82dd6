"""The tables of a run's page: figures by model, groups, lists beyond hits, phases of training, and the graph."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from kgxfer.evaluation import ALL_ROWS, WITHOUT_TWINS
from kgxfer.experiment.metric_words import METRICS, base_of, label, shown

ACCURACY = ("ndcg", "recall", "precision", "hr", "mrr", "map", "r_precision", "auc")
RATINGS = ("ndcg_linear", "ndcg_exponential", "rmse", "mse", "mae")
"""What only data with ratings have."""


@dataclass(frozen=True)
class Cell:
    """One cell of a table; `note` is its tooltip, `below` a second, smaller line."""

    text: str
    number: bool = False
    best: bool = False
    note: str = ""
    below: str = ""


@dataclass(frozen=True)
class Table:
    """A table of the page; the first column names the row."""

    title: str
    head: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


def result_tables(figures: pd.DataFrame, methods: Sequence[str], negatives: int) -> list[tuple[str, list[Table]]]:
    """Per domain: accuracy of each main group, other groups side by side, ratings, and lists beyond hits.

    Args:
        figures: as `over_seeds` returns them.
        methods: models that are no controls.
        negatives: of sampled ranking.
    """
    results = []
    base = figures["metric"].map(base_of)
    for domain, rows in figures.groupby("domain", sort=False):
        tables = []
        for group in (ALL_ROWS, WITHOUT_TWINS):
            of_group = rows[rows["group"] == group]
            kind = base[of_group.index]
            sampled = of_group["ranking"] == "sampled"
            note = f"Each positive among {negatives:,} uniformly drawn negatives, the draw integrated out."
            beyond = ~kind.isin([*ACCURACY, *RATINGS]) & ~sampled
            parts = [
                ("full ranking", kind.isin(ACCURACY), ""), ("sampled ranking", sampled, note),
                ("ratings", kind.isin(RATINGS), ""),
                ("beyond hits", beyond, "What the first k of each user are like: to understand, not to win by."),
            ]  # fmt: skip
            for name, kept, remark in parts:
                if kept.any():
                    tables.append(_figure_table(f"{group}, {name}", of_group[kept], methods, remark))
        others = rows[~rows["group"].isin([ALL_ROWS, WITHOUT_TWINS])]
        if len(others):
            tables.append(_group_table(rows[rows["metric"] == others["metric"].iloc[0]], methods))
        results.append((str(domain), tables))
    return results


def _figure_table(title: str, rows: pd.DataFrame, methods: Sequence[str], note: str) -> Table:
    """Models by metric and average; the best of a column is marked where more, or less, is better."""
    columns = list(rows[["metric", "average"]].drop_duplicates().itertuples(index=False, name=None))
    found = rows.set_index(["model", "metric", "average"])
    head = [Cell("model")]
    best = {}
    beyond = "beyond" in title
    for metric, average in columns:
        means = found["mean"].xs((metric, average), level=("metric", "average"))
        wanted = means.max() if METRICS[base_of(metric)].more_is_better else means.min()
        best[metric, average] = math.nan if beyond else wanted
        count = found["count"].xs((metric, average), level=("metric", "average")).iloc[0]
        counted = f"{count:,} {'rows' if average == 'per row' else 'users'}"
        what = f"{METRICS[base_of(metric)].what}; {average}, {counted}"
        name = METRICS[base_of(metric)].label if beyond else label(metric).removeprefix("sampled ")
        head.append(Cell(name, True, note=what, below=average))
    table = []
    for model in rows["model"].unique():
        line = [_name(model, methods)]
        for metric, average in columns:
            key = (model, metric, average)
            line.append(_figure(found.loc[key], metric, best[metric, average]) if key in found.index else Cell("-"))
        table.append(line)
    return Table(title, head, table, note)


def _group_table(rows: pd.DataFrame, methods: Sequence[str]) -> Table:
    """Models by group, one metric: who is served how well."""
    metric = str(rows["metric"].iloc[0])
    rows = rows[rows["average"] == rows["average"].iloc[0]]
    groups = list(rows["group"].unique())
    found = rows.set_index(["model", "group"])
    best = {group: found["mean"].xs(group, level="group").max() for group in groups}
    counts = {group: found["count"].xs(group, level="group").iloc[0] for group in groups}
    head = [Cell("model"), *(Cell(group, True, below=f"{counts[group]:,} users") for group in groups)]
    lines = [
        [_name(model, methods), *(_figure(found.loc[(model, group)], metric, best[group]) for group in groups)]
        for model in rows["model"].unique()
    ]
    return Table(f"{label(metric)} by group", head, lines, "A user stands in every group that one of their rows is in.")


def _name(model: str, methods: Sequence[str]) -> Cell:
    return Cell(model, note="trained model" if model in methods else "control")


def _figure(row: pd.Series, metric: str, best: float) -> Cell:
    deviation = "" if math.isnan(row["deviation"]) else f"± {shown(row['deviation'], metric)}"
    return Cell(shown(row["mean"], metric), True, row["mean"] == best, f"{row['seeds']} seed(s)", deviation)


def by_phase(stages: Iterable[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The records of each model and phase, one per seed."""
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for stage in stages:
        grouped.setdefault((stage["model"], stage["phase"]), []).append(stage)
    return grouped


def mean_of(records: Sequence[Mapping[str, Any]], name: str) -> pd.Series:
    """One figure of the records that have it."""
    return pd.Series([record[name] for record in records if name in record], dtype=float)


def stage_tables(stages: list[dict[str, Any]]) -> list[Table]:
    """What each phase did, averaged over seeds: epochs, seconds and validation, then what its stages noted."""
    if not stages:
        return []
    phases = by_phase(stages)
    metrics = list(dict.fromkeys(name for stage in stages for name in stage["validation"]))
    numeric = ("epochs", "kept", "seconds", *(f"{label(name)}, validation" for name in metrics))
    head = [*map(Cell, ("model", "phase", "losses")), *(Cell(text, True) for text in numeric)]
    rows = []
    for (model, phase), records in phases.items():
        numbers = [f"{mean_of(records, name).mean():.4g}" for name in ("epochs", "kept_epoch")]
        numbers.append(f"{mean_of(records, 'seconds').mean():.1f}")
        for name in metrics:
            values = mean_of([record["validation"] for record in records], name)
            numbers.append(shown(values.mean(), name) if len(values) else "-")
        words = [Cell(model), Cell(phase), Cell(", ".join(records[0]["losses"]))]
        rows.append([*words, *(Cell(text, True) for text in numbers)])
    return [Table("phases", head, rows), _notes(phases)]


def _notes(phases: Mapping[tuple[str, str], list[dict[str, Any]]]) -> Table:
    """One line per note, one column per phase of a model."""
    noted = {key: [record["notes"] for record in records] for key, records in phases.items()}
    names = dict.fromkeys(name for records in noted.values() for record in records for name in record)
    rows = []
    for name in names:
        means = [mean_of(records, name).mean() for records in noted.values()]
        rows.append([Cell(name), *(Cell("-" if math.isnan(mean) else f"{mean:.3g}", True) for mean in means)])
    head = [Cell("note"), *(Cell(model, True, below=phase) for model, phase in noted)]
    return Table("notes of the stages", head, rows)


def graph_tables(manifest: dict[str, Any]) -> list[Table]:
    """What the graph holds, by type, and which bridge made its links."""
    tables = []
    for part, key in (("nodes", "type"), ("edges", "type"), ("links", "bridge")):
        counts = manifest["graph"][part]
        rows = [[Cell(name), Cell(f"{count:,}", True)] for name, count in counts.items()]
        if rows:
            tables.append(Table(part, [Cell(key), Cell("count", True)], rows))
    return tables
