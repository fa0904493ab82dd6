"""What a run has made so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from kgxfer.bridges import propose_links
from kgxfer.bridges.review import apply_review, read_review
from kgxfer.evaluation.leakage import Finding, assert_clean
from kgxfer.experiment.config import TEACHER, GraphConfig
from kgxfer.graph import KnowledgeGraph, build_graph
from kgxfer.recommender import RankingModel, Recommender
from kgxfer.splits import Split
from kgxfer.training import PhaseRecord


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted model: as it was chosen, and as it is tested; the same unless the run refits."""

    chosen: RankingModel
    final: RankingModel


@dataclass(frozen=True, eq=False)
class Trained:
    """One learned model of one seed: what its phases did, their curves, and what each gave before any refit."""

    name: str
    seed: int
    records: list[PhaseRecord]
    history: pd.DataFrame
    chosen: list[Recommender]

    @property
    def models(self) -> dict[str, Fitted]:
        """The model by its name; where a student was distilled, its teacher too."""
        fitted = [Fitted(*pair) for pair in zip(self.chosen, (r.recommender for r in self.records), strict=True)]
        models = {self.name: fitted[-1]}
        if self.records[-1].phase.name == "distil":
            models[self.name + TEACHER] = fitted[-2]
        return models


@dataclass(frozen=True, eq=False)
class Ground:
    """A split with the links and the graph that its training rows give; `review` says what a person decided."""

    split: Split
    links: pd.DataFrame
    graph: KnowledgeGraph
    review: Mapping[str, Any] = field(default_factory=dict)

    @staticmethod
    def of(split: Split, config: GraphConfig) -> Ground:
        """Propose links and build the graph."""
        links, review = kept_links(split, config, propose_links(split, config.made()))
        return Ground(split, links, build_graph(split, links, config.combine), review)


def kept_links(split: Split, config: GraphConfig, proposed: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Proposed links that are certain enough or that a person accepted, and the record of the review."""
    if config.reviewed_links is None:
        return apply_review(proposed, None, config.minimum_confidence, config.undecided), {}
    review = read_review(Path(config.reviewed_links), split.dataset, config.reviewed_sha256)
    return apply_review(proposed, review, config.minimum_confidence, config.undecided), review.record(proposed)


@dataclass(eq=False)
class RunState:
    """What a run has made so far; `seconds` by step.

    Everything is chosen on `choosing`; what is tested was fitted on `final`, the same unless the run refits. `settings`
    are those chosen for the baselines, by name and domain; `blends` stand by name and seed, their weights by domain and
    member; `findings` are the leak checks' warnings, each once.
    """

    choosing: Ground
    final: Ground
    trained: list[Trained] = field(default_factory=list)
    baselines: dict[str, Fitted] = field(default_factory=dict)
    settings: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    blends: dict[tuple[str, int], Fitted] = field(default_factory=dict)
    weights: dict[tuple[str, int], dict[str, dict[str, float]]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    memory: list[str] = field(default_factory=list)

    def seeds(self, first: int) -> list[int]:
        """Seeds of the learned models, and the run's own, which everything without a seed belongs to."""
        return sorted({trained.seed for trained in self.trained} | {first})

    def of_seed(self, seed: int, first: int) -> dict[str, Fitted]:
        """Every model of a seed by name: learned ones, with the first seed the baselines, and blends."""
        models: dict[str, Fitted] = {}
        for trained in self.trained:
            models |= trained.models if trained.seed == seed else {}
        models |= self.baselines if seed == first else {}
        return models | {name: blend for (name, own), blend in self.blends.items() if own == seed}

    def check_leaks(self, models: dict[str, RankingModel] | None = None) -> None:
        """Look for leaks in what models are chosen on and fitted on, or in fitted models; keep the warnings.

        Raises:
            InputError: a leak that makes the figures worthless.
        """
        grounds = [self.final] if models or self.final is self.choosing else [self.choosing, self.final]
        for ground in grounds:
            found = assert_clean(ground.split, ground.graph, ground.links, models)
            self.findings += [finding for finding in found if str(finding) not in map(str, self.findings)]
