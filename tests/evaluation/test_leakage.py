from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import process_time

import numpy as np
import pandas as pd
import pytest

from graph_schema import InputError
from graph_schema.tables import IDENTITY, LIKENESS
from kgxfer.bridges import BehaviourTwins, propose_links, shuffle_links
from kgxfer.bridges.links import link_table
from kgxfer.bridges.review import REVIEWED
from kgxfer.evaluation.leakage import Kind, assert_clean, check_leakage
from kgxfer.graph import COMBINATIONS, build_graph
from kgxfer.splits import SPLITS, ColdStartUsers, FixedFiles, Split, cross_fit, keep_overlap
from kgxfer.splits.split import labelled_interactions
from loaders import CrossDomainDataset, DomainTables, load, pair
from tests.evaluation.leaking_worlds import (
    RATED,
    TELEVISION,
    WORLDS,
    Counted,
    Run,
    built,
    copies,
    copies_by_link,
    data_set,
    edges_of,
    fact_table,
    honest,
    links_of_test_rows,
    similar,
    split_of,
    television,
    with_rows,
)

Load = Callable[[str], CrossDomainDataset]


@pytest.mark.parametrize("name", WORLDS)
def test_a_leak_is_caught_and_named_and_fails_the_run(name: str) -> None:
    kind, leak = WORLDS[name]
    run = leak()
    found = run.check()
    assert {finding.kind for finding in found} == {kind}, [str(finding) for finding in found]
    assert all(finding.count > 0 and "\n" not in finding.message for finding in found)
    if kind == Kind.CHOSEN_ON_TEST_USERS:
        assert [finding.severity for finding in assert_clean(run.split, run.graph, run.links)] == ["warning"]
        return
    with pytest.raises(InputError, match=f"the run leaks \\({kind}\\); ") as caught:
        assert_clean(run.split, run.graph, run.links, run.models)
    assert "\n" not in str(caught.value)


def test_every_kind_has_a_world() -> None:
    assert {kind for kind, _ in WORLDS.values()} == set(Kind)


def test_several_kinds_are_all_named() -> None:
    split = with_rows(honest().split, test=pd.concat([honest().split.test, honest().split.test.iloc[:2]]))
    with pytest.raises(InputError, match="rows in the graph.*, repeated rows|repeated rows.*rows in the graph"):
        assert_clean(split, edges_of(RATED).graph)


def test_counts_by_hand() -> None:
    assert [finding.count for finding in edges_of(RATED, count=3).check()] == [3]
    cold = WORLDS["cold user in training"][1]().check()
    assert [(finding.count, finding.where) for finding in cold] == [(3, "train")]
    assert cold[0].message.startswith("3 of 20 cold-start users have training rows")
    chosen = WORLDS["choosing on test users"][1]().check()
    assert [finding.count for finding in chosen] == [20]


# --- clean runs


@pytest.mark.parametrize("combine", ["same_as_edges", "collapse"])
@pytest.mark.parametrize("protocol", [name for name in SPLITS if name != "fixed_files"])
def test_honest_runs_are_not_accused(protocol: str, combine: str) -> None:
    split = SPLITS[protocol]().split(data_set(), rng=0)
    run = built(split, combine)
    assert errors(run) == []
    shuffled = shuffle_links(run.links, np.random.default_rng(0))
    assert errors(Run(split, build_graph(split, shuffled, combine), shuffled)) == []
    assert errors(Run(split)) == []


def errors(run: Run) -> list[str]:
    return [str(finding) for finding in run.check() if finding.severity == "error"]


def test_the_usual_run_has_nothing_to_say() -> None:
    assert honest().check() == []
    assert check_leakage(honest().split) == []


def test_after_a_refit_the_validation_rows_may_be_learned_from() -> None:
    split = honest().split
    assert built(split.for_refit()).check() == []
    assert replace(built(split.for_refit()), links=honest().links).check() == []


def test_cross_fitting_and_a_smaller_overlap_are_clean() -> None:
    run = WORLDS["choosing on test users"][1]()
    for half in cross_fit(run.split, rng=0):
        assert built(half).check() == []
    assert built(keep_overlap(honest().split, 0.2, rng=0)).check() == []


@pytest.mark.parametrize("columns", [4, 3, 2])
@pytest.mark.parametrize("by_appearance", [False, True])
def test_equal_item_numbers_in_both_domains_are_no_common_events(columns: int, by_appearance: bool) -> None:
    """Each domain numbers its items from 0, at random or as its users come to them; equal ids mean nothing."""
    tables = []
    for data, name in zip(data_set().domains, ("first", "second"), strict=True):
        numbers = data.interactions["item_id"].str[1:].astype(int)
        ids = pd.factorize(numbers)[0] if by_appearance else numbers
        rows = data.interactions.assign(item_id=ids).iloc[:, :columns]
        tables.append(DomainTables.from_frames(name, rows, item_type="Movie"))
    assert built(split_of(pair("numbers", *tables))).check() == []


def test_an_event_twice_in_training_is_warned_of() -> None:
    run = copies(4, renamed=False)
    copied = [f"u{user}" for user in range(10)]
    split = with_rows(run.split, test=run.split.test[~run.split.test["user_id"].isin(copied)])
    assert {(finding.kind, finding.severity) for finding in check_leakage(split)} == {(Kind.SAME_EVENT, "warning")}


def test_facts_of_content_or_of_training_rows_are_clean() -> None:
    assert similar(television("train")).check() == []
    assert similar(television("train"), least=2).check() == []
    numbers = np.arange(30)
    alike = fact_table([f"t{n}" for n in numbers], "SIMILAR_TO", [f"t{n + 30}" for n in numbers], "Movie", "Movie")
    assert built(split_of(data_set(alike))).check() == []
    friends = fact_table([f"u{n}" for n in numbers], "KNOWS", [f"u{n + 30}" for n in numbers], "User", "User")
    assert built(split_of(data_set(friends))).check() == []


def test_figures_of_training_rows_are_clean() -> None:
    train = television("train")
    counts = train.groupby("item_id").size().rename("popularity").reset_index()
    assert built(split_of(data_set(more=counts))).check() == []
    assert replace(honest(), models={"counts": Counted(honest().split, honest().split.train)}).check() == []


def test_loose_twins_of_training_rows_are_clean() -> None:
    links = BehaviourTwins(minimum_jaccard=0.1).links(honest().split)
    assert len(links) > 10
    assert replace(honest(), links=links, graph=None).check() == []


def test_a_bridge_that_joins_strangers_is_its_own_doing() -> None:
    split = honest().split
    warm = split.train.loc[split.train["domain"] == TELEVISION, "user_id"].unique()[:5]
    wrong = link_table(split.cold_users["user_id"].iloc[:5], warm, "User", 1.0, "fuzzy_name", "alike")
    links = pd.concat([propose_links(split, ["shared_id"]), wrong], ignore_index=True)
    for combine in COMBINATIONS:
        assert Run(split, build_graph(split, links, combine), links).check() == []


def test_collapsed_twins_do_not_make_test_edges() -> None:
    """A user trains on the one id of a thing and is tested on the other: the bridge's doing."""
    split = honest().split
    seen = split.train[split.train["domain"] != TELEVISION].merge(split.test, on="user_id")
    pairs = seen.drop_duplicates("item_id_x").drop_duplicates("item_id_y")
    links = link_table(pairs["item_id_x"], pairs["item_id_y"], "Movie", 1.0, "text", "alike").iloc[:4]
    every = pd.concat([propose_links(split, ["shared_id"]), links], ignore_index=True)
    assert Run(split, build_graph(split, every, "collapse"), every).check() == []


def test_who_takes_two_alike_things_at_once_has_no_copies() -> None:
    for relation, kinds in ((IDENTITY, [Kind.SAME_EVENT]), (LIKENESS, [])):
        split = copies_by_link(relation).split
        assert [finding.kind for finding in check_leakage(split, links=split.train_links)] == kinds


@pytest.mark.parametrize("method", ["fuzzy_name", "fuzzy_name" + REVIEWED, "text_neighbours"])
def test_links_by_names_and_texts_are_taken_at_their_word(method: str) -> None:
    """Nobody has to have taken both in training for a name to be the same; that a person agreed changes nothing."""
    assert links_of_test_rows(method=method).check() == []


@pytest.mark.parametrize("combine", COMBINATIONS)
def test_the_checkerboard_is_clean(combine: str, board_split: Split) -> None:
    assert built(board_split, combine).check() == []


def test_the_case_study_is_clean() -> None:
    split = ColdStartUsers().split(load("case-study", seed=1), rng=0)
    assert built(split).check() == []


@pytest.mark.real_data
@pytest.mark.parametrize("protocol", [name for name in SPLITS if name != "fixed_files"])
def test_films_by_genre_are_clean(protocol: str, loaded: Load) -> None:
    assert errors(built(SPLITS[protocol]().split(loaded("movielens-genres"), rng=0))) == []


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "cold", "chosen_on"), [("cdrib-game-video", 428, 199 + 209), ("cdrib-cloth-sport", 1804, 832 + 827)]
)
def test_published_files_are_clean_but_for_choosing_on_the_test_users(
    name: str, cold: int, chosen_on: int, loaded: Load
) -> None:
    found = built(FixedFiles().split(loaded(name))).check()
    assert [(finding.kind, finding.severity, finding.count) for finding in found] == [
        (Kind.CHOSEN_ON_TEST_USERS, "warning", chosen_on)
    ]
    assert found[0].message.startswith(f"{chosen_on} of {cold} cold-start users")


@pytest.mark.slow
def test_a_million_rows_take_seconds() -> None:
    generator = np.random.default_rng(0)
    tables = []
    for name in ("first", "second"):
        rows = pd.DataFrame(
            {"user_id": generator.integers(0, 60_000, 520_000), "item_id": generator.integers(0, 40_000, 520_000)}
        ).drop_duplicates()[:500_000]
        ids = rows["item_id"].unique()
        facts = fact_table(ids.astype(str), "SIMILAR_TO", generator.permutation(ids).astype(str), "Product", "Product")
        rows = rows.assign(rating=1.0, timestamp=generator.integers(1, 10**9, len(rows)))
        tables.append(DomainTables.from_frames(name, rows, item_type="Product", facts=facts))
    split = ColdStartUsers().split(pair("large", *tables), rng=0)
    assert len(labelled_interactions(split.dataset)) == 1_000_000
    links = propose_links(split, ["shared_id", "behaviour_twins"])
    graph = build_graph(split, links)
    clock = process_time()
    assert check_leakage(split, graph, links, {"counts": Counted(split, split.train)}) == []
    assert process_time() - clock < 10
