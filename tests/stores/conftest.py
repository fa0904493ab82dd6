"""The stores that the contract is tested on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from kgxfer.stores import open_store
from tests.stores.worlds import FILES, NEO4J, Place


@pytest.fixture(params=[*FILES, NEO4J])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A store of each kind, with nothing in it."""
    if request.param == "neo4j":
        make, name = request.getfixturevalue("neo4j_store"), f"test {uuid4()}"
        yield lambda: make(name)
    else:
        yield lambda: open_store(str(tmp_path / request.param))
