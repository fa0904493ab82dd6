"""The memory estimate: complete, and near the truth."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kgxfer.training.memory import training_bytes
from kgxfer.training.supervision import SupervisionConfig
from tests.networks import network_of, small_split, tensors_of


def test_the_memory_estimate_counts_every_part() -> None:
    """More nodes, negatives or dims need more, and the logits of a step are never less than what they are."""
    graph = tensors_of(small_split())
    settings = SupervisionConfig(rows_per_domain=100, negatives=50)
    small = training_bytes(network_of(graph), graph, settings)
    assert small > 2 * 100 * 50 * 4 * 2
    assert training_bytes(network_of(graph, dim=64), graph, settings) > small
    assert training_bytes(network_of(graph), graph, SupervisionConfig(rows_per_domain=100, negatives=500)) > 5 * small


MEASURE = """
import sys
import numpy as np, pandas as pd, psutil, torch
from benchmarks.memory import peak_bytes
from kgxfer.graph import GraphTensors
from kgxfer.model import TransferModel
from kgxfer.splits import FixedFiles
from kgxfer.training import Trainer
from kgxfer.training.memory import training_bytes
from kgxfer.training.supervision import HeldOutConfig
from tests.networks import graph_of, small_split
from loaders import DomainTables, pair

torch.set_num_threads(1)
users, items, rows, dim = (int(text) for text in sys.argv[1:])
drawn = np.random.default_rng(0)
domains = []
for name, kind in (("books", "Book"), ("films", "Movie")):
    ids = [drawn.integers(count, size=rows).astype(str) for count in (users, items)]
    table = pd.DataFrame({"user_id": ids[0], "item_id": ids[1]})
    domains.append(DomainTables.from_frames(name, table.drop_duplicates(), item_type=kind))
held = domains[1].interactions.iloc[:50].assign(domain="films")[["domain", "user_id", "item_id"]]
split = FixedFiles().split(pair("world", *domains, fixed={"test": held}))
graph = graph_of(split)
model = TransferModel("relational", dim=dim)
little = small_split()
Trainer(epochs=1).fit(TransferModel("relational", dim=4), graph_of(little), little)  # everything is imported now
tensors = GraphTensors.of(graph)
expected = training_bytes(model.build(tensors, 0), tensors, HeldOutConfig())
del tensors
before = psutil.Process().memory_info().rss
Trainer(epochs=1, steps_per_epoch=3).fit(model, graph, split)
print(expected, peak_bytes() - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("size", [(3000, 2000, 40_000, 16), (20_000, 10_000, 300_000, 32)])
def test_the_memory_estimate_is_within_a_factor_of_three(size: tuple[int, ...]) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", MEASURE, *map(str, size)]
    process = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    expected, measured = map(int, process.stdout.splitlines()[-1].split())
    assert measured / 3 < expected < 3 * measured
