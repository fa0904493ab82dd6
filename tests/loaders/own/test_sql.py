"""Queries of a database: values as they are, and messages that keep the password to themselves."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from graph_schema.errors import InputError
from loaders.own import read_query


@pytest.fixture
def url(tmp_path: Path) -> str:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE ratings (user TEXT, item INTEGER, rating REAL)")
        rows = [("007", 1, 4.5), ("008", None, 3.0), (None, 2**60 + 1, None)]
        connection.executemany("INSERT INTO ratings VALUES (?, ?, ?)", rows)
    connection.close()
    return f"sqlite:///{path}"


def test_a_query_is_read_with_whole_numbers_whole(url: str) -> None:
    table = read_query(url, "SELECT * FROM ratings", {"user_id": "user", "item_id": "item", "rating": "rating"})
    assert table.frame["user_id"].tolist()[:2] == ["007", "008"]
    assert table.frame["item_id"].isna().tolist() == [False, True, False]
    assert table.frame["item_id"].tolist()[2] == 2**60 + 1
    assert table.frame["rating"].tolist()[:2] == [4.5, 3.0]
    assert table.lines is None and "shop.db" in table.where


def test_no_rows_are_a_table_too(url: str) -> None:
    table = read_query(url, "SELECT user, item FROM ratings WHERE user = 'nobody'")
    assert table.frame.columns.tolist() == ["user", "item"] and len(table.frame) == 0


def test_a_percent_sign_is_the_query_s_own(url: str) -> None:
    assert len(read_query(url, "SELECT * FROM ratings WHERE user LIKE '00%'").frame) == 2


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELCT 1", 'refuses it .near "SELCT": syntax error.; correct the SQL'),
        ("SELECT * FROM rating", "no such table: rating"),
        ("DELETE FROM ratings", "returns no rows; write a SELECT"),
    ],
)
def test_wrong_queries(url: str, query: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_query(url, query)
    assert len(read_query(url, "SELECT * FROM ratings").frame) == 3


def test_an_absent_column_names_the_nearest(url: str) -> None:
    with pytest.raises(InputError, match='unknown column for user_id "usr"; did you mean "user"'):
        read_query(url, "SELECT * FROM ratings", {"user_id": "usr"})


@pytest.mark.parametrize(
    "url_with_secret",
    [
        "postgresql+nodriver://me:S3cret@localhost:1/shop",
        "postgresql://me:S3cret@localhost:1/shop?sslpassword=S3cret",
        "mysql://me:S3cret@[bad/shop",
        "nothing://me:S3cret@host/shop",
        "me:S3cret@host",
    ],
)
def test_no_message_holds_the_password(url_with_secret: str) -> None:
    with pytest.raises(InputError) as caught:
        read_query(url_with_secret, "SELECT 1")
    message = str(caught.value)
    assert "S3cret" not in message and "\n" not in message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_sqlite_makes_no_empty_database(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist; check the path in the URL"):
        read_query(f"sqlite:///{tmp_path / 'absent.db'}", "SELECT 1")
    assert list(tmp_path.iterdir()) == []
