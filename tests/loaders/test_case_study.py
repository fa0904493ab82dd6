from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

import loaders
from graph_schema import InputError
from loaders.synthetic.case_study import CaseStudyConfig, World, generate

SEEDS = range(10)


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return [generate(CaseStudyConfig(seed=seed)) for seed in SEEDS]


def interactions_of(world: World) -> np.ndarray:
    """Users times items of the target, 1 where there is an interaction."""
    target = world.dataset.target
    matrix = np.zeros((len(target.users), len(target.items)))
    rows = pd.Index(target.users["user_id"]).get_indexer(target.interactions["user_id"])
    columns = pd.Index(target.items["item_id"]).get_indexer(target.interactions["item_id"])
    matrix[rows, columns] = 1
    return matrix


def ndcg_at_10(scores: np.ndarray, relevant: np.ndarray) -> float:
    """Mean over users, all items ranked; the ideal gain is that of min(number of relevant, 10) items."""
    discounts = 1 / np.log2(np.arange(10) + 2)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    gains = (np.take_along_axis(relevant, best, axis=1) * discounts).sum(axis=1)
    ideal = np.cumsum(discounts)[np.minimum(relevant.sum(axis=1), 10).astype(int) - 1]
    return float((gains / ideal).mean())


def keyword_counts(facts: pd.DataFrame, heads: pd.Series, keywords: pd.Index) -> np.ndarray:
    told = facts[facts["relation"] == "HAS_KEYWORD"]
    matrix = np.zeros((len(heads), len(keywords)))
    np.add.at(matrix, (pd.Index(heads).get_indexer(told["head_id"]), keywords.get_indexer(told["tail_id"])), 1)
    return matrix


def content_scores(world: World) -> np.ndarray:
    """Scores for the target's users by the keywords of what they chose in the source, and by nothing else."""
    source, target = world.dataset.domains
    keywords = pd.Index(pd.concat([source.facts["tail_id"], target.facts["tail_id"]]).unique())
    of_source = keyword_counts(source.facts, source.items["item_id"], keywords)
    of_target = keyword_counts(target.facts, target.items["item_id"], keywords)
    profiles = np.zeros((len(target.users), len(keywords)))
    users = pd.Index(target.users["user_id"]).get_indexer(source.interactions["user_id"])
    items = pd.Index(source.items["item_id"]).get_indexer(source.interactions["item_id"])
    np.add.at(profiles, users[users >= 0], of_source[items[users >= 0]])
    scores: np.ndarray = profiles @ (of_target / of_target.sum(axis=1, keepdims=True)).T
    return scores


def test_the_sizes_are_the_case_studys(worlds: list[World]) -> None:
    for world in worlds:
        source, target = world.dataset.domains
        assert (source.domain, len(source.users), len(source.items)) == ("e-commerce", 1_000, 10_000)
        assert (target.domain, len(target.users), len(target.items)) == ("online-education", 50, 500)
        assert (len(source.interactions), len(target.interactions)) == (10_000, 500)
        assert (source.item_type, target.item_type) == ("Product", "Course")


def test_every_user_has_something_and_overlapping_users_have_a_history(worlds: list[World]) -> None:
    for world in worlds:
        source, target = world.dataset.domains
        counts = source.interactions["user_id"].value_counts()
        assert len(counts) == 1_000
        assert counts[world.dataset.overlapping_users].min() >= 5
        assert target.interactions["user_id"].nunique() == 50


@pytest.mark.parametrize(("overlap", "expected"), [(0.0, 0), (0.3, 15), (0.5, 25), (1.0, 50)])
def test_the_overlap_is_the_share_of_the_targets_users(overlap: float, expected: int) -> None:
    dataset = generate(CaseStudyConfig(seed=4, overlap=overlap)).dataset
    assert len(dataset.overlapping_users) == expected
    assert len(dataset.target.users) == 50
    assert len(dataset.source.users) == 1_000


def test_the_overlap_changes_neither_items_nor_their_facts() -> None:
    half, whole = (generate(CaseStudyConfig(seed=4, overlap=overlap)).dataset for overlap in (0.5, 1.0))
    for one, other in zip(half.domains, whole.domains, strict=True):
        pd.testing.assert_frame_equal(one.items, other.items)
        pd.testing.assert_frame_equal(one.facts, other.facts)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(worlds: list[World]) -> None:
    again = generate(CaseStudyConfig(seed=3))
    assert again.dataset.fingerprint == worlds[3].dataset.fingerprint
    assert again.oracle.tobytes() == worlds[3].oracle.tobytes()
    assert loaders.load("case-study", seed=3).fingerprint == worlds[3].dataset.fingerprint
    assert len({world.dataset.fingerprint for world in worlds}) == len(worlds)


def test_the_oracle_is_a_probability_in_the_order_of_the_tables(worlds: list[World]) -> None:
    world = worlds[0]
    assert world.oracle.shape == (50, 500)
    assert np.allclose(world.oracle.sum(axis=1), 1)
    assert (world.oracle > 0).all()
    ids = world.dataset.target.users["user_id"].tolist()
    assert np.array_equal(world.oracle_scores([ids[7], ids[2]]), world.oracle[[7, 2]])
    assert world.oracle_scores([]).shape == (0, 500)


def test_the_oracle_refuses_strangers_and_cannot_be_changed(worlds: list[World]) -> None:
    with pytest.raises(InputError, match='unknown target user "nobody"'):
        worlds[0].oracle_scores([worlds[0].dataset.target.users["user_id"][0], "nobody"])
    with pytest.raises(ValueError, match="read-only"):
        worlds[0].oracle[0, 0] = 1


def test_the_oracle_ranks_three_times_as_well_as_popularity(worlds: list[World]) -> None:
    """Popularity is counted without the user's own rows, as for a cold-start user."""
    oracle, popularity = [], []
    for world in worlds:
        relevant = interactions_of(world)
        oracle.append(ndcg_at_10(world.oracle, relevant))
        popularity.append(ndcg_at_10(relevant.sum(axis=0) - relevant, relevant))
    assert np.mean(oracle) > 3 * np.mean(popularity)
    assert all(one > 2 * other for one, other in zip(oracle, popularity, strict=True))


def test_taste_crosses_over_through_keywords_and_not_when_people_are_shuffled(worlds: list[World]) -> None:
    crossed, shuffled, ceiling = [], [], []
    for world in worlds:
        relevant = interactions_of(world)
        scores = content_scores(world)
        crossed.append(ndcg_at_10(scores, relevant))
        shuffled.append(ndcg_at_10(np.roll(scores, 1, axis=0), relevant))
        ceiling.append(ndcg_at_10(world.oracle, relevant))
    assert np.mean(crossed) > 3 * np.mean(shuffled)
    assert np.mean(crossed) < np.mean(ceiling)


def test_interactions_follow_the_oracle() -> None:
    """Of the mass the oracle gives to the likeliest tenth of the items, the interactions have about as much."""
    config = CaseStudyConfig(seed=1, target_users=400, target_items=500, target_interactions=400)
    world = generate(config)
    relevant = interactions_of(world)
    order = np.argsort(-world.oracle, axis=1)[:, :50]
    promised = np.take_along_axis(world.oracle, order, axis=1).sum(axis=1).mean()
    kept = np.take_along_axis(relevant, order, axis=1).sum() / relevant.sum()
    assert abs(kept - promised) < 0.07


def test_keywords_tell_the_topic_and_categories_say_little(worlds: list[World]) -> None:
    config = CaseStudyConfig()
    told: dict[str, list[float]] = {"HAS_KEYWORD": [], "IN_CATEGORY": []}
    for world in worlds[:5]:
        source = world.dataset.source
        topics = pd.Series(world.source_topics, index=source.items["item_id"])
        for relation, agrees in told.items():
            facts = source.facts[source.facts["relation"] == relation]
            number = facts["tail_id"].str.split("-").str[1].astype(int).to_numpy()
            topic = topics[facts["head_id"]].to_numpy()
            right = number // config.keywords_per_topic == topic
            agrees.append((right if relation == "HAS_KEYWORD" else number == topic % config.categories).mean())
    assert np.mean(told["HAS_KEYWORD"]) == pytest.approx(1 - 0.15 * (1 - 1 / 20), abs=0.02)
    assert np.mean(told["IN_CATEGORY"]) == pytest.approx(0.2 + 0.8 / 12, abs=0.02)


def test_every_item_has_one_to_four_keywords_and_one_category(worlds: list[World]) -> None:
    for tables in worlds[0].dataset.domains:
        keywords = tables.facts[tables.facts["relation"] == "HAS_KEYWORD"]["head_id"].value_counts()
        categories = tables.facts[tables.facts["relation"] == "IN_CATEGORY"]["head_id"].value_counts()
        assert set(keywords.index) == set(categories.index) == set(tables.items["item_id"])
        assert keywords.between(1, 4).all()
        assert (keywords >= 2).mean() > 0.99
        assert categories.eq(1).all()


def test_both_domains_share_all_keywords_and_no_item(worlds: list[World]) -> None:
    source, target = worlds[0].dataset.domains
    keywords = [set(tables.facts.query("relation == 'HAS_KEYWORD'")["tail_id"]) for tables in (source, target)]
    assert len(keywords[0]) == 120
    assert keywords[1] == keywords[0]
    assert not set(source.items["item_id"]) & set(target.items["item_id"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"overlap": 1.5}, 'data set "case-study": option "overlap"=1.5: .* less than or equal to 1; change the value'),
        ({"seed": "x"}, 'option "seed"=x: .* valid integer'),
        ({"target_interactions": 10}, "online-education cannot have 10 interactions; choose from 50 to 6250"),
        ({"target_interactions": 7_000}, "online-education cannot have 7000 interactions; choose from 50 to 6250"),
        ({"source_interactions": 1_100}, "e-commerce cannot have 1100 interactions; choose from 1200 to 2500000"),
        ({"source_users": 40}, "50 overlapping users exceed the 40 source users"),
    ],
)
def test_a_world_that_cannot_be_is_refused_in_one_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        loaders.load("case-study", **options)
    assert "\n" not in str(caught.value)


def test_the_configuration_is_frozen_and_knows_its_names() -> None:
    with pytest.raises(ValidationError):
        CaseStudyConfig(topcs=3)  # type: ignore[call-arg]
    with pytest.raises(ValidationError):
        CaseStudyConfig().seed = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    "sizes",
    [
        {"source_users": 60, "source_items": 40, "source_interactions": 600},
        {"target_users": 2, "target_items": 10, "target_interactions": 5},
        {"topics": 2, "keywords_per_topic": 4, "categories": 1},
        {"overlap": 0.0, "source_users": 10, "source_interactions": 10},
    ],
)
def test_other_sizes_are_exact_too(sizes: dict[str, int]) -> None:
    config = CaseStudyConfig.model_validate({**sizes, "seed": 2})
    source, target = generate(config).dataset.domains
    assert len(source.interactions) == config.source_interactions
    assert len(target.interactions) == config.target_interactions


@pytest.mark.slow
def test_a_world_takes_less_than_a_second() -> None:
    seconds = []
    for seed in range(3):
        start = time.perf_counter()
        generate(CaseStudyConfig(seed=seed))
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1
