"""What every fitted model is to the rest of the program: it scores the items of a domain for users, and recommends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from graph_schema.errors import InputError, unknown_name
from kgxfer.splits import Split
from kgxfer.topk import best_columns, rows_at_once

RECOMMENDATION_COLUMNS = ("user_id", "item_id", "score", "rank")


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Who can be recommended what: ids in a fixed order, names, and what each user has seen already.

    Attributes:
        domain_names: source, target.
        user_ids: every user of either domain, once.
        items: per domain a table item_id, name.
        seen: per domain a Boolean CSR matrix [users, items] of the training rows, relevant or not.
    """

    domain_names: tuple[str, str]
    user_ids: pd.Index
    items: tuple[pd.DataFrame, pd.DataFrame]
    seen: tuple[sparse.csr_matrix, sparse.csr_matrix]

    @staticmethod
    def of(split: Split) -> Catalogue:
        """Read the catalogue of a split; only training rows count as seen."""
        domains = split.dataset.domains
        users = pd.Index(pd.concat([domain.users["user_id"] for domain in domains]).unique(), name="user_id")
        items, seen = [], []
        for domain in domains:
            table = domain.items.reindex(columns=["item_id", "name"]).reset_index(drop=True)
            rows = split.rows("train", domain.domain, relevant=False)
            places = (users.get_indexer(rows["user_id"]), pd.Index(table["item_id"]).get_indexer(rows["item_id"]))
            shape = (len(users), len(table))
            items.append(table)
            seen.append(sparse.csr_matrix((np.ones(len(rows), dtype=bool), places), shape=shape))
        return Catalogue((domains[0].domain, domains[1].domain), users, (items[0], items[1]), (seen[0], seen[1]))

    def domain_code(self, domain: str) -> int:
        """0 for the source, 1 for the target; InputError naming the two for anything else."""
        if domain not in self.domain_names:
            raise unknown_name("domain", domain, self.domain_names)
        return self.domain_names.index(domain)

    def item_index(self, domain: int) -> pd.Index:
        """Item ids of a domain in the order of score columns."""
        return self._item_indexes[domain]

    @cached_property
    def _item_indexes(self) -> tuple[pd.Index, ...]:
        return tuple(pd.Index(table["item_id"]) for table in self.items)


class RankingModel(ABC):
    """A fitted model. Subclasses give scores; the rest follows."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    @abstractmethod
    def score_places(self, domain: int, places: np.ndarray) -> np.ndarray:
        """Score all items of a domain for users given as places in `catalogue.user_ids`; float32 [users, items].

        The array is the caller's to write to: a model that keeps its scores returns a copy.
        """

    def score(self, domain: str, user_ids: Sequence[str] | pd.Index) -> np.ndarray:
        """Score all items of a domain, in the order of `catalogue.items`; float32 [users, items].

        A user whom neither domain knows gets a row of NaN rather than an error.
        """
        places = self.catalogue.user_ids.get_indexer(pd.Index(user_ids))
        code = self.catalogue.domain_code(domain)
        scores = np.full((len(places), len(self.catalogue.items[code])), np.nan, dtype=np.float32)
        known = places >= 0
        if known.any():
            scores[known] = self.score_places(code, places[known])
        return scores

    def recommend(
        self, user_ids: Sequence[str] | pd.Index, n: int = 10, domain: str | None = None, block: int | None = None
    ) -> pd.DataFrame:
        """Return the best `n` unseen items for each user as a table user_id, item_id, score, rank.

        Args:
            user_ids: users of either domain.
            n: items per user; fewer where fewer are unseen.
            domain: where to recommend; the target domain when not given.
            block: users scored at a time, which bounds the memory at block x items scores; as many as fit into 64 MiB
                when not given.

        Raises:
            InputError: an unknown user or domain, or an `n` below 1.
        """
        if n < 1:
            raise InputError(f"n is {n}; ask for at least one recommendation per user")
        domain = domain or self.catalogue.domain_names[1]
        code = self.catalogue.domain_code(domain)
        users = pd.Index(user_ids)
        places = self.catalogue.user_ids.get_indexer(users)
        if (places < 0).any():
            first = str(users[int((places < 0).argmax())])
            raise unknown_name("user", first, [*self.catalogue.user_ids[:5], "..."])
        block = block or rows_at_once(len(self.catalogue.items[code]))
        space = np.empty((min(block, len(places)), len(self.catalogue.items[code])), dtype=np.float32)
        starts = range(0, max(len(places), 1), block)
        parts = [self._best(code, places[start : start + block], n, space) for start in starts]
        columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
        keep = np.isfinite(values)
        rank = np.broadcast_to(np.arange(1, columns.shape[1] + 1), columns.shape)
        table = pd.DataFrame(
            {
                "user_id": self.catalogue.user_ids[np.repeat(places, keep.sum(1))],
                "item_id": self.catalogue.item_index(code)[columns[keep]],
                "score": values[keep],
                "rank": rank[keep],
            }
        )
        return table.astype({"user_id": "str", "item_id": "str"})

    def _best(self, code: int, places: np.ndarray, n: int, space: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Columns and scores of the best unseen items; -inf where fewer than `n` are unseen."""
        scores = self._score_into(space[: len(places)], code, places)
        seen = self.catalogue.seen[code][places].tocoo()
        scores[seen.row, seen.col] = -np.inf
        return best_columns(scores, n)

    def _score_into(self, space: np.ndarray, domain: int, places: np.ndarray) -> np.ndarray:
        """As `score_places`; `space`, float32 [users, items], may be written to, which saves its making every time."""
        return self.score_places(domain, places).astype(np.float32, copy=False)


@dataclass(frozen=True, eq=False)
class DomainVectors:
    """One domain's scoring: ``score = scale * <user, item> + offset[item]``.

    Shapes: users float32 [users, dim], items float32 [items, dim], offset float32 [items].
    """

    users: np.ndarray
    items: np.ndarray
    offset: np.ndarray
    scale: float


@dataclass(frozen=True, eq=False)
class Propagation:
    """How a linear encoder made vectors of a graph; what explanations weigh paths by. Serving does not need it.

    Attributes:
        layers: how many hops a message goes.
        gates: weight per relation and direction under the encoder's own names, such as "User RATED Book to_head".
        embeddings: node type -> float32 [nodes, dim], in the order of the graph's rows; users have none.
        graph: fingerprint of the graph.
    """

    layers: int
    gates: dict[str, float]
    embeddings: dict[str, np.ndarray]
    graph: str


class Recommender(RankingModel):
    """A trained transfer model, frozen: vectors and offsets, no graph and no torch needed to serve it.

    Attributes:
        vectors: those of the source and of the target domain.
        manifest: what the model is and where it comes from.
        propagation: how its encoder made the vectors, where it is linear.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        vectors: tuple[DomainVectors, DomainVectors],
        manifest: dict[str, Any] | None = None,
        propagation: Propagation | None = None,
    ) -> None:
        super().__init__(catalogue)
        self.vectors = vectors
        self.manifest = manifest or {}
        self.propagation = propagation

    def score_places(self, domain: int, places: np.ndarray) -> np.ndarray:
        """See `RankingModel.score_places`."""
        space = np.empty((len(places), len(self.catalogue.items[domain])), dtype=np.float32)
        return self._score_into(space, domain, places)

    def _score_into(self, space: np.ndarray, domain: int, places: np.ndarray) -> np.ndarray:
        vectors = self.vectors[domain]
        np.matmul(vectors.scale * vectors.users[places], vectors.items.T, out=space)
        if vectors.offset.any():
            space += vectors.offset
        return space
