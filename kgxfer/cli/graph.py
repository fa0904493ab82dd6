"""`kgxfer graph`: a knowledge graph into stores, between them, and out of them again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgxfer.cli.console import Root, say
from kgxfer.cli.graph_console import GRAPH, GraphId, Store, To, print_counts, progress_bar

if TYPE_CHECKING:
    from kgxfer.cli.graph_sources import Source
    from kgxfer.stores import GraphStore


def load(
    target: Annotated[
        str,
        typer.Argument(
            help="A data set's name, a column map, a run's file, or the folder of a finished run.", metavar="TARGET"
        ),
    ],
    to: To,
    graph: GraphId = GRAPH,
    bridge: Annotated[
        list[str] | None, typer.Option("--bridge", help="Of a data set, one of its bridges; several times if need be.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="Of a finished run; its first when not given.")] = None,
    run: Annotated[
        str | None, typer.Option("--run", help="What a finished run is called there; its folder when not given.")
    ] = None,
    root: Root = None,
    seed: Annotated[int, typer.Option("--seed", help="Of a data set's split; a run has its own.", min=0)] = 0,
) -> None:
    """Write the graph of training rows, facts and links; of a finished run embeddings and recommendations too.

    Writing again changes nothing, and what was interrupted is completed.
    """
    from kgxfer.cli.graph_sources import graph_of
    from kgxfer.stores import open_store

    if "://" in to or Path(to).exists():
        open_store(to, graph).close()  # What is wrong with it is said before data are read; a new file is made after.
    source = graph_of(target, root, seed, bridge or (), model, run, say)
    _announce(source)
    clock = time.perf_counter()
    with open_store(to, graph) as store:
        _write(store, source)
    size = f"{source.graph.node_count:,} nodes and {source.graph.edge_count:,} edges"
    say(f"loaded {size} into {to} in {time.perf_counter() - clock:.1f} s")
    if source.learned is not None:
        name = source.learned.run.name
        place = to if graph == GRAPH or "://" not in to else f'{to} --graph "{graph}"'
        say(f'run {name} is taken out again by: kgxfer graph undo "{name}" --store {place}')


def _announce(source: Source) -> None:
    from kgxfer.cli.graph_sources import memory_of

    say(repr(source.graph))
    say(f"up to about {memory_of(source.graph) // 2**20:,} MB of memory beside the data")
    if source.learned is not None:
        vectors = sum(len(one.keys) for one in source.learned.vectors.values())
        edges = len(source.learned.recommendations)
        say(f"model {source.learned.run.model}: {vectors:,} embeddings, {edges:,} recommendations")


def _write(store: GraphStore, source: Source) -> None:
    with progress_bar() as tell:
        store.write_graph(source.graph, tell)
        if source.learned is not None:
            store.write_embeddings(source.learned.vectors, source.learned.run, tell)
            store.write_recommendations(source.learned.recommendations, source.learned.run, tell)


def stats(store: Store, graph: GraphId = GRAPH) -> None:
    """Count nodes, edges, embeddings and recommendations."""
    from kgxfer.stores import open_store

    with open_store(store, graph, create=False) as opened:
        print_counts(store, opened.stats())


def communities(
    store: Store,
    graph: GraphId = GRAPH,
    resolution: Annotated[
        float, typer.Option("--resolution", help="Above 1 more and smaller communities, below 1 fewer and larger.")
    ] = 1.0,
    seed: Annotated[int, typer.Option("--seed", help="Of the order in which nodes are looked at.", min=0)] = 0,
) -> None:
    """Find communities of densely joined nodes and write their numbers to the nodes, for queries to ask for."""
    from kgxfer.queries import CommunityConfig, find_communities
    from kgxfer.stores import open_store

    config = CommunityConfig.parse({"resolution": resolution, "seed": seed}, "communities")
    with open_store(store, graph, create=False) as opened:
        found = find_communities(opened.read_graph(), config)
        opened.write_communities(found)
    say(f"{found.nunique():,} communities of {len(found):,} nodes, the largest of {(found == 0).sum():,}")


def undo(
    run: Annotated[str, typer.Argument(help="The run, as it is called there.", metavar="RUN")],
    store: Store,
    graph: GraphId = GRAPH,
) -> None:
    """Take the embeddings and recommendations of a run out again."""
    from kgxfer.stores import open_store

    with open_store(store, graph, create=False) as opened:
        gone = opened.undo(run)
    say(f"run {run}: " + ", ".join(f"{row['count']:,} {row['what']}" for row in gone.to_dict("records")) + " removed")


def clear(store: Store, graph: GraphId = GRAPH) -> None:
    """Remove the graph with all that was written back, and nothing else that is there."""
    from kgxfer.stores import open_store

    with open_store(store, graph, create=False) as opened, progress_bar() as tell:
        opened.clear(tell)
    say(f"{store}: the graph is gone")
