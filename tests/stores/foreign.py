"""A library's own graph in Neo4j, as no program of ours would make it, and the map that reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neo4j import Driver

MOMENT = datetime(2021, 5, 4, 12, 30, tzinfo=UTC)

MAP: dict[str, Any] = {
    "name": "library",
    "positive_from": 3,
    "source": {
        "domain": "books",
        "item_type": "Book",
        "users": {"label": "Library Reader", "id": "card no", "name": "full name"},
        "items": {
            "label": "Printed Book",
            "id": "isbn",
            "name": "title",
            "year": "published",
            "attributes": {"kinds": {"kind": "multi-valued", "relation": "HAS_GENRE", "node_type": "Genre"}},
        },
        "interactions": {"type": "HAS READ", "rating": "stars", "timestamp": "on"},
        "knows": {"type": "FRIEND OF"},
        "facts": [
            {
                "type": "WROTE",
                "relation": "AUTHORED_BY",
                "reversed": True,
                "tail": {"label": "Writer", "id": "name", "name": "name", "node_type": "Person"},
            }
        ],
    },
    "target": {
        "domain": "films",
        "item_type": "Movie",
        "users": {"label": "Library Reader", "id": "card no", "name": "full name"},
        "items": {"label": "Medium", "id": "code", "name": "called", "where": {"sort": "film"}},
        "interactions": {"type": "BORROWED BY", "reversed": True, "rating": "joy", "timestamp": "day"},
        "facts": [
            {
                "type": "FEELS",
                "relation": "HAS_MOOD",
                "tail": {"label": "Mood", "id": "word", "name": "word", "node_type": "Mood"},
            }
        ],
    },
    "vocabulary": {
        "node_types": {"Mood": "Entity"},
        "relations": [{"name": "HAS_MOOD", "head": "Item", "tail": "Mood"}],
    },
}
"""Rows of books have stars and moments, those of films an epoch; some media are no films."""

ODD = 'Moby-Dick; "the `whale`"\n\u202eright to left\u202c \U0001f40b'

BOOKS = [
    {"isbn": "b1", "title": ODD, "published": 1851, "kinds": ["sea", "whales"]},
    {"isbn": "b2", "title": "Emma", "published": 1815, "kinds": ["manners"]},
    {"isbn": "b3", "title": None, "published": None, "kinds": None},
]
MEDIA = [
    {"code": 7, "called": "Jaws", "sort": "film"},
    {"code": 8, "called": "Clueless", "sort": "film"},
    {"code": 9, "called": "A map of Ohio", "sort": "map"},
]
READERS = [{"card no": number, "full name": f"Reader {number}"} for number in range(1, 7)]
READ = [(1, "b1", 5), (1, "b2", 2), (2, "b1", 4), (3, "b2", 5), (4, "b2", 3)]
BORROWED = [(1, 7, 0), (2, 7, 1), (3, 8, 2), (5, 8, 3), (5, 9, 4)]
FRIENDS = [(1, 2), (1, 6)]
FIRST_DAY = 1_600_000_000

STATEMENTS: list[tuple[str, Any]] = [
    ("UNWIND $rows AS row CREATE (n:`Library Reader`:Person) SET n = row", READERS),
    ("UNWIND $rows AS row CREATE (n:`Printed Book`) SET n = row", BOOKS),
    ("UNWIND $rows AS row CREATE (n:Medium) SET n = row", MEDIA),
    (
        "UNWIND $rows AS row MATCH (a:`Library Reader` {`card no`: row[0]}), (b:`Printed Book` {isbn: row[1]}) "
        "CREATE (a)-[:`HAS READ` {stars: row[2], on: row[3]}]->(b)",
        [[*row, MOMENT] for row in READ],
    ),
    (
        "UNWIND $rows AS row MATCH (a:`Library Reader` {`card no`: row[0]}), (b:Medium {code: row[1]}) "
        "CREATE (b)-[:`BORROWED BY` {day: row[2], joy: 5}]->(a)",
        [[user, item, FIRST_DAY + 86_400 * day] for user, item, day in BORROWED],
    ),
    (
        "UNWIND $rows AS row MATCH (a:`Library Reader` {`card no`: row[0]}), (b:`Library Reader` {`card no`: row[1]}) "
        "CREATE (a)-[:`FRIEND OF`]->(b)",
        [list(row) for row in FRIENDS],
    ),
    (
        "UNWIND $rows AS row MATCH (b:`Printed Book` {isbn: row[1]}) MERGE (a:Writer {name: row[0]}) "
        "CREATE (a)-[:WROTE]->(b)",
        [["Melville", "b1"], ["Austen", "b2"], ["Austen", "b3"]],
    ),
    (
        "UNWIND $rows AS row MATCH (b:Medium {code: row[0]}) MERGE (a:Mood {word: row[1]}) CREATE (b)-[:FEELS]->(a)",
        [[7, "tense"], [8, "light"], [9, "dull"]],
    ),
]


def write(driver: Driver) -> None:
    """Make the library's graph; whoever calls clears what was there."""
    for text, rows in STATEMENTS:
        driver.execute_query(text, rows=rows)
