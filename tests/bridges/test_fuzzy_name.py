from __future__ import annotations

import string

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz, process

from graph_schema import InputError
from kgxfer.bridges import FuzzyName, matched_names
from kgxfer.bridges.fuzzy_name import FuzzyNameConfig, candidate_pairs, confidence_of
from kgxfer.bridges.names import plain_names
from kgxfer.splits import FixedFiles, Split
from tests.worlds import domain_of, pair_of


def named(*names: str | None, years: dict[int, int] | None = None) -> pd.DataFrame:
    frame = pd.DataFrame({"id": [str(place) for place in range(len(names))], "name": pd.Series(names, dtype="str")})
    return frame.assign(year=pd.array([(years or {}).get(place) for place in range(len(names))], dtype="Int64"))


def pairs(source: pd.DataFrame, target: pd.DataFrame, **given_: object) -> list[tuple[str, str]]:
    found = matched_names(source, target, FuzzyNameConfig.model_validate(given_))
    return list(zip(found["source_id"], found["target_id"], strict=True))


@pytest.mark.parametrize(
    ("name", "key", "year"),
    [
        ("The Matrix [VHS]", "matrix", None),
        ("Heat (1995 film)", "heat", 1995),
        ("Rocky II", "rocky 2", None),
        ("II", "ii", None),
        ("True Story of Jesse James, The", "true story of jesse james", None),
        ("Kill Bill (Volume 2) [Blu-ray]", "kill bill volume 2", None),
        ("Wattstax (30th Anniversary Special Edition) DVD", "wattstax", None),
        ("Romeo & Juliet", "romeo and juliet", None),
        ("(Untitled)", "untitled", None),
        ("Am\u00e9lie (2001)", "amelie", 2001),
        ("2001: A Space Odyssey", "2001 a space odyssey", None),
    ],
)
def test_what_catalogues_add_is_taken_off(name: str, key: str, year: int | None) -> None:
    plain = plain_names(pd.Series([name], dtype="str"))
    assert plain["key"].tolist() == [key]
    assert plain["year"].isna().tolist() == [year is None]
    assert year is None or plain["year"].tolist() == [year]


def test_the_score_by_hand() -> None:
    """shaunofthedead and shaunofthedaed: one letter of 14 leaves and comes back, 1 - 2 / 28."""
    found = matched_names(named("Shaun of the Dead"), named("Shaun of the Daed"), FuzzyNameConfig(threshold=0.9))
    assert found["score"].tolist() == pytest.approx([26 / 28], abs=1e-6)
    assert found[["source_name", "target_name"]].to_numpy().tolist() == [["Shaun of the Dead", "Shaun of the Daed"]]
    assert pairs(named("Shaun of the Dead"), named("Shaun of the Daed"), threshold=0.93) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ("Dirty Dancing - Havana Nights", "Dirty Dancing: Havana Nights (film)", True),
        ("Herbert, Frank", "Frank Herbert", True),
        ("Timecrimes", "Time Crimes", True),
        ("Rocky II", "Rocky III", False),
        ("Rocky II", "Rocky 2", True),
        ("Mission to Mars 2", "Mission to Mars", False),
        ("Halloween (1978)", "Halloween (2007 film)", False),
        ("Halloween (1978)", "Halloween (1979 film)", True),
        ("Alien", "Aliens", False),
    ],
)
def test_what_is_one_name_and_what_is_not(ours: str, theirs: str, same: bool) -> None:
    assert pairs(named(ours), named(theirs)) == ([("0", "0")] if same else [])
    assert pairs(named(theirs), named(ours)) == ([("0", "0")] if same else [])


def test_years_known_besides_the_name_count_before_those_in_it() -> None:
    ours = named("Heat (1986)", years={0: 1995})
    assert pairs(ours, named("Heat", years={0: 1995})) == [("0", "0")]
    assert pairs(ours, named("Heat", years={0: 1986})) == []
    assert pairs(ours, named("Heat", years={0: 1993}), year_tolerance=2) == [("0", "0")]
    assert pairs(ours, named("Heat", years={0: 1950}), year_tolerance=None) == [("0", "0")]


def test_a_book_is_like_its_film_however_much_later_that_came() -> None:
    book, film = (
        domain_of(name, kind, {"u": item, "v": item}, names={item: "Dune"}, years={item: year})
        for name, kind, item, year in (("one", "Book", "a", 1965), ("two", "Movie", "x", 1984))
    )
    assert len(FuzzyName().links(FixedFiles().split(pair_of(book, film, test={"two": {"u": "x"}})))) == 1


def test_one_to_one_takes_the_mutual_best_and_no_toss_up() -> None:
    ours, theirs = named("Night Train", "Heat"), named("Night Train", "Night Trains", "Heat", "Heat (novel)")
    assert pairs(ours, theirs, threshold=0.9) == [("0", "0")]
    every = [("0", "0"), ("0", "1"), ("1", "2"), ("1", "3")]
    assert pairs(ours, theirs, threshold=0.9, one_to_one=False) == every
    # The year decides between two of one name.
    assert pairs(named("Heat (1995)"), named("Heat (1986)", "Heat (1995 film)")) == [("0", "1")]


def test_a_pair_that_is_best_for_one_end_only_is_no_pair() -> None:
    """"night train" suits "night trains" best, but that has an equal of its own."""
    ours, theirs = named("Night Train", "Night Trains"), named("Night Trains")
    assert pairs(ours, theirs, threshold=0.9) == [("1", "0")]


def test_missing_names_and_those_that_many_bear_link_nothing() -> None:
    assert pairs(named(None, "...", "Heat"), named(None, "!", "Heat")) == [("2", "2")]
    many = named(*["Untitled"] * 21)
    assert pairs(many, named("Untitled"), one_to_one=False) == []
    assert len(pairs(many.head(20), named("Untitled"), one_to_one=False)) == 20
    assert pairs(named(), named("Heat")) == []


WORD = st.text("abc", min_size=1, max_size=4)
NAMES = st.lists(st.lists(WORD, min_size=1, max_size=3).map(" ".join), max_size=8, unique=True)


@settings(max_examples=6)
@given(NAMES, NAMES)
def test_small_sets_of_names_are_compared_as_if_without_blocks(ours: list[str], theirs: list[str]) -> None:
    """With so few names all pairs are neighbours; the answer is that of a plain double loop."""

    def form(name: str) -> str:
        return str(plain_names(pd.Series([name], dtype="str"))["key"].iloc[0])

    def score(one: str, two: str) -> float:
        plain = fuzz.ratio(one.replace(" ", ""), two.replace(" ", ""))
        return max(plain, fuzz.ratio("".join(sorted(one.split())), "".join(sorted(two.split())))) / 100

    expected = {
        (str(i), str(j)): score(form(one), form(two))
        for i, one in enumerate(ours)
        for j, two in enumerate(theirs)
        if score(form(one), form(two)) >= 0.8
    }
    found = matched_names(named(*ours), named(*theirs), FuzzyNameConfig(threshold=0.8, one_to_one=False))
    got = dict(zip(zip(found["source_id"], found["target_id"], strict=True), found["score"], strict=True))
    assert set(got) <= set(expected)
    near = {pair for pair in expected if len(ours) + len(theirs) <= 7}
    assert near <= set(got)
    assert {pair: got[pair] for pair in got} == pytest.approx({pair: expected[pair] for pair in got}, abs=1e-5)


def typo(name: str, place: int) -> str:
    at = place % len(name)
    return name[:at] + name[at + 1 :]


def test_blocking_finds_nearly_all_that_comparing_everything_finds() -> None:
    """2,000 names of random words, half of them with a letter lost: all pairs of score 0.9 and more, but 1 in 100."""
    generator = np.random.default_rng(0)
    letters = np.array(list(string.ascii_lowercase))
    words = ["".join(generator.choice(letters, generator.integers(3, 9))) for _ in range(800)]
    ours = [" ".join(generator.choice(words, generator.integers(1, 6))) for _ in range(2_000)]
    theirs = [typo(name, int(generator.integers(99))) if place % 2 else name for place, name in enumerate(ours)]
    source, target = (plain_names(pd.Series(names, dtype="str"))["key"].drop_duplicates() for names in (ours, theirs))
    source, target = source.reset_index(drop=True), target.reset_index(drop=True)
    first, second = candidate_pairs(source, target)
    blocked = set(zip(first.tolist(), second.tolist(), strict=True))
    assert len(blocked) == len(first) < 0.05 * len(source) * len(target)
    plain = [side.str.replace(" ", "").tolist() for side in (source, target)]
    scores = process.cdist(*plain, scorer=fuzz.ratio, score_cutoff=90)
    every = set(zip(*(side.tolist() for side in np.nonzero(scores)), strict=True))
    assert len(every) > 1_800
    assert len(every & blocked) >= 0.99 * len(every)


def split_of_types(kinds: tuple[str, str], persons: tuple[str, str] = ("", "")) -> Split:
    domains = []
    for name, kind, item, title, person in zip(
        ("one", "two"), kinds, ("a", "x"), ("The Firm", "Firm, The (1993 film)"), persons, strict=True
    ):
        about = pd.DataFrame(
            {
                "head_id": [item], "head_type": [kind], "relation": ["PRODUCED_BY"], "tail_id": [f"{name}-p"],
                "tail_type": ["Person"], "tail_name": [person or None],
            }
        )
        domains.append(domain_of(name, kind, {"u": item, "v": item}, names={item: title}, facts=about))
    return FixedFiles().split(pair_of(domains[0], domains[1], test={"two": {"u": "x"}}))


@pytest.mark.parametrize(
    ("kinds", "node_type", "relation"),
    [(("Movie", "Movie"), "Movie", "SAME_AS"), (("Book", "Movie"), "Item", "SIMILAR_TO")],
)
def test_the_link_of_two_items(kinds: tuple[str, str], node_type: str, relation: str) -> None:
    assert FuzzyName().links(split_of_types(kinds)).to_dict("records") == [
        {
            "source_id": "a",
            "target_id": "x",
            "node_type": node_type,
            "confidence": 0.96,
            "method": "fuzzy_name",
            "evidence": "The Firm / Firm, The (1993 film)",
            "relation": relation,
        }
    ]


def test_entities_on_request() -> None:
    split = split_of_types(("Book", "Movie"), ("Grisham, John", "John Grisham"))
    links = FuzzyName(entities=("Person",), items=False).links(split)
    assert links[["source_id", "target_id", "node_type", "relation"]].to_numpy().tolist() == [
        ["one-p", "two-p", "Person", "SAME_AS"]
    ]
    assert len(FuzzyName(entities=("Person",)).links(split)) == 2
    assert FuzzyName(entities=("Genre",), items=False).links(split).empty
    with pytest.raises(InputError, match='unknown node type "Persn"; did you mean "Person"?'):
        FuzzyName(entities=("Persn",)).links(split)


def test_confidence_rises_with_the_score_and_stays_below_certainty() -> None:
    confidence = confidence_of(pd.Series([0.8, 0.94, 1.0]))
    assert confidence.is_monotonic_increasing
    assert confidence.tolist() == pytest.approx([0.0173, 0.3152, 0.96], abs=1e-4)


def test_wrong_settings_are_one_clear_line() -> None:
    with pytest.raises(InputError, match="bridge fuzzy_name, key threshold: input should be less than or equal to 1"):
        FuzzyName(threshold=94)
    with pytest.raises(InputError, match='unknown key in bridge fuzzy_name "treshold"; did you mean "threshold"?'):
        FuzzyName(treshold=0.9)


@pytest.mark.slow
def test_a_hundred_thousand_names_a_side_take_seconds() -> None:
    generator = np.random.default_rng(0)
    words = np.array(["".join(row) for row in generator.choice(list("abcdefghijklmno"), (30_000, 7))])
    share = 1 / np.arange(1, 30_001)
    drawn = words[generator.choice(30_000, (100_000, 4), p=share / share.sum())]
    ours = pd.Series(drawn[:, 0]).str.cat([drawn[:, 1], drawn[:, 2], drawn[:, 3]], sep=" ")
    theirs = ours.str[1:]
    source, target = (pd.DataFrame({"id": side.index.astype(str), "name": side}) for side in (ours, theirs))
    found = matched_names(source, target)
    assert len(found) > 80_000
    assert (found["source_id"] == found["target_id"]).mean() > 0.99
