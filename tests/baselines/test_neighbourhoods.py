from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from graph_schema import LINKS, InputError, validate
from kgxfer.baselines import (
    Content,
    ItemKNN,
    PersonalisedPageRank,
    Popularity,
    RecentPopularity,
    RP3Beta,
    UserKNN,
)
from kgxfer.bridges import propose_links
from kgxfer.graph import build_graph
from kgxfer.splits import FixedFiles, Split
from tests.baselines.dense import dense_facts, dense_matrix, graph_of, rows_for, scaled
from tests.worlds import block_of, checkerboard, domain_of, pair_of, split_of


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


@pytest.mark.parametrize("combine", ["same_as_edges", "collapse"])
def test_the_walk_takes_edges_between_items(combine: str) -> None:
    """Ann read one book, which is like one film that nobody but Bob saw; no person and no entity joins the domains."""
    links = pd.DataFrame({"source_id": ["b0"], "target_id": ["f0"], "node_type": ["Item"], "relation": ["SIMILAR_TO"]})
    links = validate(links.assign(confidence=1.0, method="hand", evidence=""), LINKS)
    books = domain_of("books", "Book", {"ann": "b0", "eve": "b1"})
    films = domain_of("films", "Movie", {"bob": "f0 f1", "cem": "f1 f2"})
    split = FixedFiles().split(pair_of(books, films, test={"films": {"cem": "f2"}}, links=links))
    model = PersonalisedPageRank(restart=(0.5,), beta=(0.0,), steps=2, fact_weight=1.0).fit(
        build_graph(split, links, combine), split
    )
    # Two arrivals: half of the walk leaves b0 by the likeness, half of that arrives at f0; restarts halve it.
    items = model.catalogue.items[1]["item_id"].tolist()
    scores = dict(zip(items, model.score("films", ["ann"])[0], strict=True))
    assert scores == pytest.approx({"f0": 0.5 * 0.5 * 0.5, "f1": 0.0, "f2": 0.0})
    assert not model.score("films", ["eve"]).any()


@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("beta", [-0.5, 0.25])
@pytest.mark.parametrize("combine", ["same_as_edges", "collapse"])
def test_user_knn_is_the_dense_cosine(split: Split, joint: bool, beta: float, combine: str) -> None:
    model = UserKNN(beta=(beta,), joint=joint).fit(graph_of(split, combine), split)
    matrix, people, columns = dense_matrix(split, joint)
    unit = matrix * scaled(np.sqrt(matrix.sum(1)))[:, None]
    sums = unit @ unit.T @ matrix * np.maximum(matrix.sum(0), 1) ** -beta
    for domain, span in columns.items():
        expected = sums[rows_for(model, split, domain, people, joint), span]
        assert model.score(domain, model.catalogue.user_ids) == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.0), (0.5, -0.5), (2.0, 0.3)])
def test_rp3beta_is_the_dense_walk(split: Split, joint: bool, alpha: float, beta: float) -> None:
    model = RP3Beta(alpha=(alpha,), beta=(beta,), joint=joint).fit(graph_of(split), split)
    matrix, people, columns = dense_matrix(split, joint)
    leave_user = (matrix * scaled(matrix.sum(1))[:, None]) ** alpha
    leave_item = ((matrix * scaled(matrix.sum(0))).T) ** alpha
    walked = leave_user @ leave_item @ leave_user * np.maximum(matrix.sum(0), 1) ** -beta
    for domain, span in columns.items():
        expected = walked[rows_for(model, split, domain, people, joint), span]
        assert model.score(domain, model.catalogue.user_ids) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_rp3beta_by_hand() -> None:
    # u likes a; v likes a and b: u -> a -> {u, v} with 1/2 each, v -> {a, b} with 1/2 each: b gets 1/4, a 3/4.
    split = split_of({"u": "b0", "v": "b1"}, {"u": "fa", "v": "fa fb", "w": "fc"}, test={"films": {"w": "fc"}})
    model = RP3Beta(alpha=(1.0,), beta=(1.0,), joint=False).fit(graph_of(split), split)
    a, b, _ = model.score("films", ["u"])[0].tolist()
    assert (a, b) == pytest.approx((3 / 4 / 2, 1 / 4))


def test_recent_popularity_halves_with_every_half_life(split: Split) -> None:
    model = RecentPopularity(half_life_days=(10.0,)).fit(graph_of(split), split)
    for domain in split.dataset.domains:
        rows = split.rows("train", domain.domain)
        expected = dict.fromkeys(domain.items["item_id"], 0.0)
        for row in rows.itertuples():
            expected[row.item_id] += 0.5 ** ((rows["timestamp"].max() - row.timestamp).days / 10)
        assert model.score(domain.domain, ["u0", "u9"])[1] == pytest.approx(list(expected.values()), rel=1e-6)
    counts = Popularity().fit(graph_of(split), split).score("films", ["u0"])
    forever = RecentPopularity(half_life_days=(1e9,)).fit(graph_of(split), split).score("films", ["u0"])
    assert forever == pytest.approx(counts, rel=1e-5)


def test_recent_popularity_needs_timestamps(split: Split, board_split: Split) -> None:
    for without in (board_split, replace(split, train=split.train.drop(columns="timestamp"))):
        with pytest.raises(InputError, match='recent_popularity: domain "books" has interactions without a timestamp'):
            RecentPopularity().fit(graph_of(without), without)
    missing = split.train["timestamp"].where(split.train["domain"] == "books")
    some = replace(split, train=split.train.assign(timestamp=missing))
    with pytest.raises(InputError, match='domain "films" has interactions without'):
        RecentPopularity().fit(graph_of(some), some)


@pytest.mark.parametrize("joint", [True, False])
def test_content_is_the_dense_cosine_of_weighted_entities(split: Split, joint: bool) -> None:
    model = Content(joint=joint).fit(graph_of(split), split)
    matrix, people, columns = dense_matrix(split, joint)
    entities = (dense_facts(split) > 0).T.astype(float)
    vectors = np.zeros_like(entities)
    for span in [slice(None)] if joint else columns.values():
        part = entities[span]
        vectors[span] = part * np.log(1 + len(part) / np.maximum(part.sum(0), 1))
    vectors *= scaled(np.sqrt((vectors**2).sum(1)))[:, None]
    profiles = matrix @ vectors
    profiles *= scaled(np.sqrt((profiles**2).sum(1)))[:, None]
    for domain, span in columns.items():
        expected = (profiles @ vectors.T)[rows_for(model, split, domain, people, joint), span]
        assert expected.max() <= 1 + 1e-9
        assert model.score(domain, model.catalogue.user_ids) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_content_needs_facts() -> None:
    split = split_of({"u": "b0 b1", "v": "b1"}, {"u": "f0 f1", "v": "f1"}, test={"films": {"v": "f1"}})
    with pytest.raises(InputError, match='content: data set "world" has no facts about items; add facts, or leave'):
        Content().fit(graph_of(split), split)
