"""What every query of the pack answers on the worlds of `tests.queries.world`, worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

Cell = Any


@dataclass(frozen=True)
class Answer:
    """Rows in order; a cell is None where nothing is said."""

    world: str
    rows: list[tuple[Cell, ...]]
    parameters: dict[str, Any] = field(default_factory=dict)


def b(*numbers: int) -> list[str]:
    return [f"Book:books/b{number}" for number in numbers]


def f(*numbers: int) -> list[str]:
    return [f"Movie:films/f{number}" for number in numbers]


B1, B2, B3, B4, B5 = b(1, 2, 3, 4, 5)
F1, F2, F3, F4, F5 = f(1, 2, 3, 4, 5)
FIRM, KILL, DUNE, EMMA, ALIEN, CLUELESS = "The Firm", "A Time to Kill", "Dune", "Emma", "Alien", "Clueless"
S1, S2, C1, C2, C3 = "Product:sport/s1", "Product:sport/s2", "Product:cloth/c1", "Product:cloth/c2", "Product:cloth/c3"
BOOK_THRILLER, FILM_THRILLER = "Genre:books/thriller", "Genre:films/thriller"

ANSWERS: dict[str, Answer] = {
    "domains": Answer(
        "library",
        [
            ("books", "Book", 5), ("books", "User", 4), ("books", "Genre", 3), ("books", "Person", 3),
            ("films", "Movie", 5), ("films", "Genre", 4), ("films", "Person", 4), ("films", "User", 4),
        ],
    ),
    "relations": Answer(
        "library",
        [
            ("ACTED_IN", "Person", "Movie", "films", 1), ("AUTHORED_BY", "Book", "Person", "books", 4),
            ("AUTHORED_BY", "Movie", "Person", "films", 3), ("DIRECTED_BY", "Movie", "Person", "films", 1),
            ("HAS_GENRE", "Book", "Genre", "books", 4), ("HAS_GENRE", "Movie", "Genre", "films", 6),
            ("RATED", "User", "Book", "books", 7), ("RATED", "User", "Movie", "films", 5),
            ("SAME_AS", "Genre", "Genre", None, 3), ("SAME_AS", "Person", "Person", None, 2),
            ("SAME_AS", "User", "User", None, 3), ("SIMILAR_TO", "Book", "Movie", None, 4),
        ],
    ),
    "degrees": Answer("shop", [("Product", 5, 0, 1.0, 8 / 5, 3), ("User", 5, 1, 2.0, 10 / 5, 3)]),
    "isolated": Answer("library", [("Book", B5, "Ulysses")]),
    "find": Answer("library", [("Book", B3, DUNE, ["books"]), ("Movie", F3, DUNE, ["films"])], {"text": "dUn"}),
    "neighbours": Answer(
        "library",
        [
            (BOOK_THRILLER, "HAS_GENRE", B1, FIRM, B1, BOOK_THRILLER),
            (BOOK_THRILLER, "HAS_GENRE", B2, KILL, B2, BOOK_THRILLER),
            (BOOK_THRILLER, "SAME_AS", FILM_THRILLER, "thriller", BOOK_THRILLER, FILM_THRILLER),
            (FILM_THRILLER, "HAS_GENRE", F1, FIRM, F1, FILM_THRILLER),
            (FILM_THRILLER, "HAS_GENRE", F2, KILL, F2, FILM_THRILLER),
            (FILM_THRILLER, "SAME_AS", BOOK_THRILLER, "thriller", BOOK_THRILLER, FILM_THRILLER),
        ],
        {"node": "thriller"},
    ),
    "duplicate-names": Answer("shop", [("Product", "cloth", "shirt", 2, [C2, C3])]),
    "popular-items": Answer(
        "library", [(B3, DUNE, 3), (B1, FIRM, 2), (B2, KILL, 1), (B4, EMMA, 1)], {"domain": "books"}
    ),
    "long-tail": Answer(
        "library", [("books", 5, 3, 3 / 5, 7, 2, 2 / 7), ("films", 5, 3, 3 / 5, 5, 1, 1 / 5)], {"most": 1}
    ),
    "profile": Answer(
        "library",
        [
            ("books", "John Grisham", 2, 2 / 5), ("books", "Frank Herbert", 1, 1 / 5),
            ("books", "Jane Austen", 1, 1 / 5), ("films", "John Grisham", 2, 2 / 5),
            ("films", "Frank Herbert", 1, 1 / 5),
        ],
        {"relation": "AUTHORED_BY"},
    ),
    "decades": Answer(
        "library",
        [
            ("books", 1810, 1, 1), ("books", 1960, 1, 3), ("books", 1980, 1, 1), ("books", 1990, 1, 2),
            ("films", 1970, 1, 2), ("films", 1980, 1, 1), ("films", 1990, 3, 2),
        ],
    ),
    "taken-together": Answer(
        "library",
        [
            (B3, DUNE, "books", 1), (B4, EMMA, "books", 1), (F1, FIRM, "films", 1), (F3, DUNE, "films", 1),
            (F4, ALIEN, "films", 1),
        ],
        {"item": "b1"},
    ),
    "cold-start-items": Answer("library", [(F2, KILL, 2), (F5, CLUELESS, 1)]),
    "bridges": Answer(
        "library",
        [
            ("SAME_AS", "Genre", "Genre", "shared_id", 3, 1.0, 1.0),
            ("SAME_AS", "Person", "Person", "shared_id", 2, 1.0, 1.0),
            ("SAME_AS", "User", "User", "shared_id", 3, 1.0, 1.0),
            ("SIMILAR_TO", "Book", "Movie", "same_name", 4, 0.5, (0.95 + 0.8 + 1 + 0.5) / 4),
        ],
    ),
    "coverage": Answer(
        "library",
        [
            ("books", "Book", 5, 3, 3 / 5), ("books", "Genre", 3, 3, 1.0), ("books", "Person", 3, 2, 2 / 3),
            ("books", "User", 4, 3, 3 / 4), ("films", "Genre", 4, 3, 3 / 4), ("films", "Movie", 5, 4, 4 / 5),
            ("films", "Person", 4, 2, 2 / 4), ("films", "User", 4, 3, 3 / 4),
        ],
    ),
    "hubs": Answer(
        "library",
        [
            (BOOK_THRILLER, "thriller", "Genre", 2, 2, 4), ("Person:books/p1", "John Grisham", "Person", 2, 2, 4),
            ("Genre:books/scifi", "scifi", "Genre", 1, 2, 2), ("Genre:books/romance", "romance", "Genre", 1, 1, 1),
            ("Person:books/p2", "Frank Herbert", "Person", 1, 1, 1),
        ],
    ),
    "suspicious-links": Answer(
        "library",
        [
            ("SIMILAR_TO", B3, DUNE, F4, ALIEN, 0.5, "same_name", True, True, True, 3),
            ("SIMILAR_TO", B2, KILL, F2, KILL, 0.8, "same_name", True, False, False, 1),
            ("SIMILAR_TO", B3, DUNE, F3, DUNE, 1.0, "same_name", False, False, True, 1),
        ],
    ),
    "twins": Answer("shop", [(S1, "shoe", C1, "shoe", 1.0, 2, 2, 1)]),
    "linked-items": Answer(
        "library",
        [(B3, "SIMILAR_TO", F3, DUNE, 1.0, "same_name"), (B3, "SIMILAR_TO", F4, ALIEN, 0.5, "same_name")],
        {"item": "b3"},
    ),
    "similar-by-facts": Answer(
        "library",
        [(F1, FIRM, 2, ["John Grisham", "thriller"]), (F2, KILL, 2, ["John Grisham", "thriller"])],
        {"item": "b1", "domain": "films"},
    ),
    "similar-by-embedding": Answer(
        "library", [(F1, FIRM, 0.6), (B3, DUNE, 0.0), (F3, DUNE, 0.0), (F4, ALIEN, -1.0)], {"item": "b1"}
    ),
    "only-through-entities": Answer("library", [(F2, KILL, 2), (F5, CLUELESS, 1)]),
    "users-in-both": Answer(
        "library",
        [("User:books/ann", "User:films/ann", "ann", 2, 2), ("User:books/bob", "User:films/bob", "bob", 2, 1)],
    ),
    "cold-start-users": Answer("library", [("User:books/cem", "cem", 2), ("User:books/dan", "dan", 1)]),
    "history": Answer(
        "library",
        [
            ("books", "User:books/ann", B1, FIRM, 5.0), ("books", "User:books/ann", B3, DUNE, 4.0),
            ("films", "User:films/ann", F3, DUNE, 5.0), ("films", "User:films/ann", F4, ALIEN, 4.0),
        ],
        {"user": "ann"},
    ),
    "taste-shift": Answer(
        "library", [("horror", 0.0, 0.5, 0.5), ("scifi", 0.5, 1.0, 0.5), ("thriller", 0.5, 0.0, -0.5)], {"user": "ann"}
    ),
    "shortest-paths": Answer(
        "library",
        [
            (2, ["cem", KILL, KILL], ["RATED", "SIMILAR_TO"], ["User:books/cem", B2, F2]),
        ],
        {"user": "cem", "item": "f2"},
    ),
    "paths-by-facts": Answer(
        "library",
        [
            (
                "User:books/cem", B2, KILL, "AUTHORED_BY", "Person:books/p1", "John Grisham", "Person:films/p1",
                "AUTHORED_BY", F2, KILL,
            ),
            (
                "User:books/cem", B2, KILL, "HAS_GENRE", BOOK_THRILLER, "thriller", FILM_THRILLER, "HAS_GENRE", F2,
                KILL,
            ),
        ],
        {"user": "cem", "item": "f2"},
    ),
    "paths-by-people": Answer("library", [("User:books/cem", B3, DUNE, F4, 1)], {"user": "cem", "item": ALIEN}),
    "runs": Answer(
        "library",
        [
            ("june", "learned", pd.Timestamp("2026-06-01", tz="UTC"), 3, 4, 5),
            ("may", "walks", pd.Timestamp("2026-05-01", tz="UTC"), 2, 3, 4),
        ],
    ),
    "recommendations": Answer(
        "library",
        [
            (1, "User:films/ann", F1, FIRM, 0.8, 2, ["John Grisham", "thriller"]),
            (2, "User:films/ann", F5, CLUELESS, 0.6, 0, []),
        ],
        {"user": "ann"},
    ),
    "most-recommended": Answer(
        "library", [(F1, FIRM, 2, 1.5, 2), (F3, DUNE, 1, 1.0, 1), (F2, KILL, 1, 2.0, 0)], {"run": "may"}
    ),
    "concentration": Answer("library", [("june", 5, 4, 2 / 5, 25 / 7), ("may", 4, 3, 2 / 4, 16 / 6)]),
    "never-recommended": Answer("library", [(F4, ALIEN, 2)]),
    "drift-by-user": Answer(
        "library",
        [
            ("User:films/eve", "eve", 0, 1, 0, 0.0), ("User:films/ann", "ann", 1, 1, 1, 1 / 3),
            ("User:films/cem", "cem", 1, 1, 1, 1 / 3),
        ],
    ),
    "drift-by-item": Answer(
        "library",
        [(F1, FIRM, 1, 2, 1), (F3, DUNE, 2, 1, -1), (F5, CLUELESS, 1, 0, -1), (F2, KILL, 1, 1, 0)],
        {"run": "may", "before": "june"},
    ),
    "communities": Answer("shop", [(7, 3, 1, 2), (2, 2, 1, 1)]),
    "community-of": Answer("shop", [("User:cloth/ann", "ann", "User", 2)], {"node": S1}),
    "between-communities": Answer("shop", [(2, 7, "RATED", 1)]),
}
