"""Are the statistics calibrated? ``python -m benchmarks.statistics [CASES]``.

Two models are simulated whose NDCG@10 per user looks like a real one's: most users score 0, the rest have one hit at a
place 1 to 10, and the two models find the same users more often than chance would have it. With equal models the paired
test has to reject at the rate of its level; with a known difference its power has to be as computed; the bootstrap
interval has to hold the true difference as often as it says.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binom, norm

from kgxfer.evaluation.power import detectable_difference, power_of
from kgxfer.evaluation.significance import Target, bootstrap_interval, paired_randomisation, pool
from kgxfer.rng import derive, numpy_generator

USERS = 200
"""As many as the smallest published target has cold-start test users."""

HIT_RATE, CORRELATION = 0.12, 0.6
POOLED_USERS = (60, 120, 240)
TRUTH_USERS = 2_000_000
DRAWS = 2_000
LEVEL = 0.05


def simulate(users: int, shift: float, seed: int) -> tuple[pd.Series, pd.Series]:
    """Scores of a model and of a reference that it beats by `shift` standard deviations of the hidden quality."""
    generator = numpy_generator(seed, "simulated scores")
    shared, own, other = generator.standard_normal((3, users))
    hidden = np.sqrt(CORRELATION) * shared + np.sqrt(1 - CORRELATION) * np.stack([own, other])
    hidden[0] += shift
    quantile = norm.sf(hidden) / HIT_RATE
    place = np.floor(10 * quantile) + 1
    scores = np.where(quantile < 1, 1 / np.log2(place + 1), 0.0)
    return pd.Series(scores[0]), pd.Series(scores[1])


def truth(shift: float) -> tuple[float, float]:
    """Mean and standard deviation of the difference, from a population that is large against any test set."""
    model, reference = simulate(TRUTH_USERS, shift, seed=-1)
    difference = model - reference
    return (0.0 if shift == 0 else float(difference.mean())), float(difference.std())


def rejection_rate(shift: float, cases: int, users: int = USERS) -> float:
    """Share of simulated cases that the paired test decides at the level of 5 %."""
    rejected = 0
    for case in range(cases):
        model, reference = simulate(users, shift, derive(case, "case", users))
        rejected += paired_randomisation(model, reference, DRAWS, rng=case) <= LEVEL
    return rejected / cases


def pooled_rejection_rate(shift: float, cases: int) -> float:
    """As `rejection_rate`, for three targets of different size at once."""
    rejected = 0
    for case in range(cases):
        by_target = {}
        for users in POOLED_USERS:
            model, reference = simulate(users, shift, derive(case, "pooled case", users))
            by_target[Target("simulated", str(users))] = (model - reference).rename(lambda user, n=users: f"{n}-{user}")
        rejected += pool(by_target, draws=DRAWS // 2, rng=case).p <= LEVEL
    return rejected / cases


def coverage(shift: float, cases: int) -> float:
    """Share of simulated cases whose 95 % interval holds the true difference."""
    true = truth(shift)[0]
    held = 0
    for case in range(cases):
        model, reference = simulate(USERS, shift, derive(case, "case", USERS))
        interval = bootstrap_interval(model - reference, 1 - LEVEL, DRAWS, rng=case)
        held += interval.low <= true <= interval.high
    return held / cases


def bounds(rate: float, cases: int) -> tuple[float, float]:
    """Where the share of `cases` lies with 99.7 % probability when the true rate is `rate` (binomial)."""
    return float(binom.ppf(0.0015, cases, rate) / cases), float(binom.ppf(0.9985, cases, rate) / cases)


def measure(cases: int) -> dict[str, dict[str, float]]:
    """Every claim with what was computed and what was found."""
    found: dict[str, dict[str, float]] = {}
    for users in (USERS, 5 * USERS):
        found[f"equal models, {users} users: rejections"] = {
            "computed": LEVEL, "found": rejection_rate(0.0, cases, users)
        }
    sizes = ", ".join(map(str, POOLED_USERS))
    found[f"equal models, targets of {sizes} users pooled: rejections"] = {
        "computed": LEVEL, "found": pooled_rejection_rate(0.0, cases)
    }
    for shift in (0.15, 0.25, 0.35):
        difference, sd = truth(shift)
        found[f"true difference {difference:.4f} (s.d. {sd:.3f}), {USERS} users: rejections"] = {
            "computed": power_of(difference, sd, USERS), "found": rejection_rate(shift, cases)
        }
    for shift in (0.0, 0.25):
        found[f"interval holds the true difference {truth(shift)[0]:.4f}, {USERS} users"] = {
            "computed": 1 - LEVEL, "found": coverage(shift, cases)
        }
    for values in found.values():
        values["low"], values["high"] = bounds(values["computed"], cases)
    return found


def main() -> None:
    """Measure, print and write the results as JSON."""
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    clock = time.perf_counter()
    found = measure(cases)
    seconds = time.perf_counter() - clock
    print(pd.DataFrame(found).T.round(4).to_string())
    smallest = detectable_difference(truth(0.0)[1], USERS)
    print(f"smallest difference seen with 80 % power: {smallest:.4f} NDCG@10; {cases} cases, {seconds:.0f} s")
    target = Path(__file__).parent / "results" / "statistics.json"
    target.parent.mkdir(exist_ok=True)
    values = {"cases": cases, "users": USERS, "detectable difference": smallest, "seconds": seconds, "rates": found}
    target.write_text(json.dumps(values, indent=1) + "\n")


if __name__ == "__main__":
    main()
