"""Training: supervision, schedule, one loop, checkpoints."""

from kgxfer.training.schedule import Phase, default_schedule
from kgxfer.training.supervision import SUPERVISION
from kgxfer.training.trainer import PhaseRecord, Trainer, TrainingConfig

__all__ = ["SUPERVISION", "Phase", "PhaseRecord", "Trainer", "TrainingConfig", "default_schedule"]
