"""`kgxfer data`: the data sets that can be loaded by name."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from graph_schema.errors import InputError, unknown_name
from kgxfer.cli.console import Root, print_table, say

if TYPE_CHECKING:
    from loaders.registry import DataSet


def list_data(root: Root = None) -> None:
    """Show all data sets with their sizes and licences, and whether their files are here."""
    import loaders

    table = Table("data set", title="Data sets", title_justify="left", title_style="bold", show_lines=True)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("licence", overflow="fold")
    table.add_column("files")
    folder = loaders.root_folder(root)
    for name, entry in loaders.BY_NAME.items():
        size = "\n".join(f"{_total(entry.card.counts, part)} {part}" for part in ("users", "items", "interactions"))
        named = Text.assemble((name, "bold"), "\n", entry.card.title)
        by_hand = name in loaders.COLLECTIONS
        files = "get them from its page" if by_hand else _presence(entry, folder)
        table.add_row(named, Text("" if by_hand else size), Text(entry.card.licence), Text(files))
    print_table(table)
    say(f"data folder: {folder}")


def _total(counts: Mapping[str, int], part: str) -> str:
    """Sum a count over the two domains; people that both domains have are counted once."""
    total = sum(value for key, value in counts.items() if key.endswith(f".{part}"))
    return f"{total - (counts.get('overlapping_users', 0) if part == 'users' else 0):,}"


def _presence(entry: DataSet, folder: Path) -> str:
    if not entry.files:
        return "none needed"
    places = [folder / file.folder / file.file for file in entry.files]
    found = sum(place.is_file() or place.with_name(f"{place.name}.gz").is_file() for place in places)
    return "here" if found == len(places) else f"{found} of {len(places)} here"


def fetch_data(name: Annotated[str, typer.Argument(metavar="NAME")], root: Root = None) -> None:
    """Download what is missing of a data set, check it, and say where it lies."""
    import loaders

    if name in loaders.COLLECTIONS:
        raise InputError(
            f'"{name}" is a collection that nobody has a checksum of, so it is not downloaded; get its files from '
            f"{loaders.card(name).url} and say with --root or KGXFER_DATA where they are"
        )
    if name not in loaders.BY_NAME:
        raise unknown_name("data set", name, loaders.BY_NAME)
    paths = loaders.fetch(name, root, progress=sys.stderr.isatty())
    for path in paths:
        say(str(path))
    if not paths:
        loaders.load(name, root)
        say(f"{name} has no files to fetch; it was loaded and checked")
