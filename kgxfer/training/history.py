"""The curves of a training run, kept line by line beside the checkpoints so that a resumed run has them whole."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import lightning as L
import pandas as pd
from lightning.pytorch.callbacks import Callback

from graph_schema.errors import InputError
from loaders.files import new_file


class History:
    """Curves of all phases."""

    def __init__(self) -> None:
        self._recorders: list[EpochRecorder] = []

    def recorder(self, phase: str, path: Path, resume: bool) -> EpochRecorder:
        """Start the curves of a phase."""
        recorder = EpochRecorder(phase, path, resume)
        self._recorders.append(recorder)
        return recorder

    def table(self) -> pd.DataFrame:
        """Long table phase, epoch (from 1), name, value."""
        rows = [
            {"phase": recorder.phase, "epoch": line["epoch"] + 1, "name": name, "value": value}
            for recorder in self._recorders
            for line in recorder.lines
            for name, value in line["values"].items()
        ]
        return pd.DataFrame(rows, columns=["phase", "epoch", "name", "value"])


class EpochRecorder(Callback):
    """Writes one JSON line per epoch: its logged values and seconds."""

    def __init__(self, phase: str, path: Path, resume: bool) -> None:
        self.phase, self._path = phase, path
        self.lines: list[dict[str, Any]] = []
        if resume and path.is_file():
            self.lines = _lines(path)
        self._started = 0.0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Forget epochs after the checkpoint that the run continues from."""
        self.lines = [line for line in self.lines if line["epoch"] < trainer.current_epoch]

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock."""
        self._started = time.perf_counter()

    def record(self, trainer: L.Trainer) -> None:
        """Write the line of the epoch that just ended; called by the module once the validation figures are there."""
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        seconds = time.perf_counter() - self._started
        self.lines.append({"epoch": trainer.current_epoch, "values": values, "seconds": seconds})
        with new_file(self._path) as draft:
            draft.write_text("".join(json.dumps(line) + "\n" for line in self.lines))

    @property
    def epochs(self) -> int:
        """Epochs recorded."""
        return len(self.lines)

    @property
    def seconds(self) -> float:
        """Seconds of all epochs, those before an interruption included."""
        return float(sum(line["seconds"] for line in self.lines))

    def values_at(self, epoch: int, names: list[str]) -> dict[str, float]:
        """Recorded values of one epoch (from 0); names that were not logged are left out."""
        found: dict[str, float] = next((line["values"] for line in self.lines if line["epoch"] == epoch), {})
        return {name: found[name] for name in names if name in found}


def _lines(path: Path) -> list[dict[str, Any]]:
    """What was recorded; InputError where the file holds something else."""
    try:
        return [
            {"epoch": int(one["epoch"]), "values": dict(one["values"]), "seconds": float(one["seconds"])}
            for one in map(json.loads, path.read_text().splitlines())
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f'"{path}" was changed ({error}); remove the folder of this run and start again') from error
