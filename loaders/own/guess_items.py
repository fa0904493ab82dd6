"""Guess what a table of items says: which column holds the ids, the name, the year, and what the others are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graph_schema.schema import Schema
from graph_schema.vocabulary import SCHEMA
from loaders.own.column_map import AttributeMap
from loaders.own.guess import Doubt, name_says, tokens
from loaders.own.profile import Profile

NAME_WORDS = frozenset({"name", "title", "titel", "bezeichnung", "titre", "nom", "nombre", "titulo"})
YEAR_WORDS = frozenset({"year", "released", "release", "published", "publication", "jahr", "erscheinungsjahr", "annee"})

MEANINGS: Mapping[frozenset[str], tuple[str, str]] = {
    frozenset(words.split()): meaning
    for words, meaning in {
        "genre genres gattung": ("HAS_GENRE", "Genre"),
        "category categories kategorie kategorien department section subject subjects": ("IN_CATEGORY", "Category"),
        "keyword keywords tag tags schlagwort schlagworte topic topics": ("HAS_KEYWORD", "Keyword"),
        "author authors autor autoren writer writers auteur": ("AUTHORED_BY", "Person"),
        "director directors regie regisseur": ("DIRECTED_BY", "Person"),
        "composer composers komponist": ("COMPOSED_BY", "Person"),
        "artist artists performer singer interpret": ("PERFORMED_BY", "Person"),
        "band bands": ("PERFORMED_BY", "Organisation"),
        "publisher publishers verlag label": ("PUBLISHED_BY", "Organisation"),
        "brand brands studio studios manufacturer maker marke hersteller producer": ("PRODUCED_BY", "Organisation"),
        "country countries place location city land ort": ("LOCATED_IN", "Place"),
        "series serie reihe franchise": ("PART_OF_SERIES", "Series"),
        "decade decades period era jahrzehnt": ("IN_PERIOD", "Period"),
    }.items()
}
"""Words in the name of a column -> relation and node type of its values."""

OTHERWISE = ("HAS_KEYWORD", "Keyword")
"""What a categorical column becomes whose name says nothing: any two items of one value are joined."""

ITEM_TYPES: Mapping[str, frozenset[str]] = {
    kind: frozenset(words.split())
    for kind, words in {
        "Book": "book books isbn buch buecher bücher livre livres bx goodreads",
        "Movie": "movie movies film films filme cinema kino anime",
        "Track": "track tracks song songs music musik lied lieder",
        "Album": "album albums",
        "Course": "course courses kurs kurse",
        "Video": "video videos",
        "Game": "game games spiel spiele steam",
        "Product": "product products produkt produkte asin sku article artikel shop",
    }.items()
}
"""Item type -> words in the names of files and columns that mean it."""

_LONG_TEXT = 80
_MANY_PARTS = 0.1
_MOST_DISTINCT = 0.5


@dataclass(frozen=True)
class ItemRoles:
    """The guess: role -> column, attributes by column, what is uncertain, and the columns that nothing is made of."""

    columns: Mapping[str, str]
    attributes: Mapping[str, AttributeMap]
    doubts: tuple[Doubt, ...] = ()
    unused: tuple[str, ...] = field(default=())


def guess_items(profiles: Sequence[Profile], coverage: Mapping[str, float], item_type: str = "Item") -> ItemRoles:
    """Guess the roles of the columns of a table of items.

    Args:
        profiles: the columns, in the order of the file.
        coverage: column -> share of the interactions' items that are among its values; the ids are where it is most.
        item_type: type of the items, which decides what relations they can have.
    """
    identifier = max(profiles, key=lambda one: (coverage.get(one.name, 0.0), name_says("item_id", one.name)))
    rest = [one for one in profiles if one is not identifier]
    columns = {"item_id": identifier.name}
    doubts: list[Doubt] = []
    named = [one for one in rest if set(tokens(one.name)) & NAME_WORDS and not one.is_number]
    if not named:
        named = [one for one in rest if one.words > 1.3 and one.length < _LONG_TEXT and one.repeats < 1.5]
        doubts += [Doubt("columns.name", "taken because its values look like names")] if named else []
    if named:
        columns["name"] = max(named, key=lambda one: one.distinct).name
    years = [one for one in rest if _is_year(one)]
    if years:
        columns["year"] = years[0].name
    left = [one for one in rest if one.name not in columns.values()]
    attributes = {one.name: found for one in left if (found := guess_attribute(one, item_type)) is not None}
    for name, attribute in attributes.items():
        if attribute.relation and meaning_of(name, item_type) is None:
            text = f"the name says no relation; {attribute.relation} joins items of equal values"
            doubts.append(Doubt(f"attributes.{name}", text))
    unused = tuple(one.name for one in left if one.name not in attributes)
    return ItemRoles(columns, attributes, tuple(doubts), unused)


def guess_attribute(one: Profile, item_type: str = "Item") -> AttributeMap | None:
    """Say what kind of attribute a column is; None where nothing can be made of it.

    >>> import pandas as pd
    >>> from loaders.own.profile import profile
    >>> guess_attribute(profile(pd.Series(["War|Drama", "Drama", "War", "Drama"], name="genres"))).kind
    'multi-valued'
    """
    meaning = meaning_of(one.name, item_type)
    if one.values == 0 or one.distinct == 1:
        return None
    if one.is_number and meaning is None:
        return AttributeMap(kind="numeric")
    if one.dates > 0.5:
        return None
    relation, node_type = meaning or OTHERWISE
    separator = _separator(one, node_type)
    if separator and (meaning is not None or one.length < _LONG_TEXT):
        return AttributeMap(kind="multi-valued", relation=relation, node_type=node_type, separator=separator)
    if meaning is not None or (one.distinct <= _MOST_DISTINCT * one.values and one.length < _LONG_TEXT):
        return AttributeMap(kind="categorical", relation=relation, node_type=node_type)
    return AttributeMap(kind="text") if one.words > 1.3 else None


def meaning_of(column: str, item_type: str = "Item", schema: Schema = SCHEMA) -> tuple[str, str] | None:
    """Relation and node type that a column's name says, where the schema has them for items of this type."""
    words = set(tokens(column))
    for names, (relation, node_type) in MEANINGS.items():
        if words & names and any(schema.is_subtype(item_type, row.head) for row in schema.relation(relation)):
            return relation, node_type
    return None


def guess_item_type(names: Sequence[str]) -> str:
    """Type of the items that the names of files and columns speak of, in that order; "Item" when none does.

    >>> guess_item_type(["bx-ratings", "user", "isbn"]), guess_item_type(["ratings", "user", "item"])
    ('Book', 'Item')
    """
    for name in names:
        words = set(tokens(name)) | {tokens(name)[-1].removesuffix("id") if tokens(name) else ""}
        for kind, meant in ITEM_TYPES.items():
            if words & meant:
                return kind
    return "Item"


def _is_year(one: Profile) -> bool:
    """A column of whole numbers that can be years; its name may say so, or nearly all are of the last two centuries."""
    if not one.is_whole or one.unit is not None:
        return False
    said = bool(set(tokens(one.name)) & YEAR_WORDS)
    return 1800 <= one.high <= 2100 and (said or one.low >= 1800)


def _separator(one: Profile, node_type: str) -> str:
    """What parts the values of a field; a comma only where many hold one, and not in names such as "Austen, Jane"."""
    for mark, share in one.parts.items():
        if mark == "," and (node_type == "Person" or share < 3 * _MANY_PARTS):
            continue
        if share >= _MANY_PARTS:
            return mark
    return ""
