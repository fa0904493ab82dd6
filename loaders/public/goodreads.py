"""Goodreads (UCSD Book Graph) in its official files: books on readers' shelves, with ratings of 1 to 5.

JSON lines, whole or by `genre` (the whole has 228 million interactions, more than the tables of a domain can hold in a
few GB of memory: take a genre). Ids are text; what is missing is ``""``. What is known to be odd, and what is done:

- A rating of 0 is none. `feedback` chooses: "explicit" keeps the ratings of 1 to 5, "read" the books that were read,
  "all" every book on a shelf; the last two are without ratings.
- Dates are like ``Thu Mar 22 14:04:31 -0700 2012``; a row whose `date_added` is not is counted as unreadable.
- Years such as 65535 are none.
- The names of genres are made of several, "history, historical fiction, biography"; each becomes a genre with a capital
  letter, as MovieLens has them, so that both know the same Fantasy. An author's id is the name, for the same reason.

The format is tested on files of our own making; no official file was read.

Wan, McAuley, "Item Recommendation on Monotonic Behavior Chains", RecSys 2018; Wan et al., ACL 2019.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from loaders.dataset import DomainTables
from loaders.public._official import (
    Home,
    OfficialConfig,
    assert_listed,
    decades,
    facts_frame,
    official_card,
    plain_text,
    tables_of,
)
from loaders.public._records import JsonLines, Records, read
from loaders.raw import BadLine, RawDomain, RawTable

LAST_YEAR = 2018

Genre = Literal[
    "all",
    "children",
    "comics_graphic",
    "fantasy_paranormal",
    "history_biography",
    "mystery_thriller_crime",
    "poetry",
    "romance",
    "young_adult",
]

CARD = official_card(
    "goodreads",
    "Goodreads: books on readers' shelves",
    "https://cseweb.ucsd.edu/~jmcauley/datasets/goodreads.html",
    "academic use only, no redistribution, no commercial use (the origin's terms)",
    "Mengting Wan, Julian McAuley: Item Recommendation on Monotonic Behavior Chains. RecSys 2018. Mengting Wan, "
    "Rishabh Misra, Ndapa Nakashole, Julian McAuley: Fine-Grained Spoiler Detection from Large-Scale Review "
    "Corpora. ACL 2019.",
    {"users": 876_145, "items": 2_360_655, "interactions": 228_648_342},
)

_HOME = Home(CARD.name, "goodreads", CARD.url)
_DATE = "%a %b %d %H:%M:%S %z %Y"


class GoodreadsConfig(OfficialConfig):
    """Which books, which rows are interactions, and what to call the domain; `facts` False needs no file of them."""

    genre: Genre = "all"
    feedback: Literal["explicit", "read", "all"] = "explicit"
    facts: bool = True
    domain: str = "books"


def _writers(value: Any) -> list[str]:
    """Return the ids of those who wrote a book: others, such as translators, have a role."""
    people = value if isinstance(value, list) else []
    return [str(one.get("author_id")) for one in people if isinstance(one, dict) and one.get("role") in ("", None)]


def _names_of(value: Any) -> list[str]:
    return list(value) if isinstance(value, dict) else []


_SHELVES = JsonLines({"user_id": "id", "book_id": "id", "is_read": "flag", "rating": "number", "date_added": "text"})
_BOOKS = JsonLines(
    {"book_id": "id", "title": "text", "publisher": "text", "publication_year": "text", "authors": "texts"},
    reach={"authors": _writers},
)
_AUTHORS = JsonLines({"author_id": "id", "name": "text"})
_GENRES = JsonLines({"book_id": "id", "genres": "texts"}, reach={"genres": _names_of})


def read_books(root: Path, config: GoodreadsConfig) -> RawDomain:
    """Read the collection; readers are called "goodreads:8842...", so that no other data set has them.

    Raises:
        InputError: a file is absent (it says which, from where, and where to put it), damaged, or of another format.
    """
    part = "" if config.genre == "all" else f"_{config.genre}"
    names = [f"goodreads_interactions{part or '_dedup'}.json", f"goodreads_books{part}.json"]
    if config.facts:
        names += ["goodreads_book_authors.json", "goodreads_book_genres_initial.json"]
    remedy = "; facts=False does without authors and genres" if config.facts else ""
    places = [_HOME.find(root, name, remedy) for name in names]
    shelves, books = read(places[0], _SHELVES), read(places[1], _BOOKS)
    if config.whole and config.genre == "all":
        users = shelves.column("user_id").nunique()
        assert_listed(CARD, {"users": users, "items": books.listed, "interactions": shelves.listed})
    facts = None
    if config.facts:
        authors, genres = read(places[2], _AUTHORS), read(places[3], _GENRES)
        facts = RawTable(_facts(books, authors, genres), str(places[3]), bad_lines=genres.bad_lines)
    titles = plain_text(books.column("title"))
    return RawDomain(
        domain=config.domain,
        item_type="Book",
        interactions=_interactions(shelves, config),
        items=books.raw(item_id=books.column("book_id"), name=titles, year=_years(books)),
        facts=facts,
    )


def load_domain(root: Path, **options: Any) -> DomainTables:
    """Load the collection; `options` are those of `GoodreadsConfig`. Raises InputError like `read_books`."""
    config = GoodreadsConfig.parse(options, 'options of domain "goodreads"')
    card = CARD if config.genre == "all" else replace(CARD, title=f"{CARD.title}, {config.genre}", counts={})
    return tables_of(read_books(root, config), card)


def _interactions(shelves: Records, config: GoodreadsConfig) -> RawTable:
    rated, dates = shelves.column("rating"), shelves.column("date_added")
    moments = pd.to_datetime(dates, format=_DATE, errors="coerce", utc=True)
    kept = moments.notna()
    undated = tuple(
        BadLine(int(line), "date_added is no date", str(date)[:80])
        for line, date in zip(shelves.lines[~kept.to_numpy()], dates[~kept], strict=True)
    )
    if config.feedback == "explicit":
        kept &= rated > 0
    elif config.feedback == "read":
        kept &= shelves.column("is_read").astype("bool")
    columns = {
        "user_id": shelves.ids("user_id", "goodreads:"),
        "item_id": shelves.column("book_id"),
        **({"rating": rated} if config.feedback == "explicit" else {}),
        "timestamp": moments,
    }
    rows = pd.DataFrame(columns)[kept].reset_index(drop=True)
    bad = tuple(sorted((*shelves.bad_lines, *undated), key=lambda one: one.line))
    return RawTable(rows, str(shelves.place), shelves.lines[kept.to_numpy()], bad)


def _years(books: Records) -> pd.Series:
    years = pd.to_numeric(books.column("publication_year"), errors="coerce")
    return years.where((years > 0) & (years <= LAST_YEAR))


def _facts(books: Records, authors: Records, genres: Records) -> pd.DataFrame:
    """Return author, publisher, decade and genres of the books that are listed."""
    ids = books.column("book_id")
    written = books.pairs("book_id", "authors")
    names = pd.Series(plain_text(authors.column("name")).to_numpy(), index=authors.column("author_id").to_numpy())
    writers = written["authors"].map(names[~names.index.duplicated()]).astype("str")
    sorts = genres.pairs("book_id", "genres")
    # The file of genres is of all books, whatever part of them is read.
    sorts = sorts[sorts["book_id"].isin(ids)]
    sorts = sorts.assign(genres=sorts["genres"].str.split(", ")).explode("genres")
    return pd.concat(
        [
            facts_frame(written["book_id"], "Book", "AUTHORED_BY", "Person", writers),
            facts_frame(ids, "Book", "PUBLISHED_BY", "Organisation", plain_text(books.column("publisher"))),
            facts_frame(ids, "Book", "IN_PERIOD", "Period", decades(_years(books))),
            facts_frame(sorts["book_id"], "Book", "HAS_GENRE", "Genre", sorts["genres"].astype("str").str.title()),
        ],
        ignore_index=True,
    )
