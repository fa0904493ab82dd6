from __future__ import annotations

import pytest

from kgxfer.splits import Split
from tests.baselines.dense import random_world


@pytest.fixture(scope="session")
def split() -> Split:
    return random_world()
