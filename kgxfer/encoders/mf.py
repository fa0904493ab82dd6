"""Matrix factorisation: an embedding per person and item, no messages.

With the scorer's item bias and the BPR loss this is BPR-MF with item bias, a control that published comparisons omit.
"""

from __future__ import annotations

from torch import nn

from kgxfer.encoders.base import Embeddings, Encoder, EncoderConfig, embedding_table
from kgxfer.graph import USER, GraphTensors


class MatrixFactorisation(Encoder):
    """Users whom a bridge identifies share one embedding, which is all the transfer there is."""

    def __init__(self, config: EncoderConfig, graph: GraphTensors) -> None:
        super().__init__(config, graph)
        self.persons = embedding_table(graph.person_count, config)
        self.items = nn.ParameterDict(
            {kind: embedding_table(graph.node_counts[kind], config) for kind in dict.fromkeys(graph.item_types)}
        )

    def forward(self, graph: GraphTensors) -> Embeddings:
        """Look the embeddings up."""
        return {USER: self.persons[graph.persons], **dict(self.items.items())}
