"""The vector index against exact cosines."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from kgxfer.bridges import propose_links
from kgxfer.graph import build_graph
from kgxfer.splits import FixedFiles
from kgxfer.stores import NodeVectors, Run
from kgxfer.stores.neo4j import Neo4jStore
from tests.worlds import domain_of, pair_of

ITEMS, DIM, QUERIES, TOP = 10_000, 48, 100, 10


@pytest.mark.neo4j
@pytest.mark.slow
def test_nearest_neighbours_are_the_exact_ones(neo4j_store: Callable[..., Neo4jStore]) -> None:
    books = domain_of("books", "Book", {"ann": "b1", "bob": "b1"})
    films = domain_of("films", "Movie", {"ann": "f1", "bob": "f1"}, items=[f"f{n}" for n in range(ITEMS)])
    split = FixedFiles().split(pair_of(books, films, test={"films": {"ann": "f1"}}))
    store, graph = neo4j_store(), build_graph(split, propose_links(split, ["shared_id"]))
    store.write_graph(graph)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(ITEMS, DIM)).astype(np.float32)
    vectors[: ITEMS // 2] = vectors[rng.integers(0, 50, ITEMS // 2)] + 0.1 * vectors[: ITEMS // 2]  # dense places
    keys = "Movie:films/" + graph.nodes["Movie"].first_keys["id"]
    store.write_embeddings({"Movie": NodeVectors(pd.Index(keys), vectors)}, Run("r", "m"))
    back = store.read_embeddings()["Movie"]
    np.testing.assert_array_equal(back.vectors, vectors)
    assert back.keys.tolist() == keys.tolist()
    queries = vectors[rng.integers(0, ITEMS, QUERIES)] + 0.3 * rng.normal(size=(QUERIES, DIM)).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = (queries / np.linalg.norm(queries, axis=1, keepdims=True)) @ unit.T
    shared = 0
    for query, exact in zip(queries, cosines, strict=True):
        found = store.nearest("Item", query, TOP)
        best = np.argsort(-exact)[:TOP]
        shared += len(set(found["key"]) & set(keys.iloc[best]))
        places = pd.Index(keys).get_indexer(found["key"])
        np.testing.assert_allclose(found["similarity"], exact[places], atol=1e-5)
        assert found["similarity"].is_monotonic_decreasing
    agreement = shared / (QUERIES * TOP)
    assert agreement >= 0.95, f"{agreement:.3f} of the top {TOP}"
