"""Communities of a stored graph: found in Python, since the databases bring no algorithm for it, and written back.

Louvain (Blondel et al., "Fast unfolding of communities in large networks", 2008): nodes move to the community of a
neighbour as long as modularity

    Q = sum over communities of (edges inside / m - resolution * (sum of degrees / 2m)^2)

rises, communities then become nodes, and so on. Every edge of the graph counts once, whatever its relation;
recommendations do not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pydantic import Field

from graph_schema.config import Config
from graph_schema.errors import InputError
from kgxfer.graph import KnowledgeGraph
from kgxfer.graph.convert import node_labels
from kgxfer.queries.stored import COMMUNITY, dialect_of
from kgxfer.stores import GraphStore
from kgxfer.stores.ladybug import LadybugStore
from kgxfer.stores.neo4j import Neo4jStore

if TYPE_CHECKING:
    from neo4j import ManagedTransaction

BATCH = 10_000
"""Nodes that are written in one statement."""


class CommunityConfig(Config):
    """How communities are found.

    Attributes:
        resolution: above 1 makes more and smaller communities, below 1 fewer and larger ones.
        seed: of the order in which nodes are looked at.
    """

    resolution: float = Field(1.0, gt=0)
    seed: int = Field(0, ge=0)


def find_communities(graph: KnowledgeGraph, config: CommunityConfig | None = None) -> pd.Series:
    """Return the number of each node's community by its key; 0 is the largest. Nodes without an edge have none."""
    import networkx

    config = config or CommunityConfig()
    starts = dict(zip(graph.nodes, np.cumsum([0, *(one.size for one in graph.nodes.values())]), strict=False))
    ends = [
        np.stack([edges.head + starts[kind.head], edges.tail + starts[kind.tail]])
        for kind, edges in graph.edges.items()
    ]
    pairs = np.unique(np.sort(np.concatenate([np.empty((2, 0), np.int64), *ends], axis=1), axis=0), axis=1)
    joined = networkx.Graph()
    joined.add_edges_from(pairs[:, pairs[0] != pairs[1]].T.tolist())
    groups = networkx.community.louvain_communities(joined, resolution=config.resolution, seed=config.seed)
    groups.sort(key=lambda group: (-len(group), min(group)))
    members = np.fromiter((node for group in groups for node in group), dtype=np.int64)
    numbers = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    keys = np.concatenate([node_labels(graph, kind).to_numpy() for kind in graph.nodes])
    return pd.Series(numbers, index=pd.Index(keys[members], name="key"), name=COMMUNITY)


def write_communities(store: GraphStore, communities: pd.Series) -> None:
    """Write communities (key -> number) as the property `community` in place of those that were there.

    Raises:
        InputError: a store without Cypher, or a key that the graph does not have.
    """
    if not isinstance(store, LadybugStore | Neo4jStore):
        raise InputError(f"{type(store).__name__} keeps no communities; use Neo4j or a Ladybug file")
    types = dialect_of(store).stored.node_types
    kinds = communities.index.astype("str").str.replace("(?s):.*", "", regex=True).to_numpy()
    by_type = {str(kind): communities[kinds == kind] for kind in pd.unique(kinds)}
    if isinstance(store, LadybugStore):
        _into_ladybug(store, types, by_type)
    else:
        _into_neo4j(store, types, by_type)


def _into_ladybug(store: LadybugStore, types: tuple[str, ...], by_type: dict[str, pd.Series]) -> None:
    import pyarrow as pa

    file = store._file
    with file.transaction():
        for kind in types:
            file.run(f"ALTER TABLE `{kind}` ADD IF NOT EXISTS `{COMMUNITY}` INT64")
            file.run(f"MATCH (n:`{kind}`) SET n.`{COMMUNITY}` = NULL")
        for kind, chosen in by_type.items():
            given = pa.table({"key": pa.array(chosen.index, pa.string()), "number": pa.array(chosen, pa.int64())})
            text = f"LOAD FROM $given MATCH (n:`{kind}` {{key: key}}) SET n.`{COMMUNITY}` = number RETURN count(*)"
            _require_all(kind, chosen, file.run(text, given=given)[0][0] if kind in types else 0)


def _into_neo4j(store: Neo4jStore, types: tuple[str, ...], by_type: dict[str, pd.Series]) -> None:
    def work(transaction: ManagedTransaction) -> None:
        for kind in types:
            transaction.run(f"MATCH (n:`{kind}` {{graph: $graph}}) REMOVE n.`{COMMUNITY}`", graph=store.graph).consume()
        for kind, chosen in by_type.items():
            rows = [[key, int(number)] for key, number in chosen.items()]
            text = (
                f"UNWIND $rows AS row MATCH (n:`{kind}` {{graph: $graph, key: row[0]}}) "
                f"SET n.`{COMMUNITY}` = row[1] RETURN count(*)"
            )
            found = 0
            for start in range(0, len(rows) if kind in types else 0, BATCH):
                part = rows[start : start + BATCH]
                found += transaction.run(text, graph=store.graph, rows=part).values()[0][0]
            _require_all(kind, chosen, found)

    store._session.write(work)


def _require_all(kind: str, chosen: pd.Series, found: int) -> None:
    if found < len(chosen):
        raise InputError(
            f"{len(chosen) - found:,} of {len(chosen):,} {kind} nodes that have a community are not in the stored "
            "graph; find communities in the graph that was loaded"
        )
