"""A run from a file to a folder: everything is there, agrees with itself, and a second run says the same."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer.baselines import BASELINES, Popularity
from kgxfer.experiment import RunConfig, load_config, run
from kgxfer.experiment.alignment import domain_accuracy
from kgxfer.recommender import RankingModel
from kgxfer.recommender_store import load_recommender
from kgxfer.splits import SPLITS, ColdStartUsers, Split, save_split
from kgxfer.training.history import EpochRecorder
from loaders import CrossDomainDataset

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


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    path = tmp_path_factory.mktemp("config") / "tiny.toml"
    path.write_text(CONFIG)
    return load_config(path)


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def folder(config: RunConfig, said: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs") / "deep" / "tiny"
    run(config, place, progress=False, say=said.append)
    return place


def content(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_every_file_is_there_and_no_other(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == sorted([*TABLES, *TEXTS, "checkpoints", "models"])
    assert sorted(path.name for path in (folder / "models").iterdir()) == ["staged", "target-only"]
    phases = {path.parent.relative_to(folder / "checkpoints").as_posix() for path in folder.rglob("last.safetensors")}
    assert phases == {
        *(f"staged/seed-{seed}/{phase}" for seed in (3, 4) for phase in ("train", "align", "distil")),
        "target-only/seed-3/train",
    }
    assert not list(folder.rglob(".*"))
    assert RunConfig.parse(content(folder / "config.json"), "") == load_config_of(folder)


def load_config_of(folder: Path) -> RunConfig:
    path = folder.parent / "again.toml"
    path.write_text(CONFIG)
    return load_config(path)


def test_the_hashes_of_the_manifest_are_those_of_the_files(folder: Path) -> None:
    hashes = content(folder / "manifest.json")["files"]
    models = {path.relative_to(folder).as_posix() for path in (folder / "models").rglob("*") if path.is_file()}
    assert set(hashes) == {*TABLES, "choices.json", "config.json", "examples.json", "stages.json", *models}
    for name, expected in hashes.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected, name


def test_the_manifest_says_what_was_run(folder: Path, config: RunConfig, said: list[str]) -> None:
    manifest = content(folder / "manifest.json")
    assert manifest["seed"] == 3 and manifest["data"]["name"] == "case-study"
    assert manifest["graph"]["combination"] == "same_as_edges" and manifest["graph"]["links"]["shared_id"] == 30
    # 20 % of 30 overlapping users are tested and 10 % are pseudo-cold.
    assert manifest["split"]["validation"] == "pseudo-cold users"
    assert sum(manifest["split"][part] for part in ("train", "valid", "test")) == 300 + 150
    assert (
        manifest["memory_estimate"] == [line for line in said if "of memory" in line]
        and len(manifest["memory_estimate"]) == 2
    )
    assert set(config.models) | set(config.baselines) < {key.split(",")[0] for key in manifest["seconds"]}
    edges = manifest["graph"]["edges"]
    assert edges["User RATED Product"] + edges["User RATED Course"] == manifest["split"]["train"]


def test_the_manifest_names_the_split_as_a_frozen_one_does(folder: Path, config: RunConfig, tmp_path: Path) -> None:
    data = config.data.load()
    split = ColdStartUsers().split(data, rng=config.seed)
    save_split(split, tmp_path / "frozen")
    frozen, of_run = content(tmp_path / "frozen" / "split.json"), content(folder / "manifest.json")["split"]
    assert of_run["fingerprint"] == frozen["fingerprint"] == split.fingerprint
    assert of_run["sha256"] == {name: table["sha256"] for name, table in frozen["tables"].items()}


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


def test_the_report_repeats_the_tables(folder: Path) -> None:
    figures, report = pd.read_parquet(folder / "figures.parquet"), content(folder / "report.json")
    assert len(report["figures"]) == len(figures) > 0
    for record, (_, row) in zip(report["figures"], figures.iterrows(), strict=True):
        for key, value in row.items():
            same = (
                record[key] is None
                if isinstance(value, float) and math.isnan(value)
                else record[key] == pytest.approx(value)
            )
            assert same, (key, record, value)
    for name in ("stages", "manifest", "examples", "choices"):
        assert report[name] == content(folder / f"{name}.json")
    assert report["name"] == "tiny"


def test_every_model_and_seed_has_its_figures(folder: Path) -> None:
    figures = pd.read_parquet(folder / "figures.parquet")
    seeds = figures.groupby("model")["seed"].unique().map(sorted).to_dict()
    assert seeds == {
        "staged": [3, 4],
        "staged (teacher)": [3, 4],
        "target-only": [3],
        "popularity": [3],
        "without_facts": [3],
    }
    per_model = figures.groupby(["model", "seed"]).size()
    assert per_model.nunique() == 1
    assert {"ndcg@5", "recall@5", "hr@5", "sampled_hr@5", "sampled_mrr", "coverage@5"} <= set(figures["metric"])


def test_history_and_stages_follow_the_schedule(folder: Path) -> None:
    history, stages = pd.read_parquet(folder / "history.parquet"), content(folder / "stages.json")
    epochs = history[history["name"] == "loss"].groupby(["model", "seed", "phase"])["epoch"].max()
    assert epochs.to_dict() == {
        **{
            ("staged", seed, phase): 2 if phase == "train" else 1
            for seed in (3, 4)
            for phase in ("train", "align", "distil")
        },
        ("target-only", 3, "train"): 1,
    }
    assert [(record["model"], record["seed"], record["phase"], record["epochs"]) for record in stages] == [
        *(
            ("staged", seed, phase, 2 if phase == "train" else 1)
            for seed in (3, 4)
            for phase in ("train", "align", "distil")
        ),
        ("target-only", 3, "train", 1),
    ]
    for record in stages:
        curve = history.query("model == @record['model'] and seed == @record['seed'] and phase == @record['phase']")
        kept = curve[(curve["epoch"] == record["kept_epoch"]) & (curve["name"] == "ndcg@10")]["value"].item()
        assert record["validation"] == {"ndcg@10": kept}


def test_the_saved_model_recommends_what_the_table_says(folder: Path) -> None:
    table = pd.read_parquet(folder / "recommendations.parquet")
    for name in ("staged", "target-only"):
        recommender = load_recommender(folder / "models" / name)
        expected = recommender.recommend(recommender.catalogue.user_ids, 10)
        rows = table[table["model"] == name].drop(columns="model").reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, expected[rows.columns])
    assert load_recommender(folder / "models" / "staged").vectors[0].users.shape[1] == 2  # the student's


def test_the_map_shows_both_domains_before_and_after(folder: Path) -> None:
    points = pd.read_parquet(folder / "map.parquet")
    moments = points.groupby("model")["moment"].unique().map(list).to_dict()
    assert moments == {"staged": ["before alignment", "after alignment"], "target-only": ["trained"]}
    assert set(points["domain"]) == {"e-commerce", "online-education"} and set(points["node"]) == {"users", "items"}
    assert np.isfinite(points[["x", "y"]]).all(axis=None)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_figures(folder: Path, config: RunConfig, tmp_path: Path) -> None:
    run(config, tmp_path / "again", progress=False, say=lambda line: None)
    for name in TABLES:
        pd.testing.assert_frame_equal(
            pd.read_parquet(tmp_path / "again" / name), pd.read_parquet(folder / name), check_exact=True
        )
    ours, theirs = (content(place / "manifest.json")["files"] for place in (folder, tmp_path / "again"))
    different = {name for name in ours if ours[name] != theirs[name]}
    assert different == {"stages.json"}  # which holds the seconds


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


@pytest.mark.slow
def test_a_refit_is_on_all_training_rows_for_models_and_baselines_alike(
    folder: Path, config: RunConfig, tmp_path: Path
) -> None:
    split = config.split.model_copy(update={"refit": True})
    refitted = tmp_path / "refitted"
    run(config.model_copy(update={"split": split}), refitted, progress=False, say=lambda _: None)
    one, other = (content(place / "manifest.json")["split"] for place in (folder, refitted))
    assert other["train"] == one["train"] + one["valid"] and other["valid"] == 0 and other["test"] == one["test"]
    assert other["validation"] == "pseudo-cold users, then refitted"
    assert other["validation"][:17] in (refitted / "report.html").read_text() and "fitted again" in (
        refitted / "report.html"
    ).read_text()
    seen = {
        place: load_recommender(place / "models" / "staged").catalogue.seen[1].nnz for place in (folder, refitted)
    }
    assert seen[refitted] == seen[folder] + one["valid"]
    figures = {place: pd.read_parquet(place / "figures.parquet") for place in (folder, refitted)}
    for model in ("staged", "popularity"):
        first, second = (
            table[(table["model"] == model) & (table["ranking"] == "sampled")]["value"].to_numpy()
            for table in figures.values()
        )
        assert not np.allclose(first, second), model
    stages = [content(place / "stages.json") for place in (folder, refitted)]
    assert [s["validation"] for s in stages[0]] == [s["validation"] for s in stages[1]]  # chosen by the same figures


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


def test_the_domain_accuracy_by_hand() -> None:
    """Separable points are told apart, equal ones are not, whatever the sizes of the domains."""
    labels = np.array([0, 0, 1, 1] * 25)
    apart = np.column_stack([labels * 2.0 - 1, np.zeros(100)])
    assert domain_accuracy(apart, labels) == 1
    assert domain_accuracy(np.ones((100, 2)), labels) == 0.5
    many = np.array(([0] * 18 + [1, 1]) * 10)
    assert domain_accuracy(np.ones((200, 2)), many) == 0.5
