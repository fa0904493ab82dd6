"""What a query of the pack is: a text in plain Cypher, its parameters, its columns, and what of them can be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ParameterKind = Literal["text", "integer", "number", "domain", "run", "user", "item", "entity", "node"]
"""What a value stands for. A user, item, entity or node is given by key, id or name; the query is given the keys of the
node and of those that SAME_AS joins to it."""

ColumnKind = Literal["text", "integer", "number", "boolean", "datetime", "set", "list"]
"""A set's order means nothing (it is sorted), a list's does."""

SOURCE_DOMAIN, TARGET_DOMAIN, LATEST, BEFORE_LATEST = "@source", "@target", "@latest", "@before"
"""Defaults that the stored graph decides: its domains, its runs."""


@dataclass(frozen=True)
class Parameter:
    """A value that a query takes.

    Attributes:
        name: the value's, in the text ``$name``.
        kind: what it stands for.
        comment: for people.
        default: taken where none is given; None: it must be given.
    """

    name: str
    kind: ParameterKind
    comment: str
    default: str | int | float | None = None


@dataclass(frozen=True)
class Column:
    """A column of the answer."""

    name: str
    kind: ColumnKind = "text"


@dataclass(frozen=True)
class Line:
    """Every row draws an edge between the nodes that two columns of keys name.

    Attributes:
        head, tail: columns of keys; no tail: the head alone is drawn.
        relation: of every row, or
        column: the column that says it.
    """

    head: str
    tail: str | None = None
    relation: str = ""
    column: str | None = None


@dataclass(frozen=True)
class Chain:
    """Every row draws a path: a column of lists of keys, and one of the relations between them."""

    keys: str
    relations: str


@dataclass(frozen=True)
class Query:
    """A question to a stored knowledge graph.

    Attributes:
        name: by which it is asked.
        title: in a few words.
        answers: what it says, and how to read it.
        text: Cypher with the vocabulary's names, see `kgxfer.queries.dialects`; without LIMIT.
        columns: of the answer, in order.
        parameters: that the text takes; `$source` and `$target`, the domains' names, are always there.
        needs: relations, and properties of nodes as ".name", without which there is no row.
        pictures: what of a row can be drawn.
    """

    name: str
    title: str
    answers: str
    text: str
    columns: tuple[Column, ...]
    parameters: tuple[Parameter, ...] = ()
    needs: tuple[str, ...] = ()
    pictures: tuple[Line | Chain, ...] = ()


def columns(said: str) -> tuple[Column, ...]:
    """Make columns from words such as "user_key" and "users:integer".

    >>> columns("item users:integer")
    (Column(name='item', kind='text'), Column(name='users', kind='integer'))
    """
    return tuple(Column(*word.split(":")) for word in said.split())  # type: ignore[arg-type]
