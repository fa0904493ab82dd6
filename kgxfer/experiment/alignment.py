"""How far apart the domains lie in embedding space, as a number and as a map."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kgxfer.recommender import Recommender
from kgxfer.rng import numpy_generator

POINTS_PER_DOMAIN = 600


def domain_points(recommender: Recommender, node: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Directions of a sample of nodes that have training rows in their domain: float [points, dim], domain [points]."""
    points, labels = [], []
    for domain in (0, 1):
        seen = recommender.catalogue.seen[domain]
        vectors = recommender.vectors[domain].users if node == "users" else recommender.vectors[domain].items
        active = np.flatnonzero(np.asarray(seen.sum(1 if node == "users" else 0)).ravel())
        drawn = numpy_generator(seed, "map", node, domain).permutation(active)[:POINTS_PER_DOMAIN]
        chosen = vectors[drawn]
        points.append(chosen / np.maximum(np.linalg.norm(chosen, axis=1, keepdims=True), 1e-12))
        labels.append(np.full(len(drawn), domain))
    return np.concatenate(points), np.concatenate(labels)


def domain_accuracy(points: np.ndarray, labels: np.ndarray) -> float:
    """Balanced accuracy of a linear classifier that names the domain, fitted on one half and judged on the other.

    One half is chance: the domains cannot be told apart linearly.
    """
    fit = np.arange(len(points)) % 2 == 0
    features = np.column_stack([points, np.ones(len(points))])
    gram = features[fit].T @ features[fit] + 1e-3 * np.eye(features.shape[1])
    weights = np.linalg.solve(gram, features[fit].T @ (2.0 * labels[fit] - 1))
    right = (features[~fit] @ weights > 0) == (labels[~fit] == 1)
    return float(np.mean([right[labels[~fit] == domain].mean() for domain in (0, 1)]))


def alignment_map(recommender: Recommender, moment: str, seed: int) -> pd.DataFrame:
    """First two principal components of users and items: moment, node, domain, x, y."""
    tables = []
    for node in ("users", "items"):
        points, labels = domain_points(recommender, node, seed)
        centred = points - points.mean(0)
        _, _, axes = np.linalg.svd(centred, full_matrices=False)
        # The sign of a principal axis is arbitrary: fix it so that the same run draws the same picture.
        axes = axes[:2] * np.sign(axes[:2, np.abs(axes[:2]).argmax(1)].diagonal())[:, None]
        plane = centred @ axes.T
        names = np.array(recommender.catalogue.domain_names)[labels]
        tables.append(
            pd.DataFrame({"moment": moment, "node": node, "domain": names, "x": plane[:, 0], "y": plane[:, 1]})
        )
    return pd.concat(tables, ignore_index=True)
