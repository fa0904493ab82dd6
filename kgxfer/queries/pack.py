"""All queries by name. A new one is a value in one of the modules of this package; a test then asks for its answer."""

from __future__ import annotations

from graph_schema.errors import unknown_name
from kgxfer.queries.bridges import BRIDGES
from kgxfer.queries.communities import COMMUNITIES
from kgxfer.queries.domains import DOMAINS
from kgxfer.queries.overview import OVERVIEW
from kgxfer.queries.runs import RUNS
from kgxfer.queries.users import USERS
from kgxfer.queries.values import Query

THEMES: dict[str, tuple[Query, ...]] = {
    "What there is": OVERVIEW,
    "Domains": DOMAINS,
    "Bridges": BRIDGES,
    "Users and paths": USERS,
    "Recommendations": RUNS,
    "Communities": COMMUNITIES,
}
QUERIES: dict[str, Query] = {query.name: query for queries in THEMES.values() for query in queries}


def query_names() -> tuple[str, ...]:
    """The names of all queries, by theme."""
    return tuple(QUERIES)


def query_called(name: str) -> Query:
    """Return a query; InputError with the nearest name where there is none."""
    if name not in QUERIES:
        raise unknown_name("query", name, QUERIES)
    return QUERIES[name]
