"""Public collections in their official files, which a user fetches: one domain by name, or two of one collection.

>>> "book-crossing" in DOMAINS
True

Two domains of different collections share no user; `loaders.pair` joins them where their facts name the same entities
(decades, genres), or by links: ``loaders.pair("films to books", load_domain("movielens"), load_domain("goodreads"))``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graph_schema.config import Config
from graph_schema.errors import unknown_name
from loaders.dataset import DataCard, DomainTables
from loaders.public import amazon_reviews, book_crossing, goodreads, lastfm_hetrec, movielens
from loaders.public._official import ReadingWarning
from loaders.raw import RawDomain
from loaders.registry import DataSet, root_folder

__all__ = ["COLLECTIONS", "DOMAINS", "OneDomain", "ReadingWarning", "load_domain", "read_domain"]


@dataclass(frozen=True)
class OneDomain:
    """An entry of `DOMAINS`.

    Attributes:
        card: origin and terms of what the default options load.
        config: the options, as settings.
        read: takes the root folder and the settings, and returns the rows as they were read, with unreadable lines.
        load: takes the root folder and the options by keyword, and returns the tables; it warns of what was left out.
    """

    card: DataCard
    config: type[Config]
    read: Callable[[Path, Any], RawDomain]
    load: Callable[..., DomainTables]


DOMAINS: dict[str, OneDomain] = {
    "amazon-reviews": OneDomain(
        amazon_reviews.CARD, amazon_reviews.CategoryConfig, amazon_reviews.read_category, amazon_reviews.load_domain
    ),
    "movielens": OneDomain(movielens.CARD, movielens.FilmsConfig, movielens.read_films, movielens.load_domain),
    "book-crossing": OneDomain(
        book_crossing.CARD, book_crossing.BookCrossingConfig, book_crossing.read_books, book_crossing.load_domain
    ),
    "goodreads": OneDomain(goodreads.CARD, goodreads.GoodreadsConfig, goodreads.read_books, goodreads.load_domain),
    "lastfm-hetrec": OneDomain(
        lastfm_hetrec.CARD, lastfm_hetrec.LastFmConfig, lastfm_hetrec.read_artists, lastfm_hetrec.load_domain
    ),
}
"""The collections of one domain. A new one is a module in `loaders/public` and one line here."""

COLLECTIONS: dict[str, DataSet] = {
    "amazon-reviews": DataSet(
        amazon_reviews.CARD, amazon_reviews.load, options=tuple(amazon_reviews.AmazonConfig.model_fields)
    ),
    "movielens": DataSet(movielens.CARD, movielens.load, options=tuple(movielens.MovieLensConfig.model_fields)),
}
"""The collections that give two domains with common users; `loaders.load` takes their names."""


def load_domain(name: str, root: str | Path | None = None, **options: Any) -> DomainTables:
    """Load one domain from official files.

    Args:
        name: one of `DOMAINS`.
        root: the folder with the files; without it the environment variable KGXFER_DATA, else a per-user cache.
        options: those of the collection, such as `release`; `domain` renames the domain, `whole=False` says that the
            files are a part of the official ones.

    Raises:
        InputError: an unknown name or option; files that are absent (it says which to get, from where, and where to
            put them), damaged, of another format or of other counts than published.

    Warns:
        ReadingWarning: for each kind of line or entry that was left out, how many and where first.
    """
    return _entry(name).load(root_folder(root), **options)


def read_domain(name: str, root: str | Path | None = None, **options: Any) -> RawDomain:
    """Read one domain as it stands in the files, unreadable lines listed; arguments and errors as in `load_domain`."""
    entry = _entry(name)
    return entry.read(root_folder(root), entry.config.parse(options, f'options of domain "{name}"'))


def _entry(name: str) -> OneDomain:
    if name not in DOMAINS:
        raise unknown_name("domain", name, DOMAINS)
    return DOMAINS[name]
