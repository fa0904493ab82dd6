"""What is networkx's own: the graph that people work on, and its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgxfer.graph import COMBINATIONS
from kgxfer.stores.networkx_store import NetworkxStore
from tests.graph.test_storage import odd_graph


@pytest.mark.parametrize("combine", COMBINATIONS)
def test_a_graph_comes_back_equal_from_memory_and_from_its_file(tmp_path: Path, combine: str) -> None:
    graph = odd_graph(combine)
    with NetworkxStore(tmp_path / "graph.json") as store:
        store.write_graph(graph)
        assert store.read_graph().equals(graph)
    with NetworkxStore(tmp_path / "graph.json") as store:
        back = store.read_graph()
    assert back.equals(graph)
    assert back.fingerprint == graph.fingerprint
    assert [path.name for path in tmp_path.iterdir()] == ["graph.json"]
