from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import loaders
from graph_schema import InputError
from loaders import CrossDomainDataset, DataCard, DomainTables, pair
from loaders.cache import CACHE_VARIABLE, cache_folder, cached
from loaders.download import RemoteFile
from loaders.registry import DataSet, Registry

FILE = RemoteFile("folder", "rows.txt", "https://example.org/rows.txt", "")
CARD = DataCard("small", "Small", "https://example.org", {"rows.txt": "0"}, 12, "none", True, "nobody", {"links": 1})


class Loading:
    """A data set read from one file: who read what is the first item's name; `times` counts how often it was made."""

    def __init__(self, root: Path) -> None:
        self.root, self.times = root, 0
        self.write("Heat")

    def write(self, text: str) -> None:
        path = self.root / "folder" / "rows.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        stamp = path.stat() if path.exists() else None
        path.write_text(text)
        if stamp is not None:
            os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))

    def __call__(self, extra: object = None) -> CrossDomainDataset:
        self.times += 1
        return world((self.root / "folder" / "rows.txt").read_text(), extra)

    def again(self, **options: object) -> CrossDomainDataset:
        return cached("small", options, self.root, [FILE], (), lambda: self(options.get("extra")))


def world(name: str, extra: object = None) -> CrossDomainDataset:
    films = pd.DataFrame(
        {
            "item_id": ["1", "2", "3"], "item_type": "Movie", "name": [name, None, "黑客帝国"],
            "year": [1995, None, 1999],
            "shop_title": [None, "Two\t\"2\"\n", ""], "extra": [extra or "x", "x", 3 if extra else "x"],
        }
    )  # fmt: skip
    rows = pd.DataFrame(
        {
            "user_id": ["u1", "u2"], "item_id": ["3", "1"], "rating": [0.1, 5.0],
            "timestamp": ["1969-12-31T23:59:59.000001", "2024-02-29T12:00:00"],
        }
    )  # fmt: skip
    facts = pd.DataFrame(
        {
            "head_id": ["al pacino"], "head_type": "Person", "relation": "ACTED_IN", "tail_id": ["1"],
            "tail_type": "Movie", "head_name": ["Al Pacino"], "tail_name": [None],
        }
    )  # fmt: skip
    users = pd.DataFrame({"user_id": ["u1", "u2", "u3"]})
    source = DomainTables("films", "Movie", users, films, rows, facts, CARD)
    books = pd.DataFrame({"user_id": ["u2", "v"], "item_id": ["3", "b"], "rating": [1.5, 2.0]})
    target = DomainTables.from_frames("books", books, item_type="Book", card=CARD)
    links = pd.DataFrame(
        {
            "source_id": ["1"], "target_id": ["b"], "node_type": "Item", "confidence": 0.3, "method": "given",
            "evidence": [None], "relation": "SIMILAR_TO",
        }
    )  # fmt: skip
    fixed = {"test": pd.DataFrame({"domain": ["books"], "user_id": ["v"], "item_id": ["b"]})}
    return pair("small", source, target, links, positive_from=1.5, fixed=fixed)


@pytest.fixture
def loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loading:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return Loading(tmp_path / "data")


def entries() -> list[Path]:
    return sorted((cache_folder() / "small").iterdir())


def assert_same(one: CrossDomainDataset, other: CrossDomainDataset) -> None:
    assert one.fingerprint == other.fingerprint
    assert (one.name, one.positive_from, list(one.fixed)) == (other.name, other.positive_from, list(other.fixed))
    assert one.schema is other.schema
    pairs = [(one.links, other.links), *((one.fixed[part], other.fixed[part]) for part in one.fixed)]
    for first, second in zip(one.domains, other.domains, strict=True):
        assert (first.domain, first.item_type, first.card) == (second.domain, second.item_type, second.card)
        names = ("users", "items", "interactions", "facts")
        pairs += [(getattr(first, name), getattr(second, name)) for name in names]
    for left, right in pairs:
        pd.testing.assert_frame_equal(left, right, check_column_type=False)


def test_what_is_read_back_is_what_was_made(loading: Loading) -> None:
    fresh, kept = loading.again(), loading.again()
    assert loading.times == 1
    assert kept is not fresh
    assert kept.source.items["name"].iloc[2] == "黑客帝国"
    assert kept.source.items["year"].isna().tolist() == [False, True, False]
    assert_same(fresh, kept)


def test_a_file_of_equal_size_and_date_but_other_content_is_read_anew(loading: Loading) -> None:
    loading.again()
    loading.write("Heap")
    assert loading.again().source.items["name"].iloc[0] == "Heap"
    assert loading.times == 2
    loading.write("Heat")
    assert loading.again().source.items["name"].iloc[0] == "Heat"
    assert loading.times == 2


def test_options_are_kept_apart(loading: Loading) -> None:
    for options in ({}, {"seed": 1}, {"seed": True}, {"seed": "1"}, {"other": 1}):
        loading.again(**options)
    assert loading.times == 5
    assert loading.again(seed=1).fingerprint == loading.again().fingerprint
    assert loading.times == 5


def test_a_file_that_is_downloaded_while_loading_is_found_the_next_time(loading: Loading) -> None:
    path = loading.root / "folder" / "rows.txt"
    path.unlink()

    def fetch() -> CrossDomainDataset:
        loading.write("Heat")
        return loading()

    cached("small", {}, loading.root, [FILE], (), fetch)
    loading.again()
    assert loading.times == 1


def files_of_entry() -> list[str]:
    tables = ("users", "items", "interactions", "facts")
    sides = [f"{side}-{table}" for side in ("source", "target") for table in tables]
    return ["dataset.json", *(f"{name}.parquet" for name in ("links", "fixed-test", *sides))]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut, flip, Path.unlink])
@pytest.mark.parametrize("file", files_of_entry())
def test_a_damaged_entry_is_made_again(
    loading: Loading, file: str, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    fresh = loading.again()
    assert sorted(path.name for path in entries()[0].iterdir()) == sorted(files_of_entry())
    damage(entries()[0] / file)
    with caplog.at_level(logging.WARNING):
        assert_same(loading.again(), fresh)
    assert loading.times == 2
    assert 'made data set "small" again' in caplog.text
    assert_same(loading.again(), fresh)
    assert loading.times == 2


def test_another_version_of_the_code_makes_it_again_and_clears_up(
    loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading.again()
    loading.again(seed=1)
    assert len(entries()) == 2
    monkeypatch.setattr("loaders.cache._program", lambda: "another version of the code")
    loading.again()
    assert loading.times == 3
    assert [path.name.split("-")[0] for path in entries()] == ["another vers"]


def test_a_failure_is_not_kept(loading: Loading) -> None:
    def fail() -> CrossDomainDataset:
        raise InputError("the file is damaged")

    with pytest.raises(InputError, match="the file is damaged"):
        cached("small", {}, loading.root, [FILE], (), fail)
    assert not cache_folder().exists()


def test_a_cache_that_cannot_be_written_does_no_harm(
    loading: Loading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    assert loading.again().source.items["name"].iloc[0] == "Heat"
    assert 'did not keep data set "small" in the cache' in caplog.text


def test_a_table_that_parquet_cannot_hold_leaves_nothing_behind(
    loading: Loading, caplog: pytest.LogCaptureFixture
) -> None:
    assert loading.again(extra="mixed").source.items["extra"].tolist() == ["mixed", "x", 3]
    assert entries() == []
    assert "did not keep" in caplog.text


def test_the_registry_keeps_what_has_files_unless_told_not_to(loading: Loading) -> None:
    registry = Registry(
        {
            "small": DataSet(CARD, lambda root: loading(), (FILE,)),
            "generated": DataSet(CARD, lambda root: loading()),
        }
    )
    registry.load("small", loading.root, cache=False)
    assert not cache_folder().exists()
    registry.load("small", loading.root)
    registry.load("small", loading.root)
    assert loading.times == 2
    registry.load("small", loading.root, cache=False)
    assert loading.times == 3
    registry.load("generated", loading.root)
    registry.load("generated", loading.root)
    assert loading.times == 5
    assert sorted(path.name for path in cache_folder().iterdir()) == ["small"]
    assert sorted(path.name for path in loading.root.rglob("*")) == ["folder", "rows.txt"]


def test_the_cache_is_the_variable_else_one_per_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv(CACHE_VARIABLE)
    assert cache_folder().is_absolute()
    assert cache_folder().name == "parsed"


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("name", loaders.available())
def test_every_data_set_comes_back_as_it_was(
    name: str, loaded: Callable[[str], CrossDomainDataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(name)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    fresh = loaders.load(name)
    entry = loaders.DATA_SETS[name]
    assert len(list(tmp_path.glob("*/*"))) == bool(entry.files or entry.packages)
    assert_same(loaders.load(name), fresh)
