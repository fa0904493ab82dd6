"""Models against a reference: one table of differences, intervals, corrected p-values, and what cannot be decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from pydantic import Field

from graph_schema.config import Config
from graph_schema.errors import InputError, unknown_name
from kgxfer.evaluation.evaluate import ALL_ROWS, Report
from kgxfer.evaluation.power import undecidable
from kgxfer.evaluation.significance import (
    Scores,
    Target,
    bootstrap_interval,
    differences,
    effect_size,
    holm,
    paired_randomisation,
    pool,
    seed_spread,
)

POOLED = "pooled"
COLUMNS = (
    "model", "reference", "domain", "mean_difference", "low", "high", "p", "p_holm", "d_z", "better", "worse", "users",
    "decided",
)

Reports: TypeAlias = Report | Sequence[Report] | Mapping[str, Report | Sequence[Report]]
"""One report; one per seed, of the same split; or either of them by data set."""


class ComparisonConfig(Config):
    """Settings: level of the intervals and of the tests, draws of the bootstrap and of the randomisation test, and the
    power below which an undecided comparison is called undecidable.
    """

    alpha: float = Field(0.05, gt=0, lt=0.5)
    draws: int = Field(10_000, ge=100, le=1_000_000)
    power: float = Field(0.8, gt=0.5, lt=1)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Every model against the reference.

    Attributes:
        table: one line per model and domain, and per model over all of them ("pooled") where there are several: model,
            reference, domain, mean_difference (model minus reference, over users, in units of the metric), low, high,
            p, p_holm, d_z, better, worse (shares of users), users, decided (p_holm below alpha).
        spread: model, domain, mean, between_seeds, between_users (variances), seeds, users; reference included.
        warnings: one line per comparison that the users at hand cannot decide.
        metric, group: what was compared.
    """

    table: pd.DataFrame
    spread: pd.DataFrame
    warnings: list[str]
    metric: str
    group: str

    def __str__(self) -> str:
        return "\n".join([f"{self.metric}, {self.group}", self.table.round(4).to_string(index=False), *self.warnings])


def compare(
    reports: Reports,
    reference: str,
    models: Sequence[str] | None = None,
    metric: str = "ndcg@10",
    group: str = ALL_ROWS,
    config: ComparisonConfig | None = None,
    rng: int = 0,
) -> Comparison:
    """Compare models with a reference by per-user scores.

    P-values are corrected for the number of comparisons by Holm's rule: those within domains together, and those over
    all domains together. With several domains or data sets each weighs the same in the pooled lines.

    Args:
        reports: the test reports; several of one data set are seeds, and a model may be missing in some of them.
        reference: usually the best control, picked on validation by `best_control`.
        models: which models; all others than the reference when not given.
        metric: any metric with per-user values.
        group: such as "rows without twins".
        config: levels and draws.
        rng: the seed of all draws.

    Raises:
        InputError: an unknown model, nothing to compare, or models scored on different users.
    """
    scores: dict[Target, dict[str, Scores]] = {}
    for data_set, seeds in _by_data_set(reports).items():
        for domain in dict.fromkeys(name for report in seeds for name in report.figures["domain"]):
            scores[Target(data_set, str(domain))] = _scores(seeds, str(domain), metric, group)
    return compare_scores(scores, reference, models, metric, group, config, rng)


def compare_scores(
    scores: Mapping[Target, Mapping[str, Scores]],
    reference: str,
    models: Sequence[str] | None = None,
    metric: str = "score",
    group: str = ALL_ROWS,
    config: ComparisonConfig | None = None,
    rng: int = 0,
) -> Comparison:
    """Compare scores from anywhere: by target and model, indexed by user_id, one column per seed where there are seeds.

    Arguments and errors as in `compare`.
    """
    config = config or ComparisonConfig()
    known = list(dict.fromkeys(name for by_model in scores.values() for name in by_model))
    chosen = [name for name in known if name != reference] if models is None else list(models)
    for name in (reference, *chosen):
        if any(name not in by_model for by_model in scores.values()):
            raise unknown_name("model in every report", name, known)
    if not scores or not chosen:
        raise InputError(f'compare: nothing to compare with "{reference}"; pass reports of at least one other model')
    single = len({target.data_set for target in scores}) == 1
    labels = {target: target.domain if single else f"{target.data_set}, {target.domain}" for target in scores}
    lines, errors = [], []
    for model in chosen:
        for target, by_model in scores.items():
            line, error = _line(by_model[model], by_model[reference], config, rng)
            lines.append({"model": model, "reference": reference, "domain": labels[target], **line})
            errors.append(error)
        if len(scores) > 1:
            line, error = _pooled_line({t: differences(s[model], s[reference]) for t, s in scores.items()}, config, rng)
            lines.append({"model": model, "reference": reference, "domain": POOLED, **line})
            errors.append(error)
    table, warnings = _decide(pd.DataFrame(lines), np.array(errors), config)
    spread = [
        {"model": name, "domain": labels[target], **asdict(seed_spread(by_model[name]))}
        for name in (reference, *chosen)
        for target, by_model in scores.items()
    ]
    return Comparison(table, pd.DataFrame(spread), warnings, metric, group)


def best_control(
    validation_figures: pd.DataFrame, controls: Sequence[str], domain: str, metric: str, average: str = "per user"
) -> str:
    """The control with the best validation figure; the first of equals. Test figures are refused.

    Args:
        validation_figures: `Report.figures` of ``evaluate(..., part="valid")``: model, domain, group, average, metric,
            value; means are taken over seeds. A column `part`, where there is one, must say "valid" throughout.
        controls: models to choose from.
        domain: where the control will serve.
        metric: such as "ndcg@10".
        average: which average of the metric.

    Raises:
        InputError: figures of another part, no control, or a control without a figure.
    """
    table = validation_figures
    if "part" in table and not (table["part"] == "valid").all():
        raise InputError('best_control: the figures hold other parts than "valid"; a control is never picked on test')
    if not controls:
        raise InputError("best_control: no controls given; name at least one model")
    chosen = table[(table["domain"] == domain) & (table["metric"] == metric)]
    for column, wanted in (("average", average), ("group", ALL_ROWS)):
        if column in chosen:
            chosen = chosen[chosen[column] == wanted]
    means = chosen.groupby("model")["value"].mean().dropna()
    missing = [name for name in controls if name not in means.index]
    if missing:
        raise unknown_name(f"control with a validation figure {metric} in {domain}", missing[0], means.index)
    return max(controls, key=lambda name: float(means[name]))


def _by_data_set(reports: Reports) -> dict[str, Sequence[Report]]:
    named = reports if isinstance(reports, Mapping) else {"": reports}
    return {name: [given] if isinstance(given, Report) else list(given) for name, given in named.items()}


def _scores(seeds: Sequence[Report], domain: str, metric: str, group: str) -> dict[str, Scores]:
    """Per model a table [users, seeds]; a report without the model is no seed of it."""
    columns: dict[str, list[pd.Series]] = {}
    for report in seeds:
        here = report.figures[report.figures["domain"] == domain]
        for model in dict.fromkeys(here["model"]):
            columns.setdefault(model, []).append(report.scores(model, domain, metric, group))
    for model, found in columns.items():
        if any(not column.index.sort_values().equals(found[0].index.sort_values()) for column in found):
            raise InputError(f'compare: the seeds of model "{model}" were tested on different users; use one split')
    return {model: pd.concat(found, axis=1, keys=range(len(found))) for model, found in columns.items()}


def _line(scores: Scores, reference: Scores, config: ComparisonConfig, rng: int) -> tuple[dict[str, float], float]:
    """The figures of one comparison, and the standard error of its mean difference."""
    difference = differences(scores, reference)
    effect = effect_size(scores, reference)
    interval = bootstrap_interval(difference, 1 - config.alpha, config.draws, rng)
    line = {
        "mean_difference": effect.mean_difference, "low": interval.low, "high": interval.high,
        "p": paired_randomisation(scores, reference, config.draws, rng), "d_z": effect.standardised,
        "better": effect.better, "worse": effect.worse, "users": len(difference),
    }
    return line, float(difference.sem()) if len(difference) > 1 else 0.0


def _pooled_line(
    by_target: Mapping[Target, pd.Series], config: ComparisonConfig, rng: int
) -> tuple[dict[str, float], float]:
    pooled = pool(by_target, 1 - config.alpha, config.draws, rng)
    line = {
        "mean_difference": pooled.effect.mean_difference, "low": pooled.interval.low, "high": pooled.interval.high,
        "p": pooled.p, "d_z": pooled.effect.standardised, "better": pooled.effect.better,
        "worse": pooled.effect.worse, "users": pooled.users,
    }
    return line, pooled.standard_error


def _decide(
    table: pd.DataFrame, standard_errors: np.ndarray, config: ComparisonConfig
) -> tuple[pd.DataFrame, list[str]]:
    """Correct the p-values, decide, and warn where no decision was to be had."""
    over_all = (table["domain"] == POOLED).to_numpy()
    table["p_holm"] = 0.0
    tests = np.zeros(len(table))
    for family in (over_all, ~over_all):
        table.loc[family, "p_holm"] = holm(table.loc[family, "p"])
        tests[family] = family.sum()
    table["decided"] = table["p_holm"] < config.alpha
    warnings = []
    for place in np.flatnonzero(~table["decided"]):
        line = table.iloc[place]
        # The first of Holm's steps is the strictest: power is stated for it.
        deviation = standard_errors[place] * np.sqrt(line["users"])
        level = config.alpha / tests[place]
        text = undecidable(line["mean_difference"], deviation, int(line["users"]), config.power, level)
        if text:
            warnings.append(f"{line['model']} against {line['reference']}, {line['domain']}: {text}")
    return table[list(COLUMNS)], warnings
