"""The report as a value: what it holds, what it warns of, and that JSON holds all of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest

from graph_schema import FACTS, LINKS, SCHEMA
from loaders import CrossDomainDataset, DomainTables
from loaders.cleaning import RuleFinding
from loaders.quality import QualityReport, quality_of
from loaders.quality.concerns import SEVERITIES, concerns_of
from tests.loaders.quality.worlds import made, plain

MANY = 120


def report_of(source: DomainTables, target: DomainTables, positive_from: float | None = None) -> QualityReport:
    return quality_of(CrossDomainDataset("made", source, target, LINKS.empty(), SCHEMA, positive_from))


def sentences(report: QualityReport) -> dict[str, str]:
    return {concern.sentence: concern.severity for concern in report.warnings}


def people(name: str, ids: list[str], rating: float = 3, each: int = 3) -> DomainTables:
    """Everyone with `each` items, ratings `rating` and 1."""
    rows = [(user, f"{name}{item}", rating if item else 1.0) for user in ids for item in range(each)]
    return plain(name, rows)


def test_rows_before_and_after_are_accounted_for_by_the_findings() -> None:
    dataset, cleaned = made()
    report = quality_of(dataset, cleaned, files=({"interactions": "books.csv"}, {}))
    books = report.source
    assert (books.before["interactions"], books.after["interactions"]) == (21, 18)
    assert {(each.rule, each.action): each.count for each in books.findings if each.table == "interactions"} == {
        ("missing id", "dropped"): 1, ("rating with a decimal comma", "repaired"): 1,
        ("rating is no number", "dropped"): 1, ("exact copy of an interaction", "merged"): 1,
    }  # fmt: skip
    assert books.findings[0].examples[0].line == 2
    assert set(books.unaccounted.values()) == {0} and books.applied
    assert books["interactions"].value == 18 and books["positive interactions"].value == pytest.approx(7 / 18)
    with pytest.raises(KeyError):
        books["interaction"]


def test_json_holds_everything_and_reasons_for_what_is_absent() -> None:
    dataset, cleaned = made()
    report = quality_of(dataset, cleaned)
    record = json.loads(json.dumps(report.record(), allow_nan=False))
    assert record == report.record()
    parts = [*record["domains"], record["pair"]]
    figures = [figure for part in parts for group in part["figures"].values() for figure in group]
    assert len(figures) == 30 + 30 + 18
    assert all(("value" in figure) != ("absent" in figure) for figure in figures)
    absent = {figure["name"]: figure["absent"] for figure in figures if "absent" in figure}
    assert absent["items with a year"] == "the item table has no column year"
    assert record["domains"][0]["findings"][0]["examples"][0]["line"] == 2
    assert record["domains"][0]["distributions"]["activity"] == {"values": [3], "counts": [6]}
    assert record["domains"][0]["coverage"][-1] == {
        "kind": "items", "attribute": "HAS_GENRE Genre", "owners": 4, "of": 5, "share": 0.8
    }  # fmt: skip
    assert record["pair"]["entities"][0]["both"] == 2


def test_what_json_cannot_hold_as_a_number_is_null() -> None:
    facts = pd.DataFrame([("Ulm", "Place", "LOCATED_IN", "Ulm", "Place")], columns=FACTS.names[:5])
    rows = pd.DataFrame({"user_id": ["u1", "u2"], "item_id": ["x", "y"]})
    both = [DomainTables.from_frames(name, rows, facts=facts) for name in ("books", "films")]
    entities = report_of(both[0], both[1]).record()["pair"]["entities"]
    assert entities[0]["distance"] == 0 and entities[0]["distance_interactions"] is None


def test_nobody_in_both() -> None:
    one, other = (people(name, [f"{name}-{user}" for user in range(MANY)]) for name in ("books", "films"))
    assert sentences(report_of(one, other))[
        "nothing joins the domains: no user and no entity is in both, and no link is given"
    ] == "grave"  # fmt: skip
    crime = pd.DataFrame([("books0", "Item", "HAS_GENRE", "crime", "Genre")], columns=FACTS.names[:5])
    known = [replace(one, facts=crime), replace(other, facts=crime.assign(head_id="films0"))]
    found = sentences(report_of(known[0], known[1]))
    assert found["no user is in both domains: only facts and links can carry anything"] == "serious"


def test_few_people_in_both() -> None:
    one, other = people("books", ["a", "b", "c"]), people("films", ["a", "b", "x"])
    expected = "users active in both domains: 2; too few to tell most differences between models from chance"
    assert sentences(report_of(one, other))[expected] == "serious"
    enough = [f"u{user}" for user in range(MANY)]
    found = report_of(people("books", enough), people("films", enough))
    assert not any(text.startswith("users active") for text in sentences(found))


def test_in_both_tables_and_active_in_neither() -> None:
    one = people("books", ["a", "b"])
    other = replace(people("films", ["x", "y"]), users=pd.DataFrame({"user_id": ["a", "x", "y"]}))
    assert any(text.startswith("no user has interactions in both") for text in sentences(report_of(one, other)))


def test_row_numbers_as_ids() -> None:
    numbers = [str(user) for user in range(MANY)]
    found = sentences(report_of(people("books", numbers), people("films", numbers)))
    assert any("row numbers" in text and found[text] == "serious" for text in found)
    named = [*numbers, *(f"u{user}" for user in numbers)]
    found = sentences(report_of(people("books", named), people("films", numbers)))
    assert not any("row numbers" in text for text in found)


def test_unrelated_activity() -> None:
    """People of 1 to 10 items in books, and in films as many or the reverse."""
    ids = [(f"u{user}", 1 + user % 10) for user in range(MANY)]
    books = plain("books", [(user, f"b{item}", 1.0 + item % 5) for user, many in ids for item in range(many)])
    like = plain("films", [(user, f"f{item}", 1.0 + item % 5) for user, many in ids for item in range(many)])
    unlike = plain("films", [(user, f"f{item}", 1.0 + item % 5) for user, many in ids for item in range(11 - many)])
    assert any("rank correlation -1.00" in text for text in sentences(report_of(books, unlike)))
    assert not any("rank correlation" in text for text in sentences(report_of(books, like)))


def test_scales_of_ratings() -> None:
    ids = [f"u{user}" for user in range(MANY)]
    five, ten = people("books", ids, 5), people("films", ids, 10)
    assert any("1 to 5 in books and 1 to 10 in films" in text for text in sentences(report_of(five, ten)))
    bare = DomainTables.from_frames("films", ten.interactions.drop(columns="rating"))
    assert sentences(report_of(five, bare))["only books has ratings"] == "minor"
    other = plain("films", [(user, f"f{item}", 5.0 if item == 0 else 1.0) for user in ids for item in range(3)])
    found = sentences(report_of(five, other))
    assert found["ratings are given differently in the two domains (total variation 33 %)"] == "minor"


def test_positives_and_flat_ratings() -> None:
    flat = plain("books", [(f"u{user}", f"b{item}", 3.0) for user in range(4) for item in range(3)])
    found = sentences(report_of(flat, people("films", ["u1", "u2"], 5), positive_from=4))
    assert found["all ratings of books are 3: they tell no interaction from another"] == "minor"
    assert found["positive, of the ratings of books: 0.0 %; lower positive_from"] == "grave"
    assert not any("ratings of films:" in text for text in found)


def test_times_and_direction_and_histories() -> None:
    ids = [f"u{user}" for user in range(MANY)]
    books, films = people("books", ids, each=2), people("films", ids, each=4)
    early, late = (
        replace(one, interactions=one.interactions.assign(timestamp=pd.Timestamp(when)))
        for one, when in ((books, "2001-01-01"), (films, "2009-01-01"))
    )
    found = sentences(report_of(early, late))
    assert found["the domains have no time in common: one ends before the other begins"] == "serious"
    assert not any("no timestamps" in text for text in found)
    assert found["half of the users of books have 2 interactions or fewer"] == "minor"
    wide = replace(books, items=pd.DataFrame({"item_id": [f"books{n}" for n in range(9)], "item_type": "Item"}))
    assert any("the other direction has more to give" in text for text in sentences(report_of(wide, films)))
    found = sentences(report_of(films, books))
    assert "books has no timestamps: it cannot be split by time" in found
    assert not any("other direction" in text for text in found)


def test_facts_without_a_common_entity() -> None:
    one, other = people("books", ["a", "b"]), people("films", ["a", "b"])
    about = [
        pd.DataFrame([(f"{name}0", "Item", "HAS_GENRE", genre, "Genre")], columns=FACTS.names[:5])
        for name, genre in (("books", "crime"), ("films", "Crime"))
    ]
    found = sentences(report_of(replace(one, facts=about[0]), replace(other, facts=about[1])))
    assert found["both domains have facts, and no entity is in both: write equal things with equal ids"] == "serious"
    assert "films has no facts: items without interactions cannot be told apart" in sentences(report_of(one, other))


def test_popular_items() -> None:
    rows = [("u0", f"b{item}", 3.0) for item in range(300)] + [(f"u{user}", "b0", 3.0) for user in range(1, 9000)]
    found = sentences(report_of(plain("books", rows), people("films", ["u1", "u2"])))
    assert "few items of books have nearly all interactions (Gini 0.96): hard to beat by taste" in found


def test_lost_and_unaccounted_rows_and_what_was_reported() -> None:
    dataset, cleaned = made()
    report = quality_of(dataset, cleaned)
    dropped = 'cleaning dropped 10 % of the interactions of books, most of them for "missing id" (1)'
    assert sentences(report)[dropped] == "serious"
    asked = quality_of(dataset, cleaned, applied=False)
    assert dropped.replace("dropped", "would drop") in sentences(asked)
    odd = RuleFinding("user like a program", "users", 1200, "reported", detail="the limit is 7")
    source = replace(report.source, findings=(odd,), unaccounted={"items": 3})
    found = {each.sentence: each.severity for each in concerns_of(source, report.target, report.pair)}
    assert found["rows of items in books that no rule accounts for: 3"] == "grave"
    assert found["books, users: user like a program, rows: 1,200; the limit is 7"] == "minor"


def test_the_gravest_come_first() -> None:
    report = report_of(people("books", ["a", "b"]), people("films", ["x", "y"]))
    ranks = [SEVERITIES.index(each.severity) for each in report.warnings]
    assert ranks == sorted(ranks) and ranks[0] == 0 and len(set(ranks)) > 1


def test_empty_domains_are_reported_on() -> None:
    nothing = DomainTables.from_frames("films", pd.DataFrame({"user_id": [], "item_id": []}, dtype="str"))
    report = report_of(people("books", ["a", "b"]), nothing)
    assert sentences(report)["films has no interactions: nothing can be learned or tested there"] == "grave"
    assert json.dumps(report.record(), allow_nan=False)
