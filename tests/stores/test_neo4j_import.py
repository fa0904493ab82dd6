"""Files for neo4j-admin: what they hold, and what the real program makes of them."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer.stores import NodeVectors, Run
from kgxfer.stores.neo4j import Neo4jStore
from kgxfer.stores.neo4j_import import write_import
from tests.neo4j_server import own_server, running
from tests.stores.test_neo4j import odd_graph


def test_empty_texts_are_quoted_and_missing_values_empty(tmp_path: Path) -> None:
    words = write_import(odd_graph(), tmp_path / "files", name='my "graph"')
    assert shlex.split((tmp_path / "files" / "command.txt").read_text()) == words
    assert words[:5] == ["neo4j-admin", "database", "import", "full", "neo4j"]
    named = [Path(file) for word in words if "=/" in word for file in word.rpartition("=")[2].split(",")]
    assert sorted(named) == sorted(path for path in (tmp_path / "files").iterdir() if path.suffix == ".csv")
    head = (tmp_path / "files" / "Recipe-head.csv").read_text()
    assert head == (
        ":ID(Recipe),key:string,id:string,domain:string[],row:long,place:long,aliases:string,name:string,graph:string\n"
    )
    rows = (tmp_path / "files" / "Recipe-rows.csv").read_text().splitlines()
    first = '"0","Recipe:dishes 🍜 `n`/b1","b1","dishes 🍜 `n`","0","0",,"He said ""no"" and `yes`","my ""graph"""'
    assert first in rows
    assert any(row.endswith(',"b4","dishes 🍜 `n`","3","3",,"","my ""graph"""') for row in rows)


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    with pytest.raises(InputError, match="exists already"):
        write_import(odd_graph(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.neo4j
@pytest.mark.slow
@pytest.mark.parametrize("combine", ["same_as_edges", "collapse"])
def test_an_imported_graph_comes_back_equal_and_can_be_completed(tmp_path: Path, combine: str) -> None:
    graph = odd_graph(combine)
    names = (
        graph.nodes["Recipe"].keys["name"].where(graph.nodes["Recipe"].keys["id"] != "b2", "a\r\nb;c\x1fd\u2028\te,'")
    )
    graph = replace(
        graph,
        nodes=graph.nodes
        | {"Recipe": replace(graph.nodes["Recipe"], keys=graph.nodes["Recipe"].keys.assign(name=names))},
        domain_names=('dishes; "quoted"', "films"),
    )
    server = own_server(tmp_path / "home")
    words = write_import(graph, tmp_path / "files", name='my "graph"')
    finished = subprocess.run(server.admin(*words[1:]), capture_output=True, text=True, check=False, cwd=tmp_path)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    with running(server), server.driver() as driver:
        store = Neo4jStore(driver, 'my "graph"')
        assert store.read_graph().equals(graph)
        store.write_graph(graph)
        made = driver.execute_query("SHOW INDEXES YIELD name, owningConstraint RETURN name, owningConstraint").records
        assert {"Recipe.key", "Item.name", "kgxfer.names"} <= {one["name"] for one in made}
        assert store.read_graph().equals(graph)
        vectors = NodeVectors(pd.Index(["Movie:films/f1"]), np.ones((1, 3), dtype=np.float32))
        store.write_embeddings({"Movie": vectors}, Run("r", "m"))
        assert store.nearest("Item", np.ones(3))["key"].tolist() == ["Movie:films/f1"]
        store.clear()
        assert driver.execute_query("MATCH (n) RETURN count(n)").records[0][0] == 0
