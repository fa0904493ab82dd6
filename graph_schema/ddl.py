"""The vocabulary as statements that prepare a graph database: Neo4j 5 Community, and the embedded Ladybug.

Names come from the schema alone and are identifiers (`Schema.require_identifiers`), in backticks because "end" or
"order" are words of the languages; nothing else that a user gave becomes part of a statement. Neo4j Community enforces
unique keys only: presence, datatypes and ends of edges are checked by `graph_schema.shapes` instead.

What every node and edge has besides the properties of its type:

- `key`: the node's name in its graph; `id`: its id in the data; `domain`: the domains that a node, the domain that an
  edge comes from (a link between domains has none);
- `row`: its row number in the table of its type, so that a graph comes back in the order that it had; `place`: of a
  node, where its key stood among those of its type; `aliases`: the further keys of a node that several were collapsed
  into, as JSON;
- `graph`: the graph a node belongs to, in Neo4j, where one database holds several; in Ladybug a graph is a file.
- `embedding`: its vector, where the statements are made for vectors; `embedding_run`: which run wrote it.
- `community`: the number of its community, where communities were written.
"""

from __future__ import annotations

from collections.abc import Iterable

from graph_schema.errors import InputError
from graph_schema.schema import Datatype, EdgeType, Property, Schema

__all__ = [
    "ALIASES", "COMMUNITY", "DOMAIN", "EMBEDDING", "EMBEDDING_RUN", "GRAPH", "ID", "KEY", "NAMES_INDEX", "PLACE", "ROW",
    "ladybug_statements", "neo4j_statements",
]

KEY, ID, GRAPH, DOMAIN, ROW = "key", "id", "graph", "domain", "row"
PLACE, ALIASES = "place", "aliases"
EMBEDDING, EMBEDDING_RUN, COMMUNITY = "embedding", "embedding_run", "community"
NAMES_INDEX = "kgxfer.names"
"""The full-text index of Neo4j."""

LADYBUG_TYPES: dict[Datatype, str] = {
    "string": "STRING",
    "integer": "INT64",
    "float": "DOUBLE",
    "boolean": "BOOLEAN",
    "datetime": "TIMESTAMP",
    "year": "INT64",
}

_OF_NODES = {KEY, ID, GRAPH, DOMAIN, ROW, PLACE, ALIASES, EMBEDDING, EMBEDDING_RUN, COMMUNITY}
_OF_EDGES = {DOMAIN, ROW, GRAPH}
_OF_LADYBUG = {"_id", "_label", "_src", "_dst", "_nodes", "_rels"}
_LARGEST_DIM = 4096


def neo4j_statements(
    schema: Schema, node_types: Iterable[str] | None = None, *, dim: int | None = None
) -> tuple[str, ...]:
    """Return the statements for Neo4j, each of which does nothing where something of that name is there.

    A node carries the label of its type and of every ancestor. For each label: keys are unique in a graph, and an index
    of each property that is `indexed`, a text index where it is a string; for relations likewise. One full-text index
    of all indexed strings of nodes; one vector index per top type, by cosine.

    Args:
        schema: the vocabulary, extended or not.
        node_types: the types in use, whose ancestors are added; all of the schema when not given.
        dim: length of the nodes' vectors; no vector index when not given.

    Raises:
        InputError: an unknown type, a name that fits into no statement or is taken, a length no index takes.

    >>> from graph_schema.vocabulary import SCHEMA
    >>> print(neo4j_statements(SCHEMA, ["Genre"])[1])
    CREATE CONSTRAINT `Genre.key` IF NOT EXISTS FOR (n:`Genre`) REQUIRE (n.`graph`, n.`key`) IS UNIQUE
    """
    _require_free_names(schema)
    _require_dim(dim)
    used = {one for name in (schema.names if node_types is None else node_types) for one in schema.ancestors(name)}
    labels = [name for name in schema.names if name in used]
    indexed = {label: [row for row in schema.properties(label) if row.indexed] for label in labels}
    statements = [
        f"CREATE CONSTRAINT `{label}.{KEY}` IF NOT EXISTS FOR (n:`{label}`) REQUIRE (n.`{GRAPH}`, n.`{KEY}`) IS UNIQUE"
        for label in labels
    ]
    statements += [
        f"CREATE {_kind_of_index(row)} `{label}.{row.name}` IF NOT EXISTS FOR (n:`{label}`) ON (n.`{row.name}`)"
        for label in labels
        for row in indexed[label]
    ]
    statements += [
        f"CREATE {_kind_of_index(row)} `{relation}.{name}` IF NOT EXISTS FOR ()-[r:`{relation}`]-() ON (r.`{name}`)"
        for relation in schema.relation_names
        for name, row in _edge_properties(schema, relation).items()
        if row.indexed
    ]
    statements += _full_text_index(schema, labels)
    if dim is not None:
        statements += [
            f"CREATE VECTOR INDEX `{root}.{EMBEDDING}` IF NOT EXISTS FOR (n:`{root}`) ON (n.`{EMBEDDING}`) "
            f"OPTIONS {{indexConfig: {{`vector.dimensions`: {dim}, `vector.similarity_function`: 'cosine'}}}}"
            for root in labels
            if schema.node_type(root).parent is None
        ]
    return tuple(statements)


def ladybug_statements(
    schema: Schema, edge_types: Iterable[EdgeType], node_types: Iterable[str] = (), *, dim: int | None = None
) -> tuple[str, ...]:
    """Return the statements for Ladybug, whose tables are typed: a table per node type, and one per relation.

    A node table has the properties of its type and of its ancestors; a relation's table joins the pairs of types
    that are in use (the vocabulary allows thousands) and has the properties of all its rows.

    Args:
        schema: the vocabulary, extended or not.
        edge_types: the edge types in use; their ends get tables.
        node_types: further node types in use.
        dim: length of the nodes' vectors; no column for them when not given.

    Raises:
        InputError: an edge type that the schema does not allow, a name that fits into no statement or is taken, a
            property that the rows of one relation give two datatypes.
    """
    _require_free_names(schema)
    _require_dim(dim)
    edges = {schema.edge_type(*edge_type) for edge_type in edge_types}
    used = {schema.node_type(name).name for name in node_types} | {end for one in edges for end in (one.head, one.tail)}
    statements = []
    for name in (name for name in schema.names if name in used):
        columns = [f"`{KEY}` STRING PRIMARY KEY", f"`{ID}` STRING", f"`{DOMAIN}` STRING[]"]
        columns += [f"`{ROW}` INT64", f"`{PLACE}` INT64", f"`{ALIASES}` STRING"]
        columns += [_column(row) for row in schema.properties(name)]
        columns += [f"`{EMBEDDING}` FLOAT[{dim}]", f"`{EMBEDDING_RUN}` STRING"] if dim is not None else []
        statements.append(f"CREATE NODE TABLE IF NOT EXISTS `{name}` ({', '.join(columns)})")
    for relation in schema.relation_names:
        pairs = sorted((one.head, one.tail) for one in edges if one.relation == relation)
        parts = [f"FROM `{head}` TO `{tail}`" for head, tail in pairs]
        parts += [f"`{DOMAIN}` STRING", f"`{ROW}` INT64", *map(_column, _edge_properties(schema, relation).values())]
        if pairs:
            statements.append(f"CREATE REL TABLE IF NOT EXISTS `{relation}` ({', '.join(parts)})")
    return tuple(statements)


def _kind_of_index(row: Property) -> str:
    """A text index for strings: a range index refuses nodes whose string has more than 8 kB."""
    return "TEXT INDEX" if row.datatype == "string" and not row.many else "INDEX"


def _full_text_index(schema: Schema, labels: list[str]) -> list[str]:
    """One index of all indexed strings, on the labels that declare them: a node carries its ancestors' labels too."""
    declared = [
        (label, row.name)
        for label in labels
        for row in schema.node_type(label).properties
        if row.indexed and row.datatype == "string"
    ]
    if not declared:
        return []
    holders = "|".join(dict.fromkeys(f"`{label}`" for label, _ in declared))
    columns = ", ".join(dict.fromkeys(f"n.`{name}`" for _, name in declared))
    return [f"CREATE FULLTEXT INDEX `{NAMES_INDEX}` IF NOT EXISTS FOR (n:{holders}) ON EACH [{columns}]"]


def _column(row: Property) -> str:
    return f"`{row.name}` {LADYBUG_TYPES[row.datatype]}{'[]' if row.many else ''}"


def _edge_properties(schema: Schema, relation: str) -> dict[str, Property]:
    """The properties of all rows of a relation by name; InputError where two rows disagree about one."""
    found: dict[str, Property] = {}
    for row in (row for one in schema.relation(relation) for row in one.properties):
        first = found.setdefault(row.name, row)
        if (first.datatype, first.many) != (row.datatype, row.many):
            raise InputError(
                f'relation "{relation}": its rows give property "{row.name}" two datatypes; a database has one, '
                f"use another name or relation"
            )
    return found


def _require_free_names(schema: Schema) -> None:
    schema.require_identifiers()
    holders = [(one.name, one.properties, _OF_NODES | _OF_LADYBUG) for one in schema.node_types]
    holders += [(one.name, one.properties, _OF_EDGES | _OF_LADYBUG) for one in schema.relations]
    for holder, properties, taken in holders:
        for row in properties:
            if row.name.casefold() in taken:
                raise InputError(f'property "{row.name}" of {holder}: databases use this name themselves; rename it')


def _require_dim(dim: int | None) -> None:
    if dim is not None and not (type(dim) is int and 1 <= dim <= _LARGEST_DIM):
        raise InputError(f"vectors of length {dim!r}: a vector index takes whole numbers from 1 to {_LARGEST_DIM}")
