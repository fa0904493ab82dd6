"""The types a schema is made of: node types, relations, their properties, and the schema that holds them together.

Everything that depends on the vocabulary (ontology, database definitions, validation, the keys of a heterogeneous
graph) is derived from a `Schema`; nothing repeats it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

from graph_schema.errors import InputError, unknown_name

Datatype = Literal["string", "integer", "float", "boolean", "datetime", "year"]
Agreement = Literal["none", "root", "type"]

ANY = "*"
"""An end of a `Relation` that takes every node type, also those a user adds later."""


@dataclass(frozen=True)
class Property:
    """A named value of a node or an edge: its datatype, its unit where it has one, and whether it may repeat."""

    name: str
    datatype: Datatype
    unit: str | None = None
    many: bool = False
    comment: str = ""


@dataclass(frozen=True)
class NodeType:
    """A kind of node. `labels` maps a language code to the word for people; a child has its parent's properties."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    parent: str | None = None
    properties: tuple[Property, ...] = ()
    comment: str = ""


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
    same top type (two items of different kinds may be similar, a user and a genre may not).
    """

    name: str
    head: str
    tail: str
    labels: Mapping[str, str] = field(default_factory=dict)
    properties: tuple[Property, ...] = ()
    symmetric: bool = False
    agreement: Agreement = "none"
    comment: str = ""


@dataclass(frozen=True)
class Schema:
    """Node types and relations, checked when made: unique names, parents and ends that exist, no circle of parents.

    Raises:
        InputError: a clash, an unknown parent or end, a cycle of parents.
    """

    node_types: tuple[NodeType, ...]
    relations: tuple[Relation, ...]

    def __post_init__(self) -> None:
        """Refuse a schema that contradicts itself, at the place where it is made."""
        _refuse_repeats("node type", [node_type.name for node_type in self.node_types])
        _refuse_repeats("relation", [f"({row.head}, {row.name}, {row.tail})" for row in self.relations])
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

    def _joins(self, row: Relation, head: str, tail: str) -> bool:
        if not (self.is_subtype(head, row.head) and self.is_subtype(tail, row.tail)):
            return False
        if row.agreement == "type":
            return self.is_subtype(head, tail) or self.is_subtype(tail, head)
        return row.agreement == "none" or self.root(head) == self.root(tail)

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
