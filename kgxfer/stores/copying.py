"""A graph with what models wrote back to it, from one store into another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kgxfer.stores.base import GraphStore, NodeVectors, Progress, Run, silent


@dataclass(frozen=True)
class Copied:
    """How much of what was copied."""

    nodes: int
    edges: int
    embeddings: int
    recommendations: int


def copy_graph(source: GraphStore, target: GraphStore, progress: Progress = silent) -> Copied:
    """Copy the graph, its embeddings and recommendations; each run can be undone in the target as in the source.

    Communities are not copied: they are found anew from the graph. Embeddings of a run that recommended nothing bear
    the run's name as that of their model, and no time.

    Raises:
        InputError: no whole graph in the source, or another one in the target.
    """
    graph, vectors, recommended = source.read_graph(), source.read_embeddings(), source.read_recommendations()
    target.write_graph(graph, progress)
    runs = {
        str(name): Run(str(name), str(model), at.to_pydatetime())
        for name, model, at in recommended[["run", "model", "at"]].drop_duplicates("run").itertuples(index=False)
    }
    for name, part in _by_run(vectors).items():
        target.write_embeddings(part, runs.get(name, Run(name, name)), progress)
    for name, rows in recommended.groupby("run", sort=True):
        target.write_recommendations(rows, runs[str(name)], progress)
    embedded = sum(len(one.keys) for one in vectors.values())
    return Copied(graph.node_count, graph.edge_count, embedded, len(recommended))


def _by_run(vectors: Mapping[str, NodeVectors]) -> dict[str, dict[str, NodeVectors]]:
    """Vectors that a store has read back, by the run that wrote them and by node type."""
    made: dict[str, dict[str, NodeVectors]] = {}
    for kind, one in vectors.items():
        runs = np.asarray(one.runs)
        for name in pd.unique(runs):
            own = runs == name
            made.setdefault(str(name), {})[kind] = NodeVectors(one.keys[own], one.vectors[own])
    return made
