"""Small worlds of two domains whose right answers are known: hand-made ones in a few words, and the checkerboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from graph_schema import FACTS, SCHEMA, Schema
from kgxfer.splits import FixedFiles, Split
from loaders import CrossDomainDataset, DomainTables, pair

Likes = Mapping[str, str]
"""User -> the ids of items, separated by blanks; "b1:4.5" is an item with a rating."""

SOURCE, TARGET = "books", "films"


def rows_of(likes: Likes) -> pd.DataFrame:
    """Turn `Likes` into interactions: user_id, item_id and, where given, rating."""
    cells = [(user, *cell.split(":")) for user, items in likes.items() for cell in items.split()]
    columns = ["user_id", "item_id", "rating"][: max(map(len, cells), default=2)]
    return pd.DataFrame(cells, columns=columns, dtype="str")


def domain_of(
    name: str,
    item_type: str,
    likes: Likes,
    *,
    users: Sequence[str] = (),
    items: Sequence[str] = (),
    names: Mapping[str, str | None] | None = None,
    years: Mapping[str, int] | None = None,
    genres: Likes | None = None,
    facts: pd.DataFrame | None = None,
) -> DomainTables:
    """Make a domain; users and items are those of `likes`, sorted, unless more are given.

    Args:
        genres: item -> genres, which become HAS_GENRE facts.
    """
    rows = rows_of(likes)
    item_ids = sorted({*rows["item_id"], *items})
    table = pd.DataFrame({"item_id": item_ids})
    if names is not None:
        table["name"] = [names.get(item) for item in item_ids]
    if years is not None:
        table["year"] = [years.get(item) for item in item_ids]
    of_genre = rows_of(genres or {}).set_axis(["head_id", "tail_id"], axis=1)
    given = FACTS.empty() if facts is None else facts
    about = of_genre.assign(head_type=item_type, relation="HAS_GENRE", tail_type="Genre")
    return DomainTables.from_frames(
        name,
        rows,
        item_type=item_type,
        users=pd.DataFrame({"user_id": sorted({*rows["user_id"], *users})}),
        items=table,
        facts=about if given.empty else pd.concat([about, given], ignore_index=True),
    )


def fixed_rows(held: Mapping[str, Likes]) -> pd.DataFrame:
    """Domain -> likes as the table that `pair(fixed=...)` takes."""
    tables = [rows_of(likes)[["user_id", "item_id"]].assign(domain=name) for name, likes in held.items()]
    return pd.concat(tables, ignore_index=True)[["domain", "user_id", "item_id"]]


def pair_of(
    source: DomainTables,
    target: DomainTables,
    test: Mapping[str, Likes] | None = None,
    valid: Mapping[str, Likes] | None = None,
    *,
    links: pd.DataFrame | None = None,
    schema: Schema = SCHEMA,
    positive_from: float | None = None,
) -> CrossDomainDataset:
    """Pair two domains; `test` and `valid` say, domain by domain, which of their rows are held out."""
    parts = {"test": test, "valid": valid}
    fixed = {part: fixed_rows(held) for part, held in parts.items() if held is not None}
    return pair("world", source, target, links, schema=schema, positive_from=positive_from, fixed=fixed)


def split_of(
    source: Likes, target: Likes, test: Mapping[str, Likes], valid: Mapping[str, Likes] | None = None
) -> Split:
    """Split hand-made likes of books and films as `test` and `valid` say; the rest is training."""
    books, films = domain_of(SOURCE, "Book", source), domain_of(TARGET, "Movie", target)
    return FixedFiles().split(pair_of(books, films, test, valid))


def block_of(identifier: str) -> int:
    """The block, 0 or 1, of a user, item or genre of the checkerboard."""
    return int("".join(filter(str.isdigit, identifier))) % 2


def checkerboard(users: int = 12, items: int = 8, links: bool = True) -> CrossDomainDataset:
    """Two blocks of users, who like the items of their own block in both domains and nothing else.

    Person n and item n belong to block n % 2. A person likes all items of the block but one in each domain, so that a
    warm user has exactly one item left to be recommended. The items of each block share a genre across the domains
    ("genre0", "genre1"). The right answer for a cold-start user is the whole block before anything else: recall at
    items / 2 is 1, and at chance 1/2.

    Args:
        users: people, each active in both domains; even.
        items: items per domain; even.
        links: whether a person has one user id ("u3") in both domains; otherwise the ids differ ("books-u3") and only
            the genres connect the domains.
    """
    likes: dict[str, dict[str, str]] = {}
    for domain, letter in ((SOURCE, "b"), (TARGET, "f")):
        likes[domain] = {
            f"u{person}" if links else f"{domain}-u{person}": " ".join(
                f"{letter}{item}" for item in range(person % 2, items, 2) if item // 2 != person // 2 % (items // 2)
            )
            for person in range(users)
        }
    tables = [
        domain_of(
            domain,
            item_type,
            likes[domain],
            names={f"{letter}{item}": f"{item_type} number {item}" for item in range(items)},
            genres={f"{letter}{item}": f"genre{item % 2}" for item in range(items)},
        )
        for domain, letter, item_type in ((SOURCE, "b", "Book"), (TARGET, "f", "Movie"))
    ]
    return pair("checkerboard", *tables)
