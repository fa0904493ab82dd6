from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import log2
from typing import Any

import numpy as np
import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer.bridges import twin_pairs
from kgxfer.evaluation import ALL_ROWS, WITHOUT_TWINS, EvaluationConfig, Report, evaluate, ranking
from kgxfer.evaluation.sampled import sampled_ranks
from kgxfer.splits import ColdStartUsers, FixedFiles, Split
from tests.evaluation.scored import Score, Scored, of_rows, twin_world
from tests.worlds import checkerboard, domain_of, pair_of, split_of

METRICS = ["ndcg", "recall", "precision", "hr", "mrr"]

SOURCE = {"ann": "b1", "bob": "b1 b2", "cem": "b2"}
TARGET = {"ann": "f1", "bob": "f1 f2 f3", "cem": "f4 f5", "dee": "f5 f6 f7 f8"}
TEST = {"films": {"ann": "f1", "bob": "f1 f2 f3"}}


@pytest.fixture
def split() -> Split:
    """ann (one row) and bob (three rows) are cold in films, which has the items f1 to f8."""
    return split_of(SOURCE, TARGET, TEST)


def figure(score: Score, split: Split, metric: str, average: str | None = None, **settings: object) -> float:
    report = evaluate({"model": Scored(split, score)}, split, EvaluationConfig(**settings))
    return report.value("model", metric, "films", average=average)


def test_a_perfect_order_earns_one(split: Split) -> None:
    score = of_rows(split.test)
    assert [figure(score, split, f"{metric}@3", k=3) for metric in METRICS] == [1, 1, (1 / 3 + 1) / 2, 1, 1]


def test_a_reversed_order_earns_nothing(split: Split) -> None:
    score = of_rows(split.test, high=-1)
    assert [figure(score, split, f"{metric}@3", k=3) for metric in METRICS] == [0] * 5
    # Eight candidates: ann's row stands last, bob's rows share the places 6 to 8.
    assert figure(score, split, "recall@7", k=7) == pytest.approx((0 + 2 / 3) / 2)


def test_a_constant_score_earns_what_a_random_order_does(split: Split) -> None:
    def constant(*cell: str) -> float:
        return 0.25

    assert figure(constant, split, "recall@2", k=2) == pytest.approx(2 / 8)
    assert figure(constant, split, "precision@2", k=2) == pytest.approx((1 / 8 + 3 / 8) / 2)
    # bob: 1 - (5/8)(4/7); ann: 2/8.
    assert figure(constant, split, "hr@2", k=2) == pytest.approx((2 / 8 + 1 - 5 / 8 * 4 / 7) / 2)
    assert figure(constant, split, "ndcg@1", k=1) == pytest.approx((1 / 8 + 3 / 8) / 2)
    assert figure(constant, split, "sampled_hr@10", sampled_negatives=999) == pytest.approx(10 / 1000)


def test_a_user_whom_the_model_does_not_know_is_ranked_at_random(split: Split) -> None:
    perfect = of_rows(split.test)

    def without_ann(domain: str, user: str, item: str) -> float:
        return float("nan") if user == "ann" else perfect(domain, user, item)

    assert figure(without_ann, split, "recall@3", k=3) == pytest.approx((3 / 8 + 1) / 2)
    assert figure(without_ann, split, "mrr@1", k=1) == pytest.approx((1 / 8 + 1) / 2)


def test_items_of_the_users_own_training_rows_are_no_candidates() -> None:
    split = split_of(SOURCE, {"ann": "f1 f2 f3 f4", "bob": "f5 f1", "cem": "f6"}, {"films": {"ann": "f4"}})
    order = {"f1": 9, "f2": 8, "f3": 7, "f5": 6, "f4": 5, "f6": 1}
    report = evaluate({"model": Scored(split, lambda domain, user, item: order[item])}, split)
    assert report.value("model", "mrr@10", "films") == 1 / 2
    (row,) = report.rows["model"]["films"].to_dict("records")
    assert {name: row[name] for name in ("user_id", "item_id", "above", "tied", "candidates")} == {
        "user_id": "ann",
        "item_id": "f4",
        "above": 1,
        "tied": 1,
        "candidates": 3,
    }


def test_training_rows_that_are_not_relevant_are_seen_too() -> None:
    books = domain_of("books", "Book", {"ann": "b1:5", "bob": "b1:5"})
    films = domain_of("films", "Movie", {"ann": "f1:1 f2:5", "bob": "f1:5 f3:5"})
    split = FixedFiles().split(pair_of(books, films, test={"films": {"ann": "f2"}}, positive_from=3))
    report = evaluate({"model": Scored(split, lambda *cell: 1.0)}, split)
    assert report.rows["model"]["films"]["candidates"].tolist() == [2]


def test_averages_per_row_and_per_user_are_different_figures(split: Split) -> None:
    def only_ann(domain: str, user: str, item: str) -> float:
        return float(user == "ann" and item == "f1") - float(user == "bob" and item in ("f1", "f2", "f3"))

    of_sampled = {"sampled_negatives": 20, "k": 1}
    # bob's rows stand behind five others: that none of 20 draws is among them has a probability below 1e-8.
    assert figure(only_ann, split, "sampled_hr@1", "per row", **of_sampled) == pytest.approx(1 / 4, abs=1e-6)
    assert figure(only_ann, split, "sampled_hr@1", "per user", **of_sampled) == pytest.approx(1 / 2, abs=1e-6)
    assert figure(only_ann, split, "hr@1", k=1) == 1 / 2
    report = evaluate({"m": Scored(split, only_ann)}, split, EvaluationConfig(sampled_negatives=20))
    figures = report.figures[report.figures["ranking"] == "sampled"]
    counts = figures.groupby("average")["count"].unique()
    assert (counts["per row"].tolist(), counts["per user"].tolist()) == ([4], [2])


def test_other_positives_leave_the_sampled_pool_where_asked(split: Split) -> None:
    values = {"f1": 3, "f2": 5, "f3": 3, "f4": 4, "f5": 3}

    def score(domain: str, user: str, item: str) -> float:
        return float(values.get(item, 0))

    report = evaluate({"m": Scored(split, score)}, split, EvaluationConfig(sampled_negatives=5, k=1))
    rows = report.rows["m"]["films"]
    counts = ["above", "tied", "candidates", "positives_above", "positives_tied", "positives_other"]
    assert rows[["user_id", "item_id", *counts]].to_numpy().tolist() == [
        ["ann", "f1", 2, 3, 8, 0, 0, 0],
        ["bob", "f1", 2, 3, 8, 1, 1, 2],
        ["bob", "f2", 0, 1, 8, 0, 0, 2],
        ["bob", "f3", 2, 3, 8, 1, 1, 2],
    ]
    # The pool: above, tied and size without the positive itself; then also without bob's other two positives.
    for excluded, pools in (
        ((), [(2, 2, 7), (2, 2, 7), (0, 0, 7), (2, 2, 7)]),
        (("books",), [(2, 2, 7), (2, 2, 7), (0, 0, 7), (2, 2, 7)]),
        (("films",), [(2, 2, 7), (1, 1, 5), (0, 0, 5), (1, 1, 5)]),
    ):
        above, tied, pool = np.array(pools).T
        expected = sampled_ranks(above, tied, pool, 5, 1).mean()
        found = figure(score, split, "sampled_hr@1", sampled_negatives=5, k=1, exclude_other_positives=excluded)
        assert found == pytest.approx(expected)


def test_rows_without_twins_lose_the_known_twins_as_rows_and_as_candidates() -> None:
    split, pairs = twin_world()
    order = {"f1": 9, "f2": 8, "f3": 7, "f4": 6, "f5": 5}
    model = Scored(split, lambda domain, user, item: order[item])
    report = evaluate({"m": model}, split, EvaluationConfig(twins=True, k=2), pairs)
    rows = report.rows["m"]["films"]
    assert dict(zip(rows["user_id"] + rows["item_id"], rows["twin"], strict=True)) == {
        "yanf2": False,
        "zoef1": True,
        "zoef3": False,
    }
    # All rows: zoe finds f1 but not f3, yan finds f2 at place 2.
    assert report.value("m", "recall@2", "films") == pytest.approx((1 / 2 + 1) / 2)
    assert report.value("m", "mrr@2", "films") == pytest.approx((1 + 1 / 2) / 2)
    # Without twins zoe's f1 is gone, so f3 rises to place 2.
    assert report.value("m", "recall@2", "films", WITHOUT_TWINS) == 1
    assert report.value("m", "mrr@2", "films", WITHOUT_TWINS) == pytest.approx(1 / 2)


def test_a_dropped_twin_is_not_taken_out_of_the_pool_a_second_time() -> None:
    split, pairs = twin_world()
    model = Scored(split, lambda domain, user, item: float(item == "f2"))
    settings = EvaluationConfig(twins=True, k=1, sampled_negatives=4, exclude_other_positives=("films",))
    report = evaluate({"m": model}, split, settings, pairs)
    # zoe's f3 meets f2, f4 and f5 (f1 is dropped), of which one is above and two are tied; yan's f2 is first.
    expected = [sampled_ranks(np.array([1]), np.array([2]), np.array([3]), 4, 5)[0, 0], 1.0]
    assert report.value("m", "sampled_hr@1", "films", WITHOUT_TWINS) == pytest.approx(np.mean(expected))


def test_the_twins_come_from_training_rows() -> None:
    split, pairs = twin_world()
    found = twin_pairs(split)
    assert {("b1", "f1"), ("b2", "f2")} <= set(zip(found["source_id"], found["target_id"], strict=True))


def test_validation_rows_are_ranked_when_asked() -> None:
    split = split_of(SOURCE, TARGET, {"films": {"ann": "f1"}}, valid={"films": {"bob": "f2"}})
    model = Scored(split, lambda domain, user, item: {"f1": 2.0, "f2": 1.0}.get(item, 0.0))
    assert evaluate({"m": model}, split, part="test").value("m", "mrr@10", "films") == 1
    # bob has a training row for f1, so f2 comes first.
    report = evaluate({"m": model}, split, part="valid")
    assert report.rows["m"]["films"][["user_id", "item_id", "above"]].to_numpy().tolist() == [["bob", "f2", 0]]
    with pytest.raises(InputError, match='the split "fixed files" has no relevant valid row'):
        evaluate({"m": model}, split_of(SOURCE, TARGET, TEST), part="valid")


def plain_figures(scores: Mapping[str, Mapping[str, float]], split: Split, k: int) -> dict[str, float]:
    """Full-ranking metrics per user from their definitions, for scores without ties."""
    totals = dict.fromkeys([*METRICS, "coverage"], 0.0)
    shown: set[str] = set()
    users = sorted(set(split.test["user_id"]))
    for user in users:
        seen = set(split.train.loc[(split.train["domain"] == "films") & (split.train["user_id"] == user), "item_id"])
        order = sorted(set(scores[user]) - seen, key=lambda item: -scores[user][item])[:k]
        wanted = set(split.test.loc[split.test["user_id"] == user, "item_id"])
        hits = [place for place, item in enumerate(order, 1) if item in wanted]
        totals["recall"] += len(hits) / len(wanted)
        totals["precision"] += len(hits) / k
        totals["hr"] += bool(hits)
        totals["mrr"] += 1 / hits[0] if hits else 0
        ideal = sum(1 / log2(place + 1) for place in range(1, min(len(wanted), k) + 1))
        totals["ndcg"] += sum(1 / log2(place + 1) for place in hits) / ideal
        shown |= set(order)
    figures = {f"{name}@{k}": total / len(users) for name, total in totals.items()}
    return figures | {f"coverage@{k}": len(shown) / len(next(iter(scores.values())))}


def random_world(seed: int) -> tuple[Split, dict[str, dict[str, float]]]:
    """Thirty users, forty films; half of the users are tested on a part of their rows."""
    generator = np.random.default_rng(seed)
    users, films = [f"u{number}" for number in range(30)], [f"f{number}" for number in range(40)]
    likes = {user: list(generator.permutation(films)[: generator.integers(2, 12)]) for user in users}
    test = {user: " ".join(likes[user][: generator.integers(1, len(likes[user]) + 1)]) for user in users[::2]}
    split = split_of(
        dict.fromkeys(users, "b1"), {user: " ".join(items) for user, items in likes.items()}, {"films": test}
    )
    catalogue = split.dataset.target.items["item_id"]
    return split, {user: dict(zip(catalogue, generator.permutation(40), strict=True)) for user in users}


@pytest.mark.parametrize("k", [1, 5, 10])
def test_figures_equal_those_of_a_plain_implementation(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    split, scores = random_world(seed=k)
    model = Scored(split, lambda domain, user, item: scores[user][item] if domain == "films" else 0.0)
    for block in (1000, 7):
        monkeypatch.setattr(ranking, "rows_at_once", lambda items, memory, block=block: block)
        report = evaluate({"m": model}, split, EvaluationConfig(k=k))
        expected = plain_figures(scores, split, k)
        assert {name: report.value("m", name, "films") for name in expected} == pytest.approx(expected)


def test_ties_may_be_broken_for_and_against_the_positives(split: Split) -> None:
    def constant(*cell: str) -> float:
        return 0.25

    # ann has one positive, bob three, all among eight tied films.
    for ties, recalls, hits in (("optimistic", (1, 2 / 3), (1, 1)), ("pessimistic", (0, 0), (0, 0))):
        settings: dict[str, Any] = {"k": 2, "ties": ties, "sampled_negatives": 20}
        assert figure(constant, split, "recall@2", **settings) == pytest.approx(sum(recalls) / 2)
        assert figure(constant, split, "hr@2", **settings) == pytest.approx(sum(hits) / 2)
        assert figure(constant, split, "sampled_hr@2", **settings) == float(ties == "optimistic")
        assert figure(constant, split, "auc", **settings) == float(ties == "optimistic")
        assert figure(constant, split, "tie_share", **settings) == 1
    # f2 alone is apart: one of the four rows is not tied.
    assert figure(lambda domain, user, item: float(item == "f2"), split, "tie_share") == 3 / 4


def test_items_that_do_not_compete_are_no_candidates(split: Split) -> None:
    films = pd.DataFrame({"part": "test", "domain": "films", "item_id": ["f1", "f2", "f3", "f7"]})
    split, everything = replace(split, candidate_items=films), split
    order = {"f8": 9, "f7": 8, "f1": 7}
    report = evaluate({"m": Scored(split, lambda domain, user, item: order.get(item, 0))}, split, EvaluationConfig(k=2))
    rows = report.rows["m"]["films"]
    assert rows["candidates"].tolist() == [4] * 4
    assert rows["above"].tolist() == [1, 1, 2, 2]
    assert report.value("m", "mrr@2", "films") == 1 / 2
    assert report.value("m", "coverage@2", "films") == 2 / 4
    short = replace(split, candidate_items=films[films["item_id"] != "f2"])
    with pytest.raises(InputError, match='test row of item "f2" in "films" is not among the split\'s candidate items'):
        evaluate({"m": Scored(short, lambda *cell: 0.0)}, short)
    # Items of the other domain alone restrict nothing here.
    elsewhere = replace(everything, candidate_items=films.assign(domain="books"))
    report = evaluate({"m": Scored(elsewhere, lambda *cell: 0.0)}, elsewhere)
    assert report.rows["m"]["films"]["candidates"].tolist() == [8] * 4


def rated_world(noise: float) -> tuple[Split, Score]:
    """Ratings are 2 + taste of the user for the item; eight users are validated on, eight tested, all cold in films."""
    generator = np.random.default_rng(0)
    taste = {(f"u{u}", f"f{i}"): float(generator.integers(0, 3)) for u in range(32) for i in range(6)}
    films = {
        f"u{u}": " ".join(f"f{i}:{2 + taste[f'u{u}', f'f{i}'] + noise * (-1) ** i}" for i in range(6))
        for u in range(32)
    }
    books = {f"u{u}": "b1:5" for u in range(32)}
    held = {
        part: {f"u{u}": films[f"u{u}"] for u in users} for part, users in (("valid", range(8)), ("test", range(8, 16)))
    }
    dataset = pair_of(
        domain_of("books", "Book", books),
        domain_of("films", "Movie", films),
        test={"films": held["test"]},
        valid={"films": held["valid"]},
        positive_from=4,
    )
    return FixedFiles().split(dataset), lambda domain, user, item: taste.get((user, item), 0.0)


def test_ratings_that_are_linear_in_the_score_are_predicted_exactly() -> None:
    split, score = rated_world(noise=0)
    report = evaluate({"m": Scored(split, score)}, split)
    assert report.value("m", "mse", "films") == pytest.approx(0, abs=1e-10)
    # The score orders by rating, so graded gains are the best possible.
    assert report.value("m", "ndcg_linear@10", "films") == pytest.approx(1)
    assert report.value("m", "ndcg_exponential@10", "films") == pytest.approx(1)
    assert report.value("m", "rmse", "films") == pytest.approx(0, abs=1e-5)
    (count,) = report.figures.loc[report.figures["metric"] == "mse", "count"]
    assert count == 48, "rows below the threshold are predicted too"


def test_without_a_useful_score_the_item_means_are_what_is_left() -> None:
    split, _ = rated_world(noise=0)
    report = evaluate({"m": Scored(split, lambda *cell: 0.0)}, split)
    train, valid, test = (split.rows(part, "films", relevant=False) for part in ("train", "valid", "test"))
    means = (train.groupby("item_id")["rating"].sum() + 5 * train["rating"].mean()) / (
        train.groupby("item_id")["rating"].count() + 5
    )
    slope, start = np.polyfit(valid["item_id"].map(means), valid["rating"], 1)
    predicted = np.clip(start + slope * test["item_id"].map(means), 2, 4)
    expected = float(((predicted - test["rating"]) ** 2).mean())
    assert report.value("m", "mse", "films") == pytest.approx(expected)
    assert report.value("m", "rmse", "films") == pytest.approx(expected**0.5)
    absolute = float((predicted - test["rating"]).abs().mean())
    assert report.value("m", "mae", "films") == pytest.approx(absolute)


def test_without_ratings_or_validation_rows_there_is_no_rating_figure(split: Split) -> None:
    for case in (split, ColdStartUsers(pseudo_cold_share=0).split(rated_world(0)[0].dataset)):
        report = evaluate({"m": Scored(case, lambda *cell: 0.0)}, case)
        with pytest.raises(KeyError, match="no figure mse of m in films, all rows"):
            report.value("m", "mse", "films")


def test_the_table_has_a_line_per_model_and_says_what_was_tested(split: Split) -> None:
    models = {name: Scored(split, of_rows(split.test, high)) for name, high in (("worst", -1), ("best", 1))}
    report = evaluate(models, split, EvaluationConfig(k=3))
    table = report.table()
    assert list(table.index) == ["worst", "best"]
    assert table["films", "recall@3"].tolist() == [0, 1]
    assert str(report).startswith("fixed files; chosen on: none\n")


def test_both_directions_are_evaluated_where_both_are_tested() -> None:
    split = ColdStartUsers(domains=("source", "target"), pseudo_cold_share=0).split(checkerboard(20, 4))
    report = evaluate({"m": Scored(split, of_rows(split.test))}, split)
    assert isinstance(report, Report)
    assert [report.value("m", "ndcg@10", domain, ALL_ROWS) for domain in ("books", "films")] == [1, 1]


def test_input_that_cannot_be_evaluated_is_one_clear_line(split: Split) -> None:
    model = Scored(split, lambda *cell: 0.0)
    with pytest.raises(InputError, match="evaluate: no models given; pass a mapping from names to fitted models"):
        evaluate({}, split)
    with pytest.raises(
        InputError, match=r"rows without twins need twin_pairs; pass kgxfer\.bridges\.twin_pairs\(split\)"
    ):
        evaluate({"m": model}, split, EvaluationConfig(twins=True))
    other = ColdStartUsers().split(checkerboard(20, 4))
    with pytest.raises(InputError, match='model "m" was fitted on other items than data set "checkerboard" has'):
        evaluate({"m": model}, other)
    with pytest.raises(InputError, match="key k: input should be greater than or equal to 1, not 0"):
        EvaluationConfig.parse({"k": 0}, "evaluation")
