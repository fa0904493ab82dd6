"""A run: from a configuration to one folder with everything in it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

import loaders
from graph_schema.errors import InputError
from kgxfer.baselines import BASELINES
from kgxfer.bridges import propose_links, shuffle_links, twin_pairs
from kgxfer.evaluation import Report, evaluate
from kgxfer.experiment.config import GraphConfig, ModelRun, RunConfig
from kgxfer.experiment.results import examples, manifest, stage_records, write_results
from kgxfer.files import disk_errors
from kgxfer.graph import KnowledgeGraph, build_graph
from kgxfer.recommender import RankingModel
from kgxfer.recommender_store import save_recommender
from kgxfer.rng import numpy_generator
from kgxfer.splits import SPLITS, Split
from kgxfer.training import PhaseRecord, Trainer


@dataclass(frozen=True, eq=False)
class Trained:
    """One learned model of one seed: what its phases did and their curves."""

    name: str
    seed: int
    records: list[PhaseRecord]
    history: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Ground:
    """A split with the links and the graph that its training rows give."""

    split: Split
    links: pd.DataFrame
    graph: KnowledgeGraph

    @staticmethod
    def of(split: Split, config: GraphConfig) -> Ground:
        """Propose links and build the graph."""
        links = propose_links(split, config.bridges)
        return Ground(split, links, build_graph(split, links, config.combine))


@dataclass(eq=False)
class RunState:
    """What a run has made so far; `seconds` by step.

    Everything is chosen on `choosing`; what is tested was fitted on `final`, the same unless the run refits.
    """

    choosing: Ground
    final: Ground
    trained: list[Trained] = field(default_factory=list)
    baselines: dict[str, RankingModel] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    memory: list[str] = field(default_factory=list)


def run(
    config: RunConfig,
    folder: Path,
    progress: bool = True,
    say: Callable[[str], None] = print,
    resume: bool = False,
) -> None:
    """Run a configuration and write one folder; its last file, `report.json`, is there only when everything is.

    Args:
        config: a checked configuration.
        folder: must not exist, unless `resume`.
        progress: show progress bars.
        say: told what happens and how much memory training will take, line by line.
        resume: continue an interrupted run from its checkpoints; the result is that of an uninterrupted one.

    Raises:
        InputError: anything wrong with the configuration, the data, the folder or the disk.
    """
    _check_folder(config, folder, resume)
    started = time.perf_counter()
    state = _prepare(config, say)
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "config.json").write_text(config.model_dump_json(indent=1))
        _fit_baselines(config, state, say)
        _fit_models(config, state, folder, progress, say, resume)
        reports = _evaluate(config, state, say)
        state.seconds["total"] = time.perf_counter() - started
        _finish(config, state, reports, folder)
    except InputError:
        # Nothing half-written is left of a run that never came as far as a checkpoint.
        if made and not list(folder.rglob("last.*")):
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):  # another run has begun beside this one
                for place in made[1:]:
                    place.rmdir()
        raise


def _check_folder(config: RunConfig, folder: Path, resume: bool) -> None:
    if not folder.exists():
        return
    saved = folder / "config.json"
    if not resume:
        hint = "; --resume continues an interrupted run" if saved.is_file() else ""
        raise InputError(f'"{folder}" exists already; give another folder or remove it{hint}')
    if (folder / "report.json").is_file():
        raise InputError(f'the run in "{folder}" is complete; there is nothing to resume')
    if not saved.is_file():
        raise InputError(f'"{folder}" holds no run to resume (no config.json); start a new run in another folder')
    if json.loads(saved.read_text()) != json.loads(config.model_dump_json()):
        raise InputError(f'"{folder}" was begun with another configuration; resume with that one or start a new run')


def _prepare(config: RunConfig, say: Callable[[str], None]) -> RunState:
    clock = time.perf_counter()
    dataset = loaders.load(config.data.name, root=config.data.root, **config.data.options)
    for domain in config.evaluation.exclude_other_positives:
        dataset.domain(domain)
    protocol = SPLITS[config.split.protocol]
    split = protocol(protocol.config_class.parse(config.split.settings, "split")).split(dataset, rng=config.seed)  # type: ignore[arg-type]
    loaded = time.perf_counter()
    choosing = Ground.of(split, config.graph)
    final = Ground.of(split.for_refit(), config.graph) if config.split.refit else choosing
    say(f"{dataset.name}: {split.protocol}; chosen on {final.split.validation}")
    say(repr(final.graph))
    built = time.perf_counter()
    return RunState(choosing, final, seconds={"load": loaded - clock, "graph": built - loaded})


def _fit_baselines(config: RunConfig, state: RunState, say: Callable[[str], None]) -> None:
    for name, run_of in config.baselines.items():
        kind = BASELINES[run_of.kind or name]
        clock = time.perf_counter()
        baseline = kind(kind.config_class.parse(run_of.settings, f"baseline {name}"))
        refit = (state.final.graph, state.final.split) if config.split.refit else None
        choosing = state.choosing
        state.baselines[name] = baseline.fit(choosing.graph, choosing.split, config.evaluation, refit)
        state.seconds[name] = time.perf_counter() - clock
        say(f"{name}: fitted in {state.seconds[name]:.1f} s")


def _fit_models(
    config: RunConfig, state: RunState, folder: Path, progress: bool, say: Callable[[str], None], resume: bool
) -> None:
    def remember(line: str) -> None:
        state.memory.append(line)
        say(line)

    for name, run_of in config.models.items():
        graphs = [_variant(config, ground, run_of) for ground in (state.choosing, state.final)]
        for number in range(run_of.seeds):
            seed, clock = config.seed + number, time.perf_counter()
            trainer, place = Trainer(run_of.training), folder / "checkpoints" / name / f"seed-{seed}"
            trainer.fit(
                run_of.model, graphs[0], state.choosing.split, rng=seed, folder=place, resume=resume,
                evaluation=config.evaluation, progress=progress, say=remember if number == 0 else None,
            )
            if config.split.refit:
                trainer.refit(
                    run_of.model, graphs[1], state.final.split, rng=seed, folder=place / "refit", resume=resume,
                    progress=progress,
                )
            state.trained.append(Trained(name, seed, trainer.records, trainer.history.table()))
            state.seconds[f"{name}, seed {seed}"] = time.perf_counter() - clock
            say(f"{name}, seed {seed}: trained in {state.seconds[f'{name}, seed {seed}']:.1f} s")


def _variant(config: RunConfig, ground: Ground, run_of: ModelRun) -> KnowledgeGraph:
    """The graph that a model is trained on: the run's, or a control of it."""
    if run_of.combine is None and run_of.links == "true":
        return ground.graph
    links = ground.links
    if run_of.links == "shuffled":
        links = shuffle_links(links, numpy_generator(config.seed, "shuffled links"))
    return build_graph(ground.split, links, run_of.combine or config.graph.combine)


def _evaluate(config: RunConfig, state: RunState, say: Callable[[str], None]) -> list[tuple[int, Report]]:
    """One report per seed of the learned models; baselines have no seed and stand in the first."""
    clock = time.perf_counter()
    pairs = twin_pairs(state.final.split) if config.evaluation.twins else None
    reports = []
    for seed in sorted({trained.seed for trained in state.trained} | {config.seed}):
        models: dict[str, RankingModel] = {}
        for trained in (trained for trained in state.trained if trained.seed == seed):
            models[trained.name] = trained.records[-1].recommender
            if trained.records[-1].phase.name == "distil":
                models[f"{trained.name} (teacher)"] = trained.records[-2].recommender
        if seed == config.seed:
            models |= state.baselines
        reports.append((seed, evaluate(models, state.final.split, config.evaluation, pairs)))
    state.seconds["evaluate"] = time.perf_counter() - clock
    say(f"evaluated in {state.seconds['evaluate']:.1f} s")
    return reports


def _finish(config: RunConfig, state: RunState, reports: list[tuple[int, Report]], folder: Path) -> None:
    first = {trained.name: trained for trained in reversed(state.trained)}
    for name, trained in first.items():
        target = folder / "models" / name
        if target.exists():
            shutil.rmtree(target)
        save_recommender(trained.records[-1].recommender, target)
    fitted = {name: trained.records[-1].recommender for name, trained in first.items()} | state.baselines
    figures = pd.concat([report.figures.assign(seed=seed) for seed, report in reports], ignore_index=True)
    history = [trained.history.assign(model=trained.name, seed=trained.seed) for trained in state.trained]
    write_results(
        folder,
        config,
        figures=figures,
        history=pd.concat(history, ignore_index=True) if history else pd.DataFrame(),
        stages=stage_records(state.trained, config.evaluation.k),
        first=[first[name] for name in config.models],
        fitted={name: fitted[name] for name in [*config.models, *config.baselines]},
        shown=examples(state.final.split, fitted, [*config.models, *config.baselines]),
        facts=manifest(config, state),
    )


