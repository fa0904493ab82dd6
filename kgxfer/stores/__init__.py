"""Where a knowledge graph lives outside Python: Neo4j, Ladybug, RDF, networkx, behind one protocol."""

from kgxfer.registry import Registry
from kgxfer.stores.address import open_store
from kgxfer.stores.base import GraphStore, NodeVectors, Run
from kgxfer.stores.contents import recommended_edges, vectors_of
from kgxfer.stores.copying import copy_graph
from kgxfer.stores.ladybug import LadybugStore
from kgxfer.stores.neo4j import Neo4jStore
from kgxfer.stores.networkx_store import NetworkxStore
from kgxfer.stores.rdf import RdfStore

STORES: Registry[GraphStore] = Registry(
    "store", {"neo4j": Neo4jStore, "ladybug": LadybugStore, "rdf": RdfStore, "networkx": NetworkxStore}
)

__all__ = [
    "STORES", "GraphStore", "LadybugStore", "Neo4jStore", "NetworkxStore", "NodeVectors", "RdfStore", "Run",
    "copy_graph", "open_store", "recommended_edges", "vectors_of",
]  # fmt: skip
