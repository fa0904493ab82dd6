from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.cleaning import Cleaned, CleaningConfig, clean
from loaders.cleaning.time_forms import read_times
from loaders.raw import RawDomain, RawTable
from tests.loaders.cleaning.worlds import NOW, cleaned, found, pairs

NOON = "2020-05-31 12:00:00"
SECONDS = 1590926400
BOUNDS = (631152000 * 10**6, 1704067200 * 10**6)


def timed(*values: Any, **choices: Any) -> Cleaned:
    return cleaned({**pairs(len(values)), "timestamp": values}, **choices)


def moments(result: Cleaned) -> list[str]:
    texts: list[str] = result.tables.interactions["timestamp"].dt.strftime("%Y-%m-%d %H:%M:%S").tolist()
    return texts


@pytest.mark.parametrize("zeros", ["000", "000000", "000000000"], ids=["ms", "us", "ns"])
def test_numbers_of_another_unit_are_repaired(zeros: str) -> None:
    result = timed(f"{SECONDS}", f"{SECONDS}", f"{SECONDS}{zeros}")
    assert moments(result) == [NOON] * 3
    assert found(result) == {"time in another unit": (1, "repaired")}


@pytest.mark.parametrize("factor", [1, 10**3, 10**6, 10**9], ids=["s", "ms", "us", "ns"])
def test_a_column_of_one_unit_needs_no_repair(factor: int) -> None:
    values = [SECONDS * factor + one for one in (0, 1, 2)]
    for column in (values, [str(value) for value in values]):
        result = timed(*column)
        assert found(result) == {}
        assert result.tables.interactions["timestamp"].iloc[0] == pd.Timestamp(NOON)


@pytest.mark.parametrize(
    "text",
    [
        "2020-05-31T12:00:00", "2020-05-31 12:00:00", "2020-05-31T14:00:00+02:00", "2020-05-31T12:00:00Z",
        "2020/05/31 12:00:00", "31.05.2020 12:00", "31/05/2020 12:00:00", "05/31/2020 12:00:00",
        "May 31, 2020 12:00:00", "31 May 2020 12:00:00", "Sun, 31 May 2020 12:00:00 +0000",
        "Sun May 31 12:00:00 2020", f"{SECONDS}.0", f"{SECONDS}000", "1.5909264e9",
    ],
)  # fmt: skip
def test_every_form_is_read(text: str) -> None:
    result = timed(f"{SECONDS}", f"{SECONDS}", text)
    assert moments(result) == [NOON] * 3
    number = text.replace(".", "").isdigit()
    otherwise = None if number or "e9" in text else "time in another form"
    rule = {f"{SECONDS}000": "time in another unit"}.get(text, otherwise)
    assert found(result) == ({rule: (1, "repaired")} if rule else {})


def test_amazons_dates_and_dates_without_a_clock() -> None:
    assert moments(timed("05 31, 2020", "06 1, 2020")) == ["2020-05-31 00:00:00", "2020-06-01 00:00:00"]
    assert moments(timed("20200531", "20200601")) == ["2020-05-31 00:00:00", "2020-06-01 00:00:00"]


def test_a_date_that_could_be_two_is_read_as_the_others_say_or_not_at_all() -> None:
    assert moments(timed("3/4/2020", "13/4/2020"))[0] == "2020-04-03 00:00:00"
    assert moments(timed("3/4/2020", "4/13/2020"))[0] == "2020-03-04 00:00:00"
    assert moments(timed("3/4/2020", day_first=True)) == ["2020-04-03 00:00:00"]
    for doubtful in (("3/4/2020",), ("13/4/2020", "4/13/2020")):
        result = timed(*doubtful)
        assert found(result) == {"time that cannot be read": (len(doubtful), "dropped")}
        assert "day_first" in result.findings[0].detail


def test_missing_and_unreadable_times() -> None:
    rows = (f"{SECONDS}", None, "", "NA", "soon", "2020-13-31")
    assert found(timed(*rows)) == {"time that cannot be read": (2, "dropped"), "missing time": (3, "dropped")}
    given_up = timed(*rows, bad_times="drop_column")
    assert found(given_up) == {"time that cannot be read": (2, "emptied"), "missing time": (3, "emptied")}
    assert list(given_up.tables.interactions.columns) == ["user_id", "item_id"]
    assert len(given_up.tables.interactions) == 6


def test_times_that_cannot_be_right() -> None:
    rows = ("631152000", "631151999", "1704067200", "1704067201")
    result = timed(*rows)
    assert moments(result) == ["1990-01-01 00:00:00", "2024-01-01 00:00:00"]
    assert found(result) == {"time in the future": (1, "dropped"), "time before the earliest": (1, "dropped")}
    reported = timed(*rows, implausible_times="report")
    assert {action for _, action in found(reported).values()} == {"reported"}
    assert len(reported.tables.interactions) == 4
    assert found(timed(*rows, earliest=datetime(1980, 1, 1, tzinfo=UTC))) == {"time in the future": (1, "dropped")}


def test_now_is_the_moment_of_cleaning_when_it_is_not_given() -> None:
    tomorrow = int(datetime.now(UTC).timestamp()) + 86400
    rows = pd.DataFrame({"user_id": ["a", "b"], "item_id": ["x", "x"], "timestamp": [tomorrow, tomorrow - 2 * 86400]})
    raw = RawDomain("films", "Movie", RawTable(rows, "file"))
    assert found(clean(raw)) == {"time in the future": (1, "dropped")}
    assert CleaningConfig(now=datetime(2024, 1, 1)).now == NOW


def test_a_unit_that_is_given_is_kept_to_where_it_can_be_right() -> None:
    # As milliseconds the first is in 1990; by its size it would be seconds of the year 22000.
    assert moments(timed("650000000000", time_unit="ms")) == ["1990-08-07 03:33:20"]
    result = timed("1590926400000", "1590926400000", "1590926400", time_unit="ms")
    assert moments(result) == [NOON] * 3
    assert found(result) == {"time in another unit": (1, "repaired")}


def test_typed_columns() -> None:
    moment = pd.Timestamp(NOON)
    for values in ([SECONDS], [float(SECONDS)], [moment], [moment.tz_localize("UTC").tz_convert("Asia/Tokyo")]):
        rows = pd.DataFrame({"user_id": ["u"], "item_id": ["i"], "timestamp": values})
        result = clean(RawDomain("films", "Movie", RawTable(rows, "file")), CleaningConfig(now=NOW))
        assert moments(result) == [NOON]
        assert found(result) == {}
    read = read_times(pd.Series([1590926400.25, float("nan"), float("inf")]), (), "auto", None, BOUNDS)
    assert read.microseconds.tolist() == [1590926400250000, 0, 0]
    assert (read.missing.tolist(), (read.form < 0).tolist()) == ([False, True, False], [False, True, True])


@settings(max_examples=60)
@given(st.lists(st.one_of(st.integers(-(10**30), 10**30), st.floats(), st.text(max_size=12), st.none()), max_size=8))
def test_whatever_stands_there_is_read_or_refused(values: list[object]) -> None:
    texts = pd.Series([None if value is None else str(value) for value in values], dtype=object)
    for unit in ("auto", "ms", "ns"):
        read = read_times(texts, ("na",), unit, None, BOUNDS)
        assert len(read.form) == len(read.microseconds) == len(read.missing) == len(values)
        assert not (read.missing & (read.form >= 0)).any()


@settings(max_examples=60)
@given(st.lists(st.integers(631152000, 1704067200), min_size=1, max_size=6), st.data())
def test_any_mixture_of_forms_gives_the_same_moments(seconds: list[int], data: st.DataObject) -> None:
    forms = ("{0}", "{0}000", "{0}000000", "{0}.0", "{1}")
    texts = [data.draw(st.sampled_from(forms)).format(one, pd.Timestamp(one, unit="s").isoformat()) for one in seconds]
    read = read_times(pd.Series(texts), (), "auto", None, BOUNDS)
    assert (read.microseconds // 10**6).tolist() == seconds
