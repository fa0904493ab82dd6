"""Bayesian personalised ranking: matrix factorisation with item bias, by stochastic gradient.

Rendle, Freudenthaler, Gantner, Schmidt-Thieme: BPR: Bayesian personalised ranking from implicit feedback, UAI 2009.
With user vectors w, item vectors h and item biases b, for an interaction (u, i) and an item j that u has not taken,
``x = <w_u, h_i - h_j> + b_i - b_j``, every parameter p moves by ``rate (sigmoid(-x) dx/dp - l2 p)``.

Differs from the paper: the steps of a batch are taken together, each at its full rate; j is drawn from the items of i's
own domain, and i's step is left out where u has taken j; the bias belongs to it from the start. Plain gradient, not
Adam: an item that is rarely drawn moves little, which is what keeps it from being learned by heart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated, ClassVar

import numpy as np
import torch
from pydantic import Field
from scipy import sparse
from torch import Tensor

from kgxfer.baselines.base import Baseline, BaselineConfig, Candidate
from kgxfer.baselines.factors import FactorModel, Factors
from kgxfer.baselines.matrix import JointMatrix
from kgxfer.graph import KnowledgeGraph
from kgxfer.recommender import Catalogue, RankingModel
from kgxfer.rng import torch_generator
from kgxfer.splits import Split


class BPRConfig(BaselineConfig):
    """Settings: `l2` and `epochs` are candidates to choose from; an epoch passes over all interactions once."""

    dim: int = Field(100, ge=1)
    learning_rate: float = Field(0.1, gt=0)
    l2: tuple[Annotated[float, Field(ge=0)], ...] = Field((0.02, 0.01), min_length=1)
    epochs: tuple[Annotated[int, Field(ge=1)], ...] = Field((25, 50, 75), min_length=1)
    batch: int = Field(1024, ge=1)
    seed: int = 0


class BPR(Baseline):
    """Rank what was taken above what was not; a user without interactions gets the item biases."""

    config_class: ClassVar[type[BaselineConfig]] = BPRConfig
    config: BPRConfig

    def candidates(self, graph: KnowledgeGraph, split: Split) -> Sequence[Candidate]:
        """The candidates are the pairs of l2 and epochs; those of one l2 are stations of one descent."""
        catalogue = Catalogue.of(split)
        joint = JointMatrix.of(graph, catalogue, self.config.joint)
        descents = {l2: self._descents(joint, l2) for l2 in self.config.l2}

        def make(l2: float, epochs: int) -> RankingModel:
            return FactorModel(catalogue, joint, _factors(joint, [one.factors(epochs) for one in descents[l2]]))

        return [
            Candidate({"l2": l2, "epochs": epochs}, partial(make, l2, epochs))
            for l2 in self.config.l2 for epochs in sorted(self.config.epochs)
        ]  # fmt: skip

    def _descents(self, joint: JointMatrix, l2: float) -> list[_Descent]:
        """One over both domains, or one over each by itself."""
        if self.config.joint:
            border, items = joint.columns[0].stop, joint.matrix.shape[1]
            return [_Descent(joint.matrix, (border, items - border), self.config, l2)]
        parts = [joint.of_domain(domain) for domain in (0, 1)]
        return [_Descent(part, (part.shape[1],), self.config, l2) for part in parts]


class _Descent:
    """The parameters as they move; asked for fewer epochs than it has made, it begins again.

    Args:
        matrix: CSR [persons, items].
        sizes: how many items each domain has, in the order of the columns.
        config: dim, learning rate, batch and seed.
        l2: one value of those in the configuration.
    """

    def __init__(self, matrix: sparse.csr_matrix, sizes: tuple[int, ...], config: BPRConfig, l2: float) -> None:
        self._config, self._l2, self._items_at_all = config, l2, matrix.shape[1]
        self._active, self._persons = np.flatnonzero(matrix.getnnz(1)), matrix.shape[0]
        entries = matrix[self._active].tocoo()
        self._user, self._item = (torch.from_numpy(places.astype(np.int64)) for places in (entries.row, entries.col))
        self._taken = torch.sort(self._user * self._items_at_all + self._item).values
        lengths = torch.tensor(sizes)
        self._size = lengths.repeat_interleave(lengths)[self._item]
        self._first = (lengths.cumsum(0) - lengths).repeat_interleave(lengths)[self._item]
        self._start()

    def _start(self) -> None:
        self._generator = torch_generator(self._config.seed, "bpr")
        self._made = 0
        self._items, self._users = self._drawn(self._items_at_all), self._drawn(len(self._active))
        self._bias = torch.zeros(self._items_at_all)

    def _drawn(self, size: int) -> Tensor:
        return (torch.rand(size, self._config.dim, generator=self._generator) - 0.5) / self._config.dim

    def factors(self, epochs: int) -> tuple[np.ndarray, np.ndarray]:
        """Vectors of persons and items after so many epochs, the bias as a component more; float32."""
        if epochs < self._made:
            self._start()
        for _ in range(epochs - self._made):
            self._epoch()
        self._made = epochs
        users = np.zeros((self._persons, self._config.dim + 1), dtype=np.float32)
        users[:, -1] = 1.0
        users[self._active, :-1] = self._users.numpy()
        return users, torch.cat([self._items, self._bias[:, None]], dim=1).numpy()

    def _epoch(self) -> None:
        rate, l2 = self._config.learning_rate, self._l2
        for user, item, other in self._batches():
            own, liked, rest = self._users[user], self._items[item], self._items[other]
            bias, bias_of_rest = self._bias[item], self._bias[other]
            margin = (own * (liked - rest)).sum(1) + bias - bias_of_rest
            push = torch.sigmoid(-margin)
            pull = push[:, None]
            self._users.index_add_(0, user, rate * (pull * (liked - rest) - l2 * own))
            self._items.index_add_(0, item, rate * (pull * own - l2 * liked))
            self._items.index_add_(0, other, rate * (-pull * own - l2 * rest))
            self._bias.index_add_(0, item, rate * (push - l2 * bias))
            self._bias.index_add_(0, other, rate * (-push - l2 * bias_of_rest))

    def _batches(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """User, item and an item of the same domain that the user has not taken, in a new order."""
        count = len(self._user)
        drawn = torch.rand(count, generator=self._generator, dtype=torch.float64)
        other = self._first + (drawn * self._size).long()
        key = self._user * self._items_at_all + other
        place = torch.searchsorted(self._taken, key).clamp_max(count - 1)
        kept = torch.nonzero(self._taken[place] != key).squeeze(1)
        order = kept[torch.randperm(len(kept), generator=self._generator)]
        for start in range(0, len(order), self._config.batch):
            part = order[start : start + self._config.batch]
            yield self._user[part], self._item[part], other[part]


def _factors(joint: JointMatrix, found: list[tuple[np.ndarray, np.ndarray]]) -> Factors:
    """As each domain uses them: of both domains together, or of each by itself."""
    if len(found) == 1:
        ((users, items),) = found
        return Factors((users, users), (items[joint.columns[0]], items[joint.columns[1]]))
    source, target = found
    return Factors((source[0], target[0]), (source[1], target[1]))
