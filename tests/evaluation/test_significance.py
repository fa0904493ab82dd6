from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks.statistics import bounds, measure
from graph_schema import InputError
from kgxfer.baselines import BASELINES
from kgxfer.bridges import propose_links
from kgxfer.evaluation import EvaluationConfig, Report, evaluate
from kgxfer.evaluation.comparison import ComparisonConfig, best_control, compare, compare_scores
from kgxfer.evaluation.significance import (
    EXACT_USERS,
    Target,
    bootstrap_interval,
    differences,
    effect_size,
    holm,
    paired_randomisation,
    pool,
    seed_spread,
)
from kgxfer.graph import build_graph
from kgxfer.splits import Split

FILMS, BOOKS = Target("world", "films"), Target("world", "books")


def by_user(values: list[float] | np.ndarray, prefix: str = "u") -> pd.Series:
    return pd.Series(values, index=[f"{prefix}{place}" for place in range(len(values))], dtype=float)


def zeros(count: int, prefix: str = "u") -> pd.Series:
    return by_user([0.0] * count, prefix)


def enumerated(difference: list[float]) -> float:
    """All sign patterns, written plainly."""
    total = abs(sum(difference))
    sums = [abs(sum(s * d for s, d in zip(signs, difference, strict=True)))
            for signs in product((-1, 1), repeat=len(difference))]
    return sum(value >= total - 1e-9 for value in sums) / len(sums)


# --- randomisation test


def test_five_users_who_all_gain_have_two_patterns_of_thirty_two() -> None:
    assert paired_randomisation(by_user([1, 2, 3, 4, 5]), zeros(5)) == 2 / 32


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=8))
def test_few_users_are_enumerated(values: list[int]) -> None:
    difference = [value / 10 for value in values]
    assert paired_randomisation(by_user(difference), zeros(len(values))) == pytest.approx(enumerated(difference))


def test_equal_scores_never_decide() -> None:
    a = by_user([0.1, 0.2, 0.3])
    assert paired_randomisation(a, a.copy()) == 1
    many = by_user(np.linspace(0, 1, 100))
    assert paired_randomisation(many, many.copy()) == 1


def test_drawn_patterns_agree_with_the_exact_distribution() -> None:
    """Differences of one size: the number of positive signs is Binomial(n, 1/2), with many equal sums."""
    users, better = 40, 26
    difference = by_user([0.1] * better + [-0.1] * (users - better))
    exact = stats.binomtest(better, users).pvalue
    found = paired_randomisation(difference, zeros(users), permutations=100_000)
    assert found == pytest.approx(exact, abs=4 * sqrt(exact * (1 - exact) / 100_000))


def test_p_counts_the_observed_pattern() -> None:
    assert paired_randomisation(by_user([1.0] * 60), zeros(60), permutations=99) == 1 / 100


def test_users_who_do_not_differ_change_nothing() -> None:
    few = by_user([0.3, -0.1, 0.5])
    padded = pd.concat([few, zeros(500, "v")])
    assert paired_randomisation(padded, zeros(500, "v").reindex(padded.index, fill_value=0)) == enumerated(list(few))


def test_users_are_matched_by_id_and_swapped_models_have_the_same_p() -> None:
    generator = np.random.default_rng(0)
    a, b = by_user(generator.random(50)), by_user(generator.random(50))
    shuffled = b.sample(frac=1, random_state=1)
    assert paired_randomisation(a, b) == paired_randomisation(a, shuffled)
    assert paired_randomisation(a, b) == pytest.approx(paired_randomisation(b, a), abs=0.02)
    assert paired_randomisation(a, b, rng=3) == paired_randomisation(a, b, rng=3)


def test_the_result_does_not_depend_on_the_units() -> None:
    generator = np.random.default_rng(0)
    difference = by_user(generator.choice([0, 0, 0.1, -0.1, 0.30000000000000004], 80))
    assert paired_randomisation(difference, zeros(80)) == paired_randomisation(difference * 100, zeros(80))


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (by_user([1, 2]), by_user([1, 2, 3]), "1 users, such as \"u2\", have a score of one model only"),
        (by_user([1, 2]), by_user([1, 2], "v"), "one model only"),
        (by_user([1, np.nan]), by_user([1, 2]), "missing or infinite"),
        (by_user([]), by_user([]), "no user to compare"),
        (pd.Series([1.0, 2.0], index=["u", "u"]), pd.Series([1.0, 2.0], index=["u", "v"]), "occurs twice"),
    ],
)
def test_scores_that_cannot_be_paired(a: pd.Series, b: pd.Series, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        paired_randomisation(a, b)
    assert "\n" not in str(caught.value)


# --- bootstrap, effects, seeds, Holm


def test_bootstrap_of_zeros_and_ones_has_binomial_quantiles() -> None:
    interval = bootstrap_interval([1.0] * 30 + [0.0] * 70, resamples=50_000)
    low, high = stats.binom.ppf([0.025, 0.975], 100, 0.3) / 100
    assert interval.mean == pytest.approx(0.3)
    assert interval.low == pytest.approx(low, abs=0.0101)
    assert interval.high == pytest.approx(high, abs=0.0101)


def test_bootstrap_is_seeded_and_narrower_at_a_lower_level() -> None:
    values = np.random.default_rng(0).random(200)
    wide, narrow = bootstrap_interval(values), bootstrap_interval(values, level=0.5)
    assert wide == bootstrap_interval(values) != bootstrap_interval(values, rng=1)
    assert wide.low < narrow.low < values.mean() < narrow.high < wide.high
    standard_error = values.std() / sqrt(200)
    assert (wide.high - wide.low) / 2 == pytest.approx(1.96 * standard_error, rel=0.05)


def test_effect_sizes_by_hand() -> None:
    effect = effect_size(by_user([0.5, 0.2, 0.0, 0.3]), by_user([0.1, 0.2, 0.1, 0.0]))
    assert effect.mean_difference == pytest.approx(0.15)
    # Differences .4, 0, -.1, .3: squared deviations .0625 + .0225 + .0625 + .0225 over three.
    assert effect.standardised == pytest.approx(0.15 / sqrt(0.17 / 3))
    assert (effect.better, effect.worse, effect.equal) == pytest.approx((0.5, 0.25, 0.25))
    assert effect_size(by_user([1, 1]), by_user([0, 0])).standardised == np.inf
    assert effect_size(by_user([1, 1]), by_user([1, 1])).standardised == 0


def test_seeds_are_averaged_first_and_both_variances_are_shown() -> None:
    table = pd.DataFrame({0: [0.0, 0.4], 1: [0.2, 0.8]}, index=["ann", "bob"])
    spread = seed_spread(table)
    assert (spread.seeds, spread.users) == (2, 2)
    assert spread.mean == pytest.approx(0.35)
    assert spread.between_seeds == pytest.approx((0.5 - 0.2) ** 2 / 2)
    assert spread.between_users == pytest.approx((0.6 - 0.1) ** 2 / 2)
    assert np.isnan(seed_spread(table[0]).between_seeds)
    assert differences(table, pd.Series({"bob": 0.5, "ann": 0.0})).to_dict() == pytest.approx({"ann": 0.1, "bob": 0.1})


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]).tolist() == [1, 1]
    assert holm([]).tolist() == []
    with pytest.raises(InputError, match="outside 0 to 1"):
        holm([1.5])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_keeps_the_order_and_lies_between_raw_and_bonferroni(values: list[float]) -> None:
    corrected = holm(values)
    assert (corrected >= np.array(values)).all()
    assert (corrected <= np.minimum(1, np.array(values) * len(values)) + 1e-12).all()
    assert (np.diff(corrected[np.argsort(values, kind="stable")]) >= 0).all()


# --- pooling


def test_one_target_pooled_is_the_paired_test() -> None:
    difference = by_user([0.3, -0.1, 0.5, 0.2, 0.0])
    pooled = pool({FILMS: difference})
    assert pooled.p == enumerated(list(difference))
    assert pooled.effect == effect_size(difference, zeros(5))
    assert pooled.standard_error == pytest.approx(difference.sem())


def test_targets_weigh_the_same_whatever_their_users() -> None:
    small, large = by_user([0.1] * 2, "a"), by_user([0.3] * 10, "b")
    pooled = pool({FILMS: small, BOOKS: large})
    assert pooled.effect.mean_difference == pytest.approx(0.2)
    assert pooled.users == 12
    assert pooled.p == enumerated([0.1 / 2] * 2 + [0.3 / 10] * 10)


def test_a_person_in_two_domains_is_one_unit_and_namesakes_elsewhere_are_not() -> None:
    one, other = by_user([0.2, 0.1, 0.4]), by_user([0.1, 0.3, 0.2])
    together = pool({FILMS: one, BOOKS: other})
    assert (together.users, together.p) == (3, 2 / 2**3)
    assert together.standard_error == pytest.approx(((one + other) / 2).sem())
    apart = pool({FILMS: one, Target("elsewhere", "books"): other})
    assert (apart.users, apart.p) == (6, 2 / 2**6)


def test_pooled_interval_agrees_with_the_normal_approximation() -> None:
    generator = np.random.default_rng(0)
    pooled = pool({FILMS: by_user(generator.normal(0.1, 1, 300)), BOOKS: by_user(generator.normal(0.1, 2, 500), "v")})
    assert pooled.interval.high - pooled.interval.low == pytest.approx(2 * 1.96 * pooled.standard_error, rel=0.05)
    assert pooled.interval.low < pooled.effect.mean_difference < pooled.interval.high


def test_nothing_to_pool() -> None:
    with pytest.raises(InputError, match="no target"):
        pool({})


# --- comparison


def world(models: dict[str, float], users: int = 200) -> dict[Target, dict[str, pd.Series | pd.DataFrame]]:
    """Scores in two domains; a model's number is its mean gain over noise that all share."""
    generator = np.random.default_rng(0)
    scores: dict[Target, dict[str, pd.Series | pd.DataFrame]] = {}
    for target in (FILMS, BOOKS):
        base = generator.random(users)
        scores[target] = {
            name: by_user(base + gain + 0.05 * generator.standard_normal(users)) for name, gain in models.items()
        }
    return scores


def test_the_table_of_a_comparison() -> None:
    comparison = compare_scores(world({"control": 0, "good": 0.1, "same": 0}), "control")
    table = comparison.table.set_index(["model", "domain"])
    assert list(table.index) == [(m, d) for m in ("good", "same") for d in ("films", "books", "pooled")]
    assert table.loc["good", "decided"].all() and not table.loc["same", "decided"].any()
    assert table.loc[("good", "pooled"), "mean_difference"] == pytest.approx(0.1, abs=0.02)
    assert (table["low"] < table["mean_difference"]).all() and (table["mean_difference"] < table["high"]).all()
    within = table.drop("pooled", level="domain")
    assert within["p_holm"].to_numpy() == pytest.approx(holm(within["p"]))
    assert len(comparison.warnings) == 3
    assert comparison.warnings[0].startswith("same against control, films: cannot be decided with 200 users: the small")
    assert "80% power" in str(comparison)


def test_seeds_of_a_learned_model_against_a_control_fitted_once() -> None:
    scores = world({"control": 0, "learned": 0.1})
    for target, by_model in scores.items():
        first = by_model["learned"]
        scores[target] = {**by_model, "learned": pd.DataFrame({0: first, 1: first + 0.02})}
    comparison = compare_scores(scores, "control", config=ComparisonConfig(draws=500))
    spread = comparison.spread.set_index(["model", "domain"])
    assert spread.loc[("learned", "films"), "seeds"] == 2
    assert spread.loc[("learned", "films"), "between_seeds"] == pytest.approx(0.02**2 / 2)
    assert np.isnan(spread.loc[("control", "films"), "between_seeds"])


class Given(Report):
    """A report whose per-user scores are written down."""

    def scores(self, model: str, domain: str, metric: str, group: str = "", average: str = "per user") -> pd.Series:
        gain = {"control": 0.0, "learned": 0.5}[model]
        assert (metric, group, average) == ("ndcg@10", "all rows", "per user")
        return by_user([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]) + gain


def given_report(models: list[str]) -> Report:
    return Given(pd.DataFrame({"model": models, "domain": "films"}), "protocol", "none")


def test_reports_of_several_data_sets_and_seeds() -> None:
    reports: dict[str, Report | Sequence[Report]] = {
        "one": [given_report(["control", "learned"]), given_report(["learned"])],
        "two": given_report(["control", "learned"]),
    }
    comparison = compare(reports, "control")
    assert comparison.table["domain"].tolist() == ["one, films", "two, films", "pooled"]
    assert comparison.table["p"].tolist() == [2 / 2**6, 2 / 2**6, 2 / 2**12]
    assert comparison.spread["seeds"].tolist() == [1, 1, 2, 1]


def test_a_real_report(board_split: Split) -> None:
    """On the checkerboard every cold-start user gains from neighbourhood; exact test over the few users."""
    graph = build_graph(board_split, propose_links(board_split, ["shared_id"]))
    models = {name: BASELINES[name]().fit(graph, board_split) for name in ("popularity", "item_knn")}
    report = evaluate(models, board_split, EvaluationConfig(k=4))
    line = compare(report, "popularity", metric="recall@4").table.iloc[0]
    users = board_split.test["user_id"].nunique()
    assert (line["model"], line["domain"], line["users"], line["better"]) == ("item_knn", "films", users, 1)
    assert line["p"] == 2 / 2**users
    gain = report.value("item_knn", "recall@4", "films") - report.value("popularity", "recall@4", "films")
    assert line["mean_difference"] == pytest.approx(gain)


def test_comparisons_that_cannot_be_made() -> None:
    with pytest.raises(InputError, match='did you mean "control"'):
        compare_scores(world({"control": 0, "good": 0.1}), "controls")
    with pytest.raises(InputError, match="nothing to compare"):
        compare_scores(world({"control": 0}), "control")


def figures(**columns: object) -> pd.DataFrame:
    table = pd.DataFrame({"model": ["popularity", "item_knn", "item_knn"], "value": [0.2, 0.1, 0.4]})
    where = {"domain": "films", "metric": "ndcg@10", "average": "per user", "group": "all rows"}
    return table.assign(**{**where, **columns})


def test_the_best_control_is_picked_on_validation_by_its_mean_over_seeds() -> None:
    controls = ["popularity", "item_knn"]
    assert best_control(figures(), controls, "films", "ndcg@10") == "item_knn"
    assert best_control(figures(value=0.1), controls, "films", "ndcg@10") == "popularity"
    assert best_control(figures(), ["popularity"], "films", "ndcg@10") == "popularity"
    with pytest.raises(InputError, match="never picked on test"):
        best_control(figures(part=["valid", "valid", "test"]), controls, "films", "ndcg@10")
    with pytest.raises(InputError, match='unknown control with a validation figure ndcg@10 in films "ease"'):
        best_control(figures(), ["ease"], "films", "ndcg@10")


def test_memory_is_bounded_by_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    difference = by_user(np.random.default_rng(0).normal(0.05, 1, EXACT_USERS + 50))
    whole = paired_randomisation(difference, zeros(EXACT_USERS + 50))
    monkeypatch.setattr("kgxfer.evaluation.significance.MEMORY_CELLS", 100)
    assert paired_randomisation(difference, zeros(EXACT_USERS + 50)) == pytest.approx(whole, abs=0.03)
    assert bootstrap_interval(difference, resamples=50).low < difference.mean()


@pytest.mark.slow
def test_calibration() -> None:
    """Rates of rejection and coverage lie where 200 cases put them when level and power are as computed."""
    found = measure(200)
    assert len(found) == 8
    for claim, values in found.items():
        assert values["low"] <= values["found"] <= values["high"], claim
    assert bounds(0.05, 1000) == pytest.approx((0.031, 0.072))
