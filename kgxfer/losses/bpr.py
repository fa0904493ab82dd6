"""Bayesian personalised ranking (Rendle et al., UAI 2009): a positive above each negative."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus


class BayesianPersonalisedRanking:
    """``-log sigmoid(s_positive - s_negative)``, averaged over the negatives of a row; the paper draws one per row."""

    def __call__(self, positive: Tensor, negative: Tensor, rating: Tensor | None) -> Tensor:
        """See `Loss`.

        >>> loss = BayesianPersonalisedRanking()
        >>> loss(torch.tensor([0.0]), torch.tensor([[0.0, 0.0]]), None)
        tensor([0.6931])
        """
        counted = torch.isfinite(negative)
        pairs = softplus(torch.where(counted, negative, 0.0) - positive[:, None])
        return (pairs * counted).sum(1) / counted.sum(1).clamp_min(1)
