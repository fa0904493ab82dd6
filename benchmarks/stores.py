"""How fast a graph of a million edges goes into each store and comes back: ``python -m benchmarks.stores [STORE ...]``.

Each store is measured in a process of its own, so that its peak memory is its own: what it adds to that of the process
that holds the graph. On Neo4j (a server at NEO4J_URI, else the distribution at NEO4J_HOME) the ways of the driver that
people begin with are measured in the same run, on as many rows as they get through in a few seconds. A graph that does
not come back equal is an error.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.memory import peak_bytes
from graph_schema import SCHEMA, EdgeType
from graph_schema.errors import InputError
from kgxfer.graph import INTERACTION, USER, EdgeTable, KnowledgeGraph, Vocabulary
from kgxfer.graph.convert import node_labels
from kgxfer.stores import GraphStore
from kgxfer.stores.ladybug import LadybugStore
from kgxfer.stores.neo4j import Neo4jStore
from kgxfer.stores.neo4j_import import write_import
from kgxfer.stores.networkx_store import NetworkxStore
from kgxfer.stores.rdf import RdfStore

if TYPE_CHECKING:
    from neo4j import Driver

    from tests.neo4j_server import OwnServer

RESULT = Path(__file__).parent / "results" / "stores.json"
USERS, ITEMS, GENRES, RATINGS, FACTS = 40_000, 9_950, 100, 450_000, 100_000
SINGLE, MERGED = 1_000, 100_000
"""Rows that the simple ways are given."""


def million() -> KnowledgeGraph:
    """60,000 nodes; 900,000 ratings over both domains, with skewed degrees, and 100,000 facts."""
    drawn = np.random.default_rng(0)
    nodes, edges = {}, {}
    for kind, size in ((USER, USERS), ("Book", ITEMS), ("Movie", ITEMS), ("Genre", GENRES)):
        names = pd.array([f"{kind} number {number}" for number in range(size)], dtype="str")
        domain = {USER: np.arange(size) % 2, "Book": 0}.get(kind, 1)
        keys = {"domain": domain, "id": pd.array(np.arange(size), dtype="str"), "name": names, "row": np.arange(size)}
        nodes[kind] = Vocabulary(pd.DataFrame(keys).astype({"domain": "int8"}), size)
    for code, kind in enumerate(("Book", "Movie")):
        head = (drawn.random(RATINGS) ** 2 * USERS).astype(np.int64)
        tail = (drawn.random(RATINGS) ** 2 * ITEMS).astype(np.int64)
        rating = pd.DataFrame({"rating": drawn.integers(1, 6, RATINGS).astype(float)})
        edges[EdgeType(USER, INTERACTION, kind)] = EdgeTable(head, tail, np.full(RATINGS, code, np.int8), rating)
    head, tail = drawn.integers(0, ITEMS, FACTS), drawn.integers(0, GENRES, FACTS)
    nothing = pd.DataFrame(index=range(FACTS))
    edges[EdgeType("Movie", "HAS_GENRE", "Genre")] = EdgeTable(head, tail, np.ones(FACTS, np.int8), nothing)
    return KnowledgeGraph(SCHEMA, ("books", "films"), ("Book", "Movie"), nodes, edges, "same_as_edges")


def there_and_back(store: GraphStore, graph: KnowledgeGraph) -> dict[str, float]:
    """Write and read; the figures of both."""
    before = peak_bytes()
    start = time.perf_counter()
    store.write_graph(graph)
    written = time.perf_counter() - start
    start = time.perf_counter()
    back = store.read_graph()
    read = time.perf_counter() - start
    _require_equal(graph, back, type(store).__name__)
    return {
        "write, s": written, "edges/s, written": graph.edge_count / written, "read, s": read,
        "edges/s, read": graph.edge_count / read, "peak memory beside the graph, MiB": (peak_bytes() - before) / 2**20,
    }


def _require_equal(graph: KnowledgeGraph, back: KnowledgeGraph, where: str) -> None:
    if not graph.equals(back):
        raise InputError(f"{where}: the graph that came back is another one")


def of_ladybug(graph: KnowledgeGraph, folder: Path) -> dict[str, Any]:
    """One file."""
    path = folder / "graph.lbug"
    with LadybugStore(path) as store:
        figures = there_and_back(store, graph)
    return figures | {"on disk, MiB": _size(path)}


def of_rdf(graph: KnowledgeGraph, folder: Path) -> dict[str, Any]:
    """N-Triples in a file: an edge is a triple, its rating and its place in the graph are more."""
    import pyoxigraph

    path = folder / "graph.nt"
    with RdfStore(path) as store:
        figures = there_and_back(store, graph)
    triples = path.read_bytes().count(b" .\n")
    written, read = triples / figures["write, s"], triples / figures["read, s"]
    start = time.perf_counter()
    other = pyoxigraph.Store()
    other.bulk_load(path=str(path), format=pyoxigraph.RdfFormat.N_TRIPLES)
    loaded = triples / (time.perf_counter() - start)
    return figures | {
        "triples": triples, "triples/s, written": written, "triples/s, read into a graph": read,
        "triples/s, loaded by pyoxigraph": loaded, "on disk, MiB": _size(path),
    }


def of_networkx(graph: KnowledgeGraph, _: Path) -> dict[str, Any]:
    """In memory."""
    return there_and_back(NetworkxStore(None), graph)


def of_neo4j(graph: KnowledgeGraph, folder: Path) -> dict[str, Any]:
    """A real server, and beside the store what people begin with."""
    with server(folder) as (driver, version):
        store = Neo4jStore(driver, "benchmark")
        store.clear()
        figures = there_and_back(store, graph)
        rates = {name: way(driver, graph) for name, way in (("UNWIND 1,000, MERGE", merged), ("row by row", single))}
        store.clear()
    ours = figures["edges/s, written"]
    figures |= {f"edges/s, {name}": rate for name, rate in rates.items()}
    figures |= {f"times as fast as {name}": ours / rate for name, rate in rates.items()}
    return {"server": version, **figures}


def of_import(graph: KnowledgeGraph, folder: Path) -> dict[str, Any]:
    """A new database of Neo4j, filled by `neo4j-admin` from files; then the load that adds constraints and indexes."""
    own = _new_server(folder / "home")
    start = time.perf_counter()
    words = write_import(graph, folder / "files", name="benchmark")
    written = time.perf_counter() - start
    start = time.perf_counter()
    subprocess.run(own.admin(*words[1:]), check=True, stdout=subprocess.DEVNULL, cwd=folder)  # noqa: S603
    imported = time.perf_counter() - start
    with started(own) as (driver, version):
        store = Neo4jStore(driver, "benchmark")
        start = time.perf_counter()
        store.write_graph(graph)
        completed = time.perf_counter() - start
        _require_equal(graph, store.read_graph(), "neo4j-admin")
    whole = written + imported + completed
    return {
        "server": version, "files, s": written, "import, s": imported, "constraints and indexes, s": completed,
        "edges/s, imported": graph.edge_count / imported, "edges/s, all three": graph.edge_count / whole,
        "files, MiB": _size(folder / "files"),
    }


def merged(driver: Driver, graph: KnowledgeGraph) -> float:
    """Relationships a second: batches of 1,000 rows in one session, MERGE by the keys of both ends."""
    text = (
        "UNWIND $rows AS row MATCH (a:User {graph: 'benchmark', key: row[0]}) "
        "MATCH (b:Book {graph: 'benchmark', key: row[1]}) MERGE (a)-[:SIMPLE {rating: row[2]}]->(b)"
    )
    rows = _rows(graph, MERGED)
    start = time.perf_counter()
    with driver.session() as session:
        for first in range(0, len(rows), 1000):
            session.run(text, rows=rows[first : first + 1000]).consume()
    rate = len(rows) / (time.perf_counter() - start)
    _forget(driver)
    return rate


def single(driver: Driver, graph: KnowledgeGraph) -> float:
    """Relationships a second, one statement a row."""
    text = (
        "MATCH (a:User {graph: 'benchmark', key: $head}) MATCH (b:Book {graph: 'benchmark', key: $tail}) "
        "MERGE (a)-[:SIMPLE {rating: $rating}]->(b)"
    )
    rows = _rows(graph, SINGLE)
    start = time.perf_counter()
    with driver.session() as session:
        for head, tail, rating in rows:
            session.run(text, head=head, tail=tail, rating=rating).consume()
    rate = len(rows) / (time.perf_counter() - start)
    _forget(driver)
    return rate


def _rows(graph: KnowledgeGraph, count: int) -> list[list[Any]]:
    """Ratings in the order of the data, as a first script sends them."""
    edges = graph.edges[EdgeType(USER, INTERACTION, "Book")]
    heads = node_labels(graph, USER).to_numpy()[edges.head[:count]].tolist()
    tails = node_labels(graph, "Book").to_numpy()[edges.tail[:count]].tolist()
    return [list(row) for row in zip(heads, tails, edges.properties["rating"][:count].tolist(), strict=True)]


def _forget(driver: Driver) -> None:
    driver.execute_query("MATCH (:User)-[r:SIMPLE]->() DELETE r")


@contextmanager
def server(folder: Path) -> Iterator[tuple[Driver, str]]:
    """A driver to the server at NEO4J_URI, else to one started from NEO4J_HOME, and what it says it is."""
    from neo4j import GraphDatabase

    if uri := os.environ.get("NEO4J_URI"):
        given = (os.environ.get("NEO4J_USER", "neo4j"), os.environ.get("NEO4J_PASSWORD", ""))
        with GraphDatabase.driver(uri, auth=given) as driver:
            yield driver, _version(driver)
        return
    with started(_new_server(folder)) as found:
        yield found


@contextmanager
def started(own: OwnServer) -> Iterator[tuple[Driver, str]]:
    """A driver to a server while it runs, and what it says it is."""
    from tests.neo4j_server import running

    with running(own) as answering, answering.driver() as driver:
        yield driver, _version(driver)


def _new_server(folder: Path) -> OwnServer:
    from tests.neo4j_server import own_server

    if not os.environ.get("NEO4J_HOME"):
        raise InputError("no Neo4j: set NEO4J_URI to a server's address, or NEO4J_HOME to a distribution's folder")
    return own_server(folder)


def _version(driver: Driver) -> str:
    version, edition = driver.execute_query(
        "CALL dbms.components() YIELD name, versions, edition WHERE name = 'Neo4j Kernel' RETURN versions[0], edition"
    ).records[0]
    return f"Neo4j {version} {edition}"


def _size(path: Path) -> float:
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return sum(one.stat().st_size for one in files) / 2**20


STORES: dict[str, Callable[[KnowledgeGraph, Path], dict[str, Any]]] = {
    "neo4j": of_neo4j, "neo4j-admin": of_import, "ladybug": of_ladybug, "rdf": of_rdf, "networkx": of_networkx,
}


def measure(name: str) -> dict[str, Any]:
    """All figures of one store, in this process."""
    graph = million()
    with tempfile.TemporaryDirectory() as scratch:
        return STORES[name](graph, Path(scratch))


def main() -> None:
    """Measure the stores that are named, or all, and keep the figures of the others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stores", nargs="*", metavar="STORE", help=f"of {', '.join(STORES)}")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    for name in given.stores:
        if name not in STORES:
            parser.error(f"no store {name}; choices: {', '.join(STORES)}")
    if given.here:
        print(json.dumps(measure(given.stores[0])))
        return
    found = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    for name in given.stores or STORES:
        command = [sys.executable, "-m", "benchmarks.stores", "--here", name]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603
        found[name] = json.loads(said.splitlines()[-1])
        print(name, {key: round(value, 1) if isinstance(value, float) else value for key, value in found[name].items()})
        RESULT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
