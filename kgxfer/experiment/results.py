"""What a run leaves behind: tables, manifest, examples, and the page made of them."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from kgxfer.experiment import page
from kgxfer.experiment.alignment import alignment_map, domain_accuracy, domain_points
from kgxfer.experiment.config import RunConfig
from kgxfer.experiment.decisions import Decisions
from kgxfer.experiment.state import RunState, Trained
from kgxfer.recommender import RankingModel, Recommender
from kgxfer.splits import Split
from loaders.files import disk_errors, new_file
from loaders.fingerprint import digest, file_sha256

REPORTED_VERSIONS = ("torch", "torch-geometric", "lightning", "pandas", "numpy", "scipy")
RECOMMENDED = 10
SHOWN_USERS = 2
SHOWN_HISTORY = 5


def stage_records(trained: Sequence[Trained]) -> list[dict[str, Any]]:
    """One record per model, seed and phase: what it summed, ran and kept, and how separable the domains were then."""
    records = []
    for run in trained:
        for record in run.records:
            notes = dict(record.notes)
            for node in ("users", "items"):
                if record.recommender.vectors[0].users.shape[1] == record.recommender.vectors[1].users.shape[1]:
                    accuracy = domain_accuracy(*domain_points(record.recommender, node, run.seed))
                    notes[f"domain told from {node} embeddings (0.5 is chance)"] = accuracy
            records.append(
                {
                    "model": run.name, "seed": run.seed, "phase": record.phase.name,
                    "losses": list(record.phase.losses), "stages": list(record.phase.stages),
                    "epochs": record.epochs, "kept_epoch": record.kept_epoch, "seconds": record.seconds,
                    "validation": record.validation, "notes": notes,
                }
            )
    return records


def alignment_maps(first: Sequence[Trained], seed: int) -> pd.DataFrame:
    """Maps of each model before and after its alignment phase; where it has none, of the trained model alone."""
    tables = [pd.DataFrame(columns=["model", "moment", "node", "domain", "x", "y"])]
    for run in first:
        by_phase = {record.phase.name: record.recommender for record in run.records}
        moments = {"train": "trained"}
        if "align" in by_phase:
            moments = {"train": "before alignment", "align": "after alignment"}
        tables += [alignment_map(by_phase[phase], text, seed).assign(model=run.name) for phase, text in moments.items()]
    return pd.concat(tables, ignore_index=True)


def examples(split: Split, fitted: Mapping[str, RankingModel], order: Sequence[str]) -> list[dict[str, Any]]:
    """What two test users liked in the other domain, and what the models recommend them, in the order given."""
    domain = split.evaluated_domains[-1]
    other = next(tables for tables in split.dataset.domains if tables.domain != domain)
    liked = split.rows("train", other.domain)
    test_users = split.rows("test", domain)["user_id"].unique()
    counts = liked[liked["user_id"].isin(test_users)]["user_id"].value_counts()
    chosen = counts.sort_index().sort_values(kind="stable", ascending=False).index[:SHOWN_USERS]
    names = _names(other.items)
    shown = []
    for user in chosen:
        rows = liked[liked["user_id"] == user]
        if "rating" in rows:
            rows = rows.sort_values("rating", ascending=False, kind="stable")
        known = rows["item_id"].head(SHOWN_HISTORY)
        history = [{"domain": other.domain, "name": names.get(item, item)} for item in known]
        shown.append(
            {
                "user_id": str(user), "history": history,
                "recommendations": {name: _recommended(fitted[name], str(user), domain) for name in order},
            }
        )
    return shown


def _recommended(model: RankingModel, user: str, domain: str) -> list[dict[str, Any]]:
    code = model.catalogue.domain_code(domain)
    names = _names(model.catalogue.items[code])
    table = model.recommend([user], RECOMMENDED, domain)
    return [
        {"rank": int(rank), "item_id": item, "name": names.get(item, item), "score": float(score)}
        for item, score, rank in zip(table["item_id"], table["score"], table["rank"], strict=True)
    ]


def _names(items: pd.DataFrame) -> dict[str, str]:
    named = items.reindex(columns=["item_id", "name"]).dropna()
    return dict(zip(named["item_id"], named["name"], strict=True))


def manifest(config: RunConfig, state: RunState) -> dict[str, Any]:
    """Versions, data, split, graph, memory and seconds: what it takes to say whether two runs are comparable."""
    split, graph = state.final.split, state.final.graph
    card = split.dataset.target.card
    parts = ("train", "valid", "test")
    return {
        "kgxfer": metadata.version("kgxfer"),
        "versions": {
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in REPORTED_VERSIONS},
        },
        "data": {
            "name": split.dataset.name, "fingerprint": split.dataset.fingerprint, "licence": card.licence,
            "citation": card.citation,
            "files": {one.domain: dict(one.card.sha256) for one in split.dataset.domains},
        },
        "split": {
            "protocol": split.protocol, "validation": split.validation,
            **{name: int(split.tables()[name]["relevant"].sum()) for name in parts},
            "fingerprint": split.fingerprint,
            "sha256": {name: digest({}, {name: table}) for name, table in split.tables().items()},
        },
        "seed": config.seed,
        "graph": {
            "nodes": {kind: vocabulary.size for kind, vocabulary in graph.nodes.items()},
            "edges": {" ".join(kind): len(edges) for kind, edges in graph.edges.items()},
            "combination": graph.combination,
            "links": state.final.links["method"].value_counts().to_dict(),
            "reviewed_links": dict(state.final.review),
        },
        "leakage": [asdict(finding) for finding in state.findings],
        "memory_estimate": state.memory,
        "seconds": state.seconds,
    }


@dataclass(frozen=True, eq=False)
class Outcome:
    """What was measured: figures on test and on validation rows, what they decide, and what bridges are worth."""

    figures: pd.DataFrame
    validation: pd.DataFrame
    decisions: Decisions
    bridges: pd.DataFrame


def write_results(
    folder: Path, config: RunConfig, state: RunState, outcome: Outcome, fitted: Mapping[str, RankingModel]
) -> None:
    """Write all tables, then the manifest with their hashes, then the page, and last report.json.

    Args:
        folder: of the run.
        config, state, outcome: what was run, made and measured.
        fitted: every model of the first seed, in the order of the configuration.
    """
    trained = {run.name: run for run in reversed(state.trained)}
    first = [trained[name] for name in config.models]
    history = [run.history.assign(model=run.name, seed=run.seed) for run in state.trained]
    tables = {
        "figures": outcome.figures, "validation": outcome.validation, "comparisons": outcome.decisions.table,
        "spread": outcome.decisions.spread, "bridge_controls": outcome.bridges,
        "history": pd.concat(history, ignore_index=True) if history else pd.DataFrame(),
        "map": alignment_maps(first, config.seed), "recommendations": _recommendations(fitted),
    }
    texts = {
        "stages": stage_records(state.trained),
        "examples": examples(state.final.split, fitted, list(fitted)), "choices": choices(state, outcome.decisions),
    }
    with disk_errors(folder):
        for name, table in tables.items():
            _write_table(folder / f"{name}.parquet", table)
        for name, value in texts.items():
            _write_json(folder / f"{name}.json", value)
        files = sorted(path for path in folder.rglob("*") if path.is_file() and "checkpoints" not in path.parts)
        hashes = {
            str(path.relative_to(folder)): file_sha256(path)
            for path in files if path.name not in ("manifest.json", "report.json", "report.html")
        }
        facts = {**manifest(config, state), "files": hashes}
        _write_json(folder / "manifest.json", facts)
        page.render(folder)
        shown = ("figures", "validation", "comparisons", "spread", "bridge_controls")
        records = {name: json.loads(tables[name].to_json(orient="records")) for name in shown}
        _write_json(folder / "report.json", {"name": config.name, **records, **texts, "manifest": facts})


def choices(state: RunState, decisions: Decisions) -> dict[str, Any]:
    """What was chosen on validation rows: settings of baselines, weights of blends, and what models are compared with.

    Settings by baseline and domain; weights by blend, seed, domain and member; references by domain, and a note where
    nothing was compared.
    """
    weights: dict[str, dict[str, Any]] = {}
    for (name, seed), of_domain in state.weights.items():
        weights.setdefault(name, {})[str(seed)] = of_domain
    return {
        "settings": state.settings, "weights": weights, "references": decisions.references, "note": decisions.note,
    }


def _recommendations(fitted: Mapping[str, RankingModel]) -> pd.DataFrame:
    """The first ten of every learned model for every user, in the target domain."""
    tables = [
        model.recommend(model.catalogue.user_ids, RECOMMENDED).assign(model=name)
        for name, model in fitted.items() if isinstance(model, Recommender)
    ]
    columns = ["model", "user_id", "item_id", "score", "rank"]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def _write_json(path: Path, value: Any) -> None:
    with new_file(path) as draft:
        draft.write_text(json.dumps(value, ensure_ascii=False, indent=1))


def _write_table(path: Path, table: pd.DataFrame) -> None:
    with new_file(path) as draft:
        table.to_parquet(draft)
