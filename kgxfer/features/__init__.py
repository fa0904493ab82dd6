"""What nodes are besides their edges: arrays per node type, from texts."""

from kgxfer.features.text import TextConfig, item_texts, item_vectors, text_vectors
from kgxfer.features.vectors import NodeVectors

__all__ = ["NodeVectors", "TextConfig", "item_texts", "item_vectors", "text_vectors"]
