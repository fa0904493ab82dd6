"""How linked nodes of two domains are joined. Which nodes are linked is a bridge's business, not ours.

These are links of identity. Soft links become SIMILAR_TO edges whatever the combination, but for "disjoint".

A combination gets vocabularies in which every (domain, id) has a row of its own, and links as pairs of such rows; it
returns the final row of every key and the edges that join them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kgxfer.graph.knowledge_graph import EdgeTable, connected_rows


@dataclass(frozen=True)
class Joined:
    """Final row of every key, int64 [keys], and identity edges between the rows (None: there are none)."""

    rows: np.ndarray
    identity: EdgeTable | None


def disjoint(keys: int, links: EdgeTable) -> Joined:
    """Keep the domains apart: the links are ignored. The control that a bridge is compared with."""
    return Joined(np.arange(keys), None)


def same_as_edges(keys: int, links: EdgeTable) -> Joined:
    """Keep every node and join linked ones by SAME_AS edges, so that a model can learn how far to trust identity."""
    return Joined(np.arange(keys), links if len(links) else None)


def collapse(keys: int, links: EdgeTable) -> Joined:
    """Make one node of all nodes that links connect, directly or through others."""
    return Joined(connected_rows(links, keys), None)


COMBINATIONS: dict[str, Callable[[int, EdgeTable], Joined]] = {
    "disjoint": disjoint,
    "same_as_edges": same_as_edges,
    "collapse": collapse,
}


def link_edges(
    source_rows: np.ndarray, target_rows: np.ndarray, confidence: np.ndarray, method: pd.Series
) -> EdgeTable:
    """Edges between the domains, from rows of the source to rows of the target domain."""
    properties = pd.DataFrame({"confidence": confidence, "method": method.to_numpy()})
    properties["method"] = properties["method"].astype("str")
    return EdgeTable(source_rows, target_rows, np.full(len(source_rows), -1, dtype=np.int8), properties)
