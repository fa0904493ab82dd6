"""Rules about whole rows: repeated ones, those that name what is not there, cores, and users like programs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from loaders.cleaning import Cleaned
from loaders.raw import Attribute
from tests.loaders.cleaning.worlds import cleaned, found, pairs, ratings

TWICE = {
    "user_id": ["u", "u", "u", "u", "v"],
    "item_id": ["i", "i", "i", "i", "i"],
    "rating": ["2", "5", "3", "3", "4"],
    "timestamp": ["1000000300", "1000000100", "1000000200", "1000000200", "1000000000"],
}


@pytest.mark.parametrize(
    ("how", "rating", "second"),
    [("last", 2, 300), ("first", 5, 100), ("max", 5, 300), ("mean", 10 / 3, 300), ("sum", 10, 300)],
)
def test_repeated_interactions_are_joined_as_is_chosen(how: str, rating: float, second: int) -> None:
    result = cleaned(TWICE, repeated=how, rating_range="any")
    assert found(result) == {"exact copy of an interaction": (1, "merged"), "repeated interaction": (2, "merged")}
    assert ratings(result) == pytest.approx([rating, 4])
    assert result.tables.interactions["timestamp"].iloc[0] == pd.Timestamp(1_000_000_000 + second, unit="s")


def test_copies_can_be_events_of_their_own() -> None:
    result = cleaned(TWICE, repeated="sum", exact_copies="count", rating_range="any")
    assert found(result) == {"repeated interaction": (3, "merged")}
    assert ratings(result) == [13.0, 4.0]


def test_without_times_the_place_in_the_file_decides() -> None:
    rows = {"user_id": ["u", "u"], "item_id": ["i", "i"], "rating": ["2", "5"]}
    assert ratings(cleaned(rows)) == [5.0]
    assert ratings(cleaned(rows, repeated="first")) == [2.0]


ITEMS = {
    "item_id": ["a", "a", "a", "b", "b", "c", "c"],
    "name": ["A", "Z", "Z", "B", None, "C", "C"],
    "year": ["2000", None, None, None, "2001", "2002", "2002"],
    "genres": ["x|y", "y|z", None, "x", "x", "x", "x"],
}
GENRES = Attribute("genres", "multi-valued", "HAS_GENRE", "Genre")


@pytest.mark.parametrize(("how", "name"), [("first", "A"), ("last", "Z"), ("most_frequent", "Z")])
def test_rows_of_one_item_are_copies_or_complete_or_contradict_each_other(how: str, name: str) -> None:
    rows = {"user_id": ["u", "u", "u"], "item_id": ["a", "b", "c"]}
    result = cleaned(rows, ITEMS, item_attributes=(GENRES,), conflicts=how)
    assert found(result, "items") == {
        "exact copy of a row": (1, "merged"),
        "conflicting rows of one id": (2, "merged"),
        "rows of one id that complete each other": (1, "merged"),
    }
    items = result.tables.items
    assert items["item_id"].tolist() == ["a", "b", "c"]
    assert items["name"].tolist() == [name, "B", "C"]
    assert items["year"].tolist() == [2000, 2001, 2002]
    facts = result.tables.facts
    assert sorted(facts["head_id"] + facts["tail_id"]) == ["ax", "ay", "az", "bx", "cx"]


@pytest.mark.parametrize("how", ["first", "last", "most_frequent"])
def test_rows_of_one_item_may_lack_every_value_of_a_column(how: str) -> None:
    nothing = [None, None]
    items = {"item_id": ["a", "a"], "name": ["A", "B"], **dict.fromkeys(("year", "genres", "price", "plot"), nothing)}
    attributes = (GENRES, Attribute("price", "numeric"), Attribute("plot", "text"))
    result = cleaned({"user_id": ["u"], "item_id": ["a"]}, items, item_attributes=attributes, conflicts=how)
    assert found(result, "items") == {"conflicting rows of one id": (1, "merged")}
    assert result.tables.items[["year", "price", "plot"]].isna().all(axis=None)


def test_the_same_item_under_two_ids() -> None:
    items = {
        "item_id": ["1", "2", "3", "4", "5"],
        "name": ["Amélie", "AMELIE!", "Amelie", "Amélie", None],
        "year": ["2001", "2001", "2002", None, "2001"],
    }
    rows = {"user_id": ["u", "u", "v"], "item_id": ["1", "2", "2"], "rating": ["3", "4", "5"]}
    facts = {
        "head_id": ["2", "2"], "head_type": ["Movie", "Movie"], "relation": ["HAS_GENRE", "HAS_KEYWORD"],
        "tail_id": ["x", "2"], "tail_type": ["Genre", "Keyword"],
    }  # fmt: skip
    reported = cleaned(rows, items, facts=facts)
    assert reported.same_items.values.tolist() == [["2", "1"]]
    assert found(reported, "items") == {"item listed under two ids": (1, "reported")}
    assert len(reported.tables.interactions) == 3
    merged = cleaned(rows, items, facts=facts, same_items="merge")
    assert found(merged, "items") == {"item listed under two ids": (1, "merged")}
    assert found(merged) == {"item listed under two ids": (2, "repaired"), "repeated interaction": (1, "merged")}
    assert merged.tables.interactions.values.tolist() == [["u", "1", 4.0], ["v", "1", 5.0]]
    # The keyword "2" is no item and keeps its id.
    assert merged.tables.facts[["head_id", "tail_id"]].values.tolist() == [["1", "x"], ["1", "2"]]


@pytest.mark.parametrize(("ids", "listed"), [(5, 4), (6, 0)])
def test_a_name_that_many_items_have_says_nothing(ids: int, listed: int) -> None:
    items = {"item_id": [str(row) for row in range(ids)], "name": ["Untitled"] * ids, "year": ["2001"] * ids}
    assert len(cleaned({"user_id": ["u"], "item_id": ["1"]}, items).same_items) == listed


def test_interactions_of_unknown_users_and_items() -> None:
    rows = {"user_id": ["u", "v", "u"], "item_id": ["a", "a", "b"]}
    kept = cleaned(rows, {"item_id": ["a", "c"]}, {"user_id": ["u"]})
    assert found(kept) == {"unknown user": (1, "reported"), "unknown item": (1, "reported")}
    assert found(kept, "users") == {"unknown user": (1, "added")}
    assert kept.tables.users["user_id"].tolist() == ["u", "v"]
    assert kept.tables.items["item_id"].tolist() == ["a", "c", "b"]
    assert kept.tables.items["item_type"].tolist() == ["Movie"] * 3
    dropped = cleaned(rows, {"item_id": ["a", "c"]}, {"user_id": ["u"]}, unknown_users="drop", unknown_items="drop")
    assert dropped.tables.interactions.values.tolist() == [["u", "a"]]
    assert found(dropped) == {"unknown user": (1, "dropped"), "unknown item": (1, "dropped")}
    assert dropped.tables.items["item_id"].tolist() == ["a", "c"]


def test_a_table_without_rows_keeps_its_columns() -> None:
    columns: dict[str, list[str]] = {"item_id": [], "name": [], "year": [], "genres": []}
    result = cleaned({"user_id": ["u"], "item_id": ["a"]}, columns, item_attributes=(GENRES,))
    assert list(result.tables.items.columns) == ["item_id", "name", "year", "item_type"]
    assert result.tables.items["item_id"].tolist() == ["a"]


def test_the_core_is_taken_until_nothing_changes() -> None:
    # Items c and d have one interaction each; without c, user v has one too.
    rows = {"user_id": ["u", "u", "w", "w", "v", "v", "w"], "item_id": ["a", "b", "a", "d", "c", "b", "b"]}
    result = cleaned(rows, user_core=2, item_core=2)
    assert result.tables.interactions.values.tolist() == [["u", "a"], ["u", "b"], ["w", "a"], ["w", "b"]]
    assert found(result) == {"outside the core": (3, "dropped")}
    assert found(result, "users") == {"outside the core": (1, "dropped")}
    assert found(result, "items") == {"outside the core": (2, "dropped")}
    cold = cleaned(rows, {"item_id": ["a", "b", "c", "d", "cold"]}, user_core=9)
    assert cold.tables.items["item_id"].tolist() == ["cold"]


def plain_core(rows: set[tuple[str, str]], users: int, items: int) -> set[tuple[str, str]]:
    while True:
        left = {
            (user, item)
            for user, item in rows
            if sum(one == user for one, _ in rows) >= users and sum(other == item for _, other in rows) >= items
        }
        if left == rows:
            return rows
        rows = left


@pytest.mark.parametrize("seed", range(5))
def test_the_core_is_that_of_a_plain_implementation(seed: int) -> None:
    generator = np.random.default_rng(seed)
    rows = {(f"u{user}", f"i{item}") for user, item in generator.integers(0, 15, (70, 2))}
    users, items = zip(*sorted(rows), strict=True)
    result = cleaned({"user_id": users, "item_id": items}, user_core=4, item_core=3)
    assert set(map(tuple, result.tables.interactions.values.tolist())) == plain_core(rows, 4, 3)


def busy(**choices: Any) -> Cleaned:
    """`fast` gives 5 ratings in a minute, `even` 5 equal ones over days, `calm` 4 within a minute and one later."""
    times = {"fast": [0, 10, 20, 30, 60], "even": [0, 10**5, 2 * 10**5, 3 * 10**5, 4 * 10**5], "calm": [0, 1, 2, 3, 61]}
    given = {"fast": "12345", "even": "44444", "calm": "54321"}
    rows = [(user, f"i{row}", given[user][row], 10**9 + times[user][row]) for user in times for row in range(5)]
    columns = dict(zip(("user_id", "item_id", "rating", "timestamp"), zip(*rows, strict=True), strict=True))
    return cleaned(columns, **{"most_per_minute": 4, "most_equal_ratings": 5, **choices})


def test_users_like_programs_are_reported_or_dropped() -> None:
    result = busy()
    assert found(result, "users") == {
        "user with too many interactions in a minute": (1, "reported"),
        "user whose ratings are all equal": (1, "reported"),
    }
    assert len(result.tables.interactions) == 15
    dropped = busy(suspicious_users="drop")
    assert dropped.tables.users["user_id"].tolist() == ["calm"]
    assert found(dropped)["user with too many interactions in a minute"] == (5, "dropped")
    assert dropped.unaccounted["users"] == 0
    assert found(busy(most_interactions=4), "users")["user with too many interactions"] == (3, "reported")
    assert found(busy(most_per_minute=5, most_equal_ratings=6), "users") == {}


def test_equal_ratings_say_nothing_where_all_ratings_are_equal() -> None:
    rows = {**pairs(20, users=2), "rating": ["1"] * 20}
    assert found(cleaned(rows, most_equal_ratings=5), "users") == {}


def test_values_that_cannot_be_compared_are_no_obstacle() -> None:
    rows = {"user_id": ["u", "u", "u"], "item_id": ["a", "a", "a"], "tags": [["x"], ["x"], {"y": 1}]}
    result = cleaned(rows, {"item_id": ["a", "a", "a"], "tags": [["x"], ["x"], ["z"]]})
    assert found(result) == {"exact copy of an interaction": (1, "merged"), "repeated interaction": (1, "merged")}
    assert found(result, "items") == {"exact copy of a row": (1, "merged"), "conflicting rows of one id": (1, "merged")}


def test_values_of_several_rows_are_parted_by_the_separator_as_it_is_written() -> None:
    items = {"item_id": ["a", "a"], "genres": ["x||y", "z"]}
    attribute = Attribute("genres", "multi-valued", "HAS_GENRE", "Genre", "||")
    result = cleaned({"user_id": ["u"], "item_id": ["a"]}, items, item_attributes=(attribute,))
    assert result.tables.facts["tail_id"].tolist() == ["x", "y", "z"]
