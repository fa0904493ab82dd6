from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph_schema import (
    FACTS,
    INTERACTIONS,
    ITEMS,
    LINKS,
    SCHEMA,
    USERS,
    Column,
    InputError,
    TableDefinition,
    validate,
    validate_facts,
)
from graph_schema.tables import row_numbers

TABLES = [USERS, ITEMS, INTERACTIONS, FACTS, LINKS]
FIRST_ROW = "(the first row is row 0)"


def one_column(datatype: Any, **options: Any) -> TableDefinition:
    return TableDefinition("things", (Column("x", datatype, **options),))


def normal(values: Any, datatype: Any, **options: Any) -> pd.Series:
    return validate(pd.DataFrame({"x": values}), one_column(datatype, **options))["x"]


@pytest.mark.parametrize(
    "values",
    [
        [7, 12],
        [7.0, 12.0],
        ["7", "12"],
        np.array([7, 12], dtype=np.uint8),
        pd.Series([7, 12], dtype="Int64"),
        pd.Series([7, "12"], dtype=object),
        pd.Series([7.0, np.int32(12)], dtype=object),
        pd.Series(["7", "12"], dtype="category"),
        pd.Series([7, 12], dtype="category"),
        pd.Series(["7", "12"], dtype="string"),
        pd.Series(["7", "12"], dtype="string[pyarrow]"),
    ],
    ids=["int", "float", "str", "uint8", "Int64", "mixed", "mixed numbers", "category", "numbers", "string", "arrow"],
)
def test_the_same_ids_are_the_same_however_they_were_read(values: Any) -> None:
    ids = normal(values, "id")
    assert ids.dtype == "str"
    assert ids.tolist() == ["7", "12"]


@given(st.lists(st.integers(min_value=-(2**53), max_value=2**53), min_size=1, max_size=20))
def test_whole_number_ids_become_their_decimal_text_as_integers_and_as_floats(numbers: list[int]) -> None:
    expected = [str(number) for number in numbers]
    assert normal(numbers, "id").tolist() == expected
    assert normal([float(number) for number in numbers], "id").tolist() == expected
    assert normal(pd.Series(numbers, dtype=object), "id").tolist() == expected


rows = st.lists(
    st.tuples(
        st.text(min_size=1, max_size=8),
        st.text(min_size=1, max_size=8),
        st.floats(allow_nan=False, allow_infinity=False),
        st.integers(min_value=-(10**10), max_value=10**10),
    ),
    max_size=15,
    unique_by=lambda row: row[:2],
)


@given(rows)
def test_validation_keeps_every_value_and_doing_it_again_changes_nothing(
    values: list[tuple[str, str, float, int]],
) -> None:
    frame = pd.DataFrame(values, columns=["user_id", "item_id", "rating", "timestamp"])
    frame.index = frame.index + 5
    once = validate(frame, INTERACTIONS)
    assert list(zip(once["user_id"], once["item_id"], once["rating"], strict=True)) == [row[:3] for row in values]
    microseconds = once["timestamp"].astype("int64")
    assert (microseconds // 1_000_000).tolist() == [row[3] for row in values]
    assert once.index.equals(pd.RangeIndex(len(values)))
    pd.testing.assert_frame_equal(validate(once, INTERACTIONS), once)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=1, max_size=10))
def test_a_pair_is_refused_exactly_when_it_occurs_twice(pairs: list[tuple[str, str]]) -> None:
    frame = pd.DataFrame(pairs, columns=["user_id", "item_id"])
    if len(set(pairs)) == len(pairs):
        assert len(validate(frame, INTERACTIONS)) == len(pairs)
        return
    row = next(number for number in range(len(pairs)) if pairs[number] in pairs[:number])
    with pytest.raises(
        InputError, match=f"table interactions, row {row}: .* already in row {pairs.index(pairs[row])};"
    ):
        validate(frame, INTERACTIONS)


@given(st.lists(st.tuples(*[st.sampled_from(["a", "b", "", None])] * 3), max_size=12))
def test_rows_have_equal_numbers_exactly_where_they_are_equal(values: list[tuple[str | None, ...]]) -> None:
    frame = pd.DataFrame(values, columns=list("xyz"), dtype="str")
    numbers = row_numbers(frame, list("xyz"))
    assert [[one == other for other in values] for one in values] == [
        [bool(one == other) for other in numbers] for one in numbers
    ]


def test_rows_have_numbers_where_the_columns_have_more_combinations_than_there_are_numbers() -> None:
    rows = np.arange(20_000)
    frame = pd.DataFrame({f"column {number}": rows.astype(str) for number in range(6)}, dtype="str")
    doubled = pd.concat([frame, frame])
    numbers = row_numbers(doubled, list(frame.columns))
    assert len(np.unique(numbers)) == 20_000
    assert (numbers[:20_000] == numbers[20_000:]).all()


def test_the_frame_that_was_given_is_not_changed() -> None:
    frame = pd.DataFrame({"user_id": [1, 2], "item_id": [3, 4]}, index=[8, 9])
    before = frame.copy()
    validate(frame, INTERACTIONS)
    pd.testing.assert_frame_equal(frame, before)


def test_optional_columns_stay_absent_and_further_columns_stay_as_they_are() -> None:
    frame = pd.DataFrame({"item_id": [1], "item_type": ["Movie"], "budget": pd.Series([5], dtype="int16")})
    items = validate(frame, ITEMS)
    assert list(items.columns) == ["item_id", "item_type", "budget"]
    assert items["budget"].dtype == "int16"


@pytest.mark.parametrize(
    ("values", "datatype", "message"),
    [
        (["a", None], "id", 'column "x", row 1: value (none) is missing; fill it in or drop the row'),
        (["a", ""], "id", 'column "x", row 1: value "" is an empty id; give every row an id'),
        ([1.0, 1.5], "id", 'column "x", row 1: value 1.5 is not a whole number;'),
        ([1.0, 1e20], "id", 'column "x", row 1: value 1e+20 is too large to be exact; read the column as text'),
        ([True, False], "id", 'column "x", row 0: value True cannot be an id; give text or whole numbers'),
        (["a", [1]], "id", 'column "x", row 1: value [1] cannot be an id; give text or whole numbers'),
        ([1, pd.Timestamp(0)], "id", 'column "x", row 1: value 1970-01-01 00:00:00 cannot be an id;'),
        (
            ["4.5", "4,5"],
            "float",
            'column "x", row 1: value "4,5" is not a number; write it with digits and a decimal point',
        ),
        ([1.0, np.inf], "float", 'column "x", row 1: value inf is infinite; give a finite number'),
        ([1.0, np.nan], "float", 'column "x", row 1: value (none) is missing;'),
        ([1.0, 2.5], "integer", 'column "x", row 1: value 2.5 is not a whole number; round it or use a float column'),
        (
            ["2024-01-01", "soon"],
            "timestamp",
            'column "x", row 1: value "soon" is not a time; write it as 2024-05-31T12',
        ),
        (
            [1, 1_700_000_000_000],
            "timestamp",
            'column "x", row 1: value 1700000000000 is too large; timestamps are whole',
        ),
        (["yes", "true"], "boolean", 'column "x", row 0: value "yes" is neither true nor false; write true or false'),
    ],
)
def test_a_bad_value_is_named_with_its_row_and_the_remedy(values: Any, datatype: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        validate(pd.DataFrame({"x": pd.Series(values)}), one_column(datatype), where="file a.csv")
    assert str(caught.value).startswith(f"file a.csv: table things, {message}")
    assert str(caught.value).endswith(FIRST_ROW)
    assert "\n" not in str(caught.value)


def test_bounds_are_inclusive() -> None:
    assert normal([0.0, 1.0], "float", minimum=0, maximum=1).tolist() == [0.0, 1.0]
    with pytest.raises(InputError, match="row 1: value 1.01 lies outside 0 to 1; correct the value"):
        normal([0.5, 1.01], "float", minimum=0, maximum=1)
    with pytest.raises(InputError, match="row 0: value -1 lies outside 0 to inf"):
        normal([-1, 5], "integer", minimum=0)


def test_the_form_of_a_column_does_not_depend_on_whether_values_are_missing() -> None:
    for values in ([1990, 1991], [1990, None]):
        assert normal(values, "integer", nullable=True).dtype == "Int64"
    for flags in ([True, False], [True, None]):
        assert normal(flags, "boolean", nullable=True).dtype == "boolean"
    assert normal([1990], "integer").dtype == "int64"
    assert normal([True], "boolean").dtype == bool


def test_missing_text_stays_missing() -> None:
    assert normal(["a", None], "string", nullable=True).isna().tolist() == [False, True]
    assert normal([None, None], "string", nullable=True).isna().all()
    assert normal([1.0, np.nan], "string", nullable=True).iloc[0] == "1"


def test_times_are_utc_without_a_zone_whatever_they_came_as() -> None:
    noon = pd.Timestamp("2024-05-31T12:00:00")
    for values in ([1717156800], [1717156800.0], ["2024-05-31T14:00:00+02:00"], [noon], [noon.tz_localize("UTC")]):
        times = normal(values, "timestamp")
        assert times.dtype == "datetime64[us]"
        assert times.iloc[0] == noon


def test_truth_comes_as_words_and_as_numbers() -> None:
    assert normal(["true", "False", "1", "0"], "boolean").tolist() == [True, False, True, False]
    assert normal([1, 0], "boolean").tolist() == [True, False]
    assert normal([1.0, 0.0], "boolean").tolist() == [True, False]


def test_a_required_column_must_be_there() -> None:
    with pytest.raises(InputError) as caught:
        validate(pd.DataFrame({"user": [1], "item_id": [1]}), INTERACTIONS, 'domain "books"')
    assert str(caught.value) == (
        'domain "books": table interactions: no column "user_id"; the table has user, item_id; '
        "rename or add it (needed: user_id, item_id)"
    )


def test_a_slip_in_an_optional_columns_name_does_not_lose_the_column() -> None:
    frame = pd.DataFrame({"user_id": [1], "item_id": [1], "ratings": [4.0]})
    with pytest.raises(
        InputError, match='unknown column "ratings"; did you mean "rating"? rename or drop it'.replace("?", r"\?")
    ):
        validate(frame, INTERACTIONS)


def test_a_column_may_be_there_once_only() -> None:
    frame = pd.DataFrame([[1, 2, 3]], columns=["user_id", "item_id", "item_id"])
    with pytest.raises(InputError, match='column "item_id" is there twice'):
        validate(frame, INTERACTIONS)


@pytest.mark.parametrize("definition", TABLES, ids=lambda definition: definition.name)
def test_the_empty_table_is_valid_and_has_the_forms_of_a_full_one(definition: TableDefinition) -> None:
    empty = definition.empty()
    assert list(empty.columns) == list(definition.names)
    pd.testing.assert_frame_equal(validate(empty, definition), empty)
    assert all(
        empty[column.name].dtype == "str" for column in definition.columns if column.datatype in ("id", "string")
    )


def test_confidence_lies_between_0_and_1() -> None:
    link = {"source_id": "a", "target_id": "b", "node_type": "Item", "method": "m", "evidence": None}
    assert validate(pd.DataFrame([{**link, "confidence": 1}]), LINKS)["confidence"].tolist() == [1.0]
    with pytest.raises(InputError, match='table links, column "confidence", row 0: value 1.5 lies outside 0 to 1'):
        validate(pd.DataFrame([{**link, "confidence": 1.5}]), LINKS)


def facts(*triples: tuple[str, str, str]) -> pd.DataFrame:
    table = pd.DataFrame(triples, columns=["head_type", "relation", "tail_type"]).assign(head_id="a", tail_id="b")
    return validate(table, FACTS)


def test_facts_of_the_schema_pass() -> None:
    validate_facts(facts(("Movie", "HAS_GENRE", "Genre"), ("Person", "ACTED_IN", "Movie")), SCHEMA)
    validate_facts(FACTS.empty(), SCHEMA)


@pytest.mark.parametrize(
    ("triple", "message"),
    [
        (("Movie", "HAS_GENER", "Genre"), 'unknown relation "HAS_GENER"; did you mean "HAS_GENRE"?'),
        (("Genre", "HAS_GENRE", "Movie"), "relation HAS_GENRE goes from Movie to Genre, not from Genre to Movie"),
    ],
)
def test_the_first_fact_outside_the_schema_is_named(triple: tuple[str, str, str], message: str) -> None:
    good = ("Movie", "HAS_GENRE", "Genre")
    with pytest.raises(InputError) as caught:
        validate_facts(facts(good, good, triple, triple), SCHEMA, 'domain "films"')
    assert str(caught.value).startswith(f'domain "films": table facts, row 2: {message}')


@pytest.mark.slow
def test_a_million_rows_take_less_than_one_and_a_half_seconds() -> None:
    count = 1_000_000
    numbers = np.arange(count)
    frame = pd.DataFrame(
        {"user_id": numbers % 99_991, "item_id": numbers // 10, "rating": 4.0, "timestamp": numbers + 1_000_000_000}
    )
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        validate(frame, INTERACTIONS)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1.5
