"""Encoders: a graph in, one embedding per node out."""

from kgxfer.encoders.base import Embeddings, Encoder, EncoderConfig, ParameterGroup
from kgxfer.encoders.lightgcn import LightGCN
from kgxfer.encoders.mf import MatrixFactorisation
from kgxfer.encoders.relational import Relational
from kgxfer.registry import Registry

ENCODERS: Registry[Encoder] = Registry(
    "encoder", {"relational": Relational, "lightgcn": LightGCN, "mf": MatrixFactorisation}
)

__all__ = ["ENCODERS", "Embeddings", "Encoder", "EncoderConfig", "LightGCN", "MatrixFactorisation", "ParameterGroup",
           "Relational"]
