"""A run: from a configuration to one folder with everything in it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pandas as pd

from graph_schema.errors import InputError
from kgxfer.bridges import twin_pairs
from kgxfer.evaluation import evaluate
from kgxfer.experiment.bridge_controls import COLUMNS, bridge_controls
from kgxfer.experiment.config import RunConfig
from kgxfer.experiment.decisions import decide, validation_figures
from kgxfer.experiment.fitting import Place, Talk, fit_baselines, fit_blends, fit_models
from kgxfer.experiment.page_statistics import verdicts
from kgxfer.experiment.results import Outcome, write_results
from kgxfer.experiment.run_folder import RunFolder
from kgxfer.experiment.state import Ground, RunState
from kgxfer.recommender import RankingModel
from kgxfer.recommender_store import save_recommender
from loaders.files import disk_errors


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
        InputError: anything wrong with the configuration, the data, the folder or the disk; a leak.
    """
    _check_folder(config, folder, resume)
    started = time.perf_counter()
    talk = Talk(progress, say)
    state = _prepare(config, say)
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "config.json").write_text(config.model_dump_json(indent=1))
        fit_baselines(config, state, talk)
        place = Place(folder / "checkpoints", resume)
        fit_models(config, state, place, talk)
        fit_blends(config, state, talk)
        _check_leaks(state, say, _all_models(config, state))
        outcome = _evaluate(config, state, place, talk)
        state.seconds["total"] = time.perf_counter() - started
        _finish(config, state, outcome, folder)
        for sentence in verdicts(RunFolder.read(folder)):
            say(sentence)
    except InputError:
        # Nothing half-written is left of a run that never came as far as a checkpoint.
        if made and not list(folder.rglob("last.*")):
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):  # another run has begun beside this one
                for parent in made[1:]:
                    parent.rmdir()
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
    dataset = config.data.load(say)
    for domain in config.evaluation.exclude_other_positives:
        dataset.domain(domain)
    split = config.split.of(dataset, config.seed)
    loaded = time.perf_counter()
    choosing = Ground.of(split, config.graph)
    final = Ground.of(split.for_refit(), config.graph) if config.split.refit else choosing
    say(f"{dataset.name}: {split.protocol}; chosen on {final.split.validation}")
    say(repr(final.graph))
    built = time.perf_counter()
    state = RunState(choosing, final, seconds={"load": loaded - clock, "graph": built - loaded})
    _check_leaks(state, say)
    return state


def _check_leaks(state: RunState, say: Callable[[str], None], models: dict[str, RankingModel] | None = None) -> None:
    """Fail on a leak, and tell what is new to be warned of."""
    clock, told = time.perf_counter(), len(state.findings)
    state.check_leaks(models)
    for finding in state.findings[told:]:
        say(str(finding))
    state.seconds["leak checks"] = state.seconds.get("leak checks", 0.0) + time.perf_counter() - clock


def _all_models(config: RunConfig, state: RunState) -> dict[str, RankingModel]:
    """What is tested, of every seed; the name of a further seed says so."""
    return {
        name if seed == config.seed else f"{name}, seed {seed}": fitted.final
        for seed in state.seeds(config.seed)
        for name, fitted in state.of_seed(seed, config.seed).items()
    }


def _evaluate(config: RunConfig, state: RunState, place: Place, talk: Talk) -> Outcome:
    """Figures per seed of the learned models; baselines have no seed and stand with the first."""
    clock = time.perf_counter()
    pairs = twin_pairs(state.final.split) if config.evaluation.twins else None
    reports = []
    for seed in state.seeds(config.seed):
        models = {name: fitted.final for name, fitted in state.of_seed(seed, config.seed).items()}
        reports.append((seed, evaluate(models, state.final.split, config.evaluation, pairs, links=state.final.links)))
    figures = pd.concat([report.figures.assign(seed=seed) for seed, report in reports], ignore_index=True)
    evaluated = time.perf_counter()
    validation = validation_figures(config, state)
    decisions = decide(config, [report for _, report in reports], validation)
    state.seconds |= {"evaluate": evaluated - clock, "compare": time.perf_counter() - evaluated}
    talk.say(f"evaluated in {state.seconds['evaluate']:.1f} s, compared in {state.seconds['compare']:.1f} s")
    bridges = pd.DataFrame(columns=list(COLUMNS))
    if config.bridge_controls.enabled:
        clock = time.perf_counter()
        bridges = bridge_controls(config, state, place, talk)
        state.seconds["bridge controls"] = time.perf_counter() - clock
    return Outcome(figures, validation, decisions, bridges)


def _finish(config: RunConfig, state: RunState, outcome: Outcome, folder: Path) -> None:
    first = {trained.name: trained for trained in reversed(state.trained)}
    for name, trained in first.items():
        target = folder / "models" / name
        if target.exists():
            shutil.rmtree(target)
        save_recommender(trained.records[-1].recommender, target)
    of_first = state.of_seed(config.seed, config.seed)
    fitted = {name: of_first[name].final for name in (*config.models, *config.baselines, *config.blends)}
    write_results(folder, config, state, outcome, fitted)
