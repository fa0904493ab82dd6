"""What the commands of `kgxfer graph` share: which store, how far writing has come, and counts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from kgxfer.cli.console import print_table

if TYPE_CHECKING:
    import pandas as pd

    from kgxfer.stores.base import Progress as Told

FORMS = "neo4j:// or bolt:// (NEO4J_USER, NEO4J_PASSWORD), or a file .lbug, .nt, .ttl, .json"
GRAPH = "kgxfer"
"""The graph's name in a Neo4j database where none is given; a file holds one graph."""

Store = Annotated[str, typer.Option("--store", help=f"Where the graph is: {FORMS}.", metavar="ADDRESS")]
To = Annotated[str, typer.Option("--to", help=f"Where it goes: {FORMS}.", metavar="ADDRESS")]
GraphId = Annotated[str, typer.Option("--graph", help="Its name in a Neo4j database.", metavar="ID")]


@contextmanager
def progress_bar() -> Iterator[Told]:
    """Yield a callback that draws a bar for each thing that is written; nothing where nobody looks."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn(compact=True),
    )
    shown = Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
    tasks: dict[str, int] = {}

    def tell(what: str, done: int, of: int) -> None:
        if what not in tasks:
            tasks[what] = shown.add_task(what, total=of)
        shown.update(tasks[what], completed=done, total=of)  # type: ignore[arg-type]

    with shown:
        yield tell


class _Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="progress.data.speed")


def print_counts(title: str, counts: pd.DataFrame) -> None:
    """Print a table of counts whose last column is numbers."""
    table = Table(title=title, title_justify="left", title_style="bold")
    *words, number = counts.columns
    for name in words:
        table.add_column(str(name), overflow="fold")
    table.add_column(str(number), justify="right")
    for row in counts.itertuples(index=False):
        table.add_row(*(Text(str(value)) for value in row[:-1]), f"{row[-1]:,}")
    print_table(table)
