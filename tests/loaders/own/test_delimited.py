"""Delimited text: what Python's own reader says of good files, exact lines and reasons for bad ones."""

from __future__ import annotations

import codecs
import csv
import io
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph_schema.errors import InputError
from loaders.own import read_table
from loaders.own.bad_lines import BLANK, ENCODING, HEADER, NUL, QUOTES, TOO_FEW, TOO_MANY
from loaders.own.content import PLAIN, Source
from loaders.own.delimited import Rows, read_delimited
from loaders.own.encoding import MIXED
from loaders.own.layout import Layout
from loaders.raw import RawTable

THREE = Layout(",", False, ("a", "b", "c"))
MESSY = (
    b"\xef\xbb\xbfuser,item,rating\r\n"
    b"001,i1,4.50\r\n"  # 2
    b'u2,"a, ""b""\r\nover two lines",3\r\n'  # 3 and 4
    b"\r\n"  # 5
    b"u3,i3\r\n"  # 6
    b'u4,"never closed,5\r\n'  # 7
    b'u5,12" vinyl,1\n'  # 8
    b"user,item,rating\r"  # 9
    b"u6,i6,2,9\r"  # 10
    b"u7,i\x007,3\n"  # 11
    b"u8,caf\xe9,3\n"  # 12
    b"u9,caf\xc3\xa9,\n"  # 13
    b'"u10","The \\"A\\" Team",3'  # 14
)


def rows_of(content: bytes, path: Path, layout: Layout = THREE, block_bytes: int = 1 << 20) -> Rows:
    """Read all columns from memory; the path only names a file that exists."""
    source = Source(BytesIO(content), path, PLAIN)
    wanted = range(len(layout.names))
    return read_delimited(source, b"", MIXED, layout, wanted, "here", block_bytes=block_bytes)


def values(rows: Rows) -> list[list[str]]:
    return [list(row) for row in zip(*(column.to_pylist() for column in rows.table.columns), strict=True)]


def written(tmp_path: Path, content: bytes, name: str = "ratings.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def reasons(table: RawTable) -> list[tuple[int, str]]:
    return [(line.line, line.reason) for line in table.bad_lines]


def test_every_fault_has_its_line_and_every_row_too(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, MESSY))
    assert table.frame.to_numpy().tolist() == [
        ["001", "i1", "4.50"],
        ["u2", 'a, "b"\nover two lines', "3"],
        ["u5", '12" vinyl', "1"],
        ["u8", "café", "3"],
        ["u9", "café", ""],
        ["u10", 'The "A" Team', "3"],
    ]
    assert table.lines is not None and table.lines.tolist() == [2, 3, 8, 12, 13, 14]
    assert table.lines.dtype == np.int64
    assert reasons(table) == [
        (5, BLANK),
        (6, TOO_FEW),
        (7, QUOTES),
        (9, HEADER),
        (10, TOO_MANY),
        (11, NUL),
    ]
    assert table.bad_lines[2].text == 'u4,"never closed,5'


@pytest.mark.parametrize("block_bytes", [1, 2, 3, 7, 16, 40, 100])
def test_blocks_make_no_difference(tmp_path: Path, block_bytes: int) -> None:
    layout = Layout(",", True, ("user", "item", "rating"))
    path = written(tmp_path, MESSY)
    whole, pieces = (rows_of(MESSY, path, layout, size) for size in (1 << 20, block_bytes))
    assert values(pieces) == values(whole)
    assert pieces.lines.tolist() == whole.lines.tolist() == [2, 3, 8, 12, 13, 14]
    assert pieces.bad_lines == whole.bad_lines


def test_columns_get_their_roles_and_keep_their_text(tmp_path: Path) -> None:
    path = written(tmp_path, b"when,who,what\n00012,007,1e3\n")
    table = read_table(path, {"item_id": "what", "user_id": "who"})
    assert table.frame.to_dict("list") == {"item_id": ["1e3"], "user_id": ["007"]}
    assert [str(kind) for kind in table.frame.dtypes] == ["str", "str"]


@pytest.mark.parametrize(
    ("content", "separator"),
    [(b"1::2::3\n4::5::6\n", "::"), (b"1\t2\t3\n4\t5\t6\n", "\t"), (b"1;2;3\n4;5;6\n", ";"), (b"1 2 3\n4 5 6\n", " ")],
)
def test_separators(tmp_path: Path, content: bytes, separator: str) -> None:
    for given_separator in (separator, None):
        table = read_table(written(tmp_path, content), header=["u", "i", "r"], separator=given_separator)
        assert table.frame.to_numpy().tolist() == [["1", "2", "3"], ["4", "5", "6"]]


def test_a_spreadsheet_states_its_separator(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, b"sep=;\r\nuser;item\r\n1,5;2\r\n3;4\r\n"))
    assert table.frame.to_dict("list") == {"user": ["1,5", "3"], "item": ["2", "4"]}
    assert table.lines is not None and table.lines.tolist() == [3, 4]
    assert table.bad_lines == ()


def test_a_separator_of_several_characters_within_quotes_stays(tmp_path: Path) -> None:
    content = b'"a::b"::c::d\n"x ""::"" y"::"p\nq"::z\ne::f\n'
    table = read_table(written(tmp_path, content), header=["1", "2", "3"], separator="::")
    assert table.frame.to_numpy().tolist() == [["a::b", "c", "d"], ['x "::" y', "p\nq", "z"]]
    assert [(line.line, line.reason, line.text) for line in table.bad_lines] == [(4, TOO_FEW, "e::f")]


def test_a_stray_quote_costs_one_line_only(tmp_path: Path) -> None:
    content = b"".join(b'u%d,"i,5\n' % row if row in (10, 700) else b"u%d,i,5\n" % row for row in range(2_000))
    table = read_table(written(tmp_path, content), header=["u", "i", "r"])
    assert reasons(table) == [(11, QUOTES), (701, QUOTES)]
    assert len(table.frame) == 1_998


def test_long_quoted_texts_stay_whole(tmp_path: Path) -> None:
    text = "a line, with commas, and more\n" * 500
    table = read_table(written(tmp_path, f'u1,i1,"{text}"\nu2,i2,x\n'.encode()), header=["u", "i", "text"])
    assert table.frame["text"].tolist() == [text, "x"]
    assert table.lines is not None and table.lines.tolist() == [1, 502]


def test_a_given_encoding_is_kept_to(tmp_path: Path) -> None:
    path = written(tmp_path, b"u,name\n1,caf\xe9\n2,tea\n")
    strict = read_table(path, encoding="utf-8")
    assert strict.frame["name"].tolist() == ["tea"]
    assert reasons(strict) == [(2, ENCODING)]
    assert read_table(path, encoding="latin-1").frame["name"].tolist() == ["café", "tea"]
    ascii_only = read_table(path, encoding="ascii")
    assert reasons(ascii_only) == [(2, ENCODING)]
    with pytest.raises(InputError, match=r'unknown encoding "utf8x"; did you mean "utf-8"'):
        read_table(path, encoding="utf8x")


def test_most_lines_wrong_is_one_error_with_the_first_line(tmp_path: Path) -> None:
    path = written(tmp_path, b"user,item\n" + b"1,2,3\n" * 300)
    with pytest.raises(InputError, match=r'ratings.csv", line 2: too many fields \(1,2,3\).* check separator'):
        read_table(path)


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, b"user,item\n"), {"user_id": "user"})
    assert table.frame.columns.tolist() == ["user_id"]
    assert len(table.frame) == 0 and table.bad_lines == ()


def test_the_limit_counts_rows(tmp_path: Path) -> None:
    content = b"u,i\n" + b"".join(b"%d,%d\n" % (row, row) for row in range(200_000))
    table = read_table(written(tmp_path, content), limit=150_000)
    assert table.frame["u"].tolist()[-1] == "149999"
    assert table.lines is not None and len(table.lines) == 150_000


def test_lines_of_ten_megabytes(tmp_path: Path) -> None:
    long = b"x" * 10_000_000
    table = read_table(written(tmp_path, b"u,i\n1," + long + b'\n2,"a\n' + long + b'"\n3,c\n'))
    assert [len(text) for text in table.frame["i"]] == [10_000_000, 1]
    assert table.lines is not None and table.lines.tolist() == [2, 5]
    # A quoted field of more than a megabyte over several lines is a quote left open.
    assert reasons(table) == [(3, QUOTES), (4, TOO_FEW)]


def test_a_line_longer_than_any_table_has(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    with path.open("wb") as file:
        file.write(b"u,i\n1,2\n")
        file.truncate(200 << 20)
    with pytest.raises(InputError, match=r"long.csv\", line 3: the line is longer than 64 MB"):
        read_table(path)


CELLS = st.text(st.sampled_from(list('ab0 ,"\n;é\\')), max_size=6)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8), st.sampled_from([3, 11, 1 << 20]))
def test_what_the_standard_writer_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], size: int
) -> None:
    """Fields full of separators, quotes and line breaks: the same values, at the lines the standard reader tells."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([*rows, ("x", "y", "z")])
    content = text.getvalue().encode()
    expected, lines = [], []
    reader = csv.reader(io.StringIO(text.getvalue(), newline=""))
    line = 1
    for row in reader:
        expected.append(row)
        lines.append(line)
        line = reader.line_num + 1
    path = tmp_path_factory.getbasetemp() / "any"
    path.touch()
    found = rows_of(content, path, block_bytes=size)
    read = dict(zip(found.lines.tolist(), values(found), strict=True))
    wanted = dict(zip(lines, expected, strict=True))
    # Lines that together could be several rows with stray quotes are refused rather than joined.
    doubtful = {number for number, row in wanted.items() if any("\n" in cell for cell in row)}
    certain = {number: row for number, row in wanted.items() if number not in doubtful}
    assert {number: row for number, row in read.items() if number in certain} == certain
    # A backslash before a quote is a quote within the field to some writers, so that such lines can be read either way.
    clear = {number for number in doubtful if not any("\\" in cell for cell in wanted[number])}
    assert all(read[number] == wanted[number] for number in clear & set(read))


@given(st.lists(st.text(st.sampled_from(list('ab,"\n')), max_size=12), max_size=12))
def test_every_line_is_a_row_or_part_of_one_or_bad(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str]
) -> None:
    content = "\n".join([*parts, "a,b,c", "a,b,c"]).encode()
    path = tmp_path_factory.getbasetemp() / "any"
    path.touch()
    try:
        found = rows_of(content, path)
    except InputError:
        return
    lines = [*found.lines.tolist(), *(line.line for line in found.bad_lines)]
    assert len(set(lines)) == len(lines)
    covered = sum(1 + sum(cell.count("\n") for cell in row) for row in values(found)) + len(found.bad_lines)
    assert covered == content.count(b"\n") + 1
    assert found.lines.tolist() == sorted(found.lines.tolist())
    pieces = rows_of(content, path, block_bytes=5)
    assert values(pieces) == values(found) and pieces.bad_lines == found.bad_lines


@pytest.mark.parametrize("rest", [b"", b"\n", b"a,b\n", b"\nx\n"])
def test_a_second_mark_of_utf_8_is_text(tmp_path: Path, rest: bytes) -> None:
    """Files that were put together have one inside; only the first says what the encoding is."""
    path = tmp_path / "ratings.csv"
    path.write_bytes(codecs.BOM_UTF8 * 2 + rest)
    table = read_table(path, header=False)
    assert table.frame["column_1"].tolist() == {b"a,b\n": ["\ufeffa"], b"\nx\n": ["\ufeff", "x"]}.get(rest, ["\ufeff"])
