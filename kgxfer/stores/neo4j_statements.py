"""All of Neo4j's Cypher, but for constraints and indexes (`graph_schema.ddl`) and what other modules ask as queries.

Labels, relations and property names come from a schema whose names are identifiers, and stand in backticks; values are
parameters, $graph always among them. The nodes that are no part of a graph have labels with a dot, which no schema has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from graph_schema.ddl import COMMUNITY, EMBEDDING, EMBEDDING_RUN, GRAPH, KEY, NAMES_INDEX, ROW
from graph_schema.schema import EdgeType
from graph_schema.tables import RECOMMENDED

MANIFEST = "kgxfer.Graph"
RUN = "kgxfer.Run"

DELETED_TOGETHER = 20_000
"""Relationships or nodes that go in one transaction."""

CONSTRAINTS = (
    f"CREATE CONSTRAINT `{MANIFEST}.graph` IF NOT EXISTS FOR (n:`{MANIFEST}`) REQUIRE n.`{GRAPH}` IS UNIQUE",
    f"CREATE CONSTRAINT `{RUN}.name` IF NOT EXISTS FOR (n:`{RUN}`) REQUIRE (n.`{GRAPH}`, n.name) IS UNIQUE",
)
CREATE_MANIFEST = (
    f"MERGE (m:`{MANIFEST}` {{`{GRAPH}`: $graph}}) ON CREATE SET m.fingerprint = $fingerprint, m.format = $format, "
    "m.description = $description, m.labels = $labels, m.plan = $plan, m.done = 0, m.state = $state"
)
READ_MANIFEST = (
    f"MATCH (m:`{MANIFEST}` {{`{GRAPH}`: $graph}}) "
    "RETURN m.fingerprint, m.format, m.description, m.labels, m.plan, m.done, m.state"
)
SET_STATE = f"MATCH (m:`{MANIFEST}` {{`{GRAPH}`: $graph}}) SET m.state = $state"
DELETE_MANIFEST = f"MATCH (m:`{MANIFEST}` {{`{GRAPH}`: $graph}}) DELETE m"
GRAPHS = f"MATCH (m:`{MANIFEST}`) RETURN m.`{GRAPH}` AS graph ORDER BY graph"

# Two statements of one transaction: the first takes the lock, so that the second reads what is settled.
LOCK = f"MATCH (m:`{MANIFEST}` {{`{GRAPH}`: $graph}}) SET m.claimed = $number"
COUNT_UP = f"MATCH (m:`{MANIFEST}` {{`{GRAPH}`: $graph}}) WHERE m.done = $number SET m.done = $number + 1"

INDEXES = "SHOW INDEXES YIELD name RETURN name"
AWAIT_INDEX = "CALL db.awaitIndex($name, $seconds)"
NAMES = (
    f"SHOW INDEXES YIELD name, labelsOrTypes, properties WHERE name = '{NAMES_INDEX}' "
    "RETURN labelsOrTypes, properties"
)
DROP_NAMES = f"DROP INDEX `{NAMES_INDEX}` IF EXISTS"


def create_names(labels: Sequence[str], properties: Sequence[str]) -> str:
    """The full-text index over these labels and properties."""
    holders, columns = "|".join(f"`{one}`" for one in labels), ", ".join(f"n.`{one}`" for one in properties)
    return f"CREATE FULLTEXT INDEX `{NAMES_INDEX}` IF NOT EXISTS FOR (n:{holders}) ON EACH [{columns}]"


def create_nodes(labels: Sequence[str], values: Iterable[tuple[str, str]]) -> str:
    """Nodes from $rows, lists of values; `values` holds a property's name and what it is made of."""
    named = ":".join(f"`{one}`" for one in labels)
    return f"UNWIND $rows AS row CREATE (:{named} {{`{GRAPH}`: $graph, {_map(values)}}})"


def create_edges(kind: EdgeType, values: Iterable[tuple[str, str]]) -> str:
    """Relationships from $rows, whose first two values are the server's own numbers of the ends.

    Numbers are found three times as quickly as keys. They hold as long as the nodes are there, and whoever asks for
    them counts what was made.
    """
    return (
        f"UNWIND $rows AS row MATCH (a:`{kind.head}`) WHERE id(a) = row[0] "
        f"MATCH (b:`{kind.tail}`) WHERE id(b) = row[1] CREATE (a)-[:`{kind.relation}` {{{_map(values)}}}]->(b)"
    )


def numbers_of(kind: str) -> str:
    """Row and the server's own number of each node of a type."""
    return f"{_nodes(kind)} RETURN n.`{ROW}`, id(n)"


def read_nodes(kind: str, values: Iterable[str]) -> str:
    """All nodes of a type; `values` are expressions over n."""
    return f"{_nodes(kind)} RETURN {', '.join(values)}"


def read_edges(kind: EdgeType, values: Iterable[str]) -> str:
    """The rows of both ends, and `values`, expressions over n, of all edges of a type that were loaded."""
    return f"{_edges(kind)} RETURN a.`{ROW}`, b.`{ROW}`, {', '.join(values)}"


def count_nodes(kind: str) -> str:
    """How many nodes of a type there are."""
    return f"{_nodes(kind)} RETURN count(*) AS count"


def count_edges(kind: EdgeType) -> str:
    """How many edges of a type there are."""
    return f"{_edges(kind)} RETURN count(*) AS count"


def strangers(label: str) -> str:
    """Relationships at the graph's nodes that we did not write, or that lead to other nodes."""
    return (
        f"MATCH (n:`{label}`)-[r]-(m) WHERE n.`{GRAPH}` = $graph AND (r.`{ROW}` IS NULL AND r.run IS NULL "
        f"OR m.`{GRAPH}` IS NULL OR m.`{GRAPH}` <> $graph) RETURN type(r) AS relation, count(*) AS count LIMIT 1"
    )


def delete_edges(label: str) -> str:
    """All relationships that leave the graph's nodes of a label."""
    return (
        f"MATCH (n:`{label}`)-[r]->() WHERE n.`{GRAPH}` = $graph "
        f"CALL (r) {{ DELETE r }} IN TRANSACTIONS OF {DELETED_TOGETHER} ROWS"
    )


def delete_nodes(label: str) -> str:
    """The graph's nodes of a label."""
    return (
        f"MATCH (n:`{label}`) WHERE n.`{GRAPH}` = $graph "
        f"CALL (n) {{ DETACH DELETE n }} IN TRANSACTIONS OF {DELETED_TOGETHER} ROWS"
    )


WRITE_RUN = f"MERGE (r:`{RUN}` {{`{GRAPH}`: $graph, name: $run}}) SET r.model = $model, r.at = $at"
RUNS = f"MATCH (r:`{RUN}` {{`{GRAPH}`: $graph}}) RETURN r.name AS run ORDER BY run"
DELETE_RUN = f"MATCH (r:`{RUN}` {{`{GRAPH}`: $graph, name: $run}}) DELETE r"
DELETE_RUNS = f"MATCH (r:`{RUN}` {{`{GRAPH}`: $graph}}) DELETE r"

def forget_communities(kind: str) -> str:
    """Take all nodes of a type out of their communities."""
    return f"{_nodes(kind)} REMOVE n.`{COMMUNITY}`"


def set_communities(kind: str) -> str:
    """Give the nodes of $rows (key, number) their communities, and count them."""
    return (
        f"UNWIND $rows AS row MATCH (n:`{kind}` {{`{GRAPH}`: $graph, `{KEY}`: row[0]}}) "
        f"SET n.`{COMMUNITY}` = row[1] RETURN count(*)"
    )


VECTOR_INDEX = (
    "SHOW VECTOR INDEXES YIELD name, options WHERE name = $name "
    "RETURN options.indexConfig['vector.dimensions'] AS dim"
)


def vector_index(root: str) -> str:
    """The name of the vector index of a top type."""
    return f"{root}.{EMBEDDING}"


def drop_vector_index(root: str) -> str:
    """Drop the vector index of a top type."""
    return f"DROP INDEX `{vector_index(root)}` IF EXISTS"


def set_vectors(kind: str) -> str:
    """Vectors from $rows (key, numbers) for nodes of a type."""
    return (
        f"UNWIND $rows AS row MATCH (n:`{kind}` {{`{GRAPH}`: $graph, `{KEY}`: row[0]}}) "
        f"CALL db.create.setNodeVectorProperty(n, '{EMBEDDING}', row[1]) SET n.`{EMBEDDING_RUN}` = $run "
        "RETURN count(*) AS count"
    )


def read_vectors(kind: str) -> str:
    """Key, vector and run of each node of a type that has one, in the order of the rows."""
    return (
        f"{_nodes(kind)} AND n.`{EMBEDDING}` IS NOT NULL "
        f"RETURN n.`{KEY}`, n.`{EMBEDDING}`, n.`{EMBEDDING_RUN}` ORDER BY n.`{ROW}`"
    )


def holders_of_vectors(root: str) -> str:
    """Graph and key of each node under a top type that has a vector, in any graph."""
    return f"MATCH (n:`{root}`) WHERE n.`{EMBEDDING}` IS NOT NULL RETURN n.`{GRAPH}`, n.`{KEY}`, n.`{EMBEDDING_RUN}`"


def vector_runs(kind: str) -> str:
    """The runs that wrote the vectors of a type, with counts."""
    return (
        f"{_nodes(kind)} AND n.`{EMBEDDING}` IS NOT NULL "
        f"RETURN n.`{EMBEDDING_RUN}` AS run, count(*) AS count ORDER BY run"
    )


def forget_vectors(root: str) -> str:
    """Remove the vectors of $run under a top type."""
    return (
        f"MATCH (n:`{root}`) WHERE n.`{GRAPH}` = $graph AND n.`{EMBEDDING_RUN}` = $run CALL (n) "
        f"{{ REMOVE n.`{EMBEDDING}`, n.`{EMBEDDING_RUN}` }} IN TRANSACTIONS OF {DELETED_TOGETHER} ROWS "
        "RETURN count(*) AS count"
    )


def nearest(kind: str) -> str:
    """Key, name and vector of the $n nearest nodes of a type among the $k that index $index proposes."""
    return (
        "CALL db.index.vector.queryNodes($index, $k, $vector) YIELD node AS n "
        f"WHERE n:`{kind}` AND n.`{GRAPH}` = $graph "
        f"WITH n, vector.similarity.cosine(n.`{EMBEDDING}`, $vector) AS s "
        f"ORDER BY s DESC LIMIT $n RETURN n.`{KEY}`, n.name, n.`{EMBEDDING}`"
    )


def nearest_of_all(kind: str) -> str:
    """Key, name and vector of the $n nodes of a type that are nearest, by looking at all."""
    return (
        f"MATCH (n:`{kind}`) WHERE n.`{GRAPH}` = $graph AND size(n.`{EMBEDDING}`) = size($vector) "
        f"WITH n, vector.similarity.cosine(n.`{EMBEDDING}`, $vector) AS s WHERE s IS NOT NULL "
        f"ORDER BY s DESC LIMIT $n RETURN n.`{KEY}`, n.name, n.`{EMBEDDING}`"
    )


def recommend(head: str, tail: str) -> str:
    """RECOMMENDED edges from $rows (head, tail, score, rank)."""
    return (
        f"UNWIND $rows AS row MATCH (a:`{head}` {{`{GRAPH}`: $graph, `{KEY}`: row[0]}}) "
        f"MATCH (b:`{tail}` {{`{GRAPH}`: $graph, `{KEY}`: row[1]}}) MERGE (a)-[r:`{RECOMMENDED}` {{run: $run}}]->(b) "
        "SET r.score = row[2], r.rank = row[3], r.model = $model, r.at = $at"
    )


RECOMMENDATION_RUNS = (
    f"MATCH (a)-[r:`{RECOMMENDED}`]->() WHERE a.`{GRAPH}` = $graph AND r.run IS NOT NULL "
    "RETURN r.run AS run, count(*) AS count ORDER BY run"
)


def read_recommendations(wanted: Sequence[str]) -> str:
    """Head, tail and these expressions in n of all recommendations."""
    return (
        f"MATCH (a)-[n:`{RECOMMENDED}`]->(b) WHERE a.`{GRAPH}` = $graph AND n.run IS NOT NULL "
        f"RETURN a.`{KEY}`, b.`{KEY}`, {', '.join(wanted)}"
    )


FORGET_RECOMMENDATIONS = (
    f"MATCH (a)-[r:`{RECOMMENDED}`]->() WHERE r.run = $run AND a.`{GRAPH}` = $graph "
    f"CALL (r) {{ DELETE r }} IN TRANSACTIONS OF {DELETED_TOGETHER} ROWS RETURN count(*) AS count"
)


def known_keys(kind: str) -> str:
    """Those of $keys that nodes of a type have."""
    return f"UNWIND $keys AS key MATCH (n:`{kind}` {{`{GRAPH}`: $graph, `{KEY}`: key}}) RETURN key"


def leaving(kind: str) -> str:
    """Edges from the node $key."""
    return (
        f"MATCH (n:`{kind}` {{`{GRAPH}`: $graph, `{KEY}`: $key}})-[r]->(m) WHERE m.`{GRAPH}` = $graph "
        f"RETURN n.`{KEY}` AS head, type(r) AS relation, m.`{KEY}` AS tail LIMIT $limit"
    )


def arriving(kind: str) -> str:
    """Edges to the node $key from another."""
    return (
        f"MATCH (n:`{kind}` {{`{GRAPH}`: $graph, `{KEY}`: $key}})<-[r]-(m) WHERE m.`{GRAPH}` = $graph AND m <> n "
        f"RETURN m.`{KEY}` AS head, type(r) AS relation, n.`{KEY}` AS tail LIMIT $limit"
    )


ENDS = "MATCH (n) WHERE elementId(n) IN $ids RETURN n"


def _nodes(kind: str) -> str:
    """The nodes of exactly this type: those of types below carry its label too, but not its keys."""
    return f"MATCH (n:`{kind}`) WHERE n.`{GRAPH}` = $graph AND n.`{KEY}` STARTS WITH '{kind}:'"


def _edges(kind: EdgeType) -> str:
    """From the heads on: asked for both ends at once, the server looks up each pair of nodes, which takes hours."""
    return (
        f"{_nodes(kind.head)} WITH n AS a MATCH (a)-[n:`{kind.relation}`]->(b:`{kind.tail}`) "
        f"WHERE n.`{ROW}` IS NOT NULL AND left(b.`{KEY}`, {len(kind.tail) + 1}) = '{kind.tail}:'"
    )


def _map(values: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"`{name}`: {value}" for name, value in values)
