"""The server that the tests ask is a real one, and the report can say which."""

from __future__ import annotations

import re

import pytest

from tests.neo4j_server import Neo4jServer


@pytest.mark.neo4j
def test_the_server_says_what_it_is(neo4j_server: Neo4jServer) -> None:
    assert re.match(r"\d+\.\d+", neo4j_server.version)
    assert neo4j_server.edition in ("community", "enterprise")


@pytest.mark.neo4j
@pytest.mark.slow
def test_a_server_of_the_tests_own_keeps_its_data_over_a_restart(neo4j_server: Neo4jServer) -> None:
    with neo4j_server.driver() as driver:
        driver.execute_query("CREATE (:`kgxfer test` {n: 1})")
    neo4j_server.stop()
    neo4j_server.start()
    with neo4j_server.driver() as driver:
        found = driver.execute_query("MATCH (n:`kgxfer test`) WITH n, n.n AS kept DELETE n RETURN kept").records
    assert [one["kept"] for one in found] == [1]
