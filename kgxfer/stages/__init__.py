"""Stages: what happens to graph embeddings between encoder and scorer."""

from kgxfer.registry import Registry
from kgxfer.stages.adversarial import Adversarial
from kgxfer.stages.base import Batch, DomainBatch, ScoreStage, Stage, StageConfig, StageContext, StageOutput
from kgxfer.stages.distillation import Distillation
from kgxfer.stages.fusion import Fusion

STAGES: Registry[Stage | ScoreStage] = Registry(
    "stage", {"adversarial": Adversarial, "fusion": Fusion, "distillation": Distillation}
)

__all__ = [
    "STAGES",
    "Adversarial",
    "Batch",
    "Distillation",
    "DomainBatch",
    "Fusion",
    "ScoreStage",
    "Stage",
    "StageConfig",
    "StageContext",
    "StageOutput",
]
