"""A path as a sentence that a person can read."""

from __future__ import annotations

import unicodedata

from graph_schema.tables import IDENTITY
from kgxfer.explain.path import Node, Path, Step
from kgxfer.graph import INTERACTION, USER

LONGEST_NAME = 80
PHRASES: dict[str, tuple[str, str]] = {
    "AUTHORED_BY": ("written by {}", "who{also} wrote {}"),
    "DIRECTED_BY": ("directed by {}", "who{also} directed {}"),
    "ACTED_IN": ("who{also} acted in {}", "with {} in it"),
    "COMPOSED_BY": ("with music by {}", "who{also} wrote the music of {}"),
    "PERFORMED_BY": ("performed by {}", "who{also} performed {}"),
    "PUBLISHED_BY": ("published by {}", "who{also} published {}"),
    "PRODUCED_BY": ("produced by {}", "who{also} produced {}"),
    "HAS_GENRE": ("of the genre {}", "to which {}{also} belongs"),
    "IN_CATEGORY": ("in the category {}", "to which {}{also} belongs"),
    "HAS_KEYWORD": ("about {}", "which {} is{also} about"),
    "IN_PERIOD": ("of the period {}", "to which {}{also} belongs"),
    "LOCATED_IN": ("set in {}", "where {} is{also} set"),
    "PART_OF_SERIES": ("part of the series {}", "which {} is{also} part of"),
    "PART_OF": ("part of {}", "which {} is{also} part of"),
    "SUBCATEGORY_OF": ("part of {}", "which {} is{also} part of"),
    "KNOWS": ("who knows {}", "who is known to {}"),
    "BELONGS_TO": ("of the domain {}", "to which {}{also} belongs"),
    "SIMILAR_TO": ("much like {}", "much like {}"),
    IDENTITY: ("the same as {}", "the same as {}"),
    INTERACTION: ("who{also} liked {}", "liked by {}"),
}
"""Relation -> words from its head to its tail, and from its tail to its head; "also" where it was just come by."""

_ISOLATE, _POP = "\u2068", "\u2069"


def sentence(path: Path) -> str:
    """Write a path in one line; who another person is stays unsaid.

    >>> from graph_schema import EdgeType
    >>> ann = Node("User", "User:books/ann", "ann", None, "user")
    >>> firm = Node("Book", "Book:books/b1", "b1", "The Firm", "book")
    >>> grisham = Node("Person", "Person:books/p1", "p1", "John Grisham", "person")
    >>> film = Node("Movie", "Movie:films/f1", "f1", "A Time to Kill", "film")
    >>> steps = [("User", "RATED", "Book"), ("Book", "AUTHORED_BY", "Person"), ("Movie", "AUTHORED_BY", "Person")]
    >>> away = [True, True, False]
    >>> made = [Step(EdgeType(*one), 0, there, "") for one, there in zip(steps, away)]
    >>> sentence(Path((ann, firm, grisham, film), tuple(made), 1.0, 1.0, 1.0))
    'You liked The Firm, written by John Grisham, who also wrote the film A Time to Kill.'
    """
    first = next(place for place, step in enumerate(path.steps) if step.edge_type.relation == INTERACTION)
    nodes, steps = path.nodes[first + 1 :], path.steps[first + 1 :]
    items = {nodes[0].type, nodes[-1].type}
    words, kind, came_by = [f"You liked {shown(nodes[0])}"], nodes[0].type, INTERACTION
    for before, node, step in zip(nodes[:-1], nodes[1:], steps, strict=True):
        relation, name = step.edge_type.relation, "someone else" if node.type == USER else shown(node)
        same = relation == IDENTITY
        if same and (node.type == USER or (node.type not in items and shown(before) == name)):
            continue
        if node.type in items and node.type != kind:
            name, kind = f"the {node.word} {name}", node.type
        again = relation == came_by
        words.append(_phrase(step, again).replace("{also}", " also" if again else "").replace("{}", name))
        came_by = came_by if same else relation
    more = f" ({path.alike - 1:,} more like it)" if path.alike > 1 else ""
    return ", ".join(words) + f"{more}."


def shown(node: Node, longest: int = LONGEST_NAME) -> str:
    """The name of a node as one line without marks that turn the text around it; its id where it has none."""
    name = node.name if node.name and node.name.strip() else f"{node.word} {node.id}"
    return plain(name, longest)


def plain(name: str, longest: int = LONGEST_NAME) -> str:
    """One line, at most `longest` characters; what is written from right to left is kept apart from its neighbours.

    >>> plain("two\\nlines \\u202eand a turn")
    'two lines and a turn'
    """
    kept = "".join(" " if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in name)
    kept = " ".join("".join(one for one in kept if unicodedata.category(one) not in ("Cf", "Cs")).split())
    kept = kept if len(kept) <= longest else f"{kept[: longest - 1]}…"
    turned = any(unicodedata.bidirectional(one) in ("R", "AL") for one in kept)
    return f"{_ISOLATE}{kept}{_POP}" if turned else kept


def _phrase(step: Step, again: bool) -> str:
    known = PHRASES.get(step.edge_type.relation)
    if known is not None:
        return known[0 if step.away else 1]
    word = plain(step.word)
    if step.away:
        return f"{word} {{}}"
    return "as {} also does" if again else f"which is what {{}} {word}"
