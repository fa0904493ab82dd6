"""The types a schema is made of: node types, relations, their properties, and the schema that holds them together.

Everything that depends on the vocabulary (ontology, database definitions, validation, the keys of a heterogeneous
graph) is derived from a `Schema`; nothing repeats it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple, get_args
from unicodedata import normalize

from graph_schema.errors import InputError, unknown_name

Datatype = Literal["string", "integer", "float", "boolean", "datetime", "year"]
Agreement = Literal["none", "root", "type"]

ANY = "*"
"""An end of a `Relation` that takes every node type, also those a user adds later."""

PREFIXES: Mapping[str, str] = {
    "schema": "https://schema.org/",
    "dcterms": "http://purl.org/dc/terms/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
}
"""Vocabularies of others that `aligned` may name by prefix; of any other it takes the full IRI."""

_IDENTIFIER = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_LANGUAGE_TAG = re.compile("[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_TERM = re.compile(r"\^?([A-Za-z]+):([A-Za-z][A-Za-z0-9_-]*)")
_IRI = re.compile(r"\^?https?://[^\s<>\"{}|\\^`]+")
# What could end a quoted name in a query; no name has it, whatever its way into the schema.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\"'`\\]")


@dataclass(frozen=True)
class Property:
    """A named value of a node or an edge.

    Attributes:
        name: of the value.
        datatype: of the value.
        unit: what a number counts, where it counts something.
        many: whether it may repeat.
        comment: what the name does not say.
        required: whether each of its nodes or edges has it.
        minimum, maximum: bounds of an integer or float, which belong to it.
        indexed: whether people look nodes or edges up by it; databases then keep an index of it.
        aligned: what it means in vocabularies of others, such as "schema:isbn"; see `PREFIXES`.
    """

    name: str
    datatype: Datatype
    unit: str | None = None
    many: bool = False
    comment: str = ""
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    indexed: bool = False
    aligned: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a datatype that does not exist, bounds of what is no number, and terms of unknown vocabularies."""
        if self.datatype not in get_args(Datatype):
            raise InputError(f'property "{self.name}": {unknown_name("datatype", self.datatype, get_args(Datatype))}')
        bounds = [bound for bound in (self.minimum, self.maximum) if bound is not None]
        if bounds and (self.datatype not in ("integer", "float") or bounds != sorted(bounds)):
            raise InputError(
                f'property "{self.name}": bounds {bounds} of a {self.datatype}; give numbers, the minimum no larger'
            )
        object.__setattr__(self, "aligned", _terms(f'property "{self.name}"', self.aligned))


@dataclass(frozen=True)
class NodeType:
    """A kind of node. `labels` maps a language code to the word for people; a child has its parent's properties.

    `aligned` names the classes of other vocabularies that it is a kind of, such as "schema:Book"; see `PREFIXES`.
    """

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    parent: str | None = None
    properties: tuple[Property, ...] = ()
    comment: str = ""
    aligned: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse language codes that are none, and terms of unknown vocabularies."""
        _refuse_languages(f'node type "{self.name}"', self.labels)
        object.__setattr__(self, "aligned", _terms(f'node type "{self.name}"', self.aligned))


class EdgeType(NamedTuple):
    """The key of an edge table: a plain tuple of three strings, as torch-geometric wants it.

    >>> EdgeType("Movie", "HAS_GENRE", "Genre") == ("Movie", "HAS_GENRE", "Genre")
    True
    """

    head: str
    relation: str
    tail: str


@dataclass(frozen=True)
class Relation:
    """A relation between a head and a tail type, each of which stands for its subtypes too (`ANY`: for every type).

    One name may have several rows, one per pair of ends. `agreement` says how alike the two ends must be besides:
    "type": one is the other's type or supertype (identity makes no sense otherwise); "root": they descend from the
    same top type (two items of different kinds may be similar, a user and a genre may not). `aligned` names relations
    of other vocabularies that it is a case of; "^schema:actor" is one that goes from tail to head.
    """

    name: str
    head: str
    tail: str
    labels: Mapping[str, str] = field(default_factory=dict)
    properties: tuple[Property, ...] = ()
    symmetric: bool = False
    agreement: Agreement = "none"
    comment: str = ""
    aligned: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse language codes that are none, and terms of unknown vocabularies."""
        _refuse_languages(f'relation "{self.name}"', self.labels)
        object.__setattr__(self, "aligned", _terms(f'relation "{self.name}"', self.aligned))


@dataclass(frozen=True)
class Schema:
    """Node types and relations, checked when made: unique names, parents and ends that exist, no circle of parents.

    Raises:
        InputError: a clash, an unknown parent or end, a cycle of parents, a name that could end a quotation.
    """

    node_types: tuple[NodeType, ...]
    relations: tuple[Relation, ...]

    def __post_init__(self) -> None:
        """Refuse a schema that contradicts itself, at the place where it is made."""
        _refuse_repeats("node type", [node_type.name for node_type in self.node_types])
        _refuse_repeats("relation", [f"({row.head}, {row.name}, {row.tail})" for row in self.relations])
        for kind, name in self._all_names:
            if not name or _UNSAFE.search(name):
                raise InputError(f"{kind} {name!r}: a name has no quotes, backslashes or line breaks; use another")
        for node_type in self.node_types:
            _refuse_repeats(f"property of {node_type.name}", [row.name for row in node_type.properties])
            if node_type.parent is not None and node_type.parent not in self._by_name:
                raise InputError(
                    f'node type "{node_type.name}": {unknown_name("parent", node_type.parent, self.names)}'
                )
        for node_type in self.node_types:
            self.ancestors(node_type.name)
        for row in self.relations:
            for end in (row.head, row.tail):
                if end != ANY and end not in self._by_name:
                    raise InputError(f'relation "{row.name}": {unknown_name("node type", end, self.names)}')

    @cached_property
    def _by_name(self) -> dict[str, NodeType]:
        return {node_type.name: node_type for node_type in self.node_types}

    @cached_property
    def _all_names(self) -> tuple[tuple[str, str], ...]:
        """What kind of thing has a name, and the name: of node types, relations and their properties."""
        holders = [("node type", one) for one in self.node_types] + [("relation", one) for one in self.relations]
        owned = [(f"property of {one.name}", row.name) for _, one in holders for row in one.properties]
        return (*((kind, one.name) for kind, one in holders), *owned)

    @cached_property
    def _relations_by_name(self) -> dict[str, tuple[Relation, ...]]:
        rows: dict[str, tuple[Relation, ...]] = {}
        for row in self.relations:
            rows[row.name] = (*rows.get(row.name, ()), row)
        return rows

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all node types, in the order of declaration."""
        return tuple(self._by_name)

    @property
    def relation_names(self) -> tuple[str, ...]:
        """The names of all relations, each once, in the order of declaration."""
        return tuple(self._relations_by_name)

    def node_type(self, name: str) -> NodeType:
        """Return the node type called `name`; InputError with the nearest name when there is none."""
        if name not in self._by_name:
            raise unknown_name("node type", name, self.names)
        return self._by_name[name]

    def ancestors(self, name: str) -> tuple[str, ...]:
        """Return `name` and its parents, nearest first; InputError when the parents go round in a circle."""
        chain = [self.node_type(name).name]
        while (parent := self._by_name[chain[-1]].parent) is not None:
            if parent in chain:
                raise InputError(
                    f"node types are each other's parents: {' -> '.join([*chain, parent])}; remove one parent"
                )
            chain.append(parent)
        return tuple(chain)

    def root(self, name: str) -> str:
        """Return the topmost ancestor of a node type: "Item" for "Movie"."""
        return self.ancestors(name)[-1]

    def is_subtype(self, child: str, ancestor: str) -> bool:
        """Say whether `child` is `ancestor` or descends from it; both must exist (`ANY` is everyone's ancestor)."""
        chain = self.ancestors(child)
        return ancestor == ANY or self.node_type(ancestor).name in chain

    def subtypes(self, name: str) -> tuple[str, ...]:
        """Return `name` and everything that descends from it, in the order of declaration."""
        self.node_type(name)
        return tuple(other for other in self.names if self.is_subtype(other, name))

    def properties(self, name: str) -> tuple[Property, ...]:
        """Return the properties of a node type, those of its ancestors first; a child's own wins over a namesake."""
        merged: dict[str, Property] = {}
        for ancestor in reversed(self.ancestors(name)):
            merged |= {row.name: row for row in self._by_name[ancestor].properties}
        return tuple(merged.values())

    def relation(self, name: str) -> tuple[Relation, ...]:
        """Return all rows of the relation called `name`; InputError with the nearest name when there is none."""
        if name not in self._relations_by_name:
            raise unknown_name("relation", name, self.relation_names)
        return self._relations_by_name[name]

    def edge_type(self, head: str, relation: str, tail: str) -> EdgeType:
        """Return the edge type for these concrete node types, if some row of the relation allows it.

        Raises:
            InputError: an unknown name (the nearest is named), or a relation that does not join these two types.
        """
        rows = self.relation(relation)
        if any(self._joins(row, head, tail) for row in rows):
            return EdgeType(head, relation, tail)
        if any(self._joins(row, tail, head) for row in rows):
            raise InputError(
                f"relation {relation} goes from {tail} to {head}, not from {head} to {tail}; swap its ends"
            )
        allowed = ", ".join(f"{row.head} -> {row.tail}{_AGREEMENT_TEXT[row.agreement]}" for row in rows)
        raise InputError(f"relation {relation} does not join {head} to {tail}; it joins {allowed}")

    def tails(self, head: str, relation: str) -> frozenset[str]:
        """Return the node types that a relation may lead to from one of type `head`; InputError for unknown names."""
        self.node_type(head)
        rows = self.relation(relation)
        return frozenset(tail for tail in self.names if any(self._joins(row, head, tail) for row in rows))

    def _joins(self, row: Relation, head: str, tail: str) -> bool:
        if not (self.is_subtype(head, row.head) and self.is_subtype(tail, row.tail)):
            return False
        if row.agreement == "type":
            return self.is_subtype(head, tail) or self.is_subtype(tail, head)
        return row.agreement == "none" or self.root(head) == self.root(tail)

    def require_identifiers(self) -> None:
        """Refuse names that ontologies and databases cannot take, before one of them reaches a query or an IRI.

        Graphs and loaders take names such as "film.director" from other people's files; queries and IRIs do not.

        Raises:
            InputError: a name that is more than English letters, digits and underscores; two names that differ in
                case alone (tables of databases do not tell them apart); a relation and a property of one name.
        """
        for kind, name in self._all_names:
            if not _IDENTIFIER.fullmatch(name):
                raise InputError(
                    f'{kind} "{name}": in ontologies and databases a name has English letters, digits and underscores, '
                    f"and no digit first; {_better_name(name)}"
                )
        _refuse_namesakes("node type or relation", [*self.names, *self.relation_names])
        for name in self.names:
            _refuse_namesakes(f"property of {name}", [row.name for row in self.properties(name)])
        for name in self.relation_names:
            owned = dict.fromkeys(row.name for one in self.relation(name) for row in one.properties)
            _refuse_namesakes(f"property of {name}", list(owned))
        both = {name for kind, name in self._all_names if kind.startswith("property")} & set(self.relation_names)
        if both:
            raise InputError(f'"{min(both)}" is a relation and a property, which an ontology cannot have; rename one')

    def extend(self, node_types: Iterable[NodeType] = (), relations: Iterable[Relation] = ()) -> Schema:
        """Return a new schema with these additions; InputError on a clash, an unknown parent or an unknown end.

        >>> from graph_schema.vocabulary import SCHEMA
        >>> recipes = SCHEMA.extend(node_types=[NodeType("Recipe", {"en": "recipe"}, parent="Item")])
        >>> recipes.edge_type("User", "RATED", "Recipe")
        EdgeType(head='User', relation='RATED', tail='Recipe')
        """
        return Schema((*self.node_types, *node_types), (*self.relations, *relations))


_AGREEMENT_TEXT: Mapping[Agreement, str] = {
    "none": "",
    "root": " (both items, both users or both of one other top type)",
    "type": " (both of one type)",
}


def _refuse_repeats(kind: str, names: list[str]) -> None:
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        raise InputError(f'{kind} "{repeated[0]}" is declared twice; use another name or drop one')


def _better_name(name: str) -> str:
    letters = normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub("[^A-Za-z0-9]+", "_", letters).strip("_")
    if not plain:
        return "use another"
    return f'call it "{plain if _IDENTIFIER.fullmatch(plain) else "_" + plain}"'


def _refuse_namesakes(kind: str, names: list[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if (other := seen.get(name.casefold())) is not None:
            raise InputError(f'{kind}: "{other}" and "{name}" are one name to a database; rename one')
        seen[name.casefold()] = name


def _refuse_languages(place: str, labels: Mapping[str, str]) -> None:
    for language in labels:
        if not _LANGUAGE_TAG.fullmatch(language):
            raise InputError(f'{place}: label in language "{language}"; give a code such as en or zh-Hans')


def _terms(place: str, aligned: Iterable[str]) -> tuple[str, ...]:
    for term in aligned:
        if term.startswith("^") and not place.startswith("relation"):
            raise InputError(f'{place}: aligned with "{term}"; only a relation has an inverse, drop the "^"')
        if _IRI.fullmatch(term):
            continue
        prefixed = _TERM.fullmatch(term)
        if prefixed is None:
            raise InputError(f'{place}: aligned with "{term}"; give a term such as schema:Book, or a full IRI')
        if prefixed[1] not in PREFIXES:
            raise InputError(f"{place}: {unknown_name('prefix', prefixed[1], PREFIXES)}; or give a full IRI")
    return tuple(aligned)
