"""Column maps: what they may say, and every mistake in one as one line with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graph_schema import InputError
from loaders.own.column_map import ColumnMap, attributes_of, checked_map, read_map
from loaders.raw import Attribute

SMALLEST = """
name = "shop"

[source]
domain = "books"
item_type = "Book"

[source.interactions]
file = "books.csv"

[target]
domain = "films"
item_type = "Movie"

[target.interactions]
file = "films.csv"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "my-data.toml"
    path.write_text(text, encoding="utf-8")
    return path


def changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_the_smallest_map(tmp_path: Path) -> None:
    found = read_map(written(tmp_path, SMALLEST))
    assert found.shared_users and found.positive_from is None
    assert list(found.tables) == ["source.interactions", "target.interactions"]
    assert found.source.interactions.columns.model_dump() == {
        "user_id": "user_id", "item_id": "item_id", "rating": None, "timestamp": None, "weight": None, "event": None,
    }  # fmt: skip


def test_a_map_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "my-data.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALLEST.encode())
    assert read_map(path).name == "shop"


def test_everything_that_a_map_can_say(tmp_path: Path) -> None:
    more = """
[source.items]
file = "titles.csv"
columns = { item_id = "isbn", name = "title" }
[source.items.attributes]
genres = { kind = "multi-valued", relation = "HAS_GENRE", node_type = "Genre", separator = ";" }
pages = { kind = "numeric" }
[source.users]
url = "env:SHOP"
query = "select * from users"
attributes = { trade = { kind = "categorical", relation = "WORKS_AS", node_type = "Trade" } }
[source.knows]
file = "friends.csv"
[source.facts]
file = "facts.tsv"
separator = "\\t"
header = ["head_id", "head_type", "relation", "tail_id", "tail_type"]
[links]
file = "links.csv"
node_type = "Person"
[vocabulary]
node_types = { Trade = "Entity" }
relations = [{ name = "WORKS_AS", head = "User", tail = "Trade" }]
[cleaning]
repeated = "first"
"""
    found = read_map(written(tmp_path, SMALLEST + more))
    names = ["interactions", "items", "users", "knows", "facts"]
    assert list(found.tables) == [*(f"source.{name}" for name in names), "target.interactions", "links"]
    assert attributes_of(found.source.items) == (
        Attribute("genres", "multi-valued", "HAS_GENRE", "Genre", ";"), Attribute("pages", "numeric"),
    )  # fmt: skip
    assert found.full_vocabulary.edge_type("User", "WORKS_AS", "Trade") == ("User", "WORKS_AS", "Trade")
    assert found.cleaning.repeated == "first"
    assert checked_map(found.model_dump()) == found


BOOKS = 'file = "books.csv"'
MISTAKES = [
    ((BOOKS, 'flie = "books.csv"'), 'unknown key in .*source.interactions "flie"; did you mean "file"?'),
    ((BOOKS, ""), "table source.interactions: nothing to read; give file, or url and query"),
    ((BOOKS, f'{BOOKS}\nquery = "select 1"\nurl = "sqlite://"'), "source.interactions: .*keep file, or url and query"),
    ((BOOKS, 'url = "sqlite://"'), "source.interactions: .*url and query belong together"),
    ((BOOKS, 'url = "sqlite://"\nquery = "q"\nseparator = ","'), "source.interactions: .*say how a file is read"),
    ((BOOKS, f"{BOOKS}\ncolumns = {{ userid = 'u' }}"), 'columns "userid"; did you mean "user_id"?'),
    ((BOOKS, f'{BOOKS}\ntimestamp_unit = "min"'), "timestamp_unit: input should be .*'ns'.*, not 'min'"),
    ((BOOKS, f"{BOOKS}\nevent_weights = {{ buy = 1.0 }}"), "event_weights needs the column of the events"),
    (('item_type = "Book"', 'item_type = "Bok"'), 'table source: unknown node type "Bok"; did you mean "Book"?'),
    (('item_type = "Book"', 'item_type = "Genre"'), 'table source: "Genre" is not an Item; choose one of Item, Book'),
    (('domain = "films"', 'domain = "books"'), 'both domains are called "books"'),
    (('name = "shop"', 'name = "shop"\npostive_from = 4'), 'did you mean "positive_from"?'),
    (('name = "shop"', 'name = "shop'), "is not valid TOML"),
    (('name = "shop"', ""), "key name: field required"),
    (('name = "shop"', 'name = "shop"\n[cleaning]\nrepeated = "lst"\n'), "cleaning.repeated: input should be 'last'"),
    (('name = "shop"', 'name = "shop"\n[links]\nfile = "l.csv"\n'), "links: .*say what the links join"),
    (('name = "shop"', 'name = "shop"\n[links]\nfile = "l.csv"\nnode_type = "Persn"'), 'did you mean "Person"?'),
    (('name = "shop"', 'name = "shop"\n[vocabulary]\nnode_types = { A = "B" }'), "table vocabulary: node type"),
]


@pytest.mark.parametrize(("change", "message"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_one_line_with_its_place(change: tuple[str, str], message: str, tmp_path: Path) -> None:
    path = written(tmp_path, changed(SMALLEST, change))
    with pytest.raises(InputError, match=message) as caught:
        read_map(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


ATTRIBUTES = [
    ({"kind": "categorical"}, "a categorical attribute becomes facts; give it a relation and a node_type"),
    ({"kind": "categorical", "relation": "HAS_GENR", "node_type": "Genre"}, 'did you mean "HAS_GENRE"'),
    ({"kind": "categorical", "relation": "HAS_GENRE", "node_type": "Person"}, "does not join Book to Person"),
    ({"kind": "multi-valued", "relation": "HAS_GENRE", "node_type": "Genre", "separator": ""}, "separator is empty"),
    ({"kind": "set"}, "input should be 'categorical'"),
]


@pytest.mark.parametrize(("attribute", "message"), ATTRIBUTES)
def test_attributes_are_checked_against_the_vocabulary(attribute: dict[str, Any], message: str) -> None:
    values = {
        "name": "shop",
        "source": {
            "domain": "books", "item_type": "Book", "interactions": {}, "items": {"attributes": {"genre": attribute}}
        },
        "target": {"domain": "films", "interactions": {}},
    }  # fmt: skip
    with pytest.raises(InputError, match=message) as caught:
        checked_map(values, "my map")
    assert str(caught.value).startswith("my map") and "genre" in str(caught.value)


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    url = 'url = "postgresql://me:s3cret@host/shop"'
    for lines in (url, f'{BOOKS}\n{url}\nquery = "q"', f'{url}\nquery = "q"\nseparator = ","', f'{url}\nquery = 3'):
        with pytest.raises(InputError) as caught:
            read_map(written(tmp_path, changed(SMALLEST, (BOOKS, lines))))
        assert "s3cret" not in str(caught.value)
    listed = changed(SMALLEST, ("[source.interactions]", "[[source.interactions]]"), (BOOKS, f'{url}\nquery = "q"'))
    with pytest.raises(InputError, match="source.interactions: input should be a valid dict") as caught:
        read_map(written(tmp_path, listed))
    assert "s3cret" not in str(caught.value)


def test_no_such_map(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml.* does not exist; .*kgxfer data init"):
        read_map(tmp_path / "none.toml")


def test_a_map_is_a_value() -> None:
    domains: dict[str, Any] = {name: {"domain": name, "interactions": {}} for name in ("source", "target")}
    values = {"name": "shop", **domains}
    assert ColumnMap.parse(values, "map") == checked_map(values)
