"""A world of books and films whose links and figures are worked out by hand."""

from __future__ import annotations

import pandas as pd

from graph_schema.tables import IDENTITY
from kgxfer.bridges.links import link_table
from kgxfer.splits import FixedFiles, Split
from tests.worlds import SOURCE, TARGET, domain_of, pair_of

BOOKS = {"u1": "b1 b2", "u2": "b1", "u3": "b2 b3", "u4": "b1 b4", "lone": "b1"}
FILMS = {"u1": "f1 f2", "u2": "f1", "u3": "f3", "u4": "f1 f4", "new": "f4"}
BOOK_NAMES = {"b1": "Titanic", "b2": "The Matrix", "b3": "Heat (novel)", "b4": None}
FILM_NAMES = {"f1": "The Swan Princess", "f2": "Matrix, The", "f3": "Heat", "f4": "Ronin"}
BOOK_YEARS, FILM_YEARS = {"b1": 1997, "b2": 1999}, {"f1": 1994, "f2": 1999, "f3": 1995}


def split_of_links(item_type: str = "Movie") -> Split:
    """Four people in both domains, one in each alone; the test row is no part of the figures."""
    books = domain_of(
        SOURCE, item_type, BOOKS, names=BOOK_NAMES, years=BOOK_YEARS, genres={"b1": "sea", "b2": "code", "b3": "code"}
    )
    films = domain_of(
        TARGET, "Movie", {**FILMS, "tested": "f1"}, names=FILM_NAMES, years=FILM_YEARS,
        genres={"f1": "sea", "f2": "code"},
    )
    return FixedFiles().split(pair_of(books, films, test={TARGET: {"tested": "f1"}}))


def links_of(pairs: str, node_type: str = "Movie", confidence: float = 1.0, relation: str = IDENTITY) -> pd.DataFrame:
    """Links from "b1-f1 b2-f2"."""
    ends = [pair.split("-") for pair in pairs.split()]
    return link_table(
        [source for source, _ in ends], [target for _, target in ends], node_type, confidence, "by hand", "none",
        relation,
    )
