"""Rows that a twin gives away: the test item sits in the user's own training rows of the other domain."""

from __future__ import annotations

import pandas as pd
from scipy import sparse

from kgxfer.recommender import Catalogue


def known_twins(pairs: pd.DataFrame, catalogue: Catalogue, domain: int) -> sparse.csr_matrix:
    """Boolean [users, items of the domain]: items whose twin the user has in the other domain's training rows.

    Args:
        pairs: source_id, target_id, as `kgxfer.bridges.twin_pairs` detects them from training rows.
        catalogue: ids and seen items.
        domain: 0 for the source, 1 for the target.
    """
    own, other = ("source_id", "target_id") if domain == 0 else ("target_id", "source_id")
    columns = catalogue.item_index(domain).get_indexer(pairs[own])
    rows = catalogue.item_index(1 - domain).get_indexer(pairs[other])
    shape = (len(catalogue.items[1 - domain]), len(catalogue.items[domain]))
    twin_of = sparse.csr_matrix(([True] * len(pairs), (rows, columns)), shape=shape, dtype=bool)
    return (catalogue.seen[1 - domain] @ twin_of).tocsr()
