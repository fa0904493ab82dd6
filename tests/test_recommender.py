from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer.recommender import RECOMMENDATION_COLUMNS, Catalogue, DomainVectors, Recommender
from kgxfer.splits import FixedFiles
from tests.worlds import domain_of, pair_of, split_of

SOURCE = {"ann": "b1 b2", "bob": "b1", "cem": "b2"}
TARGET = {"ann": "f1", "bob": "f2 f3", "cem": "f1 f2 f3 f4 f5", "dee": "f4 f5"}
ITEM_VALUES = {"f1": 5.0, "f2": 4.0, "f3": 3.0, "f4": 3.0, "f5": 1.0}


def recommender(sign: float = 1.0) -> Recommender:
    """Every user scores films as `ITEM_VALUES` says, but bob the other way round; ann is cold in films."""
    catalogue = Catalogue.of(split_of(SOURCE, TARGET, {"films": {"ann": "f1"}}))
    users = np.array([[-sign if user == "bob" else sign] for user in catalogue.user_ids], dtype=np.float32)
    items = np.array([[ITEM_VALUES[item]] for item in catalogue.items[1]["item_id"]], dtype=np.float32)
    books = DomainVectors(users, np.array([[1.0], [2.0]], dtype=np.float32), np.zeros(2, dtype=np.float32), 1.0)
    films = DomainVectors(users, items, np.full(5, 0.5, dtype=np.float32), 2.0)
    return Recommender(catalogue, (books, films), {"name": "by hand"})


def listed(table: pd.DataFrame) -> list[tuple[str, str, float, int]]:
    return list(zip(table["user_id"], table["item_id"], table["score"], table["rank"], strict=True))


def test_scores_are_scale_times_product_plus_offset() -> None:
    scores = recommender().score("films", ["ann", "bob"])
    assert scores.dtype == np.float32
    assert scores.tolist() == [[10.5, 8.5, 6.5, 6.5, 2.5], [-9.5, -7.5, -5.5, -5.5, -1.5]]
    assert recommender().score("books", ["cem"]).tolist() == [[1, 2]]
    assert recommender().manifest == {"name": "by hand"}


def test_an_unknown_user_has_no_score_rather_than_an_error() -> None:
    scores = recommender().score("films", ["nobody", "ann"])
    assert np.isnan(scores[0]).all()
    assert scores[1].tolist() == recommender().score("films", ["ann"])[0].tolist()
    assert recommender().score("films", []).shape == (0, 5)


def test_the_best_unseen_items_come_in_order_with_their_ranks() -> None:
    table = recommender().recommend(["bob", "ann"], n=3)
    assert tuple(table.columns) == RECOMMENDATION_COLUMNS
    # ann is cold: nothing is seen. f3 and f4 are tied and keep the order of the items. bob has seen f2 and f3.
    assert listed(table) == [
        ("bob", "f5", -1.5, 1),
        ("bob", "f4", -5.5, 2),
        ("bob", "f1", -9.5, 3),
        ("ann", "f1", 10.5, 1),
        ("ann", "f2", 8.5, 2),
        ("ann", "f3", 6.5, 3),
    ]
    assert listed(recommender().recommend(["ann"], n=4))[-1] == ("ann", "f4", 6.5, 4)


def test_where_fewer_are_unseen_fewer_are_recommended() -> None:
    table = recommender().recommend(["cem", "dee", "ann"], n=4)
    assert table["user_id"].value_counts().to_dict() == {"ann": 4, "dee": 3}
    assert recommender().recommend(["cem"]).empty
    assert len(recommender().recommend(["ann"], n=99)) == 5


def test_the_domain_may_be_chosen() -> None:
    # ann and cem have seen b2; dee is unknown there and gets both.
    table = recommender().recommend(["cem", "dee"], domain="books")
    assert listed(table) == [("cem", "b1", 1, 1), ("dee", "b2", 2, 1), ("dee", "b1", 1, 2)]


def test_the_size_of_blocks_changes_nothing() -> None:
    users = ["ann", "bob", "dee", "ann", "cem"]
    whole = recommender().recommend(users, n=3)
    pd.testing.assert_frame_equal(recommender().recommend(users, n=3, block=2), whole)
    assert whole["user_id"].tolist() == ["ann"] * 3 + ["bob"] * 3 + ["dee"] * 3 + ["ann"] * 3


def test_nobody_gets_nothing() -> None:
    table, some = recommender().recommend([]), recommender().recommend(["ann"])
    assert table.empty
    assert table.dtypes.tolist() == some.dtypes.tolist()
    assert tuple(table.columns) == RECOMMENDATION_COLUMNS


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"user_ids": ["ann", "anne"]}, 'unknown user "anne"; did you mean "ann"?'),
        (
            {"user_ids": ["ann"], "domain": "flims"},
            'unknown domain "flims"; did you mean "films"? choices: books, films',
        ),
        ({"user_ids": ["ann"], "n": 0}, "n is 0; ask for at least one recommendation per user"),
    ],
)
def test_input_that_cannot_be_served_is_one_clear_line(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        recommender().recommend(**arguments)


def test_the_catalogue_knows_every_user_once_and_only_training_rows_as_seen() -> None:
    catalogue = Catalogue.of(split_of(SOURCE, TARGET, {"films": {"ann": "f1"}}, valid={"films": {"bob": "f3"}}))
    assert catalogue.user_ids.tolist() == ["ann", "bob", "cem", "dee"]
    assert catalogue.seen[0].toarray().tolist() == [[True, True], [True, False], [False, True], [False, False]]
    assert catalogue.seen[1].toarray().astype(int).tolist() == [[0] * 5, [0, 1, 0, 0, 0], [1] * 5, [0, 0, 0, 1, 1]]
    assert (catalogue.domain_code("books"), catalogue.item_index(1)[0]) == (0, "f1")


def test_names_are_kept_for_people_to_read() -> None:
    books = domain_of("books", "Book", SOURCE, names={"b1": "Dune"})
    split = FixedFiles().split(pair_of(books, domain_of("films", "Movie", TARGET), test={"films": {"ann": "f1"}}))
    names = Catalogue.of(split).items[0]["name"]
    assert names[0] == "Dune"
    assert names.isna().tolist() == [False, True]
