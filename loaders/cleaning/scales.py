"""Several rating scales in one file, told apart by a column or by the users; and ratings brought to one scale."""

from __future__ import annotations

import numpy as np

from graph_schema.errors import InputError
from loaders.cleaning.codes import encode, lookup
from loaders.cleaning.draft import Context, Draft, Table
from loaders.cleaning.findings import Action, RuleFinding
from loaders.cleaning.ratings import SCALES, SHOWN

OTHER_SCALE, UNKNOWN_SCALE, NORMALISED = "rating on another scale", "rating on an unknown scale", "rating normalised"

_LONGER_SCALES = (10, 100)
_USERS_BEYOND = 0.2
_RATINGS_AT_LEAST = 5
_SHARE_ABOVE = 0.5


def rating_scales(draft: Draft, context: Context) -> tuple[Draft, list[RuleFinding]]:
    """Bring ratings of several scales to the one of the most rows.

    By `scale_column` where it is given. Otherwise by users, with caution: the main scale ends where the ratings of
    four users in five end; someone is on a scale up to 10 or 100 who rated at least five times, half of the ratings
    above the main scale. Such ratings are multiplied by main end over other end.

    Raises:
        InputError: the column of scales is not there, or has no ends given.
    """
    table, config = draft.interactions, context.config
    if "rating" not in table.frame.columns:
        return draft, []
    if config.scale_column is not None:
        table, findings = _by_column(table, draft.domain, context)
        return draft.put(table), findings
    if config.mixed_scales == "ignore":
        return draft, []
    ratings = table.frame["rating"].to_numpy()
    users = table.frame["user_id"].array
    main = _main_end(ratings, users.codes, len(users.categories))
    if main is None:
        return draft, []
    ends = _ends_of_users(ratings, users.codes, len(users.categories), main)
    of_row = lookup(ends, users.codes, main)
    other = of_row != main
    action: Action = "repaired" if config.mixed_scales == "repair" else "reported"
    count = np.count_nonzero(ends != main)
    detail = f"{count} users rate beyond {main:g}, the end of the others' scale"
    findings = table.finding(OTHER_SCALE, other, action, SHOWN, detail)
    if other.any() and action == "repaired":
        table = table.with_columns(rating=np.where(other, ratings * (main / of_row), ratings))
    return draft.put(table), findings


def _main_end(ratings: np.ndarray, users: np.ndarray, count: int) -> float | None:
    """Return the end of the main scale, or None where no rating lies beyond it or there is no such scale."""
    top = ratings.max(initial=0)
    for end in SCALES:
        if top <= end:
            return None
        beyond = np.zeros(count, dtype=bool)
        beyond[users[ratings > end]] = True
        rating = np.bincount(users, minlength=count) > 0
        if np.count_nonzero(beyond) <= _USERS_BEYOND * np.count_nonzero(rating):
            on_main = ratings[~beyond[users]]
            return float(end) if len(on_main) and np.median(on_main) >= end / 2 and on_main.max() == end else None
    return None


def _ends_of_users(ratings: np.ndarray, users: np.ndarray, count: int, main: float) -> np.ndarray:
    """Return the end of each user's scale, float64 [count]."""
    beyond = ratings > main
    of_user, above = np.bincount(users, minlength=count), np.bincount(users[beyond], minlength=count)
    highest = np.zeros(count)
    np.maximum.at(highest, users[beyond], ratings[beyond])
    candidate = (of_user >= _RATINGS_AT_LEAST) & (above >= _SHARE_ABOVE * of_user) & (above > 0)
    ends = np.full(count, main)
    for end in sorted(_LONGER_SCALES, reverse=True):
        ends[candidate & (highest <= end)] = max(end, main)
    return ends


def _by_column(table: Table, domain: str, context: Context) -> tuple[Table, list[RuleFinding]]:
    column, scales = str(context.config.scale_column), context.config.scales
    if column not in table.frame.columns or not scales:
        lacking = f'interactions have no column "{column}"' if scales else "no scales are given"
        raise InputError(f'domain "{domain}": scale_column is "{column}", but {lacking}; correct it or leave it out')
    coded = encode(table.frame[column])
    places = {name: place for place, name in enumerate(scales)}
    texts = coded.categories.to_series().str.strip()
    of_row = lookup(texts.map(places).fillna(-1).to_numpy(dtype=np.int64), coded.codes, -1)
    unknown = of_row < 0
    shown = (*SHOWN, column)
    findings = table.finding(UNKNOWN_SCALE, unknown, "dropped", shown, f"ends are given for {', '.join(scales)}")
    main = int(np.bincount(of_row[~unknown], minlength=len(scales)).argmax())
    ends = np.asarray(list(scales.values()), dtype=np.float64)
    other = (of_row != main) & ~unknown
    detail = f"mapped to {ends[main][0]:g} to {ends[main][1]:g}, the scale of the most rows"
    findings += table.finding(OTHER_SCALE, other, "repaired", shown, detail)
    low, high = ends[of_row].T
    share = (table.frame["rating"].to_numpy() - low) / (high - low)
    mapped = ends[main][0] + share * (ends[main][1] - ends[main][0])
    ratings = np.where(other, mapped, table.frame["rating"].to_numpy())
    return table.with_columns(rating=ratings).without(unknown), findings


def normalised_ratings(draft: Draft, context: Context) -> tuple[Draft, list[RuleFinding]]:
    """Rescale ratings per user or for the domain, where it is asked for (`normalise`).

    A user without spread has 0 as z-score and 0.5 between lowest and highest. Mean, spread and ends are those of all
    rows, so that a training row's rating tells something of the test rows of the same user or domain.
    """
    table, how = draft.interactions, context.config.normalise
    if "rating" not in table.frame.columns or how == "none" or table.frame.empty:
        return draft, []
    ratings = table.frame["rating"].to_numpy()
    if how == "domain_min_max":
        low, high = ratings.min(), ratings.max()
        rescaled = _between(ratings, low, high)
    else:
        grouped = table.frame["rating"].groupby(table.frame["user_id"].array.codes)
        if how == "user_z_score":
            mean, deviation = grouped.transform("mean").to_numpy(), grouped.transform("std", ddof=0).to_numpy()
            rescaled = np.where(deviation > 0, (ratings - mean) / np.where(deviation > 0, deviation, 1), 0.0)
        else:
            rescaled = _between(ratings, grouped.transform("min").to_numpy(), grouped.transform("max").to_numpy())
    every = np.ones(len(ratings), dtype=bool)
    return draft.put(table.with_columns(rating=rescaled)), table.finding(NORMALISED, every, "rescaled", SHOWN, how)


def _between(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    spread = np.asarray(high - low)
    return np.where(spread > 0, (values - low) / np.where(spread > 0, spread, 1), 0.5)
