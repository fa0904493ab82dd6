"""Accuracy on published splits, one command per table: ``python -m benchmarks.accuracy TABLE [DATA_SET ...]``.

Tables:
    cdrib: controls and learned controls on CDRIB's cold-start files; settings are chosen on the files' validation
        rows, which are the test users' own, as the published tables do.
    cdrib-strict: popularity, ItemKNN, PageRank, BPR, LightGCN by each loss, and the greedy blend of these, chosen on
        the validation rows without twins of one half of the cold-start users and scored on the other half's test rows;
        rows without twins, known twins no candidates.
    disencdr: controls on DisenCDR's leave-one-out files, chosen on rows taken from training and fitted again with them.
    transfer: what `benchmarks/configs/DATA_SET.toml` runs, kgxfer's own model first of all.

Each data set gives one JSON file in `benchmarks/results`, written anew after every contender. ``python -m
benchmarks.accuracy render`` makes `benchmarks/README.md` and `benchmarks/results/accuracy.html` of these files and of
`quoted.toml`.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import loaders
from benchmarks.pages import render
from benchmarks.parallel import Pool
from graph_schema.errors import InputError
from kgxfer import experiment
from kgxfer.baselines import BASELINES
from kgxfer.baselines.blend import greedy_blend
from kgxfer.bridges import propose_links, twin_pairs
from kgxfer.evaluation import ALL_ROWS, WITHOUT_TWINS, EvaluationConfig, Report, evaluate
from kgxfer.evaluation.twins import known_twins
from kgxfer.graph import KnowledgeGraph, build_graph
from kgxfer.model import TransferModel
from kgxfer.recommender import Catalogue, RankingModel
from kgxfer.splits import FixedFiles, Split, cross_fit
from kgxfer.training import Trainer

CONFIGS, RESULTS = (Path(__file__).parent / folder for folder in ("configs", "results"))
VERSIONS = ("kgxfer", "torch", "numpy", "scipy", "pandas", "lightning")
SEEDS = 5
SAMPLED, FULL = ("sampled_hr@10", "sampled_ndcg@10"), ("hr@10", "ndcg@10")
BLEND = "greedy blend"
LIGHTGCN: Mapping[str, tuple[float, Mapping[str, Any], int]] = {
    "bpr": (1.0, {"learning_rate": 5e-3}, 16),
    "sampled_softmax": (4.0, {"learning_rate": 1e-2, "normalise": True}, 12),
}
"""Loss -> scale, encoder, epochs: products as in the paper, or cosines at temperature 0.25."""
BLENDED = ("popularity", "item_knn", "personalised_pagerank", "bpr")
"""What is blended, beside LightGCN by each of its losses."""

Filled = Iterator[tuple[str, dict[str, Any]]]
"""Contender -> its figures, one after another."""


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


def seeded(kind: str, seeds: int) -> Contender:
    """A baseline that begins with a draw."""
    return Contender(lambda ground, seed: control(kind, seed=seed).fit(ground, 0), seeds)


def lightgcn(seeds: int, loss: str | None = None) -> Contender:
    """Three mean layers without item bias, by a loss, or by that which validation rows prefer with the first seed."""
    return Contender(lambda ground, seed: _lightgcn(ground, loss or _loss_of_lightgcn(ground), seed)[0], seeds)


@cache
def _loss_of_lightgcn(ground: Ground) -> str:
    found = {loss: round(_lightgcn(ground, loss, 0)[1], 4) for loss in LIGHTGCN}
    print(f"lightgcn: {SAMPLED[1]} on validation rows by loss {found}", flush=True)
    return max(found, key=lambda loss: found[loss])


@cache
def _lightgcn(ground: Ground, loss: str, seed: int) -> tuple[RankingModel, float]:
    """The model of the best epoch, and its figure on the validation rows."""
    scale, encoder, epochs = LIGHTGCN[loss]
    plain = {"item_bias": False, "popularity": False, "learn_scale": False, "scale": scale}
    model = TransferModel("lightgcn", loss=loss, scorer=plain, encoder_settings=dict(encoder))
    # The figure of an epoch wavers by a tenth of a point: all are made, and the best is kept.
    trainer = Trainer(monitor=SAMPLED[1], device="auto", epochs=epochs, steps_per_epoch=60, patience=epochs)
    fitted = trainer.fit(model, ground.graph, ground.split, rng=seed, evaluation=ground.evaluation)
    return fitted, trainer.records[-1].validation[SAMPLED[1]]


def blended() -> dict[str, Contender]:
    """The members of the greedy blend."""
    every = contenders(seeds=1)
    return {kind: every[kind] for kind in BLENDED} | {f"lightgcn, {loss}": lightgcn(1, loss) for loss in LIGHTGCN}


def contenders(seeds: int) -> dict[str, Contender]:
    """Everything that CDRIB's tables compare."""
    joint = ("popularity", "item_knn", "user_knn", "personalised_pagerank", "rp3beta", "pure_svd", "ials", "emcdr")
    return {
        **{kind: control(kind) for kind in joint},
        "item_knn, target only": control("item_knn", joint=False),
        "lightgcn": lightgcn(seeds),
        "bpr": seeded("bpr", seeds),
        "ease": control("ease", regularisation=(100.0,)),  # takes longest
    }


def cdrib(name: str, pool: Pool) -> Filled:
    """Controls on the published files, one at a time."""
    compared = contenders(SEEDS)
    tasks = [("cdrib", name, model, seed) for model, contender in compared.items() for seed in range(contender.seeds)]
    yield from _gathered({model: contender.seeds for model, contender in compared.items()}, pool.each(_fitted, tasks))


def disencdr(name: str, pool: Pool) -> Filled:
    """Controls on the leave-one-out files."""
    tasks = [("disencdr", name, model, 0) for model in WARM]
    yield from _gathered(dict.fromkeys(WARM, 1), pool.each(_fitted, tasks))


def cdrib_strict(name: str, pool: Pool) -> Filled:
    """Cross-fitted by user: per model the row scores of both halves' test rows, averaged together."""
    halves = list(pool.each(_half, [(name, 0), (name, 1)]))
    for member in halves[0]:
        yield member, {"seeds": [_pooled(halves, member)]}


def _half(name: str, number: int) -> dict[str, list[dict[str, Any]]]:
    """Choose on one half of the users and give every member's figures on the other half's rows."""
    base = _cold_start(name)
    ground = Ground(_without_twin_rows(cross_fit(base.split, rng=0)[number]), base.graph, base.evaluation)
    members = {}
    for member, contender in blended().items():
        clock = time.perf_counter()
        members[member] = contender.fit(ground, 0)
        print(f"{name}, half {number + 1}: {member} in {time.perf_counter() - clock:.0f} s", flush=True)
    blend = greedy_blend(members, ground.split, ground.evaluation)
    print(f"{name}, half {number + 1}: blend weights {blend.weights}", flush=True)
    report = _report({**members, BLEND: blend}, ground)
    return {member: _figures(report, member) for member in (*members, BLEND)}


def _without_twin_rows(split: Split) -> Split:
    """Leave validation rows that a twin gives away out of every choice: what is judged has none of them."""
    catalogue, pairs = Catalogue.of(split), twin_pairs(split)
    kept = []
    for code, domain in enumerate(catalogue.domain_names):
        rows = split.valid[split.valid["domain"] == domain]
        users, items = catalogue.user_ids, catalogue.item_index(code)
        given_away = known_twins(pairs, catalogue, code)[
            users.get_indexer(rows["user_id"]), items.get_indexer(rows["item_id"])
        ]
        kept.append(rows[~np.asarray(given_away).ravel()])
    return replace(split, valid=pd.concat(kept).sort_index())


def _fitted(table: str, name: str, model: str, seed: int) -> tuple[list[dict[str, Any]] | str, float]:
    """One contender of one seed: its figures, or why it was refused, and the seconds that it took."""
    ground = GROUNDS[table](name)
    contender, clock = {**contenders(SEEDS), **WARM}[model], time.perf_counter()
    try:
        figures = _figures(_report({model: contender.fit(ground, seed)}, ground), model)
    except InputError as refusal:  # EASE says where its matrix does not fit
        return str(refusal), 0.0
    return figures, time.perf_counter() - clock


def _gathered(seeds: Mapping[str, int], found: Iterator[tuple[list[dict[str, Any]] | str, float]]) -> Filled:
    for model, count in seeds.items():
        parts = [next(found) for _ in range(count)]
        refused = [figures for figures, _ in parts if isinstance(figures, str)]
        if refused:
            yield model, {"refused": refused[0], "seeds": []}
            continue
        seconds = sum(taken for _, taken in parts) / count
        yield model, {"seeds": [figures for figures, _ in parts], "seconds": round(seconds, 1)}


def transfer(name: str, _: Pool) -> Filled:
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


WARM: Mapping[str, Contender] = {
    "popularity": control("popularity"),
    "item_knn, target only": control("item_knn", joint=False),
    "item_knn": control("item_knn"),
    "personalised_pagerank": control("personalised_pagerank"),
}
"""What DisenCDR's tables compare."""

CDRIB_PAIRS = ("cdrib-game-video", "cdrib-cloth-sport")
DISENCDR_PAIRS = tuple(name for name in loaders.DATA_SETS if name.startswith("disencdr-"))
TABLES: Mapping[str, tuple[Callable[[str, Pool], Filled], tuple[str, ...]]] = {
    "cdrib": (cdrib, CDRIB_PAIRS),
    "cdrib-strict": (cdrib_strict, CDRIB_PAIRS),
    "disencdr": (disencdr, DISENCDR_PAIRS),
    "transfer": (transfer, tuple(path.stem for path in sorted(CONFIGS.glob("*.toml")))),
}


@cache
def _cold_start(name: str) -> Ground:
    """CDRIB: settings are chosen on the files' validation rows."""
    return _ground(name, FixedFiles(choose_on="files"))


@cache
def _leave_one_out(name: str) -> Ground:
    """DisenCDR: chosen on rows taken from training, and fitted again with them."""
    ground = _ground(name, FixedFiles(choose_on="training_rows"))
    full = ground.split.for_refit()
    return replace(ground, final=replace(ground, split=full, graph=_graph(full)))


GROUNDS: Mapping[str, Callable[[str], Ground]] = {"cdrib": _cold_start, "disencdr": _leave_one_out}


def _ground(name: str, protocol: FixedFiles) -> Ground:
    dataset = loaders.load(name)
    split = protocol.split(dataset, rng=0)
    # The origin leaves the user's other test items out of the negatives in the first-named domain alone.
    excluded = (dataset.source.domain,) if name.startswith("cdrib-") else ()
    evaluation = EvaluationConfig(sampled_negatives=999, twins=True, exclude_other_positives=excluded)
    return Ground(split, _graph(split), evaluation)


def _graph(split: Split) -> KnowledgeGraph:
    return build_graph(split, propose_links(split, ["shared_id"]), "collapse")


def _report(models: Mapping[str, RankingModel], ground: Ground) -> Report:
    split = ground.split if ground.final is None else ground.final.split
    return evaluate(models, split, ground.evaluation, twin_pairs(split))


def _figures(report: Report, model: str) -> list[dict[str, Any]]:
    return _stated(report.figures[report.figures["model"] == model])


def _stated(figures: pd.DataFrame) -> list[dict[str, Any]]:
    """HR and NDCG: sampled ranking per row where there is some, as the published tables are; else full per user."""
    sampled = "sampled" in set(figures["ranking"])
    average, metrics = ("per row", SAMPLED) if sampled else ("per user", FULL)
    rows = figures[(figures["average"] == average) & figures["metric"].isin(metrics)]
    rows = rows[rows["group"].isin([ALL_ROWS, WITHOUT_TWINS])]
    return [dict(row) for row in rows[["domain", "group", "metric", "value", "count"]].to_dict("records")]


def _pooled(halves: list[dict[str, list[dict[str, Any]]]], member: str) -> list[dict[str, Any]]:
    """Figures over the rows of both halves; every row is in one of them."""
    rows = pd.concat([pd.DataFrame(half[member]) for half in halves])
    rows["value"] *= rows["count"]
    pooled = rows.groupby(["domain", "group", "metric"], sort=False, as_index=False)[["value", "count"]].sum()
    pooled["value"] /= pooled["count"]
    return [dict(row) for row in pooled.to_dict("records")]


def run(table: str, name: str, pool: Pool) -> None:
    """Fill one table for one data set; the file is written anew after every contender."""
    fill, _ = TABLES[table]
    config = experiment.load_config(CONFIGS / f"{name}.toml") if table == "transfer" else None
    dataset = config.data.load() if config else loaders.load(name)
    split = config.split.of(dataset, config.seed) if config else FixedFiles().split(dataset)
    facts = {
        "table": table, "data_set": name, "fingerprint": dataset.fingerprint, "split": split.fingerprint,
        "environment": {
            "python": platform.python_version(), **{part: metadata.version(part) for part in VERSIONS},
            "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        },
    }
    models: dict[str, Any] = {}
    for model, found in fill(name, pool):
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=[*TABLES, "render"])
    parser.add_argument("data_sets", nargs="*", metavar="DATA_SET")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    given = parser.parse_args()
    if given.table == "render":
        render(RESULTS)
        return
    with Pool(given.jobs) as pool:
        for name in given.data_sets or TABLES[given.table][1]:
            run(given.table, name, pool)


if __name__ == "__main__":
    main()
