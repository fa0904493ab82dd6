"""What commands share: how they print, and where they put what they make."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from kgxfer.audit import Finding

Root = Annotated[Path | None, typer.Option("--root", help="Folder of the data files; else KGXFER_DATA, else a cache.")]


def folder_for(name: str, resume: bool, parent: str = "runs") -> Path:
    """Choose runs/NAME, else runs/NAME-2 and so on: the first that does not exist, or to resume the last that does."""
    last = None
    for number in count(1):
        folder = Path(parent) / (name if number == 1 else f"{name}-{number}")
        if not folder.exists():
            return last if resume and last is not None else folder
        last = folder
    raise AssertionError


def say(text: str) -> None:
    """Print a line as it is: nothing in it is markup, and a path is not broken."""
    Console().print(text, markup=False, highlight=False, soft_wrap=True)


def print_table(table: Table) -> None:
    """Print a table as wide as the terminal."""
    Console().print(table)


def print_verdicts(title: str, findings: Sequence[Finding]) -> None:
    """Print one line per finding of an audit; those that change how things are read are marked."""
    table = Table("", title=title, title_justify="left", title_style="bold", show_lines=True)
    table.add_column("question", max_width=22)
    table.add_column("answer", overflow="fold")
    for finding in findings:
        mark = Text("●", style="bold yellow") if finding.concern else Text("○", style="dim")
        table.add_row(mark, Text(finding.title), Text(finding.verdict))
    print_table(table)


def print_recommendations(title: str, entries: list[dict[str, Any]]) -> None:
    """Print entries with rank, name, item_id and score."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("rank", justify="right")
    table.add_column("name", overflow="fold")
    table.add_column("item", overflow="fold")
    table.add_column("score", justify="right")
    for entry in entries:
        table.add_row(str(entry["rank"]), Text(entry["name"]), Text(entry["item_id"]), f"{entry['score']:.3f}")
    print_table(table)
