"""Evaluate fitted models on the test rows of a split: the same candidates, the same ties, the same averages for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import sparse

from graph_schema.config import Config
from graph_schema.errors import InputError, unknown_name
from kgxfer.evaluation import ratings
from kgxfer.evaluation.background import Background, read_background
from kgxfer.evaluation.groups import GROUPINGS, Grouped
from kgxfer.evaluation.lists import ALL_LISTS_METRICS, USER_LIST_METRICS, Lists
from kgxfer.evaluation.metrics import Ties
from kgxfer.evaluation.ranking import COUNTS, Part, Placement, place_rows
from kgxfer.evaluation.rows import TIE_SHARE, Average, RankedRows
from kgxfer.evaluation.sampled import ROW_METRICS, WITHOUT_CUT
from kgxfer.evaluation.twins import known_twins
from kgxfer.recommender import RankingModel
from kgxfer.splits import Split
from kgxfer.topk import MEMORY_MIB

ALL_ROWS, WITHOUT_TWINS, TWIN_ROWS = "all rows", "rows without twins", "twin rows"
TWIN = "twin"
STRICT = "without twins: "
"""Prefix of the columns of `Report.rows` that count without the user's known twins among the candidates."""


class EvaluationConfig(Config):
    """Settings.

    `sampled_negatives` 0 turns sampled ranking off. `exclude_other_positives` names the domains in which the user's
    other test items are left out of the sampled pool, as some published protocols do. `twins` adds the group of rows
    without twins, whose users' known twins are no candidates. `ties` says how equal scores are broken in all rank
    metrics: uniformly at random, integrated out, or all for or all against the positives, which only shows what ties
    are worth. `groups` adds figures by kind of user, length of history, popularity of the item, bridge and, with
    `twins`, of the twin rows alone. `memory_mib` bounds the scores, and the comparisons, that are held at a time.
    """

    k: int = Field(10, ge=1, le=1000)
    sampled_negatives: int = Field(0, ge=0)
    exclude_other_positives: tuple[str, ...] = ()
    twins: bool = False
    ties: Ties = "uniform"
    groups: bool = False
    memory_mib: int = Field(MEMORY_MIB, ge=1)


@dataclass(frozen=True, eq=False)
class Report:
    """Figures of all models.

    Attributes:
        figures: long table model, domain, group, ranking ("full", "sampled", "ratings"), average ("per user",
            "per row", "all users"), metric, value, count (users or rows averaged over).
        split_protocol, validation: what was tested, and whose rows served for choosing.
        rows: model -> domain -> the placements behind the figures, one line per test row: those of `place_rows`; with
            `twins` whether the row is one, and the counts without known twins; with `groups` a column per grouping.
        config: the settings.
    """

    figures: pd.DataFrame
    split_protocol: str
    validation: str
    rows: dict[str, dict[str, pd.DataFrame]] = field(default_factory=dict)
    config: EvaluationConfig = field(default_factory=EvaluationConfig)

    def value(self, model: str, metric: str, domain: str, group: str = ALL_ROWS, average: str | None = None) -> float:
        """One figure. Sampled metrics exist per row (the default) and per user."""
        table = self.figures
        chosen = table[
            (table["model"] == model)
            & (table["metric"] == metric)
            & (table["domain"] == domain)
            & (table["group"] == group)
        ]
        if average is not None:
            chosen = chosen[chosen["average"] == average]
        if not len(chosen):
            raise KeyError(f"no figure {metric} of {model} in {domain}, {group}")
        return float(chosen["value"].iloc[0])

    def scores(
        self, model: str, domain: str, metric: str, group: str = ALL_ROWS, average: Average = "per user"
    ) -> pd.Series:
        """The values that a figure of a rank metric is the mean of, by user or by row.

        Under full ranking a value per row takes that row as the user's only positive; `evaluation/rows.py` says more.

        Args:
            model, domain: as in `figures`.
            metric: a rank metric with any k, such as "ndcg@10", "auc" or "sampled_hr@10".
            group: as in `figures`.
            average: "per user" or "per row".

        Returns:
            Float, indexed by user_id, or by (user_id, item_id).

        Raises:
            InputError: a model, domain, metric or group that the report does not have.
        """
        if model not in self.rows:
            raise unknown_name("model", model, self.rows)
        if domain not in self.rows[model]:
            raise unknown_name("evaluated domain", domain, self.rows[model])
        rows = self.rows[model][domain]
        groups = _groups(rows, self.config)
        if group not in groups:
            raise unknown_name("group", group, groups)
        ranked = _ranked(rows, group, groups[group], domain, self.config)
        per_row = pd.MultiIndex.from_frame(ranked.rows[["user_id", "item_id"]])
        index = per_row if average == "per row" else ranked.users
        return pd.Series(ranked.values(metric, average), index=index, name=metric)

    def table(self, group: str = ALL_ROWS, average: str | None = None) -> pd.DataFrame:
        """Models by (domain, metric), sampled metrics per row unless `average` says otherwise."""
        chosen = self.figures[self.figures["group"] == group]
        if average is None:
            chosen = chosen[~((chosen["ranking"] == "sampled") & (chosen["average"] == "per user"))]
        else:
            chosen = chosen[chosen["average"] == average]
        wide = chosen.pivot_table(index="model", columns=["domain", "metric"], values="value", sort=False)
        return wide.reindex(pd.unique(chosen["model"]))

    def __str__(self) -> str:
        return f"{self.split_protocol}; chosen on: {self.validation}\n{self.table().T.round(4).to_string()}"


def evaluate(
    models: Mapping[str, RankingModel],
    split: Split,
    config: EvaluationConfig | None = None,
    twin_pairs: pd.DataFrame | None = None,
    part: Part = "test",
    links: pd.DataFrame | None = None,
) -> Report:
    """Evaluate fitted models.

    Args:
        models: name -> fitted model.
        split: the split that the models were fitted on.
        config: what to compute.
        twin_pairs: source_id, target_id; needed when `config.twins` is set, and detected from training rows.
        part: "test", or "valid" for choosing, which leaves out what choosing does not look at: figures of whole lists,
            ratings and groups.
        links: the link table of the graph, for the groups by bridge; without it users count as linked whose id both
            domains have.

    Raises:
        InputError: no model, no row of the part, a model fitted on another data set, twins asked for without pairs,
            settings that name a domain which the data set does not have, or test rows outside the split's candidates.
    """
    config = config or EvaluationConfig()
    if not models:
        raise InputError("evaluate: no models given; pass a mapping from names to fitted models")
    if config.twins and twin_pairs is None:
        raise InputError("evaluate: rows without twins need twin_pairs; pass kgxfer.bridges.twin_pairs(split)")
    for domain in config.exclude_other_positives:
        split.dataset.domain(domain)
    if not any(len(split.rows(part, domain)) for domain in split.evaluated_domains):
        raise InputError(f'evaluate: the split "{split.protocol}" has no relevant {part} row; hold some out')
    for name, model in models.items():
        _check_catalogue(name, model, split)
    figures: list[dict[str, object]] = []
    rows: dict[str, dict[str, pd.DataFrame]] = {name: {} for name in models}
    domains = {domain: table for domain in split.evaluated_domains if len(table := split.rows(part, domain))}
    ground = {domain: _ground(split, domain, table, config, links, part) for domain, table in domains.items()}
    for name, model in models.items():
        for domain in domains:
            found, rows[name][domain] = _evaluate_domain(model, split, domain, config, twin_pairs, part, ground[domain])
            figures += [{"model": name, "domain": domain, **figure} for figure in found]
    return Report(pd.DataFrame(figures), split.protocol, split.validation, rows, config)


def _check_catalogue(name: str, model: RankingModel, split: Split) -> None:
    for code, domain in enumerate(split.dataset.domains):
        known = model.catalogue.item_index(code)
        if model.catalogue.domain_names[code] != domain.domain or not known.equals(pd.Index(domain.items["item_id"])):
            raise InputError(
                f'model "{name}" was fitted on other items than data set "{split.dataset.name}" has; '
                "fit it on this data set"
            )


@dataclass(frozen=True, eq=False)
class _Ground:
    """What is the same for all models: group labels by row, and what lists are compared with; None when choosing."""

    labels: pd.DataFrame | None
    background: Background | None


def _ground(
    split: Split, domain: str, table: pd.DataFrame, config: EvaluationConfig, links: pd.DataFrame | None, part: Part
) -> _Ground:
    if part != "test":
        return _Ground(None, None)
    background = read_background(split, domain, pd.Index(table["user_id"].unique()))
    if not config.groups:
        return _Ground(None, background)
    grouped = Grouped(table[["user_id", "item_id"]].reset_index(drop=True), split, domain, links)
    return _Ground(pd.DataFrame({name: group(grouped) for name, group in GROUPINGS.items()}), background)


def _evaluate_domain(
    model: RankingModel,
    split: Split,
    domain: str,
    config: EvaluationConfig,
    pairs: pd.DataFrame | None,
    part: Part,
    ground: _Ground,
) -> tuple[list[dict[str, object]], pd.DataFrame]:
    code = model.catalogue.domain_code(domain)
    twins = known_twins(pairs, model.catalogue, code) if config.twins and pairs is not None else None
    dropped = (None,) if twins is None else (None, twins)
    placements = place_rows(model, split, part, domain, config.k, dropped, config.memory_mib)
    rows = placements[0].rows
    if twins is not None:
        places = model.catalogue.user_ids.get_indexer(rows["user_id"])
        rows[TWIN] = np.asarray(twins[places, placements[0].columns]).ravel().astype(bool)
        rows[[STRICT + name for name in COUNTS]] = placements[1].rows[list(COUNTS)]
    if ground.labels is not None:
        rows = pd.concat([rows, ground.labels], axis=1)
    figures: list[dict[str, object]] = []
    for group, mask in _groups(rows, config).items():
        figures += _rank_figures(_ranked(rows, group, mask, domain, config), group, config, part)
        if ground.background is not None and group in (ALL_ROWS, WITHOUT_TWINS):
            figures += _list_figures(placements[group == WITHOUT_TWINS], mask, group, ground.background)
    if part == "test":
        figures += _rating_figures(model, split, domain)
    return figures, rows


def _groups(rows: pd.DataFrame, config: EvaluationConfig) -> dict[str, pd.Series]:
    """Which rows each group holds, for groups that hold any; all rows come first."""
    groups = {ALL_ROWS: pd.Series(True, rows.index)}
    if TWIN in rows:
        groups[WITHOUT_TWINS] = ~rows[TWIN]
    if config.groups:
        named = [(label, rows[name]) for name in GROUPINGS if name in rows for label in sorted(set(rows[name]))]
        groups |= {label: labels == label for label, labels in named}
        groups |= {TWIN_ROWS: rows[TWIN]} if TWIN in rows else {}
    return {group: mask for group, mask in groups.items() if mask.any()}


def _ranked(rows: pd.DataFrame, group: str, mask: pd.Series, domain: str, config: EvaluationConfig) -> RankedRows:
    """The rows of one group, ready for metrics; those without twins with the counts without them."""
    if group == WITHOUT_TWINS:
        rows = rows.drop(columns=list(COUNTS)).rename(columns={STRICT + name: name for name in COUNTS})
    return RankedRows(rows[mask], config.sampled_negatives, domain in config.exclude_other_positives, config.ties)


def _figure(group: str, ranking: str, average: str, metric: str, values: np.ndarray) -> dict[str, object]:
    return {
        "group": group, "ranking": ranking, "average": average, "metric": metric, "value": float(values.mean()),
        "count": len(values),
    }


def _rank_figures(ranked: RankedRows, group: str, config: EvaluationConfig, part: Part) -> list[dict[str, object]]:
    """Full ranking per user, the tie share per row, sampled ranking both ways; for choosing, no ranks beyond k."""
    figures = []
    for metric in ranked.metrics(config.k):
        sampled = metric.partition("@")[0] in ROW_METRICS
        if metric in WITHOUT_CUT and part != "test":
            continue
        averages: tuple[Average, ...] = ("per row", "per user") if sampled else ("per user",)
        if metric == TIE_SHARE:
            averages = ("per row",)
        for average in averages:
            ranking = "sampled" if sampled else "full"
            figures.append(_figure(group, ranking, average, metric, ranked.values(metric, average)))
    return figures


def _list_figures(
    placement: Placement, kept: pd.Series, group: str, background: Background
) -> list[dict[str, object]]:
    """Figures of the lists of those users who have a row that is kept; these rows are what is relevant."""
    k = placement.top.shape[1]
    user, column = placement.rows["user"].to_numpy()[kept], placement.columns[kept]
    positives = sparse.csr_matrix(
        (np.ones(len(user), dtype=bool), (user, column)), shape=(len(placement.top), len(background.counts))
    )
    users = np.unique(user)
    top = placement.top[users]
    relevant = positives[np.repeat(users, k), top.ravel()]
    lists = Lists(top, np.asarray(relevant).reshape(top.shape) & (top >= 0), background.of_users(users))
    figures = []
    for name, metric in USER_LIST_METRICS.items():
        values = metric(lists)
        values = values[~np.isnan(values)]
        if len(values):
            figures.append(_figure(group, "full", "per user", f"{name}@{k}", values))
    for name, of_all in ALL_LISTS_METRICS.items():
        figure = _figure(group, "full", "all users", f"{name}@{k}", np.array([of_all(lists)]))
        figures.append(figure | {"count": len(users)})
    return figures


def _rating_figures(model: RankingModel, split: Split, domain: str) -> list[dict[str, object]]:
    pair = ratings.predict_ratings(model, split, domain)
    if pair is None:
        return []
    errors = (("mse", ratings.mse), ("rmse", ratings.rmse), ("mae", ratings.mae))
    return [
        _figure(ALL_ROWS, "ratings", "per row", name, np.array([metric(*pair)])) | {"count": len(pair[1])}
        for name, metric in errors
    ]
