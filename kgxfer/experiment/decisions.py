"""What a run can decide: every model against a reference that was picked on validation, by user, with its power."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from kgxfer.baselines.base import choice_average, choice_metric, validated_domains
from kgxfer.evaluation import ALL_ROWS, WITHOUT_TWINS, Report, evaluate
from kgxfer.evaluation.comparison import COLUMNS, POOLED, best_control, compare_scores
from kgxfer.evaluation.power import detectable_difference
from kgxfer.evaluation.significance import Scores, Target, differences, pool, seed_spread
from kgxfer.experiment.config import BEST_CONTROL, RunConfig
from kgxfer.experiment.state import RunState

COMPARED = ("group", "metric", *COLUMNS, "smallest")
SPREAD = ("group", "model", "domain", "mean", "between_seeds", "between_users", "seeds", "users")
FIGURES = ("model", "seed", "domain", "group", "ranking", "average", "metric", "value", "count")
NO_VALIDATION = (
    "There were no validation rows, so no control could be picked on them; name one as the reference of [statistics]."
)
NO_CONTROL = "The run has no control to compare with."
NOTHING_ELSE = "The run has nothing to compare with its reference."


@dataclass(frozen=True, eq=False)
class Decisions:
    """What was compared.

    Attributes:
        table: as `Comparison.table`, with the group, the metric, and the smallest difference that the users at hand
            show with the power asked for, at the strictest step of Holm's rule; NaN for fewer than two users.
        spread: both variances of every model that is compared or has several seeds: group, model, domain, mean,
            between_seeds, between_users, seeds, users.
        references: domain -> what models are compared with there.
        note: why nothing was compared; empty where something was.
    """

    table: pd.DataFrame
    spread: pd.DataFrame
    references: dict[str, str]
    note: str = ""

    @staticmethod
    def none(note: str) -> Decisions:
        """Nothing was compared."""
        return Decisions(pd.DataFrame(columns=list(COMPARED)), pd.DataFrame(columns=list(SPREAD)), {}, note)


def validation_figures(config: RunConfig, state: RunState) -> pd.DataFrame:
    """Figures of every model and baseline, as it was chosen, on the rows that served for choosing.

    Returns:
        Long table with the columns of `FIGURES`; empty where there are no validation rows.
    """
    split = state.choosing.split
    if not validated_domains(split):
        return pd.DataFrame(columns=list(FIGURES))
    settings = config.evaluation.model_copy(update={"twins": False, "groups": False})
    tables = []
    for seed in state.seeds(config.seed):
        models = {name: fitted.chosen for name, fitted in state.of_seed(seed, config.seed).items()}
        tables.append(evaluate(models, split, settings, part="valid").figures.assign(seed=seed))
    return pd.concat(tables, ignore_index=True)[list(FIGURES)]


def decide(config: RunConfig, reports: Sequence[Report], validation: pd.DataFrame) -> Decisions:
    """Compare the run's methods, or where it has none its other controls, with the reference of each domain.

    Args:
        config: what to compare, how.
        reports: on the test rows, one per seed.
        validation: as `validation_figures` returns them.
    """
    if not config.statistics.enabled:
        return Decisions.none("Comparisons were turned off.")
    domains = list(dict.fromkeys(reports[0].figures["domain"]))
    given = config.statistics.reference
    if given == BEST_CONTROL and (validation.empty or not config.control_names):
        return Decisions.none(NO_CONTROL if not config.control_names else NO_VALIDATION)
    references = dict.fromkeys(domains, given) if given != BEST_CONTROL else _best_controls(config, validation, domains)
    compared = [name for name in config.methods or config.control_names if set(references.values()) != {name}]
    if not compared:
        return Decisions.none(NOTHING_ELSE)
    tables, spreads = [], []
    for group in (ALL_ROWS, WITHOUT_TWINS):
        found = [domain for domain in domains if _has(reports[0], domain, group)]
        scores = {domain: _scores(reports, domain, config.compared_metric, group) for domain in found}
        if found:
            tables.append(_compared(scores, references, compared, config).assign(group=group))
            spreads.append(_spread(scores, references, compared).assign(group=group))
    table = pd.concat(tables, ignore_index=True).assign(metric=config.compared_metric)
    return Decisions(table[list(COMPARED)], pd.concat(spreads, ignore_index=True)[list(SPREAD)], references)


def _best_controls(config: RunConfig, validation: pd.DataFrame, domains: Sequence[str]) -> dict[str, str]:
    """The best control of each domain by what settings are chosen by; without validation rows, that of the other."""
    metric, average = choice_metric(config.evaluation), choice_average(config.evaluation)
    best = {
        str(domain): best_control(validation, config.control_names, str(domain), metric, average)
        for domain in validation["domain"].unique()
    }
    return {domain: best.get(domain, next(iter(best.values()))) for domain in domains}


def _has(report: Report, domain: str, group: str) -> bool:
    figures = report.figures
    return bool(((figures["domain"] == domain) & (figures["group"] == group)).any())


def _scores(reports: Sequence[Report], domain: str, metric: str, group: str) -> dict[str, pd.DataFrame]:
    """Per model its scores by user, one column per seed; a report without the model is no seed of it."""
    columns: dict[str, list[pd.Series]] = {}
    for report in reports:
        for model in report.rows:
            columns.setdefault(model, []).append(report.scores(model, domain, metric, group))
    return {model: pd.concat(found, axis=1, keys=range(len(found))) for model, found in columns.items()}


def _compared(
    scores: Mapping[str, Mapping[str, Scores]], references: Mapping[str, str], models: Sequence[str], config: RunConfig
) -> pd.DataFrame:
    """The lines of one group; the reference may be another model in each domain."""
    targets = {
        Target("", domain): {**by_model, BEST_CONTROL: by_model[references[domain]]}
        for domain, by_model in scores.items()
    }
    settings = config.statistics
    table = compare_scores(targets, BEST_CONTROL, models, rng=config.seed, config=settings).table
    over_all = table["domain"] == POOLED
    tests = np.where(over_all, over_all.sum(), (~over_all).sum())
    smallest = []
    for line, number in zip(table.itertuples(), tests, strict=True):
        deviation = _deviation(targets, str(line.model), str(line.domain))
        enough = line.users >= 2  # fewer have no spread
        level = settings.alpha / number
        smallest.append(
            detectable_difference(deviation, int(line.users), settings.power, level) if enough else np.nan
        )
    named = {**references, POOLED: ", ".join(dict.fromkeys(references[domain] for domain in scores))}
    table = table.assign(smallest=smallest, reference=table["domain"].map(named))
    return table[table["model"] != table["reference"]]


def _deviation(targets: Mapping[Target, Mapping[str, Scores]], model: str, domain: str) -> float:
    """Standard deviation of the users' differences; over all domains that which gives the pooled standard error."""
    found = {target: differences(by_model[model], by_model[BEST_CONTROL]) for target, by_model in targets.items()}
    if domain != POOLED:
        return float(found[Target("", domain)].std())
    pooled = pool(found, draws=100)
    return float(pooled.standard_error * np.sqrt(pooled.users))


def _spread(
    scores: Mapping[str, Mapping[str, pd.DataFrame]], references: Mapping[str, str], models: Sequence[str]
) -> pd.DataFrame:
    return pd.DataFrame(
        {"model": name, "domain": domain, **asdict(seed_spread(table))}
        for domain, by_model in scores.items()
        for name, table in by_model.items()
        if table.shape[1] > 1 or name == references[domain] or name in models
    )
