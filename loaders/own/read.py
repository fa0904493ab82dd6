"""A user's file as a raw table, whatever its format; and what can be told of a file before it is read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from graph_schema.errors import InputError, unknown_name
from loaders.own.content import PLAIN, Source, opened, refuse_packed_twice
from loaders.own.delimited import read_delimited
from loaders.own.encoding import BLOCK_BYTES, LONGEST_LINE, MIXED, blocks, checked_encoding, encoding_of
from loaders.own.frames import choose_columns, frame_of
from loaders.own.json_records import Objects, frame_of_objects, keys_of, names_of, read_json_array, read_json_lines
from loaders.own.layout import Layout, find_layout
from loaders.own.messages import file_named, one_line
from loaders.own.parquet import BEGINNING, parquet_names, read_parquet
from loaders.raw import RawTable

FORMATS = ("csv", "json-lines", "json", "parquet")
"""Delimited text with any separator; one JSON object per line; one JSON array of objects; Parquet."""

_HEAD = 1 << 18
_LARGEST_PACKED_PARQUET = 4 << 30
_SUFFIXES = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".dat": "csv", ".tab": "csv", ".jsonl": "json-lines",
    ".ndjson": "json-lines", ".json": "json", ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip
_MOST_CONTROL = 0.3
_PACKINGS = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zip": "zip"}


@dataclass(frozen=True)
class FileFacts:
    """What can be told of a file from its first lines.

    Attributes:
        format: one of `FORMATS`.
        compression: "none", "gzip", "bz2", "xz" or "zip".
        encoding: a codec, or "mixed" where lines that are not UTF-8 are read as Windows-1252; "" for Parquet.
        separator: what stands between fields; "" where the format is not csv.
        header: the first record names the columns; False where the format is not csv.
        columns: the names of the columns, "column_1" and so on where the file has none.
        doubts: what could be otherwise, in words.
    """

    format: str
    compression: str
    encoding: str
    separator: str
    header: bool
    columns: tuple[str, ...]
    doubts: tuple[str, ...] = ()


def sniff(path: str | Path) -> FileFacts:
    """Tell format, packing, encoding, separator, header and columns of a file from how its content begins.

    Raises:
        InputError: a file that is absent, empty, damaged, or no table.
    """
    file = Path(path)
    with opened(file) as source:
        opening = _Opening.of(source, None, None)
        doubts = _doubts_of_name(file, opening.format, source.compression)
        if opening.format == "parquet":
            return FileFacts("parquet", source.compression, "", "", False, _parquet_names(source, opening), doubts)
        if opening.format != "csv":
            names = names_of(keys_of(_objects(source, opening, file_named(file), 200).values))
            return FileFacts(opening.format, source.compression, opening.encoding, "", False, tuple(names), doubts)
        layout = find_layout(opening.text, file_named(file))
        encoding, more = _encoding_in_sample(opening)
        doubts = (*doubts, *more, *layout.doubts, *_repeated_names(layout))
    return FileFacts("csv", source.compression, encoding, layout.separator, layout.header, layout.names, doubts)


def read_table(
    path: str | Path,
    columns: Mapping[str, str] | None = None,
    *,
    format: str | None = None,  # noqa: A002
    separator: str | None = None,
    encoding: str | None = None,
    header: bool | Sequence[str] | None = None,
    where: str | None = None,
    limit: int | None = None,
) -> RawTable:
    """Read a file, packed or not; what is not given is told from its content.

    Text files are read as text: an id keeps its leading zeros, a number its digits, an empty field is empty. Lines that
    give no row are in `bad_lines`, with one of the reasons in `loaders.own.bad_lines.REASONS`.

    Args:
        path: the file.
        columns: role -> name of the column in the file; None: every column under its own name.
        format: one of `FORMATS`.
        separator: between the fields of delimited text, one or more characters.
        encoding: a codec that Python has; "mixed": UTF-8 where a line is that, else Windows-1252.
        header: whether the first record names the columns; or the names of the columns of a file that has none.
            Without names, columns are called "column_1" and so on.
        where: what messages call the file; None: file "PATH".
        limit: read so many rows at most.

    Raises:
        InputError: a file that cannot be read at all, or a column that it does not have (the nearest is named).
    """
    file = Path(path)
    place = where or file_named(file)
    if format is not None and format not in FORMATS:
        raise unknown_name("format", format, FORMATS)
    with opened(file) as source:
        opening = _Opening.of(source, format, encoding)
        if opening.format == "parquet":
            content = _parquet_content(source, opening)
            return RawTable(read_parquet(content, file, columns, place, limit), place)
        if opening.format != "csv":
            found = _objects(source, opening, place, limit)
            keys = keys_of(found.values)
            chosen = choose_columns(names_of(keys), columns, place)
            frame = frame_of_objects(found.values, {role: keys[number] for role, number in chosen.items()})
            return RawTable(frame, place, np.array(found.lines, dtype=np.int64), found.bad_lines)
        layout = find_layout(opening.text, place, separator, header)
        chosen = choose_columns(layout.names, columns, place)
        wanted = list(dict.fromkeys(chosen.values())) or [0]
        size = BLOCK_BYTES if limit is None else _HEAD
        rows = read_delimited(source, opening.head, opening.encoding, layout, wanted, place, limit, size)
    table, lines, bad = rows.table.slice(0, limit), rows.lines[:limit], rows.bad_lines
    if limit is not None and len(lines) == limit < len(rows.lines):
        bad = tuple(line for line in bad if not len(lines) or line.line < lines[-1])
    return RawTable(frame_of(table, chosen), place, lines, bad)


@dataclass(frozen=True)
class _Opening:
    """How the content of a file begins, and what that tells: format, encoding, the first whole lines as UTF-8."""

    head: bytes
    format: str
    encoding: str
    text: bytes
    undecodable: tuple[int, ...]

    @classmethod
    def of(cls, source: Source, given_format: str | None, given_encoding: str | None) -> _Opening:
        head = _first_bytes(source)
        if source.compression != PLAIN:
            refuse_packed_twice(head, source.path)
        if head.startswith(BEGINNING):
            return cls(head, "parquet", "", b"", ())
        if given_format == "parquet":
            raise InputError(f"{file_named(source.path)} is no Parquet file; leave the format out, or correct it")
        encoding = encoding_of(head) if given_encoding is None else checked_encoding(given_encoding)
        first = next(blocks(Source(BytesIO(head), source.path, PLAIN), encoding))
        text = first.text
        if len(head) >= _HEAD and text.count(b"\n") > 1:
            # The last line may be cut off.
            text = text[: text.rfind(b"\n", 0, -1) + 1]
        if not text.strip():
            raise InputError(f"{file_named(source.path)} is empty or begins with blank lines only; give a table")
        _refuse_binary(text, source.path)
        return cls(head, given_format or _text_format(text), encoding, text, first.undecodable)


def _first_bytes(source: Source) -> bytes:
    """Read on until there is a line end, so that a long first line is whole."""
    head = source.read(_HEAD)
    while b"\n" not in head and b"\r" not in head and len(head) < LONGEST_LINE and (more := source.read(_HEAD * 4)):
        head += more
    return head


def _parquet_names(source: Source, opening: _Opening) -> tuple[str, ...]:
    return tuple(parquet_names(_parquet_content(source, opening), source.path))


def _text_format(text: bytes) -> str:
    start = text.lstrip()
    if start.startswith(b"{"):
        return "json-lines"
    return "json" if re.match(rb"\[\s*(\{|\]\s*\Z)", start) else "csv"


def _refuse_binary(text: bytes, path: Path) -> None:
    signs = np.frombuffer(text[:65_536], dtype=np.uint8)
    control = (signs < 32) & ~np.isin(signs, [9, 10, 12, 13, 28, 29, 30, 31])
    if control.mean() > _MOST_CONTROL or control.sum() > max(20, len(signs) / 20):
        raise InputError(f"{file_named(path)} is not text, nor a packed or Parquet file; save it as CSV or Parquet")


def _objects(source: Source, opening: _Opening, where: str, limit: int | None) -> Objects:
    if opening.format == "json":
        return read_json_array(source, opening.head, opening.encoding, limit)
    return read_json_lines(source, opening.head, opening.encoding, where, limit)


def _parquet_content(source: Source, opening: _Opening) -> Path | BytesIO:
    """Return what Parquet is read from: the file itself, or what it unpacks to, in memory."""
    if source.compression == PLAIN:
        return source.path
    parts = [opening.head]
    while more := source.read(1 << 24):
        parts.append(more)
        if sum(map(len, parts)) > _LARGEST_PACKED_PARQUET:
            raise InputError(f"{file_named(source.path)} is too large to be unpacked in memory; unpack it first")
    return BytesIO(b"".join(parts))


def _encoding_in_sample(opening: _Opening) -> tuple[str, tuple[str, ...]]:
    """Say what the automatic reading comes to, as far as the first lines show it."""
    if opening.encoding != MIXED:
        return opening.encoding, ()
    end = max(opening.head.rfind(b"\n"), opening.head.rfind(b"\r")) + 1 or len(opening.head)
    sample = opening.head if len(opening.head) < _HEAD else opening.head[:end]
    try:
        sample.decode()
    except UnicodeDecodeError as error:
        line = sample.count(b"\n", 0, error.start) + 1
        return MIXED, (f"line {line} is not UTF-8 and is read as Windows-1252, as are all such; or give the encoding",)
    # A later line may be in another encoding, which "mixed" reads too.
    return MIXED, ()


def _doubts_of_name(path: Path, found: str, compression: str) -> tuple[str, ...]:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    named_packing = _PACKINGS.get(suffixes[-1], PLAIN) if suffixes else PLAIN
    doubts = []
    if named_packing != compression:
        said = {PLAIN: "not packed"}
        doubts.append(
            f"the name says {said.get(named_packing, named_packing)}, "
            f"but the content is {said.get(compression, compression)}; the content counts"
        )
    ending = suffixes[-2:-1] if named_packing != PLAIN else suffixes[-1:]
    named = _SUFFIXES.get(ending[0]) if ending else None
    if named is not None and named.split("-")[0] != found.split("-", maxsplit=1)[0]:
        doubts.append(f"the name says {named}, but the content is {found}; the content counts")
    return tuple(doubts)


def _repeated_names(layout: Layout) -> tuple[str, ...]:
    repeated = [name for name in dict.fromkeys(layout.names) if layout.names.count(name) > 1]
    return tuple(f'column "{one_line(name, 40)}" is there more than once and cannot be used' for name in repeated)
