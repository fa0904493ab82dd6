"""A graph into Neo4j, batch by batch, each exactly once.

A batch and the mark that it is done are one transaction, so that whoever continues begins with the first batch that is
not there: after an interruption, a lost connection, or beside another program that loads the same graph. Which rows a
batch has follows from the graph alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pydantic import PositiveInt

from graph_schema.config import Config
from graph_schema.ddl import KEY
from graph_schema.errors import InputError
from graph_schema.schema import EdgeType
from kgxfer.graph import KnowledgeGraph
from kgxfer.stores import neo4j_statements as cypher
from kgxfer.stores.base import Progress
from kgxfer.stores.contents import edge_table, node_table
from kgxfer.stores.neo4j_session import Neo4jSession
from kgxfer.stores.neo4j_tables import (
    EDGE_COLUMNS,
    NODE_COLUMNS,
    expressions,
    require_known,
    require_short_keys,
    values_of,
)

if TYPE_CHECKING:
    from neo4j import ManagedTransaction

class LoadSettings(Config):
    """The most that one transaction writes. A load that is continued keeps those that it began with.

    Attributes:
        rows: nodes or relationships.
        characters: of all their texts together: what is written at once stands in the server's memory.
    """

    rows: PositiveInt = 10_000
    characters: PositiveInt = 4_000_000


@dataclass(frozen=True)
class Batch:
    """Rows `start` to `stop` of a table."""

    number: int
    kind: str | EdgeType
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


def batches(graph: KnowledgeGraph, settings: LoadSettings) -> list[Batch]:
    """Which rows are written together: nodes, then edges in the order of their heads."""
    made: list[Batch] = []
    for kind, vocabulary in graph.nodes.items():
        made += _cut(len(made), kind, _lengths(vocabulary.first_keys, vocabulary.size), settings)
    for edge_type, edges in graph.edges.items():
        lengths = _lengths(edges.properties, len(edges))
        made += _cut(len(made), edge_type, lengths[_by_head(edges.head)], settings)
    return made


def checked_nodes(graph: KnowledgeGraph, name: str) -> dict[str, pd.DataFrame]:
    """The node tables; InputError for what Neo4j would refuse in the middle of a load."""
    made = {}
    for kind in graph.nodes:
        made[kind] = node_table(graph, kind)
        require_known(graph.schema, kind, made[kind].columns.drop([*NODE_COLUMNS]))
        require_short_keys(made[kind][KEY], name)
    for edge_type, edges in graph.edges.items():
        graph.schema.edge_type(*edge_type)
        require_known(graph.schema, edge_type, edges.properties.columns)
    return made


def load(
    session: Neo4jSession,
    graph: KnowledgeGraph,
    nodes: dict[str, pd.DataFrame],
    settings: LoadSettings,
    done: int,
    progress: Progress,
) -> None:
    """Write all batches from number `done` on."""
    of = {"nodes": graph.node_count, "edges": graph.edge_count}
    written = {"nodes": 0, "edges": 0}
    writer = _Writer(session, graph, nodes)
    for batch in batches(graph, settings):
        what = "nodes" if isinstance(batch.kind, str) else "edges"
        written[what] += len(batch)
        if batch.number >= done:
            session.write(writer.work(batch))
            progress(what, written[what], of[what])


class _Writer:
    """Makes the rows of batches; keeps the table that the last one came from."""

    def __init__(self, session: Neo4jSession, graph: KnowledgeGraph, nodes: dict[str, pd.DataFrame]) -> None:
        self.session, self.graph, self.nodes = session, graph, nodes
        self.kind: str | EdgeType | None = None
        self.table = pd.DataFrame()
        self.ends: tuple[np.ndarray, np.ndarray] | None = None
        self.numbers: dict[str, np.ndarray] = {}

    def work(self, batch: Batch) -> Callable[[ManagedTransaction], None]:
        """What a transaction does to write a batch."""
        if self.kind != batch.kind:
            self.kind = batch.kind
            self.table, self.ends = self._table(batch.kind)
        part = self.table.iloc[batch.start : batch.stop]
        columns = values_of(part)
        if isinstance(batch.kind, EdgeType):
            assert self.ends is not None
            columns = [*(end[batch.start : batch.stop].tolist() for end in self.ends), *columns]
            text = cypher.create_edges(batch.kind, expressions(part, first=2))
        else:
            text = cypher.create_nodes(self.graph.schema.ancestors(batch.kind), expressions(part))
        rows = list(map(list, zip(*columns, strict=True)))
        given = {"graph": self.session.graph, "number": batch.number, "rows": rows}

        def write(transaction: ManagedTransaction) -> None:
            transaction.run(cypher.LOCK, given).consume()
            if transaction.run(cypher.COUNT_UP, given).consume().counters.properties_set:
                made = transaction.run(text, given).consume().counters
                if made.nodes_created + made.relationships_created != len(batch):
                    raise InputError(
                        f'graph "{self.session.graph}": nodes went while it was loaded; clear it and load it again'
                    )
            elif transaction.run(cypher.READ_MANIFEST, given).single() is None:
                raise InputError(f'graph "{self.session.graph}" was cleared while it was loaded; load it again')

        return write

    def _table(self, kind: str | EdgeType) -> tuple[pd.DataFrame, tuple[np.ndarray, np.ndarray] | None]:
        if isinstance(kind, str):
            return self.nodes[kind], None
        edges = self.graph.edges[kind]
        order = _by_head(edges.head)
        table = edge_table(self.graph, kind).iloc[order]
        ends = (self._numbers(kind.head)[edges.head[order]], self._numbers(kind.tail)[edges.tail[order]])
        return table[[*EDGE_COLUMNS, *edges.properties.columns]], ends

    def _numbers(self, kind: str) -> np.ndarray:
        """The server's own number of each row."""
        if kind not in self.numbers:
            size = self.graph.nodes[kind].size
            found = np.array(self.session.read(cypher.numbers_of(kind)), dtype=np.int64).reshape(-1, 2)
            numbers = np.full(size, -1)
            numbers[found[:, 0]] = found[:, 1]
            if len(found) != size or (numbers < 0).any():
                state = f"{len(found):,} of {size:,} are there"
                raise InputError(f"{kind}: {state}; the graph was changed while it was loaded; clear it, load it again")
            self.numbers[kind] = numbers
        return self.numbers[kind]


def _by_head(head: np.ndarray) -> np.ndarray:
    return np.argsort(head, kind="stable")


def _lengths(table: pd.DataFrame, size: int) -> np.ndarray:
    """Characters of each row's texts."""
    total = np.zeros(size)
    for _, column in table.items():
        if pd.api.types.is_string_dtype(column.dtype) or column.dtype == object:
            total += column.astype("str").str.len().fillna(0).to_numpy(np.float64)
    return total


def _cut(first: int, kind: str | EdgeType, lengths: np.ndarray, most: LoadSettings) -> Iterator[Batch]:
    upto = np.cumsum(lengths)
    start = 0
    while start < len(lengths):
        before = upto[start - 1] if start else 0.0
        stop = int(np.searchsorted(upto, before + most.characters, side="right"))
        stop = max(start + 1, min(stop, start + most.rows, len(lengths)))
        yield Batch(first, kind, start, stop)
        first, start = first + 1, stop
