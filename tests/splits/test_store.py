from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer.splits import ColdStartUsers, load_split, save_split
from tests.worlds import checkerboard

BOARD = checkerboard(16, 4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_split(ColdStartUsers().split(BOARD), tmp_path / "frozen")
    return tmp_path / "frozen"


def message_of(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_split(folder, BOARD)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_manifest_says_what_the_split_is(folder: Path) -> None:
    split = ColdStartUsers().split(BOARD)
    manifest = json.loads((folder / "split.json").read_text())
    assert manifest["data"] == {"name": "checkerboard", "fingerprint": BOARD.fingerprint}
    assert manifest["fingerprint"] == split.fingerprint
    assert manifest["tables"]["test"]["rows"] == len(split.test)
    assert sorted(manifest["tables"]) == ["cold_users", "test", "train", "train_links", "valid"]


def test_a_fingerprint_changes_with_every_table_and_word() -> None:
    split = ColdStartUsers().split(BOARD)
    others = [
        ColdStartUsers().split(BOARD, rng=1),
        split.for_refit(),
        ColdStartUsers().split(checkerboard(16, 6)),
        ColdStartUsers(pseudo_cold_share=0).split(BOARD),
    ]
    assert len({split.fingerprint, *(other.fingerprint for other in others)}) == 5


def test_another_data_set_is_refused(folder: Path) -> None:
    other = checkerboard(16, 6)
    with pytest.raises(InputError) as caught:
        load_split(folder, other)
    assert str(caught.value) == (
        f'the split in "{folder}" divides data set "checkerboard" with fingerprint {BOARD.fingerprint[:12]}, not '
        f'"checkerboard" with {other.fingerprint[:12]}; load the data that it was made from'
    )


def test_a_moved_row_is_noticed(folder: Path) -> None:
    train = pd.read_parquet(folder / "train.parquet")
    train.loc[0, "item_id"] = "f3"
    train.to_parquet(folder / "train.parquet")
    assert message_of(folder) == (
        f'the split in "{folder}" is damaged (the content of train.parquet is not what split.json promises); restore '
        "the folder or make the split again"
    )


@pytest.mark.parametrize("name", ["train", "cold_users"])
def test_cut_off_and_lost_files_are_noticed(folder: Path, name: str) -> None:
    path = folder / f"{name}.parquet"
    path.write_bytes(path.read_bytes()[:-50])
    assert "is damaged" in message_of(folder)
    path.unlink()
    assert "is damaged" in message_of(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 9}, "has format 9, this version reads 1; make the split again"),
        ({"protocol": "leave-one-out"}, "is damaged (the whole is not what split.json promises)"),
        ({"validation": "rows of the test users"}, "is damaged (the whole is not what split.json promises)"),
        ({"validation": "nobody"}, 'is damaged (validation is "nobody")'),
        ({"tables": {}}, "is damaged"),
        ({"tables": []}, "is damaged"),
        ({"data": "checkerboard"}, "is damaged"),
    ],
)
def test_a_changed_manifest_is_noticed(folder: Path, changes: dict[str, Any], message: str) -> None:
    manifest = json.loads((folder / "split.json").read_text())
    (folder / "split.json").write_text(json.dumps(manifest | changes))
    assert message in message_of(folder)


def test_no_manifest_and_no_json(folder: Path) -> None:
    (folder / "split.json").write_text("{")
    assert "is damaged" in message_of(folder)
    (folder / "split.json").unlink()
    assert message_of(folder) == (
        f'"{folder}" holds no frozen split (no split.json); give a folder that save_split wrote'
    )


def test_a_folder_is_not_written_over(folder: Path) -> None:
    with pytest.raises(InputError, match="exists already; give another folder or remove it"):
        save_split(ColdStartUsers().split(BOARD), folder)
