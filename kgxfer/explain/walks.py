"""The graph as the messages that a linear encoder sends over it: what a path weighs is a product of them.

The default encoder (`kgxfer.encoders.relational`) is linear: with M the gated, normalised messages, I the identity
step and e the embeddings, ``z^0 = I e`` and ``z^(l+1) = I (e + M z^l)``, of which it returns z^L. So z^L of a node is
the sum, over all walks of at most L hops that begin there, of the product of the messages on the way times the
embedding of the node where the walk ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from graph_schema.schema import EdgeType
from graph_schema.tables import IDENTITY
from kgxfer.graph import INTERACTION, USER, GraphTensors, KnowledgeGraph

NONE = -1
"""In place of a message: no step."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Messages by receiver: those of node v are ``messages[offsets[v]:offsets[v + 1]]``, the strongest first."""

    offsets: np.ndarray
    messages: np.ndarray

    def of(self, nodes: np.ndarray, limit: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The messages that reach the nodes, of each at most `limit`: (place in `nodes`, message), int64 each."""
        starts = self.offsets[nodes]
        counts = np.minimum(self.offsets[nodes + 1] - starts, limit or len(self.messages))
        place = np.repeat(np.arange(len(nodes)), counts)
        within = np.arange(len(place)) - np.repeat(counts.cumsum() - counts, counts)
        return place, self.messages[np.repeat(starts, counts) + within]


@dataclass(frozen=True, eq=False)
class Walks:
    """Every edge as two messages, one each way, over nodes numbered through all types.

    Attributes:
        starts: number of the first node of each type, in order.
        edge_types: what `edge_type` counts through.
        receiver, sender: int64 [messages]; the message 2 i goes to the head of edge i, 2 i + 1 to its tail.
        weight: float64 [messages], gate times normalised weight.
        edge_type: int16 [messages].
        edge_row: int64 [messages], place of the edge among those of its type.
        person: int64 [nodes]: number of the person behind a user node, below 0 for other nodes.
        layers: how many hops a message goes.
    """

    starts: dict[str, int]
    edge_types: tuple[EdgeType, ...]
    receiver: np.ndarray
    sender: np.ndarray
    weight: np.ndarray
    edge_type: np.ndarray
    edge_row: np.ndarray
    person: np.ndarray
    layers: int

    @staticmethod
    def of(
        graph: KnowledgeGraph, gates: Mapping[str, float], layers: int, tensors: GraphTensors | None = None
    ) -> Walks:
        """Weigh the edges of a graph as an encoder did.

        Args:
            graph: its nodes and edges.
            gates: as in `Propagation`; 1 where none is named.
            layers: as in `Propagation`.
            tensors: the graph's, with edges held out; all take part where not given.
        """
        tensors = tensors or GraphTensors.of(graph)
        sizes = [vocabulary.size for vocabulary in graph.nodes.values()]
        starts = dict(zip(graph.nodes, np.cumsum([0, *sizes])[:-1].tolist(), strict=True))
        person = np.full(sum(sizes), NONE, dtype=np.int64)
        person[starts[USER] : starts[USER] + graph.nodes[USER].size] = graph.persons
        parts = [_messages(kind, graph, gates, tensors, starts) for kind in graph.edges]
        receiver, sender, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
        counts = [2 * len(edges) for edges in graph.edges.values()]
        return Walks(
            starts, tuple(graph.edges), receiver, sender, weight,
            np.repeat(np.arange(len(counts), dtype=np.int16), counts),
            np.concatenate([np.repeat(np.arange(count // 2), 2) for count in counts]),
            person, layers,
        )

    @property
    def node_count(self) -> int:
        """Nodes of all types."""
        return len(self.person)

    @cached_property
    def identity(self) -> np.ndarray:
        """Bool [messages]: those of SAME_AS links, which cost no hop."""
        return self._of_relation(IDENTITY)

    @cached_property
    def interaction(self) -> np.ndarray:
        """Bool [messages]: those of interactions."""
        return self._of_relation(INTERACTION)

    def _of_relation(self, relation: str) -> np.ndarray:
        marked: np.ndarray = np.array([kind.relation == relation for kind in self.edge_types])[self.edge_type]
        return marked

    def rows(self, chosen: np.ndarray) -> Rows:
        """Sort the messages that are marked, bool [messages], by receiver."""
        messages = np.flatnonzero(chosen)
        order = np.lexsort((-np.abs(self.weight[messages]), self.receiver[messages]))
        counts = np.bincount(self.receiver[messages], minlength=self.node_count)
        return Rows(np.concatenate([[0], counts.cumsum()]), messages[order])

    @cached_property
    def _matrices(self) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
        """M, and I without its diagonal."""
        shape = (self.node_count, self.node_count)
        hops, identities = (
            sparse.csr_matrix((self.weight[part], (self.receiver[part], self.sender[part])), shape=shape)
            for part in (~self.identity, self.identity)
        )
        return hops, identities

    def spread(self, embeddings: Mapping[str, np.ndarray]) -> np.ndarray:
        """All that walks from a node gather, by what they may still do; float32 [2, L + 1, nodes, dim].

        The first index says whether an identity step was just taken, so that none may follow (1), or not (0, the z's);
        the second how many hops are left. Types without embeddings begin at zero.
        """
        hops, identities = self._matrices
        dim = next(iter(embeddings.values())).shape[1]
        start = np.zeros((self.node_count, dim), dtype=np.float32)
        for kind, table in embeddings.items():
            start[self.starts[kind] : self.starts[kind] + len(table)] = table
        vectors = np.empty((2, self.layers + 1, *start.shape), dtype=np.float32)
        for left in range(self.layers + 1):
            vectors[1, left] = start + hops @ vectors[0, left - 1] if left else start
            vectors[0, left] = vectors[1, left] + identities @ vectors[1, left]
        return vectors

    def reach(self, nodes: np.ndarray) -> np.ndarray:
        """The summed weight of all walks from each of the given nodes to every node; float64 [given, nodes].

        Times the embeddings these are what the encoder returns.
        """
        hops, identities = self._matrices
        walk = np.zeros((self.node_count, len(nodes)))
        walk[nodes, np.arange(len(nodes))] = 1.0
        walk = walk + identities.T @ walk
        total = walk
        for _ in range(self.layers):
            walk = hops.T @ walk
            walk = walk + identities.T @ walk
            total = total + walk
        result: np.ndarray = total.T
        return result


def _messages(
    kind: EdgeType, graph: KnowledgeGraph, gates: Mapping[str, float], tensors: GraphTensors, starts: dict[str, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Receivers, senders and weights of one edge type, the two of each edge side by side."""
    edges = graph.edges[kind]
    ends = np.stack([edges.head + starts[kind.head], edges.tail + starts[kind.tail]], axis=1)
    plain = tensors.weights[kind].weight.cpu().numpy().astype(np.float64)
    both_ways = [gates.get(name, 1.0) for name in gate_names(kind)]
    return ends.ravel(), ends[:, ::-1].ravel(), (plain[:, None] * both_ways).ravel()


def gate_names(kind: EdgeType) -> tuple[str, str]:
    """The encoder's names of the gates towards the head and towards the tail."""
    if kind.relation == IDENTITY:
        both = f"{kind.head} {kind.relation}"
        return both, both
    whole = " ".join(kind)
    return f"{whole} to_head", f"{whole} to_tail"

