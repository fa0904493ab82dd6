"""Stores by their address: what stands on the command line and in scripts opens the store that it names."""

from __future__ import annotations

import os
import re
from pathlib import Path

from graph_schema.errors import InputError
from kgxfer.stores.base import GraphStore
from kgxfer.stores.ladybug import LadybugStore
from kgxfer.stores.neo4j import Neo4jStore
from kgxfer.stores.networkx_store import NetworkxStore
from kgxfer.stores.rdf import RdfStore

FORMS = (
    "neo4j://host:7687 or bolt://host:7687 (Neo4j), graph.lbug (Ladybug), graph.nt, graph.ttl, graph.nq, graph.trig or "
    "graph.oxigraph (RDF), graph.json (networkx)"
)
"""The forms that an address takes."""

_SERVER = re.compile(r"(?:neo4j|bolt)(?:\+s|\+ssc)?://(?P<rest>.*)", re.IGNORECASE)
_LADYBUG, _RDF, _NETWORKX = (".lbug", ".lbdb"), (".nt", ".ttl", ".nq", ".trig", ".oxigraph"), (".json",)


def open_store(address: str, graph: str = "kgxfer", create: bool = True) -> GraphStore:
    """Open the store that an address names.

    Args:
        address: see `FORMS`. A Neo4j server is asked as NEO4J_USER ("neo4j" when not set) with NEO4J_PASSWORD, in the
            database NEO4J_DATABASE (the server's own when not set).
        graph: which graph of a server's database; a file holds one.
        create: whether a file that is not there is made; a reader says False.

    Raises:
        InputError: an address of no known form, a password inside it, no password at all, a missing file, or a store
            that cannot be opened.
    """
    if (server := _SERVER.fullmatch(address)) is not None:
        return _neo4j(address, server["rest"], graph)
    if "://" in address:
        # The address is not repeated: it may hold a password.
        raise InputError(f'a store is no "{address.partition("://")[0]}://"; give {FORMS}')
    path = Path(address).expanduser()
    kind = path.suffix.lower()
    if kind not in _LADYBUG + _RDF + _NETWORKX:
        raise InputError(f'"{address}" names no store; give {FORMS}')
    if not create and not path.exists():
        raise InputError(f'there is no "{address}"; load a graph into it first, or mend the name')
    if kind in _LADYBUG:
        return LadybugStore(path)
    if kind in _NETWORKX:
        return NetworkxStore(path)
    return RdfStore(path)


def _neo4j(address: str, rest: str, graph: str) -> GraphStore:
    if "@" in rest.partition("/")[0]:
        raise InputError("an address of Neo4j has no user and no password in it; set NEO4J_USER and NEO4J_PASSWORD")
    password = os.environ.get("NEO4J_PASSWORD")
    if not password:
        raise InputError("set NEO4J_PASSWORD (and NEO4J_USER, where it is not neo4j) for the Neo4j server")
    user, database = os.environ.get("NEO4J_USER") or "neo4j", os.environ.get("NEO4J_DATABASE") or None
    return Neo4jStore.connect(address, user, password, graph, database)
