"""What is audited: a split, models fitted on it beside the audit's own controls, and everything counted once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd
from pydantic import Field

from graph_schema.config import Config
from graph_schema.errors import InputError, unknown_name
from kgxfer.baselines import BASELINES, ItemKNN
from kgxfer.bridges import twin_pairs
from kgxfer.evaluation import EvaluationConfig, Report, evaluate
from kgxfer.evaluation.leakage import Finding as Leak
from kgxfer.evaluation.leakage import check_leakage
from kgxfer.evaluation.metrics import Ties
from kgxfer.evaluation.rows import Average
from kgxfer.experiment.state import Ground
from kgxfer.recommender import RankingModel
from kgxfer.splits import Split
from kgxfer.topk import MEMORY_MIB

POPULARITY, ITEM_KNN = "popularity", "item_knn"
CONTROLS = (POPULARITY, ITEM_KNN, "personalised_pagerank")
"""Fitted where they are not given: a floor, and what takes a second and is hard to beat."""

TARGET_ONLY = "item_knn, own domain only"
KIND_OF_USER, WARM = "kind of user", "warm users"


class AuditConfig(Config):
    """Settings.

    `k` is the length of lists, `sampled_negatives` the draws that sampled ranking is compared at. `shuffles` of the
    users of one domain say how many twins chance would make. `draws` are those of the paired tests, `alpha` their
    level, and `power` the probability with which a difference called decidable would be found. `memory_mib` bounds the
    scores that are held at a time.
    """

    k: int = Field(10, ge=1, le=1000)
    sampled_negatives: int = Field(999, ge=1)
    exclude_other_positives: tuple[str, ...] = ()
    shuffles: int = Field(5, ge=1, le=1000)
    draws: int = Field(2_000, ge=100, le=1_000_000)
    alpha: float = Field(0.05, gt=0, lt=0.5)
    power: float = Field(0.8, gt=0.5, lt=1)
    seed: int = Field(0, ge=0)
    memory_mib: int = Field(MEMORY_MIB, ge=1)

    @property
    def evaluation(self) -> EvaluationConfig:
        """How rows are ranked."""
        return EvaluationConfig(
            k=self.k, sampled_negatives=self.sampled_negatives, exclude_other_positives=self.exclude_other_positives,
            twins=True, groups=True, memory_mib=self.memory_mib,
        )


@dataclass(frozen=True, eq=False)
class Subject:
    """What the checks read.

    Attributes:
        choosing: what settings were chosen on.
        final: what is tested; the same unless everything was fitted again.
        models: audited models and controls by name, without the target-only control.
        audited: names of the models that are no controls.
        pairs: twins, from training rows.
        report: figures of all models, the target-only control's among them where any test user is warm.
    """

    choosing: Ground
    final: Ground
    models: Mapping[str, RankingModel]
    audited: tuple[str, ...]
    pairs: pd.DataFrame
    report: Report
    config: AuditConfig

    @property
    def split(self) -> Split:
        """The split that is tested."""
        return self.final.split

    @property
    def domains(self) -> list[str]:
        """Tested domains, source first."""
        return self.split.evaluated_domains

    @property
    def metric(self) -> str:
        """What differences are stated in."""
        return f"ndcg@{self.config.k}"

    @cached_property
    def leaks(self) -> list[Leak]:
        """Everything that the leak checks say about split, graph, links and models."""
        return check_leakage(self.split, self.final.graph, self.final.links, self.models)

    def scores(
        self, model: str, domain: str, metric: str, average: Average = "per row", ties: Ties = "uniform"
    ) -> pd.Series:
        """As `Report.scores` over all rows, with ties broken as asked; nothing is ranked again."""
        report = replace(self.report, config=self.report.config.model_copy(update={"ties": ties}))
        return report.scores(model, domain, metric, average=average)

    def row_is(self, domain: str, column: str, value: object) -> pd.Series:
        """Bool per test row of a domain: whether a column of `Report.rows` has a value; in the order of the rows."""
        rows = self.report.rows[next(iter(self.models))][domain]
        return (rows[column] == value).set_axis(pd.MultiIndex.from_frame(rows[["user_id", "item_id"]]))


def prepare(
    choosing: Ground,
    final: Ground,
    models: Mapping[str, RankingModel],
    controls: Mapping[str, RankingModel],
    config: AuditConfig,
    say: Callable[[str], None],
) -> Subject:
    """Fit the controls that are not given, and rank all test rows with all models.

    Args:
        choosing: whose validation rows the controls' settings are chosen on.
        final: what is tested.
        models: to be audited.
        controls: fitted ones, by name.
        config: settings.
        say: told what happens.

    Raises:
        InputError: a model with the name of a control, or what fitting and evaluating refuse.
    """
    reserved = {*CONTROLS, *controls, TARGET_ONLY}
    for name in models:
        if name in reserved:
            raise InputError(f'audit: "{name}" is the name of a control; give the model another name')
    fitted = {name: controls.get(name) or _fit(name, choosing, final, config, say) for name in CONTROLS}
    named = {**models, **fitted, **controls}
    pairs = twin_pairs(final.split)
    ranked = dict(named)
    if _any_warm(final.split):
        ranked[TARGET_ONLY] = _fit(TARGET_ONLY, choosing, final, config, say)
    clock = time.perf_counter()
    report = evaluate(ranked, final.split, config.evaluation, pairs, links=final.links)
    say(f"ranked in {time.perf_counter() - clock:.1f} s")
    return Subject(choosing, final, named, tuple(models), pairs, report, config)


def of_domain(ground: Ground, domain: str) -> Ground:
    """The same, tested in one domain.

    Raises:
        InputError: the split does not test that domain.
    """
    split = ground.split
    if domain not in split.evaluated_domains:
        raise unknown_name("tested domain", domain, split.evaluated_domains)
    test, cold = (table[table["domain"] == domain].reset_index(drop=True) for table in (split.test, split.cold_users))
    return replace(ground, split=replace(split, test=test, cold_users=cold))


def _fit(
    name: str, choosing: Ground, final: Ground, config: AuditConfig, say: Callable[[str], None]
) -> RankingModel:
    clock = time.perf_counter()
    control = ItemKNN(joint=False) if name == TARGET_ONLY else BASELINES[name]()
    model = control.fit(choosing.graph, choosing.split, config.evaluation)
    if final is not choosing:
        model = control.refit(final.graph, final.split)
    say(f"{name}: fitted in {time.perf_counter() - clock:.1f} s")
    return model


def _any_warm(split: Split) -> bool:
    """Whether a test user has training rows in the domain that they are tested in."""
    tables = [split.rows("test", domain)["user_id"].isin(split.rows("train", domain)["user_id"])
              for domain in split.evaluated_domains]
    return any(bool(table.any()) for table in tables)
