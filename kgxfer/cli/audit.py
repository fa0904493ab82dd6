"""`kgxfer audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graph_schema.errors import InputError
from kgxfer.cli.console import Root, folder_for, print_verdicts, say


def audit(
    target: Annotated[
        str, typer.Argument(help="The name of a data set, a column map, or the folder of a run.", metavar="TARGET")
    ],
    recommendations: Annotated[
        Path | None,
        typer.Option("--recommendations", help="CSV or Parquet with user_id, item_id, score, made by any program."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="What to call them; the file's name when not given.")
    ] = None,
    domain: Annotated[
        str | None, typer.Option("--domain", help="Audit one domain; of recommendations, the one they are for.")
    ] = None,
    root: Root = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of a data set's split; a run has its own.", min=0)] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Folder; audits/NAME, numbered, when not given.")] = None,
) -> None:
    """Say what stands behind the figures: twins, copies, leaks, ties, sampling, popularity, harm done, and power."""
    from kgxfer import audit as auditing

    if name is not None and recommendations is None:
        raise InputError("--name names recommendations; give their file with --recommendations")
    if out is not None and out.exists():
        raise InputError(f'"{out}" exists already; give another folder or remove it')
    source = auditing.source_of(target, root, seed)
    split = source.final.split
    models = dict(source.models())
    if recommendations is not None:
        domain = domain or split.evaluated_domains[-1]
        models[name or recommendations.stem] = auditing.read_recommendations(recommendations, split, domain, say)
    found = auditing.audit(
        source.final, models, choosing=source.choosing, controls=source.controls(say), domain=domain,
        config=source.settings, name=source.name, say=say,
    )
    folder = out or folder_for(source.name, resume=False, parent="audits")
    found.save(folder)
    print_verdicts(f"Audit of {found.name}", found.findings)
    say(f"audit: {folder / auditing.PAGE}")
