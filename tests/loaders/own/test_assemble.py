"""From a column map and files, frames or queries to one data set: known tables, and mistakes as one line."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import loaders
from graph_schema import InputError
from loaders.own.assemble import assemble_files

BOOKS = """reader,isbn,stars,when
ann,b1,5,1600000000000
 ann,b2,2,1600000001000
bob,b1,4,1600000002000
cy,b3,3,1600000003000
"""
FILMS = "who;film;grade\nann;f1;3,5\nbob;f1;1\ndi;f2;5\n"
TITLES = "isbn,title,year,genres\nb1,Emma,1815,love|family\nb2,Dracula,1897,horror\nb3,Walden,1854,\n"
MAP = """
name = "shop"
positive_from = 3.0

[source]
domain = "books"
item_type = "Book"
[source.interactions]
file = "tables/books.csv"
columns = { user_id = "reader", item_id = "isbn", rating = "stars", timestamp = "when" }
timestamp_unit = "ms"
[source.items]
file = "tables/titles.csv"
columns = { item_id = "isbn", name = "title", year = "year" }
[source.items.attributes]
genres = { kind = "multi-valued", relation = "HAS_GENRE", node_type = "Genre" }

[target]
domain = "films"
item_type = "Movie"
[target.interactions]
file = "tables/films.csv"
separator = ";"
columns = { user_id = "who", item_id = "film", rating = "grade" }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tables").mkdir()
    for name, content in (("books", BOOKS), ("films", FILMS), ("titles", TITLES)):
        (tmp_path / f"tables/{name}.csv").write_text(content, encoding="utf-8")
    return tmp_path


def written(folder: Path, text: str = MAP) -> Path:
    path = folder / "my-data.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_files_become_a_data_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are relative to the map, wherever the program runs."""
    monkeypatch.chdir("/")
    dataset = loaders.from_files(written(folder))
    assert dataset.name == "shop" and dataset.positive_from == 3
    assert dataset.overlapping_users.tolist() == ["ann", "bob"]
    books, films = dataset.domains
    assert books.interactions[["user_id", "item_id", "rating"]].values.tolist() == [
        ["ann", "b1", 5.0], ["ann", "b2", 2.0], ["bob", "b1", 4.0], ["cy", "b3", 3.0],
    ]  # fmt: skip
    assert books.interactions["timestamp"].iloc[3] == pd.Timestamp(1_600_000_003, unit="s")
    assert films.interactions["rating"].tolist() == [3.5, 1.0, 5.0]
    assert books.items["name"].tolist() == ["Emma", "Dracula", "Walden"]
    assert books.items["year"].tolist() == [1815, 1897, 1854]
    assert set(zip(books.facts["head_id"], books.facts["tail_id"], strict=True)) == {
        ("b1", "love"), ("b1", "family"), ("b2", "horror"),
    }  # fmt: skip


def test_what_cleaning_did_is_kept(folder: Path) -> None:
    found = assemble_files(written(folder))
    rules = {(finding.rule, finding.count) for finding in found.source.findings if finding.table == "interactions"}
    assert ("spaces around an id", 1) in rules
    assert found.target.before["interactions"] == 3


def test_checksums_are_those_of_the_files(folder: Path) -> None:
    links = '\n[links]\nfile = "tables/links.csv"\nnode_type = "User"\n'
    (folder / "tables/links.csv").write_text("source_id,target_id\nann,di\n")
    source, target = loaders.from_files(written(folder, MAP + links)).domains
    assert list(target.card.sha256) == ["tables/films.csv", "tables/links.csv"]
    assert dict(source.card.sha256) == {
        f"tables/{name}.csv": hashlib.sha256(content.encode()).hexdigest()
        for name, content in (("books", BOOKS), ("titles", TITLES))
    }


def test_equal_ids_of_different_people(folder: Path) -> None:
    links = '\n[links]\nfile = "tables/links.csv"\nnode_type = "User"\n'
    (folder / "tables/links.csv").write_text("source_id,target_id\nann,di\n")
    path = written(folder, MAP.replace("positive_from", "shared_users = false\npositive_from") + links)
    dataset = loaders.from_files(path)
    assert dataset.overlapping_users.empty
    assert dataset.source.users["user_id"].tolist() == ["books:ann", "books:bob", "books:cy"]
    assert dataset.target.interactions["user_id"].tolist() == ["films:ann", "films:bob", "films:di"]
    assert dataset.links[["source_id", "target_id", "confidence"]].values.tolist() == [["books:ann", "films:di", 1.0]]


def test_links_say_their_type_and_confidence(folder: Path) -> None:
    columns = '{ source_id = "a", target_id = "b", node_type = "kind", confidence = "how" }'
    (folder / "tables/links.csv").write_text("a,b,kind,how\nann,di,User,0.5\n")
    dataset = loaders.from_files(written(folder, f'{MAP}\n[links]\nfile = "tables/links.csv"\ncolumns = {columns}\n'))
    assert dataset.links[["node_type", "confidence", "method"]].values.tolist() == [["User", 0.5, "given"]]


def test_links_have_confidences_as_spreadsheets_write_them(folder: Path) -> None:
    columns = '{ source_id = "source_id", target_id = "target_id", confidence = "confidence" }'
    described = f'{MAP}\n[links]\nfile = "tables/links.csv"\nnode_type = "User"\ncolumns = {columns}\n'
    given = "source_id;target_id;confidence\nann;di;0,25\nbob;di;{}\n"
    (folder / "tables/links.csv").write_text(given.format("0,8"))
    assert loaders.from_files(written(folder, described)).links["confidence"].tolist() == [0.25, 0.8]
    for wrong, said in (("sure", '"sure" is no number of 0 to 1'), ("1,5", '"1,5" is no number'), ("", "is empty")):
        (folder / "tables/links.csv").write_text(given.format(wrong))
        with pytest.raises(InputError, match=rf"links\.csv\", line 3: confidence {said}"):
            loaders.from_files(written(folder, described))


def test_a_broken_line_of_links_is_not_left_out(folder: Path) -> None:
    (folder / "tables/links.csv").write_text("source_id,target_id\nann,di\nbob\ncy,di\n")
    path = written(folder, f'{MAP}\n[links]\nfile = "tables/links.csv"\nnode_type = "User"\n')
    with pytest.raises(InputError, match=r"links\.csv.*, line 3: .*; correct the line or remove it"):
        loaders.from_files(path)


def test_users_are_joined_to_types_of_ones_own(folder: Path) -> None:
    (folder / "tables/people.csv").write_text("user_id,trade\nann,baker\nbob,baker\ncy,cook\n")
    more = """
[source.users]
file = "tables/people.csv"
attributes = { trade = { kind = "categorical", relation = "WORKS_AS", node_type = "Trade" } }
[vocabulary]
node_types = { Trade = "Entity" }
relations = [{ name = "WORKS_AS", head = "User", tail = "Trade" }]
"""
    facts = loaders.from_files(written(folder, MAP + more)).source.facts
    trades = facts[facts["relation"] == "WORKS_AS"]
    assert trades[["head_id", "tail_id", "tail_type"]].values.tolist() == [
        ["ann", "baker", "Trade"], ["bob", "baker", "Trade"], ["cy", "cook", "Trade"],
    ]  # fmt: skip


def test_events_count_what_each_domain_says(folder: Path) -> None:
    (folder / "tables/films.csv").write_text("who;film;did\nann;f1;view\nann;f2;buy\ndi;f1;sleep\nbob;f2;buy\n")
    columns = '{ user_id = "who", item_id = "film", event = "did" }\nevent_weights = { view = 1.0, buy = 3.0 }'
    text = MAP.replace('{ user_id = "who", item_id = "film", rating = "grade" }', columns)
    text = text.replace('rating = "stars", ', "").replace("positive_from = 3.0\n", "")
    rows = loaders.from_files(written(folder, text)).target.interactions
    assert rows[["user_id", "item_id"]].values.tolist() == [["ann", "f1"], ["ann", "f2"], ["bob", "f2"]]


def test_a_query_is_a_table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sqlalchemy", reason='package sqlalchemy is not installed: pip install "kgxfer[sql]"')
    with sqlite3.connect(folder / "tables/shop.db") as connection:
        connection.executescript("create table seen (who, film); insert into seen values ('ann', 'f1'), ('di', 'f2')")
    connection.close()
    monkeypatch.chdir("/")
    old = MAP[MAP.index('file = "tables/films.csv"') :].strip()
    new = 'url = "URL"\nquery = "select who, film from seen"\ncolumns = { user_id = "who", item_id = "film" }'
    text = MAP.replace(old, new).replace("positive_from = 3.0\n", "")
    relative = loaders.from_files(written(folder, text.replace("URL", "sqlite:///tables/shop.db")))
    assert relative.target.interactions[["user_id", "item_id"]].values.tolist() == [["ann", "f1"], ["di", "f2"]]
    path = written(folder, text.replace("URL", "env:SHOP"))
    with pytest.raises(InputError, match="environment variable SHOP; set it"):
        loaders.from_files(path)
    monkeypatch.setenv("SHOP", f"sqlite:///{folder}/tables/shop.db")
    assert loaders.from_files(path).fingerprint == relative.fingerprint


def test_frames_are_tables(folder: Path) -> None:
    """The same tables as frames give the same data set as the files."""
    frames = {
        "source.interactions": pd.read_csv(folder / "tables/books.csv"),
        "source.items": pd.read_csv(folder / "tables/titles.csv"),
        "target.interactions": pd.read_csv(folder / "tables/films.csv", sep=";"),
    }
    from_files = assemble_files(written(folder))
    column_map = loaders.read_map(folder / "my-data.toml")
    assert loaders.from_frames(frames, column_map).fingerprint == from_files.dataset.fingerprint


def test_frames_whose_columns_bear_the_names_of_roles() -> None:
    rows = pd.DataFrame({"user_id": [1, 2], "item_id": [7, 8], "rating": [4.0, 2.5], "colour": ["red", "blue"]})
    values: dict[str, Any] = {"name": "shop", "source": {"domain": "books"}, "target": {"domain": "films"}}
    links = pd.DataFrame({"source_id": [7], "target_id": [8], "node_type": ["Item"]})
    frames = {"source.interactions": rows, "target.interactions": rows, "links": links}
    dataset = loaders.from_frames(frames, values)
    assert list(dataset.source.interactions.columns) == ["user_id", "item_id", "rating"]
    assert dataset.source.interactions["user_id"].tolist() == ["1", "2"]
    assert dataset.links[["source_id", "target_id"]].values.tolist() == [["7", "8"]]


def test_a_frame_that_the_map_does_not_have() -> None:
    rows = pd.DataFrame({"user_id": [1, 2], "item_id": [7, 8]})
    values = {"name": "shop", "source": {"domain": "books"}, "target": {"domain": "films"}}
    frames = {"source.interactions": rows, "target.interactions": rows, "target.item": rows}
    with pytest.raises(InputError, match='unknown table of the column map "target.item"'):
        loaders.from_frames(frames, values)
    with pytest.raises(InputError, match=r"target\.interactions"):
        loaders.from_frames({"source.interactions": rows}, values)


MISTAKES = [
    ("tables/books.csv", "tables/boks.csv", r"boks\.csv"),
    ('"stars"', '"star"', r'books\.csv.*unknown column for rating "star"; did you mean "stars"\?'),
    ('genres = { kind = "multi-valued"', 'genre = { kind = "multi-valued"', r'titles\.csv.*did you mean "genres"'),
    ('separator = ";"', 'separator = ","', r"films\.csv.*"),
]


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES)
def test_a_mistake_is_one_line(old: str, new: str, message: str, folder: Path) -> None:
    assert old in MAP
    with pytest.raises(InputError, match=message) as caught:
        loaders.from_files(written(folder, MAP.replace(old, new, 1)))
    assert "\n" not in str(caught.value)


def test_nothing_in_common(folder: Path) -> None:
    (folder / "tables/films.csv").write_text("who;film;grade\nx;f1;3,5\ny;f1;1\n")
    with pytest.raises(InputError, match="nothing connects the domains"):
        loaders.from_files(written(folder))
