"""The report of a run as one HTML page that needs no other file: read from the run's folder, written beside it.

The page states what was measured before it says who won: averages name their denominator, a control that wins is called
the winner, and a difference within the spread over seeds is called undecided.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from graph_schema.errors import InputError
from kgxfer.experiment import plots
from kgxfer.experiment.metric_words import METRICS, base_of, label, shown
from kgxfer.files import new_file

PAGE = "report.html"
KEYS = ["model", "domain", "group", "ranking", "average", "metric"]
ALL_ROWS = "all rows"
CONTROL_ENCODERS = ("mf", "lightgcn")
"""Trained without stages, these are learned controls: matrix factorisation with item bias, joint LightGCN."""
PLOTTED = ("ndcg", "recall", "hr", "mrr")
HISTORY_NAMES = 12
"""Items of a user's history that are named per domain."""
_REFITTED = " With what was chosen, everything was then fitted again on all training rows, theirs included."
_KINDS = {
    "pseudo-cold users": "pseudo-cold users: other users whose rows in the tested domain were hidden from training.",
    "pseudo-cold items": "pseudo-cold items: other items whose rows were hidden from training.",
    "rows of warm users": "other rows of warm users, held out as the test rows are.",
    "rows of an earlier time": "rows of an earlier time than the test: those just before it.",
    "rows of other cold users": "validation rows of other cold-start users, who are not tested here.",
}
CHOSEN_ON: Mapping[str, str] = {
    **{kind: f"Settings and training steps were chosen on {words}" for kind, words in _KINDS.items()},
    **{
        f"{kind}, then refitted": f"Settings and training steps were chosen on {words}{_REFITTED}"
        for kind, words in _KINDS.items()
    },
    "rows of the test users": "Settings and training steps were chosen on validation rows of the test users "
    "themselves, which flatters what the figures say about new users.",
    "none": "There were no validation rows, so nothing was chosen: every model kept its last training step.",
}


@dataclass(frozen=True)
class Cell:
    """One cell of a table; `note` is its tooltip, `below` a second, smaller line."""

    text: str
    number: bool = False
    best: bool = False
    note: str = ""
    below: str = ""


@dataclass(frozen=True)
class Table:
    """A table of the page; the first column names the row."""

    title: str
    head: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True, eq=False)
class RunFolder:
    """What a run left behind, read."""

    config: dict[str, Any]
    manifest: dict[str, Any]
    figures: pd.DataFrame
    history: pd.DataFrame
    map: pd.DataFrame
    stages: list[dict[str, Any]]
    examples: list[dict[str, Any]]

    @classmethod
    def read(cls, folder: Path) -> RunFolder:
        """Read the files; InputError naming the first that is absent or damaged."""
        values = {name: _read(folder, f"{name}.json") for name in ("config", "manifest", "stages", "examples")}
        tables = {name: _read(folder, f"{name}.parquet") for name in ("figures", "history", "map")}
        return cls(**values, **tables)

    @property
    def methods(self) -> list[str]:
        """Names of the trained models that are no controls."""
        models = self.config.get("models", {})
        return [name for name, model in models.items() if not _is_control(model)]


def _read(folder: Path, name: str) -> Any:
    path = folder / name
    if not path.is_file():
        raise InputError(f'"{folder}" is not the folder of a finished run: {name} is not there')
    try:
        return pd.read_parquet(path) if path.suffix == ".parquet" else json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f'file "{path}" is damaged ({str(error).splitlines()[0]}); run again') from error


def _is_control(model: Mapping[str, Any]) -> bool:
    """A model is one by its encoder, or because its graph was changed (domains kept apart, links shuffled)."""
    changed = model.get("combine") is not None or model.get("links") == "shuffled"
    return changed or (model.get("encoder") in CONTROL_ENCODERS and not model.get("stages"))


def render(folder: Path) -> Path:
    """Write the page of a run from the other files of its folder, and return its path.

    Raises:
        InputError: a file of the run is absent or damaged, or the disk is full.
    """
    run = RunFolder.read(folder)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )
    figures = over_seeds(run.figures)
    text = environment.get_template("page.html.jinja").render(
        name=run.config["name"],
        version=run.manifest["kgxfer"],
        summary=_summary(run, figures),
        leakage=[_leak(finding) for finding in run.manifest["leakage"]],
        chosen_on=CHOSEN_ON[run.manifest["split"]["validation"]],
        definitions=[(label(metric), METRICS[base_of(metric)].what) for metric in figures["metric"].unique()],
        results=_results(run, figures),
        bars=_bars(run, figures),
        curves=[plots.training_curves(model, rows, run.stages) for model, rows in _by_model(run.history)],
        stages=_stages(run.stages),
        steps=_steps(run.stages),
        maps=[plots.embedding_map(model, points) for model, points in _by_model(run.map)],
        examples=[_example(example) for example in run.examples],
        graph=_graph(run.manifest),
        manifest=_manifest(run.manifest),
        files=sorted(run.manifest["files"].items()),
        config=json.dumps(run.config, indent=2, ensure_ascii=False),
    )
    with new_file(folder / PAGE) as draft:
        draft.write_text(text, encoding="utf-8")
    return folder / PAGE


def over_seeds(figures: pd.DataFrame) -> pd.DataFrame:
    """Mean, standard deviation (NaN for one seed) and number of seeds of every figure, and its count, in order."""
    grouped = figures.groupby(KEYS, sort=False)
    table = grouped["value"].agg(mean="mean", deviation="std", seeds="size")
    return table.join(grouped["count"].first()).reset_index()


def _by_model(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Divide by model; nothing where no model was trained, and so no column is there."""
    if table.empty:
        return []
    return [(str(model), rows) for model, rows in table.groupby("model", sort=False)]


def _summary(run: RunFolder, figures: pd.DataFrame) -> list[str]:
    """What was tested on whom, and per domain and group which model leads and by how much."""
    split, data = run.manifest["split"], run.manifest["data"]
    sentences = [
        f"Models learned from {split['train']:,} interactions of the data set {data['name']} and were tested on "
        f"{split['test']:,} held-out ones; protocol: {split['protocol']}."
    ]
    first = figures["metric"].iloc[0]
    for (domain, group), rows in figures[figures["metric"] == first].groupby(["domain", "group"], sort=False):
        where = f"In {domain}, {group} ({rows['count'].iloc[0]:,} test users; {label(first)} in percent)"
        sentences.append(f"{where}, {verdict(rows, run.methods)}")
    return sentences


def verdict(rows: pd.DataFrame, methods: Sequence[str]) -> str:
    """Say which model leads by one figure; `rows` has one line per model with mean, deviation and seeds."""
    is_method = rows["model"].isin(methods)
    leaders = [part.loc[part["mean"].idxmax()] for part in (rows[is_method], rows[~is_method]) if len(part)]
    named = [f"{row['model']} {100 * row['mean']:.2f}{_of_seeds(row)}" for row in leaders]
    if len(leaders) == 1:
        missing = "no control to compare it with" if is_method.any() else "no trained model beside its controls"
        return f"{named[0]} is best; the run has {missing}."
    method, control = leaders
    points = 100 * (method["mean"] - control["mean"])
    if points > 0:
        text = f"{named[0]} leads, {points:.2f} points above the best control, {named[1]}."
    else:
        text = f"a control wins: {named[1]} is {-points:.2f} points above the best trained model, {named[0]}."
    if math.isnan(method["deviation"]):
        return f"{text} With one seed, how much of this is chance was not measured."
    if abs(points) <= 100 * method["deviation"]:
        return f"{text} The difference lies within the spread over seeds, so this run does not decide it."
    return text


def _of_seeds(row: pd.Series) -> str:
    return "" if math.isnan(row["deviation"]) else f" (mean of {row['seeds']} seeds, s.d. {100 * row['deviation']:.2f})"


def _results(run: RunFolder, figures: pd.DataFrame) -> list[tuple[str, list[Table]]]:
    """Per domain the tables of each group: full ranking and ratings in one, sampled ranking in another."""
    results = []
    for domain, of_domain in figures.groupby("domain", sort=False):
        tables = []
        for group, of_group in of_domain.groupby("group", sort=False):
            sampled = of_group["ranking"] == "sampled"
            for ranking, rows in (("full ranking", of_group[~sampled]), ("sampled ranking", of_group[sampled])):
                if len(rows):
                    tables.append(_result_table(f"{group}, {ranking}", rows, run))
        results.append((str(domain), tables))
    return results


def _result_table(title: str, rows: pd.DataFrame, run: RunFolder) -> Table:
    columns = list(rows[["metric", "average"]].drop_duplicates().itertuples(index=False, name=None))
    found = rows.set_index(["model", "metric", "average"])
    best = {}
    for metric, average in columns:
        means = found["mean"].xs((metric, average), level=("metric", "average"))
        best[metric, average] = means.max() if METRICS[base_of(metric)].more_is_better else means.min()
    table = []
    for model in rows["model"].unique():
        line = [Cell(model, note="trained model" if model in run.methods else "control")]
        for metric, average in columns:
            key = (model, metric, average)
            line.append(_figure(found.loc[key], metric, best[metric, average]) if key in found.index else Cell("-"))
        table.append(line)
    negatives = run.config.get("evaluation", {}).get("sampled_negatives")
    note = f"Each positive among {negatives:,} uniformly drawn negatives, the draw integrated out." if negatives else ""
    return Table(title, _result_head(columns, rows), table, note if "sampled" in title else "")


def _result_head(columns: Sequence[tuple[str, str]], rows: pd.DataFrame) -> list[Cell]:
    head = [Cell("model")]
    for metric, average in columns:
        chosen = rows[(rows["metric"] == metric) & (rows["average"] == average)]
        counted = "rows" if average == "per row" else "users"
        note = f"{METRICS[base_of(metric)].what}; {average}, {chosen['count'].iloc[0]:,} {counted}"
        head.append(Cell(label(metric).removeprefix("sampled "), True, note=note, below=average))
    return head


def _figure(row: pd.Series, metric: str, best: float) -> Cell:
    deviation = "" if math.isnan(row["deviation"]) else f"± {shown(row['deviation'], metric)}"
    return Cell(shown(row["mean"], metric), True, row["mean"] == best, f"{row['seeds']} seed(s)", deviation)


def _bars(run: RunFolder, figures: pd.DataFrame) -> plots.Picture | None:
    panels = []
    full = figures[figures["ranking"] == "full"]
    metrics = [metric for metric in full["metric"].unique() if base_of(metric) in PLOTTED]
    for (domain, group), rows in full.groupby(["domain", "group"], sort=False):
        for metric in metrics:
            bars = [
                plots.Bar(row.model, 100 * row.mean, 100 * row.deviation, row.model not in run.methods)
                for row in rows[rows["metric"] == metric].itertuples()
            ]
            if bars:
                panels.append((f"{label(metric)}, {domain}" + ("" if group == ALL_ROWS else f"\n{group}"), bars))
    return plots.metric_bars(panels, len(metrics)) if panels else None


def _by_phase(stages: Iterable[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for stage in stages:
        grouped.setdefault((stage["model"], stage["phase"]), []).append(stage)
    return grouped


def _mean(records: Sequence[Mapping[str, Any]], name: str) -> pd.Series:
    return pd.Series([record[name] for record in records if name in record], dtype=float)


def _stages(stages: list[dict[str, Any]]) -> list[Table]:
    """What each phase did, averaged over seeds: epochs, seconds and validation, then what its stages noted."""
    if not stages:
        return []
    phases = _by_phase(stages)
    metrics = list(dict.fromkeys(name for stage in stages for name in stage["validation"]))
    numeric = ("epochs", "kept", "seconds", *(f"{label(name)}, validation" for name in metrics))
    head = [*map(Cell, ("model", "phase", "losses")), *(Cell(text, True) for text in numeric)]
    rows = []
    for (model, phase), records in phases.items():
        numbers = [f"{_mean(records, name).mean():.4g}" for name in ("epochs", "kept_epoch")]
        numbers.append(f"{_mean(records, 'seconds').mean():.1f}")
        for name in metrics:
            values = _mean([record["validation"] for record in records], name)
            numbers.append(shown(values.mean(), name) if len(values) else "-")
        words = [Cell(model), Cell(phase), Cell(", ".join(records[0]["losses"]))]
        rows.append([*words, *(Cell(text, True) for text in numbers)])
    return [Table("phases", head, rows), _notes(phases)]


def _notes(phases: Mapping[tuple[str, str], list[dict[str, Any]]]) -> Table:
    """One line per note, one column per phase of a model."""
    noted = {key: [record["notes"] for record in records] for key, records in phases.items()}
    names = dict.fromkeys(name for records in noted.values() for record in records for name in record)
    rows = []
    for name in names:
        means = [_mean(records, name).mean() for records in noted.values()]
        rows.append([Cell(name), *(Cell("-" if math.isnan(mean) else f"{mean:.3g}", True) for mean in means)])
    head = [Cell("note"), *(Cell(model, True, below=phase) for model, phase in noted)]
    return Table("notes of the stages", head, rows)


def _steps(stages: list[dict[str, Any]]) -> plots.Picture | None:
    rows = []
    for (model, phase), records in _by_phase(stages).items():
        for metric in list(records[0]["validation"])[:1]:
            values = 100 * _mean([record["validation"] for record in records], metric)
            rows.append((model, phase, label(metric), values.mean(), values.std()))
    table = pd.DataFrame(rows, columns=["model", "phase", "metric", "mean", "deviation"])
    table = table[table["model"].duplicated(keep=False)]
    return plots.stage_steps(table) if len(table) else None


def _example(example: dict[str, Any]) -> tuple[str, list[tuple[str, str]], Table]:
    history: dict[str, list[str]] = {}
    for item in example["history"]:
        history.setdefault(item["domain"], []).append(item["name"])
    liked = []
    for domain, names in history.items():
        more = f" and {len(names) - HISTORY_NAMES} more" if len(names) > HISTORY_NAMES else ""
        liked.append((domain, ", ".join(names[:HISTORY_NAMES]) + more))
    lists = {
        model: {entry["rank"]: entry for entry in entries} for model, entries in example["recommendations"].items()
    }
    rows = []
    for rank in sorted({rank for entries in lists.values() for rank in entries}):
        found = [entries.get(rank) for entries in lists.values()]
        cells = [Cell(entry["name"], note=f"score {entry['score']:.4g}") if entry else Cell("-") for entry in found]
        rows.append([Cell(str(rank), True), *cells])
    return example["user_id"], liked, Table("", [Cell("rank", True), *(Cell(model) for model in lists)], rows)


def _graph(manifest: dict[str, Any]) -> list[Table]:
    tables = []
    for part, key in (("nodes", "type"), ("edges", "type"), ("links", "bridge")):
        counts = manifest["graph"][part]
        rows = [[Cell(name), Cell(f"{count:,}", True)] for name, count in counts.items()]
        if rows:
            tables.append(Table(part, [Cell(key), Cell("count", True)], rows))
    return tables


def _leak(finding: Mapping[str, Any]) -> str:
    return f"{finding['kind'].capitalize()} ({finding['where']}): {finding['message']}."


def _manifest(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    data, split = manifest["data"], manifest["split"]
    return [
        ("data set", data["name"]),
        ("fingerprint of the data", data["fingerprint"]),
        ("licence", data["licence"]),
        ("citation", data["citation"]),
        ("split", split["protocol"]),
        ("rows", ", ".join(f"{split[part]:,} {part}" for part in ("train", "valid", "test"))),
        ("fingerprint of the split", split["fingerprint"]),
        *((f"sha256 of the table {part}", checksum) for part, checksum in split["sha256"].items()),
        ("chosen on", split["validation"]),
        ("seed", str(manifest["seed"])),
        ("combination of the domains", manifest["graph"]["combination"]),
        *(("memory estimate", line) for line in manifest["memory_estimate"]),
        ("seconds", "; ".join(f"{name}: {value:.1f}" for name, value in manifest["seconds"].items())),
        ("versions", ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())),
    ]
