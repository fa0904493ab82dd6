"""Softmax over the positive and a sample of negatives: the positive against all of them at once."""

from __future__ import annotations

import torch
from torch import Tensor


class SampledSoftmax:
    """``log(exp(s_positive) + sum exp(s_negative)) - s_positive`` with uniform negatives, which need no correction."""

    def __call__(self, positive: Tensor, negative: Tensor, rating: Tensor | None) -> Tensor:
        """See `Loss`.

        >>> SampledSoftmax()(torch.tensor([0.0]), torch.tensor([[0.0]]), None)
        tensor([0.6931])
        """
        return torch.logaddexp(torch.logsumexp(negative, dim=1), positive) - positive
