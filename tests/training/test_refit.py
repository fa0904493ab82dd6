"""Fitting again on all training rows: for the epochs kept, on the hidden users' rows too, and on no others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graph_schema import InputError
from kgxfer.bridges import propose_links
from kgxfer.graph import KnowledgeGraph, build_graph
from kgxfer.model import TransferModel
from kgxfer.splits import ColdStartUsers, Split
from kgxfer.training import Trainer
from tests.worlds import checkerboard

MODEL = TransferModel("relational", ["adversarial"], 6, encoder_settings={"learning_rate": 0.01})


@pytest.fixture(scope="module")
def choosing() -> Split:
    return ColdStartUsers(test_share=0.25, pseudo_cold_share=0.25).split(checkerboard(24, 8), rng=0)


def graph_of(split: Split) -> KnowledgeGraph:
    return build_graph(split, propose_links(split, ["shared_id"]))


def trainer() -> Trainer:
    held = {"share": 0.3, "hidden_share": 0.5, "negatives": 16, "rows_per_domain": 128}
    return Trainer(epochs=4, align_epochs=2, steps_per_epoch=2, patience=1, supervision_settings=held)


def test_a_refit_is_a_training_of_the_kept_epochs_on_all_rows(choosing: Split) -> None:
    full = choosing.for_refit()
    fitted = trainer()
    first = fitted.fit(MODEL, graph_of(choosing), choosing)
    kept = [record.kept_epoch for record in fitted.records]
    chosen_by, curves = [record.validation for record in fitted.records], fitted.history.table()
    again = fitted.refit(MODEL, graph_of(full), full)
    plain = Trainer(fitted.config.model_copy(update={"epochs": kept[0], "align_epochs": kept[1]}))
    expected = plain.fit(MODEL, graph_of(full), full)
    for domain in (0, 1):
        np.testing.assert_array_equal(again.vectors[domain].users, expected.vectors[domain].users)
        np.testing.assert_array_equal(again.vectors[domain].items, expected.vectors[domain].items)
    assert not np.allclose(again.vectors[1].users, first.vectors[1].users)
    assert [record.kept_epoch for record in fitted.records] == kept
    assert [record.validation for record in fitted.records] == chosen_by
    assert fitted.history.table().equals(curves)


def test_the_hidden_users_rows_are_seen_again_and_the_test_users_are_not(choosing: Split) -> None:
    full = choosing.for_refit()
    assert full.validation == "pseudo-cold users, then refitted" and not len(full.valid)
    rows = graph_of(full)
    films = sum(len(rows.interactions(domain)) for domain in (0, 1))
    assert films == len(choosing.train) + len(choosing.valid)
    assert not set(full.cold_users["user_id"]) & set(full.rows("train", "films")["user_id"])
    assert full.test.equals(choosing.test)


def test_a_refit_can_be_interrupted_and_resumed(choosing: Split, tmp_path: Path) -> None:
    full, graphs = choosing.for_refit(), {}
    graphs = {split: graph_of(split) for split in (choosing, full)}
    vectors = []
    for resume in (False, True):
        fitted = trainer()
        fitted.fit(MODEL, graphs[choosing], choosing, folder=tmp_path / "fit", resume=resume)
        again = fitted.refit(MODEL, graphs[full], full, folder=tmp_path / "fit" / "refit", resume=resume)
        vectors.append(again.vectors[1].users)
        (tmp_path / "fit" / "refit" / "align" / "last.safetensors").unlink()  # as if the last phase had not begun
    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_what_cannot_be_refitted_is_said_in_one_line(choosing: Split) -> None:
    graph = graph_of(choosing)
    with pytest.raises(InputError, match="nothing was fitted before; call fit first"):
        trainer().refit(MODEL, graph, choosing.for_refit())
    fitted = trainer()
    fitted.fit(MODEL, graph, choosing)
    with pytest.raises(InputError, match=r"still has validation rows; pass split.for_refit\(\)"):
        fitted.refit(MODEL, graph, choosing)
