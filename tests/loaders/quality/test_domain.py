"""The measures of one domain, each worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from graph_schema import FACTS, SCHEMA
from loaders import DomainTables
from loaders.quality.domain import DOMAIN_MEASURES, DomainView, coverage, spread_of
from loaders.quality.figure import Figure


def shop(**changed: Any) -> DomainTables:
    """Three users (of 3, 1 and 0 interactions) and four films (of 2, 1, 1 and 0)."""
    rows = pd.DataFrame(
        {
            "user_id": ["u1", "u1", "u1", "u2"], "item_id": ["a", "b", "c", "a"], "rating": [5.0, 1.0, 5.0, 3.0],
            "timestamp": ["2003-05-01", "2003-05-31T12:00:00", "2003-07-01", "2003-05-02"],
        }
    )  # fmt: skip
    tables = {
        "users": pd.DataFrame({"user_id": ["u1", "u2", "u3"], "town": ["Ulm", None, "Bonn"]}),
        "items": pd.DataFrame(
            {
                "item_id": list("abcd"), "item_type": "Movie", "name": ["A", " ", None, "D"],
                "year": [1990, None, None, None],
            }
        ),
        "facts": pd.DataFrame(
            {
                "head_id": ["a", "a", "d", "p"], "head_type": ["Movie", "Movie", "Movie", "Person"],
                "relation": ["HAS_GENRE", "HAS_GENRE", "HAS_GENRE", "ACTED_IN"], "tail_id": ["x", "y", "x", "b"],
                "tail_type": ["Genre", "Genre", "Genre", "Movie"],
            }
        ),
    }  # fmt: skip
    return DomainTables.from_frames("films", changed.pop("rows", rows), item_type="Movie", **{**tables, **changed})


def figures(tables: DomainTables, positive_from: float | None = None) -> dict[str, Figure]:
    view = DomainView(tables, SCHEMA, positive_from)
    return {measure.name: measure.of(view) for _, measures in DOMAIN_MEASURES for measure in measures}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("users", 3), ("items", 4), ("interactions", 4), ("facts", 4), ("density", 4 / 12), ("median per user", 2),
        ("maximum per user", 3), ("users without interactions", 1 / 3), ("users with fewer than 5", 1),
        ("Gini of activity", 0.25), ("skewness of activity", 0), ("users with a row number as id", 0),
        ("median per item", 1), ("maximum per item", 2), ("cold items", 1 / 4), ("items with fewer than 5", 1),
        ("Gini of popularity", 1 / 6), ("skewness of popularity", (2 / 27) / (2 / 9) ** 1.5), ("lowest rating", 1),
        ("highest rating", 5), ("distinct ratings", 3), ("mean rating", 14 / 4), ("positive interactions", 2 / 4),
        ("time span", 61), ("items with a name", 2 / 4), ("items with a year", 1 / 4), ("items with facts", 3 / 4),
        ("interactions with described items", 3 / 4),
    ],
)  # fmt: skip
def test_figures_by_hand(name: str, expected: float) -> None:
    found = figures(shop(), positive_from=4.0)[name]
    assert found.value == pytest.approx(expected) and not found.absent


def test_every_measure_says_what_it_is_and_is_tested_by_hand() -> None:
    found = figures(shop(), 4.0)
    assert len(found) == 30 and all(len(figure.what) > 15 for figure in found.values())
    assert found["first interaction"].value == "2003-05-01T00:00:00"
    assert found["last interaction"].value == "2003-07-01T00:00:00"


def test_what_cannot_be_computed_has_a_reason_and_no_value() -> None:
    rows = pd.DataFrame({"user_id": ["u1"], "item_id": ["a"]})
    bare = figures(DomainTables.from_frames("films", rows, item_type="Movie"))
    reasons = {name: figure.absent for name, figure in bare.items() if figure.value is None}
    assert reasons == {
        "skewness of activity": "fewer than two, or all have equally many",
        "skewness of popularity": "fewer than two, or all have equally many",
        **dict.fromkeys(
            ["lowest rating", "highest rating", "distinct ratings", "mean rating", "positive interactions"],
            "the interactions have no ratings",
        ),
        **dict.fromkeys(["first interaction", "last interaction", "time span"], "the interactions have no timestamps"),
        "items with a name": "the item table has no column name",
        "items with a year": "the item table has no column year",
        "items with facts": "the domain has no facts", "interactions with described items": "the domain has no facts",
    }  # fmt: skip
    assert bare["density"].value == 1 and bare["Gini of activity"].value == 0


def test_a_domain_without_rows_is_measured_all_the_same() -> None:
    rows = pd.DataFrame({"user_id": pd.Series([], dtype=str), "item_id": pd.Series([], dtype=str)})
    nothing = figures(DomainTables.from_frames("films", rows, item_type="Movie", facts=FACTS.empty()))
    known = {name: figure.value for name, figure in nothing.items() if figure.value is not None}
    assert known == dict.fromkeys(["users", "items", "interactions", "facts"], 0)
    assert all(figure.absent for name, figure in nothing.items() if name not in known)


def test_without_positive_from_there_is_no_share_of_positives() -> None:
    assert "positive_from is not given" in figures(shop())["positive interactions"].absent


@pytest.mark.parametrize(
    ("ids", "share"),
    [(list("0123"), 1), (list("1234"), 1), (["1", "2", "3", "5000"], 0.75), (["01", "x", "u1", "2"], 0.25)],
)
def test_ids_that_are_row_numbers(ids: list[str], share: float) -> None:
    tables = shop(rows=pd.DataFrame({"user_id": ids, "item_id": "a"}), users=pd.DataFrame({"user_id": ids}))
    assert figures(tables)["users with a row number as id"].value == share


def test_distributions_by_hand() -> None:
    view = DomainView(shop(), SCHEMA, None)
    assert view.per_user.tolist() == [3, 1, 0] and view.per_item.tolist() == [2, 1, 1, 0]
    assert spread_of(view.per_item).record() == {"values": [1, 2], "counts": [2, 1]}
    assert view.ratings.record() == {"values": [1.0, 3.0, 5.0], "counts": [1, 1, 2]}
    assert view.months.record() == {"values": ["2003-05", "2003-07"], "counts": [3, 1]}
    assert not spread_of(np.array([0, 0]))


def test_coverage_of_columns_and_relations_by_hand() -> None:
    found = coverage(DomainView(shop(), SCHEMA, None))
    assert found.drop(columns="share").to_numpy().tolist() == [
        ["users", "town", 2, 3], ["items", "name", 2, 4], ["items", "year", 1, 4],
        ["items", "HAS_GENRE Genre", 2, 4], ["items", "ACTED_IN Person", 1, 4],
    ]  # fmt: skip
    assert found["share"].tolist() == pytest.approx([2 / 3, 1 / 2, 1 / 4, 1 / 2, 1 / 4])
