"""Link audits as a whole: verdicts, files, command line, and the way through a review into a run."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import loaders
from graph_schema import InputError
from graph_schema.tables import LIKENESS
from kgxfer import cli
from kgxfer.bridges.links import link_table
from kgxfer.bridges.review import REVIEW_COLUMNS, apply_review, read_review, write_review
from kgxfer.bridges.same_name import normalised_names
from kgxfer.link_audit import FINDINGS, LinkAuditConfig, audit_links, default_split, proposed, read_links
from kgxfer.link_audit.chance import against_chance, audiences_of
from kgxfer.link_audit.nodes import described, sides_of
from kgxfer.splits import FixedFiles
from loaders import CrossDomainDataset
from tests.link_audit.linked import links_of, split_of_links
from tests.worlds import checkerboard, domain_of, pair_of

SMALL = LinkAuditConfig(draws=3)
MAP = """
name = "mine"
shared_users = true
[source]
domain = "books"
item_type = "Book"
[source.interactions]
file = "books.csv"
columns = { user_id = "user_id", item_id = "item_id" }
[target]
domain = "films"
item_type = "Movie"
[target.interactions]
file = "films.csv"
columns = { user_id = "user_id", item_id = "item_id" }
"""
NASTY = "<script>alert(1)</script>"


def quiet(line: str) -> None:
    """Say nothing."""


def test_the_first_link_to_look_at_is_the_one_between_other_names() -> None:
    found = audit_links(split_of_links(), {"names": links_of("b2-f2 b3-f3"), "wrong": links_of("b1-f1")}, SMALL)
    suspicious = found["suspicious"]
    assert suspicious.concern and suspicious.numbers == {"suspicious": 1, "links": 3}
    assert "First: “Titanic” linked to “The Swan Princess” by wrong." in suspicious.verdict
    assert suspicious.table["source"].tolist() == ["Titanic (1997)"]
    assert suspicious.table["target"].tolist() == ["The Swan Princess (1994)"]
    assert found["names"].numbers == {"differing, names, Movie": 0, "differing, wrong, Movie": 1}
    assert found["years"].concern and found["targets"].concern is False
    assert str(found).splitlines()[1].startswith("! Links to look at first: 1 link of 3")
    with pytest.raises(KeyError):
        found["titles"]


def test_every_bridge_gets_its_places_among_the_suspicious() -> None:
    tables = {"many": links_of("b1-f2 b1-f3 b1-f4 b2-f1 b2-f3 b2-f4"), "one": links_of("b3-f2")}
    found = audit_links(split_of_links(), tables, SMALL.model_copy(update={"shown": 2}))
    assert found["suspicious"].table["bridge"].value_counts().to_dict() == {"many": 2, "one": 1}


def test_chance_says_what_was_chosen_by_it_and_what_is_too_few_to_tell() -> None:
    found = audit_links(split_of_links(), {"behaviour_twins": links_of("b1-f1 b2-f2"), "x": links_of("b1-f1")}, SMALL)
    verdict = found["chance"].verdict
    assert "Movie links of behaviour_twins: 4 common users against 2.0 by chance (they were chosen by it)" in verdict
    assert "Movie links of x: 3 common users, too few links to tell." in verdict
    assert found["chance"].table.loc[0, "chosen by it"]


def test_links_of_users_alone_are_audited_without_names_and_audiences() -> None:
    split = default_split(checkerboard(24, 8))
    tables, refused = proposed(split, ["shared_id"], optional=True, say=quiet)
    found = audit_links(split, tables, SMALL, refused=refused)
    assert found["coverage"].numbers["share of nodes, shared_id, User, books"] == 1
    assert found["chance"].table.empty and found["sample"].table.empty and found["names"].table.empty
    assert not [finding.name for finding in found.findings if finding.concern]


def test_bridges_that_the_data_do_not_suit_are_passed_over_or_refused() -> None:
    split = default_split(checkerboard(24, 8))
    said: list[str] = []
    tables, refused = proposed(split, ["shared_id", "behaviour_twins"], optional=True, say=said.append)
    assert list(tables) == ["shared_id"] and "only items of one type" in refused["behaviour_twins"]
    assert said[0] == "shared_id: 24 links" and said[1].startswith("left out: bridge behaviour_twins")
    with pytest.raises(InputError, match="only items of one type"):
        proposed(split, ["behaviour_twins"], optional=False, say=quiet)
    with pytest.raises(InputError, match='did you mean "same_name"'):
        proposed(split, ["some_name"], optional=True, say=quiet)


def test_given_links_are_a_bridge_of_their_own() -> None:
    split = split_of_links()
    given = replace(split, train_links=links_of("b2-f2"))
    assert {name: len(table) for name, table in proposed(given, [], True, quiet)[0].items()} == {"given": 1}


@pytest.mark.parametrize(
    ("links", "words"),
    [
        ("b1-f1 b9-f2", 'links of mine, row 1: source_id "b9" is no Movie of domain "books"'),
        ("b1-b1", 'target_id "b1" is no Movie of domain "films"'),
        ("", "no link to audit"),
    ],
)
def test_links_to_nothing_are_refused(links: str, words: str) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        audit_links(split_of_links(), {"mine": links_of(links) if links else links_of("b1-f1").head(0)}, SMALL)


def test_likeness_across_types_is_audited_too() -> None:
    links = links_of("b1-f1 b2-f2", "Item", relation=LIKENESS)
    found = audit_links(split_of_links("Book"), {"alike": links}, SMALL)
    assert found["targets"].table["relation"].tolist() == [LIKENESS] and not found["years"].concern
    assert found["suspicious"].table["source"].tolist() == ["Titanic (1997)"]


def test_a_saved_audit_is_two_files_that_need_no_other(tmp_path: Path) -> None:
    names = {"a": NASTY, "b": "Heat"}
    worlds = [
        domain_of(name, "Movie", {"u": f"{one} {two}", "v": one}, names={one: NASTY, two: names["b"]})
        for name, one, two in (("ones", "a", "b"), ("twos", "x", "y"))
    ]
    split = FixedFiles().split(pair_of(worlds[0], worlds[1], test={"twos": {"v": "x"}}))
    links = link_table(["a", "b"], ["y", "x"], "Movie", [0.3, 1.0], "m", "e")
    found = audit_links(split, {"bridge": links}, SMALL, name=NASTY)
    found.save(tmp_path / "audits" / "one")
    assert sorted(path.name for path in (tmp_path / "audits" / "one").iterdir()) == ["links.html", "links.json"]
    page = (tmp_path / "audits" / "one" / "links.html").read_text()
    assert "<script" not in page and "&lt;script&gt;" in page
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert all(address.startswith(("data:image/svg+xml;base64,", "#")) for address in addresses)
    assert sum(address.startswith("data:") for address in addresses) == 3
    record = json.loads((tmp_path / "audits" / "one" / "links.json").read_text())
    assert record == json.loads(json.dumps(found.record()))
    assert [each["name"] for each in record["findings"]] == [each.name for each in found.findings]
    assert len(record["findings"]) == len(FINDINGS) and record["links"] == {"bridge": 2}
    with pytest.raises(InputError, match="exists already"):
        found.save(tmp_path / "audits" / "one")


def test_the_same_seed_gives_the_same_answers() -> None:
    tables = {"one": links_of("b1-f1 b2-f2 b3-f3", confidence=0.7)}
    first, second = (audit_links(split_of_links(), tables, SMALL) for _ in range(2))
    assert [each.record() for each in first.findings] == [each.record() for each in second.findings]
    assert first.pictures == second.pictures


def test_from_audit_to_review_to_links(tmp_path: Path) -> None:
    links = pd.concat([links_of("b1-f1 b2-f2"), links_of("b3-f3", confidence=0.7)], ignore_index=True)
    found = audit_links(split_of_links(), {"one": links, "two": links_of("b1-f1")}, SMALL)
    review = found.for_review(0.9)
    # Titanic is certain to the bridge, but its name differs; the pair of two bridges comes once.
    assert review[["source_id", "target_id"]].to_numpy().tolist() == [["b1", "f1"], ["b3", "f3"]]
    write_review(review, tmp_path / "review.csv")
    text = (tmp_path / "review.csv").read_text(encoding="utf-8-sig")
    lines = pd.read_csv(tmp_path / "review.csv")
    assert list(lines.columns) == list(REVIEW_COLUMNS)
    assert lines.loc[0, "reasons"] == "names differ (similarity 0.30); 3 years apart"
    assert lines[["source_name", "target_name"]].to_numpy().tolist()[1] == ["Heat (novel)", "Heat"]
    decided = text.replace("years apart,,", "years apart,reject,").replace("by hand,none,,,", "by hand,none,,accept,")
    (tmp_path / "review.csv").write_text(decided)
    settled = apply_review(links, read_review(tmp_path / "review.csv", split_of_links().dataset), 0.9)
    assert settled[["source_id", "confidence", "method"]].to_numpy().tolist() == [
        ["b2", 1.0, "by hand"], ["b3", 1.0, "by hand (reviewed)"],
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("source_id,target_id,node_type\nb1,f1,Movie\n", {"mine": [1.0]}),
        ("source_id,target_id,node_type,confidence\nb1,f1,Movie,0.25\nb2,f2,Movie,1\n", {"mine": [0.25, 1.0]}),
        ('source_id;target_id;node_type;confidence\nb1;f1;Movie;0,5\n', {"mine": [0.5]}),
        ("source_id,target_id,node_type,method\nb1,f1,Movie,x\n'=b,f2,Movie,y\n", {"x": [1], "y": [1]}),
    ],
)  # fmt: skip
def test_links_are_read_from_files(tmp_path: Path, text: str, expected: dict[str, list[float]]) -> None:
    (tmp_path / "mine.csv").write_text(text)
    found = read_links(tmp_path / "mine.csv")
    assert {name: table["confidence"].tolist() for name, table in found.items()} == expected
    assert "y" not in found or found["y"]["source_id"].tolist() == ["=b"]


def test_links_are_read_from_parquet(tmp_path: Path) -> None:
    links_of("b1-f1 b2-f2", confidence=0.5).to_parquet(tmp_path / "mine.parquet")
    table = read_links(tmp_path / "mine.parquet")["by hand"]
    assert table["confidence"].tolist() == [0.5, 0.5] and table["relation"].tolist() == ["SAME_AS", "SAME_AS"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("source_id,target_id\nb1,f1\n", 'no column "node_type"'),
        ("source_id,target_id,node_type,confidence\nb1,f1,Movie,1\nb2,f2,Movie,sure\n", 'line 3: confidence "sure"'),
        ("source_id,target_id,node_type,confidence\nb1,f1,Movie,7\n", "confidence"),
        ("source_id,target_id,node_type\nb1,f1,Movie\nb1,f1,Movie\n", "is already in row 0"),
        ("source_id,target_id,node_type\nb1,f1,Movie\nb2,f2,Movie\nb3,f3,Movie\nb1,f1,Movie,1,2\n", "line 5: too many"),
    ],
)
def test_bad_link_files_are_one_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        read_links(tmp_path / "mine.csv")
    assert "\n" not in str(caught.value) and "mine.csv" in str(caught.value)


def call(*arguments: object, monkeypatch: pytest.MonkeyPatch, folder: Path) -> object:
    """Call the command line in this process and a folder; return its exit status."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "argv", ["kgxfer", "bridge", "audit", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return stopped.value.code


def test_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    one, two = loaders.load("case-study").overlapping_users[:2]
    rows = f"{one},{two},User,0.4\n{two},{one},User,0.95\n"
    (tmp_path / "mine.csv").write_text("source_id,target_id,node_type,confidence\n" + rows)
    arguments = ["case-study", "--bridge", "shared_id", "--links", "mine.csv", "--review", "review.csv"]
    assert call(*arguments, monkeypatch=monkeypatch, folder=tmp_path) == 0
    shown = capsys.readouterr()
    assert shown.err == "" and shown.out.count("●") + shown.out.count("○") == len(FINDINGS)
    assert shown.out.splitlines()[-1] == "link audit: link-audits/case-study/links.html"
    assert "contradict each other on 2 of 2 common sources" in " ".join(shown.out.split())
    record = json.loads((tmp_path / "link-audits/case-study/links.json").read_text())
    assert list(record["links"]) == ["shared_id", "mine"] and record["links"]["mine"] == 2
    decisions = read_review(tmp_path / "review.csv").decisions
    assert [one, two] in decisions[["source_id", "target_id"]].to_numpy().tolist()
    assert call(*arguments, monkeypatch=monkeypatch, folder=tmp_path) == 2
    assert "may hold decisions" in capsys.readouterr().err


def own_data(folder: Path) -> None:
    """Twelve people in both domains, whose items have no names; and a run of them."""
    (folder / "mine.toml").write_text(MAP.replace("Book", "Movie"))
    for name in ("books", "films"):
        rows = "".join(f"u{user},{name}{item}\n" for user in range(12) for item in {user % 3, user % 4})
        (folder / f"{name}.csv").write_text("user_id,item_id\n" + rows)
    (folder / "run.toml").write_text(
        'name = "asked"\n[data]\nmap = "mine.toml"\n[baselines.popularity]\n[graph]\nbridges = ["shared_entity"]\n'
        '[graph.bridge_settings.shared_entity]\nsame_as = "same.csv"\n'
    )
    (folder / "same.csv").write_text("head_id,tail_id\nbooks0,films1\nbooks1,films2\n")


def test_the_bridges_of_a_run_are_asked_by_its_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    own_data(tmp_path)
    assert call("run.toml", monkeypatch=monkeypatch, folder=tmp_path) == 0
    assert "shared_entity: 2 links" in capsys.readouterr().out
    record = json.loads((tmp_path / "link-audits/mine/links.json").read_text())
    assert record["links"] == {"shared_entity": 2}
    assert call("run.toml", "--bridge", "shared_id", monkeypatch=monkeypatch, folder=tmp_path) == 0
    assert "shared_id: 12 links" in capsys.readouterr().out
    assert call("run.toml", "--root", ".", monkeypatch=monkeypatch, folder=tmp_path) == 2
    assert 'configuration "run.toml", data' in capsys.readouterr().err


@pytest.mark.parametrize("name", ["same_name", "fuzzy_name", "text_neighbours"])
def test_bridges_by_name_propose_nothing_where_items_have_no_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    own_data(tmp_path)
    arguments = ["mine.toml", "--bridge", name]
    assert call(*arguments, monkeypatch=monkeypatch, folder=tmp_path) == 2
    error = capsys.readouterr().err
    assert "no link to audit" in error and re.fullmatch(r"kgxfer: error: [^\n]+\n", error), error
    assert call(*arguments, "--bridge", "shared_id", monkeypatch=monkeypatch, folder=tmp_path) == 0
    assert f"{name}: 0 links" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["case-stud"], 'unknown data set "case-stud"; did you mean "case-study"?'),
        (["absent.toml"], "absent.toml"),
        (["case-study", "--bridge", "shared_ids"], 'did you mean "shared_id"'),
        (["case-study", "--bridge", "behaviour_twins"], "only items of one type"),
        (["case-study", "--links", "absent.csv"], "absent.csv"),
        (["case-study", "--links", "bad.csv"], 'row 0: source_id "nobody" is no User'),
        (["case-study", "--out", "."], "exists already"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str],
    words: str,
) -> None:
    (tmp_path / "bad.csv").write_text("source_id,target_id,node_type\nnobody,u1,User\n")
    assert call(*arguments, monkeypatch=monkeypatch, folder=tmp_path) == 2
    error = capsys.readouterr().err
    assert words in error and re.fullmatch(r"kgxfer: error: [^\n]+\n", error), error
    assert [path.name for path in tmp_path.iterdir()] == ["bad.csv"]


@pytest.mark.real_data
@pytest.mark.slow
def test_books_and_films_of_one_title(loaded: Callable[[str], CrossDomainDataset]) -> None:
    """Every pair of a book and a film of one title, over all interactions: readers who also saw the film.

    Titles are names without what stands in parentheses at their end, normalised. 67 such readers are published, and
    11.7 for audiences that have nothing to do with each other.
    """
    dataset = loaded("amazon-books-movies")
    books, films = (
        tables.items.assign(title=normalised_names(tables.items["name"].str.replace(r"\s*\([^)]*\)$", "", regex=True)))
        for tables in dataset.domains
    )
    pairs = books.merge(films, on="title")
    sides = sides_of(default_split(dataset), training_only=False)
    table = link_table(pairs["item_id_x"], pairs["item_id_y"], "Item", 1.0, "title", pairs["title"], LIKENESS)
    links = described(table, sides)
    audiences = audiences_of(links, sides)
    audience = audiences["Item"]
    assert audience.users == 1062 and len(links) == 275
    assert audience.common(links).sum() == 67
    row = against_chance(links, audiences, 20, 0).set_index("statistic").loc["common users"]
    assert row["true"] == 67 and row["independent"] == pytest.approx(11.7, abs=0.05)
    assert 6 < row["chance"] < 10 and row["z"] > 10


@pytest.mark.real_data
@pytest.mark.slow
def test_twins_of_games_and_videos(loaded: Callable[[str], CrossDomainDataset]) -> None:
    split = default_split(loaded("cdrib-game-video"))
    tables, _ = proposed(split, ["shared_id", "behaviour_twins"], False, quiet)
    found = audit_links(split, tables, SMALL)
    assert {name: len(table) for name, table in tables.items()} == {"shared_id": 2179, "behaviour_twins": 89}
    assert "chosen by it" in found["chance"].verdict and found["names"].table.empty


def test_data_of_ones_own_without_names_are_audited(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for letter, name in (("b", "books"), ("f", "films")):
        rows = "".join(f"u{user},{letter}{(user + step) % 9}\n" for user in range(20) for step in range(4))
        (tmp_path / f"{name}.csv").write_text("user_id,item_id\n" + rows)
    (tmp_path / "mine.toml").write_text(MAP)
    assert call("mine.toml", "--out", "here", monkeypatch=monkeypatch, folder=tmp_path) == 0
    assert "shared_id: 20 links" in capsys.readouterr().out
    assert json.loads((tmp_path / "here/links.json").read_text())["links"]["shared_id"] == 20
