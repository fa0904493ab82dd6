"""Addresses open the store that they name, and say what is wrong with them in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from graph_schema import InputError
from kgxfer.stores import STORES, GraphStore, LadybugStore, NetworkxStore, RdfStore, open_store
from tests.neo4j_server import Neo4jServer

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("name", "store"),
    [
        ("graph.lbug", LadybugStore), ("graph.lbdb", LadybugStore), ("graph.LBUG", LadybugStore),
        ("graph.json", NetworkxStore), ("graph.nt", RdfStore), ("graph.ttl", RdfStore), ("graph.nq", RdfStore),
        ("graph.trig", RdfStore), ("graph.oxigraph", RdfStore),
    ],
)  # fmt: skip
def test_a_file_is_opened_by_its_ending(tmp_path: Path, name: str, store: type[GraphStore]) -> None:
    with open_store(str(tmp_path / name)) as opened:
        assert type(opened) is store
    assert store in dict(STORES.items()).values()


def test_the_home_folder_may_be_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    open_store("~/graph.lbug").close()
    assert (tmp_path / "graph.lbug").is_file()


def test_a_file_that_must_be_there_and_is_not(tmp_path: Path) -> None:
    for name in ("graph.lbug", "graph.json", "graph.ttl", "graph.oxigraph"):
        with pytest.raises(InputError, match=f'there is no ".*{name}"; load a graph into it first, or mend the name'):
            open_store(str(tmp_path / name), create=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("graph.txt", '"graph.txt" names no store; give neo4j://'),
        ("graph", '"graph" names no store'),
        ("", '"" names no store'),
        (f"http://me:{SECRET}@localhost", 'a store is no "http://"; give neo4j://'),
        (f"neo4j://me:{SECRET}@localhost", "no user and no password in it; set NEO4J_USER and NEO4J_PASSWORD"),
        (f"BOLT+S://me:{SECRET}@localhost:7687", "no user and no password in it"),
        ("neo4j+ssc://localhost:7687", "set NEO4J_PASSWORD"),
    ],
)
def test_an_address_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, address: str, problem: str
) -> None:
    monkeypatch.delenv("NEO4J_PASSWORD", raising=False)
    with pytest.raises(InputError) as caught:
        open_store(address)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.neo4j
def test_a_server_is_asked_with_what_the_environment_says(
    neo4j_server: Neo4jServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEO4J_USER", neo4j_server.user)
    monkeypatch.setenv("NEO4J_PASSWORD", neo4j_server.password)
    with open_store(neo4j_server.uri, "addresses") as store, pytest.raises(InputError, match="addresses"):
        store.read_graph()
    monkeypatch.setenv("NEO4J_PASSWORD", SECRET)
    with pytest.raises(InputError) as caught:
        open_store(neo4j_server.uri)
    assert SECRET not in str(caught.value)


def test_no_store_is_imported_before_it_is_used() -> None:
    script = "import sys, kgxfer.stores; print({'ladybug', 'neo4j', 'pyoxigraph'} & set(sys.modules))"
    asked = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert asked.stdout == "set()\n"
