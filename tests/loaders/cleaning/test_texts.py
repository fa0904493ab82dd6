from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from loaders.cleaning.texts import repair_texts
from tests.loaders.cleaning.worlds import cleaned, found

ONE = {"user_id": ["u"], "item_id": ["a"]}


@pytest.mark.parametrize(
    ("given", "expected", "faults"),
    [
        ("Amélie", "Amélie", set()),
        ("Ame\u0301lie", "Amélie", {"unequal Unicode form"}),
        ("AmÃ©lie", "Amélie", {"wrongly decoded text"}),
        ("Tom &amp;amp; Jerry", "Tom & Jerry", {"HTML in a text"}),
        ("&lt;3 &#233;", "<3 é", {"HTML in a text"}),
        ("AT&T; R&D", "AT&T; R&D", set()),
        ("a\x00b\u200b", "ab", {"control characters in a text"}),
        ("  two\t\nwords\u00a0here ", "two words here", {"superfluous white space"}),
        ("می\u200cخواهم", "می\u200cخواهم", set()),
        ("👩\u200d🚀", "👩\u200d🚀", set()),
        ("   ", "", {"superfluous white space"}),
    ],
)
def test_a_text_is_repaired_and_its_faults_are_named(given: str, expected: str, faults: set[str]) -> None:
    repaired, masks = repair_texts(pd.Series([given, "plain"], dtype="str"))
    assert repaired.tolist() == [expected, "plain"]
    assert {fault for fault, mask in masks.items() if mask[0]} == faults
    assert not any(mask[1] for mask in masks.values())


def test_a_letter_whose_half_is_a_control_character_is_decoded() -> None:
    for name in ("À bout de souffle", "Ångström", "Für Élise – schön", "…", "Łódź"):
        broken = name.encode("utf-8").decode("latin-1")
        repaired, _ = repair_texts(pd.Series([broken], dtype="str"))
        assert repaired.iloc[0] == name


def test_names_of_all_tables_are_repaired_and_counted_by_row() -> None:
    result = cleaned(
        ONE,
        items={"item_id": ["a", "b", "c"], "name": [" A", " A", None], "year": ["1999", "(2001)", "12345"]},
        users={"user_id": ["u"], "name": ["&Auml;nne"]},
        facts={
            "head_id": ["a"], "head_type": ["Movie"], "relation": ["HAS_GENRE"], "tail_id": ["noir"],
            "tail_type": ["Genre"], "tail_name": ["film  noir"],
        },
    )  # fmt: skip
    assert found(result, "items") == {"superfluous white space": (2, "repaired"), "year that is none": (1, "emptied")}
    assert found(result, "users") == {"HTML in a text": (1, "repaired")}
    assert found(result, "facts") == {"superfluous white space": (1, "repaired")}
    assert result.tables.items["year"].tolist() == [1999, 2001, pd.NA]
    assert result.tables.items["name"].tolist()[:2] == ["A", "A"]
    assert result.tables.users["name"].tolist() == ["Änne"]
    assert result.tables.facts["tail_name"].tolist() == ["film noir"]


@pytest.mark.parametrize(
    ("written", "year"),
    [("1999", 1999), (1999, 1999), ("1999.0", 1999), ("(1999)", 1999), ("1999-05-01", 1999), ("-4", -4)],
)
def test_years_are_read_however_they_are_written(written: object, year: int) -> None:
    result = cleaned(ONE, items={"item_id": ["a"], "year": [written]})
    assert (result.tables.items["year"].tolist(), found(result, "items")) == ([year], {})


@pytest.mark.parametrize("written", ["0", "2035", "soon", "1999.5", "19999", np.inf])
def test_what_is_no_year_is_emptied(written: object) -> None:
    result = cleaned(ONE, items={"item_id": ["a"], "year": [written]})
    assert result.tables.items["year"].isna().all()
    assert found(result, "items") == {"year that is none": (1, "emptied")}


def test_items_of_a_type_that_is_not_the_domains_get_the_domains() -> None:
    result = cleaned(ONE, items={"item_id": ["a", "b", "c"], "item_type": ["Movie", "Film", None]})
    assert result.tables.items["item_type"].tolist() == ["Movie"] * 3
    assert found(result, "items") == {"item type that does not belong to the domain": (1, "repaired")}
