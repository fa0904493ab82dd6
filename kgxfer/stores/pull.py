"""Two domains out of a user's own Neo4j: its labels and relationship types are read as a `PullMap` says.

What comes out is what files would give: tables, cleaned and paired into a `CrossDomainDataset`, so that a split decides
what is learned from and nothing is held out by the database. Nothing is written to it, and nodes that this library
wrote there are not read. Names of labels, types and properties were checked when the map was made and stand in
backticks; values are parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from graph_schema.ddl import GRAPH, KEY, PLACE, ROW
from graph_schema.errors import InputError, unknown_name
from kgxfer.graph import USER
from kgxfer.stores.pull_map import (
    EntityNodeMap,
    FactMap,
    ItemNodeMap,
    LinkMap,
    NodeMap,
    PulledDomain,
    PullMap,
    RelationshipMap,
)
from loaders.dataset import CrossDomainDataset
from loaders.own.assemble import from_frames
from loaders.own.messages import one_line, some_of

Ask = Callable[[str, Mapping[str, Any]], pd.DataFrame]
"""Takes Cypher and its parameters, reads, and returns a table; such as the method `query` of a store."""

SAMPLE = 1_000
"""Nodes or relationships whose properties are named in messages."""

_ZONE = r"\[.*\]$"  # Neo4j writes the name of a time zone behind its offset.


@dataclass(frozen=True, eq=False)
class Pulled:
    """What a database holds for two domains: tables by their place in a column map."""

    pull_map: PullMap
    tables: Mapping[str, pd.DataFrame]

    @cached_property
    def dataset(self) -> CrossDomainDataset:
        """The tables, cleaned and paired; InputError where nothing joins the domains."""
        return from_frames(self.tables, self.pull_map.column_values(self.tables))

    def write_tables(self, folder: Path) -> dict[str, str]:
        """Write the tables as Parquet into a folder that is there; returns place -> file."""
        files = {place: f"{place.replace('.', '-')}.parquet" for place in self.tables}
        for place, table in self.tables.items():
            table.to_parquet(folder / files[place], index=False)
        return files


def pull(ask: Ask, pull_map: PullMap, say: Callable[[str], None] = lambda line: None) -> Pulled:
    """Read the tables of both domains.

    Args:
        ask: sends Cypher to the database; reading is all that is asked of it.
        pull_map: what its labels, types and properties mean.
        say: told what was found, line by line.

    Raises:
        InputError: a label, type or property that the database does not have (the nearest is named), nodes without an
            id or with the same, no relationships between the labels, and whatever `ask` raises.
    """
    reader = _Reader(ask)
    reader.check_names(pull_map)
    tables: dict[str, pd.DataFrame] = {}
    for role, domain in pull_map.domains.items():
        for name, table in reader.tables_of(domain).items():
            tables[f"{role}.{name}"] = table
            say(f"{role} {domain.domain}: {len(table):,} {name}")
    if pull_map.links is not None:
        tables["links"] = reader.links(pull_map.links, pull_map)
        say(f"{len(tables['links']):,} links")
    return Pulled(pull_map, tables)


@dataclass(eq=False)
class _Pattern:
    """A pattern in Cypher with its conditions and parameters, and what is returned of it."""

    text: str
    conditions: list[str] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)

    def keep(self, variable: str, node: NodeMap) -> None:
        """Keep the nodes that a map means, and none that this library wrote."""
        marks = " OR ".join(f"{variable}.`{name}` IS NULL" for name in (GRAPH, KEY, ROW, PLACE))
        self.conditions.append(f"({marks})")
        for number, (name, value) in enumerate(node.where.items()):
            self.parameters[f"{variable}{number}"] = value
            self.conditions.append(f"{variable}.`{name}` = ${variable}{number}")

    def query(self, returned: Mapping[str, str]) -> str:
        columns = ", ".join(f"{value} AS `{name}`" for name, value in returned.items())
        return f"MATCH {self.text} WHERE {' AND '.join(self.conditions)} RETURN {columns}"


def _nodes(node: NodeMap, variable: str = "n") -> _Pattern:
    pattern = _Pattern(f"({variable}:`{node.label}`)")
    pattern.keep(variable, node)
    return pattern


def _edges(first: NodeMap, edge: RelationshipMap, second: NodeMap, *, reverse: bool = False) -> _Pattern:
    """Relationships from the first to the second, or as they are `reversed`; `reverse` turns that round."""
    left, right = ("<-", "-") if edge.reversed != reverse else ("-", "->")
    pattern = _Pattern(f"(a:`{first.label}`){left}[r:`{edge.type}`]{right}(b:`{second.label}`)")
    pattern.keep("a", first)
    pattern.keep("b", second)
    return pattern


def _text(variable: str, name: str | None) -> str:
    """A property as text: numbers and moments too; null for what has no text, such as a list."""
    return "null" if name is None else f"toStringOrNull({variable}.`{name}`)"


class _Reader:
    """Reads tables, and checks what they rest on, each kind of node once."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.checked: list[NodeMap] = []

    def check_names(self, pull_map: PullMap) -> None:
        """Refuse labels and relationship types that the database does not have."""
        labels = self.ask("CALL db.labels() YIELD label RETURN label", {})
        types = self.ask("CALL db.relationshipTypes() YIELD relationshipType RETURN relationshipType AS type", {})
        nodes, edges = _nodes_of(pull_map), _edges_of(pull_map)
        for kind, wanted, there in (
            ("label", [one.label for one in nodes], sorted(labels["label"])),
            ("relationship type", [one.type for one in edges], sorted(types["type"])),
        ):
            for name in wanted:
                if name not in there:
                    raise _unknown(f"{kind} in the database", name, there)

    def tables_of(self, domain: PulledDomain) -> dict[str, pd.DataFrame]:
        """The tables of one domain, by name."""
        for node in (domain.users, domain.items):
            self.check_nodes(node)
        interactions = self.interactions(domain)
        tables = {"interactions": interactions, "items": self.items(domain.items)}
        if domain.users.name is not None:
            tables["users"] = self.users(domain.users, interactions["user_id"])
        if domain.knows is not None:
            tables["knows"] = self.knows(domain.users, domain.knows, interactions["user_id"])
        if domain.facts:
            found = [self.facts(fact, domain) for fact in domain.facts]
            tables["facts"] = pd.concat(found, ignore_index=True)
        return tables

    def check_nodes(self, node: NodeMap) -> None:
        """Refuse nodes that are not there, without an id or with the same, and properties that none of them has."""
        if node in self.checked:
            return
        pattern, identity = _nodes(node), _text("n", node.id)
        named = [name for name in (node.name, getattr(node, "year", None)) if name is not None]
        named += list(getattr(node, "attributes", ()))
        counts = {"nodes": "count(n)", "ids": f"count({identity})", "distinct": f"count(DISTINCT {identity})"}
        counts |= {f"has {number}": f"count(n.`{name}`)" for number, name in enumerate(named)}
        found = self.ask(pattern.query(counts), pattern.parameters).iloc[0]
        what = _called(node)
        if not found["nodes"]:
            raise InputError(f"there is no {what} in the database; correct the label or its where")
        for number, name in enumerate((node.id, *named)):
            if not (found["ids"] if number == 0 else found[f"has {number - 1}"]):
                there = self.properties(f"MATCH (x:`{node.label}`)")
                raise _unknown(f"property of {what}", name, there)
        lacking, twice = found["nodes"] - found["ids"], found["ids"] - found["distinct"]
        if lacking:
            raise InputError(
                f'{what}: {lacking:,} of {found["nodes"]:,} have no id (property "{node.id}"); give them one, or take '
                "another property"
            )
        if twice:
            raise InputError(
                f'{what}: {twice:,} of {found["nodes"]:,} share their id (property "{node.id}"); take a property '
                "that tells them apart"
            )
        self.checked.append(node)

    def interactions(self, domain: PulledDomain) -> pd.DataFrame:
        """Who had to do with what."""
        edge = domain.interactions
        ends = {"user_id": _text("a", domain.users.id), "item_id": _text("b", domain.items.id)}
        own = {name: getattr(edge, name) for name in ("rating", "timestamp", "weight", "event")}
        own = {name: value for name, value in own.items() if value is not None}
        numbers = ("rating", "weight")
        values = {name: f"r.`{one}`" if name in numbers else _text("r", one) for name, one in own.items()}
        table = self.edges(domain.users, edge, domain.items, ends | values)
        for name, value in own.items():
            if table[name].isna().all():
                there = self.properties(f"MATCH ()-[x:`{edge.type}`]->()")
                raise _unknown(f'property of relationships "{edge.type}"', value, there)
        if "timestamp" in table:
            table["timestamp"] = table["timestamp"].str.replace(_ZONE, "", regex=True)
        return table

    def items(self, node: ItemNodeMap) -> pd.DataFrame:
        """The items, also those nobody had to do with."""
        pattern, returned = _nodes(node), {"item_id": _text("n", node.id)}
        returned |= {role: _text("n", name) for role in ("name", "year") if (name := getattr(node, role)) is not None}
        returned |= {name: f"n.`{name}`" for name in node.attributes}
        table = self.ask(pattern.query(returned), pattern.parameters)
        for name, attribute in node.attributes.items():
            table[name] = _joined(table[name], attribute.separator)
        return _in_order(table)

    def users(self, node: NodeMap, active: pd.Series) -> pd.DataFrame:
        """Names of the users of the domain: of those who have interactions in it."""
        pattern, returned = _nodes(node), {"user_id": _text("n", node.id), "name": _text("n", node.name)}
        table = self.ask(pattern.query(returned), pattern.parameters)
        return _in_order(table[table["user_id"].isin(active)])

    def knows(self, users: NodeMap, edge: RelationshipMap, active: pd.Series) -> pd.DataFrame:
        """Which users of the domain know each other."""
        returned = {"user_id": _text("a", users.id), "other_id": _text("b", users.id)}
        table = self.edges(users, edge, users, returned)
        return table[table["user_id"].isin(active) & table["other_id"].isin(active)].reset_index(drop=True)

    def facts(self, fact: FactMap, domain: PulledDomain) -> pd.DataFrame:
        """The facts of one relationship type."""
        head, tail = fact.head or domain.items, fact.tail or domain.items
        for node in (head, tail):
            self.check_nodes(node)
        returned = {
            f"{end}_{part}": _text(variable, getattr(node, part))
            for end, variable, node in (("head", "a", head), ("tail", "b", tail)) for part in ("id", "name")
        }
        kinds = {
            f"{end}_type": node.node_type if isinstance(node, EntityNodeMap) else domain.item_type
            for end, node in (("head", head), ("tail", tail))
        }
        return self.edges(head, fact, tail, returned).assign(relation=fact.relation, **kinds)

    def links(self, edge: LinkMap, pull_map: PullMap) -> pd.DataFrame:
        """What of the source is what of the target."""
        first, second = (one.users if edge.node_type == USER else one.items for one in pull_map.domains.values())
        confidence = "1.0" if edge.confidence is None else f"coalesce(r.`{edge.confidence}`, 1.0)"
        ends = {"source_id": _text("a", first.id), "target_id": _text("b", second.id), "confidence": confidence}
        found = self.edges(first, edge, second, ends).drop_duplicates(["source_id", "target_id"], ignore_index=True)
        return found.assign(node_type=edge.node_type)

    def edges(
        self, first: NodeMap, edge: RelationshipMap, second: NodeMap, returned: Mapping[str, str]
    ) -> pd.DataFrame:
        """Relationships of a type between two kinds of nodes; refuses none."""
        pattern = _edges(first, edge, second)
        table = self.ask(pattern.query(returned), pattern.parameters)
        if table.empty:
            turned = _edges(first, edge, second, reverse=True)
            count = self.ask(turned.query({"count": "count(r)"}), turned.parameters)["count"].iloc[0]
            hint = "correct the map"
            if count:
                hint = f"{count:,} go the other way: set reversed = {'false' if edge.reversed else 'true'}"
            ways = (_called(second), _called(first)) if edge.reversed else (_called(first), _called(second))
            raise InputError(f'no relationship "{one_line(edge.type)}" goes from {ways[0]} to {ways[1]}; {hint}')
        return _in_order(table)

    def properties(self, match: str) -> list[str]:
        """Names of the properties of what a pattern finds as x."""
        text = f"{match} WITH x LIMIT {SAMPLE} UNWIND keys(x) AS name RETURN DISTINCT name ORDER BY name"
        return [str(name) for name in self.ask(text, {})["name"]]


def _nodes_of(pull_map: PullMap) -> list[NodeMap]:
    found: list[NodeMap] = []
    for domain in pull_map.domains.values():
        found += [domain.users, domain.items]
        found += [end for fact in domain.facts for end in (fact.head, fact.tail) if end is not None]
    return found


def _edges_of(pull_map: PullMap) -> list[RelationshipMap]:
    found: list[RelationshipMap | None] = [pull_map.links]
    for domain in pull_map.domains.values():
        found += [domain.interactions, domain.knows, *domain.facts]
    return [edge for edge in found if edge is not None]


def _called(node: NodeMap) -> str:
    """A kind of node for messages."""
    chosen = ", ".join(f'{name} = "{value}"' for name, value in node.where.items())
    return one_line(f'node "{node.label}"' + (f" with {chosen}" if chosen else ""), 200)


def _unknown(kind: str, name: str, there: Iterable[str]) -> InputError:
    """The error for a name that the database does not have; of many names the nearest come first."""
    from difflib import get_close_matches

    every = list(there)
    nearest = get_close_matches(name, every, n=3, cutoff=0.5)
    return unknown_name(kind, one_line(name, 40), some_of([*nearest, *(one for one in every if one not in nearest)]))


def _joined(column: pd.Series, separator: str) -> pd.Series:
    """Lists as text, and of values that Parquet has no one type for their text."""
    is_list = column.map(lambda value: isinstance(value, list)).astype(bool)
    if is_list.any():
        column = column.astype(object).mask(is_list, column[is_list].map(lambda value: separator.join(map(str, value))))
    try:
        pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError):
        column = column.astype(object).where(column.isna(), column.astype("str"))
    return column


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Rows in an order of their own: a database has none, and the same data should give the same tables."""
    return table.sort_values(list(table.columns), ignore_index=True, key=lambda column: column.astype("str"))
