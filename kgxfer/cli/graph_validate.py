"""`kgxfer graph validate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graph_schema.errors import InputError
from kgxfer.cli.console import say
from kgxfer.cli.graph_console import FORMS, GRAPH, GraphId

FAULTY = 1
"""Exit status where something is against the shapes."""


def validate(
    file: Annotated[
        Path | None, typer.Argument(help="RDF from anywhere, in place of a store.", metavar="[FILE.ttl]")
    ] = None,
    store: Annotated[
        str | None, typer.Option("--store", help=f"Where the graph is: {FORMS}.", metavar="ADDRESS")
    ] = None,
    graph: GraphId = GRAPH,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the page and the record.")] = None,
) -> None:
    """Check a graph against the shapes of its vocabulary; exit status 1 where something is against them."""
    from kgxfer.shacl import validate as checked
    from kgxfer.stores import open_store

    if (file is None) == (store is None):
        raise InputError("say what to check: a file of RDF, or --store ADDRESS, one of the two")
    if out is not None and out.exists():
        raise InputError(f'"{out}" exists already; give another folder or remove it')
    if store is not None:
        with open_store(store, graph, create=False) as opened:
            report = checked(opened)
    else:
        report = checked(Path(str(file)))
    say(str(report))
    if out is not None:
        report.save(out)
        say(f"report: {out}")
    if not report.conforms:
        raise typer.Exit(FAULTY)
