"""EASE: a linear model over items in closed form.

Steck: Embarrassingly shallow autoencoders for sparse data, WWW 2019. With P = (X^T X + r I)^-1 the item weights are
``B = I - P diag(P)^-1``, whose diagonal is 0, and the scores ``X B``. X holds the items of both domains.

The inverse is taken on the smaller side. With more items than users, the Woodbury identity gives
``P = (I - X^T G X) / r`` with ``G = (X X^T + r I)^-1`` over users, from which follow ``X P = G X`` and
``P_ii = (1 - x_i^T G x_i) / r``; the scores are the same. Users and items without interactions are left out of the
inverse and score 0. Everything is float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field
from scipy import sparse
from scipy.linalg import lapack

from graph_schema.errors import InputError
from kgxfer.baselines.base import Baseline, BaselineConfig, Candidate
from kgxfer.baselines.matrix import JointMatrix
from kgxfer.graph import KnowledgeGraph
from kgxfer.recommender import Catalogue, RankingModel
from kgxfer.splits import Split

BLOCK = 1024
"""Rows of a large matrix that are worked on at a time."""


class EASEConfig(BaselineConfig):
    """Settings: `regularisation` are candidates; the matrices held at a time may take `memory_gib`."""

    regularisation: tuple[Annotated[float, Field(gt=0)], ...] = Field((100.0, 10.0, 1000.0), min_length=1)
    memory_gib: float = Field(8.0, gt=0)


class EASE(Baseline):
    """Weigh every item of the history for every other item, exactly."""

    config_class: ClassVar[type[BaselineConfig]] = EASEConfig
    config: EASEConfig

    def candidates(self, graph: KnowledgeGraph, split: Split) -> Sequence[Candidate]:
        """Lay out the matrix once; the candidates are the regularisations, with one inverse each.

        Raises:
            InputError: the inverses held at a time, the best of each domain and the one on trial, need more memory
                than allowed.
        """
        catalogue = Catalogue.of(split)
        joint = JointMatrix.of(graph, catalogue, self.config.joint)
        matrix = joint.matrix.astype(np.float32)
        users, items = (np.flatnonzero(matrix.getnnz(axis)) for axis in (1, 0))
        kind, kept, side = (_OverItems, items, "items") if len(items) <= len(users) else (_OverUsers, users, "users")
        held = min(len(self.config.regularisation), 3)
        needed = held * 4 * len(kept) ** 2 / 2**30
        if needed > self.config.memory_gib:
            raise InputError(
                f"baseline ease: {held} matrices over {len(kept):,} {side} need {needed:.3g} GiB, "
                f"and memory_gib allows {self.config.memory_gib:g}; allow more, give fewer values of "
                "regularisation, or leave this baseline out"
            )
        return [
            Candidate({"regularisation": value}, partial(kind, catalogue, joint, matrix, kept, value))
            for value in self.config.regularisation
        ]


def regularised_inverse(rows: sparse.csr_matrix, regularisation: float) -> np.ndarray:
    """``(R R^T + r I)^-1`` by Cholesky, in place; float32 [rows, rows], both triangles.

    Raises:
        InputError: the regularisation is lost in float32.
    """
    size = rows.shape[0]
    gram = np.empty((size, size), dtype=np.float32, order="F")
    columns = rows.T.tocsr()
    for begin in range(0, size, BLOCK):
        # Symmetric, so that blocks of rows may be stored as blocks of columns, which lie together.
        gram[:, begin : begin + BLOCK] = (rows[begin : begin + BLOCK] @ columns).toarray().T
    gram[np.diag_indices(size)] += regularisation
    gram, wrong = lapack.spotrf(gram, lower=1, clean=0, overwrite_a=1)
    if wrong:
        raise InputError(f"baseline ease: regularisation {regularisation:g} is too small for float32; raise it")
    gram = lapack.spotri(gram, lower=1, overwrite_c=1)[0]
    for begin in range(0, size, BLOCK):
        end = min(begin + BLOCK, size)
        gram[begin:end, end:] = gram[end:, begin:end].T
        corner = np.tril(gram[begin:end, begin:end])
        gram[begin:end, begin:end] = corner + np.tril(corner, -1).T
    inverse: np.ndarray = gram
    return inverse


class _OverItems(RankingModel):
    """Holds P; rows and columns are the items that have interactions."""

    def __init__(
        self, catalogue: Catalogue, joint: JointMatrix, matrix: sparse.csr_matrix, kept: np.ndarray, penalty: float
    ) -> None:
        super().__init__(catalogue)
        self._joint, self._kept, self._matrix = joint, kept, matrix[:, kept]
        self._inverse = regularised_inverse(self._matrix.T.tocsr(), penalty)
        self._diagonal = self._inverse.diagonal().copy()

    def score_places(self, domain: int, places: np.ndarray) -> np.ndarray:
        histories = self._matrix[self._joint.persons[domain][places]]
        # P is symmetric: its transpose is the same values in the order that the sparse product reads without a copy.
        shares = (histories @ self._inverse.T) / self._diagonal
        scores = np.zeros((len(places), self._joint.matrix.shape[1]), dtype=np.float32)
        scores[:, self._kept] = histories.toarray() - shares
        return scores[:, self._joint.columns[domain]]


class _OverUsers(RankingModel):
    """Holds G; rows and columns are the users who have interactions."""

    def __init__(
        self, catalogue: Catalogue, joint: JointMatrix, matrix: sparse.csr_matrix, kept: np.ndarray, penalty: float
    ) -> None:
        super().__init__(catalogue)
        self._joint, self._by_item = joint, matrix[kept].T.tocsr()
        self._row = np.full(matrix.shape[0], -1)
        self._row[kept] = np.arange(len(kept))
        self._inverse = regularised_inverse(matrix[kept], penalty)
        explained = np.zeros(matrix.shape[1], dtype=np.float32)
        for begin in range(0, len(explained), BLOCK):
            part = self._by_item[begin : begin + BLOCK]
            explained[begin : begin + BLOCK] = np.asarray(part.multiply(part @ self._inverse.T).sum(1)).ravel()
        self._diagonal = (1 - explained) / penalty

    def score_places(self, domain: int, places: np.ndarray) -> np.ndarray:
        row, columns = self._row[self._joint.persons[domain][places]], self._joint.columns[domain]
        scores = np.zeros((len(places), columns.stop - columns.start), dtype=np.float32)
        known = row >= 0
        by_item = self._by_item[columns]
        histories = by_item[:, row[known]].T.toarray()
        scores[known] = histories - (by_item @ self._inverse[:, row[known]]).T / self._diagonal[columns]
        return scores
