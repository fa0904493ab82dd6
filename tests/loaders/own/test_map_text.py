"""A written map is the map: TOML read back gives the values, whatever names a file's columns bear."""

from __future__ import annotations

import csv
import tempfile
import tomllib
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from graph_schema import InputError
from loaders.own.column_map import checked_map
from loaders.own.guess import Doubt
from loaders.own.map_text import map_text
from loaders.own.survey import survey

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["user_id", "item", "rating", "time", "genre", "a.b", 'say "x"', "name", "year", "event", ""]
)
VALUES = st.sampled_from(
    ["", "1", "2", "3,5", "0.5", "u1", "u2", "2020-01-31", "1600000000", "a|b", "NA", "é", "1e400"]
)


def test_doubts_stand_above_their_keys() -> None:
    values = {
        "name": "x", "source": {"domain": "a", "columns": {"user_id": "u"}},
        "items": {"attributes": {"a.b": {"kind": "text"}}},
    }  # fmt: skip
    doubts = [
        Doubt("name", "one\nline"), Doubt("source.columns.user_id", "two"), Doubt("items.attributes.a.b", "three"),
        Doubt("source.columns.rating", "four"),
    ]  # fmt: skip
    assert map_text(values, doubts, {"source": ["left", 'o"ver']}, ["Top"]).splitlines() == [
        "# Top",
        "# unsure: one\\nline",
        'name = "x"',
        "",
        "[source]",
        'domain = "a"',
        '# not used: "left", "o\\"ver"',
        "",
        "[source.columns]",
        "# unsure: four",
        "# unsure: two",
        'user_id = "u"',
        "",
        "[items.attributes]",
        "# unsure: three",
        '"a.b" = { kind = "text" }',
    ]


@settings(max_examples=60)
@given(st.data())
def test_whatever_the_columns_are_called(data: st.DataObject) -> None:
    """A survey ends with one line, or with a map that is read back as it was meant."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("first.csv", "second.csv", "items.csv")]
        for path in paths:
            width = data.draw(st.integers(1, 6))
            names = data.draw(st.lists(NAMES, min_size=width, max_size=width, unique=True))
            rows = data.draw(st.lists(st.lists(VALUES, min_size=width, max_size=width), max_size=12))
            with path.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([names, *rows])
        try:
            found = survey(paths[0], paths[1], paths[2:] if data.draw(st.booleans()) else [], Path(folder))
        except InputError as error:
            assert "\n" not in str(error)
            return
        written = map_text(found.values, found.doubts, found.unused, ["Top"])
        assert tomllib.loads(written) == found.values
        assert checked_map(tomllib.loads(written)).name == found.values["name"]
