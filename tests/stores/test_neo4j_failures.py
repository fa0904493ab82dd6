"""What goes wrong around a Neo4j server: loads that are killed, servers that stop, refuse, or run out of disk."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
from neo4j import Driver

from graph_schema import InputError
from kgxfer.bridges import propose_links
from kgxfer.graph import KnowledgeGraph, build_graph
from kgxfer.splits import FixedFiles
from kgxfer.stores.neo4j import Neo4jStore
from kgxfer.stores.neo4j_load import LoadSettings
from tests.neo4j_server import Neo4jServer, own_server, running
from tests.processes import clean_processes
from tests.small_disk import small_disk_at
from tests.worlds import domain_of, pair_of

pytestmark = pytest.mark.neo4j
SMALL = LoadSettings(rows=40)


def wide_graph(people: int = 200, items: int = 60, longest: int = 0) -> KnowledgeGraph:
    """A graph of some thousand edges, the same each time; names are made longer by `longest`."""
    rng = np.random.default_rng(0)
    likes = [
        {
            f"u{n}": " ".join(f"{letter}{i}:{i % 5 + 1}" for i in rng.choice(items, 8, replace=False))
            for n in range(people)
        }
        for letter in "bf"
    ]
    genres = {f"b{n}": f"g{n % 7}" for n in range(items)}
    books = domain_of(
        "books", "Book", likes[0], genres=genres, names={f"b{n}": f"Book {n}" + "x" * longest for n in range(items)}
    )
    films, held = domain_of("films", "Movie", likes[1]), likes[1]["u0"].partition(":")[0]
    split = FixedFiles().split(pair_of(books, films, test={"films": {"u0": held}}))
    return build_graph(split, propose_links(split, ["shared_id"]))


def connected(server: Neo4jServer, graph: str, settings: LoadSettings | None = None) -> Neo4jStore:
    return Neo4jStore.connect(server.uri, server.user, server.password, graph, settings=settings)


def load_and_tell(at: tuple[str, str, str, str], graph: KnowledgeGraph, told: Connection) -> None:
    """Load in a process of its own, and say after each batch how much is there."""
    with Neo4jStore.connect(*at, settings=SMALL) as store:
        store.write_graph(graph, lambda _what, done, _of: told.send(done))
    told.send(-1)


@pytest.mark.slow
def test_a_load_that_is_killed_twenty_times_ends_identical(
    neo4j_server: Neo4jServer, neo4j_store: Callable[..., Neo4jStore], neo4j_driver: Driver
) -> None:
    graph, store, chance = wide_graph(), neo4j_store(), random.Random(5)
    context, server = clean_processes(), neo4j_server
    at = (server.uri, server.user, server.password, store.graph)
    places: list[int] = []
    while len(places) < 20:
        ear, mouth = context.Pipe(duplex=False)
        process = context.Process(target=load_and_tell, args=(at, graph, mouth), daemon=True)
        process.start()
        mouth.close()
        new = chance.randint(0, 4)
        told = [ear.recv() for _ in range(new)]
        assert -1 not in told, f"the load was over after {len(places)} kills: {places}"
        time.sleep(chance.random() * (0.03 if new else 0.3))  # within the next batch, or before the first
        process.kill()
        process.join()
        places.append(told[-1] if told else 0)
    with pytest.raises(InputError, match="was not written whole; load it again to complete it"):
        store.read_graph()
    store.write_graph(graph)
    assert_whole(store, graph, neo4j_driver)


@pytest.mark.slow
def test_a_server_that_stops_and_starts_during_a_load(tmp_path: Path) -> None:
    graph, begun, stopped = wide_graph(), threading.Event(), threading.Event()

    def progress(what: str, done: int, of: int) -> None:
        if what == "edges" and done < of / 2:
            begun.set()
        elif what == "edges":
            stopped.wait(timeout=120)

    with (
        running(own_server(tmp_path / "home")) as server,
        connected(server, "g", SMALL) as store,
        ThreadPoolExecutor(1) as pool,
    ):
        load = pool.submit(store.write_graph, graph, progress)
        assert begun.wait(timeout=120)
        server.stop()
        stopped.set()
        time.sleep(1)
        assert not load.done()
        server.start()
        load.result(timeout=300)
        with server.driver() as driver:
            assert_whole(store, graph, driver)


@pytest.mark.slow
def test_a_disk_that_is_full_is_one_line_and_the_load_goes_on_on_a_larger_one(disk_of_a_server: Path) -> None:
    graph = wide_graph(items=300, longest=10_000)
    with running(own_server(disk_of_a_server / "home")) as server:
        with connected(server, "before") as store:
            store.write_graph(graph)
        filler = disk_of_a_server / "filler"
        filler.write_bytes(bytes(shutil.disk_usage(disk_of_a_server).free - 100_000))
        number, problem = 0, ""
        while not problem:
            assert number < 20, "the disk was never full"
            number += 1
            with connected(server, f"g{number}", SMALL) as store:
                try:
                    store.write_graph(graph)
                except InputError as error:
                    problem = str(error)
        assert re.fullmatch(
            r"Neo4j at bolt://127.0.0.1:\d+: .*; its disk may be full: free some, restart it, then do this again",
            problem,
        )
        server.kill()  # on a full disk it does not end by itself
        filler.unlink()
        # To recover, the server begins a further log, of 256 MB.
        subprocess.run(["mount", "-o", "remount,size=1200m", str(disk_of_a_server)], check=True)
        server.start()
        for name in ("before", f"g{number}"):
            with connected(server, name, SMALL) as store, server.driver() as driver:
                store.write_graph(graph)
                assert_whole(store, graph, driver)


@pytest.mark.slow
def test_a_server_that_is_read_only(tmp_path: Path) -> None:
    graph, other = wide_graph(), wide_graph(people=20)
    with running(own_server(tmp_path / "home")) as server:
        with connected(server, "g") as store:
            store.write_graph(graph)
        server.stop()
        server.start(read_only=True)
        with connected(server, "g") as store, connected(server, "other") as empty:
            said = f"Neo4j at {server.uri} is set read-only; make it writable, or give another server"
            with pytest.raises(InputError, match=re.escape(said)):
                empty.write_graph(other)
            with pytest.raises(InputError, match=re.escape(said)):
                store.clear()
            assert store.read_graph().equals(graph)
            empty.clear()


def test_a_wrong_password_is_one_line_without_it(neo4j_server: Neo4jServer) -> None:
    with pytest.raises(InputError) as caught:
        Neo4jStore.connect(neo4j_server.uri, neo4j_server.user, "not the password", "g")
    assert str(caught.value) == (
        f"Neo4j at {neo4j_server.uri} refuses this user and password; set NEO4J_USER and NEO4J_PASSWORD"
    )


def test_an_unknown_database_is_named(neo4j_server: Neo4jServer) -> None:
    with pytest.raises(InputError, match=r"has no database of this name \(.*nowhere.*\); set NEO4J_DATABASE to one"):
        Neo4jStore.connect(neo4j_server.uri, neo4j_server.user, neo4j_server.password, "g", "nowhere")


def assert_whole(store: Neo4jStore, graph: KnowledgeGraph, driver: Driver) -> None:
    """What is there is the graph, each part once."""
    assert store.read_graph().equals(graph)
    counts = store.stats().groupby("kind")["count"].sum().to_dict()
    assert counts == {"nodes": graph.node_count, "edges": graph.edge_count}
    asked = "MATCH (n) WHERE n.graph = $graph AND n.key IS NOT NULL OPTIONAL MATCH (n)-[r]->() "
    found = driver.execute_query(f"{asked} RETURN count(DISTINCT n), count(r)", graph=store.graph)
    assert found.records[0].values() == [graph.node_count, graph.edge_count]


@pytest.fixture
def disk_of_a_server(tmp_path: Path) -> Iterator[Path]:
    """A disk of 560 MB, of which a server takes 520 at once for its logs; or a skip with the reason."""
    with small_disk_at(tmp_path / "disk", "560m") as folder:
        yield folder
