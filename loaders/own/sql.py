"""Rows of a database, by a query that the user writes; the password of the URL is in no message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from graph_schema.errors import InputError
from loaders.own.frames import choose_columns, series_of
from loaders.own.messages import one_line
from loaders.raw import RawTable

if TYPE_CHECKING:
    from sqlalchemy import URL

_ROWS_AT_ONCE = 100_000


def read_query(url: str, query: str, columns: Mapping[str, str] | None = None) -> RawTable:
    """Run a query and take its columns by their roles; nothing is committed, and the connection is closed again.

    Args:
        url: where the database is, as SQLAlchemy writes it: "postgresql+psycopg://user:password@host/database".
        query: SQL text that returns rows, sent as it is.
        columns: role -> name of the column; None: every column under its own name.

    Raises:
        InputError: SQLAlchemy or the database's driver is not installed, a wrong URL, a database that cannot be
            reached, SQL that it refuses, no rows at all to return, or an absent column.
    """
    try:
        import sqlalchemy
    except ImportError as error:
        raise InputError('reading a database needs SQLAlchemy; install it with: pip install "kgxfer[sql]"') from error
    parsed = _parsed(url)
    where = f"query on {_shown(parsed)}"
    try:
        engine = sqlalchemy.create_engine(parsed, poolclass=sqlalchemy.pool.NullPool)
    except ImportError as error:
        raise InputError(f"{where}: the driver is not installed ({one_line(error)}); install it with pip") from None
    except (sqlalchemy.exc.SQLAlchemyError, ValueError, TypeError) as error:
        raise InputError(f"{where}: {_hidden(error, parsed)}; correct the URL") from None
    try:
        with engine.connect().execution_options(stream_results=True) as connection:
            try:
                result = connection.exec_driver_sql(query)
                if not result.returns_rows:
                    raise InputError(f"{where} returns no rows; write a SELECT")
                names = [str(name) for name in tuple(result.keys())]
                parts = [_columns(part, len(names)) for part in result.partitions(_ROWS_AT_ONCE)]
            except sqlalchemy.exc.SQLAlchemyError as error:
                words = _hidden(error, parsed)
                raise InputError(f"{where}: the database refuses it ({words}); correct the SQL") from None
    except sqlalchemy.exc.SQLAlchemyError as error:
        words = _hidden(error, parsed)
        raise InputError(f"{where}: no connection ({words}); check host, database and password") from None
    finally:
        engine.dispose()
    return RawTable(_frame(parts, choose_columns(names, columns, where)), where)


def _parsed(url: str) -> URL:
    from sqlalchemy import exc, make_url

    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        # The URL itself may hold a password, so it is not repeated.
        raise InputError(
            "the URL of the database cannot be read; write it as dialect://user:password@host/database"
        ) from None
    file = parsed.database
    on_disk = parsed.get_backend_name() == "sqlite" and file and file != ":memory:" and not file.startswith("file:")
    if on_disk and not Path(str(file)).is_file():
        # SQLite would make an empty database of that name.
        raise InputError(f'database file "{one_line(file, 200)}" does not exist; check the path in the URL')
    return parsed


def _shown(url: URL) -> str:
    host = f"{url.host}/" if url.host else ""
    return one_line(f'{url.drivername} database "{host}{url.database or ""}"', 200)


def _hidden(error: Exception, url: URL) -> str:
    """Return the database's own words without anything secret of the URL."""
    text = str(getattr(error, "orig", None) or error).strip().split("\n")[0]
    secrets = [str(url.password or ""), *(str(value) for value in url.query.values())]
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return one_line(text, 160)


def _columns(rows: Sequence[Any], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def _frame(parts: Sequence[list[list[Any]]], chosen: Mapping[str, int]) -> pd.DataFrame:
    rows = sum(len(part[0]) for part in parts)
    columns = {role: _series([value for part in parts for value in part[number]]) for role, number in chosen.items()}
    return pd.DataFrame(columns, columns=list(columns), index=pd.RangeIndex(rows))


def _series(values: list[Any]) -> pd.Series:
    """Make a column of one type where the database gives one; SQLite may mix them, then as objects."""
    try:
        return series_of(pa.chunked_array([pa.array(values)]))
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        return pd.Series(values, dtype=object)
