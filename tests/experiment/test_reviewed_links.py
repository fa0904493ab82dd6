"""A run whose links a person reviewed: relative path, effect on the graph, record in the manifest, other decisions."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from graph_schema import InputError
from kgxfer.audit import source_of
from kgxfer.experiment import load_config, run

CONFIG = """
name = "reviewed"

[data]
name = "case-study"

[data.options]
source_users = 60
source_items = 60
source_interactions = 300
target_users = 30
target_items = 40
target_interactions = 150
topics = 4

[graph]
minimum_confidence = 0.9
reviewed_links = "decisions/review.csv"

[evaluation]
k = 5
twins = false

[baselines.popularity]

[bridge_controls]
enabled = true
model = "popularity"
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "decisions").mkdir()
    (tmp_path / "run.toml").write_text(CONFIG)
    (tmp_path / "decisions/review.csv").write_text("source_id,target_id,node_type,decision\n")
    return tmp_path


def decide(place: Path, decision: str) -> None:
    rows = f"u0,u0,User,{decision}\nu0,u1,User,accept\n"
    (place / "decisions/review.csv").write_text("source_id,target_id,node_type,decision\n" + rows)


def links_of(folder: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads((folder / "manifest.json").read_text())["graph"]["links"]
    return found


def test_a_run_keeps_what_was_accepted_and_says_so(place: Path) -> None:
    run(load_config(place / "run.toml"), place / "first", progress=False, say=lambda line: None)
    before = links_of(place / "first")
    decide(place, "reject")
    run(load_config(place / "run.toml"), place / "rejected", progress=False, say=lambda line: None)
    assert links_of(place / "rejected") == before | {"shared_id": before["shared_id"] - 1}
    decide(place, "accept")
    run(load_config(place / "run.toml"), place / "accepted", progress=False, say=lambda line: None)
    assert links_of(place / "accepted") == before | {
        "shared_id": before["shared_id"] - 1, "shared_id (reviewed)": 1,
    }
    record = json.loads((place / "accepted/manifest.json").read_text())["graph"]["reviewed_links"]
    content = (place / "decisions/review.csv").read_bytes()
    assert record == {
        "file": "review.csv", "sha256": hashlib.sha256(content).hexdigest(), "accepted": 1, "rejected": 0,
        "not proposed": 1,
    }


def test_other_decisions_than_those_of_the_run_are_refused(place: Path) -> None:
    config = load_config(place / "run.toml")
    run(config, place / "run", progress=False, say=lambda line: None)
    assert source_of(str(place / "run")).final.links["confidence"].min() >= 0.9
    (place / "decisions/review.csv").write_text("source_id,target_id,node_type,decision\n\n")
    with pytest.raises(InputError, match="not the file that was used before"):
        source_of(str(place / "run"))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("decisions/review.csv", "absent.csv", 'absent.csv" does not exist'),
        ("minimum_confidence = 0.9", "minimum_confidence = 90", "minimum_confidence"),
        ("reviewed_links", "review_links", 'did you mean "reviewed_links"'),
        ("[graph]", '[graph]\nundecided = "go"', "undecided"),
    ],
)
def test_mistakes_are_found_before_anything_is_loaded(place: Path, before: str, after: str, words: str) -> None:
    (place / "run.toml").write_text(CONFIG.replace(before, after, 1))
    with pytest.raises(InputError, match=words):
        load_config(place / "run.toml")
