"""Fit what a configuration names: baselines, then learned models seed by seed, then blends of both."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kgxfer.baselines import BASELINES, Baseline, Blend, greedy_blend
from kgxfer.bridges import shuffle_links
from kgxfer.experiment.config import BaselineRun, ModelRun, RunConfig
from kgxfer.experiment.state import Fitted, Ground, RunState, Trained
from kgxfer.graph import build_graph
from kgxfer.rng import numpy_generator
from kgxfer.training import Trainer


@dataclass(frozen=True)
class Talk:
    """How a run speaks: whether it shows progress bars, and who, if anybody, is told what happens, line by line."""

    progress: bool
    tell: Callable[[str], None] | None = None

    def say(self, line: str) -> None:
        """Tell a line."""
        if self.tell is not None:
            self.tell(line)


@dataclass(frozen=True)
class Place:
    """Where checkpoints go, and whether those that are there are continued."""

    checkpoints: Path
    resume: bool


def fit_baselines(config: RunConfig, state: RunState, talk: Talk) -> None:
    """Fit all baselines and remember the settings that they chose."""
    for name, run_of in config.baselines.items():
        clock = time.perf_counter()
        state.baselines[name], baseline = fit_baseline(name, run_of, config, state.choosing, state.final)
        state.settings[name] = baseline.chosen
        state.seconds[name] = time.perf_counter() - clock
        talk.say(f"{name}: fitted in {state.seconds[name]:.1f} s")


def fit_baseline(
    name: str, run_of: BaselineRun, config: RunConfig, choosing: Ground, final: Ground
) -> tuple[Fitted, Baseline]:
    """Choose on one ground; where the other is another, fit what was chosen there again."""
    kind = BASELINES[run_of.kind or name]
    baseline = kind(kind.config_class.parse(run_of.settings, f"baseline {name}"))
    chosen = baseline.fit(choosing.graph, choosing.split, config.evaluation)
    return Fitted(chosen, chosen if final is choosing else baseline.refit(final.graph, final.split)), baseline


def fit_models(config: RunConfig, state: RunState, place: Place, talk: Talk) -> None:
    """Train all learned models, each with all its seeds."""

    def remember(line: str) -> None:
        state.memory.append(line)
        talk.say(line)

    for name, run_of in config.models.items():
        grounds = [variant(config, ground, run_of) for ground in (state.choosing, state.final)]
        for number in range(run_of.seeds):
            seed, clock = config.seed + number, time.perf_counter()
            told = Talk(talk.progress, remember if number == 0 else None)
            state.trained.append(train(name, run_of, seed, config, grounds, place, told))
            state.seconds[f"{name}, seed {seed}"] = time.perf_counter() - clock
            talk.say(f"{name}, seed {seed}: trained in {state.seconds[f'{name}, seed {seed}']:.1f} s")


def fit_blends(config: RunConfig, state: RunState, talk: Talk) -> None:
    """Blend what was chosen, by its validation rows, and give what is tested the same weights.

    A blend has the seeds of its learned members; a member with fewer seeds joins the further ones with its first.
    """
    for name, run_of in config.blends.items():
        clock, members = time.perf_counter(), config.members_of(name)
        seeds = max(config.models[member].seeds if member in config.models else 1 for member in members)
        for seed in range(config.seed, config.seed + seeds):
            known = state.of_seed(config.seed, config.seed) | state.of_seed(seed, config.seed)
            chosen = greedy_blend(
                {member: known[member].chosen for member in members}, state.choosing.split, config.evaluation, run_of
            )
            final = {member: known[member].final for member in members}
            state.blends[name, seed] = Fitted(chosen, Blend(final, chosen.weights) if config.split.refit else chosen)
            state.weights[name, seed] = chosen.weights
        state.seconds[name] = time.perf_counter() - clock
        talk.say(f"{name}: blended in {state.seconds[name]:.1f} s")


def train(
    name: str, run_of: ModelRun, seed: int, config: RunConfig, grounds: list[Ground], place: Place, talk: Talk
) -> Trained:
    """Train one model of one seed; `grounds` are those of choosing and of what is tested."""
    choosing, final = grounds
    trainer, folder = Trainer(run_of.training), place.checkpoints / name / f"seed-{seed}"
    trainer.fit(
        run_of.model, choosing.graph, choosing.split, rng=seed, folder=folder, resume=place.resume,
        evaluation=config.evaluation, progress=talk.progress, say=talk.tell,
    )
    chosen = [record.recommender for record in trainer.records]
    if config.split.refit:
        trainer.refit(
            run_of.model, final.graph, final.split, rng=seed, folder=folder / "refit", resume=place.resume,
            progress=talk.progress,
        )
    return Trained(name, seed, trainer.records, trainer.history.table(), chosen)


def variant(config: RunConfig, ground: Ground, run_of: ModelRun) -> Ground:
    """The ground that a model is trained on: the run's, or a control of it."""
    if run_of.combine is None and run_of.links == "true":
        return ground
    links = ground.links
    if run_of.links == "shuffled":
        links = shuffle_links(links, numpy_generator(config.seed, "shuffled links"))
    return Ground(ground.split, links, build_graph(ground.split, links, run_of.combine or config.graph.combine))
