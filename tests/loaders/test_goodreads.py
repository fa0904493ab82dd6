"""Goodreads' files with what is known to be odd about them, written here and read again."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest

import loaders
from graph_schema import InputError
from loaders.collections import ReadingWarning

ADDED = "Thu Mar 22 14:04:31 -0700 2012"


def shelf(user: str, book: str, rating: int, read: bool = True, added: str = ADDED) -> dict[str, object]:
    return {
        "user_id": user, "book_id": book, "review_id": "r", "is_read": read, "rating": rating,
        "review_text_incomplete": "", "date_added": added, "date_updated": ADDED, "read_at": "", "started_at": "",
    }  # fmt: skip


BOOKS = [
    {"book_id": "10", "title": "The Fool &amp; the King", "publisher": "Tor", "publication_year": "1995", "isbn": "",
     "authors": [{"author_id": "7", "role": ""}, {"author_id": "8", "role": "Translator"}],
     "series": ["1"], "popular_shelves": [{"count": "9", "name": "to-read"}]},
    {"book_id": "11", "title": "", "publisher": "", "publication_year": "65535",
     "authors": [{"author_id": "7", "role": ""}]},
    {"book_id": "12", "title": "Alone", "publisher": "", "publication_year": "", "authors": []},
]  # fmt: skip
GENRES = [
    {"book_id": "10", "genres": {"fantasy, paranormal": 31, "young-adult": 1}},
    {"book_id": "11", "genres": {}},
    {"book_id": "77", "genres": {"poetry": 2}},
]
AUTHORS = [{"author_id": "7", "name": "A. Writer", "average_rating": "3.98"}, {"author_id": "8", "name": "T. Lator"}]


def put(root: Path, name: str, lines: Iterable[object]) -> None:
    folder = root / "goodreads"
    folder.mkdir(exist_ok=True)
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    (folder / f"{name}.json.gz").write_bytes(gzip.compress(text.encode()))


def write(root: Path, shelves: Iterable[object], part: str = "_dedup") -> None:
    put(root, f"goodreads_interactions{part}", shelves)
    put(root, f"goodreads_books{'' if part == '_dedup' else part}", BOOKS)
    put(root, "goodreads_book_authors", AUTHORS)
    put(root, "goodreads_book_genres_initial", GENRES)


SHELVES = [shelf("ab", "10", 5), shelf("ab", "11", 0), shelf("cd", "10", 3), shelf("cd", "12", 0, read=False)]


def test_books_authors_genres_and_dates(tmp_path: Path) -> None:
    write(tmp_path, SHELVES, "_fantasy_paranormal")
    books = loaders.load_domain("goodreads", tmp_path, genre="fantasy_paranormal")
    assert books.items["name"].isna().tolist() == [False, True, False]
    assert books.items["name"].dropna().tolist() == ["The Fool & the King", "Alone"]
    assert books.items["year"].tolist() == [1995, pd.NA, pd.NA]
    assert books.interactions.to_dict("list") == {
        "user_id": ["goodreads:ab", "goodreads:cd"],
        "item_id": ["10", "10"],
        "rating": [5, 3],
        "timestamp": [pd.Timestamp("2012-03-22 21:04:31")] * 2,
    }
    assert sorted(books.facts[["head_id", "relation", "tail_id"]].itertuples(index=False, name=None)) == [
        ("10", "AUTHORED_BY", "A. Writer"),
        ("10", "HAS_GENRE", "Fantasy"),
        ("10", "HAS_GENRE", "Paranormal"),
        ("10", "HAS_GENRE", "Young-Adult"),
        ("10", "IN_PERIOD", "1990s"),
        ("10", "PUBLISHED_BY", "Tor"),
        ("11", "AUTHORED_BY", "A. Writer"),
    ]


@pytest.mark.parametrize(
    ("feedback", "pairs"),
    [
        ("explicit", [("ab", "10"), ("cd", "10")]),
        ("read", [("ab", "10"), ("ab", "11"), ("cd", "10")]),
        ("all", [("ab", "10"), ("ab", "11"), ("cd", "10"), ("cd", "12")]),
    ],
)
def test_what_counts_as_an_interaction(tmp_path: Path, feedback: str, pairs: list[tuple[str, str]]) -> None:
    write(tmp_path, SHELVES)
    rows = loaders.load_domain("goodreads", tmp_path, whole=False, feedback=feedback).interactions
    assert [(user.removeprefix("goodreads:"), book) for user, book in rows[["user_id", "item_id"]].to_numpy()] == pairs
    assert ("rating" in rows.columns) == (feedback == "explicit")


def test_rows_without_a_date_and_lines_that_are_none_are_counted_in_their_order(tmp_path: Path) -> None:
    write(tmp_path, [SHELVES[0], shelf("ab", "12", 4, added=""), "{", shelf("cd", "10", 3), {"user_id": "x"}])
    raw = loaders.read_domain("goodreads", tmp_path, whole=False)
    assert [(bad.line, bad.reason) for bad in raw.interactions.bad_lines] == [
        (2, "date_added is no date"),
        (3, "not JSON (or cut off)"),
        (5, "no book_id"),
    ]
    assert raw.interactions.lines is not None
    assert raw.interactions.lines.tolist() == [1, 4]
    with pytest.warns(ReadingWarning, match="3 lines of .*, 2 rows were used"):
        loaders.load_domain("goodreads", tmp_path, whole=False)


def test_facts_can_be_left_out_and_their_files_with_them(tmp_path: Path) -> None:
    put(tmp_path, "goodreads_interactions_dedup", SHELVES)
    put(tmp_path, "goodreads_books", BOOKS)
    with pytest.raises(InputError, match='needs the file "goodreads_book_authors.json": .*facts=False does without'):
        loaders.load_domain("goodreads", tmp_path, whole=False)
    assert loaders.load_domain("goodreads", tmp_path, whole=False, facts=False).facts.empty


def test_the_published_counts_are_asserted_of_the_whole(tmp_path: Path) -> None:
    write(tmp_path, SHELVES)
    with pytest.raises(InputError, match="2 users, expected 876,145"):
        loaders.load_domain("goodreads", tmp_path)


def test_books_and_films_share_genres(tmp_path: Path) -> None:
    write(tmp_path, SHELVES)
    folder = tmp_path / "movielens"
    folder.mkdir()
    (folder / "ratings.dat").write_bytes(b"1::1::5::978300760\n2::1::3::978302109\n")
    (folder / "movies.dat").write_bytes(b"1::Labyrinth (1986)::Adventure|Fantasy\n")
    books = loaders.load_domain("goodreads", tmp_path, whole=False)
    films = loaders.load_domain("movielens", tmp_path, whole=False)
    dataset = loaders.pair("films to books", films, books)
    assert set(dataset.source.facts["tail_id"]) & set(dataset.target.facts["tail_id"]) == {"Fantasy"}
