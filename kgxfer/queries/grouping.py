"""Communities of a stored graph: found in Python, since the databases bring no algorithm for it, to be written back.

Louvain (Blondel et al., "Fast unfolding of communities in large networks", 2008): nodes move to the community of a
neighbour as long as modularity

    Q = sum over communities of (edges inside / m - resolution * (sum of degrees / 2m)^2)

rises, communities then become nodes, and so on. Every edge of the graph counts once, whatever its relation;
recommendations do not count.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import Field

from graph_schema.config import Config
from graph_schema.ddl import COMMUNITY
from kgxfer.graph import KnowledgeGraph
from kgxfer.graph.convert import node_labels


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
