from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer.baselines import BASELINES, Baseline, Candidate, ItemKNN, PersonalisedPageRank
from kgxfer.bridges import propose_links, shuffle_links
from kgxfer.evaluation import EvaluationConfig, evaluate
from kgxfer.graph import COMBINATIONS, KnowledgeGraph, build_graph
from kgxfer.recommender import RankingModel
from kgxfer.splits import ColdStartUsers, Split
from tests.baselines.dense import BRIDGES, graph_of
from tests.worlds import block_of, checkerboard

PERSONAL = [name for name in BASELINES if name not in ("popularity", "recent_popularity")]
"""Baselines whose scores depend on the user."""

# With as many components as the board has items, PureSVD gives back the board as it is; regularised as suits larger
# data, iALS is left with popularity.
SETTINGS: dict[str, dict[str, Any]] = {
    "pure_svd": {"dim": (2,)}, "ials": {"regularisation": (0.25,)},
    "bpr": {"l2": (0.02,), "epochs": (60,), "batch": 32},
}
ON_THE_BOARD = [BASELINES[name](**SETTINGS.get(name, {})) for name in PERSONAL]


@pytest.mark.parametrize("name", [name for name in PERSONAL if name not in ("pure_svd", "bpr")])
def test_on_disjoint_graphs_and_fitted_alone_cold_users_get_no_score(name: str, split: Split) -> None:
    baseline = BASELINES[name]
    alone = baseline(joint=False).fit(graph_of(split), split)
    apart = baseline().fit(graph_of(split, "disjoint"), split)
    joint = baseline().fit(graph_of(split), split)
    for cold in ("u0", "u3"):
        assert not alone.score("films", [cold]).any()
        assert not apart.score("films", [cold]).any()
        assert joint.score("films", [cold]).any()
    assert alone.score("books", ["u0"]).any()


def test_the_candidate_with_the_best_validation_ndcg_is_kept_for_each_domain(split: Split) -> None:
    graph = graph_of(split)
    candidates = [-1.0, 0.0, 2.0]
    for settings in (EvaluationConfig(k=3), EvaluationConfig(k=3, sampled_negatives=5)):
        metric = "sampled_ndcg@3" if settings.sampled_negatives else "ndcg@3"
        each = {str(beta): ItemKNN(beta=(beta,)).fit(graph, split) for beta in candidates}
        report = evaluate(each, split, settings, part="valid")
        values = [report.value(name, metric, "films") for name in each]
        assert len(set(values)) == 3, "the candidates must differ for the test to mean something"
        for order in (candidates, candidates[::-1]):
            chosen = ItemKNN(beta=tuple(order)).fit(graph, split, settings)
            best = each[str(candidates[int(np.argmax(values))])]
            assert np.array_equal(chosen.score("films", ["u0", "u7"]), best.score("films", ["u0", "u7"]))
    # Validation rows of a domain that is not tested are as good as none: the first candidate stays.
    for valid in (split.valid.head(0), split.valid.assign(domain="books", item_id="b0")):
        first = ItemKNN(beta=(2.0, -1.0)).fit(graph, replace(split, valid=valid))
        assert np.array_equal(first.score("films", ["u0"]), each["2.0"].score("films", ["u0"]))

class Recorded(ItemKNN):
    """ItemKNN that remembers its fitted models, to see which of them are kept."""

    made: ClassVar[list[weakref.ref[RankingModel]]] = []

    def candidates(self, graph: KnowledgeGraph, split: Split) -> Sequence[Candidate]:
        def remembered(make: Callable[[], RankingModel]) -> RankingModel:
            model = make()
            self.made.append(weakref.ref(model))
            alive = sum(reference() is not None for reference in self.made)
            assert alive <= 3, "the best of each domain and the one on trial"
            return model

        found = super().candidates(graph, split)
        return [replace(candidate, make=partial(remembered, candidate.make)) for candidate in found]


def test_no_more_models_are_held_than_the_best_and_the_one_on_trial(board_split: Split) -> None:
    Recorded.made.clear()
    model = Recorded().fit(graph_of(board_split), board_split)
    assert len(Recorded.made) == 7
    gc.collect()
    assert sum(reference() is not None for reference in Recorded.made) <= 2
    assert model.score("films", ["u0"]).any()


@pytest.mark.parametrize("name", list(BASELINES))
def test_what_was_chosen_is_fitted_again_on_other_rows(name: str, split: Split) -> None:
    graph, settings = graph_of(split), EvaluationConfig(k=3)
    more = replace(split, train=pd.concat([split.train, split.valid], ignore_index=True), valid=split.valid.head(0))
    larger = graph_of(more)
    baseline = BASELINES[name]()
    baseline.fit(graph, split, settings)
    again = baseline.refit(larger, more)
    chosen = baseline.chosen
    assert list(chosen) == ["books", "films"]
    # Only films have validation rows: books take what films chose.
    assert chosen["books"] == chosen["films"]
    settings_of_films: dict[str, Any] = {key: (value,) for key, value in chosen["films"].items()}
    fixed = BASELINES[name](**settings_of_films).fit(larger, more)
    users = fixed.catalogue.user_ids
    for domain in ("books", "films"):
        assert np.allclose(again.score(domain, users), fixed.score(domain, users), rtol=1e-5, atol=1e-6)
        # The seen filter is that of the rows fitted last.
        code = again.catalogue.domain_code(domain)
        assert again.catalogue.seen[code].nnz == len(more.rows("train", domain, relevant=False))
    first = BASELINES[name]()
    without = first.fit(graph, split, settings)
    assert first.chosen == chosen
    assert not np.allclose(without.score("films", users), again.score("films", users)), "the rows must matter"
    unchosen = BASELINES[name]()
    unchosen.fit(larger, more)
    assert unchosen.chosen == dict.fromkeys(("books", "films"), unchosen.candidates(larger, more)[0].settings)


def test_each_domain_may_choose_its_own(split: Split) -> None:
    test = pd.concat([split.test, split.test.assign(domain="books", item_id="b1")])
    books = split.rows("train", "books").groupby("user_id").nth(1)
    valid = pd.concat([split.valid, books])
    train = split.train.drop(books.index)
    both = replace(split, train=train, valid=valid, test=test)
    graph, settings = graph_of(both), EvaluationConfig(k=3)
    betas = (-2.0, -1.0, 0.0, 2.0)
    baseline = ItemKNN(beta=betas)
    model = baseline.fit(graph, both, settings)
    each = {beta: ItemKNN(beta=(beta,)).fit(graph, both) for beta in betas}
    report = evaluate({str(beta): fitted for beta, fitted in each.items()}, both, settings, part="valid")
    for domain in ("books", "films"):
        best = max(betas, key=lambda beta: report.value(str(beta), "ndcg@3", domain))
        assert baseline.chosen[domain] == {"beta": best}
        assert np.array_equal(model.score(domain, ["u1", "u7"]), each[best].score(domain, ["u1", "u7"]))
    assert baseline.chosen["books"] != baseline.chosen["films"], "a world in which the domains differ"


@pytest.mark.parametrize("combine", ["same_as_edges", "collapse"])
@pytest.mark.parametrize("baseline", [*ON_THE_BOARD, PersonalisedPageRank(fact_weight=1.0)], ids=[*PERSONAL, "facts"])
def test_the_checkerboard_has_an_exact_answer(baseline: Baseline, combine: str, board_split: Split) -> None:
    model = baseline.fit(graph_of(board_split, combine), board_split)
    report = evaluate({"m": model}, board_split, EvaluationConfig(k=4))
    assert report.value("m", "recall@4", "films") == 1
    top = model.recommend(sorted(set(board_split.cold_users["user_id"])), n=4)
    assert all(block_of(row.user_id) == block_of(row.item_id) for row in top.itertuples())
    assert (top.groupby("user_id")["item_id"].nunique() == 4).all()
    # A warm user has one item of the block left, and gets it first.
    warm = sorted(set(board_split.rows("train", "films")["user_id"]))
    first = model.recommend(warm, n=1)
    liked = set(zip(board_split.train["user_id"], board_split.train["item_id"], strict=True))
    for row in first.itertuples():
        assert block_of(row.user_id) == block_of(row.item_id)
        assert (row.user_id, row.item_id) not in liked


@pytest.mark.parametrize("baseline", ON_THE_BOARD, ids=PERSONAL)
def test_with_shuffled_links_the_checkerboard_falls_to_chance(baseline: Baseline, board_split: Split) -> None:
    board_split = replace(board_split, valid=board_split.valid.head(0))  # nothing to choose on: quicker
    links = propose_links(board_split, BRIDGES)
    values = []
    for seed in range(16):
        graph = build_graph(board_split, shuffle_links(links, np.random.default_rng(seed)))
        model = baseline.fit(graph, board_split)
        values.append(evaluate({"m": model}, board_split, EvaluationConfig(k=4)).value("m", "recall@4", "films"))
    assert abs(np.mean(values) - 0.5) < 3 * np.std(values) / 16**0.5
    assert np.std(values) / 16**0.5 < 0.08, "so many draws that chance can be told from the exact answer"


@pytest.mark.parametrize("name", list(BASELINES))
def test_fitting_twice_gives_the_same(name: str, split: Split) -> None:
    first, second = (BASELINES[name]().fit(graph_of(split), split) for _ in range(2))
    for domain in ("books", "films"):
        users = first.catalogue.user_ids
        assert np.array_equal(first.score(domain, users), second.score(domain, users))


@pytest.mark.parametrize("name", list(BASELINES))
def test_fitted_alone_a_domain_knows_nothing_of_the_other(name: str, split: Split) -> None:
    """The target-only control: whatever happens in the source, target scores stay."""
    baseline = BASELINES[name](joint=False)
    users = list(split.rows("train", "films")["user_id"].unique())
    scores = []
    for shift in (0, 1, 4):
        moved = [f"b{(int(item[1:]) * (1 + shift % 2) + shift) % 10}" for item in split.train["item_id"]]
        of_books = split.train["domain"] == "books"
        train = split.train.assign(item_id=split.train["item_id"].mask(of_books, pd.Series(moved)))
        train = train.drop_duplicates(["domain", "user_id", "item_id"])
        other = replace(split, train=train.drop(train.index[of_books[train.index]][:shift]))
        scores.append(baseline.fit(graph_of(other), other).score("films", users))
    assert scores[1] == pytest.approx(scores[0], rel=1e-4, abs=1e-5)
    assert scores[2] == pytest.approx(scores[0], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", list(BASELINES))
@pytest.mark.parametrize("combine", list(COMBINATIONS))
def test_every_baseline_scores_every_item_for_every_user(name: str, combine: str, split: Split) -> None:
    model = BASELINES[name]().fit(graph_of(split, combine), split)
    assert isinstance(model, RankingModel)
    for domain in split.dataset.domains:
        scores = model.score(domain.domain, model.catalogue.user_ids)
        assert scores.shape == (22, len(domain.items))
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()
        one_by_one = np.vstack([model.score(domain.domain, [user]) for user in model.catalogue.user_ids])
        assert scores == pytest.approx(one_by_one, rel=1e-5, abs=1e-6)
        assert np.isnan(model.score(domain.domain, ["nobody"])).all()


@pytest.mark.parametrize("name", list(BASELINES))
def test_no_baseline_reads_test_rows(name: str, split: Split) -> None:
    models = []
    for shift in (0, 3):
        test = split.test.assign(item_id=[f"f{(int(item[1:]) + shift) % 10}" for item in split.test["item_id"]])
        other = replace(split, test=test)
        models.append(BASELINES[name]().fit(graph_of(other), other))
    users = models[0].catalogue.user_ids
    assert np.array_equal(models[0].score("films", users), models[1].score("films", users))


@pytest.mark.parametrize("name", list(BASELINES))
def test_every_baseline_names_a_wrong_setting(name: str) -> None:
    kind = BASELINES[name]
    with pytest.raises(InputError, match=f'unknown key in baseline {kind.__name__} "jiont"; did you mean "joint"?'):
        kind(jiont=True)
    assert repr(kind()).startswith(f"{kind.__name__}(joint=True")


def test_empty_lists_of_candidates_are_refused() -> None:
    with pytest.raises(InputError, match="baseline ItemKNN, key beta: tuple should have at least 1 item"):
        ItemKNN(beta=())
    with pytest.raises(InputError, match="baseline PersonalisedPageRank, key restart"):
        PersonalisedPageRank(restart=())
    with pytest.raises(InputError, match=r"baseline PersonalisedPageRank, key restart\.0"):
        PersonalisedPageRank(restart=(1.5,))


def test_an_unknown_baseline_is_named_with_the_nearest() -> None:
    with pytest.raises(InputError, match='unknown baseline "item_kn"; did you mean "item_knn"?'):
        BASELINES["item_kn"]


def test_the_board_is_what_it_says(board_split: Split) -> None:
    rows = pd.concat([board_split.train, board_split.valid, board_split.test])
    assert all(block_of(row.user_id) == block_of(row.item_id) for row in rows.itertuples())
    assert rows.groupby(["domain", "user_id"]).size().eq(3).all()
    assert len(board_split.cold_users) == 6
    assert ColdStartUsers().split(checkerboard()).dataset.overlapping_users.size == 12
