"""`kgxfer graph export`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from graph_schema.errors import InputError
from kgxfer.cli.console import say
from kgxfer.cli.graph_console import FORMS, GRAPH, GraphId, progress_bar

SCHEMA = "schema"


def export(
    what: Annotated[
        str | None, typer.Argument(help=f'"{SCHEMA}": the vocabulary alone, in all its forms.', metavar="[schema]")
    ] = None,
    store: Annotated[
        str | None, typer.Option("--from", help=f"Where the graph is: {FORMS}.", metavar="ADDRESS")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="Where it goes: an address too; a folder for a schema.", metavar="PLACE")
    ] = None,
    to_import: Annotated[
        Path | None, typer.Option("--to-import", help="Folder for files that neo4j-admin loads into a new database.")
    ] = None,
    graph: GraphId = GRAPH,
    to_graph: Annotated[
        str | None, typer.Option("--to-graph", help="Its name there, where it is another.", metavar="ID")
    ] = None,
) -> None:
    """Copy a graph with all that models wrote back to it, or write its vocabulary in all its forms."""
    if what not in (None, SCHEMA):
        raise InputError(f'"{what}" cannot be exported; give "{SCHEMA}", or nothing for the graph itself')
    if (to is None) == (to_import is None):
        raise InputError("say where it goes, with --to, or with --to-import for neo4j-admin, one of the two")
    if what == SCHEMA and to is not None:
        _export_schema(store, graph, Path(to))
    elif store is None or what == SCHEMA:
        raise InputError("say where the graph is, with --from ADDRESS; a schema goes to a folder, with --to")
    elif to is not None:
        _copy(store, graph, to, to_graph or graph)
    elif to_import is not None:
        _export_import(store, graph, to_import, to_graph or graph)


def _copy(store: str, graph: str, to: str, to_graph: str) -> None:
    from kgxfer.stores import copy_graph, open_store

    if (store, graph) == (to, to_graph):
        raise InputError(f'"{to}" is where the graph is; give another address, or another name with --to-graph')
    with open_store(store, graph, create=False) as first, open_store(to, to_graph) as second, progress_bar() as tell:
        copied = copy_graph(first, second, tell)
    say(
        f"{store} to {to}: {copied.nodes:,} nodes, {copied.edges:,} edges, {copied.embeddings:,} embeddings, "
        f"{copied.recommendations:,} recommendations"
    )


def _export_import(store: str, graph: str, folder: Path, to_graph: str) -> None:
    from kgxfer.stores import open_store
    from kgxfer.stores.neo4j_import import write_import

    with open_store(store, graph, create=False) as opened:
        found = opened.read_graph()
    words = write_import(found, folder, to_graph)
    say(f"{found.node_count:,} nodes and {found.edge_count:,} edges in {folder}; with the server stopped:")
    say(shlex.join(words))


def _export_schema(store: str | None, graph: str, folder: Path) -> None:
    from graph_schema import SCHEMA as VOCABULARY
    from graph_schema import EdgeType
    from graph_schema.ddl import ladybug_statements, neo4j_statements
    from graph_schema.ontology import turtle
    from graph_schema.schema import ANY
    from graph_schema.shapes import shapes
    from kgxfer.stores import open_store
    from loaders.files import new_folder

    if store is None:
        schema = VOCABULARY
        kinds = [EdgeType(one.head, one.name, one.tail) for one in schema.relations if ANY not in (one.head, one.tail)]
        nodes = list(schema.names)
    else:
        with open_store(store, graph, create=False) as opened:
            found = opened.read_graph()
        schema, kinds, nodes = found.schema, list(found.edges), list(found.nodes)
    texts = {
        "ontology.ttl": turtle(schema),
        "shapes.ttl": shapes(schema).serialize(format="turtle"),
        "neo4j.cypher": _script(neo4j_statements(schema, nodes)),
        "ladybug.cypher": _script(ladybug_statements(schema, kinds, nodes)),
    }
    with new_folder(folder) as draft:
        for name, text in texts.items():
            (draft / name).write_text(text, encoding="utf-8")
    say(f"wrote {', '.join(texts)} to {folder}")


def _script(statements: tuple[str, ...]) -> str:
    return "".join(f"{statement};\n" for statement in statements)
