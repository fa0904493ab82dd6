"""Data checks as a user meets them: the command, the two files, the page, and mistakes as one line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import loaders
from graph_schema import InputError
from kgxfer import data_check
from kgxfer.data_check.page import render
from kgxfer.data_check.tables import place_of
from loaders import CrossDomainDataset, DomainTables
from loaders.cleaning import Example, RuleFinding
from loaders.quality import quality_of
from loaders.quality.check import check_data_set
from tests.command_line import Call, assert_mistake
from tests.loaders.quality.worlds import NASTY, made, raw

COLUMN_MAP = """
name = "my own / data"
positive_from = 4
[source]
domain = "books"
item_type = "Book"
[source.interactions]
file = "books.csv"
columns = { rating = "rating", timestamp = "timestamp" }
[source.items]
file = "books-items.csv"
columns = { name = "name" }
[source.items.attributes.genre]
kind = "multi-valued"
relation = "HAS_GENRE"
node_type = "Genre"
[target]
domain = "films"
item_type = "Movie"
[target.interactions]
file = "films.csv"
columns = { rating = "rating", timestamp = "timestamp" }
"""


@pytest.fixture
def own_files(tmp_path: Path) -> Path:
    """A column map and its files, with the faults of `raw`."""
    for domain in (raw(), raw("films", "Movie", "f", users=4)):
        domain.interactions.frame.to_csv(tmp_path / f"{domain.domain}.csv", index=False, sep=";")
        assert domain.items is not None
        domain.items.frame.to_csv(tmp_path / f"{domain.domain}-items.csv", index=False)
    (tmp_path / "own.toml").write_text(COLUMN_MAP)
    return tmp_path / "own.toml"


class Page(HTMLParser):
    """Collects what a page would have to fetch, its links within itself, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        self.fetched += [values["src"] or ""] if "src" in values else []
        self.links += [values["href"] or ""] if "href" in values else []
        self.anchors |= {values["id"] or ""} if "id" in values else set()

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(text: str) -> Page:
    page = Page()
    page.feed(text)
    return page


def test_a_column_map_is_checked(call: Call, own_files: Path) -> None:
    answer = call("data", "check", own_files.name)
    assert answer.status == 0 and not answer.error
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in answer.out.splitlines() if "│" in line]
    assert ["missing id", "books, interactions", "1", "dropped", 'books.csv, line 2: user_id "", item_id "b0"'] in rows
    assert ["exact copy of an interaction", "films, interactions", "1", "merged"] in [row[:4] for row in rows]
    assert "data check: checks/my-own-data/quality.html" in answer.out
    folder = own_files.parent / "checks" / "my-own-data"
    assert sorted(path.name for path in folder.iterdir()) == ["quality.html", "quality.json"]
    record = json.loads((folder / "quality.json").read_text())
    assert record["name"] == "my own / data" and record["origin"] == "the files of own.toml"
    books = record["domains"][0]
    assert books["before"]["interactions"] == 21 and books["after"]["interactions"] == 18 and books["applied"]
    assert books["files"] == {"interactions": "books.csv", "items": "books-items.csv"}
    assert books["sha256"]["books.csv"] == hashlib.sha256((own_files.parent / "books.csv").read_bytes()).hexdigest()
    assert [finding["examples"][0]["line"] for finding in books["findings"][:3]] == [2, 4, 3]
    assert set(books["unaccounted"].values()) == {0}


@pytest.mark.parametrize(
    ("films", "warning", "refusal"),
    [
        ("x;f0\ny;f1\n", "nothing joins the domains: no user and no entity is in both", "nothing connects the domains"),
        ("u1;f0\nu1;f1\n", "all interactions of films are one user's", "interactions of one user only"),
        (";f0\n;f1\n", "films has no interactions: nothing can be learned", "has no interactions"),
    ],
)
def test_domains_that_no_run_can_use_are_checked(
    call: Call, own_files: Path, films: str, warning: str, refusal: str
) -> None:
    """The report says what is wrong, gravely; loading the same map is still refused."""
    (own_files.parent / "films.csv").write_text("user_id;item_id\n" + films)
    head, _ = COLUMN_MAP.rsplit("columns = { rating", 1)
    own_files.write_text(head.replace("positive_from = 4\n", "") + "columns = {}\n")
    answer = call("data", "check", own_files.name)
    assert (answer.status, answer.error) == (0, "")
    assert warning in answer.out
    record = json.loads((own_files.parent / "checks/my-own-data/quality.json").read_text())
    assert record["warnings"][0]["severity"] == "grave"
    assert any(each["severity"] == "grave" and warning in each["sentence"] for each in record["warnings"])
    with pytest.raises(InputError, match=refusal):
        loaders.from_files(own_files)


def test_folders_are_numbered_and_names_are_given(call: Call, own_files: Path) -> None:
    assert "checks/other/quality.html" in call("data", "check", "own.toml", "--name", "other").out
    again = call("data", "check", "own.toml", "--name", "other")
    assert "checks/other-2/quality.html" in again.out and "Data check of other" in again.out
    assert call("data", "check", "own.toml", "--out", "here").status == 0
    assert (own_files.parent / "here" / "quality.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["movielens-genre"], 'unknown data set or column map (a .toml file) "movielens-genre"; did you mean'),
        (["absent.toml"], 'column map "absent.toml" does not exist'),
        (["own.toml", "--out", "."], '"." exists already'),
        (["broken.toml"], 'column map "broken.toml" is not valid TOML'),
        (["lacking.toml"], "gone.csv"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(call: Call, own_files: Path, arguments: list[str], words: str) -> None:
    (own_files.parent / "broken.toml").write_text("name = ")
    (own_files.parent / "lacking.toml").write_text(COLUMN_MAP.replace("films.csv", "gone.csv"))
    before = sorted(own_files.parent.rglob("*"))
    assert_mistake(call("data", "check", *arguments), words)
    assert sorted(own_files.parent.rglob("*")) == before


def test_the_page_needs_no_other_file_and_escapes_what_comes_from_the_data() -> None:
    dataset, cleaned = made()
    dataset = replace(dataset, name=NASTY)
    text = render(quality_of(dataset, cleaned, origin=NASTY))
    page = page_of(text)
    assert "script" not in page.tags and "<script>" not in text
    assert NASTY in page.text
    assert len(page.fetched) == 5 and all(source.startswith("data:image/svg+xml;base64,") for source in page.fetched)
    assert {link.removeprefix("#") for link in page.links} <= page.anchors and page.links
    assert page.text.index("Warnings") < page.text.index("What cleaning found") < page.text.index("The domains")
    assert render(quality_of(dataset, cleaned, origin=NASTY)) == text


def test_the_page_says_what_could_not_be_measured() -> None:
    dataset, cleaned = made()
    source, target = (
        DomainTables.from_frames(tables.domain, tables.interactions[["user_id", "item_id"]])
        for tables in dataset.domains
    )
    page = page_of(render(quality_of(CrossDomainDataset("bare", source, target, dataset.links, dataset.schema))))
    assert "the interactions have no ratings" in page.text and "mean rating, positive interactions" in page.text
    assert len(page.fetched) == 3  # neither ratings nor times
    assert "No rule found anything." in page.text


def test_a_data_set_that_is_only_asked_about_is_not_said_to_be_changed() -> None:
    dataset, cleaned = made()
    page = page_of(render(quality_of(dataset, cleaned, applied=False)))
    told = "What cleaning would do with books: 6 findings; rows: 2 dropped, 1 repaired, 1 merged and 11 added."
    assert told in page.text
    assert "Cleaning books" not in page.text


def test_where_a_finding_stands() -> None:
    def finding(line: int | None, row: int) -> RuleFinding:
        return RuleFinding("odd", "items", 1, "reported", (Example(line, row, "x"),))

    assert place_of(finding(1200, 7), "a.csv") == "a.csv, line 1,200: x"
    assert place_of(finding(None, 7), "a.parquet") == "a.parquet, row 7: x"
    assert place_of(finding(None, 7), "") == "row 7: x"
    assert place_of(finding(None, -1), "a.csv") == "x"
    assert place_of(RuleFinding("odd", "items", 1, "reported"), "a.csv") == ""


def test_a_folder_that_exists_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="exists already"):
        data_check.save(quality_of(*made()), tmp_path)


@pytest.mark.real_data
def test_films_by_genre(loaded: Callable[[str], CrossDomainDataset]) -> None:
    """Facts of the data set, counted apart from this code."""
    loaded("movielens-genres")
    report = check_data_set("movielens-genres")
    assert report.pair["overlapping users"].value == 670
    assert report.source["interactions"].value == 58_869 and report.target["interactions"].value == 41_135
    assert [domain["items"].value for domain in report.domains] == [6_250, 2_816]
    assert report.source["density"].value == pytest.approx(58_869 / (670 * 6_250))
    assert report.pair.entities["node_type"].tolist() == ["Genre", "Period"]
    assert not report.source.applied and not any(each.severity == "serious" for each in report.warnings)


@pytest.mark.real_data
def test_games_and_videos(loaded: Callable[[str], CrossDomainDataset]) -> None:
    loaded("cdrib-game-video")
    report = check_data_set("cdrib-game-video")
    assert report.pair["overlapping users"].value == 2_179
    assert report.source["mean rating"].absent and report.pair["time overlap"].absent
    assert "game has no timestamps: it cannot be split by time" in [each.sentence for each in report.warnings]
