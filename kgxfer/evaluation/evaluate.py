"""Evaluate fitted models on the test rows of a split: the same candidates, the same ties, the same averages for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import sparse

from graph_schema.errors import InputError
from kgxfer.config import Config
from kgxfer.evaluation import metrics, ratings
from kgxfer.evaluation.ranking import Part, Placement, place_rows
from kgxfer.evaluation.twins import known_twins
from kgxfer.recommender import RankingModel
from kgxfer.splits import Split

ALL_ROWS, WITHOUT_TWINS = "all rows", "rows without twins"


class EvaluationConfig(Config):
    """Settings.

    `sampled_negatives` 0 turns sampled ranking off. `exclude_other_positives` names the domains in which the user's
    other test items are left out of the sampled pool, as some published protocols do. `twins` adds the group of rows
    without twins, whose users' known twins are no candidates.
    """

    k: int = Field(10, ge=1, le=1000)
    sampled_negatives: int = Field(0, ge=0)
    exclude_other_positives: tuple[str, ...] = ()
    twins: bool = False


@dataclass(frozen=True, eq=False)
class Report:
    """Figures of all models.

    Attributes:
        figures: long table model, domain, group, ranking ("full", "sampled", "ratings"), average ("per user",
            "per row", "all users"), metric, value, count (users or rows averaged over).
        rows: model -> domain -> the placements behind the figures, one line per test row.
        split_protocol, validation: what was tested, and whose rows served for choosing.
    """

    figures: pd.DataFrame
    split_protocol: str
    validation: str
    rows: dict[str, dict[str, pd.DataFrame]] = field(default_factory=dict)

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
        return f"{self.split_protocol}; chosen on: {self.validation}\n{self.table().round(4).to_string()}"


def evaluate(
    models: Mapping[str, RankingModel],
    split: Split,
    config: EvaluationConfig | None = None,
    twin_pairs: pd.DataFrame | None = None,
    part: Part = "test",
) -> Report:
    """Evaluate fitted models.

    Args:
        models: name -> fitted model.
        split: the split that the models were fitted on.
        config: what to compute.
        twin_pairs: source_id, target_id; needed when `config.twins` is set, and detected from training rows.
        part: "test", or "valid" for choosing.

    Raises:
        InputError: no model, no row of the part, a model fitted on another data set, twins asked for without pairs, or
            settings that name a domain which the data set does not have.
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
    figures: list[dict[str, object]] = []
    rows: dict[str, dict[str, pd.DataFrame]] = {}
    for name, model in models.items():
        _check_catalogue(name, model, split)
        for domain in split.evaluated_domains:
            if not len(split.rows(part, domain)):
                continue
            found, placed = _evaluate_domain(model, split, domain, config, twin_pairs, part)
            figures += [{"model": name, "domain": domain, **figure} for figure in found]
            rows.setdefault(name, {})[domain] = placed
    return Report(pd.DataFrame(figures), split.protocol, split.validation, rows)


def _check_catalogue(name: str, model: RankingModel, split: Split) -> None:
    for code, domain in enumerate(split.dataset.domains):
        known = model.catalogue.item_index(code)
        if model.catalogue.domain_names[code] != domain.domain or not known.equals(pd.Index(domain.items["item_id"])):
            raise InputError(
                f'model "{name}" was fitted on other items than data set "{split.dataset.name}" has; '
                "fit it on this data set"
            )


def _evaluate_domain(
    model: RankingModel, split: Split, domain: str, config: EvaluationConfig, pairs: pd.DataFrame | None, part: Part
) -> tuple[list[dict[str, object]], pd.DataFrame]:
    twins = None
    if config.twins and pairs is not None:
        twins = known_twins(pairs, model.catalogue, model.catalogue.domain_code(domain))
    placement, *strict = place_rows(model, split, part, domain, config.k, (None,) if twins is None else (None, twins))
    figures = _figures(placement, domain, config, ALL_ROWS, every_rank=part == "test")
    if part == "test":
        figures += _rating_figures(model, split, domain)
    if twins is not None:
        marked = _marked(placement.rows, twins, model, domain)
        kept = strict[0].rows[~marked]
        if len(kept):
            kept = kept.assign(user=pd.factorize(kept["user_id"])[0])
            figures += _figures(Placement(kept, strict[0].top, strict[0].items), domain, config, WITHOUT_TWINS)
        placement.rows["twin"] = marked
    return figures, placement.rows


def _marked(rows: pd.DataFrame, twins: sparse.csr_matrix, model: RankingModel, domain: str) -> np.ndarray:
    code = model.catalogue.domain_code(domain)
    places = model.catalogue.user_ids.get_indexer(rows["user_id"])
    columns = model.catalogue.item_index(code).get_indexer(rows["item_id"])
    return np.asarray(twins[places, columns]).ravel().astype(bool)


def _figures(
    placement: Placement, domain: str, config: EvaluationConfig, group: str, every_rank: bool = True
) -> list[dict[str, object]]:
    """All figures of a group; without `every_rank`, as in choosing, those of sampled ranks beyond k are left out."""
    rows = placement.rows
    positives = metrics.Positives(rows["user"].to_numpy(), rows["above"].to_numpy(), rows["tied"].to_numpy())
    figures: list[dict[str, object]] = []

    def add(ranking: str, average: str, metric: str, values: np.ndarray) -> None:
        figures.append(
            {
                "group": group, "ranking": ranking, "average": average, "metric": metric, "value": float(values.mean()),
                "count": len(values),
            }
        )

    for name, metric in metrics.LIST_METRICS.items():
        add("full", "per user", f"{name}@{config.k}", metric(positives, config.k))
    figures.append(
        {
            "group": group, "ranking": "full", "average": "all users", "metric": f"coverage@{config.k}",
            "value": metrics.coverage(placement.top, placement.items), "count": positives.users,
        }
    )
    if config.sampled_negatives:
        ranks = _sampled(rows, domain, config, config.sampled_negatives + 1 if every_rank else config.k)
        for name, row_metric in metrics.ROW_METRICS.items():
            if name == "sampled_mrr" and not every_rank:
                continue
            values = row_metric(ranks, config.k)
            label = name if name == "sampled_mrr" else f"{name}@{config.k}"
            add("sampled", "per row", label, values)
            add("sampled", "per user", label, positives.per_user(values) / positives.relevant)
    return figures


def _sampled(rows: pd.DataFrame, domain: str, config: EvaluationConfig, ranks: int) -> np.ndarray:
    above, tied, pool = (rows[name].to_numpy() for name in ("above", "tied", "candidates"))
    tied, pool = tied - 1, pool - 1
    if domain in config.exclude_other_positives:
        above, tied = above - rows["positives_above"].to_numpy(), tied - rows["positives_tied"].to_numpy()
        pool = pool - rows["positives_other"].to_numpy()
    return metrics.sampled_ranks(above, tied, pool, config.sampled_negatives, ranks)


def _rating_figures(model: RankingModel, split: Split, domain: str) -> list[dict[str, object]]:
    pair = ratings.predict_ratings(model, split, domain)
    if pair is None:
        return []
    return [
        {
            "group": ALL_ROWS, "ranking": "ratings", "average": "per row", "metric": name, "value": metric(*pair),
            "count": len(pair[1]),
        }
        for name, metric in (("mse", ratings.mse), ("rmse", ratings.rmse))
    ]
