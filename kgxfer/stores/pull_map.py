"""What the labels, relationship types and properties of a user's own Neo4j mean, in one TOML file or in Python.

The counterpart of a column map: labels stand where that has files, properties where it has columns. What both know,
such as attributes, own vocabulary and cleaning, is the same here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from graph_schema.config import Config
from graph_schema.errors import InputError
from graph_schema.schema import Schema
from kgxfer.graph import USER
from loaders.own.assemble import ROLES
from loaders.own.column_map import AttributeMap, PairMap, TimeUnit, checked_map

UNQUOTABLE = ("`", "\\")
"""What a name in backticks could be ended by."""


def quotable(name: str) -> str:
    """Return a name that is safe in backticks; ValueError for any other.

    >>> quotable("Library Book")
    'Library Book'
    """
    if not name or any(sign in name for sign in UNQUOTABLE):
        raise ValueError("a label, type or property has no backtick and no backslash, and is not empty")
    return name


Name = Annotated[str, AfterValidator(quotable)]
"""Of a label, a relationship type or a property."""

Value = str | int | float | bool


class NodeMap(Config):
    """Nodes of one label: which property is their id, which their name; `where` keeps those with these values."""

    label: Name
    id: Name
    name: Name | None = None
    where: dict[Name, Value] = Field(default_factory=dict)


class ItemNodeMap(NodeMap):
    """Nodes that are items; attributes by the name of their property, as in a column map."""

    year: Name | None = None
    attributes: dict[Name, AttributeMap] = Field(default_factory=dict)


class EntityNodeMap(NodeMap):
    """Nodes at an end of facts, and the node type that they become."""

    node_type: str = Field(min_length=1)


class RelationshipMap(Config):
    """Relationships of one type. They are expected to go from the first to the second end, unless `reversed`."""

    type: Name
    reversed: bool = False


class InteractionMap(RelationshipMap):
    """From user to item; which properties are the rating, the time, the weight and the event."""

    rating: Name | None = None
    timestamp: Name | None = None
    weight: Name | None = None
    event: Name | None = None
    timestamp_unit: TimeUnit = "auto"
    event_weights: dict[str, float] = Field(default_factory=dict)


class FactMap(RelationshipMap):
    """From head to tail, which become a fact of `relation`; an end that is not described is the domain's items."""

    relation: str = Field(min_length=1)
    head: EntityNodeMap | None = None
    tail: EntityNodeMap | None = None


class LinkMap(RelationshipMap):
    """From a node of the source to what is the same in the target: users or items, which `node_type` says."""

    node_type: str = "User"
    confidence: Name | None = None


class PulledDomain(Config):
    """One domain: its name, the type of its items, and where its tables are in the database."""

    domain: str = Field(min_length=1)
    item_type: str = "Item"
    users: NodeMap
    items: ItemNodeMap
    interactions: InteractionMap
    knows: RelationshipMap | None = None
    facts: tuple[FactMap, ...] = ()


class PullMap(PairMap):
    """Two domains in a user's own Neo4j; `links` are relationships that join what is the same in both."""

    source: PulledDomain
    target: PulledDomain
    links: LinkMap | None = None

    @property
    def domains(self) -> dict[str, PulledDomain]:
        """Source and target, by their roles."""
        return {"source": self.source, "target": self.target}

    def column_values(self, places: Iterable[str], file_of: Callable[[str], str] | None = None) -> dict[str, Any]:
        """The column map of the tables that are pulled, as plain values.

        Args:
            places: which tables there are, such as "source.interactions".
            file_of: place -> file, as seen from the column map; without it the tables are handed over as frames.
        """
        values = self.model_dump(include={"name", "shared_users"})
        if self.positive_from is not None:
            values["positive_from"] = self.positive_from
        for role, domain in self.domains.items():
            values[role] = {"domain": domain.domain, "item_type": domain.item_type}
        for place in places:
            role, _, table = place.partition(".")
            described = self._described(role, table or role)
            holder, key = (values[role], table) if table else (values, role)
            holder[key] = described if file_of is None else {"file": file_of(place), **described}
        for name in ("vocabulary", "cleaning"):
            if said := getattr(self, name).model_dump(exclude_defaults=True, mode="json"):
                values[name] = said
        return values

    def _described(self, role: str, table: str) -> dict[str, Any]:
        """The keys of one table: columns bear the names of their roles, attributes those of their properties."""
        if table == "links":
            return {"columns": {name: name for name in ("source_id", "target_id", "node_type", "confidence")}}
        domain = self.domains[role]
        if table == "interactions":
            own = domain.interactions
            roles = [name for name in ("rating", "timestamp", "weight", "event") if getattr(own, name) is not None]
            columns = {name: name for name in ("user_id", "item_id", *roles)}
            kept = own.model_dump(include={"timestamp_unit", "event_weights"}, exclude_defaults=True)
            return {**kept, "columns": columns}
        if table == "items":
            roles = [name for name in ("name", "year") if getattr(domain.items, name) is not None]
            described: dict[str, Any] = {"columns": {name: name for name in ("item_id", *roles)}}
            attributes = {
                name: one.model_dump(exclude_defaults=True) for name, one in domain.items.attributes.items()
            }
            return described | ({"attributes": attributes} if attributes else {})
        return {"columns": {name: name for name in COLUMNS_OF[table]}}


COLUMNS_OF: Mapping[str, tuple[str, ...]] = {
    "users": ("user_id", "name"),
    "knows": ("user_id", "other_id"),
    "facts": ("head_id", "head_type", "relation", "tail_id", "tail_type", "head_name", "tail_name"),
}
"""Columns of the tables that always have the same."""


def read_pull_map(path: str | Path) -> PullMap:
    """Read and check a map; no database is asked.

    Raises:
        InputError: the file is missing or not TOML, a key is wrong (the nearest is named), a name fits into no query,
            or a type or relation is not in the vocabulary.
    """
    place = Path(path)
    if not place.is_file():
        raise InputError(f'map "{place}" does not exist; give a TOML file as docs/explore-in-neo4j.md shows one')
    try:
        values = tomllib.loads(place.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f'map "{place}" is not valid TOML: {error}') from error
    return checked_pull_map(values, f'map "{place}"')


def checked_pull_map(values: Mapping[str, Any], where: str = "map") -> PullMap:
    """Parse plain values, and check every type and relation in them against the vocabulary.

    Raises:
        InputError: one line with the place of the first fault.
    """
    pull_map = PullMap.parse(values, where)
    places = [f"{role}.{table}" for role in ROLES for table in ("interactions", "items")]
    schema = checked_map(pull_map.column_values(places), where).full_vocabulary
    for role, domain in pull_map.domains.items():
        for number, fact in enumerate(domain.facts, start=1):
            ends = (one.node_type if one is not None else domain.item_type for one in (fact.head, fact.tail))
            head, tail = ends
            try:
                schema.edge_type(head, fact.relation, tail)
            except InputError as error:
                raise InputError(f"{where}, table {role}, fact {number}: {error}") from None
    _check_links(pull_map, schema, where)
    return pull_map


def _check_links(pull_map: PullMap, schema: Schema, where: str) -> None:
    """Links join users, or items where both domains have one type of them."""
    if pull_map.links is None:
        return
    kind = pull_map.links.node_type
    try:
        fits = schema.root(kind) == USER or {one.item_type for one in pull_map.domains.values()} == {kind}
    except InputError as error:
        raise InputError(f"{where}, table links: {error}") from None
    if not fits:
        raise InputError(f'{where}, table links: node_type "{kind}" is neither User nor the item type of both')
