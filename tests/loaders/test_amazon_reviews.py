"""Every release and form written in its own format, with what is known to be odd about it, and read again."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest

import loaders
from graph_schema import InputError
from loaders.collections import ReadingWarning

NOON = 1_388_577_600
DAY = 86_400


def put(root: Path, release: str, name: str, lines: Iterable[object], zipped: bool = True) -> Path:
    place = root / "amazon-reviews" / release / (f"{name}.gz" if zipped else name)
    place.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    place.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    return place


def review(user: str, item: str, rating: float, time: int, **more: object) -> dict[str, object]:
    return {
        "reviewerID": user, "asin": item, "reviewerName": "x", "vote": "2", "style": {"Format:": " Hardcover"},
        "reviewText": 'said \u201cyes\u201d and "no"\n', "overall": rating, "unixReviewTime": time, **more,
    }  # fmt: skip


BOOKS_2018 = [
    {"asin": "B000000001", "title": "Tom &amp; <b>Huck</b>", "brand": "Visit Amazon's Mark Twain Page",
     "category": ["Books", "Literature &amp; Fiction", "Adventure"]},
    {"asin": "B000000002", "title": "var aPageStart = (new Date()).getTime();", "brand": "",
     "category": ["Books", "<span>" + "x" * 90 + "</span>"]},
    {"asin": "B000000001", "title": "Tom and Huck", "brand": None, "category": []},
    {"asin": "B000000009", "title": "  Never\n bought ", "category": ["Books", "Adventure"]},
]  # fmt: skip
FILMS_2018 = [
    {"asin": "C000000001", "title": "Huck, the Film", "brand": "A Studio", "category": ["Movies & TV", "Adventure"]}
]


def test_2018_pairs_categories_whose_names_hold_rests_of_html(tmp_path: Path) -> None:
    put(
        tmp_path,
        "2018",
        "Books.csv",
        [f"B000000001,A1USER0000001,5.0,{NOON}", f"B000000002,A2USER0000002,1.0,{NOON}"],
        False,
    )
    put(
        tmp_path,
        "2018",
        "Movies_and_TV.csv",
        [f"C000000001,A1USER0000001,3.0,{NOON}", f"C000000001,A3,4.0,{NOON}"],
        False,
    )
    put(tmp_path, "2018", "meta_Books.json", BOOKS_2018)
    put(tmp_path, "2018", "meta_Movies_and_TV.json", FILMS_2018)
    with pytest.warns(ReadingWarning, match="1 rows of .*meta_Books.json.gz.* list an id again; the first counts"):
        dataset = loaders.load("amazon-reviews", tmp_path, release="2018", source="Books", target="Movies_and_TV")
    assert dataset.name == "amazon-reviews-2018-books-movies_and_tv"
    assert dataset.overlapping_users.tolist() == ["A1USER0000001"]
    books, films = dataset.domains
    assert (books.item_type, films.item_type) == ("Book", "Movie")
    assert books.items["item_id"].tolist() == ["B000000001", "B000000002", "B000000009"]
    assert books.items["name"].isna().tolist() == [False, True, False]
    assert books.items["name"].dropna().tolist() == ["Tom & Huck", "Never bought"]
    assert sorted(books.facts[["head_id", "relation", "tail_id"]].itertuples(index=False, name=None)) == [
        ("B000000001", "AUTHORED_BY", "Mark Twain"),
        ("B000000001", "IN_CATEGORY", "Adventure"),
        ("B000000001", "IN_CATEGORY", "Literature & Fiction"),
        ("B000000009", "IN_CATEGORY", "Adventure"),
    ]
    assert set(books.facts["tail_id"]) & set(films.facts["tail_id"]) == {"Adventure"}
    assert films.facts["relation"].tolist() == ["IN_CATEGORY", "PRODUCED_BY"]


@pytest.mark.parametrize(("release", "item_first"), [("2014", False), ("2018", True), ("2014", True)])
def test_ratings_are_told_apart_by_the_form_of_an_items_number(tmp_path: Path, release: str, item_first: bool) -> None:
    name = "ratings_Baby.csv" if release == "2014" else "Baby.csv"
    ids = [("A1USER0000001", "B000000001"), ("A2", "B000000002"), ("A3USER0003", "B000000001")]
    lines = [f"{item},{user},4.0,{NOON}" if item_first else f"{user},{item},4.0,{NOON}" for user, item in ids]
    put(tmp_path, release, name, lines, False)
    tables = loaders.load_domain("amazon-reviews", tmp_path, release=release, category="Baby", descriptions=False)
    assert tables.item_type == "Product"
    assert list(zip(tables.interactions["user_id"], tables.interactions["item_id"], strict=True)) == ids
    assert tables.interactions["timestamp"].eq(pd.Timestamp("2014-01-01 12:00")).all()


def test_2014_describes_items_by_python_literals_which_are_never_run(tmp_path: Path) -> None:
    put(tmp_path, "2014", "reviews_Books_5.json", [review("A1", "B1", 5.0, NOON), review("A2", "B2", 2, NOON)])
    trap = tmp_path / "trap"
    put(tmp_path, "2014", "meta_Books.json", [
        "{'asin': 'B1', 'title': \"It's True\", 'price': 3.5, 'categories': [['Books', 'Crime'], ['Books', 'Noir']], "
        "'salesRank': {'Books': 7}, 'related': {'also_bought': ['B2']}}",
        f"{{'asin': 'B2', 'title': open({str(trap)!r}, 'w')}}",
        "{'asin': 'B2', 'title': 'Cut of",
        "{'asin': 'B2', 'categories': [['Books']], 'brand': 'Someone'}",
        "['asin', 'B2']",
    ])  # fmt: skip
    with pytest.warns(
        ReadingWarning, match="3 lines of .* could not be read.*line 2: neither JSON nor a Python literal"
    ):
        books = loaders.load_domain("amazon-reviews", tmp_path, release="2014", form="5-core")
    assert not trap.exists()
    raw = loaders.read_domain("amazon-reviews", tmp_path, release="2014", form="5-core")
    assert raw.items is not None
    assert [(bad.line, bad.reason) for bad in raw.items.bad_lines] == [
        (2, "neither JSON nor a Python literal"),
        (3, "neither JSON nor a Python literal"),
        (5, "not an object of names and values"),
    ]
    assert books.items["name"].dropna().tolist() == ["It's True"]
    assert sorted(books.facts[["head_id", "relation", "tail_id"]].itertuples(index=False, name=None)) == [
        ("B1", "IN_CATEGORY", "Crime"),
        ("B1", "IN_CATEGORY", "Noir"),
        ("B2", "AUTHORED_BY", "Someone"),
    ]


def test_python_literals_are_literals_of_2014_only(tmp_path: Path) -> None:
    put(tmp_path, "2018", "Books_5.json", ["{'reviewerID': 'A1', 'asin': 'B1', 'overall': 5.0, 'unixReviewTime': 1}"])
    with pytest.raises(InputError, match='Books_5.json.gz", line 1: not JSON'):
        loaders.load_domain("amazon-reviews", tmp_path, form="5-core", descriptions=False)


def test_reviews_that_are_none_are_counted_and_the_latest_of_a_pair_counts(tmp_path: Path) -> None:
    put(tmp_path, "2018", "Books.json", [
        review("A1", "B1", 1.0, NOON + DAY),
        review("A1", "B1", 5.0, NOON + 2 * DAY),
        review("A1", "B1", 3.0, NOON),
        review("", "B2", 4.0, NOON),
        review("A2", "B2", 4.0, NOON, overall="4.0"),
        review("A2", "B3", 4.0, NOON, overall=None),
        '{"reviewerID": "A3", "asin": "B1", "over',
        review("A4", "B4", 2, NOON, reviewerName="\ud800", reviewText="\ud800"),
        '{"reviewerID": 12, "asin": "B1", "overall": 3, "unixReviewTime": 1388577600.0}',
    ])  # fmt: skip
    with pytest.warns(ReadingWarning) as warned:
        books = loaders.load_domain("amazon-reviews", tmp_path, form="reviews", descriptions=False)
    texts = " | ".join(str(one.message) for one in warned)
    assert "3 lines of" in texts
    assert "line 4: no reviewerID" in texts
    assert "line 6: overall is not a number" in texts
    assert "line 7: not JSON (or cut off)" in texts
    assert "2 of 6 interactions" in texts
    assert "first left out: line 1" in texts
    rows = books.interactions[["user_id", "item_id", "rating"]].itertuples(index=False, name=None)
    assert sorted(rows) == [("12", "B1", 3.0), ("A1", "B1", 5.0), ("A2", "B2", 4.0), ("A4", "B4", 2.0)]


@pytest.mark.parametrize("form", ["reviews", "ratings", "5-core"])
def test_2023_counts_in_milliseconds_and_joins_variants(tmp_path: Path, form: str) -> None:
    rows = [("U1", "P1", 5.0, NOON * 1000 + 7), ("U2", "P1", 1.0, NOON * 1000), ("U2", "P2", 2.0, NOON * 1000)]
    if form == "reviews":
        put(tmp_path, "2023", "Video_Games.jsonl", [
            {"user_id": user, "parent_asin": item, "asin": f"{item}x", "rating": rating, "timestamp": time,
             "images": [], "verified_purchase": True}
            for user, item, rating, time in rows
        ])  # fmt: skip
    else:
        name = "Video_Games.csv" if form == "ratings" else "5core/Video_Games.csv"
        put(
            tmp_path, "2023", name, ["user_id,parent_asin,rating,timestamp", *(",".join(map(str, row)) for row in rows)]
        )
    put(tmp_path, "2023", "meta_Video_Games.jsonl", [
        {"parent_asin": "P1", "title": "A Game", "store": "Maker", "categories": ["Video Games", "PC"], "price": None},
        {"parent_asin": "P2", "title": "Another", "store": None, "categories": [], "details": {"Rated": "E"}},
    ])  # fmt: skip
    games = loaders.load_domain("amazon-reviews", tmp_path, release="2023", category="Video_Games", form=form)
    assert games.item_type == "Game"
    assert games.interactions["timestamp"].eq(pd.Timestamp("2014-01-01 12:00")).all()
    assert games.interactions["item_id"].tolist() == ["P1", "P1", "P2"]
    assert games.items["name"].tolist() == ["A Game", "Another"]
    assert games.facts["tail_id"].tolist() == ["PC", "Maker"]


@pytest.mark.parametrize("lines", [2_000, 40_000])
def test_a_gzip_file_that_is_cut_off_is_one_line_that_says_after_which(tmp_path: Path, lines: int) -> None:
    place = put(
        tmp_path, "2018", "Books.json", [review(f"A{row}", f"B{row * 7919 % 997}", 5, row) for row in range(lines)]
    )
    content = place.read_bytes()
    place.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(InputError) as caught:
        loaders.load_domain("amazon-reviews", tmp_path, form="reviews", descriptions=False)
    message = str(caught.value)
    assert message.startswith(f'"{place}" is cut off or damaged after line ')
    assert "\n" not in message
    after = int(re.findall(r"after line ([\d,]+) ", message)[0].replace(",", ""))
    assert 0.55 * lines < after < 0.75 * lines


def test_damage_in_the_midst_of_a_gzip_file_is_told(tmp_path: Path) -> None:
    place = put(tmp_path, "2018", "Books.json", [review(f"A{row}", f"B{row}", 5, row) for row in range(5_000)])
    content = bytearray(place.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 400] = b"\xff" * 400
    place.write_bytes(content)
    with pytest.raises(InputError, match="is cut off or damaged after line|line [0-9]+: "):
        loaders.load_domain("amazon-reviews", tmp_path, form="reviews", descriptions=False)


def test_absent_files_are_named_with_their_page_and_place(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        loaders.load("amazon-reviews", tmp_path, release="2018", source="Books", target="Digital_Music")
    message = str(caught.value)
    assert 'needs the file "Books.csv"' in message
    assert "https://cseweb.ucsd.edu/~jmcauley/datasets/amazon_v2/" in message
    assert str(tmp_path / "amazon-reviews" / "2018") in message
    assert 'form="reviews" and form="5-core"' in message
    put(tmp_path, "2018", "Books.csv", ["B000000001,A1,5.0,1"], False)
    with pytest.raises(InputError, match='needs the file "meta_Books.json".*descriptions=False'):
        loaders.load("amazon-reviews", tmp_path, release="2018")


def test_options_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='source and target are both "Books"; choose two'):
        loaders.load("amazon-reviews", tmp_path, source="Books", target="Books")
    with pytest.raises(InputError, match="key category: string should match pattern"):
        loaders.load_domain("amazon-reviews", tmp_path, category="../../etc/passwd")
    with pytest.raises(InputError, match='"sourse"; did you mean "source"?'):
        loaders.load("amazon-reviews", tmp_path, sourse="Books")
