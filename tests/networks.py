"""Small graphs, batches and trained parts for tests of encoders, stages and training."""

from __future__ import annotations

import torch

from kgxfer.bridges import propose_links
from kgxfer.graph import GraphTensors, KnowledgeGraph, build_graph
from kgxfer.model import TransferModel, TransferNetwork
from kgxfer.splits import FixedFiles, Split
from kgxfer.stages import Batch
from kgxfer.training.supervision import AllEdges, SupervisionConfig
from tests.worlds import Likes, domain_of, pair_of

BOOKS: Likes = {"ann": "b0 b1", "bob": "b1 b2", "cid": "b2 b3 b0", "dan": "b3", "sue": "b0 b2"}
FILMS: Likes = {"ann": "f0 f2", "bob": "f1", "cid": "f0 f1 f2", "dan": "f2 f0", "tom": "f1 f2", "eve": "f2 f0"}
TESTED: Likes = {"dan": "f2 f0"}
"""Dan is cold among the films; Sue reads only, Tom and Eve see films only and Eve sees what Ann sees."""
GENRES = ({"b0": "g0 g1", "b2": "g1", "b3": "g0"}, {"f0": "g0", "f2": "g1 g2"})


def small_split(films: Likes = FILMS, *, one_type: bool = False) -> Split:
    """Books and films of a few people, with genres; `films` may leave rows out, the users and items stay the same."""
    kind = ("Product", "Product") if one_type else ("Book", "Movie")
    dataset = pair_of(
        domain_of("books", kind[0], BOOKS, genres=GENRES[0]),
        domain_of("films", kind[1], films, users=list(FILMS), items=["f0", "f1", "f2", "f3"], genres=GENRES[1]),
        test={"films": TESTED},
    )
    return FixedFiles().split(dataset)


def graph_of(split: Split, combine: str = "same_as_edges") -> KnowledgeGraph:
    """The graph of a split, with users and entities of equal ids joined."""
    return build_graph(split, propose_links(split, ["shared_id", "shared_entity"]), combine)


def tensors_of(split: Split, combine: str = "same_as_edges") -> GraphTensors:
    """The same as tensors."""
    return GraphTensors.of(graph_of(split, combine))


def all_edges(graph: GraphTensors, rows: int = 64, negatives: int = 16, progress: float = 0.0) -> Batch:
    """All interactions as one batch."""
    supervision = AllEdges(SupervisionConfig(rows_per_domain=rows, negatives=negatives), graph, {})
    return supervision.draw(torch.Generator().manual_seed(0), progress).batch


def network_of(
    graph: GraphTensors, encoder: str = "relational", *stages: str, dim: int = 4, **settings: object
) -> TransferNetwork:
    """A network with its start values of seed 0."""
    return TransferModel(encoder, stages, dim, **settings).build(graph, 0)
