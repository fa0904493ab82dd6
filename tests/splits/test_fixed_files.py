from __future__ import annotations

import re

import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer.splits import FixedFiles
from tests.worlds import checkerboard, domain_of, pair_of

BOOKS = domain_of("books", "Book", {"ann": "b1 b2", "bob": "b1", "cem": "b2", "dee": "b1"})
FILMS = domain_of("films", "Movie", {"ann": "f1 f2 f3", "bob": "f1 f2", "cem": "f2 f3", "eve": "f3"})


def cells(rows: pd.DataFrame) -> list[str]:
    return [f"{row.domain} {row.user_id} {row.item_id}" for row in rows.itertuples()]


def test_parts_are_those_of_the_files_and_everything_else_is_training() -> None:
    dataset = pair_of(
        BOOKS, FILMS, test={"films": {"bob": "f2 f1"}}, valid={"films": {"ann": "f3"}, "books": {"cem": "b2"}}
    )
    split = FixedFiles().split(dataset)
    assert cells(split.test) == ["films bob f1", "films bob f2"]
    assert cells(split.valid) == ["books cem b2", "films ann f3"]
    assert cells(split.train) == [
        "books ann b1",
        "books ann b2",
        "books bob b1",
        "books dee b1",
        "films ann f1",
        "films ann f2",
        "films cem f2",
        "films cem f3",
        "films eve f3",
    ]
    assert split.cold_users.to_numpy().tolist() == [["films", "bob"]]
    assert split.validation == "rows of the test users"
    assert split.protocol == "fixed files"
    assert split.evaluated_domains == ["films"]
    assert split.train_links is dataset.links


def test_a_row_in_both_parts_is_a_test_row() -> None:
    split = FixedFiles().split(pair_of(BOOKS, FILMS, test={"films": {"bob": "f1"}}, valid={"films": {"bob": "f1 f2"}}))
    assert cells(split.valid) == ["films bob f2"]
    assert cells(split.test) == ["films bob f1"]


def test_tested_users_with_training_rows_are_not_cold() -> None:
    split = FixedFiles().split(pair_of(BOOKS, FILMS, test={"films": {"ann": "f1", "bob": "f1 f2"}}))
    assert split.cold_users.to_numpy().tolist() == [["films", "bob"]]
    assert split.validation == "none"


def test_equal_pairs_of_two_domains_are_two_rows() -> None:
    one, two = domain_of("one", "Product", {"u": "1", "v": "1"}), domain_of("two", "Product", {"u": "1", "v": "1"})
    split = FixedFiles().split(pair_of(one, two, test={"two": {"u": "1"}}))
    assert cells(split.train) == ["one u 1", "one v 1", "two v 1"]


def test_a_data_set_without_files_is_refused_with_the_other_way() -> None:
    with pytest.raises(InputError) as caught:
        FixedFiles().split(checkerboard())
    assert str(caught.value) == (
        'data set "checkerboard" comes without fixed files; use the split "cold_start_users" instead'
    )


def test_an_empty_test_part_is_refused() -> None:
    dataset = pair_of(BOOKS, FILMS, test={"films": {}})
    with pytest.raises(InputError, match="fixed files: the test set has no relevant row; hold out more users or lower"):
        FixedFiles().split(dataset)


def test_test_rows_below_the_threshold_are_no_test() -> None:
    films = domain_of("films", "Movie", {"ann": "f1:5", "bob": "f1:1"})
    books = domain_of("books", "Book", {"ann": "b1:5", "bob": "b1:5"})
    with pytest.raises(InputError, match="the test set has no relevant row"):
        FixedFiles().split(pair_of(books, films, test={"films": {"bob": "f1"}}, positive_from=3))


def test_a_domain_without_training_rows_is_refused() -> None:
    every = {"ann": "f1 f2 f3", "bob": "f1 f2", "cem": "f2 f3", "eve": "f3"}
    with pytest.raises(InputError, match='fixed files: domain "films" keeps no training row; hold out less'):
        FixedFiles().split(pair_of(BOOKS, FILMS, test={"films": every}))


def test_wrong_settings_are_one_clear_line() -> None:
    with pytest.raises(InputError, match=re.escape("split fixed_files, key choose_on: input should be 'files', ")):
        FixedFiles(choose_on="file")
