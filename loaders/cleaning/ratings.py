"""Ratings that are missing, no numbers, or outside their scale."""

from __future__ import annotations

import numpy as np

from loaders.cleaning.draft import Context, Draft, Table
from loaders.cleaning.findings import Action, RuleFinding
from loaders.cleaning.numbers import read_numbers

COMMA, UNREADABLE, MISSING = "rating with a decimal comma", "rating is no number", "missing rating"
ZERO, OUTSIDE = "zero for no rating", "rating outside its scale"

SHOWN = ("user_id", "item_id", "rating")

SCALES = (4, 5, 6, 7, 10, 20, 100)
"""The upper ends that a scale may have if it is to be detected."""

OUTSIDE_AT_MOST = 0.01
"""A scale is only detected where no larger share of the ratings lies outside it."""


def rating_numbers(draft: Draft, context: Context) -> tuple[Draft, list[RuleFinding]]:
    """Read ratings as numbers; rows without one are dropped, or the column is given up, as `bad_ratings` says."""
    table = draft.interactions
    if "rating" not in table.frame.columns:
        return draft, []
    numbers = read_numbers(table.frame["rating"], context.config.missing_words)
    findings = table.finding(COMMA, numbers.comma, "repaired", SHOWN)
    bad = numbers.missing | numbers.unreadable
    if context.config.bad_ratings == "drop_column" and bad.any():
        detail = "the domain has no ratings now, as bad_ratings = drop_column says"
        for rule, mask in ((UNREADABLE, numbers.unreadable), (MISSING, numbers.missing)):
            findings += table.finding(rule, mask, "emptied", SHOWN, detail)
        return draft.put(Table(table.name, table.frame.drop(columns="rating"), table.lines)), findings
    findings += table.finding(UNREADABLE, numbers.unreadable, "dropped", SHOWN)
    findings += table.finding(MISSING, numbers.missing, "dropped", SHOWN)
    return draft.put(table.with_columns(rating=numbers.values).without(bad)), findings


def rating_range(draft: Draft, context: Context) -> tuple[Draft, list[RuleFinding]]:
    """Drop zeros where they mean "no rating", and ratings outside the range that is given or detected."""
    table = draft.interactions
    if "rating" not in table.frame.columns:
        return draft, []
    findings: list[RuleFinding] = []
    if context.config.zero_means_no_rating:
        zero = table.frame["rating"].to_numpy() == 0
        findings += table.finding(ZERO, zero, "dropped", SHOWN)
        table = table.without(zero)
    ratings = table.frame["rating"].to_numpy()
    ends = context.config.rating_range
    if ends == "auto":
        top = detected_top(ratings)
        ends, how = ("any" if top is None else (0.0, top)), "detected"
    else:
        how = "given"
    if ends != "any":
        outside = (ratings < ends[0]) | (ratings > ends[1])
        action: Action = "dropped"
        findings += table.finding(OUTSIDE, outside, action, SHOWN, f"the scale is {ends[0]:g} to {ends[1]:g}, {how}")
        table = table.without(outside)
    return draft.put(table), findings


def detected_top(ratings: np.ndarray, outside_at_most: float = OUTSIDE_AT_MOST) -> float | None:
    """Return the upper end of the scale that the ratings are on, or None where nothing is certain.

    A scale from 0 is believed where the ratings outside it are few, both altogether and beside those at its upper
    end, and where half of the ratings lie in its upper half. Counts of plays or clicks thin out towards the upper
    end, and ratings of another kind have no such end at all.

    >>> detected_top(np.array([1, 2, 3, 4, 4, 5] * 50 + [55.0]))
    5.0
    >>> detected_top(np.array([1, 1, 1, 1, 2, 2, 3, 7, 40.0])) is None
    True
    """
    values, counts = np.unique(ratings, return_counts=True)
    for top in SCALES:
        outside = int(counts[(values > top) | (values < 0)].sum())
        at_top = int(counts[values == top].sum())
        if outside <= outside_at_most * len(ratings) and at_top > 5 * outside:
            return float(top) if np.median(ratings) >= top / 2 else None
    return None
