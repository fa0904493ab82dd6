"""The one training step for all models, as Lightning wants it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os.path import commonprefix
from typing import Any

import lightning as L
import torch
from torch import Tensor, nn

from graph_schema.errors import InputError
from kgxfer.encoders import Embeddings
from kgxfer.model import TransferNetwork
from kgxfer.rng import derive, torch_generator
from kgxfer.training.history import EpochRecorder
from kgxfer.training.schedule import Phase
from kgxfer.training.supervision import Supervision


@dataclass(frozen=True, eq=False)
class PhaseRun:
    """What the module needs beside the network for one phase.

    Attributes:
        validate: scores the network as it is on the validation rows; metric names to values.
        averaging: weight of the past in the running average of the parameters, which is what is validated and kept.
        identity: what a checkpoint must belong to (data fingerprint, model, seed); checked when one is resumed.
    """

    phase: Phase
    supervision: Supervision
    seed: int
    validate: Callable[[TransferNetwork], dict[str, float]] | None
    averaging: float
    identity: dict[str, str]


class TrainingModule(L.LightningModule):
    """One phase of a schedule: draws supervision, sums the phase's losses, steps every group's own optimiser."""

    def __init__(self, network: TransferNetwork, run: PhaseRun) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network, self.run = network, run
        by_component = network.parameter_groups()
        self._owned = [
            (name, group) for name in run.phase.trainable for group in by_component[name] if group.parameters
        ]
        self._encoded: Embeddings | None = None
        for number, parameter in enumerate(self._averaged):
            self.register_buffer(f"average_{number}", parameter.detach().clone())

    @property
    def _averaged(self) -> list[nn.Parameter]:
        """What the phase moves and averages over its steps."""
        return [p for _, group in self._owned for p in group.parameters] if self.run.averaging else []

    def use_averages(self) -> None:
        """Exchange the parameters with their averages; a second call exchanges them back."""
        for number, parameter in enumerate(self._averaged):
            average = self.get_buffer(f"average_{number}")
            parameter.data, average.data = average.data, parameter.data

    @torch.no_grad()
    def _average(self, step: int) -> None:
        """Take the step's parameters into the averages; the first steps, far from anything good, are soon forgotten."""
        share = 1 - min(self.run.averaging, (1 + step) / (10 + step))
        for number, parameter in enumerate(self._averaged):
            self.get_buffer(f"average_{number}").lerp_(parameter, share)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """One Adam per parameter group of the phase's trainable components."""
        return [
            torch.optim.Adam(
                group.parameters, lr=group.learning_rate * self.run.phase.pace, weight_decay=group.weight_decay
            )
            for _, group in self._owned
        ]

    def training_step(self, batch: Any, batch_idx: int) -> None:
        """Draw, hold out, compute, step; every draw depends on the seed, the phase and the step alone."""
        phase, supervision = self.run.phase, self.run.supervision
        steps_per_epoch = int(self.trainer.num_training_batches)
        step = self.current_epoch * steps_per_epoch + batch_idx
        generator = torch_generator(self.run.seed, phase.name, step)
        torch.manual_seed(derive(self.run.seed, phase.name, step, "modules"))
        draw = supervision.draw(generator, step / (phase.epochs * steps_per_epoch))
        losses = self.network.losses(draw.graph, draw.batch, phase.losses, self._frozen_encoding(), self._inner_step)
        weights = self.network.config.loss_weights
        total = torch.stack([weights.get(name, 1.0) * loss for name, loss in losses.items()]).sum()
        self._descend(total, None)
        self._average(step)
        values = {"loss": total.detach(), **{name: loss.detach() for name, loss in losses.items()}}
        self.log_dict(values, on_step=False, on_epoch=True, batch_size=1)

    def _frozen_encoding(self) -> Embeddings | None:
        """The encoder's output, computed once where the phase does not move it."""
        if "encoder" in self.run.phase.trainable:
            return None
        if self._encoded is None:
            with torch.no_grad():
                self._encoded = self.network.encoder(self.run.supervision.graph)
        return self._encoded

    def _inner_step(self, stage: str, loss: Tensor) -> None:
        self._descend(loss, stage)

    def _descend(self, loss: Tensor, component: str | None) -> None:
        """Lower a loss by the optimisers of one component, or of all."""
        every = self.optimizers()
        optimisers = every if isinstance(every, list) else [every]
        chosen = [
            optimiser for optimiser, (name, _) in zip(optimisers, self._owned, strict=True) if component in (None, name)
        ]
        for optimiser in chosen:
            optimiser.zero_grad()
        self.manual_backward(loss)
        for optimiser in chosen:
            optimiser.step()

    def on_train_epoch_end(self) -> None:
        """Validate; runs before the callbacks that read the metric."""
        if self.run.validate is not None:
            self.use_averages()
            self.log_dict(self.run.validate(self.network))
            self.use_averages()
        for callback in self.trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, EpochRecorder):
                callback.record(self.trainer)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Say what the checkpoint belongs to."""
        checkpoint["belongs_to"] = self.run.identity

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse a checkpoint of another data set, model or seed."""
        given = checkpoint.get("belongs_to", {})
        for part, expected in self.run.identity.items():
            if given.get(part) != expected:
                found = str(given.get(part))
                # Configurations begin alike: what is of use to see starts shortly before the first difference.
                start = max(0, len(commonprefix([found, expected])) - 20)
                one, other = (text[start : start + 60] for text in (found, expected))
                raise InputError(
                    f"the checkpoint was made with another {part} ({one} instead of {other}); "
                    "resume with the same configuration and data, or start a new run in another folder"
                )
