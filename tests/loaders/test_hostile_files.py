"""Files made to break a reader: a table, or exactly one clear error; never another exception, nothing half-written."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from graph_schema.errors import InputError
from loaders.own import REASONS, FileFacts, read_table, sniff
from loaders.raw import RawTable

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(
    max_examples=10_000,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)

HOSTILE_CELLS = st.one_of(
    st.sampled_from(
        ["", " ", "NA", "nan", "null", "0", "007", "-1", "1e999", "4,5", "1.5", "user", "item_id", "\0", '"', '""']
        + ["'", "\\", "\ufeff", "\u2028", "\x85", "\x1f", "\x1a", "é", "日本", "\ud7ff", "a\nb", "a\r\nb"]
        + ["=1+1", "{", "[", "2020-01-01", "1700000000", "1700000000000", "9" * 400, "../../etc/passwd", "|", "::"]
    ),
    st.text(max_size=8),
    st.integers().map(str),
    st.floats().map(str),
)
ROWS = st.lists(st.lists(HOSTILE_CELLS, max_size=5), max_size=12)
SEPARATORS = st.sampled_from([",", ";", "\t", "|", "::", " ", "\x01", "€"])
LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\n\r"])
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"])
HEADERS = st.sampled_from(
    [[], ["user_id", "item_id", "rating"], ["item", "user"], ["rating", "timestamp", "user_id", "item_id"], ["a", "a"]]
)


@st.composite
def delimited(draw: st.DrawFn) -> bytes:
    """Rows joined somehow: quoted rightly, wrongly or not at all, ragged, perhaps in two encodings."""
    separator, line_end = draw(SEPARATORS), draw(LINE_ENDS)
    quote = draw(st.sampled_from(["no", "all", "some", "unbalanced"]))

    def cell(text: str) -> str:
        if quote == "all" or (quote == "some" and draw(st.booleans())):
            return '"' + text.replace('"', '""') + '"'
        return f'"{text}' if quote == "unbalanced" and draw(st.booleans()) else text

    header = draw(HEADERS)
    rows = [header, *draw(ROWS)] if header else draw(ROWS)
    rows = rows + [header] if draw(st.booleans()) else rows
    lines = [separator.join(cell(text) for text in row) for row in rows]
    first, second = draw(ENCODINGS), draw(ENCODINGS)
    content = line_end.join(lines).encode(first, "replace")
    if draw(st.integers(0, 4)) == 0:
        content += line_end.join(lines).encode(second, "replace")
    return content


@st.composite
def json_files(draw: st.DrawFn) -> bytes:
    """Objects of anything, per line or as an array, perhaps cut off."""
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=5,
    )
    keys = st.sampled_from(["user_id", "item_id", "rating", ""]) | st.text(max_size=4)
    objects = draw(st.lists(st.dictionaries(keys, values, max_size=4) | values, max_size=6))
    as_array = draw(st.booleans())
    content = (json.dumps(objects) if as_array else "\n".join(map(json.dumps, objects))).encode()
    return content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content


def _parquet(rows: list[list[str]]) -> bytes:
    packed = io.BytesIO()
    padded = [(row + ["", ""])[:2] for row in rows]
    pd.DataFrame(padded, columns=["user_id", "item_id"], dtype="str").to_parquet(packed)
    return packed.getvalue()


def _zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../inside.csv", content)
    return packed.getvalue()


PACKINGS: list[Callable[[bytes], bytes]] = [bytes, bytes, bytes, gzip.compress, bz2.compress, lzma.compress, _zipped]
NAMES = ["ratings.csv", "ratings.csv.gz", "ratings.parquet", "ratings.json", "ratings.zip", "ratings", "sé\nlly.csv"]


@st.composite
def hostile(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file name and what stands in the file: packed, packed twice, cut off, with bytes changed."""
    content = draw(st.one_of(delimited(), delimited(), json_files(), ROWS.map(_parquet), st.binary(max_size=200)))
    for _ in range(draw(st.sampled_from([0, 1, 1, 2]))):
        content = draw(st.sampled_from(PACKINGS))(content)
    damage = draw(st.integers(0, 6))
    if damage == 0:
        content = content[: draw(st.integers(0, len(content)))]
    elif damage == 1 and content:
        place = draw(st.integers(0, len(content) - 1))
        content = content[:place] + draw(st.binary(max_size=3)) + content[place + 1 :]
    elif damage == 2:
        content += draw(st.sampled_from([b"\0", b"\0" * 300, b"\xff\xfe", b'"', b"\r", b"\x1f\x8b"]))
    return draw(st.sampled_from(NAMES)), content


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "columns": st.sampled_from([{"user_id": "user_id", "item_id": "item_id"}, {"user_id": "column_1"}, {}]),
        "separator": SEPARATORS,
        "encoding": st.sampled_from(["utf-8", "utf-16", "cp1252", "mixed", "ascii", "shift_jis", "utf-7", "?"]),
        "header": st.sampled_from([True, False, ["user", "item"], ["user"], []]),
        "format": st.sampled_from(["csv", "json", "json-lines", "parquet"]),
        "limit": st.integers(0, 5),
    },
)


def one_line_naming(error: InputError, name: str) -> None:
    """The message is one line, not too long to read, and names the file."""
    message = str(error)
    assert message.isprintable(), message
    assert name.rpartition("\n")[2] in message or 'unknown encoding "?"' in message
    assert len(message) < 2_000


def check_table(table: RawTable, content: bytes) -> None:
    """A table holds what raw tables promise."""
    if table.lines is None:
        assert not table.bad_lines
        return
    assert len(table.lines) == len(table.frame)
    bad = [line.line for line in table.bad_lines]
    every = [*table.lines.tolist(), *bad]
    assert all(number >= 1 for number in every)
    assert table.lines.tolist() == sorted(table.lines.tolist())
    assert bad == sorted(bad)
    assert {line.reason for line in table.bad_lines} <= set(REASONS)
    assert all(line.text.isprintable() and len(line.text) <= 80 for line in table.bad_lines)


def survives(folder: Path, name: str, content: bytes, options: dict[str, object]) -> None:
    for left in folder.iterdir():
        left.unlink()
    path = folder / name
    path.write_bytes(content)
    try:
        check_table(read_table(path, **options), content)  # type: ignore[arg-type]
    except InputError as error:
        one_line_naming(error, name)
    try:
        assert isinstance(sniff(path), FileFacts)
    except InputError as error:
        one_line_naming(error, name)
    assert list(folder.iterdir()) == [path]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@QUICK
@given(hostile(), OPTIONS)
def test_a_hostile_file_gives_a_table_or_one_clear_error(
    folder: Path, file: tuple[str, bytes], options: dict[str, object]
) -> None:
    survives(folder, *file, options)


@pytest.mark.slow
@LONG
@given(hostile(), OPTIONS)
def test_ten_thousand_hostile_files(folder: Path, file: tuple[str, bytes], options: dict[str, object]) -> None:
    survives(folder, *file, options)
