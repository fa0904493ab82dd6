"""Where a knowledge graph lives outside Python: Neo4j, Ladybug, RDF, networkx, behind one protocol."""

from kgxfer.stores.address import open_store
from kgxfer.stores.base import GraphStore, NodeVectors, Run
from kgxfer.stores.contents import recommended_edges, vectors_of

__all__ = ["GraphStore", "NodeVectors", "Run", "open_store", "recommended_edges", "vectors_of"]
