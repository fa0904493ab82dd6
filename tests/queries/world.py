"""Two small libraries of books and films, and a shop, whose answers to every query are known."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd

from graph_schema.tables import IDENTITY, LIKENESS
from kgxfer.bridges.links import link_table
from kgxfer.graph import KnowledgeGraph, build_graph
from kgxfer.splits import FixedFiles
from kgxfer.stores import GraphStore, NodeVectors, Run
from tests.worlds import domain_of, pair_of

PEOPLE = {
    "p1": "John Grisham", "p2": "Frank Herbert", "p3": "Jane Austen", "p4": "Sydney Pollack", "p5": "Sigourney Weaver"
}
OLD = Run("may", "walks", datetime(2026, 5, 1, tzinfo=UTC))
NEW = Run("june", "learned", datetime(2026, 6, 1, tzinfo=UTC))

RECOMMENDED = {
    OLD: [("ann", "f1", 0.9, 1), ("ann", "f2", 0.5, 2), ("cem", "f3", 0.8, 1), ("cem", "f1", 0.7, 2)],
    NEW: [
        ("ann", "f1", 0.8, 1), ("ann", "f5", 0.6, 2), ("cem", "f2", 0.9, 1), ("cem", "f3", 0.4, 2),
        ("eve", "f3", 0.7, 1),
    ],
}


COMMUNITIES = {
    "User:cloth/ann": 7, "Product:cloth/c1": 7, "Product:sport/s1": 7, "User:sport/bob": 2, "User:cloth/bob": 2,
}
"""Of some nodes of the shop."""


def library(combine: str = "same_as_edges") -> KnowledgeGraph:
    """Books and films: ann and bob are in both, cem reads only, eve sees films only, and dan has one book.

    Grisham's books were filmed, and Dune; nobody saw "A Time to Kill" or "Clueless", nobody read "Ulysses", which has
    no facts either. A careless link joins "Dune" to "Alien".
    """
    books = domain_of(
        "books", "Book", {"ann": "b1:5 b3:4", "bob": "b1:3 b4:2", "cem": "b2:4 b3:5", "dan": "b3:1"}, items=["b5"],
        names={"b1": "The Firm", "b2": "A Time to Kill", "b3": "Dune", "b4": "Emma", "b5": "Ulysses"},
        years={"b1": 1991, "b2": 1989, "b3": 1965, "b4": 1815},
        genres={"b1": "thriller", "b2": "thriller", "b3": "scifi", "b4": "romance"},
        facts=_by("Book", "AUTHORED_BY", {"b1": "p1", "b2": "p1", "b3": "p2", "b4": "p3"}),
    )
    acted = pd.DataFrame(
        {"head_id": ["p5"], "head_type": "Person", "relation": "ACTED_IN", "tail_id": ["f4"], "tail_type": "Movie",
         "head_name": [PEOPLE["p5"]]}
    )
    written = _by("Movie", "AUTHORED_BY", {"f1": "p1", "f2": "p1", "f3": "p2"})
    films = domain_of(
        "films", "Movie", {"ann": "f3:5 f4:4", "bob": "f1:4", "eve": "f4:3 f1:2", "cem": "f2:5"}, items=["f5"],
        names={"f1": "The Firm", "f2": "A Time to Kill", "f3": "Dune", "f4": "Alien", "f5": "Clueless"},
        years={"f1": 1993, "f2": 1996, "f3": 1984, "f4": 1979, "f5": 1995},
        genres={"f1": "thriller", "f2": "thriller", "f3": "scifi", "f4": "scifi horror", "f5": "romance"},
        facts=pd.concat([written, _by("Movie", "DIRECTED_BY", {"f1": "p4"}), acted], ignore_index=True),
    )
    split = FixedFiles().split(pair_of(books, films, test={"films": {"cem": "f2"}}))
    links = pd.concat(
        [
            _links("User", {"ann": "ann", "bob": "bob", "cem": "cem"}),
            _links("Genre", {"thriller": "thriller", "scifi": "scifi", "romance": "romance"}),
            _links("Person", {"p1": "p1", "p2": "p2"}),
            link_table(
                ["b1", "b2", "b3", "b3"], ["f1", "f2", "f3", "f4"], "Item", [0.95, 0.8, 1.0, 0.5], "same_name", "",
                LIKENESS,
            ),
        ],
        ignore_index=True,
    )
    return build_graph(split, links, combine)


def shop() -> KnowledgeGraph:
    """One shoe under two ids in two departments; ann bought it twice, bob and cem once; two shirts have one name."""
    sport = domain_of("sport", "Product", {"ann": "s1 s2", "bob": "s1"}, names={"s1": "shoe", "s2": "ball"})
    cloth = domain_of(
        "cloth", "Product", {"ann": "c1", "bob": "c2", "cem": "c1 c2"}, items=["c3"],
        names={"c1": "shoe", "c2": "shirt", "c3": "Shirt"},
    )
    split = FixedFiles().split(pair_of(sport, cloth, test={"cloth": {"cem": "c2"}}))
    links = pd.concat([_links("User", {"ann": "ann", "bob": "bob"}), _links("Product", {"s1": "c1"})])
    return build_graph(split, links.reset_index(drop=True))


def write_back(store: GraphStore) -> None:
    """Two runs of recommendations of films, and vectors of items."""
    for run, rows in RECOMMENDED.items():
        table = pd.DataFrame(rows, columns=["head", "tail", "score", "rank"])
        keys = {"head": "User:films/" + table["head"], "tail": "Movie:films/" + table["tail"]}
        store.write_recommendations(table.assign(**keys), run)
    vectors = {"b1": (1, 0), "b3": (0, 1), "f1": (3, 4), "f3": (0, 2), "f4": (-1, 0)}
    for kind, letter in (("Book", "b"), ("Movie", "f")):
        own = {name: vector for name, vector in vectors.items() if name.startswith(letter)}
        keys = pd.Index([f"{kind}:{'books' if letter == 'b' else 'films'}/{name}" for name in own])
        store.write_embeddings({kind: NodeVectors(keys, np.array([*own.values()], dtype=np.float32))}, NEW)


def _by(kind: str, relation: str, of: dict[str, str]) -> pd.DataFrame:
    facts = pd.DataFrame({"head_id": [*of], "tail_id": [*of.values()]})
    return facts.assign(head_type=kind, relation=relation, tail_type="Person", tail_name=facts["tail_id"].map(PEOPLE))


def _links(kind: str, pairs: dict[str, str]) -> pd.DataFrame:
    return link_table([*pairs], [*pairs.values()], kind, 1.0, "shared_id", "", IDENTITY)
