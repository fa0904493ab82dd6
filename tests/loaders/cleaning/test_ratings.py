from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graph_schema import InputError
from loaders.cleaning import Cleaned, CleaningConfig
from loaders.cleaning.ratings import detected_top
from tests.loaders.cleaning.worlds import cleaned, found, pairs, ratings

FAIR = ["1", "2", "3", "4", "5", "4", "3", "5", "4", "4"]


def rated(*values: Any, users: int = 10**6, **choices: Any) -> Cleaned:
    return cleaned({**pairs(len(values), users), "rating": values}, **choices)


def test_commas_words_and_gaps() -> None:
    result = rated("4", "3,5", "good", None, "NA", "1e1000", "1.234,5", " 2 ", "+3.", ".5")
    assert ratings(result) == [4.0, 3.5, 2.0, 3.0, 0.5]
    assert found(result) == {
        "rating with a decimal comma": (1, "repaired"),
        "rating is no number": (3, "dropped"),
        "missing rating": (2, "dropped"),
    }


def test_ratings_can_be_given_up_instead_of_rows() -> None:
    result = rated("4", "good", None, bad_ratings="drop_column")
    assert len(result.tables.interactions) == 3
    assert "rating" not in result.tables.interactions
    assert found(result) == {"rating is no number": (1, "emptied"), "missing rating": (1, "emptied")}
    assert "rating" in rated("4", "5", bad_ratings="drop_column").tables.interactions


def test_a_given_range_includes_its_ends() -> None:
    result = rated("0.9", "1", "5", "5.1", rating_range=(1, 5))
    assert ratings(result) == [1.0, 5.0]
    assert found(result) == {"rating outside its scale": (2, "dropped")}
    with pytest.raises(InputError, match="the lower end has to lie below the upper one"):
        CleaningConfig.parse({"rating_range": [5, 1]}, "cleaning")
    with pytest.raises(InputError, match='key rating_range: .*give "auto", "any" or two ends'):
        CleaningConfig.parse({"rating_range": "automatic"}, "cleaning")


def test_a_scale_is_detected_where_nearly_all_keep_to_it() -> None:
    result = rated(*FAIR * 30, "55", "-1")
    assert found(result) == {"rating outside its scale": (2, "dropped")}
    assert [one.detail for one in result.findings if one.table == "interactions"] == ["the scale is 0 to 5, detected"]
    assert found(rated(*FAIR * 30, "55", "-1", rating_range="any")) == {}


@pytest.mark.parametrize(
    ("values", "top"),
    [
        ([1, 2, 3, 4, 5, 5, 4, 4], 5),
        ([0.5, 3.5, 4, 4], 4),
        ([1, 6, 7, 7, 6], 7),
        ([10, 8, 9, 0, 7], 10),
        ([60, 100, 70, 80], 100),
        ([1, 1, 1, 2, 1, 3, 4], None),
        ([1, 1, 2, 3, 8, 40, 500], None),
        ([-10, 10, 3.3], None),
        ([3, 3.1, 4.2], None),
        ([], None),
    ],
)
def test_detected_scales(values: list[float], top: float | None) -> None:
    assert detected_top(np.asarray(values * 30, dtype=float)) == top


def test_counts_of_plays_are_no_ratings_outside_a_scale() -> None:
    generator = np.random.default_rng(0)
    plays = generator.geometric(0.05, 3000).astype(str)
    assert found(rated(*plays)) == {}


def test_zero_means_no_rating_only_where_it_is_said() -> None:
    assert ratings(rated("0", "8", "10")) == [0.0, 8.0, 10.0]
    result = rated("0", "8", "10", zero_means_no_rating=True)
    assert (ratings(result), found(result)) == ([8.0, 10.0], {"zero for no rating": (1, "dropped")})


def mixed() -> list[str]:
    """Ten users, ten ratings each; the last two rate up to 10 and up to 100."""
    return [str(int(value) * {8: 2, 9: 20}.get(user, 1)) for value in FAIR for user in range(10)]


def test_users_on_longer_scales_come_to_the_scale_of_the_others() -> None:
    result = rated(*mixed(), users=10)
    assert found(result) == {"rating on another scale": (20, "repaired")}
    assert ratings(result) == [float(value) for value in FAIR for _ in range(10)]


def test_other_scales_can_be_reported_or_ignored() -> None:
    result = rated(*mixed(), users=10, mixed_scales="report", rating_range="any")
    assert found(result) == {"rating on another scale": (20, "reported")}
    assert ratings(result) == [float(value) for value in mixed()]
    assert found(rated(*mixed(), users=10, mixed_scales="ignore", rating_range="any")) == {}


def test_a_slip_of_the_pen_makes_no_other_scale() -> None:
    values = [FAIR[row // 10] for row in range(100)]
    values[0] = "10"
    assert found(rated(*values, users=10)) == {"rating outside its scale": (1, "dropped")}


def test_scales_told_apart_by_a_column() -> None:
    rows = {**pairs(5), "rating": ["1", "3", "100", "50", "2"], "site": ["a", "a", "b", "b", "c"]}
    scales = {"a": (1, 5), "b": (0, 100)}
    result = cleaned(rows, scale_column="site", scales=scales)
    assert ratings(result) == [1.0, 3.0, 5.0, 3.0]
    assert found(result) == {"rating on another scale": (2, "repaired"), "rating on an unknown scale": (1, "dropped")}
    with pytest.raises(InputError, match='scale_column is "sit", but interactions have no column "sit"'):
        cleaned(rows, scale_column="sit", scales=scales)
    with pytest.raises(InputError, match='scale_column is "site", but no scales are given'):
        cleaned(rows, scale_column="site")


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("user_z_score", [-1.0, 0.0, 1.0, 0.0]),
        ("user_min_max", [0.0, 0.5, 1.0, 0.5]),
        ("domain_min_max", [0.0, 1.0, 0.5, 1.0]),
    ],
)
def test_normalised_ratings(how: str, expected: list[float]) -> None:
    # u0 gave 1 and 3, u1 gave 5 and 5.
    result = rated("1", "5", "3", "5", users=2, normalise=how, rating_range="any")
    assert ratings(result) == expected
    assert found(result)["rating normalised"] == (4, "rescaled")


def test_events_have_weights_that_stand_as_ratings() -> None:
    rows = {**pairs(4), "event": ["view", " BUY ", "hover", None], "weight": ["2", "1", "1", "1"]}
    result = cleaned(rows, event_weights={"view": 1.0, "buy": 5.0})
    assert found(result) == {"event without a weight": (2, "dropped")}
    assert result.tables.interactions["weight"].tolist() == ratings(result) == [2.0, 5.0]
    with pytest.raises(InputError, match='event_weights are given and interactions have no column "event"'):
        cleaned(pairs(2), event_weights={"view": 1.0})


def test_weights_are_positive_numbers() -> None:
    result = cleaned({**pairs(5), "weight": ["2", "0", "-1", "much", None]})
    assert found(result) == {"weight that is no positive number": (4, "dropped")}
