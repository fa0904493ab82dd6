"""Squared error: ratings as they are, or ones against zeros where there are none."""

from __future__ import annotations

import torch
from torch import Tensor


class MeanSquaredError:
    """``(s - rating)^2`` with ratings; without, ``(s - 1)^2`` plus the mean of ``s_negative^2``."""

    def __call__(self, positive: Tensor, negative: Tensor, rating: Tensor | None) -> Tensor:
        """See `Loss`.

        >>> MeanSquaredError()(torch.tensor([3.0]), torch.tensor([[9.0]]), torch.tensor([5.0]))
        tensor([4.])
        """
        if rating is not None:
            return (positive - rating) ** 2
        counted = torch.isfinite(negative)
        zeros = (torch.where(counted, negative, 0.0) ** 2).sum(1) / counted.sum(1).clamp_min(1)
        return (positive - 1) ** 2 + zeros
