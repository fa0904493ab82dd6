"""Accuracy on published splits, one command per table: ``python -m benchmarks.accuracy TABLE [DATA_SET ...]``.

Tables:
    cdrib: controls and learned controls on CDRIB's cold-start files; settings are chosen on the files' validation
        rows, which are the test users' own, as the published tables do.
    cdrib-strict: the same contenders and the greedy blend of them, chosen on one half of the cold-start users and
        scored on the other half's test rows; rows without twins, known twins no candidates.
    disencdr: controls on DisenCDR's leave-one-out files, chosen on rows taken from training and fitted again with them.
    transfer: what `benchmarks/configs/DATA_SET.toml` runs, kgxfer's own model first of all.

Each data set gives one JSON file in `benchmarks/results`, written anew after every contender. ``python -m
benchmarks.accuracy render`` makes `benchmarks/README.md` and `benchmarks/results/accuracy.html` of these files and of
`quoted.toml`.
"""

from __future__ import annotations

import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

import loaders
from benchmarks.pages import render
from graph_schema.errors import InputError, unknown_name
from kgxfer import experiment
from kgxfer.baselines import BASELINES
from kgxfer.baselines.blend import greedy_blend
from kgxfer.bridges import propose_links, twin_pairs
from kgxfer.evaluation import ALL_ROWS, WITHOUT_TWINS, EvaluationConfig, Report, evaluate
from kgxfer.graph import KnowledgeGraph, build_graph
from kgxfer.model import TransferModel
from kgxfer.recommender import RankingModel
from kgxfer.splits import FixedFiles, Split, cross_fit
from kgxfer.training import Trainer

CONFIGS, RESULTS = (Path(__file__).parent / folder for folder in ("configs", "results"))
VERSIONS = ("kgxfer", "torch", "numpy", "scipy", "pandas", "lightning")
BLENDED = ("popularity", "item_knn", "personalised_pagerank", "lightgcn", "bpr")
MONITOR = "sampled_ndcg@10"


@dataclass(frozen=True)
class Ground:
    """What contenders are fitted on; with `final`, what they are fitted on again once they have chosen."""

    split: Split
    graph: KnowledgeGraph
    evaluation: EvaluationConfig
    final: Ground | None = None


@dataclass(frozen=True)
class Contender:
    """A control or a learned model; `seeds` is 1 for what has no seed."""

    fit: Callable[[Ground, int], RankingModel]
    seeds: int = 1


def control(kind: str, **settings: Any) -> Contender:
    """A baseline, its settings chosen on the validation rows."""

    def fit(ground: Ground, _: int) -> RankingModel:
        baseline = BASELINES[kind](**settings)
        model = baseline.fit(ground.graph, ground.split, ground.evaluation)
        return model if ground.final is None else baseline.refit(ground.final.graph, ground.final.split)

    return Contender(fit)


def learned(model: TransferModel, seeds: int, **training: Any) -> Contender:
    """A model of the training loop, its steps chosen on the validation rows."""

    def fit(ground: Ground, seed: int) -> RankingModel:
        trainer = Trainer(monitor=MONITOR, **training)
        return trainer.fit(model, ground.graph, ground.split, rng=seed, evaluation=ground.evaluation)

    return Contender(fit, seeds)


PLAIN = {"item_bias": False, "popularity": False, "learn_scale": False}
LIGHTGCN = TransferModel("lightgcn", scorer={**PLAIN, "scale": 4.0}, encoder_settings={"learning_rate": 5e-3})
"""Sampled softmax at temperature 0.25 over three mean layers."""
BPR = TransferModel(
    "mf", loss="bpr", l2=5e-3, encoder_settings={"learning_rate": 2e-2, "initial_deviation": 0.1},
    scorer={"learning_rate": 2e-2, "popularity": False, "learn_scale": False},
)
"""Matrix factorisation with item bias; without the decay it stops at little more than popularity."""
BPR_ROWS = {"rows_per_domain": 8192, "negatives": 64}


def contenders(seeds: int) -> dict[str, Contender]:
    """Everything that CDRIB's tables compare."""
    joint = ("popularity", "item_knn", "user_knn", "personalised_pagerank", "rp3beta", "pure_svd", "ials", "emcdr")
    return {
        **{kind: control(kind) for kind in joint},
        "item_knn, target only": control("item_knn", joint=False),
        "ease": control("ease", regularisation=(100.0,)),
        "lightgcn": learned(LIGHTGCN, seeds, epochs=12, steps_per_epoch=25, patience=3),
        "bpr": learned(BPR, seeds, epochs=40, steps_per_epoch=60, patience=5, supervision_settings=BPR_ROWS),
    }


def cdrib(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Controls on the published files, one at a time."""
    ground = _ground(name, FixedFiles(choose_on="files"))
    yield from _compare(ground, contenders(seeds=5))


def cdrib_strict(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Cross-fitted by user: per model the row scores of both halves' test rows, averaged together."""
    base = _ground(name, FixedFiles(choose_on="files"))
    chosen = {member: contenders(seeds=1)[member] for member in BLENDED}
    reports = []
    for number, half in enumerate(cross_fit(base.split, rng=0)):
        ground = Ground(half, base.graph, base.evaluation)
        members = {}
        for member, contender in chosen.items():
            clock = time.perf_counter()
            members[member] = contender.fit(ground, 0)
            print(f"{name}, half {number + 1}: {member} in {time.perf_counter() - clock:.0f} s", flush=True)
        blend = greedy_blend(members, half, ground.evaluation)
        print(f"{name}, half {number + 1}: blend weights {blend.weights}", flush=True)
        reports.append(_report({**members, "greedy blend": blend}, ground))
    for member in (*chosen, "greedy blend"):
        yield member, {"seeds": [_pooled(reports, member)]}


def disencdr(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Controls on the leave-one-out files."""
    ground = _ground(name, FixedFiles(choose_on="training_rows"))
    full = ground.split.for_refit()
    ground = replace(ground, final=replace(ground, split=full, graph=_graph(full)))
    compared = {
        "popularity": control("popularity"),
        "item_knn, target only": control("item_knn", joint=False),
        "item_knn": control("item_knn"),
        "personalised_pagerank": control("personalised_pagerank"),
    }
    yield from _compare(ground, compared)


def transfer(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The figures of a whole run, with the seconds of a seed."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"
        experiment.run(experiment.load_config(CONFIGS / f"{name}.toml"), folder)
        figures = pd.read_parquet(folder / "figures.parquet")
        seconds = json.loads((folder / "manifest.json").read_text())["seconds"]
    for model, rows in figures.groupby("model", sort=False):
        seeds = [_stated(part) for _, part in rows.groupby("seed")]
        taken = [value for step, value in seconds.items() if step == model or step.startswith(f"{model}, seed")]
        yield str(model), {"seeds": seeds, "seconds": round(sum(taken) / max(len(taken), 1), 1)}


CDRIB_PAIRS = ("cdrib-game-video", "cdrib-cloth-sport")
DISENCDR_PAIRS = tuple(name for name in loaders.DATA_SETS if name.startswith("disencdr-"))
TABLES: Mapping[str, tuple[Callable[[str], Iterator[tuple[str, dict[str, Any]]]], tuple[str, ...]]] = {
    "cdrib": (cdrib, CDRIB_PAIRS),
    "cdrib-strict": (cdrib_strict, CDRIB_PAIRS),
    "disencdr": (disencdr, DISENCDR_PAIRS),
    "transfer": (transfer, tuple(path.stem for path in sorted(CONFIGS.glob("*.toml")))),
}


def _ground(name: str, protocol: FixedFiles) -> Ground:
    dataset = loaders.load(name)
    split = protocol.split(dataset, rng=0)
    # The origin leaves the user's other test items out of the negatives in the first-named domain alone.
    excluded = (dataset.source.domain,) if name.startswith("cdrib-") else ()
    evaluation = EvaluationConfig(sampled_negatives=999, twins=True, exclude_other_positives=excluded)
    return Ground(split, _graph(split), evaluation)


def _graph(split: Split) -> KnowledgeGraph:
    return build_graph(split, propose_links(split, ["shared_id"]), "collapse")


def _compare(ground: Ground, compared: Mapping[str, Contender]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, contender in compared.items():
        figures, clock = [], time.perf_counter()
        try:
            for seed in range(contender.seeds):
                figures.append(_figures(_report({name: contender.fit(ground, seed)}, ground), name))
        except InputError as refusal:  # EASE says where its matrix does not fit
            yield name, {"refused": str(refusal), "seeds": []}
            continue
        seconds = (time.perf_counter() - clock) / contender.seeds
        yield name, {"seeds": figures, "seconds": round(seconds, 1)}


def _report(models: Mapping[str, RankingModel], ground: Ground) -> Report:
    split = ground.split if ground.final is None else ground.final.split
    return evaluate(models, split, ground.evaluation, twin_pairs(split))


def _figures(report: Report, model: str) -> list[dict[str, Any]]:
    return _stated(report.figures[report.figures["model"] == model])


def _stated(figures: pd.DataFrame) -> list[dict[str, Any]]:
    rows = figures[(figures["average"] == "per row") & figures["group"].isin([ALL_ROWS, WITHOUT_TWINS])]
    rows = rows[rows["metric"].isin(["sampled_hr@10", "sampled_ndcg@10"])]
    return [dict(row) for row in rows[["domain", "group", "metric", "value", "count"]].to_dict("records")]


def _pooled(reports: list[Report], model: str) -> list[dict[str, Any]]:
    """Figures over the rows of both halves; every row is in one of them."""
    tables = []
    for number, report in enumerate(reports):
        tables.append(pd.DataFrame(_figures(report, model)).assign(half=number))
    rows = pd.concat(tables)
    rows["value"] *= rows["count"]
    pooled = rows.groupby(["domain", "group", "metric"], sort=False, as_index=False)[["value", "count"]].sum()
    pooled["value"] /= pooled["count"]
    return [dict(row) for row in pooled.to_dict("records")]


def run(table: str, name: str) -> None:
    """Fill one table for one data set; the file is written anew after every contender."""
    fill, _ = TABLES[table]
    dataset = loaders.load(name)
    facts = {
        "table": table, "data_set": name, "fingerprint": dataset.fingerprint,
        "split": FixedFiles().split(dataset).fingerprint,
        "environment": {"python": platform.python_version(), **{part: metadata.version(part) for part in VERSIONS}},
    }
    models: dict[str, Any] = {}
    for model, found in fill(name):
        models[model] = found
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"accuracy-{table}-{name}.json").write_text(json.dumps({**facts, "models": models}, indent=1) + "\n")
        print(f"{table}, {name}, {model}: {_summary(found)}", flush=True)


def _summary(found: dict[str, Any]) -> str:
    if not found["seeds"]:
        return str(found["refused"])
    rows = pd.DataFrame([row for seed in found["seeds"] for row in seed])
    means = 100 * rows.groupby(["group", "domain", "metric"], sort=False)["value"].mean()
    return ", ".join(f"{' '.join(key)} {value:.2f}" for key, value in means.items())


def main() -> None:
    """Run a table, for the data sets named or for all of its own, or render what was run."""
    arguments = sys.argv[1:]
    if arguments == ["render"]:
        render(RESULTS)
        return
    if not arguments or arguments[0] not in TABLES:
        raise SystemExit(f"{unknown_name('table', ' '.join(arguments[:1]), [*TABLES, 'render'])}")
    for name in arguments[1:] or TABLES[arguments[0]][1]:
        run(arguments[0], name)


if __name__ == "__main__":
    main()
