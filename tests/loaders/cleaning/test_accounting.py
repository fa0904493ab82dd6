"""Properties that hold whatever the rows are: every row is accounted for, and clean tables stay as they are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import hypothesis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_schema import InputError
from loaders.cleaning import RULES, Cleaned, CleaningConfig, clean
from loaders.cleaning.findings import EFFECTS, TABLES
from loaders.raw import Attribute, BadLine, RawDomain, RawTable

NOW = datetime(2024, 1, 1, tzinfo=UTC)
IDS = st.sampled_from(["1", "2", "3.0", "3", " 4", "NA", "", None, "a\x00", "x" * 300, "null", "\ufeff1", "5", "6"])
VALUES = st.sampled_from(["1", "2.5", "4,5", "5", "0", "99", "-1", "good", "", None, "nan", "1e400", "4", "3"])
TIMES = st.sampled_from(
    ["1000000000", "1000000000000", "2001-09-09", "1/2/2003", "13/2/2003", "9e18", "soon", None, "", "5", "99999999999"]
)
NAMES = st.sampled_from(["A", "a!", "Ame\u0301lie", "schÃ¶n", "R&amp;B", " b  c ", "\x07", "", None, "NA"])
YEARS = st.sampled_from(["1999", "(1999)", "1999.0", "99999", "x", None, ""])
KINDS = st.sampled_from(["Movie", "Film", None, "Genre", "User"])
RELATIONS = st.sampled_from(["HAS_GENRE", "HAS_GENER", "KNOWS", None])


def frames(**columns: Any) -> Any:
    rows = st.lists(st.tuples(*columns.values()), max_size=12)
    return rows.map(lambda values: pd.DataFrame(values, columns=list(columns), dtype=object))


DOMAINS = st.builds(
    lambda *tables: raw_domain(*tables),  # noqa: PLW0108 (defined below)
    frames(user_id=IDS, item_id=IDS, rating=VALUES, timestamp=TIMES),
    st.none() | frames(item_id=IDS, name=NAMES, year=YEARS, genres=NAMES, price=VALUES, item_type=KINDS),
    st.none() | frames(user_id=IDS, name=NAMES),
    st.none() | frames(user_id=IDS, other_id=IDS),
    st.none() | frames(head_id=IDS, head_type=KINDS, relation=RELATIONS, tail_id=IDS, tail_type=KINDS),
    st.integers(0, 3),
)
CONFIGS = st.fixed_dictionaries(
    {
        "repeated": st.sampled_from(["last", "first", "max", "mean", "sum"]),
        "exact_copies": st.sampled_from(["merge", "count"]),
        "rating_range": st.sampled_from(["auto", "any", (1.0, 5.0)]),
        "zero_means_no_rating": st.booleans(),
        "bad_ratings": st.sampled_from(["drop_rows", "drop_column"]),
        "normalise": st.sampled_from(["none", "user_z_score", "user_min_max", "domain_min_max"]),
        "bad_times": st.sampled_from(["drop_rows", "drop_column"]),
        "implausible_times": st.sampled_from(["drop", "report"]),
        "day_first": st.sampled_from([True, False, None]),
        "unknown_users": st.sampled_from(["add", "drop"]),
        "unknown_items": st.sampled_from(["add", "drop"]),
        "facts_of_unknown_items": st.sampled_from(["drop", "keep"]),
        "conflicts": st.sampled_from(["first", "last", "most_frequent"]),
        "same_items": st.sampled_from(["report", "merge"]),
        "control_characters_in_ids": st.sampled_from(["remove", "drop"]),
        "user_core": st.integers(0, 3),
        "item_core": st.integers(0, 3),
        "suspicious_users": st.sampled_from(["report", "drop"]),
        "most_per_minute": st.integers(1, 3),
        "most_interactions": st.integers(1, 5),
        "most_equal_ratings": st.integers(1, 3),
    }
).map(lambda values: CleaningConfig(now=NOW, **values))


def raw_domain(
    interactions: pd.DataFrame,
    items: pd.DataFrame | None = None,
    users: pd.DataFrame | None = None,
    knows: pd.DataFrame | None = None,
    facts: pd.DataFrame | None = None,
    bad: int = 0,
) -> RawDomain:
    lines = tuple(BadLine(line, "too many fields", "a,b,c") for line in range(100, 100 + bad))
    read = [
        None if frame is None else RawTable(frame, "file.csv", np.arange(2, len(frame) + 2), lines)
        for frame in (interactions, items, users, knows, facts)
    ]
    first, *others = read
    assert first is not None
    attributes = (Attribute("genres", "multi-valued", "HAS_GENRE", "Genre"), Attribute("price", "numeric"))
    tables = dict(zip(("items", "users", "knows", "facts"), others, strict=True))
    return RawDomain("films", "Movie", first, **tables, item_attributes=attributes if items is not None else ())  # type: ignore[arg-type]


def check_account(raw: RawDomain, cleaned: Cleaned) -> None:
    assert cleaned.unaccounted == dict.fromkeys(TABLES, 0)
    for name in TABLES:
        table = getattr(raw, name)
        assert cleaned.before[name] == (0 if table is None else len(table.frame) + len(table.bad_lines))
    for name in ("interactions", "items", "users", "facts"):
        assert cleaned.after[name] == len(getattr(cleaned.tables, name))
    for finding in cleaned.findings:
        assert finding.count > 0
        assert 1 <= len(finding.examples) <= min(5, finding.count)
        assert finding.action in EFFECTS
        for example in finding.examples:
            assert len(example.text.splitlines()) <= 1
            if example.row >= 0:
                assert example.line == example.row + 2


@settings(max_examples=25)
@given(DOMAINS, CONFIGS)
def test_rows_before_are_rows_after_but_for_what_findings_tell(raw: RawDomain, config: CleaningConfig) -> None:
    check_account(raw, clean(raw, config))


@pytest.mark.slow
@settings(max_examples=1000)
@given(DOMAINS, CONFIGS)
def test_a_thousand_domains_are_accounted_for(raw: RawDomain, config: CleaningConfig) -> None:
    check_account(raw, clean(raw, config))


A_USER_CALLED_3_0 = raw_domain(
    pd.DataFrame({"user_id": ["1", "a"], "item_id": ["1", "1"], "rating": ["1", "1"], "timestamp": [10**9, 10**9]}),
    knows=pd.DataFrame({"user_id": ["3.0"], "other_id": ["1"]}),
)


@settings(max_examples=10)
@given(DOMAINS)
@hypothesis.example(A_USER_CALLED_3_0)
def test_cleaning_what_is_clean_changes_nothing(raw: RawDomain) -> None:
    config = CleaningConfig(now=NOW, rating_range="any", mixed_scales="ignore")
    once = clean(raw, config)
    read = {name: RawTable(getattr(once.tables, name), name) for name in ("interactions", "items", "users", "facts")}
    again = clean(
        RawDomain("films", "Movie", read["interactions"], read["items"], read["users"], facts=read["facts"]), config
    )
    quiet = {"item listed under two ids", "user whose ratings are all equal"}
    rules = {finding.rule for finding in again.findings}
    if "id written as a decimal number" in rules and any(finding.action == "dropped" for finding in once.findings):
        return  # whether "3.0" is "3" depends on the other ids, and some of them went
    assert rules <= quiet
    for name, table in read.items():
        pd.testing.assert_frame_equal(getattr(again.tables, name), table.frame)


def test_an_empty_domain_is_clean() -> None:
    nothing = pd.DataFrame({"user_id": [], "item_id": [], "rating": [], "timestamp": []}, dtype=object)
    cleaned = clean(raw_domain(nothing))
    assert cleaned.findings == ()
    assert set(cleaned.after.values()) == {0}


def test_the_tables_that_were_given_are_not_changed() -> None:
    rows = pd.DataFrame({"user_id": [" 1", "2"], "item_id": ["a", "b"], "rating": ["4,5", "x"]})
    before = rows.copy()
    clean(raw_domain(rows))
    pd.testing.assert_frame_equal(rows, before)


@pytest.mark.parametrize("form", ["object", "str", "string[pyarrow]", "category", "typed"])
def test_how_columns_are_stored_does_not_matter(form: str) -> None:
    rows = pd.DataFrame({"user_id": ["7", "8", "8"], "item_id": ["1", "1", "2"], "rating": ["4", "2.5", "3"]})
    rows["timestamp"] = "1000000000"
    if form == "typed":
        types = {"user_id": "int64", "item_id": "float64", "rating": "float32", "timestamp": "int64"}
        given_rows = rows.astype(types)
    else:
        given_rows = rows.astype(form)
    found, expected = clean(raw_domain(given_rows)), clean(raw_domain(rows.astype(object)))
    pd.testing.assert_frame_equal(found.tables.interactions, expected.tables.interactions)
    assert found.tables.interactions["user_id"].tolist() == ["7", "8", "8"]


def test_a_column_that_is_needed_and_absent_is_named_with_the_file() -> None:
    with pytest.raises(InputError) as caught:
        clean(raw_domain(pd.DataFrame({"user": ["1"], "item_id": ["2"]})))
    assert str(caught.value) == (
        'domain "films", interactions (file.csv): no column "user_id"; there are user, item_id; say which of them it is'
    )


def test_the_registry_names_each_rule_as_its_function() -> None:
    assert [rule.__name__ for rule in RULES.values()] == list(RULES)
    assert all(rule.__doc__ for rule in RULES.values())
