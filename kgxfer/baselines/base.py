"""What baselines have in common: fit on a graph and a split, choose their settings on the validation rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from kgxfer.config import Config
from kgxfer.evaluation import EvaluationConfig, evaluate
from kgxfer.graph import KnowledgeGraph
from kgxfer.recommender import RankingModel
from kgxfer.splits import Split

CHOICE_METRIC = {True: "sampled_ndcg", False: "ndcg"}


class BaselineConfig(Config):
    """Settings of every baseline; `joint` False fits each domain by itself."""

    joint: bool = True


class Baseline(ABC):
    """A control. Settings given as tuples are candidates; per domain the best by validation NDCG@10 is kept."""

    config_class: ClassVar[type[BaselineConfig]] = BaselineConfig

    def __init__(self, config: BaselineConfig | None = None, **settings: Any) -> None:
        self.config = config or self.config_class.parse(settings, f"baseline {type(self).__name__}")

    @abstractmethod
    def fit(self, graph: KnowledgeGraph, split: Split, evaluation: EvaluationConfig | None = None) -> RankingModel:
        """Fit on the graph's interactions; `evaluation` says how validation rows are ranked for choosing."""

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.config)
        return f"{type(self).__name__}({settings})"


class PerDomain(RankingModel):
    """One chosen model per domain."""

    def __init__(self, source: RankingModel, target: RankingModel) -> None:
        super().__init__(target.catalogue)
        self.models = (source, target)

    def score_places(self, domain: int, places: np.ndarray) -> np.ndarray:
        """See `RankingModel.score_places`."""
        return self.models[domain].score_places(domain, places)


def choose_per_domain(
    candidates: Iterable[RankingModel], split: Split, evaluation: EvaluationConfig | None
) -> RankingModel:
    """Keep the candidate with the best NDCG@10 on the validation rows, domain by domain; the first without such rows.

    Validation rows are ranked as the evaluation ranks test rows: sampled where it samples, else in full.
    """
    candidates = list(candidates)
    config = (evaluation or EvaluationConfig()).model_copy(update={"twins": False})
    names = split.dataset.source.domain, split.dataset.target.domain
    validated = set(split.valid.loc[split.valid["relevant"], "domain"]) & set(split.evaluated_domains)
    present = [name in validated for name in names]
    if len(candidates) == 1 or not any(present):
        return candidates[0]
    report = evaluate({str(i): model for i, model in enumerate(candidates)}, split, config, part="valid")
    metric = f"{CHOICE_METRIC[config.sampled_negatives > 0]}@{config.k}"
    best = [0, 0]
    for code, name in enumerate(names):
        if present[code]:
            values = [report.value(str(i), metric, name) for i in range(len(candidates))]
            best[code] = int(np.argmax(values))
    if not present[0]:
        best[0] = best[1]
    if not present[1]:
        best[1] = best[0]
    return PerDomain(candidates[best[0]], candidates[best[1]])
