"""What every store can do. A store holds one graph; all its texts in its own language stand in its module.

Nodes are named by their key, ``Type:domain/id``. Values reach a query as parameters, names from the schema alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd

from graph_schema.errors import InputError
from kgxfer.graph import KnowledgeGraph

if TYPE_CHECKING:
    from kgxfer.stores.contents import Described

Progress = Callable[[str, int, int], None]
"""Called with what is being written, how many of it are, and how many there will be."""


def silent(_what: str, _done: int, _of: int) -> None:
    """Say nothing of progress."""


@dataclass(frozen=True, eq=False)
class NodeVectors:
    """Vectors of nodes of one type.

    Attributes:
        keys: [nodes].
        vectors: float32 [nodes, dim].
        runs: [nodes], the run that wrote each, where a store has read them back.
    """

    keys: pd.Index
    vectors: np.ndarray
    runs: pd.Index | None = None


@dataclass(frozen=True)
class Run:
    """What is written back, and undone, together.

    Attributes:
        name: of the run; undoing asks for it.
        model: whose vectors and recommendations they are.
        at: when, in UTC.
    """

    name: str
    model: str
    at: datetime = datetime(1970, 1, 1, tzinfo=UTC)


class GraphStore(ABC):
    """One knowledge graph in a store.

    All methods raise InputError where the store cannot be reached or written to, or holds something else than is asked
    for. Use as a context manager, or call `close`.
    """

    language: ClassVar[str | None] = None
    """What `query` takes: "Cypher", "SPARQL", or None."""

    @abstractmethod
    def write_graph(self, graph: KnowledgeGraph, progress: Progress = silent) -> None:
        """Write the graph. Writing the same one again changes nothing; one that was interrupted is completed.

        Raises:
            InputError: another graph is there already (clear it first), or a name that fits into no statement.
        """

    @abstractmethod
    def read_graph(self) -> KnowledgeGraph:
        """Read the graph back, equal to the one that was written; InputError where there is none, or a part of one."""

    @abstractmethod
    def write_embeddings(
        self, vectors: Mapping[str, NodeVectors], run: Run, progress: Progress = silent
    ) -> None:
        """Write vectors, by node type; a node has one vector, the last written."""

    @abstractmethod
    def read_embeddings(self) -> dict[str, NodeVectors]:
        """All vectors by node type, in the order of the graph's rows; empty where there are none."""

    @abstractmethod
    def write_recommendations(self, edges: pd.DataFrame, run: Run, progress: Progress = silent) -> None:
        """Write RECOMMENDED edges.

        Args:
            edges: head, tail (keys of a user and an item), score, rank, as `recommended_edges` makes them.
            run: whose they are; what is there of this run is replaced.
            progress: see `Progress`.
        """

    @abstractmethod
    def read_recommendations(self) -> pd.DataFrame:
        """All RECOMMENDED edges as a table head, tail, score, rank, run, model, at (UTC); by run, head and rank."""

    def write_communities(self, communities: pd.Series) -> None:
        """Write numbers of communities (index: keys of nodes) in place of all that were there; not part of any run.

        Raises:
            InputError: a store without Cypher keeps none; a key that the graph does not have.
        """
        raise InputError(f"{type(self).__name__} keeps no communities; use Neo4j or a Ladybug file")

    @abstractmethod
    def undo(self, run: str) -> pd.DataFrame:
        """Remove all vectors and recommendations of a run and return what went.

        Returns:
            what ("recommendations", "embeddings"), count; both lines, also of none.

        Raises:
            InputError: no such run; the message names those that are there.
        """

    @abstractmethod
    def described(self) -> Described:
        """What the store keeps of the graph beside its rows; InputError where there is none, or a part of one."""

    @abstractmethod
    def query(self, text: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Ask in the store's `language` and return a table; InputError for a mistake in the text, with its place."""

    @abstractmethod
    def neighbours(self, key: str, limit: int = 100) -> pd.DataFrame:
        """The edges at a node as a table head, relation, tail of keys, at most `limit`; InputError: no such node."""

    @abstractmethod
    def nearest(self, node_type: str, vector: np.ndarray, n: int = 10) -> pd.DataFrame:
        """The `n` nodes of a type, or of a type below it, nearest by cosine: a table key, name, similarity."""

    @abstractmethod
    def stats(self) -> pd.DataFrame:
        """Counts as a table kind, name, count.

        The name is the type of nodes, the three words of an edge type ("User RATED Movie"), the run of embeddings and
        recommendations.
        """

    @abstractmethod
    def clear(self, progress: Progress = silent) -> None:
        """Remove the graph with all that was written back, and nothing else; no graph is no error."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what is held; what was passed in stays open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
