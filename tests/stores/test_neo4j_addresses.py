"""Addresses where no Neo4j server answers, and servers that are none of ours."""

from __future__ import annotations

import re

import pytest

from graph_schema import InputError
from kgxfer.stores.neo4j import Neo4jStore
from kgxfer.stores.neo4j_session import require_version


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("bolt://127.0.0.1:9", "Neo4j at bolt://127.0.0.1:9 does not answer (Couldn't connect to 127.0.0.1:9"),
        ("neo4j://127.0.0.1:9", "Neo4j at neo4j://127.0.0.1:9 does not answer ("),
        ("ftp://here", "URI scheme"),
        ("nonsense", "write neo4j://HOST:7687"),
    ],
)
def test_an_address_where_nothing_answers(uri: str, problem: str) -> None:
    with pytest.raises(InputError, match=re.escape(problem)) as caught:
        Neo4jStore.connect(uri, "neo4j", "secret", "g")
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "agent", ["Neo4j/4.4.30", "Neo4j/5.22.0", "Neo4j/v5.11.0 compatible graph database", "Other/9"]
)
def test_servers_that_are_too_old_or_another_program_are_refused(agent: str) -> None:
    with pytest.raises(InputError, match=re.escape(f'at x says that it is "{agent}"; this needs Neo4j 5.23 or newer')):
        require_version(agent, "Neo4j at x")


@pytest.mark.parametrize("agent", ["Neo4j/5.23.0", "Neo4j/5.26.12", "Neo4j/2025.10.1", "Neo4j/5.27-aura"])
def test_newer_servers_are_taken(agent: str) -> None:
    require_version(agent, "Neo4j at x")
