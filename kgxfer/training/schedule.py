"""The phases of a training run as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass

from kgxfer.model import RECOMMENDATION, TransferModelConfig
from kgxfer.stages import STAGES

SCORED_BEFORE = ("encoder", "scorer")
ALIGN_PACE = 0.3


@dataclass(frozen=True)
class Phase:
    """One phase.

    Attributes:
        name: "train", "align" or "distil" in the default schedule.
        losses: names of the losses that are summed.
        trainable: components that move: "encoder", "scorer", stage names.
        stages: stages that are applied when the phase is validated and when its result is frozen.
        epochs: upper limit; the best epoch is kept.
        pace: factor on all learning rates; a phase that starts from trained weights with fresh optimisers goes slower.
    """

    name: str
    losses: tuple[str, ...]
    trainable: tuple[str, ...]
    stages: tuple[str, ...]
    epochs: int
    pace: float = 1.0


def default_schedule(model: TransferModelConfig, epochs: int, align_epochs: int, distil_epochs: int) -> list[Phase]:
    """Train, then align where a stage aligns, then distil where a stage distils.

    A stage joins in the phase that its class names and stays to the end; distillation trains the student alone.
    """
    of_phase = {
        phase: tuple(name for name in model.stages if STAGES[name].phase == phase)
        for phase in ("train", "align", "distil")
    }
    loss_names = {name: STAGES[name].loss_names for name in model.stages}
    used, losses = of_phase["train"], (RECOMMENDATION, *(x for name in of_phase["train"] for x in loss_names[name]))
    phases = [Phase("train", losses, (*SCORED_BEFORE, *used), used, epochs)]
    if of_phase["align"]:
        used = tuple(name for name in model.stages if name in (*used, *of_phase["align"]))
        losses = (*losses, *(x for name in of_phase["align"] for x in loss_names[name]))
        phases.append(Phase("align", losses, (*SCORED_BEFORE, *used), used, align_epochs, pace=ALIGN_PACE))
    if of_phase["distil"]:
        student = of_phase["distil"]
        own = tuple(x for name in student for x in loss_names[name])
        phases.append(Phase("distil", own, student, (*used, *student), distil_epochs))
    return phases
