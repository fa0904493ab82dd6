"""`kgxfer graph query` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from kgxfer.queries import query_names
from kgxfer.stores.ladybug import LadybugStore
from tests.command_line import Call, assert_mistake
from tests.queries.conftest import filled


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library in a file that no store has open."""
    path = tmp_path_factory.mktemp("library") / "graph.lbug"
    with LadybugStore(path) as store:
        filled(store, "library")
    return path


def test_without_a_name_all_are_listed(call: Call) -> None:
    answer = call("graph", "query")
    assert answer.status == 0
    assert all(f" {name} " in answer.out for name in query_names())
    assert "user*, item*, relation" in answer.out


def test_an_answer_is_a_table_a_file_and_a_picture(call: Call, file: Path, tmp_path: Path) -> None:
    files = ("--csv", "out/rows.csv", "--draw", "why.html")
    answer = call("graph", "query", "history", "--store", file, "--param", "user=ann", *files)
    assert answer.status == 0, answer
    assert "What a user took, in both domains" in answer.out
    assert "4 rows" in answer.out
    table = pd.read_csv(tmp_path / "out" / "rows.csv")
    assert table["item_key"].tolist() == ["Book:books/b1", "Book:books/b3", "Movie:films/f3", "Movie:films/f4"]
    assert table["rating"].tolist() == [5, 4, 5, 4]
    page = (tmp_path / "why.html").read_text(encoding="utf-8")
    assert "<title>What a user took, in both domains</title>" in page
    assert "Movie:films/f4" in page


def test_lists_are_json_in_a_file(call: Call, file: Path, tmp_path: Path) -> None:
    words = ("--param", "item=b1", "--param", "domain=films", "--limit", 1, "--csv", "rows.csv")
    assert call("graph", "query", "similar-by-facts", "--store", file, *words).status == 0
    assert json.loads(pd.read_csv(tmp_path / "rows.csv")["entities"][0]) == ["John Grisham", "thriller"]


def test_a_limit_is_kept(call: Call, file: Path) -> None:
    assert "2 rows" in call("graph", "query", "relations", "--store", file, "--limit", 2).out


def test_the_text_can_be_taken_and_run(call: Call, file: Path, tmp_path: Path) -> None:
    text = call("graph", "query", "popular-items", "--store", file, "--text").out
    assert "MATCH (u:`User`)-[r:`RATED`]->(i:`Book`:`Movie`)" in text
    again = call("graph", "query", "--store", file, "--cypher", text, "--param", "domain=films", "--csv", "own.csv")
    assert again.status == 0, again
    assert call("graph", "query", "popular-items", "--store", file, "--csv", "pack.csv").status == 0
    assert (tmp_path / "own.csv").read_text() == (tmp_path / "pack.csv").read_text()


def test_a_text_of_ones_own_takes_numbers_and_words(call: Call, file: Path) -> None:
    text = "MATCH (u:User)-[r:RATED]->(b:Book) WHERE r.rating >= $least AND b.id <> $but RETURN u, b.name, r.rating"
    words = ("--param", "least=4", "--param", "but=b2", "--draw", "own.html")
    answer = call("graph", "query", "--store", file, "--cypher", text, *words)
    assert answer.status == 0, answer
    assert "3 rows" in answer.out
    assert "User:books/cem" in answer.out


def test_communities_are_found_and_asked(call: Call, file: Path) -> None:
    answer = call("graph", "communities", "--store", file, "--seed", 1)
    assert answer.status == 0, answer
    assert "communities of 31 nodes" in answer.out
    assert "User:books/" in call("graph", "query", "community-of", "--store", file, "--param", "node=b1").out


MISTAKES = {
    "no store": (["history"], "--store says where the graph is"),
    "no such file": (["history", "--store", "no.lbug"], 'there is no "no.lbug"'),
    "no such query": (["histry", "--store", "FILE"], 'did you mean "history"?'),
    "no value": (["history", "--store", "FILE"], 'query "history" needs "user"'),
    "no pair": (["history", "--store", "FILE", "--param", "ann"], '--param "ann": write NAME=VALUE'),
    "twice": (["history", "--store", "FILE", "--param", "user=a", "--param", "user=b"], '"user" is given twice'),
    "no such user": (["history", "--store", "FILE", "--param", "user=zed"], 'no user "zed" in the graph'),
    "both": (["history", "--store", "FILE", "--cypher", "RETURN 1"], "not both"),
    "counts": (["domains", "--store", "FILE", "--draw", "x.html"], "is counts, which are no graph"),
    "a wrong text": (["--store", "FILE", "--cypher", "MATCH (n:Nope) RETURN n"], "query: Table Nope does not exist"),
    "a text that writes": (["--store", "FILE", "--cypher", "MATCH (n:User) DELETE n"], "a query only reads"),
    "no folder": (["domains", "--store", "FILE", "--csv", "FILE/x.csv"], "may not write"),
}


@pytest.mark.parametrize("words", MISTAKES.values(), ids=[*MISTAKES])
def test_a_mistake_is_one_line(call: Call, file: Path, tmp_path: Path, words: tuple[list[str], str]) -> None:
    given, said = words
    answer = call("graph", "query", *[word.replace("FILE", str(file)) for word in given])
    assert_mistake(answer, said, out=None)
    assert list(tmp_path.iterdir()) == []
