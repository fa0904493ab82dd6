"""How statements reach a Neo4j server, and what can go wrong there as one line. No line holds a password."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from graph_schema.errors import InputError

if TYPE_CHECKING:
    from neo4j import Driver, ManagedTransaction, Session

Answer = TypeVar("Answer")

OLDEST = (5, 23)
"""The first version that takes all our statements."""

RETRY_SECONDS = 15.0
"""How long the driver tries a transaction again where the server is busy."""

PATIENCE, PAUSE = 300.0, 2.0
"""How long a load waits for a server that stopped and may be starting again, and after how much it asks again."""

FETCHED_TOGETHER = 10_000

_PROBLEMS = (
    ("Security.Unauthorized", "{name} refuses this user and password; set NEO4J_USER and NEO4J_PASSWORD"),
    ("Security.CredentialsExpired", "{name}: the password has expired; set another one there"),
    ("Security.AuthenticationRateLimit", "{name}: too many wrong passwords; wait a little, then give the right one"),
    ("Security.Forbidden", "{name}: this user may not do that ({message}); take one that may"),
    ("Transaction.Transaction", "{name}: {message}; its disk may be full: free some, restart it, then do this again"),
    ("Database.DatabaseNotFound", "{name} has no database of this name ({message}); set NEO4J_DATABASE to one it has"),
    ("WriteOnReadOnlyAccessDatabase", "{name} is set read-only; make it writable, or give another server"),
    ("OutOfMemory", "{name}: not enough memory for this ({message}); give the server more"),
    ("DatabaseUnavailable", "{name}: the database does not answer ({message}); look at its disk and its log"),
    ("Schema.ConstraintValidationFailed", "{name}: something is there already ({message}); use another graph name"),
    ("Schema.", "{name}: {message}; drop it there, or use another database"),
)


class Neo4jSession:
    """Statements on one graph of one database.

    Args:
        driver: to the server.
        graph: given to every statement as $graph.
        database: its name; the user's own when not given.
        name: how errors call the server.
        owned: whether `close` closes the driver.
    """

    def __init__(
        self, driver: Driver, graph: str, database: str | None = None, name: str = "Neo4j", *, owned: bool = False
    ) -> None:
        self.driver, self.graph, self.database, self.name = driver, graph, database, name
        self._owned, self._patience = owned, 0.0

    def read(self, text: str, **parameters: Any) -> list[list[Any]]:
        """The rows of an answer."""
        given = {"graph": self.graph, **parameters}
        return self._managed("READ", lambda transaction: transaction.run(text, given).values())

    def ask(self, text: str, parameters: Mapping[str, Any]) -> tuple[list[str], list[list[Any]]]:
        """The columns and rows of what a user asks, who may only read."""

        def work(transaction: ManagedTransaction) -> tuple[list[str], list[list[Any]]]:
            result = transaction.run(text, {"graph": self.graph, **parameters})
            return list(result.keys()), result.values()

        with query_errors():
            return self._managed("READ", work)

    def write(self, work: Callable[[ManagedTransaction], Answer]) -> Answer:
        """Do something in one transaction, again where the server asks for it."""
        return self._managed("WRITE", work)

    def change(self, text: str, **parameters: Any) -> None:
        """Run one statement that does the same when it runs twice."""
        given = {"graph": self.graph, **parameters}
        self.write(lambda transaction: transaction.run(text, given).consume())

    def run(self, text: str, **parameters: Any) -> list[list[Any]]:
        """Run a statement that takes its transactions itself; rows of its answer."""
        with server_errors(self.name), self._session("WRITE") as session:
            return session.run(text, {"graph": self.graph, **parameters}).values()

    @contextmanager
    def patient(self) -> Iterator[None]:
        """Wait for a server that is gone for a while, instead of saying so."""
        self._patience = PATIENCE
        try:
            yield
        finally:
            self._patience = 0.0

    def _managed(self, mode: str, work: Callable[[ManagedTransaction], Answer]) -> Answer:
        from neo4j.exceptions import ServiceUnavailable, SessionExpired, TransientError

        end = time.monotonic() + self._patience
        with server_errors(self.name):
            while True:
                try:
                    with self._session(mode) as session:
                        return (session.execute_read if mode == "READ" else session.execute_write)(work)
                except (ServiceUnavailable, SessionExpired, TransientError):
                    # The driver has tried already, with longer and longer pauses.
                    if time.monotonic() > end:
                        raise
                    time.sleep(PAUSE)

    def close(self) -> None:
        """Close the driver where it is ours."""
        if self._owned:
            self.driver.close()

    def _session(self, mode: str) -> Session:
        return self.driver.session(
            database=self.database,
            default_access_mode=mode,
            fetch_size=FETCHED_TOGETHER,
            notifications_min_severity="OFF",
        )


def connect(uri: str, user: str, password: str, graph: str, database: str | None = None) -> Neo4jSession:
    """Reach a server.

    Raises:
        InputError: no server answers, it refuses the user or has no such database, or it is too old.
    """
    from neo4j import GraphDatabase

    # Without a handler Python prints each attempt of the driver; what comes of them is told by us.
    logging.getLogger("neo4j").addHandler(logging.NullHandler())
    name = f"Neo4j at {uri}"
    with server_errors(name):
        try:
            driver = GraphDatabase.driver(
                uri, auth=(user, password), connection_timeout=15, max_transaction_retry_time=RETRY_SECONDS
            )
        except (ValueError, TypeError) as error:
            raise InputError(f'"{uri}" is no address of Neo4j ({error}); write neo4j://HOST:7687') from None
    try:
        with server_errors(name):
            driver.verify_connectivity()
            with driver.session(database=database, default_access_mode="READ") as session:
                agent = session.run("RETURN 1").consume().server.agent
        require_version(agent, name)
    except BaseException:
        driver.close()
        raise
    return Neo4jSession(driver, graph, database, name, owned=True)


@contextmanager
def server_errors(name: str) -> Iterator[None]:
    """What a server or the way to it refuses, as an InputError; faults of ours pass."""
    from neo4j.exceptions import ConfigurationError, DriverError, Neo4jError

    try:
        yield
    except Neo4jError as error:
        raise _told(name, error.code or "", _line(error.message)) from error
    except ConfigurationError as error:
        raise InputError(f"{name}: {_line(str(error))}; write neo4j://HOST:7687") from error
    except DriverError as error:
        raise InputError(f"{name} does not answer ({_line(str(error))}); start it or give another address") from error
    except UnicodeEncodeError as error:
        raise InputError(f"half a character (U+{ord(error.object[error.start]):X}) in a text; mend the data") from error


@contextmanager
def query_errors() -> Iterator[None]:
    """A mistake in a user's own text, with its place."""
    from neo4j.exceptions import ClientError

    try:
        yield
    except InputError as error:
        cause = error.__cause__
        if not isinstance(cause, ClientError) or not {"Statement", "Procedure"} & set(str(cause.code).split(".")):
            raise
        if "AccessMode" in str(cause.code):
            raise InputError("query: the text would change the graph; a query only reads") from None
        raise InputError(f"query: {_line(cause.message)}; mend the text (Neo4j's Cypher)") from None


def _told(name: str, code: str, message: str) -> InputError:
    if "No space left" in message:
        return InputError(f"{name}: no space left on its disk; free some, then start again")
    for sign, text in _PROBLEMS:
        if sign in code:
            return InputError(text.format(name=name, message=message))
    return InputError(f"{name}: {message or 'an error without a text'} ({code or 'no code'})")


def _line(message: str | None) -> str:
    """The first line, without what ends it."""
    lines = (message or "").strip().splitlines()
    return lines[0].rstrip(" .:;") if lines else ""


def require_version(agent: str, name: str) -> None:
    """Refuse servers that are too old, and those that only speak Neo4j's protocol."""
    found = re.fullmatch(r"Neo4j/(\d+)\.(\d+)[\w.+-]*", agent)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise InputError(f'{name} says that it is "{agent}"; this needs Neo4j {oldest} or newer')
