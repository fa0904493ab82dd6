"""Implicit alternating least squares over the joint matrix.

Hu, Koren, Volinsky: Collaborative filtering for implicit feedback datasets, ICDM 2008, in the form and with the
regularisation of Rendle, Krichene, Zhang, Koren: Revisiting the performance of iALS on item recommendation benchmarks,
RecSys 2022. With user vectors w, item vectors h, interactions S and the weight a of everything else, minimise
``sum over (u, i) in S of (<w_u, h_i> - 1)^2 + a sum over all u, i of <w_u, h_i>^2
+ r (sum over u of (|S_u| + a items) |w_u|^2 + sum over i of (|S_i| + a users) |h_i|^2)``.

The least squares of one side are solved for all its rows at once by a few steps of conjugate gradient from the last
solution (Takacs, Pilaszy, Tikk: Applications of the conjugate gradient method for implicit feedback collaborative
filtering, RecSys 2011), not exactly row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field
from scipy import sparse

from kgxfer.baselines.base import Baseline, BaselineConfig, Candidate
from kgxfer.baselines.factors import FactorModel, Factors
from kgxfer.baselines.matrix import JointMatrix
from kgxfer.graph import KnowledgeGraph
from kgxfer.recommender import Catalogue, RankingModel
from kgxfer.rng import numpy_generator
from kgxfer.splits import Split

BLOCK = 16_384
"""Interactions whose vectors are gathered at a time: few enough for the cache, whatever their number."""


class IALSConfig(BaselineConfig):
    """Settings: `unobserved` and `regularisation` are candidates to choose from.

    Both are relative to the data, so that their values mean the same for any size and density: `unobserved` is the
    weight of all that was not taken together, as a multiple of that of all interactions (a = unobserved |S| / (users
    items), at most 1), and r = regularisation / unobserved. A sweep solves users and items once each, by
    `conjugate_steps` steps from the last solution.
    """

    dim: int = Field(64, ge=1)
    sweeps: int = Field(8, ge=1)
    conjugate_steps: int = Field(2, ge=1)
    unobserved: tuple[Annotated[float, Field(gt=0)], ...] = Field((100.0, 30.0), min_length=1)
    regularisation: tuple[Annotated[float, Field(gt=0)], ...] = Field((0.4, 0.8, 0.2), min_length=1)
    seed: int = 0


class IALS(Baseline):
    """Factorise what is and, with less weight, what is not in the matrix."""

    config_class: ClassVar[type[BaselineConfig]] = IALSConfig
    config: IALSConfig

    def candidates(self, graph: KnowledgeGraph, split: Split) -> Sequence[Candidate]:
        """The candidates are the pairs of unobserved and regularisation."""
        catalogue = Catalogue.of(split)
        joint = JointMatrix.of(graph, catalogue, self.config.joint)

        def make(unobserved: float, penalty: float) -> RankingModel:
            factorise = partial(ials_factors, config=self.config, unobserved=unobserved, regularisation=penalty)
            return FactorModel(catalogue, joint, Factors.of(joint, self.config.joint, factorise))

        return [
            Candidate({"unobserved": weight, "regularisation": penalty}, partial(make, weight, penalty))
            for weight, penalty in product(self.config.unobserved, self.config.regularisation)
        ]


def ials_factors(
    matrix: sparse.csr_matrix, config: IALSConfig, unobserved: float, regularisation: float
) -> tuple[np.ndarray, np.ndarray]:
    """Factorise a binary matrix; rows and columns without an entry are left out and get zeros.

    Args:
        matrix: CSR [rows, columns].
        config: dim, sweeps, steps and seed.
        unobserved, regularisation: one value each of those in `IALSConfig`.

    Returns:
        float32 [rows, dim] and [columns, dim].
    """
    rows, columns = (np.flatnonzero(matrix.getnnz(axis)) for axis in (1, 0))
    by_row = matrix[rows][:, columns].astype(np.float32).tocsr()
    by_column = by_row.T.tocsr()
    density = by_row.nnz / (len(rows) * len(columns))
    unobserved = min(unobserved, 1 / density)
    weight, penalty = unobserved * density, regularisation / unobserved
    users = np.zeros((len(rows), config.dim), dtype=np.float32)
    items = numpy_generator(config.seed, "item vectors").standard_normal((len(columns), config.dim), np.float32)
    items /= np.sqrt(np.float32(config.dim))
    for _ in range(config.sweeps):
        users = least_squares(by_row, users, items, weight, penalty, config.conjugate_steps)
        items = least_squares(by_column, items, users, weight, penalty, config.conjugate_steps)
    return _placed(users, rows, matrix.shape[0]), _placed(items, columns, matrix.shape[1])


def _placed(vectors: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
    """Put the vectors in their places among zeros."""
    every = np.zeros((size, vectors.shape[1]), dtype=np.float32)
    every[places] = vectors
    return every


def least_squares(
    matrix: sparse.csr_matrix,
    start: np.ndarray,
    fixed: np.ndarray,
    unobserved: float,
    regularisation: float,
    steps: int,
) -> np.ndarray:
    """Solve ``(sum over j of f_j f_j^T + a F^T F + r (|S_r| + a columns)) w_r = sum over j of f_j`` for all rows r.

    Args:
        matrix: binary float32 CSR [rows, columns]; j runs over a row's entries.
        start: float32 [rows, dim].
        fixed: F, float32 [columns, dim].
        unobserved: a.
        regularisation: r.
        steps: of conjugate gradient, every row with its own step length.
    """
    gram = (unobserved * fixed.T) @ fixed
    penalty = (regularisation * (matrix.getnnz(1) + unobserved * matrix.shape[1])).astype(np.float32)[:, None]
    row = np.repeat(np.arange(matrix.shape[0]), matrix.getnnz(1))

    def applied(vectors: np.ndarray) -> np.ndarray:
        inner = np.empty(matrix.nnz, dtype=np.float32)
        for begin in range(0, matrix.nnz, BLOCK):
            part = slice(begin, begin + BLOCK)
            inner[part] = np.einsum("ed,ed->e", vectors[row[part]], fixed[matrix.indices[part]])
        of_entries = sparse.csr_matrix((inner, matrix.indices, matrix.indptr), shape=matrix.shape)
        result: np.ndarray = of_entries @ fixed + vectors @ gram + penalty * vectors
        return result

    solution = start
    residual = matrix @ fixed - applied(start)
    direction, size = residual, np.square(residual).sum(1, keepdims=True)
    for _ in range(steps):
        image = applied(direction)
        length = size / np.maximum((direction * image).sum(1, keepdims=True), np.finfo(np.float32).tiny)
        solution = solution + length * direction
        residual = residual - length * image
        before, size = size, np.square(residual).sum(1, keepdims=True)
        direction = residual + size / np.maximum(before, np.finfo(np.float32).tiny) * direction
    return solution
