"""Training: known answers, the same result bit by bit whatever interrupts it, checkpoints that belong to one run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from graph_schema import InputError
from kgxfer.bridges import propose_links, shuffle_links
from kgxfer.evaluation import EvaluationConfig, evaluate
from kgxfer.graph import KnowledgeGraph, build_graph
from kgxfer.model import TransferModel
from kgxfer.recommender import Recommender
from kgxfer.rng import numpy_generator
from kgxfer.splits import ColdStartUsers, Split
from kgxfer.training import Phase, Trainer, default_schedule
from kgxfer.training.checkpoint import SafeCheckpointIO
from kgxfer.training.history import EpochRecorder
from tests.networks import graph_of
from tests.worlds import block_of, checkerboard

HELD_OUT = {"share": 0.3, "hidden_share": 0.5, "negatives": 16, "rows_per_domain": 128}
STAGED = TransferModel(
    "relational", ["adversarial", "fusion", "distillation"], 6, stage_settings={"distillation": {"student_dim": 4}}
)


@pytest.fixture(scope="module")
def graph(board_split: Split) -> KnowledgeGraph:
    return build_graph(board_split, propose_links(board_split, ["shared_id"]))


def trainer_of(**changes: Any) -> Trainer:
    epochs = {"epochs": 2, "align_epochs": 2, "distil_epochs": 2, "steps_per_epoch": 2, "patience": 9}
    return Trainer(**epochs | {"supervision_settings": HELD_OUT} | changes)


def block_first(recommender: Recommender, split: Split) -> float:
    """Share of the cold users to whom every unseen item of their block is recommended before any other item."""
    found = recommender.recommend(split.cold_users["user_id"], n=8, domain="films")
    right = []
    for user, rows in found.groupby("user_id", sort=False):
        assert len(rows) == 8  # cold: all items are unseen
        right.append([block_of(item) == block_of(str(user)) for item in rows["item_id"]] == [True] * 4 + [False] * 4)
    return float(np.mean(right))


def test_the_checkerboard_is_solved_through_the_links_and_is_chance_without_them() -> None:
    """Every cold user gets the whole block first; with shuffled links it is what a coin would find."""
    # Without facts the links are all that joins the domains.
    model = TransferModel("relational", dim=8, encoder_settings={"learning_rate": 0.01})
    answers: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    for seed in range(4):
        drawn = ColdStartUsers(test_share=0.25, pseudo_cold_share=0.25).split(checkerboard(24, 8), rng=seed)
        split = without_facts(drawn)
        links = propose_links(split, ["shared_id"])
        for shuffled in (False, True):
            used = shuffle_links(links, numpy_generator(seed, "shuffled")) if shuffled else links
            recommender = trainer_of(epochs=2, steps_per_epoch=5).fit(model, build_graph(split, used), split, rng=seed)
            report = evaluate({"": recommender}, split, EvaluationConfig(k=4))
            answers[shuffled].append((block_first(recommender, split), report.value("", "recall@4", "films")))
    assert answers[False] == [(1, 1)] * 4
    # 24 users who are right or wrong as a whole: three standard errors of a coin are 0.3.
    blocks, recall = np.mean(answers[True], axis=0)
    assert recall == pytest.approx(0.5, abs=0.3) and blocks <= 0.8


def without_facts(split: Split) -> Split:
    domains = [replace(domain, facts=domain.facts.iloc[:0]) for domain in split.dataset.domains]
    return replace(split, dataset=replace(split.dataset, source=domains[0], target=domains[1]))


def assert_same(first: Trainer, second: Trainer) -> None:
    """The same curves and the same vectors in every phase, bit by bit."""
    pd.testing.assert_frame_equal(first.history.table(), second.history.table(), check_exact=True)
    assert [record.phase for record in first.records] == [record.phase for record in second.records]
    for one, other in zip(first.records, second.records, strict=True):
        assert (one.epochs, one.kept_epoch, one.validation) == (other.epochs, other.kept_epoch, other.validation)
        for ours, theirs in zip(one.recommender.vectors, other.recommender.vectors, strict=True):
            assert np.array_equal(ours.users, theirs.users) and np.array_equal(ours.items, theirs.items)
            assert np.array_equal(ours.offset, theirs.offset) and ours.scale == theirs.scale


@pytest.fixture(scope="module")
def uninterrupted(board_split: Split, graph: KnowledgeGraph) -> Trainer:
    trainer = trainer_of()
    trainer.fit(STAGED, graph, board_split, rng=5)
    return trainer


def test_the_same_seed_gives_the_same_model_and_another_seed_another(
    uninterrupted: Trainer, board_split: Split, graph: KnowledgeGraph
) -> None:
    torch.manual_seed(99)  # what was drawn before does not matter
    again, other = trainer_of(), trainer_of()
    again.fit(STAGED, graph, board_split, rng=5)
    assert_same(uninterrupted, again)
    other.fit(STAGED, graph, board_split, rng=6)
    ours, theirs = (trainer.records[-1].recommender.vectors[1].items for trainer in (uninterrupted, other))
    assert not np.array_equal(ours, theirs)


class PowerCut(Exception):
    """What interrupts a run."""


@pytest.mark.parametrize(
    ("phase", "epoch"),
    [
        ("train", 1),
        ("align", 0),
        ("align", 1),
        ("distil", 1),
        pytest.param("train", 0, marks=pytest.mark.slow),
        pytest.param("distil", 0, marks=pytest.mark.slow),
    ],
)
def test_a_resumed_run_equals_an_uninterrupted_one(
    uninterrupted: Trainer,
    board_split: Split,
    graph: KnowledgeGraph,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    phase: str,
    epoch: int,
) -> None:
    """Cut at the end of an epoch, before its checkpoint: what is left is the boundary before."""
    record = EpochRecorder.record

    def record_or_stop(self: EpochRecorder, trainer: Any) -> None:
        record(self, trainer)
        if (self.phase, trainer.current_epoch) == (phase, epoch):
            raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(EpochRecorder, "record", record_or_stop)
        with pytest.raises(PowerCut):
            trainer_of().fit(STAGED, graph, board_split, rng=5, folder=tmp_path)
    resumed = trainer_of()
    resumed.fit(STAGED, graph, board_split, rng=5, folder=tmp_path, resume=True)
    assert_same(uninterrupted, resumed)


def test_resuming_what_is_complete_trains_nothing(
    uninterrupted: Trainer, board_split: Split, graph: KnowledgeGraph, tmp_path: Path
) -> None:
    trainer_of().fit(STAGED, graph, board_split, rng=5, folder=tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("best.*")}
    again = trainer_of()
    again.fit(STAGED, graph, board_split, rng=5, folder=tmp_path, resume=True)
    assert_same(uninterrupted, again)
    assert len(before) == 3 and {path: path.read_bytes() for path in tmp_path.rglob("best.*")} == before


@pytest.mark.parametrize("line", ["{", "[]", '{"epoch": 0, "values": 1, "seconds": 2}', '{"epoch": 0}'])
def test_a_history_that_was_changed_is_one_line(
    board_split: Split, graph: KnowledgeGraph, trained: Path, line: str
) -> None:
    (trained / "train" / "history.jsonl").write_text(line + "\n")
    with pytest.raises(InputError, match=r'history.jsonl" was changed .*; remove the folder of this run') as caught:
        trainer_of(supervision_settings={}).fit(
            TransferModel("mf", dim=4), graph, board_split, rng=0, folder=trained, resume=True
        )
    assert "\n" not in str(caught.value)


@pytest.fixture
def trained(board_split: Split, graph: KnowledgeGraph, tmp_path: Path) -> Path:
    """A folder with the checkpoints of a run of `TransferModel("mf", dim=4)`, seed 0."""
    trainer_of(supervision_settings={}).fit(TransferModel("mf", dim=4), graph, board_split, rng=0, folder=tmp_path)
    return tmp_path


@pytest.mark.parametrize("other", ["data set", "model", "seed", "training configuration"])
def test_a_checkpoint_of_another_run_is_refused(
    trained: Path, board_split: Split, graph: KnowledgeGraph, other: str
) -> None:
    model, seed, split, trainer = TransferModel("mf", dim=4), 0, board_split, trainer_of(supervision_settings={})
    if other == "data set":
        split = ColdStartUsers(test_share=0.25, pseudo_cold_share=0.25).split(checkerboard(24, 10), rng=0)
        graph = build_graph(split, propose_links(split, ["shared_id"]))
    elif other == "model":
        model = TransferModel("mf", dim=4, loss="bpr")
    elif other == "seed":
        seed = 1
    else:
        trainer = trainer_of(supervision_settings={"negatives": 3})
    with pytest.raises(InputError, match=f"the checkpoint was made with another {other}") as caught:
        trainer.fit(model, graph, split, rng=seed, folder=trained, resume=True)
    assert "\n" not in str(caught.value) and "start a new run in another folder" in str(caught.value)


def test_the_difference_between_two_models_is_shown(trained: Path, board_split: Split, graph: KnowledgeGraph) -> None:
    """Not only the beginning that both have in common."""
    with pytest.raises(InputError, match=r'softmax.* instead of .*"bpr"'):
        model = TransferModel("mf", dim=4, loss="bpr")
        trainer_of(supervision_settings={}).fit(model, graph, board_split, rng=0, folder=trained, resume=True)


@pytest.mark.parametrize("damage", ["cut", "foreign"])
def test_a_damaged_checkpoint_is_named(trained: Path, board_split: Split, graph: KnowledgeGraph, damage: str) -> None:
    last = trained / "train" / "last.safetensors"
    content = last.read_bytes()
    last.write_bytes(content[: len(content) // 2] if damage == "cut" else b"not one of ours")
    with pytest.raises(InputError, match=r'last\.safetensors" cannot be read .* remove it and train again') as caught:
        trainer_of(supervision_settings={}).fit(
            TransferModel("mf", dim=4), graph, board_split, rng=0, folder=trained, resume=True
        )
    assert "\n" not in str(caught.value)


def test_a_full_disk_leaves_no_half_written_file(small_disk: Path, board_split: Split, graph: KnowledgeGraph) -> None:
    model = TransferModel("mf", dim=24)  # two checkpoints do not fit 32 kB
    with pytest.raises(
        InputError, match="no space left while writing .*; free some or choose another folder"
    ) as caught:
        trainer_of(epochs=8, supervision_settings={}).fit(model, graph, board_split, folder=small_disk / "run")
    assert "\n" not in str(caught.value)
    for path in small_disk.rglob("*"):
        assert path.is_dir() or path.name in ("best.safetensors", "last.safetensors", "history.jsonl")
        if path.suffix == ".safetensors":
            SafeCheckpointIO().load_checkpoint(path)
        if path.suffix == ".jsonl":
            pd.read_json(path, lines=True)


def test_a_full_disk_keeps_the_history_that_was_there(small_disk: Path) -> None:
    class Ended:
        callback_metrics = {"loss": torch.tensor(1.0)}
        current_epoch = 0

    path = small_disk / "history.jsonl"
    recorder = EpochRecorder("train", path, resume=False)
    recorder.record(Ended())  # type: ignore[arg-type]
    before = path.read_text()
    with open(small_disk / "ballast", "wb", buffering=0) as ballast, pytest.raises(OSError, match="No space"):
        while True:
            ballast.write(bytes(1024))
    Ended.callback_metrics = {f"value {number}": torch.tensor(1.0) for number in range(500)}
    with pytest.raises(InputError, match="no space left"):
        recorder.record(Ended())  # type: ignore[arg-type]
    assert path.read_text() == before
    assert sorted(entry.name for entry in small_disk.iterdir()) == ["ballast", "history.jsonl"]


def test_a_checkpoint_comes_back_exactly(tmp_path: Path) -> None:
    tensor = torch.arange(6, dtype=torch.float64).reshape(2, 3)
    checkpoint = {
        "state": {0: {"step": torch.tensor(3.0), "moments": (tensor.T, [tensor[0], None])}, 7: {}},
        "by name": {"a": True, "b": 1, "c": 1.5, "d": "text", "": []},
        "nested": [(1, (2, [3])), {"tensor": "a name", "dict": 1}, {True: False}],
        "empty": torch.empty(0, 4),
        "numbers": torch.tensor([2**40, -1]),
        "infinite": [float("inf"), 0.1],
    }
    SafeCheckpointIO().save_checkpoint(checkpoint, tmp_path / "deep" / "one.safetensors")
    assert_equal(SafeCheckpointIO().load_checkpoint(tmp_path / "deep" / "one.safetensors"), checkpoint)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["one.safetensors"]


def assert_equal(found: Any, expected: Any) -> None:
    """Equal in value and in type, down to the tensors."""
    assert type(found) is type(expected)
    if isinstance(expected, torch.Tensor):
        assert found.dtype == expected.dtype and torch.equal(found, expected)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for key, value in expected.items():
            assert_equal(found[key], value)
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_equal(one, other)
    else:
        assert found == expected


def test_what_a_checkpoint_cannot_hold_is_a_fault_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="cannot hold a set"):
        SafeCheckpointIO().save_checkpoint({"a": {1, 2}}, tmp_path / "one.safetensors")
    assert not list(tmp_path.iterdir())


def test_the_best_epoch_is_kept_and_patience_ends_the_phase(board_split: Split, graph: KnowledgeGraph) -> None:
    """At this rate the model only gets worse after a while."""
    trainer = trainer_of(epochs=12, patience=3, supervision_settings={**HELD_OUT, "share": 0.1, "hidden_share": 0.0})
    model = TransferModel("relational", dim=4, encoder_settings={"learning_rate": 0.5, "layers": 1})
    recommender = trainer.fit(model, graph, board_split, rng=1)
    curve = trainer.history.table().query("name == 'ndcg@10'").set_index("epoch")["value"]
    (record,) = trainer.records
    assert record.kept_epoch == curve.idxmax()
    assert record.epochs == len(curve) == min(12, record.kept_epoch + 3)
    assert curve[record.epochs] < curve.max()
    assert record.validation == {"ndcg@10": curve.max()}
    assert evaluate({"": recommender}, board_split, part="valid").value("", "ndcg@10", "films") == pytest.approx(
        curve.max()
    )


def test_without_validation_rows_the_last_epoch_is_kept() -> None:
    split = ColdStartUsers(test_share=0.25, pseudo_cold_share=0).split(checkerboard(12, 8), rng=0)
    trainer = trainer_of(epochs=3)
    trainer.fit(TransferModel("relational", dim=4), graph_of(split), split)
    (record,) = trainer.records
    assert (record.epochs, record.kept_epoch, record.validation) == (3, 3, {})


def test_the_schedule_is_a_table() -> None:
    """What is summed, what moves, what is applied, how long, how fast."""
    base, loss = ("encoder", "scorer"), "recommendation"
    staged = ("adversarial", "fusion")
    expected = [
        Phase("train", (loss,), (*base, "fusion"), ("fusion",), 50),
        Phase("align", (loss, "adversarial"), (*base, *staged), staged, 10, pace=0.3),
        Phase("distil", ("distillation",), ("distillation",), (*staged, "distillation"), 20),
    ]
    assert default_schedule(STAGED.config, 50, 10, 20) == expected
    assert default_schedule(TransferModel("mf").config, 5, 1, 2) == [Phase("train", (loss,), base, (), 5)]
    fused = TransferModel(stages=["fusion", "distillation"]).config
    assert [phase.name for phase in default_schedule(fused, 5, 1, 2)] == ["train", "distil"]
