"""Small data sets to be reported on."""

from __future__ import annotations

import pandas as pd

from graph_schema import LINKS, SCHEMA
from loaders import CrossDomainDataset, DomainTables
from loaders.cleaning import Cleaned, clean
from loaders.raw import Attribute, RawDomain, RawTable

NASTY = '<script>alert("1")</script> & Co'


def raw(name: str = "books", item_type: str = "Book", letter: str = "b", users: int = 6) -> RawDomain:
    """Each of `users` people with three of four items, times and ratings; and four faults in lines 2 to 5.

    Line 2 has no user, line 3 a rating of no number, line 4 a decimal comma, line 5 repeats line 6 exactly.
    """
    good = [
        (f"u{user}", f"{letter}{(user + step) % 4}", str(1 + (user + step) % 5), f"200{user % 3}-0{1 + step}-01")
        for user in range(users) for step in range(3)
    ]  # fmt: skip
    bad = [("", f"{letter}0", "3", "2001-01-01"), ("u0", f"{letter}3", "great", "2001-01-01")]
    repaired = (good[-1][0], good[-1][1], "4,5", good[-1][3])
    rows = [*bad, repaired, good[0], *good[:-1]]
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "timestamp"], dtype="str")
    items = pd.DataFrame(
        {
            "item_id": [f"{letter}{number}" for number in range(5)], "name": [NASTY, "Two", "Three", "Four", "Five"],
            "genre": ["crime", "crime|verse", "verse", "", "crime"],
        }, dtype="str",
    )  # fmt: skip
    genre = Attribute("genre", "multi-valued", "HAS_GENRE", "Genre")
    return RawDomain(
        name, item_type, RawTable(frame, f"{name}.csv", pd.RangeIndex(2, 2 + len(frame)).to_numpy()),
        items=RawTable(items, f"{name}-items.csv", pd.RangeIndex(2, 7).to_numpy()), item_attributes=(genre,),
    )  # fmt: skip


def made() -> tuple[CrossDomainDataset, tuple[Cleaned, Cleaned]]:
    """Books and films of six and four people, cleaned."""
    cleaned = (clean(raw()), clean(raw("films", "Movie", "f", users=4)))
    return CrossDomainDataset("made", cleaned[0].tables, cleaned[1].tables, LINKS.empty(), SCHEMA, 4.0), cleaned


def plain(name: str, rows: list[tuple[str, str, float]], item_type: str = "Item") -> DomainTables:
    """A domain of interactions alone."""
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "rating"])
    return DomainTables.from_frames(name, frame, item_type=item_type)
