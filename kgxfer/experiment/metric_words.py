"""How metrics are called and explained to the reader of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """How a metric is shown: its label, what it divides by, whether it is a share, and whether more is better."""

    label: str
    what: str
    share: bool = True
    more_is_better: bool = True


METRICS: Mapping[str, Metric] = {
    "ndcg": Metric("NDCG", "discounted gain of the user's positives over the best possible, that of min(positives, k)"),
    "recall": Metric("Recall", "positives among the first k over all positives of the user"),
    "precision": Metric("Precision", "positives among the first k over k"),
    "hr": Metric("HR", "probability that at least one of the user's positives is among the first k"),
    "mrr": Metric("MRR", "reciprocal rank of the user's first positive, 0 after k"),
    "map": Metric("MAP", "precision at each of the user's positives, 0 after k, over all positives of the user"),
    "auc": Metric("AUC", "pairs of a positive and another candidate in the right order, ties one half, over all pairs"),
    "r_precision": Metric("R-precision", "positives among the first R over R, the number of the user's positives"),
    "ndcg_linear": Metric("NDCG, linear gains", "as NDCG, but a positive gains its rating; the ideal is by rating"),
    "ndcg_exponential": Metric("NDCG, exponential gains", "as NDCG, but a positive gains 2^rating - 1"),
    "tie_share": Metric("Tied", "rows whose positive scores the same as another candidate over all rows", True, False),
    "novelty": Metric("Novelty", "mean -log2 of the share of training users who took the items shown, in bits", False),
    "serendipity": Metric("Serendipity", "relevant items of the first k that are not among the k most popular, over k"),
    "diversity": Metric("Diversity", "one minus the mean cosine of the content of the list's items, over pairs"),
    "popularity_bias": Metric(
        "Popularity bias", "mean log relative popularity of the list less that of the user's history", False, False
    ),
    "calibration": Metric(
        "Miscalibration", "divergence of the list's categories from those of the user's history, in nats", False, False
    ),
    "coverage": Metric("Coverage", "items that stand in at least one test user's first k over all competing items"),
    "gini": Metric("Gini", "inequality of how often items are shown: 0 all equally, near 1 a few alone", True, False),
    "sampled_hr": Metric("HR", "probability that a positive is among the first k of itself and sampled negatives"),
    "sampled_ndcg": Metric("NDCG", "discount of a positive's rank among itself and sampled negatives, 0 after k"),
    "sampled_mrr": Metric("MRR", "reciprocal rank of a positive among itself and sampled negatives, at any rank"),
    "mse": Metric("MSE", "mean squared difference of predicted and given ratings over test rows", False, False),
    "rmse": Metric("RMSE", "root of the mean squared difference of predicted and given ratings", False, False),
    "mae": Metric("MAE", "mean absolute difference of predicted and given ratings over test rows", False, False),
}


def base_of(metric: str) -> str:
    """Return the key in `METRICS` of a metric such as "ndcg@10"."""
    return metric.partition("@")[0]


def label(metric: str) -> str:
    """Return the words for a metric, such as "sampled HR@10"."""
    base, _, k = metric.partition("@")
    sampled = "sampled " if base.startswith("sampled_") else ""
    name, comma, kind = METRICS[base].label.partition(",")
    return sampled + name + (f"@{k}" if k else "") + comma + kind


def shown(value: float, metric: str) -> str:
    """Return a figure as text: shares in percent, errors as they are."""
    return f"{100 * value:.2f}" if METRICS[base_of(metric)].share else f"{value:.3f}"
