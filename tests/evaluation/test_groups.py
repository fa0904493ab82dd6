"""Groups of rows: each label from its definition, and the figures of each group from its rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kgxfer.bridges.links import link_table
from kgxfer.evaluation import ALL_ROWS, TWIN_ROWS, EvaluationConfig, evaluate
from kgxfer.evaluation.groups import (
    GROUPINGS,
    Grouped,
    bridge_of_user,
    history_length,
    kind_of_user,
    popularity_of_item,
)
from kgxfer.splits import Split
from tests.evaluation.scored import Scored, of_rows, twin_world
from tests.worlds import split_of

SOURCE = {"ann": "b1", "bob": "b1 b2", "cem": "b1 b2 b3", "dee": "b1"}
TARGET = {"ann": "f1", "bob": "f1 f2", "cem": "f1", "dee": "f1 f2", "eve": "f2 f3", "fay": "f1 f2"}
TEST = {"films": {"ann": "f1", "bob": "f2 f1", "cem": "f1", "dee": "f2", "eve": "f3"}}


@pytest.fixture
def split() -> Split:
    """ann, bob and cem are cold in films, with one, two and three books; dee keeps f1 and eve f2."""
    return split_of(SOURCE, TARGET, TEST)


def labels(group: object, split: Split, links: pd.DataFrame | None = None) -> dict[str, str]:
    rows = split.rows("test", "films")[["user_id", "item_id"]].reset_index(drop=True)
    assert callable(group)
    found = group(Grouped(rows, split, "films", links))
    return dict(zip(rows["user_id"] + " " + rows["item_id"], found, strict=True))


def test_cold_start_users_have_no_training_row_here(split: Split) -> None:
    found = labels(kind_of_user, split)
    assert {row for row, label in found.items() if label == "warm users"} == {"dee f2", "eve f3"}
    assert set(found.values()) == {"warm users", "cold-start users"}


def test_histories_are_thirds_of_the_users_cold_and_warm_apart(split: Split) -> None:
    found = labels(history_length, split)
    assert [found[row] for row in ("ann f1", "bob f1", "bob f2", "cem f1")] == [
        "short history", "medium history", "medium history", "long history",
    ]  # fmt: skip
    # dee has one book and one film, eve one film.
    assert (found["eve f3"], found["dee f2"]) == ("short history", "long history")


def test_head_and_tail_items_hold_a_fifth_of_the_interactions_each() -> None:
    films = {f"u{user}": "f1 f2 f3 f4" if user == 0 else "f1 f2" if user < 4 else "f1" for user in range(8)}
    split = split_of({"t": "b1", "u0": "b1"}, {**films, "t": "f1 f2 f3 f9"}, {"films": {"t": "f1 f2 f3 f9"}})
    # Counts 8, 4, 1, 1: f1 begins at 0, f2 at 8/14, f3 at 12/14; f9 has no training row.
    assert labels(popularity_of_item, split) == {
        "t f1": "head items", "t f2": "middle items", "t f3": "tail items", "t f9": "tail items",
    }  # fmt: skip


def test_bridges_are_named_where_the_links_are_given(split: Split) -> None:
    assert {row for row, label in labels(bridge_of_user, split).items() if label == "users without link"} == {"eve f3"}
    links = [
        link_table([user], [user], kind, 1.0, method, "")
        for user, kind, method in (("ann", "User", "shared_id"), ("bob", "User", "same_name"), ("eve", "Movie", ""))
    ]
    found = labels(bridge_of_user, split, pd.concat(links))
    assert found["ann f1"] == "users linked by shared_id"
    assert found["bob f2"] == "users linked by same_name"
    assert found["eve f3"] == found["cem f1"] == "users without link"


def test_nobody_is_linked_where_no_link_is_one_of_users(split: Split) -> None:
    links = link_table(["b1"], ["f1"], "Item", 1.0, "same_name", "")
    for table in (links, links.iloc[:0]):
        assert set(labels(bridge_of_user, split, table).values()) == {"users without link"}


def test_figures_of_a_group_are_those_of_its_rows(split: Split) -> None:
    def only_f1(domain: str, user: str, item: str) -> float:
        return float(item == "f1")

    settings = EvaluationConfig(k=1, groups=True, sampled_negatives=2)
    report = evaluate({"m": Scored(split, only_f1)}, split, settings)
    # f1 is first for the cold users, each of whom has a row for it; bob's other row is not in the group of f1.
    assert report.value("m", "recall@1", "films", "cold-start users") == pytest.approx((1 + 1 / 2 + 1) / 3)
    assert report.value("m", "recall@1", "films", "head items") == 1
    assert report.value("m", "recall@1", "films", "warm users") == pytest.approx((1 / 2 + 0) / 2, abs=0.26)
    count = report.figures.query("group == 'head items' and metric == 'ndcg@1'")["count"]
    assert count.tolist() == [3]
    assert set(GROUPINGS) <= set(report.rows["m"]["films"].columns)
    whole = report.figures[report.figures["average"] == "per row"].set_index(["group", "metric"])
    for name in GROUPINGS:
        parts = report.rows["m"]["films"][name].unique()
        for metric in ("sampled_hr@1", "tie_share"):
            chosen = whole.loc[[(part, metric) for part in parts]]
            mean = np.average(chosen["value"], weights=chosen["count"])
            assert mean == pytest.approx(whole.loc[(ALL_ROWS, metric), "value"]), name


def test_twin_rows_are_a_group() -> None:
    split, pairs = twin_world()
    settings = EvaluationConfig(k=1, twins=True, groups=True)
    report = evaluate({"m": Scored(split, of_rows(split.test))}, split, settings, pairs)
    assert report.figures.query("group == @TWIN_ROWS and metric == 'hr@1'")["count"].tolist() == [1]
    assert TWIN_ROWS not in set(evaluate({"m": Scored(split, of_rows(split.test))}, split).figures["group"])
