"""`kgxfer bridge`: what bridges propose, and whether to believe it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from graph_schema.errors import InputError
from kgxfer.cli.console import Root, folder_for, print_table, print_verdicts, say

if TYPE_CHECKING:
    from kgxfer.link_audit import LinkAudit

USUAL, BY_NAME = ("shared_id", "shared_entity", "behaviour_twins"), ("same_name", "fuzzy_name")
"""Asked where none is named; those that the data do not suit are left out, those by name where items have none."""

SHOWN = 10
MINIMUM_CONFIDENCE = 0.9


def audit_bridges(
    target: Annotated[str, typer.Argument(
        help="The name of a data set, a column map, or a run's file: its split, bridges and their settings.",
        metavar="DATASET_OR_TOML",
    )],
    bridge: Annotated[
        list[str] | None, typer.Option("--bridge", help="Audit this bridge; may be given several times.")
    ] = None,
    links: Annotated[
        Path | None,
        typer.Option("--links", help="CSV or Parquet with source_id, target_id, node_type; audited as well."),
    ] = None,
    min_confidence: Annotated[
        float, typer.Option("--min-confidence", help="Links below it go to the review file.", min=0, max=1)
    ] = MINIMUM_CONFIDENCE,
    review: Annotated[
        Path | None, typer.Option("--review", help="CSV to be written: uncertain and suspicious links, to decide on.")
    ] = None,
    root: Root = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the split (a run has its own), and of draws.", min=0)] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Folder; link-audits/NAME, numbered, if not given.")] = None,
) -> None:
    """Say whether linked things belong together: names, years, audiences against chance, and what to look at first."""
    import loaders
    from kgxfer import link_audit
    from kgxfer.bridges.review import refuse_existing, write_review

    if out is not None and out.exists():
        raise InputError(f'"{out}" exists already; give another folder or remove it')
    if review is not None:
        refuse_existing(review)
    given = link_audit.read_links(links, say) if links is not None else {}
    if link_audit.is_run(target):
        split, graph = link_audit.run_split(Path(target), root, say)
        usual: tuple[str, ...] = graph.bridges
    else:
        split, graph = link_audit.default_split(loaders.dataset_of(target, root), seed), None
        named = all(tables.items.get("name") is not None for tables in split.dataset.domains)
        usual = (*USUAL, *(BY_NAME if named else ()))
    asked = list(dict.fromkeys(bridge or (() if links is not None else usual)))
    proposals, refused = link_audit.proposed(split, asked, optional=not bridge, say=say, config=graph)
    found = link_audit.audit_links(
        split, {**proposals, **given}, link_audit.LinkAuditConfig(seed=seed), refused=refused
    )
    folder = out or folder_for(split.dataset.name, resume=False, parent="link-audits")
    found.save(folder)
    if review is not None:
        uncertain = found.for_review(min_confidence)
        write_review(uncertain, review)
    print_verdicts(f"Links of {found.name}", found.findings)
    _print_suspicious(found)
    if review is not None:
        say(f"review: {review}, {len(uncertain):,} links to decide on")
    say(f"link audit: {folder / link_audit.PAGE}")


def _print_suspicious(found: LinkAudit) -> None:
    """Print the most doubtful links with their reasons."""
    rows = found["suspicious"].table.head(SHOWN)
    if rows.empty:
        return
    table = Table("source", title="Look at these first", title_justify="left", title_style="bold", show_lines=True)
    for column in ("target", "bridge", "reasons"):
        table.add_column(column, overflow="fold")
    for row in rows.to_dict("records"):
        table.add_row(*(Text(row[column]) for column in ("source", "target", "bridge", "reasons")))
    print_table(table)
