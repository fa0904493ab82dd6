"""Data sets of two domains: the public ones by name, and what it takes to bring your own.

>>> import loaders
>>> loaders.load("movielens-genres").target.domain
'suspense'
"""

from __future__ import annotations

from loaders.dataset import CrossDomainDataset, DataCard, DomainTables
from loaders.pairing import pair
from loaders.public import cdrib, disencdr, movielens_genres
from loaders.registry import DataSet, Registry, root_folder
from loaders.synthetic import case_study

DATA_SETS: dict[str, DataSet] = {
    "movielens-genres": DataSet(movielens_genres.CARD, movielens_genres.load),
    "cdrib-game-video": DataSet(cdrib.GAME_VIDEO.card, cdrib.GAME_VIDEO.load, cdrib.GAME_VIDEO.files),
    "cdrib-cloth-sport": DataSet(cdrib.CLOTH_SPORT.card, cdrib.CLOTH_SPORT.load, cdrib.CLOTH_SPORT.files),
    **{one.name: DataSet(one.card, one.load, one.files, disencdr.OPTIONS) for one in disencdr.PAIRS},
    "case-study": DataSet(case_study.CARD, case_study.load, options=case_study.OPTIONS),
}
"""The registry. A new data set is one module in `loaders/public` and one line here."""

_registry = Registry(DATA_SETS)
available = _registry.available
card = _registry.card
fetch = _registry.fetch
load = _registry.load

__all__ = [
    "DATA_SETS",
    "CrossDomainDataset",
    "DataCard",
    "DataSet",
    "DomainTables",
    "available",
    "card",
    "fetch",
    "load",
    "pair",
    "root_folder",
]
