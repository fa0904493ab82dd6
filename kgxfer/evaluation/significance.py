"""Is a difference between two models more than chance? Tests and intervals by user.

The user is the unit: rows of one user are not independent. Models that were trained with several seeds are averaged
over seeds first, user by user; how much the seeds differ is shown beside, not mixed in.

*Randomisation test* (Fisher 1935; Smucker, Allan and Carterette, CIKM 2007): were the models equal, each user's
difference could as well have the other sign. The p-value is the share of sign patterns whose mean difference is at
least as large in absolute value as the observed one; the observed pattern counts as one of those drawn, so p is never
0. Where few users differ the test is cautious: with five, no p-value is below 1/16.
*Bootstrap* (Efron 1979): percentile interval of the mean over users drawn with replacement. *Holm* (1979): step-down
correction, valid under any dependence of the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from graph_schema.errors import InputError
from kgxfer.rng import numpy_generator

MEMORY_CELLS = 4_000_000
"""Numbers drawn at a time; bounds the memory whatever the numbers of users and draws."""

EXACT_USERS = 14
"""Up to so many users whose models differ, all 2^users sign patterns are enumerated instead of drawn."""

Scores: TypeAlias = pd.Series | pd.DataFrame
"""Per-user scores of one model: indexed by user_id; a table has one column per seed."""


class Interval(NamedTuple):
    """A mean over users and the bounds of its interval."""

    mean: float
    low: float
    high: float


class Target(NamedTuple):
    """What was tested: users of one data set with equal ids are one person, whatever the domain."""

    data_set: str
    domain: str


@dataclass(frozen=True)
class EffectSize:
    """How large a difference is.

    Attributes:
        mean_difference: mean over users, in units of the metric.
        standardised: d_z, the mean difference over the standard deviation (n - 1) of the users' differences; 0 where no
            user differs, infinite where all users differ by the same.
        better, worse, equal: shares of users; together 1.
    """

    mean_difference: float
    standardised: float
    better: float
    worse: float
    equal: float


@dataclass(frozen=True)
class SeedSpread:
    """The two variances behind a mean over users and seeds.

    Attributes:
        mean: over users and seeds.
        between_seeds: variance (n - 1) of the seeds' means over users; NaN for one seed.
        between_users: variance (n - 1) of the users' means over seeds; NaN for one user.
        seeds, users: how many.
    """

    mean: float
    between_seeds: float
    between_users: float
    seeds: int
    users: int


@dataclass(frozen=True)
class Pooled:
    """One comparison over several targets, each of the same weight.

    Attributes:
        effect: averages over the targets.
        interval: of the mean difference, users drawn within each target.
        p: of the stratified randomisation test.
        standard_error: of the mean difference.
        users: people, each counted once.
    """

    effect: EffectSize
    interval: Interval
    p: float
    standard_error: float
    users: int


def bootstrap_interval(values: ArrayLike, level: float = 0.95, resamples: int = 10_000, rng: int = 0) -> Interval:
    """Percentile bootstrap interval of the mean.

    Args:
        values: float [users], scores or differences.
        level: share of resamples inside.
        resamples: how many.
        rng: the seed.

    Raises:
        InputError: no user, a value that is no finite number, or a level outside (0, 1).
    """
    array = _finite(values, "bootstrap_interval")
    means = _resampled_means(array, resamples, numpy_generator(rng, "bootstrap"))
    return _interval(float(array.mean()), means, level)


def paired_randomisation(a: Scores, b: Scores, permutations: int = 10_000, rng: int = 0) -> float:
    """Two-sided p-value of the paired randomisation test by user.

    Exact, the share of all sign patterns, where at most `EXACT_USERS` users differ; else (count + 1) / (n + 1) over n
    drawn patterns. Users whose two scores are equal do not matter.

    Args:
        a, b: scores of the two models for the same users, in any order; several seeds are averaged first.
        permutations: patterns drawn.
        rng: the seed.

    Raises:
        InputError: other users in one than in the other, no user, or a score that is no finite number.
    """
    return _sign_flips(differences(a, b).to_numpy(), permutations, numpy_generator(rng, "sign flips"))


def holm(p_values: ArrayLike) -> np.ndarray:
    """P-values corrected for their number by Holm's step-down rule, in the order given; float [tests].

    Raises:
        InputError: a value outside [0, 1].

    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise InputError("holm: a p-value lies outside 0 to 1; pass p-values, not statistics")
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(stepped, 1)
    return corrected


def effect_size(a: Scores, b: Scores) -> EffectSize:
    """Effect sizes of `a` minus `b`; arguments and errors as in `paired_randomisation`."""
    return _effect(differences(a, b).to_numpy())


def seed_spread(scores: Scores) -> SeedSpread:
    """Both variances of one model's scores; a Series is one seed."""
    table = scores.to_frame() if isinstance(scores, pd.Series) else scores
    _finite(table.to_numpy().ravel(), "seed_spread")
    return SeedSpread(
        float(table.to_numpy().mean()), float(table.mean(axis=0).var()), float(table.mean(axis=1).var()),
        table.shape[1], len(table),
    )


def pool(
    by_target: Mapping[Target, pd.Series], level: float = 0.95, draws: int = 10_000, rng: int = 0
) -> Pooled:
    """Compare over several targets at once: the mean of the targets' mean differences.

    The sign of a person's differences flips in all targets of a data set together, and people are resampled within
    the groups that appear in the same targets.

    Args:
        by_target: the users' differences, indexed by user_id.
        level: of the interval.
        draws: sign patterns, and resamples.
        rng: the seed.

    Raises:
        InputError: no target, a target without users, or a difference that is no finite number.
    """
    if not by_target:
        raise InputError("pool: no target given; pass the users' differences of at least one")
    for target, values in by_target.items():
        _finite(values.to_numpy(), f"pool, {target.domain}")
    effects = [_effect(values.to_numpy()) for values in by_target.values()]
    effect = EffectSize(*(float(np.mean(column)) for column in zip(*map(astuple, effects), strict=True)))
    groups = _people(by_target)
    people = np.concatenate(groups)
    p = _sign_flips(people, draws, numpy_generator(rng, "sign flips", "pooled"))
    generator = numpy_generator(rng, "bootstrap", "pooled")
    totals = np.sum([len(group) * _resampled_means(group, draws, generator) for group in groups], axis=0)
    variance = sum(len(group) * group.var(ddof=1) for group in groups if len(group) > 1)
    interval = _interval(effect.mean_difference, totals, level)
    return Pooled(effect, interval, p, float(np.sqrt(variance)), len(people))


def differences(a: Scores, b: Scores) -> pd.Series:
    """The users' differences a - b, in the order of `a`, each side averaged over its seeds first.

    Raises:
        InputError: as in `paired_randomisation`.
    """
    first, second = (side.mean(axis=1) if isinstance(side, pd.DataFrame) else side for side in (a, b))
    if first.index.has_duplicates or second.index.has_duplicates:
        raise InputError("paired test: a user_id occurs twice; pass one score per user and seed")
    if len(first) != len(second) or not first.index.isin(second.index).all():
        only = first.index.symmetric_difference(second.index)
        raise InputError(
            f'paired test: {len(only)} users, such as "{only[0]}", have a score of one model only; '
            "score both models on the same test rows"
        )
    difference = first - second.reindex(first.index)
    _finite(difference.to_numpy(), "paired test")
    return difference


def _finite(values: ArrayLike, where: str) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if not array.size:
        raise InputError(f"{where}: no user to compare; pass at least one score")
    if not np.isfinite(array).all():
        raise InputError(f"{where}: a score is missing or infinite; give every user a finite score")
    return array


def _effect(difference: np.ndarray) -> EffectSize:
    mean = float(difference.mean())
    deviation = float(difference.std(ddof=1)) if len(difference) > 1 else 0.0
    # Averages over seeds leave rounding errors where scores are equal.
    equal = np.isclose(difference, 0, atol=1e-12)
    if equal.all():
        standardised = 0.0
    else:
        standardised = mean / deviation if deviation > 1e-12 * abs(mean) else float(np.copysign(np.inf, mean))
    better = float((~equal & (difference > 0)).mean())
    return EffectSize(mean, standardised, better, 1 - better - float(equal.mean()), float(equal.mean()))


def _sign_flips(values: np.ndarray, permutations: int, generator: np.random.Generator) -> float:
    """P-value of the sum of `values` under random signs; independent of the order of equal sums by a tolerance."""
    values = values[~np.isclose(values, 0, atol=1e-12)]
    count = len(values)
    total = values.sum()
    limit = abs(total) - 1e-10 * np.abs(values).sum()
    if count <= EXACT_USERS:
        patterns = np.arange(2**count)[:, None] >> np.arange(count) & 1
        return float((np.abs(2 * (patterns @ values) - total) >= limit).mean())
    block = max(1, MEMORY_CELLS // count)
    extreme = 0
    for start in range(0, permutations, block):
        rows = min(block, permutations - start)
        drawn = generator.integers(0, 256, (rows, -(-count // 8)), dtype=np.uint8)
        positive = np.unpackbits(drawn, axis=1, count=count).astype(np.float64)
        extreme += int((np.abs(2 * (positive @ values) - total) >= limit).sum())
    return (extreme + 1) / (permutations + 1)


def _resampled_means(values: np.ndarray, resamples: int, generator: np.random.Generator) -> np.ndarray:
    block = max(1, MEMORY_CELLS // len(values))
    means = [
        values[generator.integers(0, len(values), (min(block, resamples - start), len(values)), dtype=np.int32)].mean(1)
        for start in range(0, resamples, block)
    ]
    return np.concatenate(means)


def _interval(mean: float, means: np.ndarray, level: float) -> Interval:
    if not 0 < level < 1:
        raise InputError(f"interval: level is {level}; give a share between 0 and 1, such as 0.95")
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(mean, float(low), float(high))


def _people(by_target: Mapping[Target, pd.Series]) -> list[np.ndarray]:
    """What each person adds to the pooled mean difference, grouped by the targets the person appears in."""
    tables = [
        pd.DataFrame(
            {
                "data_set": target.data_set, "user_id": values.index, "targets": 1 << number,
                "value": values.to_numpy() / len(values) / len(by_target),
            }
        )
        for number, (target, values) in enumerate(by_target.items())
    ]
    people = pd.concat(tables).groupby(["data_set", "user_id"], sort=False)[["targets", "value"]].sum()
    return [group.to_numpy() for _, group in people.groupby(["data_set", "targets"])["value"]]
