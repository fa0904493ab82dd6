"""A real Neo4j server for the tests that ask one, and a line in the report that says which one answered.

The server is, in this order: the one that NEO4J_URI, NEO4J_USER and NEO4J_PASSWORD name; the distribution that lies at
NEO4J_HOME, started on a free port with a data folder of its own; a container, where testcontainers and Docker are
there. Without any of them the tests are skipped, with the reason.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from neo4j import Driver

    from kgxfer.stores.neo4j import Neo4jStore

START_SECONDS = 120
REPORT = "neo4j_answered"
answered: set[str] = set()
"""The servers that answered in this process, in words."""

IMAGE = "neo4j:5.26-community"


@dataclass
class Neo4jServer:
    """A server that answers.

    Attributes:
        uri, user, password: how to reach it.
        source: where it comes from, in words.
        version, edition: what it says of itself.
    """

    uri: str
    user: str
    password: str
    source: str
    version: str = ""
    edition: str = ""

    def driver(self, **settings: Any) -> Driver:
        """Make a driver, which the caller closes."""
        from neo4j import GraphDatabase

        return GraphDatabase.driver(self.uri, auth=(self.user, self.password), **settings)

    def ask(self) -> None:
        """Ask for version and edition; raises what the driver raises where nothing answers."""
        with self.driver(connection_timeout=5, max_transaction_retry_time=0) as driver:
            found = driver.execute_query("CALL dbms.components() YIELD versions, edition RETURN versions[0], edition")
            self.version, self.edition = found.records[0].values()
        answered.add(f"Neo4j {self.version} {self.edition}, {self.source}")

    def stop(self) -> None:
        """Stop it, so that a test can start it again; skips the test where it is not ours."""
        pytest.skip(f"the Neo4j server is {self.source}: only one that the tests start can be stopped")

    def start(self, *, read_only: bool = False) -> None:
        """Start it again after `stop`."""
        self.stop()


@dataclass
class OwnServer(Neo4jServer):
    """A server of the tests' own, from a distribution, with all that it writes in one folder.

    Attributes:
        distribution: a launcher `neo4j start HOME PORT PASSWORD` lies there, or a plain Neo4j with `bin/neo4j`.
        home: the folder of its data, logs and settings.
    """

    distribution: Path = Path()
    home: Path = Path()
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def port(self) -> str:
        """The port it listens at."""
        return self.uri.rsplit(":", 1)[1]

    def start(self, *, read_only: bool = False) -> None:
        """Start it and wait until it answers."""
        environment = os.environ | {"NEO4J_READ_ONLY": "1"} if read_only else {**os.environ}
        environment.setdefault("NEO4J_HEAP", "512m")
        environment.setdefault("NEO4J_PAGECACHE", "128m")
        self.home.mkdir(parents=True, exist_ok=True)
        if (self.distribution / "bin" / "neo4j").is_file():
            command = self._plain(environment, read_only)
        else:
            command = [str(self.distribution / "neo4j"), "start", str(self.home), self.port, self.password]
        with (self.home / "server.log").open("ab") as log:
            # A session of its own, so that an interrupt reaches the tests first and the tests stop it in order.
            self.process = subprocess.Popen(
                _tied(command), stdout=log, stderr=log, env=environment, start_new_session=True
            )
        self._wait()

    def stop(self) -> None:
        """Stop it in order; by force when it does not end."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.process = None

    def admin(self, *words: str) -> list[str]:
        """The command for `neo4j-admin` on this server's data."""
        if (self.distribution / "bin" / "neo4j").is_file():
            return [str(self.distribution / "bin" / "neo4j-admin"), *words]
        return [str(self.distribution / "neo4j"), "admin", str(self.home), *words]

    def _plain(self, environment: dict[str, str], read_only: bool) -> list[str]:
        """Write the settings of a plain distribution and return the command that starts it."""
        conf = self.home / "conf"
        conf.mkdir(exist_ok=True)
        folders = {"data": "data", "logs": "logs", "import": "import", "run": "run", "transaction.logs.root": "data/tx"}
        settings = [f"server.directories.{name}={self.home / folder}" for name, folder in folders.items()]
        settings += [
            "server.default_listen_address=127.0.0.1",
            f"server.bolt.listen_address=:{self.port}",
            "server.http.enabled=false",
            "dbms.usage_report.enabled=false",
            f"server.memory.heap.max_size={environment['NEO4J_HEAP']}",
            f"server.memory.pagecache.size={environment['NEO4J_PAGECACHE']}",
            f"server.databases.default_to_read_only={str(read_only).lower()}",
        ]
        (conf / "neo4j.conf").write_text("\n".join(settings) + "\n")
        environment["NEO4J_CONF"] = str(conf)
        if not (self.home / "data" / "databases" / "system").exists():
            words = self.admin("dbms", "set-initial-password", self.password)
            subprocess.run(words, env=environment, capture_output=True, check=True)
        return [str(self.distribution / "bin" / "neo4j"), "console"]

    def _wait(self) -> None:
        from neo4j.exceptions import DriverError, Neo4jError

        assert self.process is not None
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                self.ask()
                return
            except (DriverError, Neo4jError) as error:
                log = (self.home / "server.log").read_text(errors="replace")[-2000:]
                if self.process.poll() is not None:
                    raise RuntimeError(f"the Neo4j server ended while it started: {log}") from error
                if time.monotonic() > end:
                    self.kill()
                    raise RuntimeError(f"no Neo4j server after {START_SECONDS} s: {error}; {log}") from error
                time.sleep(0.5)


def _tied(command: list[str]) -> list[str]:
    """The command, so that the system ends the server with the thread that starts it, however that ends (Linux)."""
    tie = shutil.which("setpriv")
    return [tie, "--pdeathsig", "KILL", *command] if tie else command


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def own_server(home: Path) -> OwnServer:
    """A server that is not started yet, of the distribution at NEO4J_HOME; skips the test where there is none."""
    said = os.environ.get("NEO4J_HOME", "")
    if not said or not any((Path(said) / name).is_file() for name in ("neo4j", "bin/neo4j")):
        pytest.skip("NEO4J_HOME is not set to a Neo4j distribution (a folder with neo4j or bin/neo4j)")
    uri, password = f"bolt://127.0.0.1:{_free_port()}", secrets.token_hex(12)
    return OwnServer(uri, "neo4j", password, "started from NEO4J_HOME", distribution=Path(said).resolve(), home=home)


@contextmanager
def running(server: OwnServer, *, read_only: bool = False) -> Iterator[OwnServer]:
    """Start a server and end it without fail; at once, since nothing reads its data again."""
    try:
        server.start(read_only=read_only)
        yield server
    finally:
        server.kill()


@contextmanager
def _container() -> Iterator[Neo4jServer]:
    if find_spec("testcontainers") is None or shutil.which("docker") is None:
        pytest.skip("no Neo4j: set NEO4J_URI (NEO4J_USER, NEO4J_PASSWORD) or NEO4J_HOME, or install testcontainers")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        pytest.skip("no Neo4j: Docker does not answer; set NEO4J_URI or NEO4J_HOME")
    container = import_module("testcontainers.neo4j").Neo4jContainer(IMAGE, password=secrets.token_hex(12))
    with container:
        server = Neo4jServer(container.get_connection_url(), "neo4j", container.password, f"the container {IMAGE}")
        server.ask()
        yield server


@pytest.fixture(scope="session")
def neo4j_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4jServer]:
    """The server of this test run; see the module."""
    if uri := os.environ.get("NEO4J_URI"):
        user, password = os.environ.get("NEO4J_USER", "neo4j"), os.environ.get("NEO4J_PASSWORD", "")
        server = Neo4jServer(uri, user, password, "the one of NEO4J_URI")
        server.ask()
        yield server
    elif os.environ.get("NEO4J_HOME"):
        with running(own_server(tmp_path_factory.mktemp("neo4j"))) as started:
            yield started
    else:
        with _container() as server:
                yield server


@pytest.fixture(scope="session")
def neo4j_driver(neo4j_server: Neo4jServer) -> Iterator[Driver]:
    """One driver for all tests."""
    with neo4j_server.driver() as driver:
        yield driver


@pytest.fixture
def neo4j_store(neo4j_driver: Driver) -> Iterator[Callable[..., Neo4jStore]]:
    """Make stores, each for a graph of its own unless a name is given; what they hold is cleared afterwards."""
    from kgxfer.stores.neo4j import Neo4jStore

    made: list[Neo4jStore] = []

    def make(graph: str | None = None) -> Neo4jStore:
        made.append(Neo4jStore(neo4j_driver, graph or f"test {uuid4()}"))
        return made[-1]

    yield make
    for store in made:
        store.clear()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Pass on which servers answered, where this is one of several processes."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[REPORT] = sorted(answered)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take over what a test process passed on."""
    answered.update(getattr(node, "workeroutput", {}).get(REPORT, []))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say which server answered, and how many tests asked it."""
    reports = [one for state in ("passed", "failed") for one in terminalreporter.stats.get(state, [])]
    asked = {one.nodeid for one in reports if "neo4j" in one.keywords}
    if asked:
        said = "; ".join(sorted(answered)) or "none answered"
        terminalreporter.write_line(f"tests on a Neo4j server: {len(asked)}; the server: {said}")
