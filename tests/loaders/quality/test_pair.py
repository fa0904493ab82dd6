"""What two domains share and how far they lie apart, worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_schema import LINKS, SCHEMA
from loaders import CrossDomainDataset, DomainTables
from loaders.quality.domain import DomainView
from loaders.quality.figure import Figure
from loaders.quality.pair import PAIR_MEASURES, PairView, shared_entities

Rows = list[tuple[str, str, float, str]]
Drawn = tuple[int, int, int, int]
"""User, item, rating, and day of a month."""

BOOKS: Rows = [
    ("u1", "b1", 1, "2001-01-01"), ("u1", "b2", 5, "2001-01-02"), ("u2", "b1", 5, "2001-01-03"),
    ("u3", "b1", 5, "2001-01-05"),
]  # fmt: skip
FILMS: Rows = [
    ("u2", "f1", 1, "2001-01-03"), ("u2", "f2", 3, "2001-01-04"), ("u1", "f1", 5, "2001-01-07"),
    ("u9", "f2", 5, "2001-01-09"),
]  # fmt: skip


def domain(name: str, kind: str, rows: Rows, genres: Mapping[str, str], more: tuple[str, ...] = ()) -> DomainTables:
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "timestamp"])
    facts = [(item, kind, "HAS_GENRE", genre, "Genre") for item, all_ in genres.items() for genre in all_.split()]
    items = pd.DataFrame({"item_id": [*dict.fromkeys([*frame["item_id"], *more])]})
    told = pd.DataFrame(facts, columns=["head_id", "head_type", "relation", "tail_id", "tail_type"])
    return DomainTables.from_frames(name, frame, item_type=kind, items=items, facts=told)


def view_of(source: DomainTables, target: DomainTables) -> PairView:
    dataset = CrossDomainDataset("made", source, target, LINKS.empty(), SCHEMA)
    return PairView(dataset, *(DomainView(tables, SCHEMA, None) for tables in (source, target)))


def figures(view: PairView) -> dict[str, Figure]:
    return {measure.name: measure.of(view) for _, measures in PAIR_MEASURES for measure in measures}


@pytest.fixture
def view() -> PairView:
    return view_of(
        domain("books", "Book", BOOKS, {"b1": "crime", "b2": "crime verse"}),
        domain("films", "Movie", FILMS, {"f1": "crime", "f2": "war war2", "b2": "war"}, more=("b2",)),
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("overlapping users", 2), ("users active in both", 2), ("share of the source's users", 2 / 3),
        ("share of the target's users", 2 / 3), ("their share of the source's interactions", 3 / 4),
        ("their share of the target's interactions", 3 / 4), ("given links", 0), ("items with an id of both", 1),
        # source: a quarter 1, three quarters 5; target: a quarter 1, a quarter 3, half 5
        ("rating, total variation", 0.25), ("rating, Wasserstein", 0.125),
        # popularity 3, 1 against 2, 2: Gini 1/4 against 0; activity 2, 1, 1 in both
        ("popularity, Lorenz gap", 0.25), ("activity, Lorenz gap", 0), ("sparsity ratio", (4 / 6) / (4 / 9)),
        ("interactions ratio", 1),
        # 1 to 5 January and 3 to 9 January: two days of eight; of the source 2 rows of 4, of the target 2 of 4
        ("time overlap", 2 / 8), ("source in common time", 2 / 4), ("target in common time", 2 / 4),
    ],
)  # fmt: skip
def test_figures_by_hand(view: PairView, name: str, expected: float) -> None:
    found = figures(view)[name]
    assert found.value == pytest.approx(expected) and found.what


def test_every_measure_is_there(view: PairView) -> None:
    found = figures(view)
    assert len(found) == 18
    assert found["rank correlation of their activity"].absent.startswith("fewer than three users")


def test_rank_correlation_of_activity_by_hand() -> None:
    """Three people with 1, 2, 3 rows in books and 1, 3, 2 in films: ranks differ by 0, 1, 1, so 1 - 6 * 2 / (3 * 8)."""
    made: dict[str, Rows] = {
        name: [(f"u{user}", f"{name}{item}", 1.0, "2001-01-01") for user in range(3) for item in range(counts[user])]
        for name, counts in (("b", (1, 2, 3)), ("f", (1, 3, 2)))
    }
    view = view_of(domain("books", "Book", made["b"], {}), domain("films", "Movie", made["f"], {}))
    assert figures(view)["rank correlation of their activity"].value == pytest.approx(0.5)


def test_different_scales_are_stretched_and_compared_in_parts() -> None:
    """1 to 3 beside 10 to 50: in 3 parts (1 | 2 | 3) and (10 20 | 30 | 40 50), a half, a quarter, a quarter against a
    quarter, nothing, three quarters."""
    of_books = [("u1", f"b{n}", float(rating), "2001-01-01") for n, rating in enumerate((1, 1, 2, 3))]
    of_films = [("u1", f"f{n}", float(rating), "2001-01-01") for n, rating in enumerate((10, 40, 40, 50))]
    found = figures(view_of(domain("books", "Book", of_books, {}), domain("films", "Movie", of_films, {})))
    assert found["rating, total variation"].value == pytest.approx((1 / 4 + 1 / 4 + 1 / 2) / 2)
    # Distribution functions on 0, 1/2, 3/4, 1: 1/2, 3/4, 3/4 and 1/4, 1/4, 3/4, of widths 1/2, 1/4, 1/4.
    assert found["rating, Wasserstein"].value == pytest.approx(1 / 4 * 1 / 2 + 1 / 2 * 1 / 4)


def test_constant_ratings_have_no_scale() -> None:
    """Where the highest rating is the same, one constant domain still lies on the other's scale."""
    rows = {rating: [("u1", "x", rating, "2001-01-01"), ("u2", "x", rating, "2001-01-01")] for rating in (3.0, 5.0)}
    of_three, of_five = (domain(f"all {rating}", "Book", rows[rating], {}) for rating in rows)
    films = domain("films", "Movie", FILMS, {})
    assert "no scale" in figures(view_of(of_three, films))["rating, total variation"].absent
    assert figures(view_of(of_five, films))["rating, total variation"].value == pytest.approx(1 / 2)


def test_domains_without_a_common_moment(view: PairView) -> None:
    later = [(user, item, rating, f"2009-{time[5:]}") for user, item, rating, time in FILMS]
    apart = figures(view_of(view.dataset.source, domain("films", "Movie", later, {})))
    assert [apart[f"{side} in common time"].value for side in ("source", "target")] == [0, 0]
    assert apart["time overlap"].value == 0


@pytest.mark.parametrize(("moment", "overlap"), [("2001-01-01", None), ("2002-01-01", 0)])
def test_domains_of_one_moment_each(moment: str, overlap: int | None) -> None:
    books = domain("books", "Book", [("u1", "b1", 1, "2001-01-01"), ("u2", "b1", 2, "2001-01-01")], {})
    found = figures(view_of(books, domain("films", "Movie", [("u1", "f1", 1, moment)], {})))["time overlap"]
    assert found.value == overlap and bool(found.absent) == (overlap is None)


def test_without_overlap_shares_are_zero_and_the_correlation_is_absent() -> None:
    others = [(f"x{user}", item, rating, time) for user, item, rating, time in FILMS]
    found = figures(view_of(domain("books", "Book", BOOKS, {}), domain("films", "Movie", others, {})))
    assert found["overlapping users"].value == 0 and found["share of the target's users"].value == 0
    assert found["rank correlation of their activity"].absent == "no user is in both domains"


def test_shared_entities_by_hand(view: PairView) -> None:
    """Source: crime 2 facts, verse 1. Target: crime 1, war 2, war2 1; b2 of the target has no interactions."""
    found = shared_entities(view).to_dict("records")
    assert len(found) == 1
    row = {str(key): value for key, value in found[0].items()}
    assert (row["node_type"], row["source"], row["target"], row["both"]) == ("Genre", 2, 3, 1)
    assert row["distance"] == pytest.approx(distance([2 / 3, 1 / 3, 0, 0], [1 / 4, 0, 1 / 2, 1 / 4]))
    # b1 has 3 interactions and b2 one: crime 4, verse 1; f1 and f2 two each: crime 2, war 2, war2 2.
    assert row["distance_interactions"] == pytest.approx(distance([4 / 5, 1 / 5, 0, 0], [1 / 3, 0, 1 / 3, 1 / 3]))


def distance(one: list[float], other: list[float]) -> float:
    """Jensen-Shannon distance, the formula written out."""
    total = 0.0
    for p, q in zip(one, other, strict=True):
        total += sum(x / 2 * np.log2(2 * x / (p + q)) for x in (p, q) if x)
    return float(np.sqrt(total))


def test_facts_between_entities_count_and_types_of_one_domain_do_not(view: PairView) -> None:
    of_people = pd.DataFrame(
        {
            "head_id": ["p"], "head_type": ["Person"], "relation": ["LOCATED_IN"], "tail_id": ["Ulm"],
            "tail_type": ["Place"],
        }
    )  # fmt: skip
    source = DomainTables.from_frames(
        "books", view.dataset.source.interactions, item_type="Book", facts=of_people
    )
    target = DomainTables.from_frames("films", view.dataset.target.interactions, item_type="Movie", facts=of_people)
    found = shared_entities(view_of(source, target)).set_index("node_type")
    assert list(found.index) == ["Person", "Place"] and found["both"].tolist() == [1, 1]
    assert found["distance"].tolist() == [0, 0] and found["distance_interactions"].isna().all()
    assert shared_entities(view_of(source, view.dataset.target)).empty


CELLS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(1, 5), st.integers(1, 28)), min_size=1, max_size=25,
    unique_by=lambda cell: cell[:2],
)  # fmt: skip


def world(name: str, kind: str, cells: list[Drawn], genres: Mapping[str, str]) -> DomainTables:
    rows = [(f"u{user}", f"{name}{item}", float(rating), f"2001-01-{day:02}") for user, item, rating, day in cells]
    return domain(name, kind, rows, {f"{name}{item}": genre for item, genre in genres.items()})


@given(CELLS, CELLS, st.permutations(range(3)))
@settings(max_examples=20)
def test_any_two_domains(one: list[Drawn], other: list[Drawn], turn: list[int]) -> None:
    """Shares and distances lie between 0 and 1, distances are symmetric, and the order of rows changes nothing."""
    made = world("b", "Book", one, {"0": "crime", "1": "war crime"}), world("f", "Movie", other, {"0": "war"})
    there, back = view_of(*made), view_of(*reversed(made))
    found, reverse = figures(there), figures(back)
    for figure in found.values():
        assert (figure.value is None) == bool(figure.absent)
        if figure.unit == "share" and figure.value is not None:
            assert 0 <= float(figure.value) <= 1
    for name in ("rating, total variation", "rating, Wasserstein", "popularity, Lorenz gap", "activity, Lorenz gap",
                 "time overlap", "rank correlation of their activity", "overlapping users"):  # fmt: skip
        same_reason = found[name].absent == reverse[name].absent != ""
        assert same_reason or found[name].value == pytest.approx(reverse[name].value)
    for name in ("sparsity ratio", "interactions ratio"):
        assert float(found[name].value or 0) * float(reverse[name].value or 0) == pytest.approx(1)
    assert shared_entities(there)["distance"].between(0, 1).all()
    shuffled = world("b", "Book", sorted(one, key=lambda cell: turn[cell[0] % 3]), {"0": "crime", "1": "war crime"})
    again = figures(view_of(shuffled, made[1]))
    assert {name: pytest.approx(figure.value) for name, figure in again.items() if figure.value is not None} == {
        name: figure.value for name, figure in found.items() if figure.value is not None
    }
