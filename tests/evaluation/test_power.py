from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from graph_schema import InputError
from kgxfer.evaluation.power import detectable_difference, power_of, undecidable, users_needed


@pytest.mark.parametrize(("standardised", "users"), [(0.2, 199), (0.5, 34), (0.8, 15)])
def test_the_textbook_numbers_of_pairs(standardised: float, users: int) -> None:
    """Paired t test, two-sided, 5 %, 80 %: 199, 34 and 15 pairs for small, medium and large effects."""
    assert users_needed(standardised, 1.0) == users
    assert power_of(standardised, 1.0, users) >= 0.8 > power_of(standardised, 1.0, users - 1)


def test_power_is_the_integral_over_the_sample_deviation() -> None:
    """Independent of the noncentral t: given the sample deviation, the sample mean is normal."""
    difference, users, alpha = 0.4, 12, 0.05
    critical = stats.t.ppf(1 - alpha / 2, users - 1)

    def rejected(chi: float) -> float:
        edge = critical * np.sqrt(chi / (users - 1))
        centre = difference * np.sqrt(users)
        return float((stats.norm.sf(edge - centre) + stats.norm.cdf(-edge - centre)) * stats.chi2.pdf(chi, users - 1))

    assert power_of(difference, 1.0, users) == pytest.approx(integrate.quad(rejected, 0, 80)[0], abs=1e-7)


@given(st.floats(0.001, 10), st.integers(2, 5000), st.floats(0.2, 0.99))
def test_detectable_difference_has_the_power_asked_for(sd: float, users: int, power: float) -> None:
    found = detectable_difference(sd, users, power)
    assert power_of(found, sd, users) == pytest.approx(power, abs=1e-6)
    assert power_of(-found, sd, users) == pytest.approx(power, abs=1e-6)


def test_no_difference_is_found_as_often_as_the_level_says() -> None:
    assert power_of(0.0, 1.0, 50, alpha=0.01) == pytest.approx(0.01)
    assert power_of(0.0, 0.0, 50) == 0.05
    assert power_of(0.1, 0.0, 50) == 1


def test_differences_bring_their_spread_and_number() -> None:
    values = np.array([0.0, 0.1, 0.5, -0.2, 0.3])
    assert detectable_difference(values) == detectable_difference(float(values.std(ddof=1)), 5)
    assert detectable_difference(values, users=500) < detectable_difference(values)


def test_the_warning_names_users_smallest_and_observed() -> None:
    smallest = detectable_difference(0.2, 200)
    assert undecidable(0.01, 0.2, 200) == (
        f"cannot be decided with 200 users: the smallest difference seen with 80% power is {smallest:.4f}, "
        "observed +0.0100"
    )
    assert undecidable(-smallest, 0.2, 200) is None
    assert undecidable(0.01, 0.2, 1) == "cannot be decided with 1 user(s): a comparison needs at least two"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: power_of(0.1, -1.0, 10), "standard deviation is -1"),
        (lambda: power_of(0.1, 1.0, 1), "at least two users"),
        (lambda: power_of(0.1, 1.0, 10, alpha=2), "alpha is 2"),
        (lambda: detectable_difference(0.2), "pass users=N"),
        (lambda: detectable_difference(0.2, 10, power=0.01), "not between alpha"),
        (lambda: users_needed(0.0, 1.0), "difference of 0"),
        (lambda: users_needed(1e-9, 1.0), "users or more"),
    ],
)
def test_questions_without_an_answer(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
