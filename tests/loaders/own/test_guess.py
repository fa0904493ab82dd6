"""Guesses about small files whose answers are known: which column is which, how sure that is, and who is who."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from graph_schema import InputError
from loaders.own.assemble import from_files
from loaders.own.guess import guess_roles
from loaders.own.guess_items import guess_attribute, guess_items
from loaders.own.map_text import map_text
from loaders.own.people import compare_people
from loaders.own.profile import profile
from loaders.own.ratings import guess_ratings, positive
from loaders.own.survey import Survey, survey

ROWS, USERS, ITEMS = 240, 30, 45
SECOND = 1_300_000_000


def rows(seed: int = 0) -> pd.DataFrame:
    """Interactions as numbers: user 0 to 29, item 0 to 44, a rating 1 to 5, seconds since 1970; no pair twice."""
    drawn = np.random.default_rng(seed)
    pairs = drawn.choice(USERS * ITEMS, ROWS, replace=False)
    ratings = drawn.integers(1, 6, ROWS)
    seconds = SECOND + drawn.permutation(10**6)[:ROWS]
    return pd.DataFrame({"user": pairs // ITEMS, "item": pairs % ITEMS, "rating": ratings, "time": seconds})


def text(columns: list[list[str]], names: list[str] | None, separator: str = ",") -> str:
    lines = [separator.join(names)] if names else []
    return "\n".join([*lines, *(separator.join(fields) for fields in zip(*columns, strict=True))]) + "\n"


def words(values: pd.Series, form: Callable[[int], object]) -> list[str]:
    return [str(form(int(value))) for value in values]


@dataclass(frozen=True)
class Case:
    """A file and what is known of it; `unit` is that of the times."""

    name: str
    content: Callable[[pd.DataFrame], str]
    columns: dict[str, str]
    separator: str = ","
    unit: str | None = None
    header: bool = True
    suffix: str = "csv"


def english(table: pd.DataFrame) -> str:
    columns = [
        words(table["user"], "u{}".format), words(table["item"], "b{}".format), words(table["rating"], str),
        words(table["time"], str),
    ]
    return text(columns, ["user_id", "book_id", "rating", "timestamp"])


def nameless(table: pd.DataFrame) -> str:
    columns = [words(table[name], str) for name in ("user", "item", "rating", "time")]
    return text(columns, None, "\t")


def nameless_colons(table: pd.DataFrame) -> str:
    return nameless(table).replace("\t", "::")


def german(table: pd.DataFrame) -> str:
    columns = [
        words(table["user"], lambda n: 4711 + 13 * n), words(table["item"], lambda n: f"A-{n:04d}"),
        words(table["rating"], lambda n: f"{n / 2:.1f}".replace(".", ",")),
        words(table["time"], lambda n: pd.Timestamp(n, unit="s").strftime("%d.%m.%Y")),
    ]
    return text(columns, ["Kunden-Nr", "Artikel-Nr", "Bewertung", "Datum"], ";")


def rating_first(table: pd.DataFrame) -> str:
    columns = [words(table["user"], "u{}".format), words(table["rating"], str), words(table["item"], "i{}".format)]
    return text(columns, ["who", "how much", "what"])


def rating_first_nameless(table: pd.DataFrame) -> str:
    ids = words(table["user"], lambda n: 100 + 7 * n), words(table["item"], lambda n: 9000 + n)
    return text([ids[0], words(table["rating"], str), ids[1]], None)


def ids_like_times(table: pd.DataFrame) -> str:
    columns = [
        words(table["user"], lambda n: SECOND + 977 * n), words(table["item"], lambda n: SECOND + 10**8 + 31 * n),
        words(table["rating"], str), words(table["time"], str),
    ]
    return text(columns, None)


def ids_like_times_alone(table: pd.DataFrame) -> str:
    ids = words(table["user"], lambda n: SECOND + 977 * n), words(table["item"], lambda n: SECOND + 10**8 + 31 * n)
    return text(list(ids), None)


def crossing(table: pd.DataFrame) -> str:
    columns = [
        words(table["user"], lambda n: f'"{276725 + n}"'), words(table["item"], lambda n: f'"{n:09d}X"'),
        words(table["rating"], lambda n: f'"{0 if n < 4 else n * 2}"'),
    ]
    return text(columns, ['"User-ID"', '"ISBN"', '"Book-Rating"'], ";")


def item_first(table: pd.DataFrame) -> str:
    columns = [words(table["item"], str), words(table["user"], str), words(table["rating"], str)]
    return text(columns, ["movieId", "userId", "rating"])


def numbered(table: pd.DataFrame) -> str:
    columns = [
        [str(place) for place in range(len(table))], words(table["user"], "u{}".format),
        words(table["item"], "i{}".format), words(table["rating"], str),
    ]
    return text(columns, ["row", "user", "item", "score"])


def log(table: pd.DataFrame) -> str:
    events = words(table["rating"], lambda n: "view" if n < 4 else "buy")
    columns = [words(table["time"], lambda n: 1000 * n), words(table["user"], str), events, words(table["item"], str)]
    return text(columns, ["timestamp", "visitorid", "event", "itemid"])


def named_twice(table: pd.DataFrame) -> str:
    columns = [
        words(table["user"], "Person Number {}".format), words(table["user"], "u{}".format),
        words(table["item"], "The Thing {}".format), words(table["item"], "p{}".format), words(table["rating"], str),
    ]
    return text(columns, ["user_name", "user_id", "product_title", "product_id", "stars"])


def plays(table: pd.DataFrame) -> str:
    ids = words(table["user"], "u{}".format), words(table["item"], "a{}".format)
    return text([*ids, words(table["time"], lambda n: n % 997)], ["user", "artist", "plays"])


def json_lines(table: pd.DataFrame) -> str:
    known = table.set_axis(["reviewerID", "asin", "overall", "unixReviewTime"], axis=1)
    return str(known.assign(reviewerID="A" + known["reviewerID"].astype("str")).to_json(orient="records", lines=True))


def named(*columns: str) -> dict[str, str]:
    """Columns of user, item, rating and time, in that order; "" leaves one out."""
    return {role: name for role, name in zip(ROLES, columns, strict=False) if name}


ROLES = ("user_id", "item_id", "rating", "timestamp")
OWN = named(*ROLES)
LOG = named("visitorid", "itemid", "", "timestamp") | {"event": "event"}
CASES = [
    Case("english", english, named("user_id", "book_id", "rating", "timestamp"), unit="s"),
    Case("no header, tabs", nameless, OWN, "\t", "s", header=False),
    Case("no header, colons", nameless_colons, OWN, "::", "s", header=False, suffix="dat"),
    Case("german", german, named("Kunden-Nr", "Artikel-Nr", "Bewertung", "Datum"), ";", "auto"),
    Case("rating before item", rating_first, named("who", "what", "how much")),
    Case("rating before item, no header", rating_first_nameless, named(*ROLES[:3]), header=False),
    Case("ids like times", ids_like_times, OWN, ",", "s", header=False),
    Case("only ids like times", ids_like_times_alone, named(*ROLES[:2]), header=False),
    Case("quoted, zeros", crossing, named("User-ID", "ISBN", "Book-Rating"), ";"),
    Case("item before user", item_first, named("userId", "movieId", "rating")),
    Case("row numbers", numbered, named("user", "item", "score")),
    Case("events", log, LOG, unit="ms"),
    Case("names beside ids", named_twice, named("user_id", "product_id", "stars")),
    Case("counts", plays, named("user", "artist") | {"weight": "plays"}),
    Case("json lines", json_lines, named("reviewerID", "asin", "overall", "unixReviewTime"), "", "s", suffix="jsonl"),
]


def looked_at(case: Case, folder: Path) -> Survey:
    for seed, name in enumerate(("first", "second")):
        (folder / f"{name}.{case.suffix}").write_text(case.content(rows(seed)), encoding="utf-8")
    return survey(folder / f"first.{case.suffix}", folder / f"second.{case.suffix}", folder=folder)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_columns_are_found(case: Case, tmp_path: Path) -> None:
    found = looked_at(case, tmp_path)
    for role in ("source", "target"):
        table = found.values[role]["interactions"]
        assert table["columns"] == case.columns
        assert table.get("separator", "") == case.separator
        assert table.get("timestamp_unit") == case.unit
        assert ("header" in table) == (not case.header)
    assert found.source.sizes == (rows()["user"].nunique(), rows()["item"].nunique(), ROWS)


@pytest.mark.parametrize("case", [case for case in CASES if not case.header], ids=lambda case: case.name)
def test_a_file_without_names_is_doubted(case: Case, tmp_path: Path) -> None:
    doubted = {doubt.key for doubt in looked_at(case, tmp_path).doubts}
    assert {"source.interactions.columns.user_id", "target.interactions.columns.item_id"} <= doubted


def test_people_are_what_two_files_share(tmp_path: Path) -> None:
    """Without names the user is whatever the files have in common, even behind the item."""
    for place, name in enumerate(("first", "second")):
        table = rows(place)
        columns = [words(table["item"], f"{name}{{}}".format), words(table["user"], "p{}".format)]
        (tmp_path / f"{name}.csv").write_text(text(columns, None))
    found = survey(tmp_path / "first.csv", tmp_path / "second.csv")
    assert found.values["source"]["interactions"]["header"] == ["item_id", "user_id"]
    assert found.people.both == len(set(rows(0)["user"]) & set(rows(1)["user"]))


@pytest.mark.parametrize("suffix", ["parquet", "json"])
def test_typed_columns_are_looked_at_as_text_is(suffix: str, tmp_path: Path) -> None:
    for seed, name in enumerate(("first", "second")):
        table = rows(seed)
        typed = table.assign(rating=table["rating"] / 2, time=pd.to_datetime(table["time"], unit="s"))
        typed = typed.rename(columns={"time": "seen"})
        path = tmp_path / f"{name}.{suffix}"
        typed.to_parquet(path) if suffix == "parquet" else typed.to_json(path, orient="records", date_format="iso")
    found = survey(tmp_path / f"first.{suffix}", tmp_path / f"second.{suffix}", folder=tmp_path)
    assert found.values["source"]["interactions"] == {
        "file": f"first.{suffix}", "timestamp_unit": "iso", "columns": named("user", "item", "rating", "seen"),
    }  # fmt: skip
    (tmp_path / "my-data.toml").write_text(map_text(found.values, found.doubts, found.unused, []))
    source = from_files(tmp_path / "my-data.toml").source
    assert source.interactions["timestamp"].sort_values().iloc[0] == pd.Timestamp(rows()["time"].min(), unit="s")
    assert len(source.interactions) == ROWS


def test_events_are_listed_by_frequency_and_doubted(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == "events")
    found = looked_at(case, tmp_path)
    assert found.values["source"]["interactions"]["event_weights"] == {"view": 1.0, "buy": 1.0}
    assert "source.interactions.event_weights" in {doubt.key for doubt in found.doubts}


def test_one_column_is_no_interaction() -> None:
    with pytest.raises(InputError, match=r"ratings\.csv has 1 column\(s\), and interactions need a user and an item"):
        guess_roles([profile(pd.Series(["a", "b"], name="user"))], True, where="ratings.csv")


@pytest.mark.parametrize("table", [{"user": ["a", "b"], "stars": ["1", "2"]}, {"item": ["a", "b"], "x": ["", ""]}])
def test_what_cannot_be_an_id_is_none(table: dict[str, list[str]]) -> None:
    with pytest.raises(InputError, match=r"ratings\.csv seems to have no column for (item_id|user_id)"):
        guess_roles([profile(pd.Series(texts, name=name)) for name, texts in table.items()], True, where="ratings.csv")


@pytest.mark.parametrize(
    ("source", "target", "both", "shared", "doubted"),
    [
        (["ann", "bob", "cy"], ["bob", "cy", "di"], 2, True, False),
        (["ann"], ["bob"], 0, True, False),
        (range(1, 101), range(1, 101), 100, True, True),
        (range(1, 101), range(1, 51), 50, False, True),
        (range(0, 3000, 7), range(0, 3000, 5), len(range(0, 3000, 35)), False, True),
        (range(0, 30_000, 70), range(0, 30_000, 35), len(range(0, 30_000, 70)), True, False),
        ([f"a{n}" for n in range(500)], ["a0", *(f"b{n}" for n in range(500))], 1, True, True),
    ],
)  # fmt: skip
def test_whether_equal_ids_are_one_person(
    source: list[object], target: list[object], both: int, shared: bool, doubted: bool
) -> None:
    found = compare_people(pd.Series(list(map(str, source))), pd.Series(list(map(str, target))))
    assert (found.both, found.shared, bool(found.doubt)) == (both, shared, doubted)


@pytest.mark.parametrize(
    ("source", "target", "threshold", "settings"),
    [
        (["1", "2", "3", "4", "5"], ["3", "5"], 4.0, {}),
        (["0,5", "3,5", "4", "5"], ["5"], 3.5, {}),
        (["1", "7", "10", "6"], ["8", "10"], 7.0, {}),
        (["0", "1"], ["1", "0"], 1.0, {}),
        (["1", "5"], ["10", "100"], 0.65, {"normalise": "domain_min_max"}),
        (["1", "5"], None, None, {}),
        (["1", "1", "1"], ["1", "1"], None, {}),
        (None, None, None, {}),
    ],
)  # fmt: skip
def test_the_threshold(
    source: list[str] | None, target: list[str] | None, threshold: float | None, settings: dict[str, str]
) -> None:
    columns = [None if values is None else pd.Series(values) for values in (source, target)]
    found = guess_ratings(*columns)
    assert (found.positive_from, dict(found.cleaning)) == (threshold, settings)


def test_positive_rows_on_a_common_scale() -> None:
    guess = guess_ratings(pd.Series(["1", "5"]), pd.Series(["0", "100"]))
    assert positive(pd.Series(["0", "64", "66", "", "100"]), guess).tolist() == [False, False, True, False, True]


def test_items_are_found_by_their_ids() -> None:
    table = pd.DataFrame(
        {
            "position": ["1", "2", "3", "4", "5", "6"],
            "code": ["b1", "b2", "b3", "b4", "b5", "b6"],
            "title": ["War and Peace", "Emma", "Dracula", "Ulysses", "Walden", "She"],
            "published": ["1869", "1815", "1897", "1922", "1854", "1887"],
            "genres": ["war|family", "family", "horror", "", "nature", "horror|family"],
            "author": ["Tolstoy, Leo", "Austen, Jane", "Stoker, Bram", "Joyce, James", "Thoreau", "Haggard"],
            "pages": ["1225", "474", "418", "730", "352", "317"],
            "shelf": ["top", "low", "low", "top", "low", "top"],
        }
    )
    found = guess_items([profile(table[name]) for name in table], {"code": 0.9, "position": 0.0}, "Book")
    assert found.columns == {"item_id": "code", "name": "title", "year": "published"}
    kinds = {name: (one.kind, one.relation, one.node_type) for name, one in found.attributes.items()}
    assert kinds == {
        "position": ("numeric", "", ""),
        "genres": ("multi-valued", "HAS_GENRE", "Genre"),
        "author": ("categorical", "AUTHORED_BY", "Person"),
        "pages": ("numeric", "", ""),
        "shelf": ("categorical", "HAS_KEYWORD", "Keyword"),
    }
    assert [doubt.key for doubt in found.doubts] == ["attributes.shelf"]


def test_nothing_is_made_of_a_constant() -> None:
    assert guess_attribute(profile(pd.Series(["x", "x", ""], name="genre"))) is None


def test_items_go_to_the_domains_that_have_them(tmp_path: Path) -> None:
    for seed, name in enumerate(("books", "films")):
        table = rows(seed)
        columns = [words(table["user"], "u{}".format), words(table["item"], f"{name}{{}}".format)]
        (tmp_path / f"{name}.csv").write_text(text(columns, ["user", "item"]))
        known = [f"{name}{n}" for n in range(ITEMS)]
        content = text([known, ["war" if n % 2 else "love" for n in range(ITEMS)]], ["id", "genre"])
        (tmp_path / f"of_{name}.csv").write_text(content)
    tables = [tmp_path / "of_films.csv", tmp_path / "of_books.csv"]
    found = survey(tmp_path / "books.csv", tmp_path / "films.csv", tables, tmp_path)
    assert found.values["source"]["items"]["file"] == "of_books.csv"
    assert found.values["target"]["items"]["file"] == "of_films.csv"
    assert (found.values["source"]["item_type"], found.values["target"]["item_type"]) == ("Book", "Movie")
    assert found.entities == 2 and found.connected
    (tmp_path / "other.csv").write_text("id,genre\nx1,war\nx2,love\n")
    with pytest.raises(InputError, match="no column with item ids"):
        survey(tmp_path / "books.csv", tmp_path / "films.csv", [tmp_path / "other.csv"])


def test_a_file_without_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user,item\n")
    (tmp_path / "b.csv").write_text("user,item\nu1,i1\n")
    with pytest.raises(InputError, match=r"a\.csv.* has no rows"):
        survey(tmp_path / "a.csv", tmp_path / "b.csv")


def test_moments_may_have_fractions_of_a_second_but_ratings_are_no_moments() -> None:
    seconds = pd.Series(["1605300764.693", "1601918511.009", "1601918512.5"], name="when")
    assert profile(seconds).unit == "s"
    assert profile(pd.Series(["4.5", "3.0", "2.5"], name="stars")).unit is None
