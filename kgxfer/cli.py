"""The command line.

What is heavy is imported by the command that needs it, so that asking for help costs no waiting. A mistake of the user
is one line on the error stream and exit status 2; an interruption is exit status 130.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from graph_schema.errors import InputError, unknown_name

if TYPE_CHECKING:
    import pandas as pd

    from kgxfer.audit import Audit
    from kgxfer.experiment import RunConfig
    from kgxfer.experiment.run_folder import RunFolder
    from kgxfer.recommender import Catalogue
    from loaders.registry import DataSet

INTERRUPTED = 130
DEMO = "movielens-genres"
MAIN_METRICS = ("ndcg", "recall", "hr", "mrr")
MAIN_METRICS_SAMPLED = ("ndcg", "hr", "sampled_ndcg", "sampled_hr")
EXAMPLES_SHOWN = 2
HISTORY_SHOWN = 6
NEAREST = 3

app = typer.Typer(
    help="Cross-domain recommendation through one bridged knowledge graph, evaluated honestly.", no_args_is_help=True,
    pretty_exceptions_enable=False, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(help="The data sets that can be loaded by name.", no_args_is_help=True)
app.add_typer(data_app, name="data")

Out = Annotated[Path | None, typer.Option("--out", help="Folder of the run; runs/NAME, numbered, when not given.")]
Root = Annotated[Path | None, typer.Option("--root", help="Folder of the data files; else KGXFER_DATA, else a cache.")]


def main() -> NoReturn:
    """Run the command line and exit: 0 well, 2 a mistake in what was given, 130 interrupted."""
    try:
        app(prog_name="kgxfer")
    except InputError as error:
        print(f"kgxfer: error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except SystemExit as error:
        # Lightning turns an interruption into an exit of its own; the status should not depend on when it came.
        if _interrupted(error):
            sys.exit(INTERRUPTED)
        raise
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(0)


def _interrupted(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


@app.command()
def demo(
    out: Out = None, seed: Annotated[int, typer.Option("--seed", help="Seed of split and training.", min=0)] = 0
) -> None:
    """Recommend suspense films to people of whom only dramas and comedies are known, with every stage and control."""
    from kgxfer.experiment import load_config, packaged_config

    _run(load_config(packaged_config(DEMO), seed=seed), out or _folder("demo", resume=False), resume=False)


@app.command()
def run(
    config: Annotated[Path, typer.Argument(help="A TOML file; see README for its tables.", metavar="CONFIG.toml")],
    out: Out = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Replaces the seed of the file.", min=0)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run from its last epoch.")] = False,
) -> None:
    """Train and evaluate what a file describes, and write a folder with models, figures and report."""
    from kgxfer.experiment import load_config

    parsed = load_config(config) if seed is None else load_config(config, seed=seed)
    _run(parsed, out or _folder(parsed.name, resume), resume)


def _folder(name: str, resume: bool, parent: str = "runs") -> Path:
    """Choose runs/NAME, else runs/NAME-2 and so on: the first that does not exist, or to resume the last that does."""
    last = None
    for number in count(1):
        folder = Path(parent) / (name if number == 1 else f"{name}-{number}")
        if not folder.exists():
            return last if resume and last is not None else folder
        last = folder
    raise AssertionError


def _run(config: RunConfig, folder: Path, resume: bool) -> None:
    from kgxfer import experiment
    from kgxfer.experiment.page import PAGE
    from kgxfer.experiment.run_folder import RunFolder

    experiment.run(config, folder, progress=sys.stderr.isatty(), say=_say, resume=resume)
    finished = RunFolder.read(folder)
    _print_results(finished)
    _print_examples(finished)
    _say(f"report: {folder / PAGE}")


def _say(text: str) -> None:
    """Print a line as it is: nothing in it is markup, and a path is not broken."""
    Console().print(text, markup=False, highlight=False, soft_wrap=True)


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
        _say("")
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
    _print(table)


def _print_examples(finished: RunFolder) -> None:
    """Print for two users what they liked and what the first trained model recommends, by name."""
    for example in finished.examples[:EXAMPLES_SHOWN]:
        lists = example["recommendations"]
        model = next((name for name in finished.methods if name in lists), next(iter(lists), None))
        if model is None:
            continue
        names = [item["name"] for item in example["history"]]
        more = f" and {len(names) - HISTORY_SHOWN} more" if len(names) > HISTORY_SHOWN else ""
        _say(f"\n{example['user_id']} is known for: {', '.join(names[:HISTORY_SHOWN])}{more}")
        _print_recommendations(f"{model} recommends", lists[model])


def _print_recommendations(title: str, entries: list[dict[str, Any]]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("rank", justify="right")
    table.add_column("name", overflow="fold")
    table.add_column("item", overflow="fold")
    table.add_column("score", justify="right")
    for entry in entries:
        table.add_row(str(entry["rank"]), Text(entry["name"]), Text(entry["item_id"]), f"{entry['score']:.3f}")
    _print(table)


def _print(table: Table) -> None:
    Console().print(table)


@app.command()
def audit(
    target: Annotated[str, typer.Argument(help="The name of a data set, or the folder of a run.", metavar="TARGET")],
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
        models[name or recommendations.stem] = auditing.read_recommendations(recommendations, split, domain, _say)
    found = auditing.audit(
        source.final, models, choosing=source.choosing, controls=source.controls(_say), domain=domain,
        config=source.settings, name=source.name, say=_say,
    )
    folder = out or _folder(source.name, resume=False, parent="audits")
    found.save(folder)
    _print_verdicts(found)
    _say(f"audit: {folder / auditing.PAGE}")


def _print_verdicts(found: Audit) -> None:
    """Print one line per finding; those that change how figures are read are marked."""
    table = Table("", title=f"Audit of {found.name}", title_justify="left", title_style="bold", show_lines=True)
    table.add_column("question", max_width=22)
    table.add_column("answer", overflow="fold")
    for finding in found.findings:
        mark = Text("●", style="bold yellow") if finding.concern else Text("○", style="dim")
        table.add_row(mark, Text(finding.title), Text(finding.verdict))
    _print(table)


@app.command()
def recommend(
    model: Annotated[Path, typer.Argument(help="A folder below models/ of a run.", metavar="MODEL_FOLDER")],
    user: Annotated[str, typer.Option("--user", help="The id of a user of either domain.")],
    n: Annotated[int, typer.Option("-n", help="How many items.", min=1)] = 10,
    domain: Annotated[str | None, typer.Option("--domain", help="Where; the target domain when not given.")] = None,
) -> None:
    """Recommend items to a user with a saved model."""
    from kgxfer.recommender_store import load_recommender

    recommender = load_recommender(model)
    catalogue = recommender.catalogue
    domain = domain or catalogue.domain_names[1]
    items = catalogue.items[catalogue.domain_code(domain)].set_index("item_id")["name"]
    _check_user(user, catalogue)
    place = catalogue.user_ids.get_indexer([user])[0]
    seen = zip(catalogue.domain_names, catalogue.seen, strict=True)
    known = [f"{matrix[place].nnz} items of {name}" for name, matrix in seen]
    _say(f"{user}: the model has learned from {' and '.join(known)}")
    found = recommender.recommend([user], n, domain)
    names = items.reindex(found["item_id"]).to_numpy()
    entries = found.assign(name=[given if isinstance(given, str) else "-" for given in names])
    _print_recommendations(f"{domain} for {user}", entries.to_dict("records"))


def _check_user(user: str, catalogue: Catalogue) -> None:
    """Name the nearest ids when there is no such user; all of them would be too many."""
    from difflib import get_close_matches

    known = catalogue.user_ids
    if user in known:
        return
    nearest = get_close_matches(user, list(known), n=NEAREST, cutoff=0.5) or list(known[:NEAREST])
    raise InputError(f'unknown user "{user}"; the nearest of {len(known):,} are: {", ".join(nearest)}')


@data_app.command("list")
def list_data(root: Root = None) -> None:
    """Show all data sets with their sizes and licences, and whether their files are here."""
    import loaders

    table = Table("data set", title="Data sets", title_justify="left", title_style="bold", show_lines=True)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("licence", overflow="fold")
    table.add_column("files")
    folder = loaders.root_folder(root)
    for name, entry in loaders.DATA_SETS.items():
        size = "\n".join(f"{_total(entry.card.counts, part)} {part}" for part in ("users", "items", "interactions"))
        named = Text.assemble((name, "bold"), "\n", entry.card.title)
        table.add_row(named, Text(size), Text(entry.card.licence), Text(_presence(entry, folder)))
    _print(table)
    _say(f"data folder: {folder}")


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


@data_app.command("fetch")
def fetch_data(name: Annotated[str, typer.Argument(metavar="NAME")], root: Root = None) -> None:
    """Download what is missing of a data set, check it, and say where it lies."""
    import loaders

    if name not in loaders.DATA_SETS:
        raise unknown_name("data set", name, loaders.DATA_SETS)
    paths = loaders.fetch(name, root, progress=sys.stderr.isatty())
    for path in paths:
        _say(str(path))
    if not paths:
        loaders.load(name, root)
        _say(f"{name} has no files to fetch; it was loaded and checked")
