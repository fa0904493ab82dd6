"""The worlds in stores, once for all tests of queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd
import pytest

from kgxfer.queries import write_communities
from kgxfer.stores import GraphStore
from kgxfer.stores.ladybug import LadybugStore
from tests.queries.world import COMMUNITIES, library, shop, write_back

Worlds = Callable[[str], GraphStore]

COMBINED = {"library": "same_as_edges", "collapsed": "collapse", "disjoint": "disjoint"}


def filled(store: GraphStore, world: str) -> GraphStore:
    """Write a world into a store, with what models write back."""
    store.write_graph(shop() if world == "shop" else library(COMBINED[world]))
    if world == "library":
        write_back(store)
    if world == "shop":
        write_communities(store, pd.Series(COMMUNITIES))
    return store


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
