"""Can a comparison be decided with the users at hand? The power of the paired test by user.

With n users whose differences have standard deviation s, the paired t statistic of a true mean difference d follows
the noncentral t distribution with n - 1 degrees of freedom and noncentrality d sqrt(n) / s (Cohen, "Statistical Power
Analysis for the Behavioral Sciences", 1988, chapter 2). Decisions are made by a randomisation test, whose power agrees
with this for the skewed scores of a ranking too: ``python -m benchmarks.statistics`` measures it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import nct, t

from graph_schema.errors import InputError

MOST_USERS = 10**9
"""Where `users_needed` gives up: no study has more."""


def power_of(difference: float, sd: float, users: int, alpha: float = 0.05) -> float:
    """Probability that the two-sided paired test rejects when the true mean difference is `difference`.

    Args:
        difference: in units of the metric; its sign does not matter.
        sd: standard deviation of the users' differences, in the same units.
        users: number of users, at least 2.
        alpha: level of the test.

    Raises:
        InputError: fewer than two users, a negative or missing `sd`, or a level outside (0, 1).

    >>> round(power_of(0.5, 1.0, 34), 3)
    0.808
    """
    _check(sd, users, alpha)
    if sd == 0:
        return 1.0 if difference else alpha
    return _power(abs(difference) / sd * math.sqrt(users), users - 1, alpha)


def detectable_difference(
    spread: ArrayLike, users: int | None = None, power: float = 0.8, alpha: float = 0.05
) -> float:
    """The smallest true mean difference that the paired test finds with the probability `power`.

    Args:
        spread: the users' differences, float [users], or their standard deviation as a single number.
        users: number of users; as many as there are differences when not given.
        power: above `alpha`.
        alpha: level of the test.

    Raises:
        InputError: a standard deviation without `users`, fewer than two users, or `power` not in (alpha, 1).

    >>> round(detectable_difference(1.0, users=34), 3)
    0.495
    """
    values = np.asarray(spread, dtype=np.float64)
    if values.ndim and users is None:
        users = len(values)
    if users is None:
        raise InputError("detectable_difference: a standard deviation says nothing without users; pass users=N")
    sd = float(values.std(ddof=1)) if values.ndim and len(values) > 1 else float(values.mean())
    _check(sd, users, alpha, power)
    return _noncentrality(users - 1, power, alpha) * sd / math.sqrt(users)


def users_needed(difference: float, sd: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """The smallest number of users with which a true `difference` is found with the probability `power`.

    Raises:
        InputError: a difference of 0, which no number of users can show, or one that would need 10**9 users or more.

    >>> users_needed(0.5, 1.0)
    34
    """
    _check(sd, 2, alpha, power)
    if difference == 0:
        raise InputError("users_needed: no number of users shows a difference of 0; give the smallest one that matters")
    low, high = 2, 2
    while power_of(difference, sd, high, alpha) < power:
        low, high = high, 2 * high
        if high > MOST_USERS:
            raise InputError(f"users_needed: a difference of {difference:g} needs {MOST_USERS:,} users or more")
    while low < high:
        middle = (low + high) // 2
        if power_of(difference, sd, middle, alpha) < power:
            low = middle + 1
        else:
            high = middle
    return high


def undecidable(observed: float, sd: float, users: int, power: float = 0.8, alpha: float = 0.05) -> str | None:
    """One line for a comparison that these users cannot decide; None where the observed difference could be found.

    Ask only about comparisons that a test left open. `observed` and `sd` as in `power_of`; fewer than two users never
    decide anything.
    """
    if users < 2:
        return f"cannot be decided with {users} user(s): a comparison needs at least two"
    smallest = detectable_difference(sd, users, power, alpha)
    if abs(observed) >= smallest:
        return None
    return (
        f"cannot be decided with {users} users: the smallest difference seen with {power:.0%} power is "
        f"{smallest:.4f}, observed {observed:+.4f}"
    )


def _power(noncentrality: float, freedom: int, alpha: float) -> float:
    critical = t.ppf(1 - alpha / 2, freedom)
    # The lower tail underflows to NaN where it is nothing.
    below = np.nan_to_num(nct.cdf(-critical, freedom, noncentrality))
    return float(nct.sf(critical, freedom, noncentrality) + below)


def _noncentrality(freedom: int, power: float, alpha: float) -> float:
    high = 1.0
    while _power(high, freedom, alpha) < power:
        high *= 2
    return float(brentq(lambda value: _power(value, freedom, alpha) - power, 0.0, high, xtol=1e-10))


def _check(sd: float, users: int, alpha: float, power: float | None = None) -> None:
    if users < 2:
        raise InputError(f"power: {users} user(s) have no spread; a comparison needs at least two users")
    if not (sd >= 0 and math.isfinite(sd)):
        raise InputError(f"power: the standard deviation is {sd}; give a finite number of at least 0")
    if not 0 < alpha < 1:
        raise InputError(f"power: alpha is {alpha}; give a level between 0 and 1, such as 0.05")
    if power is not None and not alpha < power < 1:
        raise InputError(f"power: {power} is not between alpha ({alpha}) and 1; 0.8 is usual")
