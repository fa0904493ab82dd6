"""Content: the cosine between what a user's items are about and what an item is about.

An item's vector holds the entities that facts join it to (genres, people, brands), each weighted by its inverse
document frequency ``log(1 + items / items with the entity)``, and has length 1. A user's vector is the sum over the
items taken in either domain, and ``score(u, i) = cosine of the two``. Only entities that both domains know can carry
anything across.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from scipy import sparse

from graph_schema.errors import InputError
from kgxfer.baselines.base import Baseline, Candidate
from kgxfer.baselines.matrix import JointMatrix, item_entities
from kgxfer.graph import KnowledgeGraph
from kgxfer.recommender import Catalogue, RankingModel
from kgxfer.splits import Split


class Content(Baseline):
    """Recommend items with the facts of the user's items; no other user plays a part."""

    def candidates(self, graph: KnowledgeGraph, split: Split) -> Sequence[Candidate]:
        """Weigh the entities; there is nothing to choose.

        Raises:
            InputError: no fact joins an item of either domain to an entity.
        """
        catalogue = Catalogue.of(split)
        joint = JointMatrix.of(graph, catalogue, self.config.joint)
        entities = item_entities(graph, catalogue, joint).T.tocsr()
        if not entities.nnz:
            raise InputError(
                f'baseline content: data set "{split.dataset.name}" has no facts about items; add facts, or leave this '
                "baseline out"
            )
        entities.data[:] = 1.0
        spans = [slice(0, entities.shape[0])] if self.config.joint else joint.columns
        vectors = sparse.vstack([_weighted(entities[span]) for span in spans]).tocsr()
        return [Candidate({}, partial(_FittedContent, catalogue, joint, vectors))]


def _weighted(entities: sparse.csr_matrix) -> sparse.csr_matrix:
    """Rows of items weighted by inverse document frequency among them, of length 1 (or 0)."""
    frequency = np.maximum(np.asarray(entities.sum(0)).ravel(), 1.0)
    return _unit(entities @ sparse.diags(np.log1p(entities.shape[0] / frequency)))


def _unit(rows: sparse.csr_matrix) -> sparse.csr_matrix:
    length = np.sqrt(np.asarray(rows.multiply(rows).sum(1)).ravel())
    return sparse.diags(1 / np.where(length > 0, length, 1.0)) @ rows


class _FittedContent(RankingModel):
    def __init__(self, catalogue: Catalogue, joint: JointMatrix, vectors: sparse.csr_matrix) -> None:
        super().__init__(catalogue)
        self._joint, self._vectors = joint, vectors

    def score_places(self, domain: int, places: np.ndarray) -> np.ndarray:
        profiles = _unit(self._joint.histories(domain, places) @ self._vectors)
        cosine: np.ndarray = (profiles @ self._vectors[self._joint.columns[domain]].T).toarray()
        return cosine.astype(np.float32)
