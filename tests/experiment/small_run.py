"""The run that the tests of runs look at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CONFIG = """
name = "tiny"
seed = 3

[data]
name = "case-study"

[data.options]
seed = 1
source_users = 60
source_items = 60
source_interactions = 300
target_users = 30
target_items = 40
target_interactions = 150
topics = 4

[evaluation]
k = 5
sampled_negatives = 10

[models.staged]
stages = ["adversarial", "fusion", "distillation"]
dim = 4
seeds = 2
stage_settings = { adversarial = { nodes_per_domain = 16 }, distillation = { student_dim = 2 } }

[models.staged.training]
epochs = 2
align_epochs = 1
distil_epochs = 1
steps_per_epoch = 2
supervision_settings = { negatives = 8, rows_per_domain = 64 }

[models.target-only]
encoder = "mf"
loss = "bpr"
dim = 4
combine = "disjoint"

[models.target-only.training]
epochs = 1
steps_per_epoch = 2
supervision_settings = { negatives = 8, rows_per_domain = 64 }

[baselines.popularity]
[baselines.without_facts]
kind = "personalised_pagerank"
"""
TABLES = [
    f"{name}.parquet"
    for name in (
        "bridge_controls", "comparisons", "figures", "history", "map", "recommendations", "spread", "validation",
    )
]  # fmt: skip
TEXTS = ["choices.json", "config.json", "examples.json", "manifest.json", "report.html", "report.json", "stages.json"]


def content(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
