"""The report of a run as one HTML page that needs no other file: read from the run's folder, written beside it.

The page states what was measured before it says who won: averages name their denominator, a control that wins is called
the winner, and a difference that the users at hand do not decide is called undecided.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from kgxfer.evaluation import ALL_ROWS, WITHOUT_TWINS
from kgxfer.experiment import plots
from kgxfer.experiment.metric_words import METRICS, base_of, label
from kgxfer.experiment.page_files import SHARED, filled
from kgxfer.experiment.page_statistics import bridge_table, choice_table, comparison_tables, spread_tables, verdicts
from kgxfer.experiment.page_tables import Cell, Table, by_phase, graph_tables, mean_of, result_tables, stage_tables
from kgxfer.experiment.run_folder import RunFolder, over_seeds
from loaders.files import new_file

__all__ = ["CHOSEN_ON", "PAGE", "RunFolder", "over_seeds", "render"]

PAGE = "report.html"
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


def render(folder: Path) -> Path:
    """Write the page of a run from the other files of its folder, and return its path.

    Raises:
        InputError: a file of the run is absent or damaged, or the disk is full.
    """
    run = RunFolder.read(folder)
    figures = over_seeds(run.figures)
    text = filled(
        SHARED / "page.html.jinja",
        name=run.config["name"],
        version=run.manifest["kgxfer"],
        summary=[_tested(run), *verdicts(run)],
        leakage=[_leak(finding) for finding in run.manifest["leakage"]],
        chosen_on=CHOSEN_ON[run.manifest["split"]["validation"]],
        definitions=[(label(metric), METRICS[base_of(metric)].what) for metric in figures["metric"].unique()],
        results=result_tables(figures, run.methods, run.settings.evaluation.sampled_negatives),
        comparisons=comparison_tables(run),
        undecided=run.choices["note"],
        spread=spread_tables(run),
        bridges=bridge_table(run),
        choices=choice_table(run, list(figures["domain"].unique())),
        bars=_bars(run, figures),
        curves=[plots.training_curves(model, rows, run.stages) for model, rows in _by_model(run.history)],
        stages=stage_tables(run.stages),
        steps=_steps(run.stages),
        maps=[plots.embedding_map(model, points) for model, points in _by_model(run.map)],
        examples=[_example(example) for example in run.examples],
        graph=graph_tables(run.manifest),
        manifest=_manifest(run.manifest),
        files=sorted(run.manifest["files"].items()),
        config=json.dumps(run.config, indent=2, ensure_ascii=False),
    )
    with new_file(folder / PAGE) as draft:
        draft.write_text(text, encoding="utf-8")
    return folder / PAGE


def _tested(run: RunFolder) -> str:
    split, data = run.manifest["split"], run.manifest["data"]
    return (
        f"Models learned from {split['train']:,} interactions of the data set {data['name']} and were tested on "
        f"{split['test']:,} held-out ones; protocol: {split['protocol']}."
    )


def _bars(run: RunFolder, figures: pd.DataFrame) -> plots.Picture | None:
    panels = []
    full = figures[(figures["ranking"] == "full") & figures["group"].isin([ALL_ROWS, WITHOUT_TWINS])]
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


def _by_model(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Divide by model; nothing where no model was trained, and so no column is there."""
    if table.empty:
        return []
    return [(str(model), rows) for model, rows in table.groupby("model", sort=False)]


def _steps(stages: list[dict[str, Any]]) -> plots.Picture | None:
    rows = []
    for (model, phase), records in by_phase(stages).items():
        for metric in list(records[0]["validation"])[:1]:
            values = 100 * mean_of([record["validation"] for record in records], metric)
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
