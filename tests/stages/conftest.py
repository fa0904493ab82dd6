"""A small world for the tests of stages."""

from __future__ import annotations

import pytest

from kgxfer.graph import GraphTensors
from kgxfer.splits import Split
from tests.networks import small_split, tensors_of


@pytest.fixture(scope="module")
def split() -> Split:
    return small_split()


@pytest.fixture(scope="module")
def graph(split: Split) -> GraphTensors:
    return tensors_of(split)
