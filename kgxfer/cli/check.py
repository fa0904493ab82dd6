"""`kgxfer data check`."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from graph_schema.errors import InputError
from kgxfer.cli.console import Root, folder_for, print_table, say

if TYPE_CHECKING:
    from loaders.quality import QualityReport

MARKS = {"grave": "bold red", "serious": "bold yellow", "minor": "dim"}


def check(
    target: Annotated[
        str, typer.Argument(help="The name of a data set, or a column map (a .toml file).", metavar="NAME_OR_MAP")
    ],
    name: Annotated[str | None, typer.Option("--name", help="What to call it in the report.")] = None,
    root: Root = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder; checks/NAME, numbered, when not given.")] = None,
) -> None:
    """Say what is wrong with the data and was done about it, what the domains are like, and what to be wary of."""
    from kgxfer import data_check
    from loaders.quality.check import check as measured

    if out is not None and out.exists():
        raise InputError(f'"{out}" exists already; give another folder or remove it')
    report = measured(target, root)
    if name is not None:
        report = replace(report, name=name)
    folder = out or folder_for(_folder_name(report.name), resume=False, parent="checks")
    data_check.save(report, folder)
    _print_findings(report)
    _print_warnings(report)
    say(f"data check: {folder / data_check.PAGE}")


def _folder_name(name: str) -> str:
    """A name as the name of a folder: no separators, no blanks."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "data"


def _print_findings(report: QualityReport) -> None:
    """Print one line per rule that found something, with the first place."""
    from kgxfer.data_check.tables import action_title, in_order, place_of

    table = Table("rule", title=f"Data check of {report.name}", title_justify="left", title_style="bold")
    table.add_column("table")
    table.add_column("rows", justify="right")
    table.add_column(action_title(report.source))
    table.add_column("for example", overflow="fold")
    for domain in report.domains:
        for each in in_order(domain.findings):
            first = place_of(each, domain.files.get(each.table, ""))
            place = f"{domain.domain}, {each.table}"
            table.add_row(Text(each.rule), Text(place), f"{each.count:,}", Text(each.action), Text(first))
    if table.row_count:
        print_table(table)
    else:
        say("the rules of cleaning found nothing")


def _print_warnings(report: QualityReport) -> None:
    """Print one line per warning, the gravest first."""
    table = Table("", title="Warnings", title_justify="left", title_style="bold")
    table.add_column("what to be wary of", overflow="fold")
    for each in report.warnings:
        table.add_row(Text(each.severity, style=MARKS[each.severity]), Text(each.sentence))
    if table.row_count:
        print_table(table)
