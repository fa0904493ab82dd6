"""A file of Ladybug: opened once in a program, statements run in it, its errors as one line."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from graph_schema.errors import InputError
from kgxfer.stores.ladybug_statements import BEGIN, BEGIN_READING, COMMIT, ROLLBACK

if TYPE_CHECKING:
    import ladybug
    import pyarrow as pa

# The lock on a file belongs to the program: Ladybug would open it a second time, and closing one of the two lets go
# of the lock of both. So stores of one file share what is open, and the last one closes it.
_open: dict[str, tuple[ladybug.Database, int]] = {}

_PROBLEMS = (
    ("No space left", 'no space left while writing "{path}"; free some or choose another folder'),
    ("Could not set lock", 'another program has "{path}" open; close it there, or read a copy of the file'),
    ("not a valid Lbug database", '"{path}" is no Ladybug file; give another name, or remove it if it is of no use'),
    ("cannot be a directory", '"{path}" is a folder; give the name of a file, such as graph.lbug'),
    ("different version", '"{path}" was written by another version of Ladybug; load the graph into a new file'),
    ("Permission denied", 'may not write "{path}" (Permission denied); choose another folder'),
    ("Read-only file system", 'may not write "{path}" (Read-only file system); choose another folder'),
    ("IO exception", 'cannot read or write "{path}" ({said}); check the disk, or load the graph into a new file'),
    ("buffer pool is full", 'no memory left for "{path}"; close other programs'),
)

_QUOTED = re.compile(
    r"""'(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*" | `[^`]*` | //[^\n]* | /\*.*?\*/""", re.DOTALL | re.VERBOSE
)
"""What of a query is text, a name or a comment."""

_PARAMETER = re.compile(r"\$(\w+)")
_LITTLE = 1 << 20
"""Bytes; what a disk has left that is full to a database."""


class LadybugFile:
    """A connection to a database; `close` leaves a database open that was passed in or that others still use."""

    def __init__(self, place: Path | ladybug.Database) -> None:
        import ladybug

        self._shared: str | None = None
        if isinstance(place, Path):
            self.name = str(place)
            self._shared = os.path.realpath(place)
            database, users = _open.get(self._shared) or (self._opened(place), 0)
            _open[self._shared] = (database, users + 1)
        else:
            self.name, database = str(place.database_path), place
        self._connection: Any = ladybug.Connection(database)

    def _opened(self, place: Path) -> ladybug.Database:
        import ladybug

        if not place.exists():
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                # What the system says of a folder is clearer than what the database says.
                place.touch()
            except OSError as error:
                raise InputError(f'may not write "{place}" ({error.strerror}); choose another folder') from error
        with self._errors():
            return ladybug.Database(place)

    def run(self, statement: str, **parameters: Any) -> list[list[Any]]:
        """Run a statement and return the rows."""
        with self._errors(), self._result(statement, parameters) as result:
            return result.get_all()  # type: ignore[no-any-return]

    def arrow(self, statement: str, **parameters: Any) -> pa.Table:
        """Run a statement and return a table."""
        with self._errors(), self._result(statement, parameters) as result:
            return result.get_as_arrow(65_536)

    def ask(self, text: str, parameters: Mapping[str, Any] | None) -> tuple[list[str], list[list[Any]]]:
        """Run a text that a person wrote, which may only read; columns and rows.

        Raises:
            InputError: what the database says of the text.
        """
        given = {name.removeprefix("$"): _plain(value) for name, value in (parameters or {}).items()}
        # The database takes a parameter that is not given for a missing value, and finds nothing without a word.
        if missing := [name for name in _PARAMETER.findall(_QUOTED.sub("", text)) if name not in given]:
            raise InputError(f'query: parameter "{missing[0]}" has no value; give it one')
        try:
            with self.transaction(BEGIN_READING), self._result(text, given) as result:
                return result.get_column_names(), result.get_all()
        except RuntimeError as error:
            raise InputError(_of_text(str(error))) from None

    @contextmanager
    def transaction(self, begin: str = BEGIN) -> Iterator[None]:
        """All statements of the block, or none."""
        with self._errors():
            self._connection.execute(begin)
            try:
                yield
                self._connection.execute(COMMIT)
            except BaseException:
                # After most errors the database has given the transaction up itself.
                with suppress(RuntimeError):
                    self._connection.execute(ROLLBACK)
                raise

    def close(self) -> None:
        """Let go of the connection, and of the file when no other store of this program uses it."""
        if self._connection is None:
            return
        self._connection.close()
        self._connection = None
        if self._shared is not None:
            database, users = _open.pop(self._shared)
            if users > 1:
                _open[self._shared] = (database, users - 1)
            else:
                with self._errors():
                    database.close()

    @contextmanager
    def _result(self, statement: str, parameters: Mapping[str, Any]) -> Iterator[Any]:
        if self._connection is None:
            raise InputError(f'the store in "{self.name}" is closed; open it again')
        results = self._connection.execute(statement, dict(parameters))
        every = results if isinstance(results, list) else [results]
        try:
            yield every[-1]
        finally:
            for result in every:
                result.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """What can happen to a file as an InputError; the rest is a fault of ours and passes."""
        try:
            yield
        except RuntimeError as error:
            said = str(error)
            # Pages that found no room on the disk can be missed later on only.
            if "IO exception" in said and shutil.disk_usage(Path(self.name).parent).free < _LITTLE:
                said = "No space left"
            for sign, message in _PROBLEMS:
                if sign in said:
                    raise InputError(message.format(path=self.name, said=said.splitlines()[0])) from None
            raise


def _of_text(message: str) -> str:
    """The first line of what the database says of a query, with its place."""
    line = re.sub(r"^(Parser|Binder|Runtime|Connection|Catalog|Conversion) exception: ", "", message.splitlines()[0])
    if "write query inside a read-only" in line:
        return "query: the text would change the graph; a query only reads"
    return f"query: {line.removesuffix('.')}; mend the text (Ladybug's Cypher)"


def _plain(value: Any) -> Any:
    """A parameter as the database takes it."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray | pd.Series | pd.Index):
        return [_plain(one) for one in value.tolist()]
    if isinstance(value, list | tuple | set):
        return [_plain(one) for one in value]
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    return value
