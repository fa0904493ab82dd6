"""The knowledge graph: built from a split, converted, stored, and propagated over."""

from kgxfer.graph.build import build_graph
from kgxfer.graph.combine import COMBINATIONS
from kgxfer.graph.knowledge_graph import INTERACTION, SOURCE, TARGET, USER, EdgeTable, KnowledgeGraph
from kgxfer.graph.tensors import GraphTensors
from kgxfer.graph.vocabulary import Vocabulary

__all__ = [
    "COMBINATIONS",
    "INTERACTION",
    "SOURCE",
    "TARGET",
    "USER",
    "EdgeTable",
    "GraphTensors",
    "KnowledgeGraph",
    "Vocabulary",
    "build_graph",
]
