"""The page on one's own data is run as it stands; and the way from two files to a model, with its mistakes."""

from __future__ import annotations

import json
import os
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import BaseModel

import loaders
from graph_schema import InputError
from kgxfer.cli.first_run import Outlook, first_run, first_split
from kgxfer.experiment import load_config
from loaders.own.column_map import ColumnMap, checked_map
from loaders.own.survey import Survey, survey
from tests.command_line import Call, assert_mistake, kgxfer

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/your-own-data.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    return [shlex.split(line)[1:] for block in blocks("bash") for line in block.splitlines()]


def keys_of(model: type[BaseModel]) -> set[str]:
    """The keys of a map, those of the tables within it too; `cleaning` has a page of its own."""
    found = set(model.model_fields) - {"cleaning"}
    for name, field in model.model_fields.items():
        kinds = re.findall(r"loaders\.own\.column_map\.(\w+)", str(field.annotation))
        for kind in kinds if name != "cleaning" else ():
            found |= keys_of(getattr(__import__("loaders.own.column_map", fromlist=[kind]), kind))
    return found


def keys_in(values: Any) -> set[str]:
    if isinstance(values, list):
        return set().union(*map(keys_in, values))
    return set(values).union(*map(keys_in, values.values())) if isinstance(values, dict) else set()


def test_the_page_shows_every_key_of_a_map() -> None:
    shown = tomllib.loads(blocks("toml")[0])
    assert checked_map(shown).cleaning.repeated == "last"
    assert keys_of(ColumnMap) - keys_in(shown) == set()


@pytest.mark.slow
def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its Python makes the files, its commands make the model, and its Python reads the same data."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    first, second = blocks("python")
    exec(first, names)
    assert sorted(os.listdir()) == ["books.csv", "films.csv"]
    init, run, recommend, check = commands()
    said = {}
    for command in (init, check, run, recommend):
        finished = kgxfer(*command, folder=tmp_path)
        assert finished.returncode == 0, (command, finished.stderr)
        said[" ".join(command[:2])] = finished.stdout
    assert "80 user ids are in both files" in said["data init"]
    given, kept = 140 * 12, len(pd.read_csv("books.csv").drop_duplicates(["reader", "book_id"]))
    told = f"books: {kept:,} of {given:,} interactions kept; kgxfer data check my-data.toml says"
    assert told in said["run my-run.toml"]
    table = [line for line in said["recommend runs/books-films/models/kgxfer"].splitlines() if line.startswith("│")]
    assert [row.split("│")[1].strip() for row in table] == ["1", "2", "3", "4", "5"]
    exec(second, names)
    assert len(names["dataset"].overlapping_users) == len(names["same"].overlapping_users) == 80
    manifest = json.loads((tmp_path / "runs/books-films/manifest.json").read_text())
    assert manifest["data"]["fingerprint"] == names["dataset"].fingerprint
    assert manifest["data"]["files"] == {
        domain.domain: dict(domain.card.sha256) for domain in names["dataset"].domains
    }
    figures = pd.read_parquet(tmp_path / "runs/books-films/figures.parquet")
    chosen = figures[(figures["metric"] == "ndcg@10") & (figures["average"] == "per user")]
    by_model = chosen[chosen["group"] == "all rows"].set_index("model")["value"]
    assert by_model["kgxfer"] > 2 * by_model["popularity"], "people like one kind in both domains, and it was not found"
    again = kgxfer("run", "my-run.toml", "--resume", folder=tmp_path)
    assert again.returncode == 2 and "is complete; there is nothing to resume" in again.stderr
    (tmp_path / "runs/books-films/report.json").unlink()
    films = (tmp_path / "films.csv").read_text().splitlines(keepends=True)
    (tmp_path / "films.csv").write_text("".join(films[:-1]))
    other = kgxfer("run", "my-run.toml", "--resume", folder=tmp_path)
    assert other.returncode == 2 and "was made with another data set" in other.stderr


def table(path: Path, users: range, item: str, rows: int = 4, stars: str = "4") -> Path:
    """Every user with the same number of different items, all rated alike but for the last, which is liked."""
    pairs = [(f"u{user}", f"{item}{(user * 7 + row) % 23}") for user in users for row in range(rows)]
    frame = pd.DataFrame(pairs, columns=["user", item]).assign(stars=stars)
    frame.loc[len(frame) - 1, "stars"] = "4"
    frame.to_csv(path, index=False)
    return path


def surveyed(folder: Path, target: range, rows: int = 4, stars: str = "4") -> Survey:
    source = table(folder / "books.csv", range(30), "book")
    return survey(source, table(folder / "films.csv", target, "film", rows, stars), folder=folder)


@pytest.mark.parametrize(
    ("target", "rows", "protocol"),
    [
        (range(20, 40), 4, "cold_start_users"),
        (range(21, 40), 4, "leave_one_out"),
        (range(30, 50), 4, "leave_one_out"),
        (range(30, 50), 2, "leave_one_out"),
        (range(30, 50), 1, "cold_start_items"),
    ],
)
def test_the_protocol_is_one_that_the_data_allow(target: range, rows: int, protocol: str, tmp_path: Path) -> None:
    found = Outlook.of_survey(surveyed(tmp_path, target, rows))
    assert first_split(found).protocol == protocol
    (tmp_path / "my-data.toml").write_text('name = "x"\n')
    with pytest.raises(InputError, match=r"my-data\.toml.*key source"):
        load_config(written(tmp_path, first_run(found, first_split(found), "first", "my-data.toml")))


def test_only_positive_rows_count_for_the_protocol(tmp_path: Path) -> None:
    """From 4 on ratings are positive, and the target has one row as high: no user of both domains, none with two."""
    found = surveyed(tmp_path, range(20, 40), stars="2")
    assert found.ratings.positive_from == 4 and found.people.both == 10
    assert first_split(Outlook.of_survey(found)).protocol == "cold_start_items"


def written(folder: Path, text: str) -> Path:
    path = folder / "my-run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_init_writes_is_read_back(tmp_path: Path) -> None:
    """From another folder, with paths as seen from the map, and a configuration whose every name is known."""
    (tmp_path / "raw files").mkdir()
    for name, users in (("books", range(30)), ("films", range(10, 40))):
        table(tmp_path / f"raw files/{name}.csv", users, name[:-1])
    (tmp_path / "elsewhere").mkdir()
    made = kgxfer(
        "data", "init", "raw files/books.csv", "raw files/films.csv", "--out", "elsewhere/shop-data.toml",
        folder=tmp_path,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["shop-data.toml", "shop-run.toml"]
    config = load_config(tmp_path / "elsewhere/shop-run.toml")
    assert config.data.map == str((tmp_path / "elsewhere/shop-data.toml").resolve())
    assert config.data.load().overlapping_users.tolist() == [f"u{n}" for n in range(10, 30)]
    assert loaders.read_map(config.data.map).source.interactions.file == "../raw files/books.csv"


def test_nothing_is_overwritten_and_nothing_left_half(tmp_path: Path) -> None:
    table(tmp_path / "books.csv", range(9), "book")
    table(tmp_path / "films.csv", range(9), "film")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "my-run.toml").write_text("mine")
    mistakes = {
        ("books.csv", "films.csv"): '"my-run.toml" exists already and stays as it is',
        ("books.csv", "empty.csv", "--out", "a-data.toml"): 'file "empty.csv" is empty',
        ("books.csv", "film.csv", "--out", "a-data.toml"): 'file "film.csv" does not exist; did you mean "films.csv"?',
        ("books.csv", "books.csv", "--out", "a-data.toml"): '"books.csv" is given as source and as target',
    }
    for arguments, message in mistakes.items():
        finished = kgxfer("data", "init", *arguments, folder=tmp_path)
        assert finished.returncode == 2 and finished.stdout == ""
        assert message in finished.stderr and len(finished.stderr.splitlines()) == 1
    assert sorted(os.listdir(tmp_path)) == ["books.csv", "empty.csv", "films.csv", "my-run.toml"]
    assert (tmp_path / "my-run.toml").read_text() == "mine"


def test_a_file_of_another_kind_is_named_as_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "books.csv", range(9), "book")
    table(tmp_path / "films.csv", range(9), "film")
    assert call("data", "init", "books.csv", "films.csv").status == 0
    (tmp_path / "runs/first/models/mine").mkdir(parents=True)
    (tmp_path / "runs/first/models/mine/recommender.json").write_text("{}")
    before = sorted(tmp_path.rglob("*"))
    mistakes = {
        ("run", "my-data.toml"): '"my-data.toml" is a column map and no configuration of a run',
        ("run", "runs"): 'configuration "runs" is a folder',
        ("data", "check", "my-run.toml"): '"my-run.toml" is the configuration of a run and no column map',
        ("data", "check", "books.csv"): '"books.csv" is no column map (a .toml file); make one with kgxfer data init',
        ("audit", "my-run.toml"): '"my-run.toml" is the configuration of a run and no column map',
        ("recommend", "runs/first", "--user", "u1"): 'give one below models/, as "runs/first/models/mine"',
    }
    for arguments, message in mistakes.items():
        assert_mistake(call(*arguments), message)
    assert sorted(tmp_path.rglob("*")) == before


DATA = [
    ('name = "case-study"\nmap = "m.toml"', "one of the two"),
    ("", "one of the two"),
    ('map = "m.toml"\nroot = "x"', "root and options belong to a data set by name"),
    ('map = "absent.toml"', r"absent\.toml\" does not exist"),
    ('mpa = "m.toml"', 'did you mean "map"'),
]


@pytest.mark.parametrize(("lines", "message"), DATA)
def test_a_run_has_a_name_or_a_map(lines: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, f'name = "first"\n[data]\n{lines}\n[baselines.popularity]\n')
    with pytest.raises(InputError, match=message) as caught:
        load_config(path)
    assert "\n" not in str(caught.value)
