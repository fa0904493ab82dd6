"""A graph into a file of Ladybug, in steps, each of which is written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graph_schema.ddl import ladybug_statements
from graph_schema.errors import InputError
from graph_schema.schema import EdgeType
from graph_schema.tables import IDENTITY, LIKENESS, RECOMMENDED
from kgxfer.graph import USER, KnowledgeGraph
from kgxfer.stores import ladybug_statements as cypher
from kgxfer.stores.base import Progress
from kgxfer.stores.contents import description_of, edge_table, node_table
from kgxfer.stores.ladybug_file import LadybugFile
from kgxfer.stores.ladybug_tables import edge_columns, node_columns, to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

STEP = 2_000_000
"""Rows that are written in one transaction."""


@dataclass(frozen=True)
class _Part:
    """Rows of one table."""

    what: str
    kind: str | EdgeType
    start: int
    stop: int


def checked(graph: KnowledgeGraph) -> dict[str, pa.Table]:
    """The nodes of all types as the database takes them, once the edges' properties are found to fit too.

    Raises:
        InputError: what the schema does not know, or two nodes of one key.
    """
    nodes = {kind: node_table(graph, kind) for kind in graph.nodes}
    for kind, edges in graph.edges.items():
        to_arrow(edges.properties, edge_columns(graph.schema, kind), f"edges {' '.join(kind)}")
    return {kind: to_arrow(table, node_columns(graph.schema, kind), f"nodes {kind}") for kind, table in nodes.items()}


def holds(file: LadybugFile, graph: KnowledgeGraph, done: int) -> bool:
    """Whether the tables have the rows of the first steps of a load, and no others."""
    expected: dict[str | EdgeType, int] = dict.fromkeys([*graph.nodes, *graph.edges], 0)
    for part in (part for step in _steps(graph)[:done] for part in step):
        expected[part.kind] += part.stop - part.start
    counting = {
        kind: cypher.count_nodes(kind) if isinstance(kind, str) else cypher.count_edges(kind) for kind in expected
    }
    return all(file.run(counting[kind])[0][0] == count for kind, count in expected.items())


def create(file: LadybugFile, graph: KnowledgeGraph, form: int) -> None:
    """Make all tables, empty, and the manifest.

    Raises:
        InputError: a name that fits into no statement, or tables of another program.
    """
    schema = graph.schema
    statements = [*ladybug_statements(schema, [*graph.edges, *_write_back(graph)], graph.nodes)]
    nameless = [kind for kind in graph.nodes if "name" not in {row.name for row in schema.properties(kind)}]
    statements += map(cypher.add_name, nameless)
    if others := [name for name, _ in file.run(cypher.TABLES)]:
        raise InputError(f'"{file.name}" has tables of another program ("{others[0]}"); give another file')
    with file.transaction():
        for statement in (cypher.CREATE_MANIFEST, *statements):
            file.run(statement)
        said = {"fingerprint": graph.fingerprint, "description": description_of(graph)}
        file.run(cypher.WRITE_MANIFEST, format=form, **said)


def fill(
    file: LadybugFile, graph: KnowledgeGraph, nodes: dict[str, pa.Table], done: int, progress: Progress
) -> None:
    """Write all steps but the first ones, which are done, and mark the graph complete."""
    of = {"nodes": graph.node_count, "edges": graph.edge_count}
    written = {"nodes": 0, "edges": 0}
    kept: dict[str | EdgeType, pa.Table] = {}
    for number, step in enumerate(_steps(graph), start=1):
        with file.transaction() if number > done else nullcontext():
            for part in step:
                if number > done:
                    if part.kind not in kept:
                        table = nodes[part.kind] if isinstance(part.kind, str) else _edges(graph, part.kind)
                        kept = {part.kind: table}
                    rows = kept[part.kind].slice(part.start, part.stop - part.start)
                    file.run(copy(part.kind, rows.column_names), given=rows)
                written[part.what] += part.stop - part.start
                progress(part.what, written[part.what], of[part.what])
        if number > done:
            # On a full disk a COPY can be committed whose rows are lost: only what was checkpointed is marked.
            file.run(cypher.CHECKPOINT)
            file.run(cypher.MARK, done=number, complete=False)
    file.run(cypher.MARK, done=len(_steps(graph)), complete=True)


def _write_back(graph: KnowledgeGraph) -> Iterator[EdgeType]:
    """Edge types that queries ask for whether or not the graph has such edges: a table that lacks is an error."""
    users, items = (USER, USER), dict.fromkeys(graph.item_types)
    pairs = {RECOMMENDED: [(USER, item) for item in items]}
    for relation in (IDENTITY, LIKENESS):
        pairs[relation] = [users, *((item, item) for item in items), graph.item_types]
    for relation, ends in pairs.items():
        for head, tail in ends:
            with suppress(InputError):  # a user's own vocabulary need not have it
                yield graph.schema.edge_type(head, relation, tail)


def _steps(graph: KnowledgeGraph) -> list[list[_Part]]:
    """Which rows are written in one transaction: of several tables where they are small; at least one step."""
    sizes: list[tuple[str, str | EdgeType, int]] = [("nodes", kind, one.size) for kind, one in graph.nodes.items()]
    sizes += [("edges", kind, len(edges)) for kind, edges in graph.edges.items()]
    steps: list[list[_Part]] = [[]]
    room = STEP
    for what, kind, size in sizes:
        for start in range(0, size, STEP):
            part = _Part(what, kind, start, min(start + STEP, size))
            if (room := room - (part.stop - start)) < 0:
                steps.append([])
                room = STEP - (part.stop - start)
            steps[-1].append(part)
    return steps


def _edges(graph: KnowledgeGraph, kind: EdgeType) -> pa.Table:
    return to_arrow(edge_table(graph, kind), edge_columns(graph.schema, kind), " ".join(kind))


def copy(kind: str | EdgeType, columns: list[str]) -> str:
    """The statement that appends rows of these columns, for edges after those of the ends."""
    return cypher.copy_nodes(kind, columns) if isinstance(kind, str) else cypher.copy_edges(kind, columns[2:])
