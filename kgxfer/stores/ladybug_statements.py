"""All of Ladybug's Cypher. Names come from the schema, checked by `ladybug_statements`; values are parameters.

Tables are read and written through columns by name: a COPY goes by position where columns are not named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from graph_schema.ddl import COMMUNITY, DOMAIN, EMBEDDING, EMBEDDING_RUN, KEY, ROW
from graph_schema.schema import EdgeType
from graph_schema.tables import RECOMMENDED

MANIFEST = "kgxfer graph"
"""The table of what the file holds; the blank keeps it apart from every name of a schema."""

BEGIN, BEGIN_READING, COMMIT, ROLLBACK = "BEGIN TRANSACTION", "BEGIN TRANSACTION READ ONLY", "COMMIT", "ROLLBACK"
CHECKPOINT = "CHECKPOINT"
TABLES = "CALL show_tables() RETURN name, type"
TABLE_NUMBERS = "CALL show_tables() RETURN id, name"

MANIFEST_COLUMNS = ("format", "fingerprint", "description", "done", "complete")
CREATE_MANIFEST = (
    f"CREATE NODE TABLE `{MANIFEST}` (`part` INT64 PRIMARY KEY, `format` INT64, `fingerprint` STRING, "
    "`description` STRING, `done` INT64, `complete` BOOLEAN)"
)
WRITE_MANIFEST = (
    f"CREATE (:`{MANIFEST}` {{part: 0, format: $format, fingerprint: $fingerprint, description: $description, "
    "done: 0, complete: false})"
)
READ_MANIFEST = f"MATCH (n:`{MANIFEST}`) RETURN {', '.join(f'n.`{name}` AS `{name}`' for name in MANIFEST_COLUMNS)}"
MARK = f"MATCH (n:`{MANIFEST}`) SET n.done = $done, n.complete = $complete"


def drop(table: str) -> str:
    """Remove a table with its rows."""
    return f"DROP TABLE `{table}`"


def pairs_of(relation: str) -> str:
    """The pairs of types that a relation's table joins."""
    return f"CALL show_connection('{relation}') RETURN `source table name` AS head, `destination table name` AS tail"


def columns_of(table: str) -> str:
    """The columns of a table and their datatypes."""
    return f"CALL table_info('{table}') RETURN name, type"


def add_pair(relation: str, head: str, tail: str) -> str:
    """Let a relation's table join a further pair of types."""
    return f"ALTER TABLE `{relation}` ADD FROM `{head}` TO `{tail}`"


def add_name(kind: str) -> str:
    """Give a node table a column for names."""
    return f"ALTER TABLE `{kind}` ADD `name` STRING"


def add_vectors(kind: str, dim: int) -> tuple[str, ...]:
    """Give a node table columns for vectors."""
    return (
        f"ALTER TABLE `{kind}` ADD `{EMBEDDING}` FLOAT[{dim}]",
        f"ALTER TABLE `{kind}` ADD `{EMBEDDING_RUN}` STRING",
    )


def drop_vectors(kind: str) -> tuple[str, ...]:
    """Take the columns for vectors away."""
    return tuple(f"ALTER TABLE `{kind}` DROP `{column}`" for column in (EMBEDDING, EMBEDDING_RUN))


def copy_nodes(kind: str, columns: Iterable[str]) -> str:
    """Append the rows of $given."""
    return f"COPY `{kind}` ({_listed(columns)}) FROM $given"


def copy_edges(kind: EdgeType, properties: Sequence[str]) -> str:
    """Append the edges of $given, whose first two columns are the keys of the ends."""
    named = f" ({_listed(properties)})" if properties else ""
    return f"COPY `{kind.relation}`{named} FROM $given (from='{kind.head}', to='{kind.tail}')"


def read_nodes(kind: str, columns: Iterable[str]) -> str:
    """All nodes of a type."""
    return f"MATCH (n:`{kind}`) RETURN {', '.join(f'n.`{name}` AS `{name}`' for name in columns)}"


def read_edges(kind: EdgeType, properties: Iterable[str]) -> str:
    """All edges of a type."""
    values = "".join(f", r.`{name}` AS `{name}`" for name in (ROW, DOMAIN, *properties))
    return f"{_edges(kind)} RETURN a.`{KEY}` AS head, b.`{KEY}` AS tail{values}"


def count_nodes(kind: str) -> str:
    """How many nodes of a type there are."""
    return f"MATCH (n:`{kind}`) RETURN count(*) AS count"


def count_edges(kind: EdgeType) -> str:
    """How many edges of a type there are."""
    return f"{_edges(kind)} RETURN count(*) AS count"


def known_keys(kind: str) -> str:
    """Those of the keys in column `key` of $given that there are."""
    return f"LOAD FROM $given MATCH (n:`{kind}` {{`{KEY}`: key}}) RETURN key"


def set_vectors(kind: str) -> str:
    """Give the nodes of $given (key, vector) their vectors."""
    # The key inside the pattern is looked up; in a WHERE it is joined, a hundred times slower.
    return (
        f"LOAD FROM $given MATCH (n:`{kind}` {{`{KEY}`: key}}) "
        f"SET n.`{EMBEDDING}` = vector, n.`{EMBEDDING_RUN}` = $run"
    )


def add_communities(kind: str) -> str:
    """Give a node table a column for communities."""
    return f"ALTER TABLE `{kind}` ADD IF NOT EXISTS `{COMMUNITY}` INT64"


def forget_communities(kind: str) -> str:
    """Take all nodes of a type out of their communities."""
    return f"MATCH (n:`{kind}`) SET n.`{COMMUNITY}` = NULL"


def set_communities(kind: str) -> str:
    """Give the nodes of $given (key, number) their communities, and count them."""
    return f"LOAD FROM $given MATCH (n:`{kind}` {{`{KEY}`: key}}) SET n.`{COMMUNITY}` = number RETURN count(*)"


def read_vectors(kind: str) -> str:
    """All vectors of a type, in the order of its rows."""
    return (
        f"MATCH (n:`{kind}`) WHERE n.`{EMBEDDING}` IS NOT NULL "
        f"RETURN n.`{KEY}` AS key, n.`{EMBEDDING}` AS vector, n.`{EMBEDDING_RUN}` AS run ORDER BY n.`{ROW}`"
    )


def vector_runs(kind: str) -> str:
    """The runs that wrote the vectors of a type."""
    return (
        f"MATCH (n:`{kind}`) WHERE n.`{EMBEDDING}` IS NOT NULL RETURN n.`{EMBEDDING_RUN}` AS run, count(*) AS count"
    )


def forget_vectors(kind: str) -> str:
    """Remove the vectors of a run."""
    return (
        f"MATCH (n:`{kind}`) WHERE n.`{EMBEDDING_RUN}` = $run "
        f"SET n.`{EMBEDDING}` = NULL, n.`{EMBEDDING_RUN}` = NULL"
    )


def nearest(kinds: Sequence[str], dim: int) -> str:
    """The nodes of some types that are nearest to $vector by cosine."""
    return (
        f"MATCH (n:{':'.join(f'`{kind}`' for kind in kinds)}) WHERE n.`{EMBEDDING}` IS NOT NULL "
        f"RETURN n.`{KEY}` AS key, n.`name` AS name, "
        f"array_cosine_similarity(n.`{EMBEDDING}`, CAST($vector AS FLOAT[{dim}])) AS similarity "
        "ORDER BY similarity DESC, key LIMIT $n"
    )


RECOMMENDATION_RUNS = f"MATCH ()-[r:`{RECOMMENDED}`]->() RETURN r.run AS run, count(*) AS count"
RECOMMENDATIONS = (
    f"MATCH (a)-[r:`{RECOMMENDED}`]->(b) RETURN a.`{KEY}` AS head, b.`{KEY}` AS tail, "
    "r.score AS score, r.rank AS rank, r.run AS run, r.model AS model, r.at AS at"
)
FORGET_RECOMMENDATIONS = f"MATCH ()-[r:`{RECOMMENDED}`]->() WHERE r.run = $run DELETE r"


def find(kind: str) -> str:
    """Whether there is a node with a key."""
    return f"MATCH (n:`{kind}` {{`{KEY}`: $key}}) RETURN n.`{KEY}` AS key"


def leaving(kind: str) -> str:
    """Edges from a node."""
    return (
        f"MATCH (n:`{kind}` {{`{KEY}`: $key}})-[r]->(m) "
        f"RETURN n.`{KEY}` AS head, label(r) AS relation, m.`{KEY}` AS tail LIMIT $limit"
    )


def arriving(kind: str) -> str:
    """Edges to a node from another."""
    return (
        f"MATCH (n:`{kind}` {{`{KEY}`: $key}})<-[r]-(m) WHERE m.`{KEY}` <> $key "
        f"RETURN m.`{KEY}` AS head, label(r) AS relation, n.`{KEY}` AS tail LIMIT $limit"
    )


def ends(kind: str) -> str:
    """Keys of nodes by the numbers that results of the database call them."""
    return f"MATCH (n:`{kind}`) WHERE offset(id(n)) IN $numbers RETURN offset(id(n)) AS number, n AS node"


def _edges(kind: EdgeType) -> str:
    return f"MATCH (a:`{kind.head}`)-[r:`{kind.relation}`]->(b:`{kind.tail}`)"


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in columns)
