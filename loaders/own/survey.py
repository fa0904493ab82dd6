"""Look at a user's files and guess the column map that joins them, with every doubt stated."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from graph_schema.errors import InputError
from loaders.own.encoding import MIXED
from loaders.own.guess import Doubt, Roles, guess_roles, tokens
from loaders.own.guess_items import ItemRoles, guess_item_type, guess_items
from loaders.own.people import People, compare_people
from loaders.own.profile import Profile, profile
from loaders.own.ratings import RatingGuess, guess_ratings
from loaders.own.read import FileFacts, read_table, sniff
from loaders.raw import RawTable

SAMPLE_ROWS = 200_000
"""So many rows are looked at to tell what a column holds; ids and ratings are then read from all rows."""

COVERS = 0.05
"""A table of items belongs to a domain when it has at least this share of the domain's items."""

_COMMON_WORDS = frozenset(
    {"ratings", "rating", "reviews", "review", "interactions", "interaction", "events", "event", "log", "logs", "data",
     "train", "user", "users"}
)


@dataclass(frozen=True, eq=False)
class Look:
    """What a file looks like: how it is read, its columns described, and the first rows."""

    path: Path
    facts: FileFacts
    header: tuple[str, ...] | None
    profiles: tuple[Profile, ...]
    sample: pd.DataFrame

    def reading(self, folder: Path) -> dict[str, Any]:
        """Keys of the map that say how to read the file, with its path as seen from `folder`."""
        found: dict[str, Any] = {"file": Path(os.path.relpath(self.path, folder)).as_posix()}
        if self.facts.separator:
            found["separator"] = self.facts.separator
        if self.facts.encoding not in ("", MIXED):
            found["encoding"] = self.facts.encoding
        if self.header is not None:
            found["header"] = list(self.header)
        return found


@dataclass(frozen=True, eq=False)
class Side:
    """One domain as it was guessed: its file, roles, rows with the columns of the roles, and its table of items."""

    look: Look
    roles: Roles
    rows: pd.DataFrame
    domain: str
    item_type: str = "Item"
    items: Look | None = None
    item_roles: ItemRoles | None = None

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Number of users, items and rows."""
        return self.rows["user_id"].nunique(), self.rows["item_id"].nunique(), len(self.rows)


@dataclass(frozen=True, eq=False)
class Survey:
    """The guessed map as plain values, and what it rests on.

    Attributes:
        values: keys of the map; `loaders.own.column_map.checked_map` takes them.
        doubts: what is unsure, by the dotted key that it concerns.
        unused: table -> columns that nothing is made of.
        people: how the users overlap.
        ratings: the scales, and the threshold.
        entities: number of values of attributes that items of both domains have, such as genres.
    """

    values: dict[str, Any]
    doubts: tuple[Doubt, ...]
    unused: Mapping[str, tuple[str, ...]]
    source: Side
    target: Side
    people: People
    ratings: RatingGuess
    entities: int

    @property
    def connected(self) -> bool:
        """Whether anything joins the two domains."""
        return bool(self.entities or (self.people.shared and self.people.both))


def survey(source: Path, target: Path, items: Sequence[Path] = (), folder: Path = Path()) -> Survey:
    """Look at two files of interactions, and files of items, and guess their column map.

    Args:
        source: interactions of the rich domain.
        target: interactions of the domain to recommend in.
        items: tables of items, in any order; each belongs to the domains whose items it has.
        folder: where the map will lie; its paths are relative to it.

    Raises:
        InputError: a file that cannot be read or has no rows, or has no columns for users and items.
    """
    if source.resolve() == target.resolve():
        raise InputError(f'"{source}" is given as source and as target; give the interactions of two domains')
    looks = [_look(path) for path in (source, target)]
    people = _same_values(*looks)
    sides = [_side(look, people if look.header is not None else {}) for look in looks]
    sides = _named_apart(sides)
    item_looks = [_look(path) for path in items]
    sides = [_with_items(side, item_looks) for side in sides]
    for look in item_looks:
        if all(side.items is not look for side in sides):
            raise InputError(
                f'"{look.path}" has no column with item ids of "{source}" or "{target}"; give the table of their items'
            )
    compared = compare_people(*(side.rows["user_id"] for side in sides))
    ratings = guess_ratings(*(side.rows.get("rating") for side in sides))
    return _survey(sides[0], sides[1], compared, ratings, folder)


def _look(path: Path) -> Look:
    facts = sniff(path)
    header = facts.columns if facts.format == "csv" and not facts.header else None
    raw = _read(path, facts, header, None, SAMPLE_ROWS)
    if raw.frame.empty:
        raise InputError(f'"{path}" has no rows; give a file with at least a few interactions')
    described = tuple(profile(raw.frame[name]) for name in raw.frame.columns)
    return Look(path, facts, header, described, raw.frame)


def _read(
    path: Path, facts: FileFacts, header: tuple[str, ...] | None, columns: Mapping[str, str] | None,
    limit: int | None = None,
) -> RawTable:  # fmt: skip
    """Read a file as its facts say."""
    return read_table(
        path, columns, format=facts.format, separator=facts.separator or None, encoding=facts.encoding or None,
        header=header or (True if facts.header else None), limit=limit,
    )  # fmt: skip


def _same_values(first: Look, second: Look) -> dict[str, float]:
    """Share of a column's values that the column in the same place of the other file has too, by column."""
    shares: dict[str, float] = {}
    for one, other in zip(first.sample.columns, second.sample.columns, strict=False):
        values = [set(look.sample[name].dropna().unique()) for look, name in ((first, one), (second, other))]
        share = len(values[0] & values[1]) / max(1, min(map(len, values)))
        shares |= {one: share, other: share}
    return shares


def _side(look: Look, people: Mapping[str, float]) -> Side:
    """Guess the roles of a file of interactions and read their columns whole."""
    roles = guess_roles(look.profiles, look.header is None, people, f'"{look.path}"')
    if look.header is not None:
        named = {column: role for role, column in roles.columns.items()}
        look = replace(look, header=tuple(named.get(name, name) for name in look.header))
        roles = replace(roles, columns={role: role for role in roles.columns})
    raw = _read(look.path, look.facts, look.header, roles.columns)
    words = [word for word in tokens(look.path.name.split(".")[0]) if word not in _COMMON_WORDS]
    kind = guess_item_type([look.path.name, roles.columns["item_id"], *(one.name for one in look.profiles)])
    return Side(look, roles, raw.frame, "-".join(words), kind)


def _named_apart(sides: list[Side]) -> list[Side]:
    """Name each domain after its file; where that says nothing, or the same of both, after its role."""
    names = [side.domain for side in sides]
    if not all(names) or names[0] == names[1]:
        names = [f"{name}-{role}".strip("-") for name, role in zip(names, ("source", "target"), strict=True)]
    return [replace(side, domain=name) for side, name in zip(sides, names, strict=True)]


def _with_items(side: Side, looks: Sequence[Look]) -> Side:
    """Give a domain the table that has most of its items."""
    wanted = set(side.rows["item_id"].dropna().unique())
    best, most, coverage = None, COVERS, dict[str, float]()
    for look in looks:
        shares = {
            name: len(wanted & set(look.sample[name].dropna().unique())) / max(1, len(wanted)) for name in look.sample
        }
        highest = max(shares.values(), default=0.0)
        if highest > most:
            best, most, coverage = look, highest, shares
    if best is None:
        return side
    kind = side.item_type
    if kind == "Item":
        kind = guess_item_type([best.path.name, *(one.name for one in best.profiles)])
    return replace(side, item_type=kind, items=best, item_roles=guess_items(best.profiles, coverage, kind))


def _survey(source: Side, target: Side, people: People, ratings: RatingGuess, folder: Path) -> Survey:
    """Put the guesses together as values of a map."""
    doubts = [Doubt("shared_users", people.doubt)] if people.doubt else []
    doubts += [Doubt("positive_from", ratings.doubt)] if ratings.doubt else []
    values: dict[str, Any] = {"name": f"{source.domain}-{target.domain}"}
    if ratings.positive_from is not None:
        values["positive_from"] = ratings.positive_from
    values["shared_users"] = people.shared
    unused: dict[str, tuple[str, ...]] = {}
    for role, side in (("source", source), ("target", target)):
        domain, found, left = _domain_values(side, role, folder)
        values[role] = domain
        doubts += found
        unused |= left
    if ratings.cleaning:
        values["cleaning"] = dict(ratings.cleaning)
    entities = _entities(source) & _entities(target)
    return Survey(values, tuple(doubts), unused, source, target, people, ratings, len(entities))


def _domain_values(
    side: Side, role: str, folder: Path
) -> tuple[dict[str, Any], list[Doubt], dict[str, tuple[str, ...]]]:
    """Keys of one domain, what is unsure about them, and what is unused."""
    interactions = side.look.reading(folder)
    doubts = [Doubt(f"{role}.interactions.{key}", text) for key, text in _reading_doubts(side.look)]
    doubts += [Doubt(f"{role}.interactions.{doubt.key}", doubt.text) for doubt in side.roles.doubts]
    if "timestamp" in side.roles.columns:
        interactions["timestamp_unit"], doubt = _time_unit(side)
        doubts += [Doubt(f"{role}.interactions.timestamp_unit", doubt)] if doubt else []
    if "event" in side.roles.columns:
        events = side.rows["event"].dropna().value_counts().index
        interactions["event_weights"] = {str(event): 1.0 for event in events}
        doubts.append(Doubt(f"{role}.interactions.event_weights", "say what each event counts; all count the same now"))
    interactions["columns"] = dict(side.roles.columns)
    unused = {f"{role}.interactions": side.roles.unused}
    domain: dict[str, Any] = {"domain": side.domain, "item_type": side.item_type, "interactions": interactions}
    if side.item_type == "Item":
        known = "Book, Movie, Track, Album, Product, Course, Video, Game"
        doubts.append(Doubt(f"{role}.item_type", f"no name says what the items are; one of {known}, or Item"))
    if side.items is not None and side.item_roles is not None:
        attributes = {name: one.model_dump(exclude_defaults=True) for name, one in side.item_roles.attributes.items()}
        table = side.items.reading(folder) | {"columns": dict(side.item_roles.columns)}
        domain["items"] = table | ({"attributes": attributes} if attributes else {})
        doubts += [Doubt(f"{role}.items.{key}", text) for key, text in _reading_doubts(side.items)]
        doubts += [Doubt(f"{role}.items.{doubt.key}", doubt.text) for doubt in side.item_roles.doubts]
        unused[f"{role}.items"] = side.item_roles.unused
    return domain, doubts, unused


def _reading_doubts(look: Look) -> list[tuple[str, str]]:
    return [("file", text) for text in look.facts.doubts]


def _time_unit(side: Side) -> tuple[str, str]:
    """The unit of the times, and what is unsure about it."""
    name = side.roles.columns["timestamp"]
    place = side.look.header.index(name) if side.look.header is not None else None
    one = side.look.profiles[place] if place is not None else next(p for p in side.look.profiles if p.name == name)
    if one.unit is not None and one.dates == 0:
        return one.unit, ""
    if one.dates > 0.5:
        return "iso" if side.rows["timestamp"].astype("str").str.match(r"\s*\d{4}-").mean() > 0.9 else "auto", ""
    return "auto", f"numbers from {one.low:g} to {one.high:g} are no times between 1990 and 2100"


def _entities(side: Side) -> set[tuple[str, str]]:
    """The entities that a domain's items are joined to, by node type and value."""
    if side.items is None or side.item_roles is None:
        return set()
    found: set[tuple[str, str]] = set()
    for name, one in side.item_roles.attributes.items():
        if one.node_type:
            texts = side.items.sample[name].dropna().astype("str")
            parts = texts.str.split(one.separator, regex=False).explode() if one.kind == "multi-valued" else texts
            found |= {(one.node_type, value) for value in parts.str.strip().unique() if value}
    return found
