"""What every data set of the registry must keep, and what a wrong name, option or folder gets as an answer.

A new data set is tested here without a line being added.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import loaders
from graph_schema import FACTS, INTERACTIONS, ITEMS, LINKS, SCHEMA, USERS, InputError, validate, validate_facts
from loaders import CrossDomainDataset
from loaders.pairing import counts_of
from loaders.registry import ROOT_VARIABLE, root_folder

Load = Callable[[str], CrossDomainDataset]
GENERATED = {"case-study"}
every_data_set = pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in GENERATED else pytest.mark.real_data) for name in loaders.available()],
)


def test_the_data_sets_of_the_first_release_are_there() -> None:
    assert {"movielens-genres", "cdrib-game-video", "cdrib-cloth-sport", "case-study"} <= set(loaders.available())


def test_the_data_sets_with_facts_or_shared_items_are_there() -> None:
    assert {"amazon-books-movies", "dbpedia-movies-music-books", "xmrec"} <= set(loaders.available())


@pytest.mark.parametrize("name", loaders.available())
def test_every_card_is_complete(name: str) -> None:
    card = loaders.card(name)
    assert card.name == name
    for text in (card.title, card.licence, card.citation):
        assert len(text) > 10
    assert "overlapping_users" in card.counts
    assert sum(key.endswith(".interactions") for key in card.counts) == 2
    if name in GENERATED:
        return
    assert card.url.startswith("https://")
    assert card.size_bytes > 1_000_000
    assert card.sha256
    assert all(re.fullmatch("[0-9a-f]{64}", checksum) for checksum in card.sha256.values())


@pytest.mark.parametrize("name", loaders.available())
def test_every_file_has_its_checksum_on_the_card_and_an_address(name: str) -> None:
    for file in loaders.DATA_SETS[name].files:
        assert loaders.card(name).sha256[file.file] == file.sha256
        assert file.url.startswith("https://")
        assert not Path(file.folder, file.file).is_absolute()


@pytest.mark.parametrize("name", ["amazon-books-movies", "dbpedia-movies-music-books", "xmrec"])
def test_the_card_says_which_commit_every_file_comes_from(name: str) -> None:
    card = loaders.card(name)
    assert set(card.origins) == set(card.sha256) == {file.file for file in loaders.DATA_SETS[name].files}
    for file, origin in card.origins.items():
        assert re.search(r"/[0-9a-f]{40}\b| @ [0-9a-f]{8}\b", origin), file


@every_data_set
def test_the_counts_are_those_of_the_card(name: str, loaded: Load) -> None:
    found = counts_of(loaded(name))
    card = loaders.card(name)
    assert {key: found[key] for key in card.counts} == dict(card.counts)
    assert loaded(name).positive_from == card.positive_from


@every_data_set
def test_the_tables_are_in_normal_form(name: str, loaded: Load) -> None:
    dataset = loaded(name)
    pd.testing.assert_frame_equal(validate(dataset.links, LINKS), dataset.links)
    for tables in dataset.domains:
        for table, definition in (("users", USERS), ("items", ITEMS), ("interactions", INTERACTIONS), ("facts", FACTS)):
            frame = getattr(tables, table)
            pd.testing.assert_frame_equal(validate(frame, definition), frame)
        validate_facts(tables.facts, SCHEMA)
        assert tables.card == loaders.card(name)


@every_data_set
def test_every_user_has_an_interaction(name: str, loaded: Load) -> None:
    for tables in loaded(name).domains:
        assert set(tables.interactions["user_id"]) == set(tables.users["user_id"])


@every_data_set
def test_facts_speak_of_items_that_exist_and_say_nothing_twice(name: str, loaded: Load) -> None:
    for tables in loaded(name).domains:
        of_items = [
            (tables.facts[f"{end}_type"] == tables.item_type) & tables.facts[f"{end}_id"].isin(tables.items["item_id"])
            for end in ("head", "tail")
        ]
        assert (of_items[0] | of_items[1]).all()
        assert not tables.facts.duplicated().any()


@every_data_set
def test_one_changed_row_changes_the_fingerprint(name: str, loaded: Load) -> None:
    dataset = loaded(name)
    assert replace(dataset).fingerprint == dataset.fingerprint
    for side in ("source", "target"):
        rows = getattr(dataset, side).interactions
        shorter = replace(getattr(dataset, side), interactions=rows.drop(index=len(rows) // 2))
        assert replace(dataset, **{side: shorter}).fingerprint != dataset.fingerprint


@pytest.mark.parametrize("function", [loaders.load, loaders.card, loaders.fetch])
def test_an_unknown_data_set_names_the_nearest(function: Callable[[str], object]) -> None:
    with pytest.raises(InputError, match='unknown data set "movielens-genre"; did you mean "movielens-genres"?'):
        function("movielens-genre")


def test_an_unknown_option_names_the_nearest() -> None:
    with pytest.raises(InputError, match='unknown option of data set "case-study" "overlapp"; did you mean "overlap"?'):
        loaders.load("case-study", overlapp=0.5)
    with pytest.raises(InputError, match='unknown option of data set "cdrib-game-video" "seed"; choices: none'):
        loaders.load("cdrib-game-video", seed=1)


def test_the_root_is_the_argument_else_the_variable_else_a_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path / "variable"))
    assert root_folder("given") == Path("given")
    assert root_folder() == tmp_path / "variable"
    monkeypatch.setenv(ROOT_VARIABLE, "")
    assert root_folder().name == "kgxfer"
    monkeypatch.delenv(ROOT_VARIABLE)
    assert root_folder().is_absolute()


def test_a_file_is_no_root(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match='file" is a file; give a folder with root= or in KGXFER_DATA'):
        loaders.load("cdrib-game-video", root=tmp_path / "file")


def test_fetch_has_nothing_to_do_for_a_generated_data_set(tmp_path: Path) -> None:
    assert loaders.fetch("case-study", root=tmp_path) == []


@pytest.mark.real_data
def test_fetch_finds_what_is_there_and_notices_damage(tmp_path: Path, loaded: Load) -> None:
    loaded("cdrib-game-video")
    paths = loaders.fetch("cdrib-game-video")
    assert len(paths) == 6
    for path in paths:
        place = tmp_path / path.relative_to(root_folder())
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    assert loaders.fetch("cdrib-game-video", root=tmp_path) == [
        tmp_path / path.relative_to(root_folder()) for path in paths
    ]
    damaged = tmp_path / paths[3].relative_to(root_folder())
    damaged.write_bytes(damaged.read_bytes()[:-100])
    for function in (loaders.fetch, loaders.load):
        with pytest.raises(InputError, match=re.escape(f'file "{damaged}" is damaged')):
            function("cdrib-game-video", root=tmp_path)
