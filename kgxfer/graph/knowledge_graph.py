"""The central value: typed nodes and edges of two domains in one graph."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from graph_schema.schema import EdgeType, Schema
from graph_schema.tables import IDENTITY
from kgxfer.graph.vocabulary import Vocabulary
from loaders.fingerprint import digest

if TYPE_CHECKING:
    import networkx
    import rdflib
    from torch_geometric.data import HeteroData

USER = "User"
INTERACTION = "RATED"
SOURCE, TARGET = 0, 1
"""Domain codes, used wherever a domain is a number."""


@dataclass(frozen=True, eq=False)
class EdgeTable:
    """The edges of one type.

    Attributes:
        head, tail: int64 [edges], rows of the vocabularies of the two end types.
        domain: int8 [edges], the domain that an edge comes from; -1 for links between domains.
        properties: one line per edge, no columns where edges carry nothing.
    """

    head: np.ndarray
    tail: np.ndarray
    domain: np.ndarray
    properties: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __len__(self) -> int:
        return len(self.head)

    def equals(self, other: EdgeTable) -> bool:
        """Whether both hold the same edges in the same order with the same properties."""
        arrays = zip((self.head, self.tail, self.domain), (other.head, other.tail, other.domain), strict=True)
        return all(np.array_equal(a, b) for a, b in arrays) and self.properties.equals(other.properties)


@dataclass(frozen=True, eq=False)
class KnowledgeGraph:
    """Two domains in one heterogeneous graph; built from the training part of a split by `build_graph`.

    Attributes:
        schema: the vocabulary that the node and edge types come from.
        domain_names: source, target.
        item_types: the node type of the items of the source and of the target domain; may be the same.
        nodes: node type -> vocabulary.
        edges: edge type -> edges.
        combination: how linked nodes were joined: "disjoint", "same_as_edges" or "collapse".
    """

    schema: Schema
    domain_names: tuple[str, str]
    item_types: tuple[str, str]
    nodes: dict[str, Vocabulary]
    edges: dict[EdgeType, EdgeTable]
    combination: str

    def domain_code(self, domain: str) -> int:
        """0 for the source domain's name, 1 for the target's."""
        return self.domain_names.index(domain)

    def interactions(self, domain: int) -> EdgeTable:
        """The interactions of one domain."""
        table = self.edges[self.interaction_type(domain)]
        keep = table.domain == domain
        return EdgeTable(table.head[keep], table.tail[keep], table.domain[keep], table.properties[keep])

    def interaction_type(self, domain: int) -> EdgeType:
        """The edge type of one domain's interactions."""
        return EdgeType(USER, INTERACTION, self.item_types[domain])

    def user_rows(self, domain: int, user_ids: pd.Series | np.ndarray | list[str]) -> np.ndarray:
        """Rows of users as one domain knows them, -1 for unknown ids."""
        return self.nodes[USER].rows(domain, user_ids)

    def user_rows_anywhere(self, domain: int, user_ids: pd.Series | np.ndarray | list[str]) -> np.ndarray:
        """Rows of users as one domain knows them, else as the other does, -1 for ids that neither knows."""
        own = self.user_rows(domain, user_ids)
        return np.where(own >= 0, own, self.user_rows(1 - domain, user_ids))

    def item_rows(self, domain: int, item_ids: pd.Series | np.ndarray | list[str]) -> np.ndarray:
        """Rows of a domain's items, -1 for unknown ids."""
        return self.nodes[self.item_types[domain]].rows(domain, item_ids)

    @cached_property
    def persons(self) -> np.ndarray:
        """Int64 [users]: the person behind each user row; rows joined by SAME_AS edges are one person."""
        return self.connected(USER)

    def connected(self, kind: str) -> np.ndarray:
        """Int64 [nodes of a type]: nodes that SAME_AS edges connect have the same number."""
        return connected_rows(self.edges.get(EdgeType(kind, IDENTITY, kind)), self.nodes[kind].size)

    @property
    def facts(self) -> dict[EdgeType, EdgeTable]:
        """Every edge type but the interactions and the identity links."""
        return {kind: edges for kind, edges in self.edges.items() if kind.relation not in (INTERACTION, IDENTITY)}

    @property
    def node_count(self) -> int:
        """Nodes of all types."""
        return sum(vocabulary.size for vocabulary in self.nodes.values())

    @property
    def edge_count(self) -> int:
        """Edges of all types."""
        return sum(len(edges) for edges in self.edges.values())

    @cached_property
    def fingerprint(self) -> str:
        """Sha256 over everything that `equals` compares."""
        from kgxfer.graph.storage import describe

        tables = {f"nodes {kind}": vocabulary.keys for kind, vocabulary in self.nodes.items()}
        for kind, edges in self.edges.items():
            ends = pd.DataFrame({"head": edges.head, "tail": edges.tail, "domain": edges.domain})
            tables |= {f"ends {kind}": ends, f"edges {kind}": edges.properties}
        return digest({"graph": json.dumps(describe(self))}, tables)

    def equals(self, other: KnowledgeGraph) -> bool:
        """Whether two graphs are the same in every part, order included."""
        return (
            (self.schema, self.domain_names, self.item_types, self.combination)
            == (other.schema, other.domain_names, other.item_types, other.combination)
            and list(self.nodes) == list(other.nodes)
            and list(self.edges) == list(other.edges)
            and all(self.nodes[kind].equals(other.nodes[kind]) for kind in self.nodes)
            and all(self.edges[kind].equals(other.edges[kind]) for kind in self.edges)
        )

    def to_hetero_data(self) -> HeteroData:
        """Convert to torch-geometric, see `kgxfer.graph.convert.to_hetero_data`."""
        from kgxfer.graph.convert import to_hetero_data

        return to_hetero_data(self)

    def to_networkx(self) -> networkx.MultiDiGraph:
        """Convert to networkx, see `kgxfer.graph.convert.to_networkx`."""
        from kgxfer.graph.convert import to_networkx

        return to_networkx(self)

    def to_rdf(self) -> rdflib.Graph:
        """Convert to rdflib, see `kgxfer.graph.rdf.to_rdf`."""
        from kgxfer.graph.rdf import to_rdf

        return to_rdf(self)

    def triples(self) -> pd.DataFrame:
        """All edges as (head, relation, tail), see `kgxfer.graph.convert.triples`."""
        from kgxfer.graph.convert import triples

        return triples(self)

    def save(self, folder: str | Path) -> None:
        """Write the graph as Parquet, see `kgxfer.graph.storage.save_graph`."""
        from kgxfer.graph.storage import save_graph

        save_graph(self, Path(folder))

    @staticmethod
    def load(folder: str | Path) -> KnowledgeGraph:
        """Read a graph that `save` wrote, see `kgxfer.graph.storage.load_graph`."""
        from kgxfer.graph.storage import load_graph

        return load_graph(Path(folder))

    def __repr__(self) -> str:
        nodes = ", ".join(f"{kind} {vocabulary.size:,}" for kind, vocabulary in self.nodes.items())
        edges = ", ".join(f"{kind.relation} {len(table):,}" for kind, table in self.edges.items())
        return f"KnowledgeGraph({' -> '.join(self.domain_names)}; nodes: {nodes}; edges: {edges}; {self.combination})"


def connected_rows(edges: EdgeTable | None, size: int) -> np.ndarray:
    """Number the connected components over `edges` by first appearance; int64 [size]."""
    if edges is None or not len(edges):
        return np.arange(size)
    matrix = sparse.coo_matrix((np.ones(len(edges), dtype=np.int8), (edges.head, edges.tail)), shape=(size, size))
    labels = sparse.csgraph.connected_components(matrix, directed=False)[1]
    numbers: np.ndarray = pd.factorize(labels)[0].astype(np.int64)
    return numbers
