"""What baselines have in common: candidates of settings, the choice on the validation rows, and the refit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from graph_schema.config import Config
from graph_schema.errors import InputError
from kgxfer.evaluation import EvaluationConfig, evaluate
from kgxfer.evaluation.rows import Average
from kgxfer.graph import KnowledgeGraph
from kgxfer.recommender import RankingModel
from kgxfer.splits import Split


def choice_metric(evaluation: EvaluationConfig) -> str:
    """The validation figure that settings are chosen by: NDCG@k, ranked as the evaluation ranks."""
    return f"{'sampled_ndcg' if evaluation.sampled_negatives else 'ndcg'}@{evaluation.k}"


def choice_average(evaluation: EvaluationConfig) -> Average:
    """How that figure is averaged: sampled ranking per row, full ranking per user."""
    return "per row" if evaluation.sampled_negatives else "per user"


def validated_domains(split: Split) -> list[str]:
    """Domains that are tested and have validation rows to choose on, source first."""
    validated = set(split.valid.loc[split.valid["relevant"], "domain"])
    return [name for name in split.evaluated_domains if name in validated]


class BaselineConfig(Config):
    """Settings of every baseline; `joint` False fits each domain by itself."""

    joint: bool = True


@dataclass(frozen=True)
class Candidate:
    """One combination of settings, and what fits a model with it.

    Attributes:
        settings: the values that differ between the candidates, by name; empty where there is nothing to choose.
        make: fits the model; called once when the candidate is tried.
    """

    settings: dict[str, Any]
    make: Callable[[], RankingModel]


class Baseline(ABC):
    """A control. Settings given as tuples are candidates; per domain the best by validation NDCG@k is kept.

    Attributes:
        chosen: after `fit`, domain -> the settings chosen for it.
    """

    config_class: ClassVar[type[BaselineConfig]] = BaselineConfig

    def __init__(self, config: BaselineConfig | None = None, **settings: Any) -> None:
        self.config = config or self.config_class.parse(settings, f"baseline {type(self).__name__}")
        self.chosen: dict[str, dict[str, Any]] = {}

    @abstractmethod
    def candidates(self, graph: KnowledgeGraph, split: Split) -> Sequence[Candidate]:
        """Return one candidate per combination of settings; the first is taken where nothing can be chosen.

        What the candidates share is computed once, here. Number and order depend on the configuration alone, so that
        the settings chosen on one graph can be fitted again on another.

        Raises:
            InputError: the data lack what the method needs, or the memory allowed is too small.
        """

    def fit(
        self,
        graph: KnowledgeGraph,
        split: Split,
        evaluation: EvaluationConfig | None = None,
    ) -> RankingModel:
        """Fit all candidates on the graph's interactions and keep, domain by domain, the best on the validation rows.

        Validation rows are ranked as the evaluation ranks test rows: sampled where it samples, else in full. A domain
        without such rows takes what the other one chose. At most three models are held at a time.

        Args:
            graph: built from the training rows of `split`.
            split: whose validation rows decide.
            evaluation: how validation rows are ranked.

        Raises:
            InputError: as `candidates`.
        """
        candidates = self.candidates(graph, split)
        choice = _Choice(split, evaluation)
        if len(candidates) > 1 and choice.possible:
            for number, candidate in enumerate(candidates):
                choice.consider(number, candidate.make())
        best = choice.best
        names = split.dataset.source.domain, split.dataset.target.domain
        self.chosen = {name: candidates[number].settings for name, number in zip(names, best, strict=True)}
        kept = choice.models or {number: candidates[number].make() for number in sorted(set(best))}
        return _joined(*(kept[number] for number in best))

    def refit(self, graph: KnowledgeGraph, split: Split) -> RankingModel:
        """Fit what was chosen on other rows, such as those of `Split.for_refit`.

        Raises:
            InputError: nothing was chosen yet; or as `candidates`.
        """
        if not self.chosen:
            raise InputError(f"{type(self).__name__}: nothing was fitted before; call fit first")
        candidates = self.candidates(graph, split)
        tried = [candidate.settings for candidate in candidates]
        numbers = [tried.index(settings) for settings in self.chosen.values()]
        made = {number: candidates[number].make() for number in sorted(set(numbers))}
        return _joined(*(made[number] for number in numbers))

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.config)
        return f"{type(self).__name__}({settings})"


def _joined(source: RankingModel, target: RankingModel) -> RankingModel:
    return target if source is target else PerDomain(source, target)


class PerDomain(RankingModel):
    """One chosen model per domain."""

    def __init__(self, source: RankingModel, target: RankingModel) -> None:
        super().__init__(target.catalogue)
        self.models = (source, target)

    def score_places(self, domain: int, places: np.ndarray) -> np.ndarray:
        """See `RankingModel.score_places`."""
        return self.models[domain].score_places(domain, places)


class _Choice:
    """The best candidate of each domain so far; of equals the first."""

    def __init__(self, split: Split, evaluation: EvaluationConfig | None) -> None:
        self._split = split
        self._config = (evaluation or EvaluationConfig()).model_copy(update={"twins": False})
        self._names = validated_domains(split)
        self._best: dict[str, tuple[float, int]] = {}
        self.models: dict[int, RankingModel] = {}

    @property
    def possible(self) -> bool:
        """Whether a domain that is tested has validation rows."""
        return bool(self._names)

    def consider(self, number: int, model: RankingModel) -> None:
        """Rank the validation rows with a candidate; models that are no domain's best any more are let go."""
        metric = choice_metric(self._config)
        report = evaluate({"candidate": model}, self._split, self._config, part="valid")
        for name in self._names:
            value = report.value("candidate", metric, name, average=choice_average(self._config))
            if name not in self._best or value > self._best[name][0]:
                self._best[name] = (value, number)
                self.models[number] = model
        leading = {best for _, best in self._best.values()}
        for beaten in set(self.models) - leading:
            del self.models[beaten]

    @property
    def best(self) -> tuple[int, int]:
        """Number of the chosen candidate in the source and in the target domain."""
        own = [self._best.get(domain.domain, (0.0, None))[1] for domain in self._split.dataset.domains]
        fallback = next((number for number in own if number is not None), 0)
        source, target = (fallback if number is None else number for number in own)
        return source, target
