"""Book-Crossing (2004) in its official files: books rated 1 to 10, or only registered, by readers of a community.

What is known to be odd about the files, and what is done:

- Latin-1, semicolons, every field in quotes; a quote inside a field has a backslash before it, but so does one at the
  end of a field by mistake: then title and author are one field and all that follows is one column too far left. Such
  rows are mended. A missing age is NULL without quotes.
- Texts hold HTML entities (``&amp;``), whose semicolon is no separator.
- A rating of 0 is none: it says that a reader has the book. `feedback` chooses: "explicit" keeps the ratings of 1 to
  10, "implicit" the rows without a rating, "all" every row, without ratings.
- A year of 0, or after 2005, when the files were made, is none.
- Many rated books are not in the list of books; they are items without a name.

The format is tested on files of our own making; no official file was read.

Ziegler, McNee, Konstan, Lausen, "Improving Recommendation Lists Through Topic Diversification", WWW 2005.
"""

from __future__ import annotations

import re
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
from loaders.public._records import Records, Separated, read
from loaders.raw import RawDomain, RawTable

LAST_YEAR = 2005

CARD = official_card(
    "book-crossing",
    "Book-Crossing: readers' ratings of books",
    "http://www2.informatik.uni-freiburg.de/~cziegler/BX/",
    "not stated by the origin, for research; no longer online there",
    "Cai-Nicolas Ziegler, Sean M. McNee, Joseph A. Konstan, Georg Lausen: Improving Recommendation Lists Through Topic "
    "Diversification. WWW 2005, doi 10.1145/1060745.1060754.",
    {"users": 278_858, "items": 271_379, "interactions": 1_149_780},
)

_HOME = Home(CARD.name, "book-crossing", CARD.url, ("BX-CSV-Dump.zip",))
_READER = "book-crossing:"
_BETWEEN = '";"'


class BookCrossingConfig(OfficialConfig):
    """Which rows are interactions, and what to call the domain."""

    feedback: Literal["explicit", "implicit", "all"] = "explicit"
    domain: str = "books"


def _unquoted(content: bytes) -> bytes:
    """Take the outer quotes of each line away and quote a bare NULL, so that only ``";"`` is left between fields."""
    content = re.sub(rb";NULL(?=\r?(?:\n|\Z))", b';""', content)
    return re.sub(rb'(?m)^"|"(?=\r?$)', b"", content)


def _mended(values: list[str]) -> list[str] | None:
    """Part a title from the author that a stray backslash joined to it; None where that is not what is wrong."""
    if len(values) != len(_BOOKS.columns) - 1 or values[1].count('\\";') != 1:
        return None
    title, author = values[1].split('\\";')
    return [values[0], title, author, *values[2:]]


_RATINGS = Separated(
    ("User-ID", "ISBN", "Book-Rating"),
    {"User-ID": "id", "ISBN": "id", "Book-Rating": "number"},
    _BETWEEN,
    encoding="latin-1",
    header=True,
    prepare=_unquoted,
)
_USERS = Separated(
    ("User-ID", "Location", "Age"),
    {"User-ID": "id", "Location": "text"},
    _BETWEEN,
    encoding="latin-1",
    header=True,
    prepare=_unquoted,
)
_BOOKS = Separated(
    (
        *("ISBN", "Book-Title", "Book-Author", "Year-Of-Publication", "Publisher"),
        *("Image-URL-S", "Image-URL-M", "Image-URL-L"),
    ),
    {"ISBN": "id", "Book-Title": "text", "Book-Author": "text", "Year-Of-Publication": "text", "Publisher": "text"},
    _BETWEEN,
    encoding="latin-1",
    header=True,
    prepare=_unquoted,
    mend=_mended,
)


def read_books(root: Path, config: BookCrossingConfig) -> RawDomain:
    """Read the collection; readers are called "book-crossing:276725", so that no other data set has them.

    Raises:
        InputError: a file is absent (it says which, from where, and where to put it), damaged, or of another format.
    """
    places = [_HOME.find(root, f"BX-{file}.csv") for file in ("Book-Ratings", "Users", "Books")]
    ratings, users, books = (read(place, form) for place, form in zip(places, (_RATINGS, _USERS, _BOOKS), strict=True))
    if config.whole:
        assert_listed(CARD, {"users": users.listed, "items": books.listed, "interactions": ratings.listed})
    items = _described(books)
    return RawDomain(
        domain=config.domain,
        item_type="Book",
        interactions=_interactions(ratings, config),
        items=books.raw(item_id=items["item_id"], name=items["name"], year=items["year"]),
        users=users.raw(user_id=users.ids("User-ID", _READER), location=plain_text(users.column("Location"))),
        facts=RawTable(_facts(items), str(books.place)),
    )


def load_domain(root: Path, **options: Any) -> DomainTables:
    """Load the collection; `options` are those of `BookCrossingConfig`. Raises InputError like `read_books`."""
    return tables_of(read_books(root, BookCrossingConfig.parse(options, 'options of domain "book-crossing"')), CARD)


def _isbn(texts: pd.Series) -> pd.Series:
    """ISBNs end in x or X, and have spaces around them here and there, in one file and not in the other."""
    return texts.str.strip().str.upper()


def _interactions(ratings: Records, config: BookCrossingConfig) -> RawTable:
    rated = ratings.column("Book-Rating")
    everything = ratings.raw(
        user_id=ratings.ids("User-ID", _READER), item_id=_isbn(ratings.column("ISBN")), rating=rated
    )
    if config.feedback == "all":
        kept = pd.Series(True, index=rated.index)
    else:
        kept = (rated > 0) == (config.feedback == "explicit")
    rows = everything.frame[kept].reset_index(drop=True)
    if config.feedback != "explicit":
        rows = rows.drop(columns="rating")
    return RawTable(rows, everything.where, ratings.lines[kept.to_numpy()], everything.bad_lines)


def _described(books: Records) -> pd.DataFrame:
    years = pd.to_numeric(books.column("Year-Of-Publication"), errors="coerce")
    texts = {
        name: plain_text(books.column(column).str.replace('\\"', '"', regex=False))
        for name, column in (("name", "Book-Title"), ("author", "Book-Author"), ("publisher", "Publisher"))
    }
    return pd.DataFrame(
        {"item_id": _isbn(books.column("ISBN")), **texts, "year": years.where((years > 0) & (years <= LAST_YEAR))}
    )


def _facts(items: pd.DataFrame) -> pd.DataFrame:
    """Return author, publisher and decade of each book; persons and publishers are what the files call them."""
    ids = items["item_id"]
    return pd.concat(
        [
            facts_frame(ids, "Book", "AUTHORED_BY", "Person", items["author"]),
            facts_frame(ids, "Book", "PUBLISHED_BY", "Organisation", items["publisher"]),
            facts_frame(ids, "Book", "IN_PERIOD", "Period", decades(items["year"])),
        ],
        ignore_index=True,
    )
