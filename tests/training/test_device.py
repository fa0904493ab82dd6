"""Training on an accelerator: the same draws, so the same model up to rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from kgxfer.bridges import propose_links
from kgxfer.graph import build_graph
from kgxfer.model import TransferModel
from kgxfer.splits import ColdStartUsers
from kgxfer.training import Trainer
from tests.worlds import checkerboard

MODELS = {
    "relational": TransferModel("relational", ["adversarial", "fusion", "distillation"], 6),
    "lightgcn": TransferModel("lightgcn", dim=6),
    "mf": TransferModel("mf", dim=6, loss="bpr"),
}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", MODELS)
def test_an_accelerator_gives_the_same_model(name: str) -> None:
    split = ColdStartUsers(test_share=0.25, pseudo_cold_share=0.25).split(checkerboard(24, 8), rng=0)
    graph = build_graph(split, propose_links(split, ["shared_id"]))
    limits: dict[str, Any] = {"epochs": 3, "align_epochs": 2, "distil_epochs": 2, "steps_per_epoch": 3, "patience": 9}
    here, there = Trainer(**limits, device="cpu"), Trainer(**limits, device="cuda")
    expected, found = here.fit(MODELS[name], graph, split), there.fit(MODELS[name], graph, split)
    for domain in (0, 1):
        for part in ("users", "items", "offset"):
            one, other = (getattr(each.vectors[domain], part) for each in (found, expected))
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)
    assert [r.kept_epoch for r in here.records] == [r.kept_epoch for r in there.records]
