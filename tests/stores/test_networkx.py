"""What is networkx's own: the graph that people work on, and its file."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import networkx
import pytest

from graph_schema import InputError, NodeType, Property
from kgxfer.graph import COMBINATIONS
from kgxfer.stores import Run
from kgxfer.stores import networkx_store as module
from kgxfer.stores.networkx_store import NetworkxStore
from tests.graph.test_storage import odd_graph
from tests.stores.worlds import films, hostile, recommendations, vectors


@pytest.mark.parametrize("combine", COMBINATIONS)
def test_a_graph_comes_back_equal_from_memory_and_from_its_file(tmp_path: Path, combine: str) -> None:
    graph = odd_graph(combine)  # its names are no identifiers, which networkx does not mind
    with NetworkxStore(tmp_path / "graph.json") as store:
        store.write_graph(graph)
        assert store.read_graph().equals(graph)
    with NetworkxStore(tmp_path / "graph.json") as store:
        assert store.read_graph().equals(graph)
    assert [path.name for path in tmp_path.iterdir()] == ["graph.json"]


def test_people_find_everything_on_the_graph() -> None:
    store = NetworkxStore()
    store.write_graph(films())
    assert type(store.graph) is networkx.MultiDiGraph
    assert store.graph.nodes["Movie:films/f1"] == {
        "type": "Movie", "id": "f1", "domain": ["films"], "row": 0, "place": 0, "name": "Heat"
    }  # fmt: skip
    assert list(store.graph["User:books/ann"]["Book:books/b1"].values()) == [
        {"relation": "RATED", "row": 0, "domain": "books", "rating": 5.0}
    ]
    store.write_embeddings(vectors(films()), Run("one", "m"))
    assert store.graph.nodes["Book:books/b1"]["embedding_run"] == "one"
    assert networkx.shortest_path_length(store.graph.to_undirected(), "Movie:films/f2", "Genre:books/crime") == 4


def test_edges_that_repeat_are_all_kept() -> None:
    graph = hostile()
    store = NetworkxStore()
    store.write_graph(graph)
    assert store.graph.number_of_edges() == graph.edge_count
    assert graph.to_networkx().number_of_edges() < graph.edge_count


def test_the_file_is_node_link_that_other_programs_read(tmp_path: Path) -> None:
    with NetworkxStore(tmp_path / "graph.json") as store:
        store.write_graph(films())
        store.write_recommendations(recommendations(), Run("one", "m"))
    told = json.loads((tmp_path / "graph.json").read_text())
    assert len(told["nodes"]) == films().node_count
    assert {edge["relation"] for edge in told["edges"]} == {"RATED", "HAS_GENRE", "SAME_AS", "RECOMMENDED"}
    assert {node["key"] for node in told["nodes"]} >= {edge["head"] for edge in told["edges"]}


def test_there_is_no_query_language() -> None:
    with pytest.raises(InputError, match=r"no query language; use its functions on `store.graph`.*graph.lbug"):
        NetworkxStore().query("MATCH (n) RETURN n")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"graph": {}}', '{"graph": {"format": 1}, "nodes": 3}', "\x00"])
def test_a_file_that_holds_something_else(tmp_path: Path, text: str) -> None:
    (tmp_path / "graph.json").write_text(text)
    with pytest.raises(InputError, match=r'graph.json" holds no graph that this program wrote; give another name'):
        NetworkxStore(tmp_path / "graph.json")
    assert (tmp_path / "graph.json").read_text() == text


def test_another_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with NetworkxStore(tmp_path / "graph.json") as store:
        store.write_graph(films())
    monkeypatch.setattr(module, "FORMAT", 2)
    with pytest.raises(InputError, match="has format 1, this version reads 2; load the graph again"):
        NetworkxStore(tmp_path / "graph.json")


def test_a_full_disk_and_one_that_may_not_be_written(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=8k", str(small_disk)], check=True)
    store = NetworkxStore(small_disk / "graph.json")
    with pytest.raises(InputError, match="no space left while writing"):
        store.write_graph(films())
    assert not list(small_disk.iterdir())
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(InputError, match="may not write"):
        store.write_graph(films())


@pytest.mark.parametrize("name", ["type", "place", "embedding"])
def test_a_property_of_a_name_that_every_node_has_is_refused(name: str) -> None:
    graph = films()
    schema = graph.schema.extend([NodeType("Spoon", properties=(Property(name, "string"),))])
    with pytest.raises(InputError, match=f'property "{name}" of Spoon: the store uses this name itself; rename it'):
        NetworkxStore().write_graph(replace(graph, schema=schema))
