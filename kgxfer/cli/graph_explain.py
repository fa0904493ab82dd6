"""`kgxfer graph explain`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from graph_schema.errors import InputError
from kgxfer.cli.console import Root, say
from kgxfer.cli.graph_console import GRAPH


def explain(
    folder: Annotated[Path, typer.Argument(help="The folder of a finished run.", metavar="RUN_FOLDER")],
    user: Annotated[str, typer.Option("--user", help="The id of a user of either domain.")],
    item: Annotated[str, typer.Option("--item", help="An item's id, or a name that one item alone has.")],
    model: Annotated[str | None, typer.Option("--model", help="The run's first when not given.")] = None,
    n: Annotated[int, typer.Option("-n", help="How many paths.", min=1)] = 3,
    domain: Annotated[
        str | None, typer.Option("--domain", help="Whose item; the target is looked through first when not given.")
    ] = None,
    cypher: Annotated[
        Literal["neo4j", "ladybug"] | None, typer.Option("--cypher", help="Print the query of each path as well.")
    ] = None,
    graph: Annotated[str, typer.Option("--graph", help="Its name in Neo4j, for --cypher.", metavar="ID")] = GRAPH,
    out: Annotated[Path | None, typer.Option("--out", help="A page .html or a picture .svg to be written.")] = None,
    root: Root = None,
) -> None:
    """Say by which paths in the graph a model comes from a user's history to an item."""
    from kgxfer.cli.graph_sources import finished_run
    from kgxfer.explain import explain as explained

    found = finished_run(folder, root, model)
    if found.recommender is None:
        raise InputError(f'run "{folder}" has no trained model to explain; its baselines learned nothing')
    answer = explained(found.recommender, found.graph, user, item, n, domain=domain)
    say(answer.text)
    for number in range(1, len(answer.paths) + 1) if cypher is not None else ():
        query = answer.cypher(str(cypher), number, graph=graph)
        say(f"\n{query.text}\n// {json.dumps(query.parameters, ensure_ascii=False)}")
    if out is not None:
        answer.save(out)
        say(f"explanation: {out}")
