"""The report of a run as one HTML page that needs no other file: read from the run's folder, written beside it.

The page states what was measured before it says who won: averages name their denominator, a control that wins is called
the winner, and a difference within the spread over seeds is called undecided.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from graph_schema.errors import InputError
from kgxfer.experiment import plots
from kgxfer.files import disk_errors

PAGE = "report.html"
KEYS = ["model", "domain", "group", "ranking", "average", "metric"]
ALL_ROWS = "all rows"
CONTROL_ENCODERS = ("mf", "lightgcn")
"""Trained without stages, these are learned controls: matrix factorisation with item bias, LightGCN on the joint graph."""
PLOTTED = ("ndcg", "recall", "hr", "mrr")
HISTORY_NAMES = 12
"""Items of a user's history that are named per domain."""
CHOSEN_ON = {
    "pseudo-cold users": "Settings and training steps were chosen on pseudo-cold users: other users whose rows in the "
    "tested domain were hidden from training.",
    "rows of the test users": "Settings and training steps were chosen on validation rows of the test users themselves, "
    "which flatters what the figures say about new users.",
    "none": "There were no validation rows, so nothing was chosen: every model kept its last training step.",
}


@dataclass(frozen=True)
class Metric:
    """How a metric is shown: its label, what it divides by, whether it is a share, and whether more is better."""

    label: str
    what: str
    share: bool = True
    more_is_better: bool = True


METRICS: Mapping[str, Metric] = {
    "ndcg": Metric("NDCG", "discounted gain of the user's positives over the best possible with min(positives, k) hits"),
    "recall": Metric("Recall", "positives among the first k over all positives of the user"),
    "precision": Metric("Precision", "positives among the first k over k"),
    "hr": Metric("HR", "probability that at least one of the user's positives is among the first k"),
    "mrr": Metric("MRR", "reciprocal rank of the user's first positive, 0 after k"),
    "coverage": Metric("Coverage", "items that stand in at least one test user's first k over all items of the domain"),
    "sampled_hr": Metric("HR", "probability that a positive is among the first k of itself and sampled negatives"),
    "sampled_ndcg": Metric("NDCG", "discount of a positive's rank among itself and sampled negatives, 0 after k"),
    "sampled_mrr": Metric("MRR", "reciprocal rank of a positive among itself and sampled negatives, every rank counted"),
    "mse": Metric("MSE", "mean squared difference of predicted and given ratings over test rows", False, False),
    "rmse": Metric("RMSE", "root of the mean squared difference of predicted and given ratings", False, False),
}


@dataclass(frozen=True)
class Cell:
    """One cell of a table."""

    text: str
    best: bool = False
    number: bool = False
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A table of the page; the first column names the row."""

    title: str
    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """A plot: a caption, a text for those who cannot see it, and a data address that holds the SVG."""

    caption: str
    alternative: str
    address: str

    @classmethod
    def of(cls, svg: str, caption: str, alternative: str) -> Picture:
        """Embed an SVG text. As an image of its own, its identifiers cannot meet those of other plots."""
        return cls(caption, alternative, "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode())


@dataclass(frozen=True, eq=False)
class RunFolder:
    """What a run left behind, read."""

    config: dict[str, Any]
    manifest: dict[str, Any]
    figures: pd.DataFrame
    history: pd.DataFrame
    map: pd.DataFrame
    stages: list[dict[str, Any]]
    examples: list[dict[str, Any]]

    @classmethod
    def read(cls, folder: Path) -> RunFolder:
        """Read the files; InputError naming the first that is absent or damaged."""
        values = {name: _read(folder, f"{name}.json") for name in ("config", "manifest", "stages", "examples")}
        tables = {name: _read(folder, f"{name}.parquet") for name in ("figures", "history", "map")}
        return cls(**values, **tables)

    @property
    def methods(self) -> list[str]:
        """Names of the trained models that are no controls."""
        models = self.config.get("models", {})
        return [name for name, model in models.items() if not _is_control(model)]


def _read(folder: Path, name: str) -> Any:
    path = folder / name
    if not path.is_file():
        raise InputError(f'"{folder}" is not the folder of a finished run: {name} is not there')
    try:
        return pd.read_parquet(path) if path.suffix == ".parquet" else json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f'file "{path}" is damaged ({str(error).splitlines()[0]}); run again') from error


def _is_control(model: Mapping[str, Any]) -> bool:
    return model.get("encoder") in CONTROL_ENCODERS and not model.get("stages")


def render(folder: Path) -> Path:
    """Write the page of a run from the other files of its folder, and return its path.

    Raises:
        InputError: a file of the run is absent or damaged, or the disk is full.
    """
    # Found late: the parts of the page are built on the values above.
    from kgxfer.experiment import page_parts

    run = RunFolder.read(folder)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template("page.html.jinja").render(page_parts.sections(run))
    with disk_errors(folder):
        (folder / PAGE).write_text(text, encoding="utf-8")
    return folder / PAGE
