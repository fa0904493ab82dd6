from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

import loaders
from graph_schema import InputError
from kgxfer.bridges import twin_pairs
from kgxfer.splits import FixedFiles
from loaders import CrossDomainDataset
from loaders.public.disencdr import ELECTRONIC_PHONE, PAIRS, DisencdrPair

Load = Callable[[str], CrossDomainDataset]

SMALL = DisencdrPair("sport", "cloth", common_users=2, size_bytes=0, counts={"overlapping_users": 2, "cloth.test": 1})
FILES = {
    "sport_cloth/train.txt": b"0\t3\t1\n1\t3\t1\n1\t0\t1\n",
    "sport_cloth/test.txt": b"0\t0\t1\n",
    "sport_cloth/test_original.txt": b"0\t0\t1\n1\t7\t1\n",
    "cloth_sport/train.txt": b"0\t0\t1\n1\t2\t1\n",
    "cloth_sport/test.txt": b"1\t0\t1\n",
    "cloth_sport/test_original.txt": b"0\t9\t1\n1\t0\t1\n",
}


def test_every_user_is_one_person_and_the_third_column_means_nothing() -> None:
    dataset = SMALL.parse(FILES)
    assert dataset.overlapping_users.tolist() == ["u0", "u1"]
    assert [list(tables.interactions.columns) for tables in dataset.domains] == [["user_id", "item_id"]] * 2
    assert dataset.source.interactions.to_numpy().tolist() == [["u0", "3"], ["u1", "3"], ["u1", "0"], ["u0", "0"]]
    assert {part: rows.to_numpy().tolist() for part, rows in dataset.fixed.items()} == {
        "test": [["sport", "u0", "0"], ["cloth", "u1", "0"]]
    }


def test_items_are_those_of_the_rows_that_are_loaded() -> None:
    assert SMALL.parse(FILES).source.items["item_id"].tolist() == ["0", "3"]
    original = replace(SMALL, test_file="test_original", counts={"cloth.test": 2}).parse(FILES)
    assert original.source.items["item_id"].tolist() == ["0", "3", "7"]
    assert original.fixed["test"].to_numpy().tolist()[2:] == [["cloth", "u0", "9"], ["cloth", "u1", "0"]]


def test_another_test_file_is_refused_with_the_choices() -> None:
    with pytest.raises(InputError) as caught:
        loaders.load("disencdr-sport-cloth", test="test_orignal")
    assert str(caught.value) == (
        'unknown value of option test of data set "disencdr-sport-cloth" "test_orignal"; did you mean "test_original"? '
        "choices: test, test_original"
    )


def test_the_origin_is_pinned_to_a_commit() -> None:
    assert ELECTRONIC_PHONE.files[2].url == (
        "https://raw.githubusercontent.com/cjx96/DisenCDR/4e6d60bad4d5185c99ab60423b48f87f88aa03a3/"
        "dataset/electronic_phone/test_original.txt"
    )
    assert [pair.name for pair in PAIRS] == [name for name in loaders.available() if name.startswith("disencdr")]


TWINS = {"sport-cloth": 2_380, "sport-phone": 131, "electronic-phone": 846, "electronic-cloth": 156}


@pytest.mark.real_data
@pytest.mark.parametrize("pair", TWINS)
def test_the_real_files_hold_what_their_protocol_says(pair: str, loaded: Load) -> None:
    dataset = loaded(f"disencdr-{pair}")
    people = dataset.overlapping_users
    assert people.tolist() == [f"u{number}" for number in range(len(people))]
    assert all(tables.users["user_id"].tolist() == people.tolist() for tables in dataset.domains)
    split = FixedFiles().split(dataset)
    assert split.cold_users.empty
    assert split.validation == "none"
    for domain in split.evaluated_domains:
        test, train = split.rows("test", domain), split.rows("train", domain)
        assert not test["user_id"].duplicated().any()
        assert test["item_id"].isin(train["item_id"]).all()
    assert len(twin_pairs(split)) == TWINS[pair]


@pytest.mark.real_data
def test_the_original_test_rows_are_one_per_user_and_hold_the_usual_ones(loaded: Load) -> None:
    usual = loaded("disencdr-sport-phone")
    original = loaders.load("disencdr-sport-phone", test="test_original")
    for tables in original.domains:
        rows, fewer = (
            data.fixed["test"][data.fixed["test"]["domain"] == tables.domain] for data in (original, usual)
        )
        assert sorted(rows["user_id"]) == sorted(tables.users["user_id"])
        assert len(fewer.merge(rows)) == len(fewer) < len(rows)
