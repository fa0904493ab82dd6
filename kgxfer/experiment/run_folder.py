"""The folder of a finished run, read back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from graph_schema.errors import InputError
from kgxfer.experiment.config import TEACHER, RunConfig

KEYS = ["model", "domain", "group", "ranking", "average", "metric"]


@dataclass(frozen=True, eq=False)
class RunFolder:
    """What a run left behind; each attribute is the file of its name, as docs/architecture.md describes it."""

    config: dict[str, Any]
    manifest: dict[str, Any]
    choices: dict[str, Any]
    stages: list[dict[str, Any]]
    examples: list[dict[str, Any]]
    figures: pd.DataFrame
    validation: pd.DataFrame
    comparisons: pd.DataFrame
    spread: pd.DataFrame
    bridge_controls: pd.DataFrame
    history: pd.DataFrame
    map: pd.DataFrame

    @classmethod
    def read(cls, folder: Path) -> RunFolder:
        """Read the files; InputError naming the first that is absent or damaged."""
        texts = ("config", "manifest", "choices", "stages", "examples")
        tables = ("figures", "validation", "comparisons", "spread", "bridge_controls", "history", "map")
        values = {name: _read(folder, f"{name}.json") for name in texts}
        return cls(**values, **{name: _read(folder, f"{name}.parquet") for name in tables})

    @cached_property
    def settings(self) -> RunConfig:
        """The configuration, parsed."""
        return RunConfig.parse(self.config, "config.json")

    @cached_property
    def methods(self) -> list[str]:
        """What is no control: learned models, their teachers, and blends that hold one."""
        named = self.settings.methods
        return [name for name in self.figures["model"].unique() if name.removesuffix(TEACHER) in named]


def over_seeds(figures: pd.DataFrame) -> pd.DataFrame:
    """Mean, standard deviation (NaN for one seed) and number of seeds of every figure, and its count, in order."""
    grouped = figures.groupby(KEYS, sort=False)
    table = grouped["value"].agg(mean="mean", deviation="std", seeds="size")
    return table.join(grouped["count"].first()).reset_index()


def _read(folder: Path, name: str) -> Any:
    path = folder / name
    if not path.is_file():
        raise InputError(f'"{folder}" is not the folder of a finished run: {name} is not there')
    try:
        return pd.read_parquet(path) if path.suffix == ".parquet" else json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f'file "{path}" is damaged ({str(error).splitlines()[0]}); run again') from error
