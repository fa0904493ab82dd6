"""The page of a run: its words and figures agree with the folder it is made from, and it needs nothing else."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest

from graph_schema.errors import InputError
from kgxfer.experiment import page
from kgxfer.experiment.page_statistics import verdicts
from kgxfer.splits import ValidationKind

NASTY = '<script>alert("1")</script> & Co'
MODELS = {"kgxfer": 0.44, "bpr_mf": 0.41, "personalised_pagerank": 0.42, "popularity": 0.33}
SPREAD = {0: -0.004, 1: 0.0, 2: 0.004}
FULL = ("ndcg@10", "recall@10", "precision@10", "hr@10", "mrr@10")
SAMPLED = ("sampled_hr@10", "sampled_ndcg@10", "sampled_mrr")


def figure_rows(models: dict[str, float], groups: tuple[str, ...] = ("all rows", "rows without twins")) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    for model, level in models.items():
        for seed in SPREAD if model in ("kgxfer", "bpr_mf") else (0,):
            value = level + (SPREAD[seed] if model in ("kgxfer", "bpr_mf") else 0)
            for number, group in enumerate(groups):
                key, lower = (model, seed, "suspense", group), value - 0.02 * number
                rows += [(*key, "full", "per user", metric, lower, 134) for metric in FULL]
                rows += [(*key, "full", "all users", "coverage@10", level / 3, 134)]
                for average, count in (("per row", 2870), ("per user", 134)):
                    rows += [(*key, "sampled", average, metric, lower + 0.1, count) for metric in SAMPLED]
            rows += [(model, seed, "suspense", "all rows", "ratings", "per row", "rmse", 1.4 - value, 3100)]
    columns = ["model", "seed", "domain", "group", "ranking", "average", "metric", "value", "count"]
    return pd.DataFrame(rows, columns=columns)


def history_rows() -> pd.DataFrame:
    rows = []
    for seed in SPREAD:
        for phase, epochs in (("train", 12), ("align", 5), ("distil", 4)):
            for epoch in range(1, epochs + 1):
                losses = {"loss": 5 + seed / 10, "adversarial": 0.7} if phase == "align" else {"loss": 6.0}
                rows += [("kgxfer", seed, phase, epoch, name, top / epoch**0.3) for name, top in losses.items()]
                rows += [("kgxfer", seed, phase, epoch, "ndcg@10", 0.42 - 0.1 / epoch + seed / 100)]
    return pd.DataFrame(rows, columns=["model", "seed", "phase", "epoch", "name", "value"])


def map_rows() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    tables = []
    for moment, gap in (("before alignment", 3.0), ("after alignment", 0.5)):
        for node in ("users", "items"):
            for number, domain in enumerate(("drama-comedy", "suspense")):
                place = generator.normal(size=(400, 2)) + gap * number
                key = {"model": "kgxfer", "moment": moment, "node": node, "domain": domain}
                tables.append(pd.DataFrame({**key, "x": place[:, 0], "y": place[:, 1]}))
    return pd.concat(tables, ignore_index=True)


def stage_records() -> list[dict[str, Any]]:
    notes = {
        "train": {"gate HAS_GENRE": 0.31, "fusion, relative change of user embeddings": 0.05},
        "align": {"discriminator accuracy, users": 0.56},
        "distil": {"student dim": 16.0},
    }
    losses = {"train": ["recommendation"], "align": ["recommendation", "adversarial"], "distil": ["distillation"]}
    return [
        {
            "model": "kgxfer", "seed": seed, "phase": phase, "losses": losses[phase], "epochs": 12, "kept_epoch": 4,
            "seconds": 10.5, "validation": {"ndcg@10": 0.41 + place / 100 + seed / 1000}, "notes": notes[phase],
        }
        for seed in SPREAD
        for place, phase in enumerate(losses)
    ]  # fmt: skip


def comparison_rows(difference: float = 0.02, decided: bool = True, **changed: Any) -> pd.DataFrame:
    """kgxfer against the best control, in both groups; without twins the difference is never decided."""
    line = {
        "metric": "ndcg@10", "model": "kgxfer", "reference": "personalised_pagerank", "domain": "suspense",
        "mean_difference": difference, "low": difference - 0.012, "high": difference + 0.012, "p": 0.001,
        "p_holm": 0.002 if decided else 0.4, "d_z": 0.3, "better": 0.4, "worse": 0.25, "users": 134,
        "decided": decided, "smallest": 0.017, **changed,
    }  # fmt: skip
    return pd.DataFrame([line | {"group": "all rows"}, line | {"group": "rows without twins", "decided": False}])


def spread_rows() -> pd.DataFrame:
    rows = [("kgxfer", 0.44, 0.004**2, 0.2**2, 3), ("personalised_pagerank", 0.42, math.nan, 0.25**2, 1)]
    table = pd.DataFrame(rows, columns=["model", "mean", "between_seeds", "between_users", "seeds"])
    return table.assign(group="all rows", domain="suspense", users=100)


def validation_rows() -> pd.DataFrame:
    figures = figure_rows({"kgxfer": 0.5, "personalised_pagerank": 0.47, "popularity": 0.4}, ("all rows",))
    return figures[figures["average"] == "per row"]


def bridge_rows() -> pd.DataFrame:
    nothing = {"mean_difference": math.nan, "low": math.nan, "high": math.nan, "p": math.nan, "p_holm": math.nan}
    true = {"bridge": "", "links": "true", "value": 0.42, **nothing, "decided": None}
    found = {"mean_difference": -0.1, "low": -0.12, "high": -0.08, "p": 0.001, "p_holm": 0.004, "decided": True}
    lines = [true, {"bridge": "shared_id", "links": "shuffled", "value": 0.32, **found}]
    table = pd.DataFrame(lines).assign(model="item_knn", domain="suspense", metric="ndcg@10")
    return table.assign(decided=table["decided"].astype("boolean"))


def choices() -> dict[str, Any]:
    return {
        "settings": {"personalised_pagerank": {"suspense": {"restart": 0.3, "beta": 0.25}}, "popularity": {}},
        "weights": {}, "references": {"suspense": "personalised_pagerank"}, "note": "",
    }  # fmt: skip


def example() -> dict[str, Any]:
    liked = [{"domain": "drama-comedy", "name": f"Film {number} (1990)"} for number in range(20)]
    lists = {
        model: [
            {"rank": rank, "item_id": str(rank), "name": name, "score": 9.5 - rank}
            for rank, name in enumerate([NASTY, *(f"Heat {number} (1995)" for number in range(9))], start=1)
        ]
        for model in MODELS
    }
    return {"user_id": "u42", "history": liked, "recommendations": lists}


def manifest() -> dict[str, Any]:
    return {
        "kgxfer": "0.1.0",
        "versions": {"python": "3.11.7", "torch": "2.13.0"},
        "data": {"name": "movielens-genres", "fingerprint": "ab" * 32, "licence": "research", "citation": "Harper"},
        "split": {
            "protocol": "cold-start users (20% of the overlapping users, seed 0)", "validation": "pseudo-cold users",
            "fingerprint": "cc" * 32, "train": 89_000, "valid": 3_500, "test": 7_100,
            "sha256": {"train": "cd" * 32, "valid": "ce" * 32, "test": "cf" * 32},
        },
        "seed": 0,
        "graph": {
            "nodes": {"User": 671, "Movie": 9066, "Genre": 19}, "edges": {"User RATED Movie": 52_000},
            "combination": "same_as_edges", "links": {"shared_id": 670},
        },
        "leakage": [
            {
                "kind": "choosing on the test users", "severity": "warning", "where": "valid", "count": 3,
                "message": "3 of 4 test users have validation rows",
            }
        ],
        "memory_estimate": ["TransferModel(relational): 591,234 parameters, about 210 MB of memory beside the data"],
        "seconds": {"load": 1.0, "graph": 0.2, "kgxfer, seed 0": 30.0, "evaluate": 2.0, "total": 35.0},
        "files": {"figures.parquet": "ef" * 32},
    }  # fmt: skip


def config() -> dict[str, Any]:
    return {
        "name": "movielens-genres", "seed": 0, "data": {"name": "movielens-genres"}, "split": {}, "graph": {},
        "evaluation": {"k": 10, "sampled_negatives": 999}, "statistics": {"metric": "ndcg@10"},
        "models": {
            "kgxfer": {"encoder": "relational", "stages": ["adversarial"], "combine": None, "links": "true"},
            "bpr_mf": {"encoder": "mf", "stages": [], "combine": None, "links": "true"},
        },
        "baselines": {"personalised_pagerank": {}, "popularity": {}},
    }  # fmt: skip


def write_run(folder: Path, **changed: Any) -> Path:
    """Write the files of a run as they are described for `page.render`, some of them changed."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {
        "config": config(), "manifest": manifest(), "choices": choices(), "stages": stage_records(),
        "examples": [example()],
    }  # fmt: skip
    tables = {
        "figures": figure_rows(MODELS), "validation": validation_rows(), "comparisons": comparison_rows(),
        "spread": spread_rows(), "bridge_controls": bridge_rows().iloc[:0], "history": history_rows(),
        "map": map_rows(),
    }  # fmt: skip
    for name, value in values.items():
        (folder / f"{name}.json").write_text(json.dumps(changed.get(name, value)))
    for name, table in tables.items():
        changed.get(name, table).to_parquet(folder / f"{name}.parquet")
    return folder


class Reader(HTMLParser):
    """Collects what a browser would load, the tags that were opened and not closed, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = self.source = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]
        if tag not in ("meta", "img", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(path: Path) -> Reader:
    reader = Reader()
    reader.source = path.read_text(encoding="utf-8")
    reader.feed(reader.source)
    reader.text = re.sub(r"\s+", " ", reader.text)
    return reader


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return read(page.render(write_run(tmp_path_factory.mktemp("run"))))


def test_is_whole_and_needs_no_other_file(rendered: Reader) -> None:
    assert rendered.open == []
    assert all(address.startswith(("#", "data:image/svg+xml;base64,")) for address in rendered.addresses)
    assert not {"script", "link", "iframe", "object"} & set(rendered.tags)


def test_every_section_has_its_picture(rendered: Reader) -> None:
    assert rendered.tags.count("img") == 4  # bars, steps, curves, map
    assert {"#results", "#decisions", "#choices", "#training", "#map", "#examples", "#graph", "#manifest"} <= {
        *rendered.addresses
    }


def test_names_are_escaped(rendered: Reader) -> None:
    assert NASTY in rendered.text


def test_shows_mean_and_deviation_over_seeds(rendered: Reader) -> None:
    assert "44.00± 0.40" in rendered.text
    assert "kgxfer 44.00 (mean of 3 seeds, s.d. 0.40) is 2.00 points above personalised_pagerank 42.00" in rendered.text


def test_says_on_whom_and_how_it_was_chosen(rendered: Reader) -> None:
    assert "89,000 interactions" in rendered.text
    assert "134 test users" in rendered.text
    assert "chosen on pseudo-cold users" in rendered.text


def test_every_kind_of_validation_has_words() -> None:
    assert set(page.CHOSEN_ON) == set(get_args(ValidationKind))


def test_what_the_leak_checks_warn_of_stands_on_the_page(tmp_path: Path, rendered: Reader) -> None:
    words = "Choosing on the test users (valid): 3 of 4 test users have validation rows."
    assert words in rendered.text
    clean = read(page.render(write_run(tmp_path, manifest=manifest() | {"leakage": []})))
    assert words not in clean.text and "leak checks" not in clean.text


def test_groups_are_apart(rendered: Reader) -> None:
    assert "rows without twins, full ranking" in rendered.text
    assert "kgxfer 42.00" in rendered.text  # the sentence about rows without twins


def test_best_is_bold_and_errors_are_better_when_small(rendered: Reader) -> None:
    best = set(re.findall(r'class="number best"[^>]*>([\d.]+)', rendered.source))
    assert "44.00" in best and "41.00" not in best
    assert "0.960" in best and "1.070" not in best


def test_the_same_run_gives_the_same_page(tmp_path: Path, rendered: Reader) -> None:
    assert page.render(write_run(tmp_path)).read_text() == rendered.source


def test_a_run_without_comparison_says_why(tmp_path: Path) -> None:
    only = {name: MODELS[name] for name in ("personalised_pagerank", "popularity")}
    folder = write_run(
        tmp_path, config=config() | {"models": {}}, stages=[], examples=[], figures=figure_rows(only),
        history=pd.DataFrame(), map=map_rows().iloc[:0], comparisons=comparison_rows().iloc[:0],
        spread=spread_rows().iloc[:0], choices=choices() | {"note": "There were no validation rows."},
    )  # fmt: skip
    reader = read(page.render(folder))
    assert "personalised_pagerank 42.00 has the highest figure. The run has no trained model" in reader.text
    assert "What can be decided There were no validation rows." in reader.text
    assert reader.tags.count("img") == 1


def test_every_comparison_has_its_line(rendered: Reader) -> None:
    line = "kgxferagainst personalised_pagerank suspense +2.00+0.80 to +3.20 0.00200.0010 0.30 40 % 25 % 134 1.70 "
    assert f"{line}yes" in rendered.text
    assert f"{line}no" in rendered.text


def test_both_variances_stand_on_the_page(rendered: Reader) -> None:
    assert "kgxfer suspense 44.00 3 0.40 100 20.00 2.00" in rendered.text
    assert "personalised_pagerank suspense 42.00 1 - 100 25.00 2.50" in rendered.text


def test_what_was_chosen_stands_beside_its_validation_figure(tmp_path: Path) -> None:
    reader = read(page.render(write_run(tmp_path)))
    # Sampled ranking is chosen by NDCG per row, which `figure_rows` puts 10 points above.
    assert "personalised_pagerank 57.00 restart 0.3, beta 0.25" in reader.text
    assert "kgxfer 60.00± 0.40" in reader.text


def test_bridges_beside_their_shuffled_links(tmp_path: Path, rendered: Reader) -> None:
    reader = read(page.render(write_run(tmp_path, bridge_controls=bridge_rows())))
    assert "all true suspense 42.00" in reader.text
    assert "shared_id shuffled suspense 32.00 -10.00 -12.00 to -8.00 0.0040 yes" in reader.text
    assert "What each bridge is worth" not in rendered.text


def test_accuracy_lists_and_groups_stand_in_tables_of_their_own(tmp_path: Path, rendered: Reader) -> None:
    assert "all rows, beyond hits" in rendered.text and "all rows, ratings" in rendered.text
    grouped = figure_rows(MODELS, ("head items", "tail items")).query("metric != 'rmse'")
    figures = pd.concat([figure_rows(MODELS), grouped])
    reader = read(page.render(write_run(tmp_path, figures=figures)))
    groups = ("all rows", "rows without twins", "head items", "tail items")
    assert f"NDCG@10 by group model {' '.join(f'{group}134 users' for group in groups)}" in reader.text
    assert "personalised_pagerank 42.00 40.00 42.00 40.00" in reader.text
    assert "tail items, full ranking" not in reader.text and "In suspense, tail items" not in reader.text


@pytest.mark.parametrize(("missing", "kept"), [("map.parquet", "config.json"), ("manifest.json", "figures.parquet")])
def test_an_unfinished_run_is_named(tmp_path: Path, missing: str, kept: str) -> None:
    (write_run(tmp_path) / missing).unlink()
    with pytest.raises(InputError, match=f"{missing} is not there"):
        page.render(tmp_path)
    assert (tmp_path / kept).is_file() and not (tmp_path / page.PAGE).exists()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (write_run(tmp_path) / "stages.json").write_text('[{"model": ')
    with pytest.raises(InputError, match=r"stages\.json.*is damaged"):
        page.render(tmp_path)


@pytest.mark.parametrize(("key", "value"), [("combine", "disjoint"), ("links", "shuffled")])
def test_a_model_on_a_changed_graph_is_a_control(tmp_path: Path, key: str, value: str) -> None:
    changed = config()
    changed["models"]["shuffled"] = {**changed["models"]["kgxfer"], key: value}
    assert page.RunFolder.read(write_run(tmp_path, config=changed)).methods == ["kgxfer"]


def spoken(tmp_path: Path, means: dict[str, float], **compared: Any) -> str:
    """The sentence about all rows, of figures and a comparison."""
    table = comparison_rows(**compared) if compared else comparison_rows().iloc[:0]
    return verdicts(page.RunFolder.read(write_run(tmp_path, figures=figure_rows(means), comparisons=table)))[0]


CLOSE = {"kgxfer": 0.44, "personalised_pagerank": 0.42, "popularity": 0.3}


@pytest.mark.parametrize(
    ("means", "compared", "words"),
    [
        (CLOSE, {"difference": 0.02}, "the best control on validation: decided (95 % interval +0.80 to +3.20, p 0.002"),
        (CLOSE, {"difference": 0.02, "decided": False}, "not decided (95 % interval +0.80 to +3.20, p 0.400 by Holm)."),
        (CLOSE, {"difference": 0.01, "decided": False}, "134 users cannot decide it: they show differences of 1.70"),
        (CLOSE, {"difference": -0.02}, "a control wins: kgxfer 44.00 (mean of 3 seeds, s.d. 0.40) is 2.00 points"),
        (CLOSE, {"difference": 0.003}, "It lies within the spread over seeds, though."),
        (CLOSE | {"popularity": 0.45}, {"difference": 0.02}, "On the test rows popularity, another control, turned"),
        (CLOSE, {"users": 1, "decided": False, "smallest": math.nan}, "A comparison needs at least two users."),
        ({"kgxfer": 0.44}, {}, "has the highest figure. The run has no control to compare it with."),
    ],
)
def test_the_verdict_is_honest(tmp_path: Path, means: dict[str, float], compared: dict[str, Any], words: str) -> None:
    assert words in spoken(tmp_path, means, **compared)


def test_over_several_domains_there_is_a_last_sentence(tmp_path: Path) -> None:
    pooled = comparison_rows(domain="pooled", reference="item_knn, popularity").iloc[:1]
    run = page.RunFolder.read(write_run(tmp_path, comparisons=pd.concat([comparison_rows(), pooled])))
    assert verdicts(run)[-1].startswith("Over all domains, all rows, kgxfer is 2.00 points above item_knn, popularity:")
