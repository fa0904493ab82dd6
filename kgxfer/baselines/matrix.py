"""The joint interaction matrix that neighbourhood and diffusion baselines read from the graph."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from kgxfer.graph import USER, KnowledgeGraph
from kgxfer.recommender import Catalogue


@dataclass(frozen=True, eq=False)
class JointMatrix:
    """Persons by the items of both domains, source items first, in the order of the catalogue.

    Attributes:
        matrix: float64 CSR [persons, items].
        persons: per domain int64 [catalogue users], the person a domain takes a user for.
        columns: per domain the slice of item columns.
    """

    matrix: sparse.csr_matrix
    persons: tuple[np.ndarray, np.ndarray]
    columns: tuple[slice, slice]

    @staticmethod
    def of(graph: KnowledgeGraph, catalogue: Catalogue, joint: bool = True) -> JointMatrix:
        """Read the matrix; with ``joint=False`` the domains share no person, which is the target-only control."""
        first, second = (len(table) for table in catalogue.items)
        columns = (slice(0, first), slice(first, first + second))
        person_count = int(graph.persons.max()) + 1
        rows, places, persons = [], [], []
        for domain in (0, 1):
            edges = graph.interactions(domain)
            shift = 0 if joint else domain * person_count
            rows.append(graph.persons[edges.head] + shift)
            places.append(item_columns(graph, catalogue, columns[domain], domain)[edges.tail])
            persons.append(graph.persons[graph.user_rows_anywhere(domain, catalogue.user_ids.to_numpy())] + shift)
        row, place = np.concatenate(rows), np.concatenate(places)
        shape = (person_count * (1 if joint else 2), first + second)
        matrix = sparse.csr_matrix((np.ones(len(row)), (row, place)), shape=shape)
        matrix.data[:] = 1.0
        return JointMatrix(matrix, (persons[0], persons[1]), columns)

    @cached_property
    def degree(self) -> np.ndarray:
        """Persons per item, at least 1; float64 [items]."""
        counts: np.ndarray = np.maximum(np.asarray(self.matrix.sum(0)).ravel(), 1.0)
        return counts

    def of_domain(self, domain: int) -> sparse.csr_matrix:
        """All persons by the items of one domain, CSR."""
        return self.matrix[:, self.columns[domain]].tocsr()

    def histories(self, domain: int, places: np.ndarray) -> sparse.csr_matrix:
        """The rows of users given by place in the catalogue, as one domain knows them."""
        return self.matrix[self.persons[domain][places]]


def item_columns(graph: KnowledgeGraph, catalogue: Catalogue, span: slice, domain: int) -> np.ndarray:
    """Joint column of every row of the domain's item type; -1 for nodes that are no items of this domain."""
    columns = np.full(graph.nodes[graph.item_types[domain]].size, -1)
    columns[graph.item_rows(domain, catalogue.item_index(domain).to_numpy())] = np.arange(span.start, span.stop)
    return columns


def item_entities(graph: KnowledgeGraph, catalogue: Catalogue, joint: JointMatrix) -> sparse.csr_matrix:
    """Facts as a CSR matrix [entities of all types, joint items]; entities joined by SAME_AS edges are one row."""
    by_type: dict[str, sparse.csr_matrix] = {}
    for kind, edges in graph.facts.items():
        for item_type, entity_type, items, entities in (
            (kind.head, kind.tail, edges.head, edges.tail), (kind.tail, kind.head, edges.tail, edges.head),
        ):
            for domain in (0, 1):
                if item_type != graph.item_types[domain] or entity_type in (USER, *graph.item_types):
                    continue
                columns = item_columns(graph, catalogue, joint.columns[domain], domain)[items]
                rows = graph.connected(entity_type)[entities]
                kept = (edges.domain == domain) & (columns >= 0)
                shape = (graph.nodes[entity_type].size, joint.matrix.shape[1])
                block = sparse.csr_matrix((np.ones(int(kept.sum())), (rows[kept], columns[kept])), shape=shape)
                by_type[entity_type] = by_type[entity_type] + block if entity_type in by_type else block
    return sparse.vstack([sparse.csr_matrix((0, joint.matrix.shape[1])), *by_type.values()]).tocsr()


def item_pairs(graph: KnowledgeGraph, catalogue: Catalogue, joint: JointMatrix) -> sparse.csr_matrix:
    """Edges between items, such as the SIMILAR_TO of a book and its film, as a CSR matrix [edges, joint items]."""
    blocks = [sparse.csr_matrix((0, joint.matrix.shape[1]))]
    columns = [item_columns(graph, catalogue, joint.columns[domain], domain) for domain in (0, 1)]
    for kind, edges in graph.facts.items():
        if kind.head not in graph.item_types or kind.tail not in graph.item_types:
            continue
        # Where both domains have items of one type, a node is an item of one or the other, or of both.
        places = [
            np.max([columns[domain][rows] for domain in (0, 1) if graph.item_types[domain] == item_type], axis=0)
            for item_type, rows in ((kind.head, edges.head), (kind.tail, edges.tail))
        ]
        pairs = np.column_stack(places)
        pairs = pairs[(pairs >= 0).all(1) & (pairs[:, 0] != pairs[:, 1])]
        entries = (np.ones(pairs.size), (np.repeat(np.arange(len(pairs)), 2), pairs.ravel()))
        blocks.append(sparse.csr_matrix(entries, shape=(len(pairs), joint.matrix.shape[1])))
    return sparse.vstack(blocks).tocsr()
