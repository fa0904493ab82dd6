from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer.baselines import BASELINES, ItemKNN, PersonalisedPageRank, Popularity
from kgxfer.bridges import propose_links, shuffle_links
from kgxfer.evaluation import EvaluationConfig, evaluate
from kgxfer.graph import COMBINATIONS, KnowledgeGraph, build_graph
from kgxfer.recommender import RankingModel
from kgxfer.splits import ColdStartUsers, FixedFiles, Split
from tests.worlds import block_of, checkerboard, domain_of, pair_of

BRIDGES = ["shared_id", "shared_entity"]


def graph_of(split: Split, combine: str = "same_as_edges") -> KnowledgeGraph:
    return build_graph(split, propose_links(split, BRIDGES), combine)


@pytest.fixture(scope="module")
def split() -> Split:
    """A random world: 14 people in both domains, 4 more in each, of whom some are cold; genres, and actors in films."""
    generator = np.random.default_rng(4)

    def likes(letter: str, own: list[str]) -> dict[str, str]:
        people = [f"u{number}" for number in range(14)] + own
        return {
            person: " ".join(f"{letter}{item}" for item in sorted(generator.permutation(9)[: generator.integers(1, 6)]))
            for person in people
        }

    genres = [{f"{letter}{item}": f"g{item % 3} g{(item + 1) % 4}" for item in range(8)} for letter in "bf"]
    acted = pd.DataFrame(
        {
            "head_id": ["x", "x", "y"],
            "head_type": "Person",
            "relation": "ACTED_IN",
            "tail_id": ["f0", "f5", "f5"],
            "tail_type": "Movie",
        }
    )
    films = likes("f", [f"t{number}" for number in range(4)])
    dataset = pair_of(
        domain_of("books", "Book", likes("b", [f"s{number}" for number in range(4)]), items=["b9"], genres=genres[0]),
        domain_of("films", "Movie", films, items=["f9"], genres=genres[1], facts=acted),
        test={"films": {person: films[person] for person in ("u0", "u1", "u2")}},
        valid={"films": {person: films[person] for person in ("u3", "u4", "u5")}},
    )
    return FixedFiles().split(dataset)


def dense_matrix(split: Split, joint: bool = True) -> tuple[np.ndarray, list[str], dict[str, slice]]:
    """People (per domain where not joint) by items, read from the training rows with nothing but loops."""
    domains = split.dataset.domains
    items = [(domain.domain, item) for domain in domains for item in domain.items["item_id"]]
    users = list(dict.fromkeys(user for domain in domains for user in domain.users["user_id"]))
    people = users if joint else [f"{domain.domain}/{user}" for domain in domains for user in users]
    matrix = np.zeros((len(people), len(items)))
    for row in split.train[split.train["relevant"]].itertuples():
        person = row.user_id if joint else f"{row.domain}/{row.user_id}"
        matrix[people.index(person), items.index((row.domain, row.item_id))] = 1
    first = len(domains[0].items)
    return matrix, people, {domains[0].domain: slice(0, first), domains[1].domain: slice(first, len(items))}


def dense_facts(split: Split) -> np.ndarray:
    """Entities by items; an entity of both domains is one row."""
    items = [(domain.domain, item) for domain in split.dataset.domains for item in domain.items["item_id"]]
    cells: dict[tuple[str, str], np.ndarray] = {}
    for domain in split.dataset.domains:
        for row in domain.facts.itertuples():
            ends = [(row.head_type, row.head_id), (row.tail_type, row.tail_id)]
            entity, item = sorted(ends, key=lambda end: end[0] == domain.item_type)
            cells.setdefault(entity, np.zeros(len(items)))[items.index((domain.domain, item[1]))] += 1
    return np.array(list(cells.values()))


def rows_for(model: RankingModel, split: Split, domain: str, people: list[str], joint: bool) -> list[int]:
    return [people.index(user if joint else f"{domain}/{user}") for user in model.catalogue.user_ids]


def scaled(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, 1 / np.maximum(values, 1e-12), 0)


@pytest.mark.parametrize("combine", ["same_as_edges", "collapse"])
def test_popularity_counts_training_rows(split: Split, combine: str) -> None:
    model = Popularity().fit(graph_of(split, combine), split)
    for domain in split.dataset.domains:
        counts = split.rows("train", domain.domain)["item_id"].value_counts()
        expected = [counts.get(item, 0) for item in domain.items["item_id"]]
        assert model.score(domain.domain, ["u0", "u9"]).tolist() == [expected, expected]


@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("beta", [-1.0, 0.0, 0.5])
@pytest.mark.parametrize("combine", ["same_as_edges", "collapse"])
def test_item_knn_is_the_dense_cosine(split: Split, joint: bool, beta: float, combine: str) -> None:
    model = ItemKNN(beta=(beta,), joint=joint).fit(graph_of(split, combine), split)
    matrix, people, columns = dense_matrix(split, joint)
    degree = matrix.sum(0)
    norms = np.sqrt(degree)
    cosine = (matrix.T @ matrix) * np.outer(scaled(norms), scaled(norms))
    for domain, span in columns.items():
        expected = (matrix @ cosine * np.maximum(degree, 1) ** -beta)[
            rows_for(model, split, domain, people, joint), span
        ]
        assert model.score(domain, model.catalogue.user_ids) == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("fact_weight", [0.0, 0.7])
@pytest.mark.parametrize(("restart", "beta"), [(0.1, 0.0), (0.6, 0.25)])
def test_pagerank_is_the_dense_power_iteration(
    split: Split, joint: bool, fact_weight: float, restart: float, beta: float
) -> None:
    baseline = PersonalisedPageRank(restart=(restart,), beta=(beta,), steps=7, joint=joint, fact_weight=fact_weight)
    model = baseline.fit(graph_of(split), split)
    matrix, people, columns = dense_matrix(split, joint)
    hubs = np.vstack([matrix, fact_weight * dense_facts(split)]) if fact_weight else matrix
    to_items = hubs * scaled(hubs.sum(1))[:, None]
    to_hubs = (hubs * scaled(hubs.sum(0))).T
    for domain, span in columns.items():
        home = np.eye(len(hubs))[rows_for(model, split, domain, people, joint)]
        at, arrived = home, 0.0
        for _ in range(7):
            arrived = arrived + at @ to_items
            at = (1 - restart) * at @ to_items @ to_hubs + restart * home
        expected = (arrived * np.maximum(matrix.sum(0), 1) ** -beta)[:, span]
        assert model.score(domain, model.catalogue.user_ids) == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_on_disjoint_graphs_and_fitted_alone_cold_users_get_no_score(split: Split) -> None:
    for baseline in (ItemKNN, PersonalisedPageRank):
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


@pytest.mark.parametrize("combine", ["same_as_edges", "collapse"])
@pytest.mark.parametrize(
    "baseline", [ItemKNN(), PersonalisedPageRank(), PersonalisedPageRank(fact_weight=1.0)], ids=repr
)
def test_the_checkerboard_has_an_exact_answer(
    baseline: ItemKNN | PersonalisedPageRank, combine: str, board_split: Split
) -> None:
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


@pytest.mark.parametrize("baseline", [ItemKNN(), PersonalisedPageRank()], ids=repr)
def test_with_shuffled_links_the_checkerboard_falls_to_chance(
    baseline: ItemKNN | PersonalisedPageRank, board_split: Split
) -> None:
    links = propose_links(board_split, BRIDGES)
    values = []
    for seed in range(16):
        graph = build_graph(board_split, shuffle_links(links, np.random.default_rng(seed)))
        model = baseline.fit(graph, board_split)
        values.append(evaluate({"m": model}, board_split, EvaluationConfig(k=4)).value("m", "recall@4", "films"))
    assert abs(np.mean(values) - 0.5) < 3 * np.std(values) / 16**0.5
    assert np.std(values) / 16**0.5 < 0.08, "so many draws that chance can be told from the exact answer"


def test_facts_reach_across_domains_that_share_no_user() -> None:
    board = checkerboard(12, 8, links=False)
    known = board.target.interactions
    some = known[known["user_id"] == "films-u0"]
    split = FixedFiles().split(pair_of(*board.domains, test={"films": {"films-u0": " ".join(some["item_id"])}}))
    users = list(board.source.users["user_id"])
    graph = graph_of(split)
    model = PersonalisedPageRank(fact_weight=1.0).fit(graph, split)
    top = model.recommend(users, n=4)
    assert all(block_of(row.user_id) == block_of(row.item_id) for row in top.itertuples())
    assert not PersonalisedPageRank(fact_weight=0.0).fit(graph, split).score("films", users).any()
    without_links = build_graph(split, propose_links(split, []))
    assert not PersonalisedPageRank(fact_weight=1.0).fit(without_links, split).score("films", users).any()


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
        assert scores == pytest.approx(one_by_one, rel=1e-5)
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
