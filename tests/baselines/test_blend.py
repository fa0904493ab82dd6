from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph_schema import InputError
from kgxfer.baselines import Blend, BlendConfig, ItemKNN, Popularity, greedy_blend
from kgxfer.baselines.blend import bisected, standardised
from kgxfer.evaluation import EvaluationConfig, evaluate
from kgxfer.recommender import Catalogue, RankingModel
from kgxfer.splits import Split
from tests.baselines.dense import graph_of
from tests.worlds import split_of


class Given(RankingModel):
    """Scores that are given: per domain float [users, items]."""

    def __init__(self, catalogue: Catalogue, *scores: np.ndarray) -> None:
        super().__init__(catalogue)
        self.scores = scores

    def score_places(self, domain: int, places: np.ndarray) -> np.ndarray:
        scores: np.ndarray = self.scores[domain][places]
        return scores.astype(np.float32)


def random_members(split: Split, count: int = 4) -> dict[str, RankingModel]:
    catalogue, generator = Catalogue.of(split), np.random.default_rng(3)
    shapes = [(len(catalogue.user_ids), len(items)) for items in catalogue.items]
    # Few different values, so that there are ties.
    return {
        f"m{number}": Given(catalogue, *(generator.integers(0, 4, shape).astype(float) for shape in shapes))
        for number in range(count)
    }


def by_hand(
    members: dict[str, RankingModel], split: Split, domain: str, settings: EvaluationConfig, config: BlendConfig
) -> dict[str, float]:
    """The greedy search, every trial a blend that is evaluated like any model."""
    metric = f"{'sampled_ndcg' if settings.sampled_negatives else 'ndcg'}@{settings.k}"
    weights, best = dict.fromkeys(members, 0.0), -1.0
    for _ in range(config.max_steps):
        values = {}
        for name in members:
            for weight in config.weights if any(weights.values()) else (1.0,):
                trial = Blend(members, {domain: weights | {name: weights[name] + weight}})
                values[name, weight] = evaluate({"m": trial}, split, settings, part="valid").value("m", metric, domain)
        (name, weight), value = max(values.items(), key=lambda pair: pair[1])
        if value <= best + 1e-9:
            break
        best, weights[name] = value, weights[name] + weight
    return {name: weight / sum(weights.values()) for name, weight in weights.items()}


@pytest.mark.parametrize("negatives", [0, 6])
@pytest.mark.parametrize("excluded", [(), ("films",)])
def test_the_search_is_the_one_by_hand(split: Split, negatives: int, excluded: tuple[str, ...]) -> None:
    members = random_members(split)
    settings = EvaluationConfig(k=3, sampled_negatives=negatives, exclude_other_positives=excluded)
    config = BlendConfig(weights=(0.3, 1.0), max_steps=4)
    blend = greedy_blend(members, split, settings, config)
    expected = by_hand(members, split, "films", settings, config)
    assert blend.weights["films"] == pytest.approx(expected)
    assert sum(weight > 0 for weight in expected.values()) > 1, "one member alone would not test the search"
    # Books have no validation rows: they take what films chose.
    assert blend.weights["books"] == blend.weights["films"]


def test_on_the_validation_rows_the_blend_is_no_worse_than_its_best_member(split: Split) -> None:
    members = random_members(split)
    settings = EvaluationConfig(k=3)
    report = evaluate(members | {"blend": greedy_blend(members, split, settings)}, split, settings, part="valid")
    alone = [report.value(name, "ndcg@3", "films") for name in members]
    assert report.value("blend", "ndcg@3", "films") >= max(alone) + 0.05


def test_members_that_know_half_of_the_answer_each_are_joined() -> None:
    likes = {f"u{user}": f"f{user % 4}" for user in range(8)}
    held = {user: items for user, items in likes.items() if user != "u0"}
    books = dict.fromkeys(likes, "b0")
    split = split_of(books, likes | {"x": "f0 f1 f2 f3 f4 f5"}, test={"films": {"u0": "f0"}}, valid={"films": held})
    catalogue = Catalogue.of(split)
    truth = np.zeros((len(catalogue.user_ids), 6))
    for user, item in likes.items():
        truth[catalogue.user_ids.get_loc(user), catalogue.item_index(1).get_loc(item)] = 1
    noise = np.random.default_rng(0).random(truth.shape)
    even = (np.arange(len(truth)) % 2 == 0)[:, None]
    nothing = np.zeros((len(truth), 1))
    members: dict[str, RankingModel] = {
        "noise": Given(catalogue, nothing, noise),
        "odd": Given(catalogue, nothing, np.where(even, 0, truth)),
        "even": Given(catalogue, nothing, np.where(even, truth, 0)),
    }
    blend = greedy_blend(members, split, EvaluationConfig(k=1))
    assert blend.weights["films"]["odd"] > 0
    assert blend.weights["films"]["even"] > 0
    assert blend.recommend(list(likes), n=1)["item_id"].tolist() == list(likes.values())


def test_a_blend_is_the_weighted_sum_of_z_scores(split: Split) -> None:
    graph = graph_of(split)
    members = {"popularity": Popularity().fit(graph, split), "knn": ItemKNN(beta=(0.0,)).fit(graph, split)}
    blend = Blend(members, {"films": {"popularity": 0.25, "knn": 0.75}})
    users = blend.catalogue.user_ids
    expected = np.zeros((len(users), 10))
    for name, weight in blend.weights["films"].items():
        scores = members[name].score("films", users).astype(float)
        for row, values in enumerate(scores):
            expected[row] += weight * (values - values.mean()) / values.std() if values.std() else 0
    assert blend.score("films", users) == pytest.approx(expected, abs=1e-5)
    assert np.isnan(blend.score("films", ["nobody"])).all()
    assert not blend.score("books", users).any(), "no weights were given for books"


def test_standardised_rows_have_mean_0_and_deviation_1_or_say_nothing() -> None:
    rows = np.array([[1, 2, 3, 6], [5, 5, 5, 5], [np.nan] * 4, [1e6, 1e6 + 0.0625, 1e6, 1e6]], dtype=np.float32)
    found = standardised(rows)
    assert found[0] == pytest.approx((rows[0] - 3) / 3.5**0.5)
    assert not found[1:].any()


@given(
    st.lists(st.lists(st.sampled_from([-np.inf, 0.0, 1.0, 2.5]), min_size=7, max_size=7), min_size=1, max_size=4),
    st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 1.0, 3.0]), min_size=1, max_size=9),
    st.booleans(),
)
def test_bisection_is_searchsorted_row_by_row(rows: list[list[float]], values: list[float], after: bool) -> None:
    ordered = np.sort(np.array(rows), axis=1)
    row = np.arange(len(values)) % len(rows)
    side = "right" if after else "left"
    expected = [np.searchsorted(ordered[place], value, side=side) for place, value in zip(row, values, strict=True)]  # type: ignore[call-overload]
    assert bisected(ordered, row, np.array(values), after).tolist() == expected


def test_without_validation_rows_all_members_weigh_the_same(split: Split) -> None:
    members = random_members(split, 3)
    for valid in (split.valid.head(0), split.valid.assign(domain="books", item_id="b0")):
        blend = greedy_blend(members, replace(split, valid=valid))
        assert blend.weights == {domain: dict.fromkeys(members, 1 / 3) for domain in ("books", "films")}


def test_users_are_drawn_where_the_memory_is_too_small_for_all(split: Split) -> None:
    members = random_members(split)
    one_user = 4 * len(members) * 10 / 2**30
    settings, config = EvaluationConfig(k=3), BlendConfig(memory_gib=2.5 * one_user)
    found = greedy_blend(members, split, settings, config)
    assert found.weights == greedy_blend(members, split, settings, config).weights
    of_pairs = [
        greedy_blend(members, replace(split, valid=split.valid[split.valid["user_id"].isin(pair)]), settings).weights
        for pair in (["u3", "u4"], ["u3", "u5"], ["u4", "u5"])
    ]
    assert found.weights in of_pairs


def test_wrong_members_and_weights_are_named(split: Split, board_split: Split) -> None:
    members = random_members(split, 2)
    other = Popularity().fit(graph_of(board_split), board_split)
    with pytest.raises(InputError, match="blend: no members given"):
        greedy_blend({}, split)
    with pytest.raises(InputError, match='blend: "m0" and "other" know different users or items; fit both on one'):
        greedy_blend({**members, "other": other}, split)
    with pytest.raises(InputError, match='blend: weight for "m7" in "films", which is no member'):
        Blend(members, {"films": {"m7": 1.0}})
    with pytest.raises(InputError, match='unknown domain "film"; did you mean "films"?'):
        Blend(members, {"film": {"m1": 1.0}})
