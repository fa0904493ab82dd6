"""What a run decides: references from validation, blends, standard controls and bridge controls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer.evaluation import Report
from kgxfer.evaluation.significance import paired_randomisation
from kgxfer.experiment import RunConfig, checked_config, run
from kgxfer.experiment.decisions import NO_CONTROL, NO_VALIDATION, decide
from tests.experiment.small_run import content

TRAINING = {"epochs": 1, "steps_per_epoch": 2, "supervision_settings": {"negatives": 8, "rows_per_domain": 64}}
WORLD = {
    "seed": 1, "source_users": 60, "source_items": 60, "source_interactions": 300, "target_users": 40,
    "target_items": 40, "target_interactions": 200, "topics": 4,
}  # fmt: skip
VALUES: dict[str, Any] = {
    "name": "decided", "seed": 3, "data": {"name": "case-study", "options": WORLD}, "evaluation": {"k": 5},
    "split": {"refit": True},
    "models": {"one": {"dim": 4, "seeds": 2, "training": TRAINING}, "mf": {"encoder": "mf", "training": TRAINING}},
    "blends": {"controls": {}, "mixed": {"members": ["one", "popularity"]}}, "bridge_controls": {"enabled": True},
}  # fmt: skip


@pytest.fixture(scope="module")
def config() -> RunConfig:
    return checked_config(VALUES)


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def folder(config: RunConfig, said: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs") / "decided"
    run(config, place, progress=False, say=said.append)
    return place


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(folder / f"{name}.parquet")


def test_a_run_without_baselines_gets_the_standard_controls(folder: Path, config: RunConfig) -> None:
    assert list(config.baselines) == ["popularity", "item_knn", "personalised_pagerank"]
    assert set(config.baselines) < set(table(folder, "figures")["model"])
    assert not checked_config(VALUES | {"controls": {"default": False}, "blends": {}}).baselines
    assert list(checked_config(VALUES | {"baselines": {"ease": {}}, "blends": {}}).baselines) == ["ease"]
    assert checked_config(json.loads(config.model_dump_json())) == config


def test_methods_and_controls(config: RunConfig) -> None:
    assert config.methods == ["one", "mixed"]
    assert config.control_names == ["popularity", "item_knn", "personalised_pagerank", "mf", "controls"]
    assert config.members_of("controls") == ["popularity", "item_knn", "personalised_pagerank", "mf"]


def test_validation_figures_are_those_of_what_was_chosen_before_the_refit(folder: Path, config: RunConfig) -> None:
    validation = table(folder, "validation")
    assert validation.groupby("model")["seed"].unique().map(sorted).to_dict() == {
        "one": [3, 4], "mf": [3], "popularity": [3], "item_knn": [3], "personalised_pagerank": [3], "controls": [3],
        "mixed": [3, 4],
    }  # fmt: skip
    plain = folder.parent / "plain"
    run(config.model_copy(update={"split": config.split.model_copy(update={"refit": False})}), plain, progress=False,
        say=lambda line: None)  # fmt: skip
    pd.testing.assert_frame_equal(validation, table(plain, "validation"), check_exact=True)
    figures = [table(place, "figures").set_index(["model", "metric"])["value"] for place in (folder, plain)]
    for model in ("one", "item_knn", "controls", "mixed"):
        assert not np.allclose(*(values[model].to_numpy() for values in figures)), model


def test_the_reference_is_the_best_control_on_validation(folder: Path, config: RunConfig) -> None:
    figures = table(folder, "validation").query("metric == 'ndcg@5'")
    means = figures.groupby("model")["value"].mean()[config.control_names]
    assert content(folder / "choices.json")["references"] == {"online-education": means.idxmax()}
    assert set(table(folder, "comparisons")["reference"]) == {means.idxmax()}


def test_comparisons_agree_with_the_figures(folder: Path) -> None:
    compared = table(folder, "comparisons")
    figures = table(folder, "figures").query("metric == 'ndcg@5' and group == 'all rows'")
    means = figures.groupby("model")["value"].mean()
    assert list(compared["model"]) == ["one", "mixed"] and set(compared["group"]) == {"all rows"}
    for line in compared.itertuples():
        assert line.mean_difference == pytest.approx(means[line.model] - means[line.reference])
        assert line.low <= line.mean_difference <= line.high and line.p <= line.p_holm <= 1
        assert line.decided == (line.p_holm < 0.05) and line.smallest > 0
    spread = table(folder, "spread").set_index("model")
    assert spread.loc["one", "seeds"] == 2 and spread.loc["one", "between_seeds"] >= 0
    assert {"one", "mixed", compared["reference"].iloc[0]} <= set(spread.index)


def test_a_blend_has_the_seeds_and_weights_of_its_members(folder: Path) -> None:
    weights = content(folder / "choices.json")["weights"]
    assert set(weights["mixed"]) == {"3", "4"} and set(weights["controls"]) == {"3"}
    for by_seed in weights.values():
        for by_domain in by_seed.values():
            assert all(sum(members.values()) == pytest.approx(1) for members in by_domain.values())


def test_settings_that_were_chosen_are_kept(folder: Path) -> None:
    settings = content(folder / "choices.json")["settings"]
    assert set(settings["item_knn"]["online-education"]) == {"beta"} and settings["popularity"]["e-commerce"] == {}


def test_bridges_are_set_against_shuffled_and_missing_links(folder: Path) -> None:
    bridges = table(folder, "bridge_controls")
    assert list(zip(bridges["bridge"], bridges["links"], strict=True)) == [
        ("", "true"), *((name, links) for name in ("shared_id", "shared_entity") for links in ("shuffled", "left out")),
    ]  # fmt: skip
    value = bridges.set_index(["bridge", "links"])["value"]
    figures = table(folder, "figures").query("model == 'personalised_pagerank' and metric == 'ndcg@5'")
    assert value["", "true"] == pytest.approx(figures["value"].item())
    # Cold-start users are known by their shared id alone; PageRank reads no facts unless told to.
    assert value["shared_id", "left out"] < value["", "true"] and value["shared_id", "shuffled"] < value["", "true"]
    assert value["shared_entity", "left out"] == value["", "true"]
    differences = bridges["mean_difference"].iloc[1:] - (bridges["value"].iloc[1:] - value["", "true"])
    assert np.allclose(differences, 0) and np.isnan(bridges["mean_difference"].iloc[0])


@pytest.mark.slow
def test_a_learned_model_serves_for_bridge_controls(config: RunConfig, tmp_path: Path) -> None:
    chosen = config.bridge_controls.model_copy(update={"model": "one"})
    split = config.split.model_copy(update={"refit": False})
    changes = {"bridge_controls": chosen, "blends": {}, "split": split}
    run(config.model_copy(update=changes), tmp_path / "run", progress=False, say=lambda line: None)
    bridges = table(tmp_path / "run", "bridge_controls")
    figures = table(tmp_path / "run", "figures").query("model == 'one' and metric == 'ndcg@5' and seed == 3")
    assert bridges["value"].iloc[0] == pytest.approx(figures["value"].item()) and len(bridges) == 5


def test_the_verdict_is_told(folder: Path, said: list[str]) -> None:
    told = [line for line in said if line.startswith("In online-education, all rows")]
    assert len(told) == 1 and "decided (95 % interval" in told[0]
    page = (folder / "report.html").read_text()
    assert told[0].split("(95")[0] in page


def report(scores: dict[tuple[str, str], list[float]]) -> Report:
    """Placements of one positive per user among a hundred: the score is the reciprocal rank."""
    rows: dict[str, dict[str, pd.DataFrame]] = {}
    for (model, domain), values in scores.items():
        above = np.round(1 / np.array(values)).astype(int) - 1
        users = [f"u{number}" for number in range(len(values))]
        counts = {"above": above, "tied": 1, "candidates": 100, "positives_above": 0, "positives_tied": 0}
        placed = pd.DataFrame({"user_id": users, "item_id": users, **counts, "positives_other": 0})
        rows.setdefault(model, {})[domain] = placed
    figures = pd.DataFrame([(m, d, "all rows") for m, d in scores], columns=["model", "domain", "group"])
    return Report(figures, "by hand", "pseudo-cold users", rows)


def two_domains() -> tuple[RunConfig, Report, pd.DataFrame]:
    """The best control on validation is another one in each domain, and not the best on test."""
    levels = {"one": 1, "popularity": 2, "item_knn": 3}
    generator = np.random.default_rng(0)
    scores = {
        (model, domain): list(1 / generator.integers(level, level + 3, 40))
        for model, level in levels.items()
        for domain in ("books", "films")
    }
    best = {"books": "popularity", "films": "item_knn"}
    lines = [(model, domain, float(best[domain] == model)) for model, domain in scores]
    validation = pd.DataFrame(lines, columns=["model", "domain", "value"])
    validation = validation.assign(group="all rows", average="per user", metric="ndcg@10", seed=0)
    values = {"statistics": {"metric": "mrr@10"}, "baselines": {"popularity": {}, "item_knn": {}}}
    models = {"models": {"one": {}}, "name": "two", "data": {"name": "case-study"}}
    return checked_config(values | models), report(scores), validation


def test_each_domain_has_its_own_best_control_and_domains_are_pooled() -> None:
    config, of_test, validation = two_domains()
    decisions = decide(config, [of_test], validation)
    found = decisions.table.set_index("domain")
    assert decisions.references == {"books": "popularity", "films": "item_knn"}
    assert found["reference"].to_dict() == {**decisions.references, "pooled": "popularity, item_knn"}
    for domain, control in decisions.references.items():
        ours, theirs = (of_test.scores(model, domain, "mrr@10") for model in ("one", control))
        assert found.loc[domain, "mean_difference"] == pytest.approx((ours - theirs).mean())
        assert found.loc[domain, "p"] == pytest.approx(paired_randomisation(ours, theirs))
    means = found["mean_difference"]
    assert means["pooled"] == pytest.approx((means["books"] + means["films"]) / 2)
    # Where the pooled standard error is smaller, smaller differences show.
    assert found.loc["pooled", "smallest"] < found["smallest"].drop("pooled").max()


def test_a_domain_without_validation_rows_takes_the_other_ones_control() -> None:
    config, of_test, validation = two_domains()
    decisions = decide(config, [of_test], validation[validation["domain"] == "books"])
    assert decisions.references == {"books": "popularity", "films": "popularity"}


def test_a_reference_can_be_named_and_statistics_turned_off() -> None:
    config, of_test, _ = two_domains()
    nothing = pd.DataFrame()

    def settings(**changes: Any) -> RunConfig:
        return config.model_copy(update={"statistics": config.statistics.model_copy(update=changes)})

    named = decide(settings(reference="item_knn"), [of_test], nothing)
    assert set(named.references.values()) == {"item_knn"} and not named.note
    assert decide(config, [of_test], nothing).note == NO_VALIDATION
    assert decide(settings(enabled=False), [of_test], nothing).table.empty
    alone = config.model_copy(update={"baselines": {}})
    assert decide(alone, [of_test], nothing).note == NO_CONTROL


def test_controls_alone_are_compared_with_the_best_of_them() -> None:
    config, of_test, validation = two_domains()
    decisions = decide(config.model_copy(update={"models": {}}), [of_test], validation)
    lines = list(zip(decisions.table["model"], decisions.table["domain"], strict=True))
    assert lines == [
        ("popularity", "films"), ("popularity", "pooled"), ("item_knn", "books"), ("item_knn", "pooled"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"blends": {"mixed": {"members": ["on"]}}}, 'unknown member in .*, blend mixed, "on"; did you mean "one"'),
        ({"blends": {"mixed": {"members": []}}}, "blend mixed: it has no members"),
        ({"blends": {"one": {}}}, '"one" is the name of a model and of a blend; rename one'),
        ({"baselines": {"best control": {"kind": "ease"}}}, '"best control" is the name of the best of all controls'),
        ({"statistics": {"reference": "populrity"}}, 'unknown reference .* "populrity"; did you mean "popularity"'),
        ({"statistics": {"metric": "ndcg@50"}}, 'unknown metric .* "ndcg@50"; did you mean "ndcg@5"'),
        ({"statistics": {"metric": "sampled_hr@5"}}, 'unknown metric .* "sampled_hr@5"'),
        ({"statistics": {"alpha": 0.6}}, r"key statistics.alpha: input should be less than 0.5"),
        ({"bridge_controls": {"enabled": True, "model": "item_kn"}}, 'unknown model .* did you mean "item_knn"'),
    ],
)
def test_a_mistake_is_named_before_anything_is_loaded(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        checked_config(VALUES | changes)
