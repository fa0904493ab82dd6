"""Files of every format and packing, told by their content; what cannot be read at all is one line with the remedy."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from graph_schema.errors import InputError
from loaders.own import read_frame, read_table, sniff
from loaders.own.bad_lines import BLANK, JSON
from loaders.own.content import Source

CSV = "user_id;item_id;rating\n007;ä1;4,5\n008;b2;3,0\n"


def zipped(content: bytes, *names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return packed.getvalue()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "none": lambda content: content,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zip": lambda content: zipped(content, "inside.csv"),
}


def written(folder: Path, content: bytes, name: str = "ratings.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def refused(path: Path) -> str:
    """The message of the one error; on one line, and it names the file."""
    with pytest.raises(InputError) as caught:
        read_table(path)
    message = str(caught.value)
    assert "\n" not in message and path.name in message
    return message


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_packing_encoding_and_line_ends_are_told_by_content(
    tmp_path: Path, packing: str, encoding: str, line_end: str
) -> None:
    path = written(tmp_path, PACKINGS[packing](CSV.replace("\n", line_end).encode(encoding)))
    facts = sniff(path)
    assert (facts.format, facts.compression, facts.separator, facts.header) == ("csv", packing, ";", True)
    assert facts.columns == ("user_id", "item_id", "rating")
    table = read_table(path)
    assert table.frame.to_numpy().tolist() == [["007", "ä1", "4,5"], ["008", "b2", "3,0"]]
    assert table.lines is not None and table.lines.tolist() == [2, 3]
    assert table.bad_lines == ()


def test_doubts_are_stated_in_words(tmp_path: Path) -> None:
    assert sniff(written(tmp_path, CSV.encode(), "ratings.csv")).doubts == ()
    assert sniff(written(tmp_path, CSV.encode(), "ratings.csv.gz")).doubts == (
        "the name says gzip, but the content is not packed; the content counts",
    )
    assert sniff(written(tmp_path, gzip.compress(CSV.encode()))).doubts == (
        "the name says not packed, but the content is gzip; the content counts",
    )
    assert sniff(written(tmp_path, CSV.encode(), "ratings.parquet")).doubts == (
        "the name says parquet, but the content is csv; the content counts",
    )
    assert sniff(written(tmp_path, CSV.encode("cp1252"))).doubts == (
        "line 2 is not UTF-8 and is read as Windows-1252, as are all such; or give the encoding",
    )
    assert sniff(written(tmp_path, b"a;1,5\nb;2,5\n")).doubts == (
        'the separator could be "," instead of ";": both occur equally often in every line',
    )
    assert sniff(written(tmp_path, b"user,user,item\n1,2,3\n")).doubts == (
        'column "user" is there more than once and cannot be used',
    )


@pytest.mark.parametrize(
    ("content", "header"),
    [
        ("userId,movieId,rating\n1,2,3\n", True),
        ("1,2,3\n4,5,6\n", False),
        ("u1,i1,3\nu2,i2,4\n", False),
        ("alpha,beta,gamma\nu1,i1,3\nu2,i2,4\n", True),
        ("u1,i1\nu2,i1\n", False),
        ("who,what\nann,tea set\nbob,lamp 7\n", True),
        ("1,2020-01-01 10:00:00\n2,2020-01-02 10:00:00\n", False),
        (",user,item\n0,a,b\n", True),
    ],
)
def test_headers(tmp_path: Path, content: str, header: bool) -> None:
    path = written(tmp_path, content.encode())
    facts = sniff(path)
    assert facts.header is header
    assert (facts.columns[0] == "column_1") is (not header or content.startswith(","))
    assert len(read_table(path).frame) == content.count("\n") - header


def test_a_header_may_be_stated(tmp_path: Path) -> None:
    path = written(tmp_path, b"1,2\n3,4\n")
    assert read_table(path, header=True).frame.to_dict("list") == {"1": ["3"], "2": ["4"]}
    assert read_table(path, header=False).frame.columns.tolist() == ["column_1", "column_2"]
    assert read_table(path, {"item_id": "item"}, header=["user", "item"]).frame["item_id"].tolist() == ["2", "4"]


def test_json_lines_keep_numbers_as_written(tmp_path: Path) -> None:
    content = (
        b'{"user": 12345678901234567890, "rating": 4.50, "genres": ["a", "b"]}\n'
        b"\n"
        b'{"user": "007", "good": true, "more": {"x": null}}\n'
        b'{"user": "broken\n'
        b"[1, 2]\n"
        b'  {"user": null}  \n'
    )
    path = written(tmp_path, content, "ratings.jsonl")
    table = read_table(path)
    assert table.frame.columns.tolist() == ["user", "rating", "genres", "good", "more"]
    assert table.frame["user"].tolist()[:2] == ["12345678901234567890", "007"]
    assert table.frame["user"].isna().tolist() == [False, False, True]
    assert table.frame.loc[0, ["rating", "genres"]].tolist() == ["4.50", "a|b"]
    assert table.frame.loc[1, ["good", "more"]].tolist() == ["true", '{"x": null}']
    assert table.lines is not None and table.lines.tolist() == [1, 3, 6]
    assert [(line.line, line.reason) for line in table.bad_lines] == [(2, BLANK), (4, JSON), (5, JSON)]
    assert read_table(path, limit=1).frame["user"].tolist() == ["12345678901234567890"]
    assert sniff(path).format == "json-lines"


@pytest.mark.parametrize("form", ["%s\n", "[%s]"])
def test_half_a_surrogate_pair_in_json_is_a_question_mark(tmp_path: Path, form: str) -> None:
    """JSON can say what UTF-8 cannot hold, as a value and as a name."""
    path = written(tmp_path, (form % '{"\\uda00": "\\ud800x", "user": ["a\\udfff"]}').encode(), "ratings.json")
    assert read_table(path).frame.to_dict("list") == {"?": ["?x"], "user": ["a?"]}
    assert read_table(path, {"item_id": "?"}).frame["item_id"].tolist() == ["?x"]
    assert sniff(path).columns == ("?", "user")
    twice = written(tmp_path, (form % '{"\\ud800": 1, "?": 2}').encode(), "twice.json")
    assert 'column "?" is there twice (columns 1 and 2); rename or drop one' in refused(twice)


def test_json_array(tmp_path: Path) -> None:
    path = written(tmp_path, b'[\n{"user": 1,\n "item": "a"}, 3,\n\n{"user": 2}]\n', "ratings.json")
    table = read_table(path, {"user_id": "user"})
    assert table.frame.to_dict("list") == {"user_id": ["1", "2"]}
    assert table.lines is not None and table.lines.tolist() == [2, 5]
    assert [(line.line, line.reason, line.text) for line in table.bad_lines] == [(3, JSON, "3")]
    for broken in (b'[\n{"user": 1},\n{"us', b'[{"user": 1}\n{"user": 2}]', b'[\n{"user": 1},\n', b'[\n{"user": 1}'):
        message = refused(written(tmp_path, broken, "broken.json"))
        assert "line 2" in message or "line 3" in message


def test_parquet_keeps_types_and_whole_numbers_whole(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    pd.DataFrame(
        {
            "user": pd.array([2**60 + 1, None, 3], dtype="Int64"),
            "item": ["007", "b", None],
            "rating": [1.5, 2.0, 3.0],
            "when": pd.to_datetime(["2020-01-01", "2021-01-01", None]),
            "genres": [["a", "b"], [], None],
            "kind": pd.Categorical(["x", "y", "x"]),
        }
    ).to_parquet(path)
    table = read_table(path)
    assert table.lines is None
    assert table.frame["user"].tolist()[0] == 2**60 + 1
    assert table.frame["user"].isna().tolist() == [False, True, False]
    assert table.frame["item"].tolist()[:2] == ["007", "b"]
    assert table.frame["genres"].tolist()[:2] == ["a|b", ""]
    assert table.frame["kind"].tolist() == ["x", "y", "x"]
    assert pd.api.types.is_datetime64_any_dtype(table.frame["when"].dtype)
    assert read_table(path, {"a": "item", "b": "item"}, limit=1).frame.to_dict("list") == {"a": ["007"], "b": ["007"]}
    assert sniff(path).format == "parquet"
    packed = written(tmp_path, gzip.compress(path.read_bytes()), "ratings.parquet.gz")
    assert read_table(packed).frame["rating"].tolist() == [1.5, 2.0, 3.0]
    damaged = written(tmp_path, path.read_bytes()[:200], "damaged.parquet")
    assert "cannot be read as Parquet" in refused(damaged)


def test_frames(tmp_path: Path) -> None:
    frame = pd.DataFrame({"u": [1, 2], "i": ["a", "b"]}, index=[5, 9])
    table = read_frame(frame, {"user_id": "u", "item_id": "i"}, "my frame")
    assert table.frame.to_dict("list") == {"user_id": [1, 2], "item_id": ["a", "b"]}
    assert table.frame.index.tolist() == [0, 1]
    assert (table.where, table.lines) == ("my frame", None)
    with pytest.raises(InputError, match='my frame: unknown column for user_id "user"; choices: u, i'):
        read_frame(frame, {"user_id": "user"}, "my frame")
    with pytest.raises(InputError, match=r'column "u" is there twice \(columns 1 and 2\); rename or drop one'):
        read_frame(pd.DataFrame([[1, 2]], columns=["u", "u"]))


def test_absent_columns_name_the_nearest(tmp_path: Path) -> None:
    path = written(tmp_path, CSV.encode())
    with pytest.raises(InputError, match=r'ratings.csv": unknown column for user_id "userid"; did you mean "user_id"'):
        read_table(path, {"user_id": "userid"})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\r\n  \n", "is empty or begins with blank lines only"),
        (b"\xff\xfe", "is empty"),
        (gzip.compress(b""), "is empty"),
        (gzip.compress(CSV.encode())[:-9], "cannot be read as gzip beyond line 1"),
        (bz2.compress(CSV.encode())[:-9], "cannot be read as bz2"),
        (lzma.compress(CSV.encode())[:-9], "cannot be read as xz"),
        (b"\x1f\x8bnonsense", "cannot be read as gzip"),
        (gzip.compress(gzip.compress(CSV.encode())), "is packed twice"),
        (zipped(b"x", "a.csv", "b.csv"), r"holds 2 files (a.csv, b.csv); unpack the one that is meant"),
        (zipped(b"x"), "holds 0 files"),
        (zipped(b"x", "xl/workbook.xml", "b.xml"), "is an Excel workbook; save the sheet as CSV"),
        (zipped(CSV.encode(), "a.csv")[:60], "cannot be read as zip"),
        (bytes(range(256)) * 40, "is not text"),
        (b"SQLite format 3\x00", "is a SQLite database"),
        (b"PAR1 and no more", "cannot be read as Parquet"),
    ],
    ids=[str(number) for number in range(16)],  # packed content bears the time; a test's name must not
)
def test_what_cannot_be_read_is_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in refused(written(tmp_path, content))


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    written(tmp_path, CSV.encode())
    assert 'does not exist; did you mean "ratings.csv"?' in refused(tmp_path / "rating.csv")
    assert "is a folder" in refused(tmp_path)
    with pytest.raises(InputError, match="cannot be read .*check the path"):
        read_table(tmp_path / ("x" * 300))
    with pytest.raises(InputError, match='unknown format "csw"; did you mean "csv"'):
        read_table(tmp_path / "ratings.csv", format="csw")
    with pytest.raises(InputError, match="cannot be a separator"):
        read_table(tmp_path / "ratings.csv", separator="")


def test_content_that_grows_beyond_measure_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, b"x" * 10, "bomb.csv.bz2")
    source = Source(io.BytesIO(b"1,2\n" * 1_000), path, "bz2", unchecked_bytes=1_000)
    assert len(source.read(2_000)) == 2_000
    with pytest.raises(InputError, match="grows more than 200 fold"):
        source.read(2_000)
