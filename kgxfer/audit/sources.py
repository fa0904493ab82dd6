"""What can be audited: a data set or a user's own data, whose split and controls are made here, or a finished run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import loaders
from graph_schema.errors import InputError, unknown_name
from kgxfer.audit.audit import BRIDGES
from kgxfer.audit.subject import CONTROLS, AuditConfig
from kgxfer.experiment.config import GraphConfig, RunConfig, checked_config
from kgxfer.experiment.fitting import fit_baseline
from kgxfer.experiment.run_folder import RunFolder
from kgxfer.experiment.state import Ground
from kgxfer.recommender import RankingModel
from kgxfer.recommender_store import load_recommender
from kgxfer.splits import ColdStartUsers, FixedFiles, Split
from loaders import CrossDomainDataset

FEWER_DRAWS = 99
"""Negatives of sampled ranking, as many papers have it too, where a domain has too few items for the usual number."""

VALID_SHARE = 0.1
"""Users of whom a training row is held out for choosing, where published files bring no validation rows."""


@dataclass(frozen=True, eq=False)
class Source:
    """What to audit; `choosing` is None where it is what is tested, `run` and `folder` are those of a run."""

    name: str
    choosing: Ground | None
    final: Ground
    settings: AuditConfig
    run: RunConfig | None = None
    folder: Path = Path()

    def models(self) -> Mapping[str, RankingModel]:
        """The saved models of a run, those of its first seed; none of a data set."""
        names = () if self.run is None else self.run.models
        return {name: load_recommender(self.folder / "models" / name) for name in names}

    def controls(self, say: Callable[[str], None]) -> Mapping[str, RankingModel]:
        """The baselines of a run, fitted as it fitted them; those of another kind than their name say so."""
        fitted: dict[str, RankingModel] = {}
        if self.run is None:
            return fitted
        for name, baseline in self.run.baselines.items():
            taken = name in CONTROLS and baseline.kind not in (None, name)
            chosen, _ = fit_baseline(name, baseline, self.run, self.choosing or self.final, self.final)
            fitted[f"{name} ({baseline.kind})" if taken else name] = chosen.final
            say(f"{name}: fitted")
        return fitted


def source_of(target: str, root: Path | None = None, seed: int = 0) -> Source:
    """Find what a name or a path means.

    Args:
        target: the name of a data set, the path of a column map (a .toml file), or the folder of a finished run.
        root: folder of the data files.
        seed: of the split and of all draws of a data set; a run has its own.

    Raises:
        InputError: none of these, data files that are absent or damaged or no longer those of the run, or a folder
            that is incomplete.
    """
    if target in loaders.BY_NAME or loaders.is_column_map(target):
        dataset = loaders.dataset_of(target, root)
        return _of_data_set(dataset, dataset.name, seed)
    folder = Path(target)
    if not folder.exists():
        raise unknown_name("data set or folder of a run", target, loaders.BY_NAME)
    return _of_run(folder, root)


def _of_data_set(dataset: CrossDomainDataset, name: str, seed: int) -> Source:
    """Published files choose on their validation rows, or, where they have none, on training rows until the refit."""
    protocol: FixedFiles | ColdStartUsers = ColdStartUsers()
    if "test" in dataset.fixed:
        carved = FixedFiles(choose_on="training_rows", valid_share=VALID_SHARE)
        protocol = FixedFiles() if "valid" in dataset.fixed else carved
    split = protocol.split(dataset, rng=seed)
    choosing, final = _grounds(split, GraphConfig(bridges=BRIDGES), "valid" not in dataset.fixed)
    return Source(name, choosing, final, AuditConfig(seed=seed, sampled_negatives=_draws(final.split)))


def _of_run(folder: Path, root: Path | None) -> Source:
    saved = RunFolder.read(folder)
    values = dict(saved.config)
    if root is not None:
        values["data"] = {**values["data"], "root": str(root)}
    config = checked_config(values, f'"{folder / "config.json"}"')
    dataset = config.data.load()
    split = config.split.of(dataset, config.seed)
    choosing, final = _grounds(split, config.graph, config.split.refit)
    if final.split.fingerprint != saved.manifest["split"]["fingerprint"]:
        raise InputError(
            f'run "{folder}" was made from other data or another split than "{config.data.label}" gives now; restore '
            "its data files, or run its configuration again"
        )
    ranked = config.evaluation
    asked = AuditConfig(
        k=ranked.k, sampled_negatives=ranked.sampled_negatives or _draws(final.split),
        exclude_other_positives=ranked.exclude_other_positives, seed=config.seed, memory_mib=ranked.memory_mib,
    )
    return Source(config.name, choosing, final, asked, config, folder)


def _draws(split: Split) -> int:
    """How many negatives sampled ranking draws: more than a domain has items would draw each of them many times."""
    items = min(len(split.dataset.domain(name).items) for name in split.evaluated_domains)
    usual = AuditConfig().sampled_negatives
    return usual if items > usual else min(FEWER_DRAWS, max(1, items - 1))


def _grounds(split: Split, config: GraphConfig, refit: bool) -> tuple[Ground | None, Ground]:
    """What is chosen on, None where that is also what is tested, and what is tested."""
    ground = Ground.of(split, config)
    return (ground, Ground.of(split.for_refit(), config)) if refit else (None, ground)
