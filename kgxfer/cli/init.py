"""`kgxfer data init`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graph_schema.errors import InputError
from kgxfer.cli.console import say

if TYPE_CHECKING:
    from loaders.own.survey import Side, Survey


def init(
    source: Annotated[Path, typer.Argument(help="Interactions of the rich domain.", metavar="SOURCE.csv")],
    target: Annotated[Path, typer.Argument(help="Interactions of the domain to recommend in.", metavar="TARGET.csv")],
    items: Annotated[
        list[Path] | None, typer.Option("--items", help="A table of items; may be given for each domain.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Where the column map goes.")] = Path("my-data.toml"),
) -> None:
    """Look at two files, guess what their columns mean, and write a column map and a run to begin with."""
    run_path = out.with_name(f"{out.stem.removesuffix('data').rstrip('-_') or 'first'}-run.toml")
    for path in (out, run_path):
        if path.exists():
            raise InputError(f'"{path}" exists already and stays as it is; give another name with --out, or remove it')
    from kgxfer.cli.first_run import MODEL, Outlook, example_user, first_run, first_split
    from loaders.files import new_file
    from loaders.own.column_map import checked_map
    from loaders.own.map_text import map_text
    from loaders.own.survey import survey

    found = survey(source, target, items or [], out.parent)
    checked_map(found.values, "guessed column map")
    opening = [
        f"Column map of {source.name} and {target.name}: what their columns mean. Guessed by kgxfer data init;",
        'look at what is marked "unsure". All keys: docs/your-own-data.md.', "", found.people.statement + ".",
    ]  # fmt: skip
    name, outlook = found.values["name"], Outlook.of_survey(found)
    split = first_split(outlook)
    column_map = map_text(found.values, found.doubts, found.unused, opening)
    texts = {out: column_map, run_path: first_run(outlook, split, name, out.name)}
    for path, text in texts.items():
        with new_file(path) as draft:
            draft.write_text(text, encoding="utf-8")
    for role, side in (("source", found.source), ("target", found.target)):
        _tell(role, side)
    _tell_doubts(found, out)
    say(f"wrote {out} and {run_path}: split {split.protocol}, {split.reason}")
    say(f"next: kgxfer data check {out}\n      kgxfer run {run_path}")
    say(f"      kgxfer recommend runs/{name}/models/{MODEL} --user {example_user(outlook)}")


def _tell(role: str, side: Side) -> None:
    """Say what was found in the files of one domain."""
    users, known, rows = side.sizes
    say(f'{role} "{side.domain}": {rows:,} rows, {users:,} users, {known:,} items ({side.item_type})')
    for look, columns in ((side.look, side.roles.columns), (side.items, side.item_roles and side.item_roles.columns)):
        if look is not None and columns:
            say(f"  {look.path}: " + ", ".join(f'{role} = "{name}"' for role, name in columns.items()))
    for name, one in side.item_roles.attributes.items() if side.item_roles else ():
        say(f'  attribute "{name}": {one.kind}' + (f", {one.relation} {one.node_type}" if one.relation else ""))


def _tell_doubts(found: Survey, out: Path) -> None:
    from loaders.own.map_text import LONGEST_DOUBT
    from loaders.own.messages import one_line

    say(found.people.statement)
    if not found.connected:
        say(
            "nothing joins the two domains yet: give tables of items with attributes in common (--items), or in the "
            "column map a table of links" + ("; or set shared_users" if found.people.both else "")
        )
    if found.doubts:
        say(f"unsure, and marked so in {out}:")
    for doubt in found.doubts:
        say(one_line(f"  {doubt.key}: {doubt.text}", LONGEST_DOUBT))
