"""Rating errors for models that rank: scores are mapped to ratings by least squares on validation rows."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from kgxfer.recommender import RankingModel
from kgxfer.splits import Split

_PARTS: tuple[Literal["train", "valid", "test"], ...] = ("train", "valid", "test")

DAMPING = 5.0
"""Ratings of the domain's mean that every item is given in advance, so that one rating does not make a mean."""


def mse(predicted: np.ndarray, observed: np.ndarray) -> float:
    """Mean squared error, in squared rating units."""
    return float(np.mean((predicted - observed) ** 2))


def rmse(predicted: np.ndarray, observed: np.ndarray) -> float:
    """Root of the mean squared error, in rating units."""
    return float(np.sqrt(mse(predicted, observed)))


def mae(predicted: np.ndarray, observed: np.ndarray) -> float:
    """Mean absolute error, in rating units."""
    return float(np.mean(np.abs(predicted - observed)))


def predict_ratings(model: RankingModel, split: Split, domain: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Predicted and observed ratings of a domain's test rows, relevant or not.

    A rating is predicted as ``a + b * item_mean + c * score`` with a, b, c fitted on the validation rows of the domain
    (their users are as cold as the test users) and damped item means from the training rows. Predictions are clipped to
    the range of the training ratings.

    Returns:
        None where the data have no ratings or the domain no validation rows to fit on.
    """
    train, valid, test = (split.rows(part, domain, relevant=False) for part in _PARTS)
    if "rating" not in train or len(valid) < 10 or train["rating"].nunique() < 2:
        return None
    overall = train["rating"].mean()
    grouped = train.groupby("item_id")["rating"].agg(["sum", "count"])
    means = (grouped["sum"] + DAMPING * overall) / (grouped["count"] + DAMPING)

    def features(rows: pd.DataFrame) -> np.ndarray:
        item_mean = rows["item_id"].map(means).fillna(overall).to_numpy()
        return np.column_stack([np.ones(len(rows)), item_mean, _scores_of(model, domain, rows)])

    weights = np.linalg.lstsq(features(valid), valid["rating"].to_numpy(), rcond=None)[0]
    predicted = np.clip(features(test) @ weights, train["rating"].min(), train["rating"].max())
    return predicted, test["rating"].to_numpy()


def _scores_of(model: RankingModel, domain: str, rows: pd.DataFrame) -> np.ndarray:
    user, users = pd.factorize(rows["user_id"])
    code = model.catalogue.domain_code(domain)
    column = model.catalogue.item_index(code).get_indexer(rows["item_id"])
    scores: np.ndarray = np.nan_to_num(model.score(domain, users), nan=0.0)[user, column].astype(np.float64)
    return scores
