"""Every measure against a figure worked out by hand on five readers and a handful of books and films."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph_schema.tables import LIKENESS
from kgxfer.link_audit import measures
from kgxfer.link_audit.chance import Audience, against_chance, audiences_of
from kgxfer.link_audit.measures import (
    agreement,
    contradicted_by,
    coverage,
    fan_out,
    stratified_sample,
    title_similarity,
)
from kgxfer.link_audit.nodes import active_in_both, described, sides_of
from kgxfer.link_audit.suspicion import most_doubtful, with_doubts
from tests.link_audit.linked import links_of, split_of_links


def seen(pairs: str, node_type: str = "Movie", confidence: float = 1.0, relation: str = "SAME_AS") -> pd.DataFrame:
    return described(links_of(pairs, node_type, confidence, relation), sides_of(split_of_links()))


def test_links_are_described_by_names_years_and_training_rows() -> None:
    row = seen("b1-f1 b4-f2").to_dict("list")
    assert row["source_name"][0] == "Titanic" and row["target_name"] == ["The Swan Princess", "Matrix, The"]
    assert row["source_name"][1] is None or row["source_name"][1] != row["source_name"][1]
    assert row["source_year"][0] == 1997 and math.isnan(row["source_year"][1])
    # The test row on f1 is not counted: u1, u2, u4.
    assert row["source_interactions"] == [4, 1] and row["target_interactions"] == [3, 1]
    # b1 has most rows of four books; b3 and b4 share the last two places.
    assert row["source_rank"] == [pytest.approx(3.5 / 4), pytest.approx(1 / 4)]


def test_users_and_entities_have_rows_too() -> None:
    assert seen("u1-u1", "User")[["source_interactions", "target_interactions"]].to_numpy().tolist() == [[2, 2]]
    # Books of the genre "code": b2 (u1, u3) and b3 (u3); film f2 (u1).
    assert seen("code-code", "Genre")[["source_interactions", "target_interactions"]].to_numpy().tolist() == [[3, 1]]


@pytest.mark.parametrize(
    ("pairs", "node_type", "expected"),
    [
        ("b1-f1 b2-f2", "Movie", [(2, 4, 6, 8), (2, 4, 4, 7)]),
        ("b1-f1 b1-f2", "Movie", [(1, 4, 4, 8), (2, 4, 4, 7)]),
        ("code-code", "Genre", [(1, 2, 3, 8), (1, 2, 1, 7)]),
        ("u1-u1 u3-u3", "User", [(2, 5, 4, 8), (2, 6, 3, 7)]),
    ],
)
def test_coverage(pairs: str, node_type: str, expected: list[tuple[int, int, int, int]]) -> None:
    table = coverage(seen(pairs, node_type), sides_of(split_of_links()))
    for line, (linked, nodes, touched, rows) in zip(table.to_dict("records"), expected, strict=True):
        assert (line["linked"], line["nodes"], line["touched"]) == (linked, nodes, touched)
        assert line["share of nodes"] == pytest.approx(linked / nodes)
        assert line["share of interactions"] == pytest.approx(touched / rows)
    assert table["domain"].tolist() == ["books", "films"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("The Matrix", "Matrix, The", 1.0),
        ("Heat (novel)", "Heat", 1.0),
        # "matrix" to "matrices": 6 + 8 letters, 5 in common: 1 - 4 / 14.
        ("Matrix", "matrices", 10 / 14),
        ("Amélie", "AMELIE", 1.0),
        # "titanic" and "princess swan" have i, n, c in common: 2 * 3 / 20.
        ("Titanic", "The Swan Princess", 0.3),
        ("A Bug Life (1998)", "bug life, A (Pixar)", 1.0),
        ("Heat [Blu-ray]", "Heat", 1.0),
        ("abc", "xyz", 0.0),
        ("...", "abc", math.nan),
        (None, "abc", math.nan),
    ],
)
def test_title_similarity(first: str | None, second: str | None, expected: float) -> None:
    columns = [pd.Series([text, "same"], dtype="str") for text in (first, second)]
    assert title_similarity(*columns).tolist() == [pytest.approx(expected, nan_ok=True), 1.0]
    assert title_similarity(*reversed(columns))[0] == pytest.approx(expected, nan_ok=True)


def test_no_names_at_all_are_not_measured() -> None:
    assert np.isnan(title_similarity(pd.Series([None, None]), pd.Series(["a", None]))).all()


def test_the_examples_of_the_documentation() -> None:
    assert doctest.testmod(measures).failed == 0


def test_fan_out_counts_within_a_type() -> None:
    links = pd.concat([links_of("b1-f1 b1-f2 b2-f2"), links_of("b1-f2", "Genre")], ignore_index=True)
    assert fan_out(links).to_numpy().tolist() == [[2, 1], [2, 2], [1, 2], [1, 1]]


def test_agreement_and_contradiction() -> None:
    tables = {
        "one": links_of("b1-f1 b2-f2 b3-f3"), "two": links_of("b1-f1 b1-f4 b2-f1 b4-f4"),
        "three": links_of("b1-f1", "Genre"),
    }  # fmt: skip
    table = agreement(tables).to_dict("records")
    # b1 agrees (one of its targets does), b2 is linked elsewhere, b3 and b4 are linked by one bridge alone.
    assert table == [
        {"node_type": "Movie", "first": "one", "second": "two", "shared": 1, "share of the smaller": 1 / 3,
         "common sources": 2, "contradictions": 1}
    ]  # fmt: skip
    together = pd.concat([table.assign(bridge=name) for name, table in tables.items()], ignore_index=True)
    assert contradicted_by(together).tolist() == ["", "two", "", "", "", "one", "", ""]


def test_agreement_of_one_bridge_is_an_empty_table() -> None:
    assert agreement({"one": links_of("b1-f1")}).empty


def test_common_users_and_what_independence_expects() -> None:
    sides = sides_of(split_of_links())
    assert active_in_both(sides).tolist() == ["u1", "u2", "u3", "u4"]
    links = seen("b1-f1 b2-f2 b3-f3 b3-f4")
    audience = Audience(links, sides)
    # b1: u1 u2 u4, f1: u1 u2 u4; b2: u1 u3, f2: u1; b3: u3, f3: u3; f4: u4. "lone" and "new" do not count.
    assert audience.common(links).tolist() == [3, 1, 1, 0]
    assert audience.expected(links).tolist() == [9 / 4, 2 / 4, 1 / 4, 1 / 4]


def test_the_audience_of_an_entity_is_that_of_its_items() -> None:
    links = seen("code-code sea-sea code-sea", "Genre")
    audience = Audience(links, sides_of(split_of_links()))
    # Books of "code": u1 (once, though a reader of two such books would count once), u3; films f2: u1; "sea" f1.
    assert audience.common(links).tolist() == [1, 3, 1]


def chance_of(links: pd.DataFrame, draws: int) -> pd.DataFrame:
    return against_chance(links, audiences_of(links, sides_of(split_of_links())), draws, seed=0)


def test_against_chance_with_two_targets_is_the_exchange() -> None:
    table = chance_of(seen("b1-f1 b2-f2"), 4).set_index("statistic")
    # Exchanged: b1-f2 (u1) and b2-f1 (u1): two common users in every draw.
    assert table.loc["common users", ["true", "chance", "deviation", "ratio"]].tolist() == [4, 2, 0, 2]
    assert math.isnan(table.loc["common users", "z"])
    assert table.loc["common users", "independent"] == 9 / 4 + 2 / 4
    assert table.loc["share of the same year", ["true", "chance"]].tolist() == [0.5, 0]
    assert table.loc["mean title similarity", "true"] == pytest.approx((0.3 + 1) / 2)


def test_chance_varies_and_gives_a_z() -> None:
    row = chance_of(seen("b1-f1 b2-f2 b3-f3"), 200).set_index("statistic")
    common = row.loc["common users"]
    # The two ways of moving every target on: f2 f3 f1 (1 + 1 + 0) and f3 f1 f2 (0 + 1 + 0).
    assert common["true"] == 5 and common["chance"] == pytest.approx(1.5, abs=0.15)
    assert common["z"] == pytest.approx((5 - common["chance"]) / common["deviation"])


def test_one_target_and_users_have_no_chance() -> None:
    assert math.isnan(chance_of(seen("b1-f1"), 3)["chance"].iloc[0])
    assert chance_of(seen("u1-u1 u2-u2", "User"), 3).empty


def doubted(*tables: tuple[str, pd.DataFrame]) -> pd.DataFrame:
    links = pd.concat([table.assign(bridge=name) for name, table in tables], ignore_index=True)
    sides = sides_of(split_of_links())
    return with_doubts(links, audiences_of(links, sides), 0.6, 1, 0.9)


def test_titanic_mapped_to_the_swan_princess_stands_out() -> None:
    links = doubted(("one", seen("b2-f2 b3-f3 b1-f1")))
    first = most_doubtful(links).iloc[0]
    assert (first["source_name"], first["target_name"]) == ("Titanic", "The Swan Princess")
    assert first["reasons"] == "names differ (similarity 0.30); 3 years apart"
    assert first["doubt"] == pytest.approx(0.7 + 3 / 20)
    assert len(most_doubtful(links)) == 1


def test_years_of_things_that_are_only_alike_may_differ() -> None:
    first = most_doubtful(doubted(("one", seen("b1-f1", relation=LIKENESS)))).iloc[0]
    assert first["reasons"] == "names differ (similarity 0.30)" and first["doubt"] == pytest.approx(0.7)


def test_reasons_add_up() -> None:
    links = doubted(("one", seen("b2-f2 b2-f4")), ("two", seen("b2-f3 b4-f3")))
    assert links["reasons"].tolist() == [
        "linked elsewhere by two; 2 targets of one source",
        "names differ (similarity 0.36); linked elsewhere by two; 2 targets of one source",
        "names differ (similarity 0.40); 4 years apart; linked elsewhere by one; 2 sources of one target",
        "2 sources of one target",
    ]
    assert links["doubt"].tolist() == pytest.approx([0.7, 0.7 + 7 / 11, 0.6 + 0.2 + 0.7, 0.3])


@given(
    st.lists(st.tuples(st.sampled_from(["one", "two"]), st.floats(0, 1)), min_size=1, max_size=60),
    st.integers(1, 12), st.integers(0, 3),
)  # fmt: skip
def test_a_sample_is_drawn_evenly_over_confidence(rows: list[tuple[str, float]], size: int, seed: int) -> None:
    links = pd.DataFrame(rows, columns=["bridge", "confidence"])
    drawn, again = (stratified_sample(links, size, np.random.default_rng(seed)) for _ in range(2))
    pd.testing.assert_frame_equal(drawn, again)
    for bridge, of_bridge in links.groupby("bridge"):
        chosen = drawn[drawn["bridge"] == bridge]
        assert len(chosen) == min(size, len(of_bridge))
        counts = chosen["stratum"].value_counts()
        held = chosen.drop_duplicates("stratum").set_index("stratum")["in stratum"]
        # No stratum gives two more than another that still had links to give.
        assert all(counts[name] >= counts.max() - 1 or counts[name] == held[name] for name in counts.index)
        bounds = {"below 0.5": (0, 0.5), "0.5 to 0.8": (0.5, 0.8), "0.8 to 0.9": (0.8, 0.9), "0.9 to 1": (0.9, 1)}
        for name, number in held.items():
            low, high = bounds.get(str(name), (1, 2))
            assert number == ((of_bridge["confidence"] >= low) & (of_bridge["confidence"] < high)).sum()
