"""What a recommendation loss is."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Loss(Protocol):
    """Maps scores to one value per positive row; the training loop weighs and averages the rows."""

    def __call__(self, positive: Tensor, negative: Tensor, rating: Tensor | None) -> Tensor:
        """Compute row losses.

        Args:
            positive: score of each supervision edge, float [rows].
            negative: scores of the shared negatives for the same users, float [rows, negatives]; -inf where a negative
                is the row's own positive.
            rating: observed rating of each edge, float [rows]; None where the data have none.

        Returns:
            float [rows].
        """
        ...
