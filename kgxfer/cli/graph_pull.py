"""`kgxfer graph pull`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graph_schema.errors import InputError
from kgxfer.cli.console import say

if TYPE_CHECKING:
    from kgxfer.stores.pull import Pulled

DATA, RUN = "data.toml", "run.toml"


def pull(
    path: Annotated[Path, typer.Argument(help="What labels, types and properties mean.", metavar="MAP.toml")],
    store: Annotated[
        str,
        typer.Option("--store", help="Your server: neo4j:// or bolt:// (NEO4J_USER, NEO4J_PASSWORD).", metavar="URI"),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the tables, their column map, and a run.")],
) -> None:
    """Read two domains out of your own Neo4j, as tables that a run takes; nothing is written there."""
    from kgxfer.stores import open_store
    from kgxfer.stores.pull import pull as read
    from kgxfer.stores.pull_map import read_pull_map

    if out.exists():
        raise InputError(f'"{out}" exists already; give another folder or remove it')
    pull_map = read_pull_map(path)
    if "://" not in store:
        raise InputError(f'"{store}" is no Neo4j server; give neo4j://HOST:7687. Stores of ours: kgxfer graph export')
    with open_store(store) as opened:
        found = read(opened.query, pull_map, say)
    _write(found, out)


def _write(found: Pulled, out: Path) -> None:
    from kgxfer.cli.first_run import MODEL, Outlook, example_user, first_run, first_split
    from loaders.files import new_folder
    from loaders.own.map_text import map_text

    outlook = Outlook.of_dataset(found.dataset)
    split, name = first_split(outlook), found.pull_map.name
    opening = [f"Column map of {name}, as kgxfer graph pull read it. All keys: docs/your-own-data.md."]
    with new_folder(out) as draft:
        files = found.write_tables(draft)
        values = found.pull_map.column_values(found.tables, files.__getitem__)
        (draft / DATA).write_text(map_text(values, [], {}, opening), encoding="utf-8")
        (draft / RUN).write_text(first_run(outlook, split, name, DATA), encoding="utf-8")
    say(f"wrote {out / DATA} and {out / RUN}: split {split.protocol}, {split.reason}")
    say(f"next: kgxfer data check {out / DATA}\n      kgxfer run {out / RUN}")
    say(f"      kgxfer recommend runs/{name}/models/{MODEL} --user {example_user(outlook)}")
