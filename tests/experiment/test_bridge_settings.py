"""Settings of bridges in a run: what they change, where they are used, and mistakes before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer.audit import source_of
from kgxfer.experiment import load_config, run
from kgxfer.experiment.config import RunConfig

MAP = """
name = "titles"
[source]
domain = "books"
item_type = "Movie"
interactions = { file = "books.csv", columns = { user_id = "user", item_id = "item" } }
items = { file = "names.csv", columns = { item_id = "item", name = "name" } }
[target]
domain = "films"
item_type = "Movie"
interactions = { file = "films.csv", columns = { user_id = "user", item_id = "item" } }
items = { file = "named.csv", columns = { item_id = "item", name = "name" } }
"""
CONFIG = """
name = "linked"
[data]
map = "data.toml"
[graph]
bridges = ["shared_id", "fuzzy_name", "shared_entity"]
[graph.bridge_settings.fuzzy_name]
threshold = 0.94
[graph.bridge_settings.shared_entity]
same_as = "statements.csv"
[evaluation]
k = 2
twins = false
[baselines.popularity]
[bridge_controls]
enabled = true
model = "popularity"
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Forty people in both domains; two names are equal, two nearly (score 28 / 29), and statements join x4 and y4."""
    rows = [(f"u{user}", item) for user in range(40) for item in (user % 5, (user + 1 + user // 5) % 5)]
    for name, letter in (("books", "x"), ("films", "y")):
        table = pd.DataFrame([(user, f"{letter}{item}") for user, item in rows], columns=["user", "item"])
        table.drop_duplicates().to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "names.csv").write_text("item,name\nx0,Emma\nx1,Gathering Storm\nx2,Dune\nx3,Walden\nx4,Ulysses\n")
    (tmp_path / "named.csv").write_text("item,name\ny0,Emma\ny1,Gathering Storms\ny2,Heat\ny3,Alien\ny4,Notorious\n")
    (tmp_path / "statements.csv").write_text("head_id,tail_id,comment\nx4,wd:9,\nwd:9,y4,two steps\n")
    (tmp_path / "data.toml").write_text(MAP)
    (tmp_path / "run.toml").write_text(CONFIG)
    return tmp_path


def ran(place: Path, name: str, text: str) -> tuple[dict[str, int], list[str]]:
    """Links by bridge, and what the run said."""
    (place / "run.toml").write_text(text)
    said: list[str] = []
    run(load_config(place / "run.toml"), place / name, progress=False, say=said.append)
    links: dict[str, int] = json.loads((place / name / "manifest.json").read_text())["graph"]["links"]
    return links, said


def test_a_run_proposes_links_by_its_settings_and_an_audit_by_those_of_the_run(place: Path) -> None:
    people = {"shared_id": 40}
    loose, said = ran(place, "loose", CONFIG)
    assert loose == people | {"fuzzy_name": 2, "shared_entity": 1}
    strict, _ = ran(place, "strict", CONFIG.replace("0.94", "0.99"))
    assert strict == people | {"fuzzy_name": 1, "shared_entity": 1}
    assert not any("proposes no links" in line for line in said)
    for name, links in (("loose", loose), ("strict", strict)):
        assert source_of(str(place / name)).final.links["method"].value_counts().to_dict() == links


def test_bridge_controls_shuffle_what_the_settings_propose(place: Path) -> None:
    _, said = ran(place, "none", CONFIG.replace("threshold = 0.94", "items = false"))
    assert "bridge controls: fuzzy_name proposes no links here" in said
    assert any(line.startswith("bridge controls: popularity fitted with shared_entity left out") for line in said)


def test_other_statements_than_those_of_the_run_are_refused(place: Path) -> None:
    ran(place, "run", CONFIG)
    saved = json.loads((place / "run/config.json").read_text())["graph"]["bridge_settings"]
    assert saved["fuzzy_name"] == {"threshold": 0.94}
    assert saved["shared_entity"]["same_as"] == str(place / "statements.csv")
    (place / "statements.csv").write_text("head_id,tail_id\nx3,y3\n")
    with pytest.raises(InputError, match=r'statements\.csv": not the file of before'):
        source_of(str(place / "run"))


def test_what_is_not_set_is_the_default(place: Path) -> None:
    graph = RunConfig.parse({"name": "a", "data": {"name": "case-study"}}, "test").graph
    assert [bridge.config for bridge in graph.made()] == [  # type: ignore[attr-defined]
        type(bridge)().config for bridge in graph.made()  # type: ignore[attr-defined]
    ]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("threshold", "treshold", r'unknown key in .*run\.toml", bridge fuzzy_name "treshold"; did you mean "thresh'),
        ("0.94", "94", r'run\.toml", bridge fuzzy_name, key threshold: .*, not 94'),
        ("settings.fuzzy_name", "settings.fuzzy_names", 'unknown bridge .*graph.bridge_settings, "fuzzy_names"; did'),
        ("settings.fuzzy_name", "settings.same_name", "settings of bridge same_name, which the run does not use"),
        ("bridge_settings.fuzzy_name", "bridge_setting.fuzzy_name", 'did you mean "bridge_settings"'),
        ("[graph.bridge_settings.fuzzy_name]", "[graph.bridge_settings.shared_id]", 'unknown key .*"threshold"'),
        ('"statements.csv"', '"absent.csv"', "absent.csv.* does not exist"),
        ('"statements.csv"', '"books.csv"', "head_id"),
        ('same_as = "statements.csv"', 'same_at = "statements.csv"', 'did you mean "same_as"'),
    ],
)
def test_mistakes_are_found_before_anything_is_loaded(place: Path, before: str, after: str, words: str) -> None:
    (place / "run.toml").write_text(CONFIG.replace(before, after, 1))
    with pytest.raises(InputError, match=words) as raised:
        load_config(place / "run.toml")
    assert "\n" not in str(raised.value)


def test_a_statement_that_is_no_row_is_not_left_out(place: Path) -> None:
    (place / "statements.csv").write_text("head_id,tail_id,comment\nx4,y4,\nx3,y3,\nx2\n")
    with pytest.raises(InputError, match=r"statements\.csv.*, line 4: too few fields; correct the line"):
        load_config(place / "run.toml")
