"""`kgxfer graph query`: a question of the pack, or a text of one's own, as a table, a CSV file or a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from graph_schema.errors import InputError
from kgxfer.cli.console import print_table, say

if TYPE_CHECKING:
    import pandas as pd

    from kgxfer.stores import GraphStore

LIMIT = 25


def query(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Of a query; all are listed without it.")] = None,
    store: Annotated[
        str | None, typer.Option("--store", help="Where the graph is: graph.lbug, neo4j://host:7687.")
    ] = None,
    graph: Annotated[str, typer.Option("--graph", help="Which graph of a Neo4j database.")] = "kgxfer",
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help="A value; may be given several times.")
    ] = None,
    cypher: Annotated[
        str | None, typer.Option("--cypher", help="A text of your own instead of a query; it may only read.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", help="Rows of a query at most.", min=1)] = LIMIT,
    csv: Annotated[Path | None, typer.Option("--csv", help="File to be written with the rows.")] = None,
    draw: Annotated[
        Path | None, typer.Option("--draw", help="HTML page to be written with the answer as a graph.")
    ] = None,
    text: Annotated[
        bool, typer.Option("--text", help="Print the query's Cypher for this store, and do not run it.")
    ] = False,
) -> None:
    """Ask the graph: `kgxfer graph query` lists the questions; users, items and nodes go by key, id or name."""
    if name is None and cypher is None:
        _list()
        return
    if name is not None and cypher is not None:
        raise InputError("give the NAME of a query or --cypher, not both")
    if store is None:
        raise InputError("--store says where the graph is; give an address such as graph.lbug or neo4j://localhost:7687")
    from kgxfer.stores import open_store

    given = _values(param or [])
    with open_store(store, graph, create=False) as opened:
        if text and name is not None:
            from kgxfer.queries import query_text

            say(query_text(opened, name))
            return
        found = _answer(opened, name, cypher, given, limit, draw)
    _print(found, name or "query")
    if csv is not None:
        from loaders.files import new_file

        with new_file(csv) as draft:
            _flat(found).to_csv(draft, index=False)
        say(f"rows: {csv}")
    if draw is not None:
        say(f"picture: {draw}")


def _flat(found: pd.DataFrame) -> pd.DataFrame:
    """Lists as JSON, which a reader of the file can tell from text."""
    return found.map(lambda cell: json.dumps(cell, ensure_ascii=False, default=str) if isinstance(cell, list) else cell)


def _answer(
    opened: GraphStore, name: str | None, cypher: str | None, given: dict[str, str], limit: int, page: Path | None
) -> pd.DataFrame:
    """The rows; the picture is written where a page is asked for."""
    from kgxfer.queries import QUERIES, answer_graph, draw, drawable, run_query

    if name is not None:
        found = run_query(opened, name, given, limit)
        if page is not None:
            draw(*answer_graph(opened, name, found), page, QUERIES[name].title)
        return found
    values = {key: _literal(value) for key, value in given.items()}
    found = opened.query(str(cypher), values)
    if page is not None:
        draw(*drawable(opened, str(cypher), values), page, "Answer")
    return found


def _literal(value: str) -> Any:
    """The value for a text of one's own, which does not say what it takes: JSON where it is, else the text itself."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _values(given: list[str]) -> dict[str, str]:
    values = {}
    for one in given:
        name, sign, value = one.partition("=")
        if not sign or not name:
            raise InputError(f'--param "{one}": write NAME=VALUE, such as user=u42')
        if name in values:
            raise InputError(f'--param "{name}" is given twice; give it once')
        values[name] = value
    return values


def _list() -> None:
    from kgxfer.queries import THEMES

    for theme, queries in THEMES.items():
        table = Table(title=theme, title_justify="left", title_style="bold")
        table.add_column("query", no_wrap=True)
        table.add_column("answers", overflow="fold")
        table.add_column("parameters", overflow="fold")
        for one in queries:
            said = ", ".join(f"{row.name}*" if row.default is None else row.name for row in one.parameters)
            table.add_row(Text(one.name, style="bold"), Text(one.title), Text(said))
        print_table(table)
    say("* must be given; docs/queries.md says more of each")


def _print(found: pd.DataFrame, title: str) -> None:
    from kgxfer.queries import QUERIES

    heading = QUERIES[title].title if title in QUERIES else title
    table = Table(title=heading, title_justify="left", title_style="bold")
    for name, column in found.items():
        numeric = column.dtype.kind in "iuf"
        table.add_column(Text(str(name)), justify="right" if numeric else "left", overflow="fold")
    for row in found.itertuples(index=False):
        table.add_row(*(Text(_cell(value)) for value in row))
    print_table(table)
    say(f"{len(found):,} row{'' if len(found) == 1 else 's'}")


def _cell(value: Any) -> str:
    import pandas as pd

    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    if pd.isna(value):
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
