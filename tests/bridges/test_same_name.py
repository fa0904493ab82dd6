from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pytest

from kgxfer.bridges import SameName
from kgxfer.bridges.same_name import normalised_names
from kgxfer.splits import FixedFiles
from tests.worlds import domain_of, pair_of


def linked(
    ours: Mapping[str, str | None],
    theirs: Mapping[str, str | None],
    years: tuple[Mapping[str, int], ...] = ({}, {}),
    types: tuple[str, str] = ("Movie", "Movie"),
) -> list[list[str]]:
    domains = [
        domain_of(name, kind, {"u": " ".join(names), "v": " ".join(names)}, names=names, years=of_year or None)
        for name, kind, names, of_year in zip(("one", "two"), types, (ours, theirs), years, strict=True)
    ]
    split = FixedFiles().split(pair_of(domains[0], domains[1], test={"two": {"u": next(iter(theirs))}}))
    pairs: list[list[str]] = SameName().links(split)[["source_id", "target_id"]].to_numpy().tolist()
    return pairs


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("Amélie", "AMELIE"),
        ("The Matrix", "matrix"),
        ("A Space Odyssey: 2001", "space odyssey 2001"),
        ("  Alien³ ", "alien3"),
        ("Über-Mensch", "uber mensch"),
        ("图书", "图书"),
    ],
)
def test_case_accents_punctuation_and_the_article_do_not_matter(name: str, same: str) -> None:
    assert normalised_names(pd.Series([name], dtype="str")).tolist() == [same.lower()]
    assert linked({"a": name}, {"x": same}) == [["a", "x"]]


@pytest.mark.parametrize("other", ["Alien 3", "Aliens", "Theatre", ""])
def test_other_names_are_other_names(other: str) -> None:
    assert linked({"a": "Alien", "b": "atre"}, {"x": other}) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ({"a": 1995}, {"x": 1995}, [["a", "x"]]),
        ({"a": 1995}, {"x": 1986}, []),
        ({"a": 1995}, {}, [["a", "x"]]),
        ({}, {"x": 1995}, [["a", "x"]]),
        ({"b": 1995}, {"x": 1995}, [["a", "x"]]),
    ],
)
def test_years_must_agree_where_both_are_known(
    ours: dict[str, int], theirs: dict[str, int], expected: list[list[str]]
) -> None:
    assert linked({"a": "Heat", "b": "Ronin"}, {"x": "Heat", "y": "Speed"}, (ours, theirs)) == expected


def test_a_name_that_several_items_of_a_domain_bear_is_left_out() -> None:
    assert linked({"a": "Heat", "b": "heat!", "c": "Ronin"}, {"x": "Heat", "y": "Ronin"}) == [["c", "y"]]
    assert linked({"a": "Heat", "c": "Ronin"}, {"x": "Heat", "y": "Ronin", "z": "The Heat"}) == [["c", "y"]]


def test_missing_and_empty_names_link_nothing() -> None:
    assert linked({"a": None, "b": "..."}, {"x": None, "y": "!?"}) == []


def test_items_of_different_types_are_alike_whatever_their_years_and_not_the_same() -> None:
    book, film = (
        domain_of(name, kind, {"u": item, "v": item}, names={item: "Dune"}, years={item: year})
        for name, kind, item, year in (("one", "Book", "a", 1965), ("two", "Movie", "x", 1984))
    )
    links = SameName().links(FixedFiles().split(pair_of(book, film, test={"two": {"u": "x"}})))
    columns = ["source_id", "target_id", "node_type", "relation"]
    assert links[columns].to_numpy().tolist() == [["a", "x", "Item", "SIMILAR_TO"]]


def test_the_key_is_the_evidence() -> None:
    one, two = (
        domain_of(name, "Movie", {"u": item, "v": item}, names={item: "The Matrix"})
        for name, item in (("one", "a"), ("two", "x"))
    )
    links = SameName().links(FixedFiles().split(pair_of(one, two, test={"two": {"u": "x"}})))
    assert links.to_dict("records") == [
        {
            "source_id": "a",
            "target_id": "x",
            "node_type": "Movie",
            "confidence": 1,
            "method": "same_name",
            "evidence": "matrix",
            "relation": "SAME_AS",
        }
    ]
