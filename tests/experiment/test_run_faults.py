"""Runs that leak, are interrupted, are there already or cannot be: one line, and nothing half-written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer.baselines import BASELINES, Popularity
from kgxfer.experiment import RunConfig, run
from kgxfer.recommender import RankingModel
from kgxfer.splits import SPLITS, ColdStartUsers, Split
from kgxfer.training.history import EpochRecorder
from loaders import CrossDomainDataset
from tests.experiment.small_run import content


def leaking(config: RunConfig, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Split], Split]) -> None:
    """Let the run's protocol hand out a split that another one spoiled."""

    class Leaking(ColdStartUsers):
        def split(self, dataset: CrossDomainDataset, rng: int = 0) -> Split:
            return spoil(super().split(dataset, rng))

    monkeypatch.setitem(SPLITS._members, config.split.protocol, Leaking)


def test_a_leak_in_the_split_fails_the_run_before_it_begins(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(split: Split) -> Split:
        return replace(split, train=pd.concat([split.train, split.test.iloc[:3]], ignore_index=True))

    leaking(config, monkeypatch, spoil)
    with pytest.raises(InputError, match=r"the run leaks \(.*rows in two parts.*\)") as caught:
        run(config, tmp_path / "runs" / "new", progress=False, say=lambda line: None)
    assert "\n" not in str(caught.value) and not list(tmp_path.iterdir())


def test_a_model_that_has_seen_test_rows_fails_the_run(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Peeking(Popularity):
        def fit(self, graph: Any, split: Split, *given: Any) -> RankingModel:
            return super().fit(graph, replace(split, train=pd.concat([split.train, split.test])), *given)

    monkeypatch.setitem(BASELINES._members, "popularity", Peeking)
    alone = config.model_copy(update={"models": {}})
    with pytest.raises(InputError, match=r"the run leaks \(test rows in a model\); model popularity"):
        run(alone, tmp_path / "new", progress=False, say=lambda line: None)
    assert not list(tmp_path.iterdir())


def test_a_warning_is_told_once_and_stands_on_the_page(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(split: Split) -> Split:
        """Let the test users have validation rows."""
        return replace(split, valid=split.test.iloc[:4], test=split.test.iloc[4:], validation="rows of the test users")

    leaking(config, monkeypatch, spoil)
    lines: list[str] = []
    run(config.model_copy(update={"models": {}}), tmp_path / "new", progress=False, say=lines.append)
    told = [line for line in lines if line.startswith("warning: choosing on the test users")]
    assert len(told) == 1
    (finding,) = content(tmp_path / "new" / "manifest.json")["leakage"]
    assert finding["kind"] == "choosing on the test users" and finding["severity"] == "warning"
    assert "What the leak checks warn of" in (tmp_path / "new" / "report.html").read_text()


@pytest.mark.slow
def test_an_interrupted_run_continues_to_the_same_figures(
    folder: Path, config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = EpochRecorder.record

    def record_or_stop(self: EpochRecorder, trainer: Any) -> None:
        record(self, trainer)
        if self.phase == "align":
            raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(EpochRecorder, "record", record_or_stop)
        with pytest.raises(RuntimeError, match="power cut"):
            run(config, tmp_path / "cut", progress=False, say=lambda line: None)
    with pytest.raises(InputError, match="exists already; .* --resume continues an interrupted run"):
        run(config, tmp_path / "cut", progress=False, say=lambda line: None)
    other = config.model_copy(update={"seed": 4})
    with pytest.raises(InputError, match="was begun with another configuration; resume with that one or start a new"):
        run(other, tmp_path / "cut", progress=False, say=lambda line: None, resume=True)
    run(config, tmp_path / "cut", progress=False, say=lambda line: None, resume=True)
    figures = [pd.read_parquet(place / "figures.parquet") for place in (folder, tmp_path / "cut")]
    pd.testing.assert_frame_equal(*figures, check_exact=True)


def snapshot(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize(
    ("resume", "words"),
    [(False, "exists already; give another folder or remove it"), (True, "is complete; there is nothing to resume")],
)
def test_a_complete_run_is_left_alone(folder: Path, config: RunConfig, resume: bool, words: str) -> None:
    before = snapshot(folder)
    with pytest.raises(InputError, match=words):
        run(config, folder, progress=False, say=lambda line: None, resume=resume)
    assert snapshot(folder) == before


def test_there_is_nothing_to_resume_in_another_folder(config: RunConfig, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep")
    with pytest.raises(InputError, match=r"holds no run to resume \(no config.json\); start a new run"):
        run(config, tmp_path, progress=False, say=lambda line: None, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ("split", "does not allow 30 test and 3 validation users"),
        ("supervision", 'unknown key in supervision held_out "shar"; did you mean "share"?'),
        ("evaluation", 'unknown domain "online-educatoin"; did you mean "online-education"'),
    ],
)
def test_a_mistake_before_training_leaves_no_folder(
    config: RunConfig, tmp_path: Path, mistake: str, words: str
) -> None:
    wrong = config.model_dump()
    if mistake == "split":
        wrong["split"]["settings"] = {"test_share": 0.99}
    elif mistake == "supervision":
        wrong["models"]["staged"]["training"]["supervision_settings"] = {"shar": 0.1}
    else:
        wrong["evaluation"]["exclude_other_positives"] = ["online-educatoin"]
    with pytest.raises(InputError, match=words):
        run(RunConfig.parse(wrong, ""), tmp_path / "runs" / "new", progress=False, say=lambda line: None)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_only_whole_files(config: RunConfig, small_disk: Path) -> None:
    with pytest.raises(InputError, match="no space left while writing"):
        run(config, small_disk / "run", progress=False, say=lambda line: None)
    for path in small_disk.rglob("*.json"):
        content(path)
    assert not [path for path in small_disk.rglob("*") if path.name.startswith(".")]
