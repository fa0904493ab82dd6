"""Book-Crossing's files with the faults that are known of them, written here and read again."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

import loaders
from graph_schema import InputError
from loaders.collections import ReadingWarning

RATINGS = ["User-ID;ISBN;Book-Rating", "1;034545104x;8", "1;0155061224;0", "2; 034545104X;5", "2;9999999999;10"]
USERS = ["User-ID;Location;Age", "1;nyc, new york, usa;NULL", "2;m\u00fcnchen, bayern, germany;18"]
PICTURES = "http://s;http://m;http://l"
HEAD = "ISBN;Book-Title;Book-Author;Year-Of-Publication;Publisher;Image-URL-S;Image-URL-M;Image-URL-L"


def quoted(lines: Sequence[str]) -> list[str]:
    """Every field in quotes, but for NULL."""
    return [";".join(one if one == "NULL" else f'"{one}"' for one in line.split(";")) for line in lines]


BOOKS = [
    *quoted([HEAD]),
    '"034545104X";"Flesh &amp; \\"Blood\\": Caf\u00e9";"M. J. Rose";"2002";"Ballantine";"http://s";"http://m";"http://l"',
    # A backslash at the end of the title: title and author are one field, and all that follows is shifted.
    '"078946697X";"Making Heroes (Level 4)\\";Michael Maker";"2000";"DK";"http://s";"http://m";"http://l"',
    '"0155061224";"Judging; a Study";"Rae &Eacute;. Moe";"0";"Heinle";"http://s";"http://m";"http://l"',
    '"0000000001";"From the Future";"";"2050";"";"http://s";"http://m";"http://l"',
    '"0000000002";"Cut o',
]


def write(root: Path, ratings: Sequence[str] | None = None, packed: bool = False, newline: str = "\r\n") -> Path:
    folder = root / "book-crossing"
    folder.mkdir()
    files = {"Book-Ratings": quoted(ratings or RATINGS), "Users": quoted(USERS), "Books": BOOKS}
    contents = {f"BX-{name}.csv": newline.join([*lines, ""]).encode("latin-1") for name, lines in files.items()}
    if packed:
        with zipfile.ZipFile(folder / "BX-CSV-Dump.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in contents.items():
                archive.writestr(name, content)
    else:
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(("packed", "newline"), [(False, "\r\n"), (True, "\n")])
def test_books_are_read_with_all_that_is_odd_about_them(tmp_path: Path, packed: bool, newline: str) -> None:
    write(tmp_path, packed=packed, newline=newline)
    with pytest.warns(ReadingWarning) as warned:
        books = loaders.load_domain("book-crossing", tmp_path, whole=False)
    texts = " | ".join(str(one.message) for one in warned)
    assert "1 lines of" in texts
    assert "line 6: 2 fields instead of 8" in texts
    assert "1 item_ids of the interactions are not in" in texts
    assert '(first: "9999999999")' in texts
    items = books.items.set_index("item_id")
    assert items["name"].dropna().to_dict() == {
        "034545104X": 'Flesh & "Blood": Caf\u00e9',
        "078946697X": "Making Heroes (Level 4)",
        "0155061224": "Judging; a Study",
        "0000000001": "From the Future",
    }
    assert items["year"].dropna().to_dict() == {"034545104X": 2002, "078946697X": 2000}
    assert set(books.facts[["head_id", "relation", "tail_id"]].itertuples(index=False, name=None)) == {
        ("034545104X", "AUTHORED_BY", "M. J. Rose"),
        ("078946697X", "AUTHORED_BY", "Michael Maker"),
        ("0155061224", "AUTHORED_BY", "Rae \u00c9. Moe"),
        ("034545104X", "PUBLISHED_BY", "Ballantine"),
        ("078946697X", "PUBLISHED_BY", "DK"),
        ("0155061224", "PUBLISHED_BY", "Heinle"),
        ("034545104X", "IN_PERIOD", "2000s"),
        ("078946697X", "IN_PERIOD", "2000s"),
    }
    assert books.users.to_dict("list") == {
        "user_id": ["book-crossing:1", "book-crossing:2"],
        "location": ["nyc, new york, usa", "m\u00fcnchen, bayern, germany"],
    }


@pytest.mark.filterwarnings("ignore::loaders.collections.ReadingWarning")
def test_a_zero_is_no_rating(tmp_path: Path) -> None:
    write(tmp_path)
    explicit = loaders.load_domain("book-crossing", tmp_path, whole=False).interactions
    assert explicit.to_dict("list") == {
        "user_id": ["book-crossing:1", "book-crossing:2", "book-crossing:2"],
        "item_id": ["034545104X", "034545104X", "9999999999"],
        "rating": [8, 5, 10],
    }
    implicit = loaders.load_domain("book-crossing", tmp_path, whole=False, feedback="implicit").interactions
    assert implicit.to_dict("list") == {"user_id": ["book-crossing:1"], "item_id": ["0155061224"]}
    assert len(loaders.load_domain("book-crossing", tmp_path, whole=False, feedback="all").interactions) == 4
    raw = loaders.read_domain("book-crossing", tmp_path, whole=False)
    assert raw.interactions.lines is not None
    assert raw.interactions.lines.tolist() == [2, 4, 5]


def test_the_published_counts_are_asserted_and_unreadable_lines_count(tmp_path: Path) -> None:
    assert dict(loaders.DOMAINS["book-crossing"].card.counts) == {
        "users": 278_858, "items": 271_379, "interactions": 1_149_780,
    }  # fmt: skip
    write(tmp_path)
    with pytest.raises(InputError, match=r'data set "book-crossing": 2 users, expected 278,858; .*whole=False'):
        loaders.load_domain("book-crossing", tmp_path)


def test_what_to_get_and_where_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='get "BX-CSV-Dump.zip" .as it is, or unpacked. from http://www2'):
        loaders.load_domain("book-crossing", tmp_path)


@pytest.mark.filterwarnings("ignore::loaders.collections.ReadingWarning")
def test_books_and_films_of_two_collections_pair_by_decade(tmp_path: Path) -> None:
    write(tmp_path)
    folder = tmp_path / "movielens"
    folder.mkdir()
    (folder / "ratings.dat").write_bytes(b"1::1::5::978300760\n2::1::3::978302109\n")
    (folder / "movies.dat").write_bytes(b"1::Heat (2001)::Action\n")
    books = loaders.load_domain("book-crossing", tmp_path, whole=False)
    films = loaders.load_domain("movielens", tmp_path, whole=False)
    dataset = loaders.pair("books to films", books, films)
    assert dataset.overlapping_users.empty
    assert set(books.facts["tail_id"]) & set(films.facts["tail_id"]) == {"2000s"}
    assert isinstance(dataset.fingerprint, str)
    assert pd.Index(films.users["user_id"]).tolist() == ["movielens-1m:1", "movielens-1m:2"]
