from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_schema import InputError
from kgxfer.audit import Listed, listed_model, read_recommendations
from kgxfer.evaluation.ranking import place_rows
from tests.worlds import SOURCE, TARGET, split_of

LIKES = {"ann": "f1 f2", "bob": "f2 f3", "cem": "f3 f4 f5 f6", "007": "NA f1"}
BOOKS = {"ann": "b1", "bob": "b1 b2", "cem": "b2", "007": "b1"}
SPLIT = split_of(BOOKS, LIKES, {TARGET: {"ann": "f1 f2", "bob": "f3"}})
ITEMS = ["NA", "f1", "f2", "f3", "f4", "f5", "f6"]


def model_of(*rows: tuple[str, str, float]) -> Listed:
    return listed_model(pd.DataFrame(rows, columns=["user_id", "item_id", "score"]), SPLIT, TARGET)


def test_listed_items_stand_above_all_others_which_are_tied() -> None:
    """Of 7 films ann has seen none; her list is f4, f1. f1 stands second, f2 is tied with the other five."""
    model = model_of(("ann", "f4", -1.0), ("ann", "f1", -2.0), ("bob", "f1", 3.0))
    rows = place_rows(model, SPLIT, "test", TARGET, k=2)[0].rows
    assert rows[["user_id", "item_id", "above", "tied", "candidates"]].to_numpy().tolist() == [
        ["ann", "f1", 1, 1, 7],
        ["ann", "f2", 2, 5, 7],
        ["bob", "f3", 1, 5, 6],  # f2 was seen in training
    ]


def test_scores_closer_than_single_precision_are_no_tie_and_equal_ones_are() -> None:
    scores = model_of(("ann", "f1", 1.0), ("ann", "f2", 1.0 + 1e-12), ("ann", "f3", 1e300), ("ann", "f4", 1.0))
    assert scores.score(TARGET, ["ann"]).tolist() == [[0, 1, 2, 3, 1, 0, 0]]


def test_users_without_a_list_and_the_other_domain_are_all_tied() -> None:
    model = model_of(("ann", "f1", 1.0))
    assert not model.score(TARGET, ["cem"]).any() and not model.score(SOURCE, ["ann"]).any()


@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from(ITEMS), st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_the_order_is_that_of_the_scores(scores: dict[str, float]) -> None:
    found = model_of(*(("ann", item, score) for item, score in scores.items())).score(TARGET, ["ann"])[0]
    for first, own in zip(ITEMS, found, strict=True):
        for second, other in zip(ITEMS, found, strict=True):
            expected = np.sign(scores.get(first, -np.inf) - scores.get(second, -np.inf)) if {first, second} & {
                *scores
            } else 0.0
            assert np.sign(own - other) == expected


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_both_kinds_of_file_keep_ids_as_they_are(tmp_path: Path, suffix: str) -> None:
    rows = pd.DataFrame({"user_id": ["007", "007"], "item_id": ["NA", "f2"], "score": [0.5, 0.25]})
    path = tmp_path / f"mine{suffix}"
    if suffix == ".csv":
        rows.to_csv(path, index=False)
    else:
        rows.to_parquet(path)
    said: list[str] = []
    model = read_recommendations(path, SPLIT, TARGET, said.append)
    assert model.score(TARGET, ["007"]).tolist() == [[2, 0, 1, 0, 0, 0, 0]]
    assert said == [f'file "{path}": 2 of 2 test users have no list, so that all items are tied for them']


def test_unknown_users_and_items_are_counted_and_said(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("user_id,item_id,score\nann,f1,1\nann,zzz,2\nstranger,f1,3\nbob,f3,1\nstranger,f2,1\n")
    said: list[str] = []
    read_recommendations(path, SPLIT, TARGET, said.append)
    assert said == [f'file "{path}": 1 unknown user and 1 unknown item, 3 of 5 rows left out']


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("user_id,item_id,score\nann,f1,1\nbob,f2,high\n", 'column "score", row 1: value "high" is not a number'),
        ("user_id,item_id,score\nann,f1,\n", 'column "score", row 0: value "" is not a number'),
        ("user_id,item_id,score\nann,f1,inf\n", 'column "score", row 0: value "inf" is infinite'),
        ("user_id,item_id,score\nann,f1,nan\n", 'column "score", row 0: value "nan" is not a number'),
        ("user_id,item_id,score\n,f1,1\n", 'column "user_id", row 0: value "" is an empty id'),
        ("user_id,item_id,score\nann,f1,1\nann,f1,2\n", "is already in row 0"),
        ("user,item_id,score\nann,f1,1\n", 'no column "user_id"'),
        ("user_id,item_id,score\nzoe,f1,1\n", 'no row of a user and an item of "films"'),
        ("user_id,item_id,score\n", 'no row of a user and an item of "films"'),
        ("", "cannot be read"),
        ('user_id,item_id,score\nann,"f1,1\n', "cannot be read"),
    ],
)
def test_mistakes_in_a_file_are_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_recommendations(path, SPLIT, TARGET)
    assert str(path) in str(caught.value) and words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("mine.tsv", b"x", "neither .csv nor .parquet"),
        ("absent.csv", None, "do not exist"),
        ("mine.parquet", b"no parquet", "cannot be read"),
        ("mine.csv", b"user_id,item_id,score\n\xff\xfe,f1,1\n", "cannot be read"),
    ],
)
def test_mistakes_about_a_file_are_named(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        read_recommendations(tmp_path / name, SPLIT, TARGET)
    assert "\n" not in str(caught.value)


def test_an_unknown_domain_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("user_id,item_id,score\nann,f1,1\n")
    with pytest.raises(InputError, match='did you mean "films"'):
        read_recommendations(tmp_path / "mine.csv", SPLIT, "film")


def test_the_split_is_what_it_seems() -> None:
    assert SPLIT.dataset.target.items["item_id"].tolist() == ITEMS
