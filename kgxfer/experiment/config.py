"""A run as one TOML file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

import loaders
from graph_schema.config import Config
from graph_schema.errors import InputError, unknown_name
from kgxfer.baselines import BASELINES, BlendConfig
from kgxfer.baselines.base import choice_metric
from kgxfer.bridges import BRIDGES, Bridge, bridge_of
from kgxfer.bridges.review import Undecided, read_review
from kgxfer.bridges.shared_entity import read_statements
from kgxfer.evaluation import EvaluationConfig
from kgxfer.evaluation.comparison import ComparisonConfig
from kgxfer.evaluation.metrics import LIST_METRICS, WHOLE_LIST_METRICS
from kgxfer.evaluation.rows import label
from kgxfer.evaluation.sampled import ROW_METRICS
from kgxfer.graph import COMBINATIONS
from kgxfer.model import TransferModel, TransferModelConfig
from kgxfer.splits import SPLITS, Split
from kgxfer.training import Trainer, TrainingConfig
from loaders.dataset import CrossDomainDataset
from loaders.own.assemble import assemble_files

TEACHER = " (teacher)"
"""Added to the name of a model for the one that its student was distilled from."""

BEST_CONTROL = "best control"
STANDARD_CONTROLS = ("popularity", "item_knn", "personalised_pagerank")
CONTROL_ENCODERS = ("mf", "lightgcn")
"""Trained without stages, these are learned controls: matrix factorisation with item bias, joint LightGCN."""


class DataConfig(Config):
    """A data set by `name`, with its options and `root`, the folder of its files; or one's own files by a column `map`.

    The path of the map is relative to the TOML file that names it.
    """

    name: str | None = None
    map: str | None = None
    root: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.name is None) == (self.map is None):
            raise ValueError("say which data by name (of a data set) or by map (of your own files), one of the two")
        if self.map is not None and (self.root is not None or self.options):
            raise ValueError("root and options belong to a data set by name; a map says itself where its files are")
        return self

    @property
    def label(self) -> str:
        """The name of the data set, or the path of the map."""
        return self.name or self.map or ""

    def load(self, say: Callable[[str], None] | None = None) -> CrossDomainDataset:
        """Load the data.

        Args:
            say: told how many rows of one's own files cleaning left out; no row goes without a word.

        Raises:
            InputError: an unknown name or option, a fault in the map, or files that cannot be read.
        """
        if self.name is not None:
            return loaders.load(self.name, root=self.root, **self.options)
        assembled = assemble_files(self.label)
        for cleaned in (assembled.source, assembled.target):
            given, kept = (rows["interactions"] for rows in (cleaned.before, cleaned.after))
            if say is not None and kept < given:
                place = f"{cleaned.tables.domain}: {kept:,} of {given:,} interactions kept"
                say(f"{place}; kgxfer data check {os.path.relpath(self.label)} says what became of the others")
        return assembled.dataset


class SplitConfig(Config):
    """Which protocol, with which settings; `refit` fits everything again on all training rows once it is chosen."""

    protocol: str = "cold_start_users"
    settings: dict[str, Any] = Field(default_factory=dict)
    refit: bool = False

    def of(self, dataset: CrossDomainDataset, seed: int) -> Split:
        """Split a data set by the protocol."""
        protocol = SPLITS[self.protocol]
        return protocol(protocol.config_class.parse(self.settings, "split")).split(dataset, rng=seed)  # type: ignore[arg-type]


class GraphConfig(Config):
    """Which bridges propose links, by which settings, which links are kept, and how linked nodes are joined.

    Links below `minimum_confidence` are kept where the file `reviewed_links` accepts them, or all of them where
    `undecided` is "stay"; those that it rejects are not. `reviewed_sha256` is filled in with the checksum of the file,
    so that neither an audit nor a resumed run reads other decisions.
    """

    bridges: tuple[str, ...] = ("shared_id", "shared_entity")
    bridge_settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    combine: str = "same_as_edges"
    minimum_confidence: float = Field(0.0, ge=0, le=1)
    reviewed_links: str | None = None
    reviewed_sha256: str | None = None
    undecided: Undecided = "leave"

    def bridge(self, name: str, where: str = "") -> Bridge:
        """Make a bridge with its settings here; `where` stands before its name in messages."""
        return bridge_of(name, self.bridge_settings.get(name), where)

    def made(self) -> list[Bridge]:
        """Make all bridges, in order."""
        return [self.bridge(name) for name in self.bridges]


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

    @property
    def is_control(self) -> bool:
        """By its encoder, or because its graph was changed (domains kept apart, links shuffled)."""
        changed = self.combine is not None or self.links == "shuffled"
        return changed or (self.encoder in CONTROL_ENCODERS and not self.stages)


class BaselineRun(Config):
    """A baseline under a name of its own; `kind` is the registered name where the two differ."""

    kind: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)


class BlendRun(BlendConfig):
    """A greedy blend of fitted models and baselines, named one by one, or of all controls of the run."""

    members: tuple[str, ...] | Literal["controls"] = "controls"


class ControlsConfig(Config):
    """`default`: a run that names no baseline gets the standard ones."""

    default: bool = True


class StatisticsConfig(ComparisonConfig):
    """Models compared by user with a reference: a model of the run, or per domain the best control on validation.

    `metric` is a rank metric at the evaluation's k; that which settings are chosen by when not given.
    """

    enabled: bool = True
    reference: str = BEST_CONTROL
    metric: str | None = None


class BridgeControlsConfig(Config):
    """For each bridge of the run: true links, that bridge's shuffled, that bridge left out.

    `model` is what they are fitted with: a model or baseline of the run, or a registered baseline.
    """

    enabled: bool = False
    model: str = "personalised_pagerank"


class RunConfig(Config):
    """Everything a run depends on beside the data."""

    name: str = Field(min_length=1)
    seed: int = Field(0, ge=0)
    data: DataConfig
    split: SplitConfig = Field(default_factory=SplitConfig)
    graph: GraphConfig = Field(default_factory=GraphConfig)
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)
    statistics: StatisticsConfig = Field(default_factory=StatisticsConfig)
    controls: ControlsConfig = Field(default_factory=ControlsConfig)
    models: dict[str, ModelRun] = Field(default_factory=dict)
    baselines: dict[str, BaselineRun] = Field(default_factory=dict)
    blends: dict[str, BlendRun] = Field(default_factory=dict)
    bridge_controls: BridgeControlsConfig = Field(default_factory=BridgeControlsConfig)

    @model_validator(mode="before")
    @classmethod
    def _standard_controls(cls, values: Any) -> Any:
        """Controls stand in every run unless turned off."""
        if not isinstance(values, dict) or values.get("baselines") or not values.get("models"):
            return values
        given = values.get("controls", {})
        default = given.default if isinstance(given, ControlsConfig) else given == {} or given.get("default", True)
        added: dict[str, Any] = {name: {} for name in STANDARD_CONTROLS if name not in values["models"]}
        return {**values, "baselines": added} if default else values

    @property
    def methods(self) -> list[str]:
        """What has to show that it is worth more than a control: learned models, and blends that hold one."""
        learned = [name for name, run in self.models.items() if not run.is_control]
        return [*learned, *(name for name in self.blends if set(learned) & set(self.members_of(name)))]

    @property
    def control_names(self) -> list[str]:
        """All others: baselines, learned controls, and blends of these."""
        methods = self.methods
        return [name for name in (*self.baselines, *self.models, *self.blends) if name not in methods]

    @property
    def compared_metric(self) -> str:
        """What the statistics compare."""
        return self.statistics.metric or choice_metric(self.evaluation)

    def members_of(self, blend: str) -> list[str]:
        """Names of a blend's members."""
        members = self.blends[blend].members
        if members != "controls":
            return list(members)
        return [*self.baselines, *(name for name, run in self.models.items() if run.is_control)]


def load_config(path: Path, **changes: Any) -> RunConfig:
    """Read and check a configuration.

    Args:
        path: a TOML file.
        changes: top-level values that replace those of the file, such as `seed`.

    Raises:
        InputError: the file is missing or not TOML, or a key, name or value is wrong; the nearest one is named.
    """
    if not path.is_file():
        fault = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f'configuration "{path}" {fault}; give the path of a TOML file')
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f'configuration "{path}" is not valid TOML: {error}') from error
    if "source" in values and "data" not in values:
        raise InputError(
            f'"{path}" is a column map and no configuration of a run; give the run that kgxfer data init wrote beside '
            "it, or a TOML file whose table data names the map"
        )
    for found_from in (_with_review, _with_statements, _with_map):
        values = found_from(values, path.parent)
    return checked_config(values | changes, f'configuration "{path}"')


def _with_review(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The path of reviewed links is relative to the TOML file; the file is checked, and its checksum filled in."""
    graph = values.get("graph")
    if not isinstance(graph, dict) or not isinstance(graph.get("reviewed_links"), str):
        return values
    path = (folder / graph["reviewed_links"]).resolve()
    sha256 = read_review(path, sha256=graph.get("reviewed_sha256")).sha256
    return values | {"graph": {**graph, "reviewed_links": str(path), "reviewed_sha256": sha256}}


def _with_statements(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """So is that of the same-as statements of the bridge shared_entity."""
    graph = values.get("graph")
    every = graph.get("bridge_settings") if isinstance(graph, dict) else None
    own = every.get("shared_entity") if isinstance(every, dict) else None
    if not (isinstance(graph, dict) and isinstance(every, dict) and isinstance(own, dict)):
        return values
    if not isinstance(own.get("same_as"), str):
        return values
    path = (folder / own["same_as"]).resolve()
    sha256 = read_statements(path, own.get("same_as_sha256"))[1]
    settings = {**every, "shared_entity": {**own, "same_as": str(path), "same_as_sha256": sha256}}
    return values | {"graph": {**graph, "bridge_settings": settings}}


def _with_map(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The path of a column map is relative to the TOML file; made absolute, a run finds it again from anywhere."""
    data = values.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("map"), str):
        return values
    return values | {"data": {**data, "map": str((folder / data["map"]).resolve())}}


def checked_config(values: Mapping[str, Any], where: str = "configuration") -> RunConfig:
    """Parse plain values and resolve every name in them before anything is loaded."""
    config = RunConfig.parse(values, where)
    if config.data.map is not None:
        loaders.read_map(config.data.map)
    split = SPLITS[config.split.protocol]
    split.config_class.parse(config.split.settings, f"{where}, split {config.split.protocol}")
    _check_bridges(config.graph, where)
    if not config.models and not config.baselines:
        raise InputError(f"{where}: no [models.NAME] and no [baselines.NAME]; name at least one")
    _check_names(config, where)
    _check_comparisons(config, where)
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


def _check_bridges(graph: GraphConfig, where: str) -> None:
    for name in graph.bridges:
        graph.bridge(name, f"{where}, ")
    for name in graph.bridge_settings:
        if name not in BRIDGES:
            raise unknown_name(f"bridge in {where}, graph.bridge_settings,", name, BRIDGES)
        if name not in graph.bridges:
            raise InputError(
                f"{where}: settings of bridge {name}, which the run does not use; add it to bridges, or remove "
                f"[graph.bridge_settings.{name}]"
            )


def _check_names(config: RunConfig, where: str) -> None:
    kinds: dict[str, Iterable[str]] = {"model": config.models, "baseline": config.baselines, "blend": config.blends}
    taken: dict[str, str] = {BEST_CONTROL: "the best of all controls"}
    for kind, runs in kinds.items():
        for name in runs:
            if name in taken:
                raise InputError(f'{where}: "{name}" is the name of {taken[name]} and of a {kind}; rename one')
            taken[name] = f"a {kind}"
    for name in config.blends:
        members = config.members_of(name)
        if not members:
            raise InputError(f"{where}, blend {name}: it has no members; name models or baselines of the run")
        for member in members:
            if member not in (*config.models, *config.baselines):
                known = (*config.models, *config.baselines)
                raise unknown_name(f"member in {where}, blend {name},", member, known)


def _check_comparisons(config: RunConfig, where: str) -> None:
    reference, metric = config.statistics.reference, config.compared_metric
    models = (BEST_CONTROL, *config.models, *config.baselines, *config.blends)
    if reference not in models:
        raise unknown_name(f"reference in {where}, statistics,", reference, models)
    names = (*LIST_METRICS, *WHOLE_LIST_METRICS, *(ROW_METRICS if config.evaluation.sampled_negatives else ()))
    known = [label(name, config.evaluation.k) for name in names]
    if metric not in known:
        raise unknown_name(f"metric in {where}, statistics,", metric, known)
    model = config.bridge_controls.model
    if config.bridge_controls.enabled and model not in (*config.models, *config.baselines, *BASELINES):
        choices = (*config.models, *config.baselines, *BASELINES)
        raise unknown_name(f"model in {where}, bridge_controls,", model, choices)


def packaged_config(name: str) -> Path:
    """Path of a configuration that comes with the package, such as "movielens-genres"."""
    folder = Path(str(resources.files("kgxfer"))) / "configs"
    path = folder / f"{name}.toml"
    if not path.is_file():
        raise unknown_name("packaged configuration", name, sorted(file.stem for file in folder.glob("*.toml")))
    return path
