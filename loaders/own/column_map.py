"""What a user's files mean: which column is which, in one TOML file or in Python.

Paths are relative to the TOML file. A table comes from a file, from an SQL query, or in Python from a DataFrame.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from graph_schema.config import Config
from graph_schema.errors import InputError
from graph_schema.schema import NodeType, Relation, Schema
from graph_schema.vocabulary import SCHEMA
from loaders.cleaning import CleaningConfig
from loaders.raw import Attribute, AttributeKind

TimeUnit = Literal["auto", "s", "ms", "us", "ns", "iso"]


class TableMap(Config):
    """Where one table is read from: `file`, or `url` and `query`; neither where a DataFrame is handed over.

    What is not given of `format`, `separator`, `encoding` and `header` is found in the file. `header` is true where the
    first line names the columns, or else the names of the columns in order. A `url` is SQLAlchemy's; "env:NAME" takes
    it from an environment variable, which keeps a password out of the file.
    """

    file: str | None = None
    format: str | None = None
    separator: str | None = None
    encoding: str | None = None
    header: bool | tuple[str, ...] | None = None
    url: str | None = None
    query: str | None = None
    columns: Config = Field(default_factory=Config)

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self.file is not None and (self.url is not None or self.query is not None):
            raise ValueError("a table comes from a file or from a query; keep file, or url and query")
        if (self.url is None) != (self.query is None):
            raise ValueError("url and query belong together; give both")
        if self.file is None and (self.format or self.separator or self.encoding or self.header is not None):
            raise ValueError("format, separator, encoding and header say how a file is read; give file")
        return self


class InteractionColumns(Config):
    """Names of the columns of interactions in the file; those that are not named are not read."""

    user_id: str = "user_id"
    item_id: str = "item_id"
    rating: str | None = None
    timestamp: str | None = None
    weight: str | None = None
    event: str | None = None


class InteractionsMap(TableMap):
    """Who had to do with what; `timestamp_unit` "auto" looks at the values, `event_weights` is what an event counts."""

    columns: InteractionColumns = Field(default_factory=InteractionColumns)
    timestamp_unit: TimeUnit = "auto"
    event_weights: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _events_have_a_column(self) -> Self:
        if self.event_weights and self.columns.event is None:
            raise ValueError("event_weights needs the column of the events; name it as columns.event")
        return self


class AttributeMap(Config):
    """How a column of items or users is meant.

    Categorical and multi-valued ones become facts (item, `relation`, value of type `node_type`) and need both names;
    `separator` parts the values of a multi-valued one. Numbers and texts stay columns.
    """

    kind: AttributeKind
    relation: str = ""
    node_type: str = ""
    separator: str = "|"

    @model_validator(mode="after")
    def _facts_have_names(self) -> Self:
        if self.kind in ("categorical", "multi-valued") and not (self.relation and self.node_type):
            raise ValueError(f"a {self.kind} attribute becomes facts; give it a relation and a node_type")
        if not self.separator:
            raise ValueError("the separator is empty; give the text between two values")
        return self


class ItemColumns(Config):
    """Names of the columns of items in the file; those that are not named are not read."""

    item_id: str = "item_id"
    name: str | None = None
    year: str | None = None
    item_type: str | None = None


class UserColumns(Config):
    """Names of the columns of users in the file; those that are not named are not read."""

    user_id: str = "user_id"
    name: str | None = None


class KnowsColumns(Config):
    """Names of the columns of a table of people who know each other."""

    user_id: str = "user_id"
    other_id: str = "other_id"


class FactColumns(Config):
    """Names of the columns of facts; one fact a row."""

    head_id: str = "head_id"
    head_type: str = "head_type"
    relation: str = "relation"
    tail_id: str = "tail_id"
    tail_type: str = "tail_type"
    head_name: str | None = None
    tail_name: str | None = None


class LinkColumns(Config):
    """Names of the columns of links; without a column of the confidence it is 1."""

    source_id: str = "source_id"
    target_id: str = "target_id"
    node_type: str | None = None
    confidence: str | None = None


COLUMNS: Mapping[str, type[Config]] = {
    "interactions": InteractionColumns,
    "items": ItemColumns,
    "users": UserColumns,
    "knows": KnowsColumns,
    "facts": FactColumns,
    "links": LinkColumns,
}
"""Table -> the roles that its columns can have."""


class ItemsMap(TableMap):
    """What is known of the items; attributes by the name of their column."""

    columns: ItemColumns = Field(default_factory=ItemColumns)
    attributes: dict[str, AttributeMap] = Field(default_factory=dict)


class UsersMap(TableMap):
    """What is known of the users; attributes by the name of their column."""

    columns: UserColumns = Field(default_factory=UserColumns)
    attributes: dict[str, AttributeMap] = Field(default_factory=dict)


class KnowsMap(TableMap):
    """Which users know each other."""

    columns: KnowsColumns = Field(default_factory=KnowsColumns)


class FactsMap(TableMap):
    """Facts as they are: head, relation, tail."""

    columns: FactColumns = Field(default_factory=FactColumns)


class LinksMap(TableMap):
    """What of one domain is what of the other. `node_type` stands for all rows where no column says it."""

    columns: LinkColumns = Field(default_factory=LinkColumns)
    node_type: str | None = None

    @model_validator(mode="after")
    def _one_node_type(self) -> Self:
        if (self.node_type is None) == (self.columns.node_type is None):
            raise ValueError("say what the links join, by node_type or by the column columns.node_type, one of the two")
        return self


class DomainMap(Config):
    """One domain: its name, the type of its items, and its tables."""

    domain: str = Field(min_length=1)
    item_type: str = "Item"
    interactions: InteractionsMap
    items: ItemsMap | None = None
    users: UsersMap | None = None
    knows: KnowsMap | None = None
    facts: FactsMap | None = None

    @property
    def tables(self) -> dict[str, TableMap]:
        """The tables that there are, by name."""
        names = ("interactions", "items", "users", "knows", "facts")
        return {name: table for name in names if (table := getattr(self, name)) is not None}


class RelationMap(Config):
    """A relation that the vocabulary lacks; `head` and `tail` stand for their subtypes too."""

    name: str
    head: str
    tail: str
    symmetric: bool = False


class VocabularyMap(Config):
    """What the vocabulary lacks: node types with their parents ("Item", "Entity" or any other), and relations."""

    node_types: dict[str, str] = Field(default_factory=dict)
    relations: tuple[RelationMap, ...] = ()


class PairMap(Config):
    """What is said of two domains, wherever their tables are.

    Attributes:
        name: what to call the pair in reports.
        positive_from: ratings from this value on count as positive; None: every interaction does.
        shared_users: whether equal user ids mean one person. False puts the domain's name before every user id.
        vocabulary: node types and relations of the user's own.
        cleaning: how faults are dealt with, the same for both domains.
    """

    name: str = Field(min_length=1)
    positive_from: float | None = None
    shared_users: bool = True
    vocabulary: VocabularyMap = Field(default_factory=VocabularyMap)
    cleaning: CleaningConfig = Field(default_factory=CleaningConfig)


class ColumnMap(PairMap):
    """Two domains in a user's own files; `links` are pairs known by hand."""

    source: DomainMap
    target: DomainMap
    links: LinksMap | None = None

    @property
    def tables(self) -> dict[str, TableMap]:
        """Every table by its place in the map, such as "source.interactions"."""
        domains = {"source": self.source, "target": self.target}
        found = {f"{role}.{name}": table for role, one in domains.items() for name, table in one.tables.items()}
        return found | ({} if self.links is None else {"links": self.links})

    @property
    def full_vocabulary(self) -> Schema:
        """The vocabulary with the additions of the map; InputError where they contradict it or each other."""
        types = [NodeType(name, parent=parent) for name, parent in self.vocabulary.node_types.items()]
        rows = [Relation(one.name, one.head, one.tail, symmetric=one.symmetric) for one in self.vocabulary.relations]
        return SCHEMA.extend(types, rows)


def read_map(path: str | Path) -> ColumnMap:
    """Read and check a column map; no data file is opened.

    Raises:
        InputError: the file is missing or not TOML, a key is wrong (the nearest is named), a table has no origin, or a
            type or relation is not in the vocabulary.
    """
    place = Path(path)
    if not place.is_file():
        raise InputError(f'column map "{place}" does not exist; give a TOML file, or make one with kgxfer data init')
    try:
        values = tomllib.loads(place.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f'column map "{place}" is not valid TOML: {error}') from error
    if "data" in values and "source" not in values:
        raise InputError(f'"{place}" is the configuration of a run and no column map; give the map that it names')
    where = f'column map "{place}"'
    column_map = checked_map(values, where)
    for name, table in column_map.tables.items():
        if table.file is None and table.url is None:
            raise InputError(f"{where}, table {name}: nothing to read; give file, or url and query")
    return column_map


def checked_map(values: Mapping[str, Any], where: str = "column map") -> ColumnMap:
    """Parse plain values, and check every type and relation in them against the vocabulary.

    Raises:
        InputError: one line with the place of the first fault.
    """
    column_map = ColumnMap.parse(values, where)
    try:
        schema = column_map.full_vocabulary
    except InputError as error:
        raise InputError(f"{where}, table vocabulary: {error}") from None
    if column_map.source.domain == column_map.target.domain:
        raise InputError(f'{where}: both domains are called "{column_map.source.domain}"; give them different names')
    for role, domain in (("source", column_map.source), ("target", column_map.target)):
        _check_types(domain, schema, f"{where}, table {role}")
    if column_map.links is not None and column_map.links.node_type is not None:
        _in_place(f"{where}, table links", schema.node_type, column_map.links.node_type)
    return column_map


def attributes_of(table: ItemsMap | UsersMap | None) -> tuple[Attribute, ...]:
    """The attributes of a table as cleaning takes them."""
    declared = {} if table is None else table.attributes
    return tuple(Attribute(column, *one.model_dump().values()) for column, one in declared.items())


def _check_types(domain: DomainMap, schema: Schema, where: str) -> None:
    kind = _in_place(where, schema.node_type, domain.item_type).name
    if schema.root(kind) != "Item":
        raise InputError(f'{where}: "{kind}" is not an Item; choose one of {", ".join(schema.subtypes("Item"))}')
    for name, table, head in (("items", domain.items, kind), ("users", domain.users, "User")):
        for attribute in attributes_of(table):
            if attribute.relation:
                place = f"{where}.{name}, attribute {attribute.column}"
                _in_place(place, schema.edge_type, head, attribute.relation, attribute.node_type)


def _in_place(where: str, look_up: Any, *names: str) -> Any:
    try:
        return look_up(*names)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
