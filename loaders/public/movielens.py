"""MovieLens in its official files, releases 100k, 1m, 25m and 32m: one domain of films, or two by genre.

The two domains follow the rule of `loaders.public.movielens_genres`. What the releases differ in: 100k has tabs, pipes,
Latin-1 and a flag per genre; 1m has ``::`` and Latin-1; 25m and 32m are CSV with quoted titles. A year stands at the
end of a title, and some titles have none. The format is tested on files of our own making; no official file was read.

Harper and Konstan, "The MovieLens Datasets: History and Context", ACM TiiS 5 (4), 2015.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from loaders.dataset import CrossDomainDataset, DataCard, DomainTables
from loaders.public._official import Home, OfficialConfig, assert_listed, official_card, tables_of
from loaders.public._records import Kind, Records, Separated, read
from loaders.public.movielens_genres import film_facts, film_names, split_films
from loaders.raw import RawDomain, RawTable

Release = Literal["100k", "1m", "25m", "32m"]

_GENRE_FLAGS = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama"),
    *("Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
"""The last columns of the films of 100k, in their order."""

_NO_GENRE = "(no genres listed)"
_LICENCE = "GroupLens terms: research use, acknowledged, no redistribution without permission, no commercial use"
_CITATION = (
    "F. Maxwell Harper, Joseph A. Konstan: The MovieLens Datasets: History and Context. ACM Transactions on "
    "Interactive Intelligent Systems 5 (4), 2015."
)


class MovieLensConfig(OfficialConfig):
    """Which release."""

    release: Release = "1m"


class FilmsConfig(MovieLensConfig):
    """Which release, and what to call the domain."""

    domain: str = "movies"


@dataclass(frozen=True)
class _Files:
    """The two files of a release and their formats; `counts` are the published ones: films as listed, not as rated."""

    ratings: str
    rating_format: Separated
    films: str
    film_format: Separated
    counts: Mapping[str, int]


def _ratings(columns: str, **form: Any) -> Separated:
    user, film, rating, timestamp = names = tuple(columns.split())
    return Separated(names, {user: "whole", film: "whole", rating: "number", timestamp: "whole"}, **form)


def _films(columns: str, separator: str, **form: Any) -> Separated:
    names = tuple(columns.split("|"))
    kept: dict[str, Kind] = {name: "text" for name in names if name not in ("released", "on video", "address")}
    return Separated(names, {**kept, names[0]: "whole"}, separator, **form)


def _csv_files(counts: Mapping[str, int]) -> _Files:
    ratings = _ratings("userId movieId rating timestamp", separator=",", header=True)
    return _Files(
        "ratings.csv", ratings, "movies.csv", _films("movieId|title|genres", ",", header=True, quote='"'), counts
    )


_RELEASES: Mapping[Release, _Files] = {
    "100k": _Files(
        "u.data",
        _ratings("user film rating timestamp"),
        "u.item",
        _films("film|title|released|on video|address|" + "|".join(_GENRE_FLAGS), "|", encoding="latin-1"),
        {"users": 943, "items": 1_682, "interactions": 100_000},
    ),
    "1m": _Files(
        "ratings.dat",
        _ratings("user film rating timestamp", separator="::"),
        "movies.dat",
        _films("film|title|genres", "::", encoding="latin-1"),
        # Of the listed films 3,706 are rated.
        {"users": 6_040, "items": 3_883, "interactions": 1_000_209},
    ),
    "25m": _csv_files({"users": 162_541, "items": 62_423, "interactions": 25_000_095}),
    "32m": _csv_files({"users": 200_948, "items": 87_585, "interactions": 32_000_204}),
}


def card_of(release: Release) -> DataCard:
    """Return the card of a release."""
    url = f"https://grouplens.org/datasets/movielens/{release}/"
    name = "movielens" if release == MovieLensConfig().release else f"movielens-{release}"
    card = official_card(name, f"MovieLens {release}", url, _LICENCE, _CITATION, _RELEASES[release].counts)
    return replace(card, positive_from=3.5)


CARD = card_of(MovieLensConfig().release)


def read_films(root: Path, config: FilmsConfig) -> RawDomain:
    """Read a release as one domain; users are called "movielens-1m:7", so that no other data set has them.

    Raises:
        InputError: a file is absent (it says which, from where, and where to put it), damaged, or of another format.
    """
    files, card = _RELEASES[config.release], card_of(config.release)
    home = Home(card.name, "movielens", card.url, (f"ml-{config.release}.zip",))
    rated, listed = home.find(root, files.ratings), home.find(root, files.films)
    ratings, films = read(rated, files.rating_format), read(listed, files.film_format)
    user, film, rating, timestamp = files.rating_format.columns
    if config.whole:
        users = len(ratings.table[user].unique())
        assert_listed(card, {"users": users, "items": films.listed, "interactions": ratings.listed})
    described = _described(films)
    return RawDomain(
        domain=config.domain,
        item_type="Movie",
        interactions=ratings.raw(
            user_id=ratings.ids(user, f"movielens-{config.release}:"),
            item_id=ratings.ids(film),
            rating=ratings.column(rating),
            timestamp=ratings.column(timestamp),
        ),
        items=films.raw(item_id=described["movieId"], name=film_names(described), year=described["year"]),
        facts=RawTable(film_facts(described), str(listed)),
    )


def load_domain(root: Path, **options: Any) -> DomainTables:
    """Load a release as one domain; `options` are those of `FilmsConfig`. Raises InputError like `read_films`."""
    config = FilmsConfig.parse(options, 'options of domain "movielens"')
    return tables_of(read_films(root, config), card_of(config.release))


def load(root: Path, **options: Any) -> CrossDomainDataset:
    """Load a release as two domains by genre; `options` are those of `MovieLensConfig`. Raises InputError likewise."""
    config = MovieLensConfig.parse(options, 'options of data set "movielens"')
    films = FilmsConfig(**config.model_dump())
    return split_films(tables_of(read_films(root, films), card_of(config.release)))


def _described(films: Records) -> pd.DataFrame:
    """Return the films with columns movieId, title (without its year), year and genres ("A|B")."""
    key = films.table.column_names[0]
    titles = films.column("title").str.strip()
    # Also "(2007-)" and "(1983-1985)" of series: the first year counts.
    years = titles.str.extract(r"\((\d{4})[^()]*\)$")[0]
    bare = titles.str.replace(r"\s*\(\d{4}[^()]*\)$", "", regex=True)
    genres = films.column("genres") if "genres" in films.table.column_names else _flagged(films)
    return pd.DataFrame(
        {
            "movieId": films.ids(key),
            "title": bare.where(bare != ""),
            "year": years.astype("float"),
            "genres": genres,
        }
    )


def _flagged(films: Records) -> pd.Series:
    """Return the genres of a row of flags as "A|B"."""
    joined = pd.Series("", index=range(films.table.num_rows), dtype="str")
    for genre in _GENRE_FLAGS[1:]:
        joined = joined.where(films.column(genre) != "1", joined + "|" + genre)
    return joined.str.removeprefix("|").replace("", _NO_GENRE)
