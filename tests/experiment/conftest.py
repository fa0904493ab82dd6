"""One run for all tests that only look at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgxfer.experiment import RunConfig, load_config, run
from tests.experiment.small_run import CONFIG


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    path = tmp_path_factory.mktemp("config") / "tiny.toml"
    path.write_text(CONFIG)
    return load_config(path)


@pytest.fixture(scope="session")
def said() -> list[str]:
    return []


@pytest.fixture(scope="session")
def folder(config: RunConfig, said: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs") / "deep" / "tiny"
    run(config, place, progress=False, say=said.append)
    return place
