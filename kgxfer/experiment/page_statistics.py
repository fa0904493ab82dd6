"""What can be decided, in words and tables: differences from the reference, both variances, bridges, and choices.

A difference is decided where its p-value, corrected for the number of comparisons, lies below the level of the tests.
Where it is not, the reader is told which difference these users would have shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from kgxfer.baselines.base import choice_average, choice_metric
from kgxfer.evaluation import ALL_ROWS, WITHOUT_TWINS
from kgxfer.evaluation.comparison import POOLED
from kgxfer.experiment.metric_words import METRICS, base_of, label, shown
from kgxfer.experiment.page_tables import Cell, Table
from kgxfer.experiment.run_folder import RunFolder, over_seeds

Line = Any
"""A line of a table, as `DataFrame.itertuples` gives it."""


def verdicts(run: RunFolder) -> list[str]:
    """Per domain and group which model leads, by how much, and whether that is decided; last over all domains."""
    metric, figures = run.settings.compared_metric, over_seeds(run.figures)
    rows = figures[(figures["metric"] == metric) & (figures["average"] == "per user")]
    sentences = []
    for (domain, group), found in rows.groupby(["domain", "group"], sort=False):
        if group not in (ALL_ROWS, WITHOUT_TWINS):
            continue
        where = f"In {domain}, {group} ({found['count'].iloc[0]:,} test users; {_unit(metric)})"
        table = run.comparisons
        compared = table[(table["domain"] == domain) & (table["group"] == group)]
        told = _undecided_lead(found, run) if compared.empty else _decision(found, compared, run)
        sentences.append(f"{where}, {told}")
    return sentences + [
        f"Over all domains, {group}, {_pooled(table, run)}"
        for group, table in run.comparisons[run.comparisons["domain"] == POOLED].groupby("group", sort=False)
    ]


def _unit(metric: str) -> str:
    return f"{label(metric)} in percent" if METRICS[base_of(metric)].share else label(metric)


def _decision(rows: pd.DataFrame, compared: pd.DataFrame, run: RunFolder) -> str:
    """The model with the largest difference from the reference, and whether that is decided."""
    by_model = rows.set_index("model")
    line = next(compared.loc[[compared["mean_difference"].idxmax()]].itertuples())
    model, reference = (f"{name} {_mean(by_model.loc[name], line.metric)}" for name in (line.model, line.reference))
    words = f"{model} {_difference(line)} {reference}, {_what(line.reference, run)}"
    if line.decided and line.mean_difference < 0 and line.model in run.methods:
        words = f"a control wins: {words}"
    deviation = by_model.loc[line.model, "deviation"]
    text = f"{words}: {_decided(line, run)}"
    if line.decided and abs(line.mean_difference) <= deviation:
        text += " It lies within the spread over seeds, though."
    if math.isnan(deviation) and line.model in run.settings.models:
        text += " With one seed, what another start would change was not measured."
    return text + _better_control(rows, line, run)


def _pooled(table: pd.DataFrame, run: RunFolder) -> str:
    line = next(table.loc[[table["mean_difference"].idxmax()]].itertuples())
    return f"{line.model} {_difference(line)} {line.reference}: {_decided(line, run)}"


def _mean(row: pd.Series, metric: str) -> str:
    spread = "" if math.isnan(row["deviation"]) else f", s.d. {shown(row['deviation'], metric)}"
    return shown(row["mean"], metric) + (f" (mean of {row['seeds']} seeds{spread})" if spread else "")


def _difference(line: Line) -> str:
    direction = "above" if line.mean_difference >= 0 else "below"
    points = " points" if METRICS[base_of(line.metric)].share else ""
    return f"is {shown(abs(line.mean_difference), line.metric)}{points} {direction}"


def _what(reference: str, run: RunFolder) -> str:
    return "the reference" if run.settings.statistics.reference == reference else "the best control on validation"


def _decided(line: Line, run: RunFolder) -> str:
    """The evidence, and what follows from it."""
    evidence = f"{_interval(line, run)}, {_p(line.p_holm)} by Holm"
    if line.decided:
        return f"decided ({evidence})."
    return f"not decided ({evidence}).{_power(line, run)}"


def _power(line: Line, run: RunFolder) -> str:
    if math.isnan(line.smallest):
        return " A comparison needs at least two users."
    points = " points" if METRICS[base_of(line.metric)].share else ""
    smallest = f"{shown(line.smallest, line.metric)}{points}"
    cannot = "cannot decide it: they " if abs(line.mean_difference) < line.smallest else ""
    return f" {line.users:,} users {cannot}show differences of {smallest} or more ({_power_of(run)} power)."


def _power_of(run: RunFolder) -> str:
    return f"{100 * run.settings.statistics.power:g} %"


def _interval(line: Line, run: RunFolder) -> str:
    level = f"{100 * (1 - run.settings.statistics.alpha):g} %"
    return f"{level} interval {_signed(line.low, line.metric)} to {_signed(line.high, line.metric)}"


def _signed(value: float, metric: str) -> str:
    return f"{'+' if value >= 0 else '-'}{shown(abs(value), metric)}"


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p {value:.3f}"


def _better_control(rows: pd.DataFrame, line: Line, run: RunFolder) -> str:
    """Another control that turned out better on the test rows than both; picking it there would be choosing on test."""
    controls = rows[~rows["model"].isin([*run.methods, line.model, line.reference])]
    if controls.empty:
        return ""
    best = controls.loc[controls["mean"].idxmax()]
    others = rows.loc[rows["model"].isin([line.model, line.reference]), "mean"]
    if best["mean"] <= others.max():
        return ""
    return f" On the test rows {best['model']}, another control, turned out higher: {shown(best['mean'], line.metric)}."


def _undecided_lead(rows: pd.DataFrame, run: RunFolder) -> str:
    """Which model leads, where nothing was compared."""
    best = rows.loc[rows["mean"].idxmax()]
    missing = {True: "no control to compare it with", False: "no trained model beside its controls"}
    both = rows["model"].isin(run.methods).nunique() == 2
    why = run.choices["note"] if both else f"The run has {missing[best['model'] in run.methods]}."
    return f"{best['model']} {_mean(best, str(best['metric']))} has the highest figure. {why}"


def comparison_tables(run: RunFolder) -> list[Table]:
    """Per group: difference from the reference, interval, p-values, effect, users better and worse, decision."""
    level = f"{100 * (1 - run.settings.statistics.alpha):g} % interval"
    head = [
        Cell("model"), Cell("domain"),
        Cell("difference", True, note="mean over users; below it the bootstrap interval by user", below=level),
        Cell("p, Holm", True, note="paired randomisation test by user, corrected for the number of comparisons",
             below="uncorrected"),
        Cell("effect", True, note="mean difference over the standard deviation of the users' differences"),
        Cell("better", True, note="share of users"), Cell("worse", True, note="share of users"), Cell("users", True),
        Cell("detectable", True, note=f"smallest difference that these users show with {_power_of(run)} power"),
        Cell("decided"),
    ]  # fmt: skip
    tables = []
    for group, lines in run.comparisons.groupby("group", sort=False):
        rows = [_comparison_row(line) for line in lines.itertuples()]
        tables.append(Table(f"{group}, {_unit(run.settings.compared_metric)}", head, rows))
    return tables


def _comparison_row(line: Line) -> list[Cell]:
    interval = f"{_signed(line.low, line.metric)} to {_signed(line.high, line.metric)}"
    smallest = "-" if math.isnan(line.smallest) else shown(line.smallest, line.metric)
    p, corrected = (f"{value:.4f}" if value >= 0.0001 else "< 0.0001" for value in (line.p, line.p_holm))
    return [
        Cell(line.model, below=f"against {line.reference}"), Cell(line.domain),
        Cell(_signed(line.mean_difference, line.metric), True, best=bool(line.decided), below=interval),
        Cell(corrected, True, below=p), Cell(f"{line.d_z:.2f}", True), Cell(f"{100 * line.better:.0f} %", True),
        Cell(f"{100 * line.worse:.0f} %", True), Cell(f"{line.users:,}", True), Cell(smallest, True),
        Cell("yes" if line.decided else "no"),
    ]  # fmt: skip


def spread_tables(run: RunFolder) -> list[Table]:
    """Per group: how much figures vary between seeds and between users."""
    metric = run.settings.compared_metric
    head = [
        Cell("model"), Cell("domain"), Cell("mean", True), Cell("seeds", True),
        Cell("between seeds", True, note="standard deviation of the seeds' means over users"), Cell("users", True),
        Cell("between users", True, note="standard deviation of the users' means over seeds"),
        Cell("standard error", True, note="of the mean, from the variance between users"),
    ]  # fmt: skip
    tables = []
    for group, lines in run.spread.groupby("group", sort=False):
        rows = []
        for line in lines.itertuples():
            deviations = [math.sqrt(line.between_seeds), math.sqrt(line.between_users)]
            deviations.append(deviations[1] / math.sqrt(line.users))
            seeds, users, error = ("-" if math.isnan(value) else shown(value, metric) for value in deviations)
            numbers = (shown(line.mean, metric), str(line.seeds), seeds, f"{line.users:,}", users, error)
            rows.append([Cell(line.model), Cell(line.domain), *(Cell(text, True) for text in numbers)])
        tables.append(Table(f"{group}, {_unit(metric)}, standard deviations", head, rows))
    return tables


def bridge_table(run: RunFolder) -> Table | None:
    """Every variant of the links beside the true ones."""
    table = run.bridge_controls
    if table.empty:
        return None
    head = [
        Cell("bridge"), Cell("links"), Cell("domain"), Cell("figure", True),
        Cell("difference", True, note="from the true links, mean over users"), Cell("interval", True),
        Cell("p, Holm", True), Cell("decided"),
    ]  # fmt: skip
    rows = []
    for line in table.itertuples():
        cells = [Cell(line.bridge or "all"), Cell(line.links), Cell(line.domain)]
        cells.append(Cell(shown(line.value, line.metric), True))
        if pd.isna(line.mean_difference):
            rows.append([*cells, *(Cell("", True) for _ in range(3)), Cell("")])
            continue
        interval = f"{_signed(line.low, line.metric)} to {_signed(line.high, line.metric)}"
        numbers = (_signed(line.mean_difference, line.metric), interval, f"{line.p_holm:.4f}")
        cells += [Cell(text, True) for text in numbers]
        rows.append([*cells, Cell("yes" if line.decided else "no")])
    model, metric = table["model"].iloc[0], table["metric"].iloc[0]
    return Table(f"{model}, {_unit(str(metric))}", head, rows)


def choice_table(run: RunFolder, domains: list[str]) -> Table | None:
    """The validation figure of every model, and what was chosen by it."""
    if run.validation.empty:
        return None
    figures = over_seeds(run.validation)
    metric, average = _chosen_by(run)
    figures = figures[(figures["metric"] == metric) & (figures["average"] == average)]
    validated = list(figures["domain"].unique())
    head = [Cell("model"), *(Cell(f"{name}, validation", True, below=average) for name in validated)]
    head += [Cell(f"chosen for {name}") for name in domains]
    found = figures.set_index(["model", "domain"])
    rows = []
    for model in figures["model"].unique():
        cells = [Cell(model)]
        for domain in validated:
            row = found.loc[(model, domain)]
            best = model == run.choices["references"].get(domain)
            deviation = "" if math.isnan(row["deviation"]) else f"± {shown(row['deviation'], metric)}"
            cells.append(Cell(shown(row["mean"], metric), True, best, below=deviation))
        rows.append([*cells, *(Cell(_chosen(run.choices, model, domain)) for domain in domains)])
    note = "Bold: the control that models are compared with." if run.choices["references"] else ""
    return Table(_unit(metric), head, rows, note)


def _chosen_by(run: RunFolder) -> tuple[str, str]:
    evaluation = run.settings.evaluation
    return choice_metric(evaluation), choice_average(evaluation)


def _chosen(choices: Mapping[str, Any], model: str, domain: str) -> str:
    """Settings of a baseline, or the weights of a blend's first seed."""
    values: Mapping[str, Any] = choices["settings"].get(model, {}).get(domain, {})
    if model in choices["weights"]:
        first = next(iter(choices["weights"][model].values()))
        values = {name: round(weight, 2) for name, weight in first[domain].items() if weight}
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in values.items())
