"""Every query of the pack against a known answer, on every database that answers Cypher."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from kgxfer.queries import QUERIES, query_names, run_query
from tests.queries.answers import ANSWERS
from tests.queries.conftest import DATABASES, Worlds


@pytest.fixture(params=DATABASES)
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """The worlds in one database."""
    return request.getfixturevalue(f"{request.param}_worlds")  # type: ignore[no-any-return]


def rows(table: pd.DataFrame) -> list[tuple[Any, ...]]:
    """The rows as plain values, floats to six digits (vectors are float32)."""
    return [tuple(map(_plain, row)) for row in table.astype(object).to_numpy()]


def _plain(cell: Any) -> Any:
    if isinstance(cell, list | pd.Timestamp | bool | str):
        return cell
    if pd.isna(cell):
        return None
    return round(cell, 6) if isinstance(cell, float) else cell


def test_every_query_has_an_answer_here() -> None:
    assert set(ANSWERS) == set(query_names())
    assert len(QUERIES) >= 25


@pytest.mark.parametrize("name", query_names())
def test_a_query_answers_what_is_known(worlds: Worlds, name: str) -> None:
    known = ANSWERS[name]
    found = run_query(worlds(known.world), name, known.parameters)
    assert [*found] == [column.name for column in QUERIES[name].columns]
    assert known.rows, "an empty answer shows nothing"
    assert rows(found) == [tuple(map(_plain, row)) for row in known.rows]
