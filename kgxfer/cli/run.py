"""`kgxfer demo` and `kgxfer run`."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from kgxfer.cli.console import folder_for, print_recommendations, print_table, say

if TYPE_CHECKING:
    import pandas as pd

    from kgxfer.experiment import RunConfig
    from kgxfer.experiment.run_folder import RunFolder

DEMO = "movielens-genres"
MAIN_METRICS = ("ndcg", "recall", "hr", "mrr")
MAIN_METRICS_SAMPLED = ("ndcg", "hr", "sampled_ndcg", "sampled_hr")
EXAMPLES_SHOWN = 2
HISTORY_SHOWN = 6

Out = Annotated[Path | None, typer.Option("--out", help="Folder of the run; runs/NAME, numbered, when not given.")]


def demo(
    out: Out = None, seed: Annotated[int, typer.Option("--seed", help="Seed of split and training.", min=0)] = 0
) -> None:
    """Recommend suspense films to people of whom only dramas and comedies are known, with every stage and control."""
    from kgxfer.experiment import load_config, packaged_config

    _run(load_config(packaged_config(DEMO), seed=seed), out or folder_for("demo", resume=False), resume=False)


def run(
    config: Annotated[Path, typer.Argument(help="A TOML file; see README for its tables.", metavar="CONFIG.toml")],
    out: Out = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Replaces the seed of the file.", min=0)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run from its last epoch.")] = False,
) -> None:
    """Train and evaluate what a file describes, and write a folder with models, figures and report."""
    from kgxfer.experiment import load_config

    parsed = load_config(config) if seed is None else load_config(config, seed=seed)
    _run(parsed, out or folder_for(parsed.name, resume), resume)


def _run(config: RunConfig, folder: Path, resume: bool) -> None:
    from kgxfer import experiment
    from kgxfer.experiment.page import PAGE
    from kgxfer.experiment.run_folder import RunFolder

    experiment.run(config, folder, progress=sys.stderr.isatty(), say=say, resume=resume)
    finished = RunFolder.read(folder)
    _print_results(finished)
    _print_examples(finished)
    say(f"report: {folder / PAGE}")


def _print_results(finished: RunFolder) -> None:
    """Print a table of models per domain and group with the main figures in percent."""
    from kgxfer.evaluation import ALL_ROWS, WITHOUT_TWINS
    from kgxfer.experiment.metric_words import base_of
    from kgxfer.experiment.run_folder import over_seeds

    figures = over_seeds(finished.figures)
    sampled = (figures["ranking"] == "sampled").any()
    wanted = MAIN_METRICS_SAMPLED if sampled else MAIN_METRICS
    figures = figures[figures["metric"].map(base_of).isin(wanted)]
    figures = figures[(figures["ranking"] != "sampled") | (figures["average"] == "per row")]
    figures = figures[figures["group"].isin([ALL_ROWS, WITHOUT_TWINS])]  # other groups are on the page
    for (domain, group), rows in figures.groupby(["domain", "group"], sort=False):
        say("")
        average = "per user; sampled: per row" if sampled else "per user"
        _print_figures(f"{domain}, {group} (percent, {average})", rows, wanted)


def _print_figures(title: str, rows: pd.DataFrame, wanted: tuple[str, ...]) -> None:
    from kgxfer.experiment.metric_words import base_of, label, shown

    metrics = sorted(rows["metric"].unique(), key=lambda metric: wanted.index(base_of(metric)))
    table = Table("model", title=title, title_justify="left", title_style="bold")
    for metric in metrics:
        table.add_column(label(metric), justify="right")
    best = rows.groupby("metric")["mean"].max()
    for model, figures in rows.groupby("model", sort=False):
        cells = []
        for metric in metrics:
            figure = figures[figures["metric"] == metric].iloc[0]
            spread = "" if math.isnan(figure["deviation"]) else f" ±{shown(figure['deviation'], metric)}"
            style = "bold" if figure["mean"] == best[metric] else ""
            cells.append(Text(shown(figure["mean"], metric) + spread, style=style))
        table.add_row(Text(str(model)), *cells)
    print_table(table)


def _print_examples(finished: RunFolder) -> None:
    """Print for two users what they liked and what the first trained model recommends, by name."""
    for example in finished.examples[:EXAMPLES_SHOWN]:
        lists = example["recommendations"]
        model = next((name for name in finished.methods if name in lists), next(iter(lists), None))
        if model is None:
            continue
        names = [item["name"] for item in example["history"]]
        more = f" and {len(names) - HISTORY_SHOWN} more" if len(names) > HISTORY_SHOWN else ""
        say(f"\n{example['user_id']} is known for: {', '.join(names[:HISTORY_SHOWN])}{more}")
        print_recommendations(f"{model} recommends", lists[model])
