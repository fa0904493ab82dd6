"""Recommendation losses over the scores of positives and negatives."""

from kgxfer.losses.base import Loss
from kgxfer.losses.bpr import BayesianPersonalisedRanking
from kgxfer.losses.mse import MeanSquaredError
from kgxfer.losses.sampled_softmax import SampledSoftmax
from kgxfer.registry import Registry

LOSSES: Registry[Loss] = Registry(
    "loss", {"bpr": BayesianPersonalisedRanking, "sampled_softmax": SampledSoftmax, "mse": MeanSquaredError}
)

__all__ = ["LOSSES", "BayesianPersonalisedRanking", "Loss", "MeanSquaredError", "SampledSoftmax"]
