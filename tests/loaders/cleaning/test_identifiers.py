from __future__ import annotations

import pandas as pd
import pytest

from loaders.cleaning.codes import decode, encode, recode
from tests.loaders.cleaning.worlds import cleaned, found, pairs


def users_of(*ids: object, **choices: object) -> tuple[list[str], dict[str, tuple[int, str]]]:
    result = cleaned({"user_id": ids, "item_id": [f"i{row}" for row in range(len(ids))]}, **choices)  # type: ignore[arg-type]
    return result.tables.interactions["user_id"].tolist(), found(result)


@pytest.mark.parametrize("nothing", ["", "  ", "NA", "n/a", " null ", "NaN", "None", "\\N", None, float("nan")])
def test_what_stands_for_no_id_is_dropped(nothing: object) -> None:
    assert users_of("u1", nothing) == (["u1"], {"missing id": (1, "dropped")})


def test_words_for_no_id_are_a_choice() -> None:
    assert users_of("none", "-", missing_words=("-",)) == (["none"], {"missing id": (1, "dropped")})


def test_spaces_and_what_cannot_be_seen_are_repaired() -> None:
    assert users_of("u1", "\tu1 ", "u\x001", "\ufeffu1") == (
        ["u1"] * 4,
        {"spaces around an id": (1, "repaired"), "control characters in an id": (2, "repaired")},
    )
    ids, rules = users_of("u1", "u\x001", control_characters_in_ids="drop")
    assert (ids, rules) == (["u1"], {"control characters in an id": (1, "dropped")})


def test_a_decimal_is_the_whole_number_where_that_is_certain() -> None:
    decimal = "id written as a decimal number"
    assert users_of("12.0", "12", "a") == (["12", "12", "a"], {decimal: (1, "repaired")})
    assert users_of("12.0", "13.0") == (["12", "13"], {decimal: (2, "repaired")})
    assert users_of("12.0", "a") == (["12.0", "a"], {})
    assert users_of("007", "7.0", "x") == (["007", "7.0", "x"], {})


def test_a_decimal_in_one_table_is_the_whole_number_of_another() -> None:
    result = cleaned({"user_id": ["u"], "item_id": ["5.0"]}, items={"item_id": ["5", "x"]})
    assert result.tables.interactions["item_id"].tolist() == ["5"]
    assert found(result) == {"id written as a decimal number": (1, "repaired")}


def test_long_ids_are_dropped_at_the_limit() -> None:
    assert users_of("a" * 8, "b" * 9, longest_id=8) == (["a" * 8], {"id too long": (1, "dropped")})


def test_a_row_with_two_faults_is_dropped_once_and_counted_once() -> None:
    result = cleaned({"user_id": ["NA", " u"], "item_id": [None, " i"]})
    assert found(result) == {"missing id": (1, "dropped"), "spaces around an id": (1, "repaired")}
    assert result.findings[0].examples[0].text == 'user_id "NA", item_id (none)'


def test_ids_of_numbers_are_their_text() -> None:
    assert users_of(7, 8.0, "9")[0] == ["7", "8", "9"]


def test_coding_keeps_texts_and_joins_equal_ones() -> None:
    coded = encode(pd.Series(["b", None, "a", "b"]))
    assert decode(coded).tolist()[0::2] == ["b", "a"]
    joined = recode(coded, pd.Series(["c", "c"]))
    assert (list(joined.categories), joined.codes.tolist()) == (["c"], [0, -1, 0, 0])


def test_many_rows_have_few_examples() -> None:
    rows = pairs(50)
    result = cleaned({**rows, "user_id": [" " + user for user in rows["user_id"]]})
    [finding] = [one for one in result.findings if one.table == "interactions"]
    assert (finding.count, [one.row for one in finding.examples]) == (50, [0, 1, 2, 3, 4])
