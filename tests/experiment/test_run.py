"""A run from a file to a folder: everything is there, agrees with itself, and a second run says the same."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kgxfer.experiment import RunConfig, load_config, run
from kgxfer.experiment.alignment import domain_accuracy
from kgxfer.recommender_store import load_recommender
from kgxfer.splits import ColdStartUsers, save_split
from tests.experiment.small_run import CONFIG, TABLES, TEXTS, content


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


def test_the_domain_accuracy_by_hand() -> None:
    """Separable points are told apart, equal ones are not, whatever the sizes of the domains."""
    labels = np.array([0, 0, 1, 1] * 25)
    apart = np.column_stack([labels * 2.0 - 1, np.zeros(100)])
    assert domain_accuracy(apart, labels) == 1
    assert domain_accuracy(np.ones((100, 2)), labels) == 0.5
    many = np.array(([0] * 18 + [1, 1]) * 10)
    assert domain_accuracy(np.ones((200, 2)), many) == 0.5
