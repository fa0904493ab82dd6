"""The one place that knows how Neo4j's Cypher and Ladybug's differ: texts of the pack become texts of either.

A text of the pack is Cypher with the vocabulary's names and a few words of its own:

- ``(n:Item)`` stands for items of every type. In Neo4j a node carries its ancestors' labels, and one database holds
  several graphs: (n:`Item` {graph: $graph}). In Ladybug a type is a table: (n:`Book`:`Movie`). ``Node`` is every type.
- ``[r:FACT]`` stands for the relations of facts, ``LINK`` for SAME_AS and SIMILAR_TO, ``KNOWN`` for all but
  RECOMMENDED. What a graph does not have is no table in Ladybug: there the pattern becomes one that nothing matches.
- ``MATCH (u)-[:SAME_AS*0..1]-(v:User)``, a clause of its own, is u and what is the same; where several are the same as
  u, it may come several times: count what is distinct. Ladybug looks the nodes up by their keys, since going along a
  path of variable length from thousands of nodes takes it minutes instead of a second.
- ``called(n)`` (name, else id), ``kind(n)``, ``type(r)``, ``starts(r, n)``, ``keys_of(p)``, ``names_of(p)``,
  ``relations_of(p)``, ``joined(list)``, ``cosine(a, b)``, ``shortest((a)-[:KNOWN*1..6]-(b))``.

A pattern never counts on it that Neo4j takes no edge twice in one MATCH, which Ladybug does. Names enter a text from
the schema alone, in backticks; values never do.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from graph_schema.schema import EdgeType, Schema
from graph_schema.tables import IDENTITY, LIKENESS, RECOMMENDED
from kgxfer.graph import INTERACTION

EVERY_NODE = "Node"
GROUPS = ("FACT", "LINK", "KNOWN")

_NODE = re.compile(r"\((\w*):(\w+)( \{[^}]*\})?\)")
_SAME = re.compile(r"MATCH \((\w+)\)-\[:SAME_AS\*0\.\.1\]-\((\w+):(\w+)\)(?=\s)")
_EDGE = re.compile(r"\[(\w*):([A-Z_]+)\]")
_SHORTEST = re.compile(r"shortest\((\(\w+\)-\[):([A-Z_]+)\*1\.\.(\d)(\]-\(\w+\))\)")
_CALL = re.compile(r"\b(called|kind|type|starts|keys_of|names_of|relations_of|joined|cosine)\(([^()]*)\)")


@dataclass(frozen=True)
class StoredGraph:
    """What a store holds, as far as a query's text depends on it.

    Attributes:
        schema: of the graph.
        domains: source and target.
        node_types: in use.
        edge_types: in use, RECOMMENDED among them where there are recommendations.
        properties: further properties that some nodes have, such as "embedding".
    """

    schema: Schema
    domains: tuple[str, str]
    node_types: tuple[str, ...]
    edge_types: frozenset[EdgeType]
    properties: frozenset[str] = frozenset()

    def types(self, name: str) -> list[str]:
        """The types in use that a name stands for."""
        if name == EVERY_NODE:
            return [*self.node_types]
        return [kind for kind in self.node_types if self.schema.is_subtype(kind, name)]

    def relations(self, name: str) -> list[str]:
        """The relations in use that a name stands for, in the order of the schema."""
        used = {kind.relation for kind in self.edge_types}
        links = {IDENTITY, LIKENESS}
        chosen = {
            "FACT": used - links - {INTERACTION, RECOMMENDED}, "LINK": used & links, "KNOWN": used - {RECOMMENDED}
        }.get(name, used & {name})
        return [relation for relation in self.schema.relation_names if relation in chosen]

    def lacks(self, need: str) -> bool:
        """Whether there is none of a relation, or no node type with a property ".name"."""
        if not need.startswith("."):
            return not self.relations(need)
        name = need.removeprefix(".")
        declared = {row.name for kind in self.node_types for row in self.schema.properties(kind)}
        return name not in declared | self.properties


class Dialect(ABC):
    """Turns texts of the pack into texts that one database takes."""

    def __init__(self, stored: StoredGraph) -> None:
        stored.schema.require_identifiers()
        self.stored = stored

    def render(self, text: str) -> str:
        """The text for this database; what stands in it as a value stays a parameter."""
        text = _SHORTEST.sub(lambda found: self.shortest(*found.groups()), text)
        text = _SAME.sub(lambda found: self.same(*found.groups()), text)
        text = _EDGE.sub(lambda found: self.edge(found[1], found[2]), text)
        text = _NODE.sub(lambda found: self.node(found[1], found[2], (found[3] or "").strip(" {}")), text)
        return _CALL.sub(lambda found: self.call(found[1], [part.strip() for part in found[2].split(",")]), text)

    @abstractmethod
    def node(self, variable: str, name: str, values: str) -> str:
        """A node of a type."""

    @abstractmethod
    def edge(self, variable: str, name: str) -> str:
        """An edge of one of the relations that a name stands for."""

    @abstractmethod
    def same(self, first: str, second: str, kind: str) -> str:
        """The clause that makes of a node itself and what SAME_AS joins to it; patterns in it are rendered."""

    @abstractmethod
    def shortest(self, before: str, name: str, longest: str, after: str) -> str:
        """All shortest paths over the relations that a name stands for."""

    @abstractmethod
    def call(self, function: str, arguments: list[str]) -> str:
        """What one of the pack's own functions is called."""


class Neo4jDialect(Dialect):
    """Cypher of Neo4j 5; the graph's id is the parameter `$graph`."""

    def node(self, variable: str, name: str, values: str) -> str:  # noqa: D102
        roots = dict.fromkeys(self.stored.schema.root(kind) for kind in self.stored.node_types)
        label = "|".join(f"`{root}`" for root in roots) if name == EVERY_NODE else f"`{name}`"
        return f"({variable}:{label} {{graph: $graph{', ' + values if values else ''}}})"

    def edge(self, variable: str, name: str) -> str:  # noqa: D102
        return f"[{variable}:{_either(self._relations(name))}]"

    def same(self, first: str, second: str, kind: str) -> str:  # noqa: D102
        return f"MATCH ({first})-[:`{IDENTITY}`*0..1]-({second}:{kind})"

    def shortest(self, before: str, name: str, longest: str, after: str) -> str:  # noqa: D102
        return f"allShortestPaths({before}:{_either(self._relations(name))}*..{longest}{after})"

    def call(self, function: str, arguments: list[str]) -> str:  # noqa: D102
        first, last = arguments[0], arguments[-1]
        return {
            "called": f"coalesce({first}.name, {first}.id)",
            "kind": f"split({first}.key, ':')[0]",
            "type": f"type({first})",
            "starts": f"startNode({first}) = {last}",
            "keys_of": f"[node IN nodes({first}) | node.key]",
            "names_of": f"[node IN nodes({first}) | coalesce(node.name, node.id)]",
            "relations_of": f"[edge IN relationships({first}) | type(edge)]",
            "joined": f"reduce(text = '', one IN {first} | text + one + ' ')",
            # Neo4j's function maps the cosine to 0..1.
            "cosine": f"2 * vector.similarity.cosine({first}, {last}) - 1",
        }[function]

    def _relations(self, name: str) -> list[str]:
        # A group that is empty still needs a name; one that the graph does not have matches nothing.
        return self.stored.relations(name) or ([IDENTITY] if name in GROUPS else [name])


class LadybugDialect(Dialect):
    """Cypher of Ladybug, where every type and every relation is a table, and one that is not there is an error."""

    def node(self, variable: str, name: str, values: str) -> str:  # noqa: D102
        types = self.stored.types(name)
        if not types:
            return f"({variable}:`{self.stored.node_types[0]}` {{row: -1}})"
        return f"({variable}:{':'.join(f'`{kind}`' for kind in types)}{f' {{{values}}}' if values else ''})"

    def edge(self, variable: str, name: str) -> str:  # noqa: D102
        relations = self.stored.relations(name)
        return f"[{variable}:{_either(relations)}]" if relations else f"[{variable}:`{INTERACTION}` {{row: -1}}]"

    def same(self, first: str, second: str, kind: str) -> str:  # noqa: D102
        other, key = f"{second}_other", f"{second}_key"
        keys, found = f"[{first}.key]", ""
        if self.stored.relations(IDENTITY):
            keys, found = f"[{first}.key, {other}.key]", f"OPTIONAL MATCH ({first})-[:{IDENTITY}]-({other}:{kind}) "
        return f"{found}UNWIND {keys} AS {key} MATCH ({second}:{kind} {{key: {key}}})"

    def shortest(self, before: str, name: str, longest: str, after: str) -> str:  # noqa: D102
        return f"{before}:{_either(self.stored.relations(name))}* ALL SHORTEST 1..{longest}{after}"

    def call(self, function: str, arguments: list[str]) -> str:  # noqa: D102
        first, last = arguments[0], arguments[-1]
        return {
            "called": f"coalesce({first}.name, {first}.id)",
            "kind": f"label({first})",
            "type": f"label({first})",
            "starts": f"struct_extract({first}, '_SRC') = id({last})",
            "keys_of": f"list_transform(nodes({first}), node -> node.key)",
            "names_of": f"list_transform(nodes({first}), node -> coalesce(node.name, node.id))",
            "relations_of": f"list_transform(rels({first}), edge -> label(edge))",
            "joined": f"list_to_string(' ', {first})",
            "cosine": f"array_cosine_similarity({first}, {last})",
        }[function]


def _either(relations: Iterable[str]) -> str:
    return "|".join(f"`{relation}`" for relation in relations)
