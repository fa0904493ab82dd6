"""Files made to break a reader, and what comes after it: a result, or exactly one clear error; never anything else.

Reading gives a table; reading, cleaning and accounting give tables in which no row went without a word; the command
`kgxfer data check` ends with 0 and a page, or with 2, one line and nothing half-written.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import shutil
import sys
import zipfile
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from graph_schema.errors import InputError
from kgxfer import cli
from loaders.cleaning import CleaningConfig, clean
from loaders.own import REASONS, FileFacts, read_table, sniff
from loaders.raw import RawDomain, RawTable


def profile(examples: int) -> settings:
    """Examples are found anew each time where there are many: the database would only repeat them."""
    phases = list(Phase) if examples < 1_000 else [Phase.explicit, Phase.generate, Phase.shrink]
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), phases=phases)


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


@profile(150)
@given(hostile(), OPTIONS)
def test_a_hostile_file_gives_a_table_or_one_clear_error(
    folder: Path, file: tuple[str, bytes], options: dict[str, object]
) -> None:
    survives(folder, *file, options)


@pytest.mark.slow
@profile(10_000)
@given(hostile(), OPTIONS)
def test_ten_thousand_hostile_files(folder: Path, file: tuple[str, bytes], options: dict[str, object]) -> None:
    survives(folder, *file, options)


COLUMNS = ["user_id", "item_id", "rating", "timestamp"]


@st.composite
def plausible(draw: st.DrawFn) -> bytes:
    """Interactions of a few users, written rightly; in some cells stands what should not."""
    plain = (st.integers(0, 9), st.integers(0, 9), st.integers(1, 5), st.integers(1_500_000_000, 1_500_000_999))
    rows = draw(st.lists(st.tuples(*(st.one_of(*[cell.map(str)] * 6, HOSTILE_CELLS) for cell in plain)), max_size=25))
    width = draw(st.integers(2, 4))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([COLUMNS[:width], *(row[:width] for row in rows)])
    return text.getvalue().encode("utf-8", "replace")


def is_accounted_for(folder: Path, content: bytes) -> None:
    """Read and clean as the interactions of a domain: nothing goes without a word."""
    for left in folder.iterdir():
        left.unlink()
    path = folder / "ratings.csv"
    path.write_bytes(content)
    try:
        table = read_table(path)
        raw = RawDomain("films", "Movie", table)
        cleaned = clean(raw, CleaningConfig(now="2024-01-01T00:00:00Z"))
    except InputError as error:
        assert str(error).isprintable() and len(str(error)) < 2_000
        return
    assert set(cleaned.unaccounted.values()) == {0}
    assert cleaned.before["interactions"] == len(table.frame) + len(table.bad_lines)
    assert cleaned.after["interactions"] == len(cleaned.tables.interactions)
    lines = {example.line for finding in cleaned.findings for example in finding.examples} - {None}
    if table.lines is not None:
        assert lines <= {*table.lines.tolist(), *(line.line for line in table.bad_lines)}


@profile(60)
@given(st.one_of(plausible(), plausible(), delimited()))
def test_cleaning_accounts_for_every_row_of_a_hostile_file(folder: Path, content: bytes) -> None:
    is_accounted_for(folder, content)


@pytest.mark.slow
@profile(10_000)
@given(st.one_of(plausible(), plausible(), delimited()))
def test_cleaning_accounts_for_every_row_of_ten_thousand_hostile_files(folder: Path, content: bytes) -> None:
    is_accounted_for(folder, content)


MAP = """
name = "hostile"

[source]
domain = "books"
item_type = "Book"
interactions = {{ file = "source.csv", columns = {{ {columns} }} }}

[target]
domain = "films"
item_type = "Movie"
interactions = {{ file = "target.csv", columns = {{ {columns} }} }}
"""


def check_of(folder: Path, source: bytes, target: bytes, width: int) -> tuple[int, str]:
    """Run `kgxfer data check` on a map of two files; return exit status and error stream."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "source.csv").write_bytes(source)
    (folder / "target.csv").write_bytes(target)
    columns = ", ".join(f'{name} = "{name}"' for name in COLUMNS[:width])
    (folder / "my-data.toml").write_text(MAP.format(columns=columns))
    given_to_tests = sys.argv
    sys.argv = ["kgxfer", "data", "check", str(folder / "my-data.toml"), "--out", str(folder / "out")]
    errors = io.StringIO()
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(errors), pytest.raises(SystemExit) as caught:
            cli.main()
    finally:
        sys.argv = given_to_tests
    assert isinstance(caught.value.code, int)
    return caught.value.code, errors.getvalue()


def ends_well_or_with_one_line(folder: Path, source: bytes, target: bytes, width: int) -> None:
    status, errors = check_of(folder, source, target, width)
    names = {path.name for path in folder.iterdir()}
    if status == 0:
        assert names == {"source.csv", "target.csv", "my-data.toml", "out"}
        assert (folder / "out" / "quality.html").stat().st_size > 1_000
        return
    assert status == 2, errors
    assert names == {"source.csv", "target.csv", "my-data.toml"}
    assert errors.count("\n") == 1 and errors.startswith("kgxfer: error: "), errors


GOOD = b"user_id,item_id,rating,timestamp\n" + b"".join(
    b"%d,%d,%d,%d\n" % (row % 10, row * 7 % 10, row % 5 + 1, 1_500_000_000 + row) for row in range(40)
)


@pytest.mark.slow
def test_the_command_checks_a_good_pair(folder: Path) -> None:
    assert check_of(folder / "check", GOOD, GOOD, 4) == (0, "")


@pytest.mark.parametrize(
    "source",
    [b"", GOOD[:34], GOOD[:34] + b"1,2\n" * 3, gzip.compress(GOOD)[:-20], b"\x89PNG", GOOD.replace(b"_id", b"")],
)
def test_a_mistake_is_one_line(folder: Path, source: bytes) -> None:
    ends_well_or_with_one_line(folder / "check", source, GOOD, 4)
    assert check_of(folder / "check", GOOD, source, 4)[0] == 2


@pytest.mark.slow
@profile(100)
@given(
    st.one_of(plausible(), st.just(GOOD)),
    st.one_of(plausible(), delimited(), hostile().map(lambda file: file[1]), st.just(GOOD)),
    st.integers(2, 4),
)
def test_the_command_checks_a_hundred_hostile_pairs(folder: Path, source: bytes, target: bytes, width: int) -> None:
    ends_well_or_with_one_line(folder / "check", source, target, width)
