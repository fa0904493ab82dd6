"""The worlds in stores, once for all tests of queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import pandas as pd
import pytest

from kgxfer.stores import GraphStore
from kgxfer.stores.ladybug import LadybugStore
from kgxfer.stores.neo4j import Neo4jStore
from tests.queries.world import COMMUNITIES, library, shop, write_back

if TYPE_CHECKING:
    from neo4j import Driver

Worlds = Callable[[str], GraphStore]
DATABASES = ["ladybug", pytest.param("neo4j", marks=pytest.mark.neo4j)]

COMBINED = {"library": "same_as_edges", "collapsed": "collapse", "disjoint": "disjoint"}


def filled(store: GraphStore, world: str) -> GraphStore:
    """Write a world into a store, with what models write back."""
    store.write_graph(shop() if world == "shop" else library(COMBINED[world]))
    if world == "library":
        write_back(store)
    if world == "shop":
        store.write_communities(pd.Series(COMMUNITIES))
    return store


@pytest.fixture(scope="module")
def neo4j_worlds(neo4j_driver: Driver) -> Iterator[Worlds]:
    """The worlds in Neo4j, beside each other in one database, each made when it is first asked for.

    They go with the module: a database indexes vectors of one length, which tests elsewhere choose for themselves.
    """
    made: dict[str, GraphStore] = {}
    number = uuid4()

    def world(name: str) -> GraphStore:
        if name not in made:
            made[name] = Neo4jStore(neo4j_driver, f"{name} {number}")
            filled(made[name], name)
        return made[name]

    yield world
    for store in made.values():
        store.clear()


@pytest.fixture(scope="session")
def ladybug_worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    """The worlds in Ladybug, each made when it is first asked for."""
    made: dict[str, GraphStore] = {}
    folder = tmp_path_factory.mktemp("worlds")

    def world(name: str) -> GraphStore:
        if name not in made:
            made[name] = filled(LadybugStore(folder / f"{name}.lbug"), name)
        return made[name]

    yield world
    for store in made.values():
        store.close()
