"""Who is who in a picture of a path."""

from __future__ import annotations

import re

from graph_schema import SCHEMA, EdgeType
from kgxfer.explain.path import Node, Path, Step
from kgxfer.explain.picture import svg


def test_the_user_as_the_other_domain_knows_them_is_still_the_user() -> None:
    nodes = (
        Node("User", "User:films/ann", "ann", None, "user"), Node("User", "User:books/ann", "ann", None, "user"),
        Node("Book", "Book:books/b1", "b1", "Emma", "book"), Node("User", "User:books/bob", "bob", None, "user"),
        Node("User", "User:films/bob", "bob", None, "user"), Node("Movie", "Movie:films/f1", "f1", "Clueless", "film"),
    )  # fmt: skip
    away = [("User", "SAME_AS", "User", False), ("User", "RATED", "Book", True), ("User", "RATED", "Book", False)]
    away += [("User", "SAME_AS", "User", True), ("User", "RATED", "Movie", True)]
    steps = tuple(Step(EdgeType(head, relation, tail), 0, there, "") for head, relation, tail, there in away)
    drawn = svg((Path(nodes, steps, 1.0, 1.0, 1.0),), SCHEMA, "why")
    named = re.findall(r'fill="#202124">([^<]*)</text>', drawn)
    assert named == ["you", "you", "Emma", "someone else", "someone else", "Clueless"]
