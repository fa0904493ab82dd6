"""What is Ladybug's own: the file, its lock, interrupted loads, its Cypher."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgxfer.bridges import propose_links
from kgxfer.graph import COMBINATIONS, build_graph
from kgxfer.splits import Split
from kgxfer.stores.ladybug import LadybugStore


@pytest.mark.parametrize("combine", COMBINATIONS)
def test_a_graph_comes_back_equal_when_the_file_is_opened_again(
    tmp_path: Path, board_split: Split, combine: str
) -> None:
    graph = build_graph(board_split, propose_links(board_split, ["shared_id"]), combine)
    with LadybugStore(tmp_path / "graph.lbug") as store:
        store.write_graph(graph)
    with LadybugStore(tmp_path / "graph.lbug") as store:
        assert store.read_graph().equals(graph)
        found = store.query("MATCH (u:User)-[r:RATED]->(m:Movie) RETURN count(*) AS count")
        assert found["count"].tolist() == [len(graph.interactions(1))]
