"""Two domains out of a graph that other people made: what is read, what is refused, and that nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import loaders
from graph_schema import InputError
from kgxfer.bridges import propose_links
from kgxfer.experiment import load_config
from kgxfer.graph import build_graph
from kgxfer.splits import LeaveOneOut
from kgxfer.stores.neo4j import Neo4jStore
from kgxfer.stores.pull import Pulled, pull
from kgxfer.stores.pull_map import checked_pull_map, read_pull_map
from loaders.own.map_text import map_text
from tests.command_line import Call, assert_mistake
from tests.stores import foreign

if TYPE_CHECKING:
    from neo4j import Driver

    from tests.neo4j_server import Neo4jServer

Library = Callable[[dict[str, Any]], Pulled]


def changed(path: str, value: Any) -> dict[str, Any]:
    """The map with another value at a path such as "source.items.label"; None takes the key out."""
    values = deepcopy(foreign.MAP)
    holder: Any = values
    *parents, last = path.split(".")
    for part in parents:
        holder = holder[int(part)] if isinstance(holder, list) else holder[part]
    if value is None:
        del holder[last]
    else:
        holder[last] = value
    return values


def count(driver: Driver) -> tuple[int, int]:
    found = driver.execute_query("MATCH (n) OPTIONAL MATCH (n)-[r]->() RETURN count(DISTINCT n), count(r)").records[0]
    return found.values()[0], found.values()[1]


@pytest.fixture(scope="module")
def library(neo4j_driver: Driver) -> Iterator[Library]:
    labels = ("`Library Reader`", "`Printed Book`", "Medium", "Writer", "Mood")
    foreign.write(neo4j_driver)
    ask = Neo4jStore(neo4j_driver, "none").query
    yield lambda values: pull(ask, checked_pull_map(values))
    for label in labels:
        neo4j_driver.execute_query(f"MATCH (n:{label}) DETACH DELETE n")


UNKNOWN = [
    ("source.items.label", "Printed Bok", 'unknown label in the database "Printed Bok"; did you mean "Printed Book"?'),
    ("source.interactions.type", "HAS RED", 'relationship type in the database "HAS RED"; did you mean "HAS READ"?'),
    ("target.facts.0.tail.label", "Modd", 'unknown label in the database "Modd"; did you mean "Mood"?'),
    ("source.items.name", "titel", 'unknown property of node "Printed Book" "titel"; did you mean "title"?'),
    ("source.items.id", "ISBN", 'unknown property of node "Printed Book" "ISBN"; did you mean "isbn"?'),
    ("target.interactions.rating", "joi", 'property of relationships "BORROWED BY" "joi"; did you mean "joy"?'),
    ("target.items.where", {"sort": "fillm"}, 'there is no node "Medium" with sort = "fillm" in the database'),
    ("source.items.id", "kinds", 'unknown property of node "Printed Book" "kinds"'),
    ("source.items.id", "published", 'node "Printed Book": 1 of 3 have no id (property "published")'),
    ("target.items", {"label": "Medium", "id": "sort"}, 'node "Medium": 1 of 3 share their id (property "sort")'),
    (
        "source.facts.0.reversed", False,
        'no relationship "WROTE" goes from node "Printed Book" to node "Writer"; 3 go the other way: set reversed',
    ),
    (
        "target.interactions.reversed", False,
        "4 go the other way: set reversed = true",
    ),
    ("source.knows", {"type": "FEELS"}, 'no relationship "FEELS" goes from node "Library Reader" to node "Library'),
]  # fmt: skip


@pytest.mark.neo4j
@pytest.mark.parametrize(("path", "value", "words"), UNKNOWN)
def test_what_the_database_does_not_have_is_one_line(library: Library, path: str, value: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        library(changed(path, value))
    assert words in str(caught.value) and "\n" not in str(caught.value)


INJECTION = "x` SET n.gone = true WITH n MATCH (n:`y"
WRONG = [
    ("source.items.label", INJECTION, "no backtick and no backslash"),
    ("source.items.id", "a\\u0060b", "no backtick and no backslash"),
    ("target.items.where", {INJECTION: 1}, "no backtick and no backslash"),
    ("source.interactions.type", "", "is not empty"),
    ("source.items.attributes", {INJECTION: {"kind": "text"}}, "no backtick and no backslash"),
    ("source.item_type", "Bok", 'unknown node type "Bok"; did you mean "Book"?'),
    ("source.facts.0.relation", "AUTHORED", 'table source, fact 1: unknown relation "AUTHORED"'),
    ("source.facts.0.tail.node_type", "Genre", "relation AUTHORED_BY does not join Book to Genre"),
    ("target.facts.0.tail.label", None, "label"),
    ("vocabulary", None, 'table target, fact 1: unknown relation "HAS_MOOD"'),
    ("target.domain", "books", 'both domains are called "books"'),
    ("links", {"type": "SAME", "node_type": "Item"}, 'node_type "Item" is neither User nor the item type of both'),
    ("source.intractions", {}, 'did you mean "interactions"?'),
]


@pytest.mark.parametrize(("path", "value", "words"), WRONG)
def test_a_wrong_map_is_one_line_before_anything_is_asked(path: str, value: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        checked_pull_map(changed(path, value))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_the_map_of_the_tests_is_right_and_frozen() -> None:
    assert checked_pull_map(foreign.MAP).source.facts[0].reversed
    with pytest.raises(InputError, match=r'map "gone.toml" does not exist'):
        read_pull_map("gone.toml")


@pytest.mark.neo4j
def test_tables_are_what_the_graph_holds(library: Library) -> None:
    tables = library(foreign.MAP).tables
    assert set(tables) == {
        "source.interactions", "source.items", "source.users", "source.knows", "source.facts", "target.interactions",
        "target.items", "target.users", "target.facts",
    }  # fmt: skip
    read = tables["source.interactions"]
    assert list(zip(read["user_id"].astype(int), read["item_id"], read["rating"], strict=True)) == foreign.READ
    assert tables["source.items"]["name"].tolist()[0] == foreign.ODD
    assert tables["target.items"]["name"].tolist() == ["Jaws", "Clueless"]
    assert tables["source.knows"].to_numpy().tolist() == [["1", "2"]]  # reader 6 read nothing
    assert tables["source.users"]["name"].tolist() == ["Reader 1", "Reader 2", "Reader 3", "Reader 4"]
    facts = tables["source.facts"]
    assert facts[["head_id", "tail_id"]].to_numpy().tolist() == [["b1", "Melville"], ["b2", "Austen"], ["b3", "Austen"]]
    assert set(facts["relation"]) == {"AUTHORED_BY"} and set(facts["head_type"]) == {"Book"}
    assert tables["target.facts"]["head_id"].tolist() == ["7", "8"]


@pytest.mark.neo4j
def test_the_data_set_is_what_files_would_give(library: Library) -> None:
    dataset = library(foreign.MAP).dataset
    books, films = dataset.domains
    assert dataset.overlapping_users.tolist() == ["1", "2", "3"]
    assert books.items["name"].tolist()[0].startswith('Moby-Dick; "the `whale`" right to left')  # cleaned, as a file's
    assert books.items.set_index("item_id")["year"].dropna().to_dict() == {"b1": 1851, "b2": 1815}
    assert set(books.interactions["timestamp"]) == {pd.Timestamp(foreign.MOMENT).tz_localize(None)}
    assert films.interactions["timestamp"].min() == pd.Timestamp(foreign.FIRST_DAY, unit="s")
    genres = books.facts[books.facts["relation"] == "HAS_GENRE"]
    assert sorted(zip(genres["head_id"], genres["tail_id"], strict=True)) == [
        ("b1", "sea"), ("b1", "whales"), ("b2", "manners"),
    ]  # fmt: skip
    assert films.facts[["head_id", "relation", "tail_type"]].drop_duplicates("head_id").to_numpy().tolist() == [
        ["7", "HAS_MOOD", "Mood"], ["8", "HAS_MOOD", "Mood"],
    ]  # fmt: skip


@pytest.mark.neo4j
def test_values_are_parameters_and_nothing_is_written(library: Library, neo4j_driver: Driver) -> None:
    before = count(neo4j_driver)
    with pytest.raises(InputError, match="there is no node"):
        library(changed("target.items.where", {"sort": "film' OR true //"}))
    library(foreign.MAP)
    assert count(neo4j_driver) == before


@pytest.mark.neo4j
def test_what_this_library_wrote_is_not_read(library: Library, neo4j_driver: Driver) -> None:
    marks = "{graph: 'mine', key: 'x', row: 0, place: 0, isbn: 'b9', title: 'ours'}"
    neo4j_driver.execute_query(f"CREATE (:`Printed Book` {marks})")
    assert library(foreign.MAP).tables["source.items"]["item_id"].tolist() == ["b1", "b2", "b3"]


@pytest.mark.neo4j
def test_links_join_what_people_know_to_be_the_same(library: Library, neo4j_driver: Driver) -> None:
    """Reader 4 of the books is reader 5 of the films, says a relationship with no value of its certainty."""
    neo4j_driver.execute_query(
        "MATCH (a:`Library Reader` {`card no`: 4}), (b:`Library Reader` {`card no`: 5}) CREATE (a)-[:`IS ALSO`]->(b)"
    )
    links = {"type": "IS ALSO", "confidence": "sure"}
    found = library(changed("links", links))
    said = {"source_id": "4", "target_id": "5", "confidence": 1.0, "node_type": "User"}
    assert found.tables["links"].to_dict("records") == [said]
    assert found.dataset.links[list(said)].to_dict("records") == [said]
    turned = library(changed("links", {**links, "reversed": True})).tables["links"]
    assert turned[["source_id", "target_id"]].to_numpy().tolist() == [["5", "4"]]


@pytest.mark.neo4j
def test_a_run_takes_the_tables_and_sees_the_same_data(library: Library, tmp_path: Path) -> None:
    found = library(foreign.MAP)
    files = found.write_tables(tmp_path)
    text = map_text(found.pull_map.column_values(found.tables, files.__getitem__), [], {}, [])
    (tmp_path / "data.toml").write_text(text, encoding="utf-8")
    again = loaders.from_files(tmp_path / "data.toml")
    assert again.fingerprint == found.dataset.fingerprint
    assert library(foreign.MAP).dataset.fingerprint == found.dataset.fingerprint


@pytest.mark.neo4j
def test_a_graph_of_what_was_pulled_has_no_test_row(library: Library) -> None:
    dataset = library(changed("positive_from", None)).dataset
    split = LeaveOneOut(validation=False, minimum_rows=2, domains=("source",)).split(dataset, rng=0)
    graph = build_graph(split, propose_links(split, ["shared_id"]))
    users, items = graph.nodes["User"], graph.nodes["Book"]
    held = split.rows("test", "books")
    assert len(held) > 0
    pairs = set(zip(users.rows(0, held["user_id"]), items.rows(0, held["item_id"]), strict=True))
    edges = graph.interactions(0)
    assert not pairs & set(zip(edges.head, edges.tail, strict=True))


@pytest.mark.neo4j
def test_the_command_writes_what_a_run_takes(
    library: Library, neo4j_server: Neo4jServer, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NEO4J_USER", neo4j_server.user)
    monkeypatch.setenv("NEO4J_PASSWORD", neo4j_server.password)
    (tmp_path / "map.toml").write_text(map_text(foreign.MAP, [], {}, []), encoding="utf-8")
    (tmp_path / "wrong.toml").write_text(map_text(changed("source.items.label", "Bok"), [], {}, []), encoding="utf-8")
    arguments = ("graph", "pull", "map.toml", "--store", neo4j_server.uri, "--out", "library")
    answer = call(*arguments)
    assert answer.status == 0, answer.error
    assert "source books: 5 interactions" in answer.out and "target films: 2 items" in answer.out
    assert "kgxfer run library/run.toml" in answer.out
    config = load_config(tmp_path / "library/run.toml")
    assert config.data.load().fingerprint == library(foreign.MAP).dataset.fingerprint
    assert config.graph.bridges == ("shared_id",)
    assert_mistake(call(*arguments), '"library" exists already')
    unknown = call("graph", "pull", "wrong.toml", "--store", neo4j_server.uri, "--out", "other")
    assert_mistake(unknown, 'label in the database "Bok"')
    assert_mistake(call("graph", "pull", "map.toml", "--store", "g.lbug", "--out", "other"), "is no Neo4j server")
    monkeypatch.setenv("NEO4J_PASSWORD", "not the password")
    refused = call("graph", "pull", "map.toml", "--store", neo4j_server.uri, "--out", "other")
    assert_mistake(refused, "password")
    assert "not the password" not in refused.error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["library", "map.toml", "wrong.toml"]
