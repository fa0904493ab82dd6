"""What can be loaded into a store: the graph of a data set, of one's own data, of a run's file, of a finished run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import loaders
from graph_schema.errors import InputError, unknown_name
from kgxfer.audit import source_of
from kgxfer.experiment.config import GraphConfig
from kgxfer.experiment.state import Ground
from kgxfer.graph import KnowledgeGraph
from kgxfer.link_audit import default_split, is_run, run_split
from kgxfer.recommender_store import load_recommender
from kgxfer.stores import NodeVectors, Run, recommended_edges, vectors_of

if TYPE_CHECKING:
    from kgxfer.recommender import Recommender

BYTES_AT_ALL, BYTES_OF_EACH = 300 * 2**20, 1_000
"""Memory that writing takes at most: whatever the size, and for each node and edge; measured on Ladybug, which keeps
what it wrote; the other stores take less of it."""


@dataclass(frozen=True, eq=False)
class Learned:
    """What a model of a finished run has to write back."""

    run: Run
    vectors: dict[str, NodeVectors]
    recommendations: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Source:
    """A graph by the name of what it was made from; `learned` where a run is finished."""

    name: str
    graph: KnowledgeGraph
    learned: Learned | None = None


def graph_of(
    target: str, root: Path | None = None, seed: int = 0, bridges: Sequence[str] = (), model: str | None = None,
    run: str | None = None, say: Callable[[str], None] = lambda line: None,
) -> Source:
    """Build the graph of what a name or a path means, from training rows alone.

    Args:
        target: the name of a data set, the path of a column map or of a run's file, or the folder of a finished run.
        root: folder of the data files.
        seed: of the split of a data set; a run has its own.
        bridges: those of a data set; the usual ones when none is given. A run has its own.
        model: of a finished run; the first when not given.
        run: what to call it where it is written back; the name of its folder when not given.
        say: told what happens.

    Raises:
        InputError: none of these, or an option that does not go with it.
    """
    folder = Path(target)
    if folder.is_dir():
        _refuse_options("a finished run", bridge=bridges)
        return _of_run(folder, root, model, run)
    _refuse_options("what is no folder of a finished run", model=model, run=run)
    if is_run(target):
        _refuse_options("a run", bridge=bridges)
        split, config = run_split(folder, root, say)
    else:
        split = default_split(loaders.dataset_of(target, root), seed)
        config = GraphConfig(bridges=tuple(bridges)) if bridges else GraphConfig()
    return Source(split.dataset.name, Ground.of(split, config).graph)


def memory_of(graph: KnowledgeGraph) -> int:
    """Bytes that writing a graph takes at most, roughly."""
    return BYTES_AT_ALL + BYTES_OF_EACH * (graph.node_count + graph.edge_count)


@dataclass(frozen=True, eq=False)
class Finished:
    """A finished run: the graph that it was fitted on, and one of its models, where it has any."""

    name: str
    graph: KnowledgeGraph
    model: str | None
    recommender: Recommender | None


def finished_run(folder: Path, root: Path | None = None, model: str | None = None) -> Finished:
    """Read a run's folder; the first of its models where none is named.

    Raises:
        InputError: no folder of a finished run, other data than it was made from, or no such model.
    """
    if not folder.is_dir():
        raise InputError(f'"{folder}" is no folder of a finished run; kgxfer run makes one')
    source = source_of(str(folder), root)
    models = list(source.run.models) if source.run is not None else []
    if model is not None and model not in models:
        raise unknown_name(f'model of run "{folder}"', model, models)
    chosen = model or next(iter(models), None)
    recommender = None if chosen is None else load_recommender(folder / "models" / chosen)
    return Finished(source.name, source.final.graph, chosen, recommender)


def _of_run(folder: Path, root: Path | None, model: str | None, run: str | None) -> Source:
    found = finished_run(folder, root, model)
    if found.model is None or found.recommender is None:
        return Source(found.name, found.graph)
    at = datetime.fromtimestamp(int((folder / "report.json").stat().st_mtime), tz=UTC)
    said = Run(run or folder.resolve().name, found.model, at)
    return Source(found.name, found.graph, _learned(folder, found.graph, said, found.recommender))


def _learned(folder: Path, graph: KnowledgeGraph, run: Run, recommender: Recommender) -> Learned:
    rows = pd.read_parquet(folder / "recommendations.parquet")
    edges = recommended_edges(graph, rows[rows["model"] == run.model].reset_index(drop=True))
    return Learned(run, vectors_of(recommender, graph), edges)


def _refuse_options(what: str, **given: object) -> None:
    for name, value in given.items():
        if value:
            raise InputError(f"--{name} does not go with {what}; leave it out")
