"""A run as one TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from graph_schema.errors import InputError, unknown_name
from kgxfer.baselines import BASELINES
from kgxfer.bridges import BRIDGES
from kgxfer.config import Config
from kgxfer.evaluation import EvaluationConfig
from kgxfer.graph import COMBINATIONS
from kgxfer.model import TransferModel, TransferModelConfig
from kgxfer.splits import SPLITS
from kgxfer.training import Trainer, TrainingConfig

TEACHER = " (teacher)"
"""Added to the name of a model for the one that its student was distilled from."""


class DataConfig(Config):
    """Which data set, with which options; `root` is the folder of its files."""

    name: str
    root: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)


class SplitConfig(Config):
    """Which protocol, with which settings; `refit` fits everything again on all training rows once it is chosen."""

    protocol: str = "cold_start_users"
    settings: dict[str, Any] = Field(default_factory=dict)
    refit: bool = False


class GraphConfig(Config):
    """Which bridges propose links, and how linked nodes are joined."""

    bridges: tuple[str, ...] = ("shared_id", "shared_entity")
    combine: str = "same_as_edges"


class ModelRun(TransferModelConfig):
    """A learned model, how it is trained, over how many seeds, and on which variant of the graph.

    `combine` and `links` differ from the run's only for controls: "disjoint" is the target-only model, "shuffled"
    permutes the links.
    """

    training: TrainingConfig = Field(default_factory=TrainingConfig)
    seeds: int = Field(1, ge=1, le=100)
    combine: str | None = None
    links: Literal["true", "shuffled"] = "true"

    @property
    def model(self) -> TransferModel:
        """The model itself."""
        return TransferModel(**{name: getattr(self, name) for name in TransferModelConfig.model_fields})


class BaselineRun(Config):
    """A baseline under a name of its own; `kind` is the registered name where the two differ."""

    kind: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)


class RunConfig(Config):
    """Everything a run depends on beside the data."""

    name: str = Field(min_length=1)
    seed: int = Field(0, ge=0)
    data: DataConfig
    split: SplitConfig = Field(default_factory=SplitConfig)
    graph: GraphConfig = Field(default_factory=GraphConfig)
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)
    models: dict[str, ModelRun] = Field(default_factory=dict)
    baselines: dict[str, BaselineRun] = Field(default_factory=dict)


def load_config(path: Path, **changes: Any) -> RunConfig:
    """Read and check a configuration.

    Args:
        path: a TOML file.
        changes: top-level values that replace those of the file, such as `seed`.

    Raises:
        InputError: the file is missing or not TOML, or a key, name or value is wrong; the nearest one is named.
    """
    if not path.is_file():
        raise InputError(f'configuration "{path}" does not exist; give the path of a TOML file')
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f'configuration "{path}" is not valid TOML: {error}') from error
    return checked_config(values | changes, f'configuration "{path}"')


def checked_config(values: Mapping[str, Any], where: str = "configuration") -> RunConfig:
    """Parse plain values and resolve every name in them before anything is loaded."""
    config = RunConfig.parse(values, where)
    split = SPLITS[config.split.protocol]
    split.config_class.parse(config.split.settings, f"{where}, split {config.split.protocol}")
    for bridge in config.graph.bridges:
        BRIDGES[bridge]
    if not config.models and not config.baselines:
        raise InputError(f"{where}: no [models.NAME] and no [baselines.NAME]; name at least one")
    both = set(config.models) & set(config.baselines)
    if both:
        raise InputError(f'{where}: "{sorted(both)[0]}" is the name of a model and of a baseline; rename one')
    for name, run in config.models.items():
        if not name.replace("-", "_").isidentifier():
            raise InputError(f'{where}: model name "{name}" names a folder; use letters, digits, "-" and "_"')
        Trainer(run.training).supervision_of(run.model)
    for combination in [config.graph.combine, *(run.combine for run in config.models.values() if run.combine)]:
        if combination not in COMBINATIONS:
            raise unknown_name("combination", combination, COMBINATIONS)
    for name, baseline in config.baselines.items():
        kind = BASELINES[baseline.kind or name]
        kind.config_class.parse(baseline.settings, f"{where}, baseline {name}")
    return config


def packaged_config(name: str) -> Path:
    """Path of a configuration that comes with the package, such as "movielens-genres"."""
    folder = Path(str(resources.files("kgxfer"))) / "configs"
    path = folder / f"{name}.toml"
    if not path.is_file():
        raise unknown_name("packaged configuration", name, sorted(file.stem for file in folder.glob("*.toml")))
    return path
