"""From a column map to a data set: read, clean, and pair."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from graph_schema.errors import InputError, unknown_name
from graph_schema.schema import Schema
from loaders.cleaning import Cleaned, CleaningConfig, clean
from loaders.dataset import CrossDomainDataset, DataCard, DomainTables
from loaders.fingerprint import file_sha256
from loaders.own.bad_lines import refuse_bad_lines
from loaders.own.column_map import (
    COLUMNS,
    ColumnMap,
    DomainMap,
    LinksMap,
    TableMap,
    attributes_of,
    checked_map,
    read_map,
)
from loaders.own.frames import read_frame
from loaders.own.given_links import confidences
from loaders.own.read import read_table
from loaders.own.sql import read_query
from loaders.pairing import pair
from loaders.raw import RawDomain, RawTable

Join = Callable[..., CrossDomainDataset]
"""Takes what `loaders.pairing.pair` takes."""

ROLES = ("source", "target")
FROM_ENVIRONMENT = "env:"
SQLITE = "sqlite:///"
METHOD = "given"
"""Of the links of a table that the user brought."""


@dataclass(frozen=True, eq=False)
class Assembled:
    """A data set with what cleaning did to each of its domains."""

    dataset: CrossDomainDataset
    source: Cleaned
    target: Cleaned


@dataclass(frozen=True, eq=False)
class Origin:
    """Where tables are found: DataFrames by their place in the map, else files below `folder`."""

    folder: Path
    frames: Mapping[str, pd.DataFrame]

    def read(self, place: str, table: TableMap, attributes: tuple[str, ...] = ()) -> RawTable:
        """Read the table at a place of the map; columns come under the names of their roles.

        Raises:
            InputError: it cannot be read, or lacks a column that the map names.
        """
        chosen = {role: name for role, name in table.columns.model_dump().items() if name is not None}
        columns = chosen | {name: name for name in attributes}
        if place in self.frames:
            return read_frame(self.frames[place], columns, place)
        if table.url is not None and table.query is not None:
            return read_query(self._address(table.url), table.query, columns)
        if table.file is None:
            raise InputError(f"table {place}: nothing to read; give file, or url and query, or a DataFrame")
        return read_table(
            self.folder / table.file, columns, format=table.format, separator=table.separator,
            encoding=table.encoding, header=table.header,
        )

    def checksums(self, column_map: ColumnMap, role: str) -> dict[str, str]:
        """Sha256 of every file of a domain as it lies there, by its name in the map; the links are the target's."""
        roles = (role, "links") if role == "target" else (role,)
        found = [(place, one.file) for place, one in column_map.tables.items() if place.partition(".")[0] in roles]
        names = {name for place, name in found if name is not None and place not in self.frames}
        return {name: file_sha256(self.folder / name) for name in sorted(names)}

    def _address(self, url: str) -> str:
        if url.startswith(FROM_ENVIRONMENT):
            variable = url.removeprefix(FROM_ENVIRONMENT)
            if not os.environ.get(variable):
                raise InputError(f"the column map takes a url from the environment variable {variable}; set it")
            return os.environ[variable]
        relative = url.removeprefix(SQLITE)
        if url.startswith(SQLITE) and relative not in ("", ":memory:") and not relative.startswith("file:"):
            return f"{SQLITE}{(self.folder / relative).absolute()}"
        return url


def from_files(path: str | Path) -> CrossDomainDataset:
    """Return the data set that a column map describes, cleaned and paired.

    Args:
        path: a TOML file, as `kgxfer data init` writes it; the paths in it are relative to its folder.

    Raises:
        InputError: a fault in the map, a file that is absent or cannot be read, a column that is not there, or two
            domains that nothing connects.
    """
    return assemble_files(path).dataset


def from_frames(
    frames: Mapping[str, pd.DataFrame], column_map: ColumnMap | Mapping[str, Any]
) -> CrossDomainDataset:
    """Return the data set of DataFrames, cleaned and paired as files would be.

    Args:
        frames: tables by their place in the map: "source.interactions", "target.items", "links" and so on.
        column_map: the map, or plain values for one. Tables that plain values do not describe take the columns that
            bear the names of roles (user_id, item_id, rating ...).

    Raises:
        InputError: a place that the map does not have, and everything that `from_files` raises.

    >>> rows = pd.DataFrame({"user_id": ["u1", "u2"], "item_id": ["a", "b"]})
    >>> names = {"name": "shop", "source": {"domain": "books"}, "target": {"domain": "films"}}
    >>> from_frames({"source.interactions": rows, "target.interactions": rows}, names).overlapping_users.tolist()
    ['u1', 'u2']
    """
    described = column_map if isinstance(column_map, ColumnMap) else checked_map(_completed(column_map, frames))
    for place in frames:
        if place not in described.tables:
            raise unknown_name("table of the column map", place, described.tables)
    return assemble(described, Origin(Path(), frames)).dataset


def assemble_files(path: str | Path, join: Join = pair) -> Assembled:
    """Like `from_files`, and keep what cleaning did; `join` as `assemble` has it."""
    return assemble(read_map(path), Origin(Path(path).parent, {}), join)


def assemble(column_map: ColumnMap, origin: Origin, join: Join = pair) -> Assembled:
    """Read, clean and pair what a column map describes.

    Args:
        column_map: the map.
        origin: where its tables are found.
        join: makes one data set of two domains: `loaders.pairing.pair`, or `joined`, which does not ask whether
            anything can be learned from them.

    Raises:
        InputError: as `from_files` says.
    """
    schema = column_map.full_vocabulary
    cleaned = []
    for role in ROLES:
        domain: DomainMap = getattr(column_map, role)
        done = clean(read_domain(domain, role, origin), _cleaning_of(column_map, domain), schema)
        checksums = origin.checksums(column_map, role)
        card = replace(DataCard.own(column_map.name), sha256=checksums, positive_from=column_map.positive_from)
        tables = done.tables if column_map.shared_users else own_users(done.tables, schema)
        cleaned.append(replace(done, tables=_with_card(tables, card)))
    links = None if column_map.links is None else _read_links(column_map.links, column_map, origin, schema)
    dataset = join(
        column_map.name, cleaned[0].tables, cleaned[1].tables, links, schema=schema,
        positive_from=column_map.positive_from,
    )
    return Assembled(dataset, *cleaned)


def read_domain(domain: DomainMap, role: str, origin: Origin) -> RawDomain:
    """Read the tables of one domain as they are."""
    attributes = {"items": attributes_of(domain.items), "users": attributes_of(domain.users)}
    tables = {
        name: origin.read(f"{role}.{name}", table, tuple(one.column for one in attributes.get(name, ())))
        for name, table in domain.tables.items()
    }
    return RawDomain(
        domain.domain, domain.item_type, **tables, item_attributes=attributes["items"],
        user_attributes=attributes["users"],
    )


def own_users(tables: DomainTables, schema: Schema) -> DomainTables:
    """Put the domain's name before every user id, so that equal ids of two domains are two people.

    >>> from graph_schema import SCHEMA
    >>> rows = pd.DataFrame({"user_id": ["7", "8"], "item_id": ["a", "b"]})
    >>> own_users(DomainTables.from_frames("books", rows), SCHEMA).users["user_id"].tolist()
    ['books:7', 'books:8']
    """
    before = f"{tables.domain}:"
    facts = tables.facts.copy()
    user_types = schema.subtypes("User")
    for end in ("head", "tail"):
        is_user = facts[f"{end}_type"].isin(user_types)
        facts[f"{end}_id"] = facts[f"{end}_id"].mask(is_user, before + facts[f"{end}_id"])
    users = tables.users.assign(user_id=before + tables.users["user_id"])
    interactions = tables.interactions.assign(user_id=before + tables.interactions["user_id"])
    return replace(tables, users=users, interactions=interactions, facts=facts)


def _read_links(links: LinksMap, column_map: ColumnMap, origin: Origin, schema: Schema) -> pd.DataFrame:
    """Read the table of links; a line of it that is no row is an error."""
    raw = origin.read("links", links)
    refuse_bad_lines(raw)
    frame = raw.frame.copy()
    for end in ("source_id", "target_id"):
        frame[end] = frame[end].astype("str").str.strip()
    if links.node_type is not None:
        frame["node_type"] = links.node_type
    frame["confidence"] = confidences(raw)
    if not column_map.shared_users:
        is_user = frame["node_type"].isin(schema.subtypes("User"))
        for end, domain in (("source_id", column_map.source), ("target_id", column_map.target)):
            frame[end] = frame[end].mask(is_user, f"{domain.domain}:" + frame[end])
    return frame.assign(method=METHOD, evidence=raw.where)


def _completed(values: Mapping[str, Any], frames: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Describe the frames that plain values leave undescribed by the columns that bear the names of roles."""
    filled = {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}
    for place, frame in frames.items():
        role, _, name = place.partition(".")
        holder, key = (filled.setdefault(role, {}), name) if name else (filled, role)
        table = holder.setdefault(key, {}) if isinstance(holder, dict) and key in COLUMNS else None
        if isinstance(table, Mapping) and "columns" not in table:
            roles = COLUMNS[key].model_fields
            holder[key] = {**table, "columns": {role: role for role in roles if role in frame.columns}}
    return filled


def _with_card(tables: DomainTables, card: DataCard) -> DomainTables:
    """Exchange the card alone: making the tables anew would check millions of rows a second time."""
    changed = copy(tables)
    object.__setattr__(changed, "card", card)
    return changed


def _cleaning_of(column_map: ColumnMap, domain: DomainMap) -> CleaningConfig:
    """The settings of cleaning, with what the map says of this domain's interactions alone."""
    own: dict[str, object] = {}
    if domain.interactions.timestamp_unit != "auto":
        own["time_unit"] = domain.interactions.timestamp_unit
    if domain.interactions.event_weights:
        own["event_weights"] = domain.interactions.event_weights
    return column_map.cleaning.model_copy(update=own)
