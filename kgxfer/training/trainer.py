"""Fit a transfer model: one loop for everything, phase by phase, on Lightning."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint, RichProgressBar
from pydantic import Field
from torch import Tensor
from torch.utils.data import DataLoader

from graph_schema.config import Config
from graph_schema.errors import InputError, unknown_name
from graph_schema.schema import EdgeType
from kgxfer.bridges import twin_pairs
from kgxfer.encoders import ENCODERS
from kgxfer.evaluation import WITHOUT_TWINS, EvaluationConfig, evaluate
from kgxfer.evaluation.metrics import LIST_METRICS
from kgxfer.evaluation.sampled import ROW_METRICS, WITHOUT_CUT
from kgxfer.graph import GraphTensors, KnowledgeGraph
from kgxfer.model import TransferModel, TransferNetwork
from kgxfer.recommender import Catalogue, Recommender
from kgxfer.splits import Split
from kgxfer.training.checkpoint import EXTENSION, SafeCheckpointIO
from kgxfer.training.freeze import freeze
from kgxfer.training.history import EpochRecorder, History
from kgxfer.training.memory import readable_bytes, training_bytes
from kgxfer.training.module import PhaseRun, TrainingModule
from kgxfer.training.schedule import Phase, default_schedule
from kgxfer.training.supervision import SUPERVISION, AllEdges, Supervision, SupervisionConfig


class TrainingConfig(Config):
    """Settings of a training run.

    `epochs`, `align_epochs` and `distil_epochs` are upper limits of the phases; the best epoch on the validation rows
    is kept, and a phase ends after `patience` epochs without a better one. An epoch draws every edge about once unless
    `steps_per_epoch` says otherwise. What is validated and kept is the running average of the parameters over the
    steps (Polyak and Juditsky, 1992), with `averaging` as the weight of the past; 0 keeps the last parameters. The
    average generalises better than a single step, and depends less on when training stops. `monitor_rows` says which
    validation rows choose: twins are learned long after everything else has begun to overfit. `supervision` None:
    held-out edges for inductive encoders, all edges for others. `device` other than "cpu" is experimental: the sparse
    product is tested on CUDA, the whole of training there is not yet (tests/training/test_device.py).
    """

    epochs: int = Field(50, ge=1)
    align_epochs: int = Field(10, ge=1)
    distil_epochs: int = Field(10, ge=1)
    steps_per_epoch: int | None = Field(None, ge=1)
    patience: int = Field(6, ge=1)
    averaging: float = Field(0.98, ge=0, lt=1)
    monitor: str = "ndcg@10"
    monitor_rows: Literal["all rows", "rows without twins"] = "all rows"
    supervision: str | None = None
    supervision_settings: dict[str, Any] = Field(default_factory=dict)
    device: Literal["auto", "cpu", "cuda"] = "cpu"


@dataclass(frozen=True, eq=False)
class PhaseRecord:
    """What a phase did: epochs run, the epoch kept, validation figures there, seconds, notes of the stages."""

    phase: Phase
    epochs: int
    kept_epoch: int
    validation: dict[str, float]
    seconds: float
    notes: dict[str, float]
    recommender: Recommender


@dataclass(frozen=True)
class _Options:
    """How a training run goes about it, beside what it trains; see `Trainer.fit`."""

    folder: Path | None = None
    resume: bool = False
    evaluation: EvaluationConfig | None = None
    progress: bool = False
    say: Callable[[str], None] | None = None


class Trainer:
    """Fits models by the same loop.

    After `fit`, `history` holds the curves (phase, epoch, name, value) and `records` what each phase did, with a frozen
    recommender each, so that stages can be compared before and after.
    """

    def __init__(self, config: TrainingConfig | None = None, **settings: Any) -> None:
        self.config = config or TrainingConfig.parse(settings, "training")
        self.metric, self.k = _parse_monitor(self.config.monitor)
        if self.config.supervision is not None:
            SUPERVISION[self.config.supervision].config_class.parse(self.config.supervision_settings, "supervision")
        self.history = History()
        self.records: list[PhaseRecord] = []

    def fit(
        self,
        model: TransferModel,
        graph: KnowledgeGraph,
        split: Split,
        rng: int = 0,
        *,
        folder: Path | None = None,
        resume: bool = False,
        evaluation: EvaluationConfig | None = None,
        progress: bool = False,
        say: Callable[[str], None] | None = None,
    ) -> Recommender:
        """Train on the graph, choose on the split's validation rows, and freeze.

        Args:
            model: what to train.
            graph: built from `split`.
            split: supplies validation rows and the catalogue; test rows are not looked at.
            rng: seed; the same seed on the same machine gives the same model bit by bit.
            folder: where checkpoints go; a temporary folder when not given.
            resume: continue from the last epoch that `folder` has a checkpoint of; the result equals that of an
                uninterrupted run.
            evaluation: how validation rows are ranked.
            progress: show a progress bar.
            say: told the memory estimate before training starts.

        Raises:
            InputError: a checkpoint of another data set, model or seed; a full disk.
        """
        options = _Options(folder, resume, evaluation, progress, say)
        schedule = default_schedule(
            model.config, self.config.epochs, self.config.align_epochs, self.config.distil_epochs
        )
        self.history = History()
        self.records = self._train(model, graph, split, rng, schedule, self.history, options)
        return self.records[-1].recommender

    def refit(
        self,
        model: TransferModel,
        graph: KnowledgeGraph,
        split: Split,
        rng: int = 0,
        *,
        folder: Path | None = None,
        resume: bool = False,
        progress: bool = False,
    ) -> Recommender:
        """Train anew on all training rows, for the epochs that `fit` kept: the hidden users' edges are worth having.

        `history` stays that of choosing; `records` keep the figures that the choice was made by, with the recommenders
        trained anew.

        Args:
            model: the one that `fit` was given.
            graph: built from `split`.
            split: `Split.for_refit` of the one that `fit` was given.
            rng, folder, resume, progress: as for `fit`; the folder must be another.

        Raises:
            InputError: nothing was fitted before, or the split still has validation rows.
        """
        if not self.records:
            raise InputError("Trainer.refit: nothing was fitted before; call fit first, which chooses the epochs")
        if len(split.valid):
            raise InputError("Trainer.refit: the split still has validation rows; pass split.for_refit()")
        schedule = [replace(record.phase, epochs=record.kept_epoch) for record in self.records]
        again = self._train(model, graph, split, rng, schedule, History(), _Options(folder, resume, None, progress))
        self.records = [
            replace(old, seconds=old.seconds + new.seconds, notes=new.notes, recommender=new.recommender)
            for old, new in zip(self.records, again, strict=True)
        ]
        return self.records[-1].recommender

    def _train(
        self,
        model: TransferModel,
        graph: KnowledgeGraph,
        split: Split,
        rng: int,
        schedule: list[Phase],
        history: History,
        options: _Options,
    ) -> list[PhaseRecord]:
        device = _device(self.config.device)
        tensors = GraphTensors.of(graph, device)
        network = model.build(tensors, rng).to(device)
        supervision = self._supervision(model, tensors, graph)
        if options.say is not None:
            needed = readable_bytes(training_bytes(network, tensors, supervision.config))
            options.say(f"{model}: {network.parameter_count:,} parameters, about {needed} of memory beside the data")
        catalogue = Catalogue.of(split)
        identity = {"data set": split.dataset.fingerprint, "model": model.config.model_dump_json(), "seed": str(rng)}
        identity["training configuration"] = self.config.model_dump_json()
        manifest = {"model": model.config.model_dump(mode="json"), "seed": rng, "data": split.dataset.fingerprint}
        records = []
        with tempfile.TemporaryDirectory() as scratch:
            base = options.folder or Path(scratch)
            for phase in schedule:
                phase_supervision = supervision if "encoder" in phase.trainable else _all_edges(supervision)
                validate = self._validator(phase, tensors, graph, catalogue, split, options.evaluation)
                run = PhaseRun(phase, phase_supervision, rng, validate, self.config.averaging, identity)
                curves = history.recorder(phase.name, base / phase.name / "history.jsonl", options.resume)
                record = self._run_phase(network, run, base / phase.name, curves, options)
                frozen = freeze(network, tensors, graph, catalogue, phase.stages, manifest, explainable=True)
                records.append(PhaseRecord(**record, recommender=frozen))
        return records

    def supervision_of(self, model: TransferModel) -> tuple[type[Supervision], SupervisionConfig]:
        """Which supervision trains a model, with which settings; InputError where the settings are wrong."""
        inductive = ENCODERS[model.config.encoder].inductive
        name = self.config.supervision or ("held_out" if inductive else "all_edges")
        kind = SUPERVISION[name]
        return kind, kind.config_class.parse(self.config.supervision_settings, f"supervision {name}")

    def _supervision(self, model: TransferModel, tensors: GraphTensors, graph: KnowledgeGraph) -> Supervision:
        kind, config = self.supervision_of(model)
        ratings: dict[EdgeType, Tensor] = {
            edge_type: torch.tensor(graph.edges[edge_type].properties["rating"].to_numpy(), dtype=torch.float32)
            for edge_type in tensors.edge_domain
            if "rating" in graph.edges[edge_type].properties
        }
        return kind(config, tensors, {key: value.to(tensors.device) for key, value in ratings.items()})

    def _validator(
        self,
        phase: Phase,
        tensors: GraphTensors,
        graph: KnowledgeGraph,
        catalogue: Catalogue,
        split: Split,
        evaluation: EvaluationConfig | None,
    ) -> Callable[[TransferNetwork], dict[str, float]] | None:
        if not split.valid["relevant"].any():
            return None
        base = evaluation or EvaluationConfig()
        negatives = (base.sampled_negatives or 999) if self.metric in ROW_METRICS else 0
        rows = self.config.monitor_rows
        pairs = twin_pairs(split) if rows == WITHOUT_TWINS else None
        changes = {"k": self.k, "twins": pairs is not None, "groups": False, "sampled_negatives": negatives}
        config = base.model_copy(update=changes)

        def validate(network: TransferNetwork) -> dict[str, float]:
            frozen = freeze(network, tensors, graph, catalogue, phase.stages)
            figures = evaluate({"": frozen}, split, config, pairs, part="valid").figures
            chosen = figures[(figures["metric"] == self.config.monitor) & (figures["group"] == rows)]
            if chosen.empty:
                raise InputError(f"training: no validation row is among the {rows}; set monitor_rows to \"all rows\"")
            return {self.config.monitor: float(chosen.drop_duplicates("domain")["value"].mean())}

        return validate

    def _run_phase(
        self, network: TransferNetwork, run: PhaseRun, folder: Path, curves: EpochRecorder, options: _Options
    ) -> dict[str, Any]:
        monitor = self.config.monitor if run.validate is not None else None
        checkpoint = ModelCheckpoint(
            folder, filename="best", monitor=monitor, mode="max", save_top_k=1, save_last=True,
            save_on_train_epoch_end=True, enable_version_counter=False,
        )
        checkpoint.FILE_EXTENSION = EXTENSION
        callbacks: list[Callback] = [checkpoint, curves]
        if monitor is not None:
            callbacks.append(_PatienceOverResume(monitor, self.config.patience))
        if options.progress:
            callbacks.append(RichProgressBar(leave=False))
        last = folder / f"last{EXTENSION}"
        module = TrainingModule(network, run)
        with _Quiet():
            trainer = L.Trainer(
                max_epochs=run.phase.epochs,
                accelerator="gpu" if run.supervision.graph.device.type == "cuda" else "cpu", devices=1,
                callbacks=callbacks, plugins=[SafeCheckpointIO()], logger=False,
                enable_progress_bar=options.progress, enable_model_summary=False, num_sanity_val_steps=0,
            )
            steps = self.config.steps_per_epoch or run.supervision.steps_per_epoch
            loader: DataLoader[int] = DataLoader(range(steps), batch_size=1)  # type: ignore[arg-type]
            trainer.fit(module, loader, ckpt_path=str(last) if options.resume and last.is_file() else None)
        module.to(run.supervision.graph.device)  # Lightning leaves the network on the processor
        best = checkpoint.best_model_path if monitor is not None else ""
        kept = SafeCheckpointIO().load_checkpoint(best or last)
        module.load_state_dict(kept["state_dict"])
        module.use_averages()
        epoch = int(kept["epoch"])
        return {
            "phase": run.phase, "epochs": curves.epochs, "kept_epoch": epoch + 1, "seconds": curves.seconds,
            "validation": curves.values_at(epoch, [self.config.monitor]), "notes": _notes(network, run.phase),
        }


def _parse_monitor(monitor: str) -> tuple[str, int]:
    name, _, k = monitor.partition("@")
    known = [metric for metric in (*LIST_METRICS, *ROW_METRICS) if metric not in WITHOUT_CUT]
    if name not in known or not k.isdigit() or int(k) < 1:
        raise unknown_name("monitored metric", monitor, [f"{metric}@10" for metric in known])
    return name, int(k)


def _device(name: str) -> torch.device:
    return torch.device("cuda" if name == "cuda" or (name == "auto" and torch.cuda.is_available()) else "cpu")


def _all_edges(supervision: Supervision) -> Supervision:
    """For phases that do not move the encoder: nothing needs to be held out from it."""
    given = supervision.config
    config = SupervisionConfig(rows_per_domain=given.rows_per_domain, negatives=given.negatives)
    return AllEdges(config, supervision.graph, supervision.ratings)


def _notes(network: TransferNetwork, phase: Phase) -> dict[str, float]:
    notes: dict[str, float] = {}
    for name in phase.stages:
        notes |= network.stages[name].notes()  # type: ignore[operator]
    gates = getattr(network.encoder, "gate_values", None)
    if gates is not None and "encoder" in phase.trainable:
        notes |= {f"gate {name}": value for name, value in gates().items()}
    return notes


class _PatienceOverResume(EarlyStopping):
    """Early stopping that, when a run is resumed after its patience had run out, does not train one more epoch."""

    def __init__(self, monitor: str, patience: int) -> None:
        super().__init__(monitor, mode="max", patience=patience, check_on_train_epoch_end=True)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop at once where the restored state says so."""
        trainer.should_stop = self.wait_count >= self.patience


class _Quiet:
    """Lightning's remarks about hardware and loaders say nothing about the user's run."""

    def __enter__(self) -> None:
        self._logger = logging.getLogger("lightning.pytorch")
        self._level = self._logger.level
        self._logger.setLevel(logging.ERROR)
        self._caught = warnings.catch_warnings()
        self._caught.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, *_: object) -> None:
        self._caught.__exit__(None, None, None)
        self._logger.setLevel(self._level)
