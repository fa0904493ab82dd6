"""The learned controls of the accuracy tables and their settings: ``python -m benchmarks.learned [--jobs N]``.

Every combination of `GRID` is trained on both CDRIB pairs; the one with the highest mean validation figure is what all
tables use, and where there is but one it is not trained for this. Test rows are not looked at.
`benchmarks/results/tuned.json` keeps every figure and the choice.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

import loaders
from benchmarks.parallel import Pool
from kgxfer.bridges import propose_links
from kgxfer.evaluation import EvaluationConfig
from kgxfer.graph import build_graph
from kgxfer.model import TransferModel
from kgxfer.splits import FixedFiles
from kgxfer.training import Trainer

TUNED = Path(__file__).parent / "results" / "tuned.json"
PAIRS = ("cdrib-game-video", "cdrib-cloth-sport")
MONITOR = "sampled_ndcg@10"
SEED = 1000
"""Of the search; the tables' seeds are others."""
GRID: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    "lightgcn": {"learning_rate": (5e-3,), "scale": (4.0,)},
    "bpr": {"learning_rate": (2e-2,), "l2": (5e-3, 1e-2)},
}
TRAINING: Mapping[str, Mapping[str, Any]] = {
    "lightgcn": {"epochs": 60, "steps_per_epoch": 30, "patience": 4},
    "bpr": {
        "epochs": 30, "steps_per_epoch": 100, "patience": 4,
        "supervision_settings": {"rows_per_domain": 8192, "negatives": 64},
    },
}


def lightgcn(learning_rate: float, scale: float) -> TransferModel:
    """Sampled softmax over cosines of three mean layers, without item bias; `scale` is one over the temperature."""
    plain = {"item_bias": False, "popularity": False, "learn_scale": False, "scale": scale}
    return TransferModel("lightgcn", scorer=plain, encoder_settings={"learning_rate": learning_rate, "normalise": True})


def bpr(learning_rate: float, l2: float) -> TransferModel:
    """Matrix factorisation with item bias; without the decay it stops at little more than popularity."""
    return TransferModel(
        "mf", loss="bpr", l2=l2, encoder_settings={"learning_rate": learning_rate, "initial_deviation": 0.1},
        scorer={"learning_rate": learning_rate, "popularity": False, "learn_scale": False},
    )


MODELS: Mapping[str, Callable[..., TransferModel]] = {"lightgcn": lightgcn, "bpr": bpr}


def tuned(kind: str) -> TransferModel:
    """The model with the settings that were chosen."""
    return MODELS[kind](**json.loads(TUNED.read_text())["chosen"][kind])


def trainer(kind: str) -> Trainer:
    """Its training: on the accelerator where there is one."""
    return Trainer(monitor=MONITOR, device="auto", **TRAINING[kind])


def figure(pair: str, kind: str, settings: dict[str, float]) -> dict[str, Any]:
    """Train once and say what the validation rows of both domains gave, on average."""
    split = FixedFiles(choose_on="files").split(loaders.load(pair), rng=0)
    graph = build_graph(split, propose_links(split, ["shared_id"]), "collapse")
    fitted = trainer(kind)
    evaluation = EvaluationConfig(sampled_negatives=999, exclude_other_positives=(split.dataset.source.domain,))
    fitted.fit(MODELS[kind](**settings), graph, split, rng=SEED, evaluation=evaluation)
    record = fitted.records[-1]
    found = {"validation": record.validation[MONITOR], "kept_epoch": record.kept_epoch, "epochs": record.epochs}
    return {"data_set": pair, "model": kind, **settings, **found, "seconds": round(record.seconds, 1)}


def search(jobs: int) -> dict[str, Any]:
    """Every combination on every pair, and the best of each kind by the mean over the pairs."""
    tasks = [
        (pair, kind, settings)
        for kind in GRID if len(_combinations(kind)) > 1 for settings in _combinations(kind) for pair in PAIRS
    ]  # fmt: skip
    with Pool(jobs) as pool:
        figures = list(pool.each(figure, tasks))
    return {"device": _device(), "figures": figures, "chosen": {kind: _best(kind, figures) for kind in GRID}}


def _combinations(kind: str) -> list[dict[str, float]]:
    grid = GRID[kind]
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def _best(kind: str, figures: list[dict[str, Any]]) -> dict[str, float]:
    of_kind = [row for row in figures if row["model"] == kind]
    combinations = _combinations(kind)
    totals = [sum(row["validation"] for row in of_kind if each.items() <= row.items()) for each in combinations]
    return combinations[totals.index(max(totals))]


def _device() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def main() -> None:
    """Search and keep what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    found = search(parser.parse_args().jobs)
    TUNED.write_text(json.dumps(found, indent=1) + "\n")
    for row in found["figures"]:
        print(row)
    print(found["chosen"])


if __name__ == "__main__":
    main()
