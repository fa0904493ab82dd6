"""Text as UTF-8 in blocks of whole lines, whatever its encoding and its line ends were.

Without a given encoding, byte order marks and the NULs of UTF-16 are heeded; other files are read line by line: UTF-8
where a line is that, else Windows-1252. So a file in one of the two is read rightly, and one that mixes them as well.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from graph_schema.errors import InputError, unknown_name
from loaders.own.content import Source
from loaders.own.messages import file_named, one_line

MIXED = "mixed"
"""The name of reading line by line, UTF-8 where a line is that, else Windows-1252."""

BLOCK_BYTES = 16 << 20
LONGEST_LINE = 64 << 20

_COMMON = ("utf-8", "utf-16", "utf-32", "cp1252", "latin-1", "iso8859-15", "cp1250", "cp1251", "gbk", "shift_jis")
_NO_FILES = ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "unicode-escape", "raw-unicode-escape")
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MARK = codecs.BOM_UTF8


@dataclass(frozen=True, eq=False)
class Block:
    """Whole lines in UTF-8, each ended by one newline.

    Attributes:
        text: the lines.
        first_line: number of the first of them; the first line of a file is line 1.
        undecodable: numbers of those that are not in the given encoding.
        last: no block follows.
    """

    text: bytes
    first_line: int
    undecodable: tuple[int, ...] = field(default=())
    last: bool = False


def encoding_of(head: bytes) -> str:
    """Tell the encoding of content that begins with `head`: by its mark, by its NULs, else "mixed"."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    values = np.frombuffer(head[: len(head) // 2 * 2], dtype=np.uint8).reshape(-1, 2)
    if len(values):
        first, second = (values == 0).mean(axis=0)
        if second > 0.4 and first < 0.1:
            return "utf-16-le"
        if first > 0.4 and second < 0.1:
            return "utf-16-be"
    return MIXED


def checked_encoding(name: str) -> str:
    """Return the name if it is an encoding of text that Python has; InputError with the nearest when not."""
    if name == MIXED:
        return name
    try:
        if codecs.lookup(name).name in _NO_FILES:
            raise LookupError
        "".encode(name)
        return codecs.lookup(name).name
    except (LookupError, ValueError, UnicodeError):
        raise unknown_name("encoding", name, [*_COMMON, MIXED]) from None


def blocks(source: Source, encoding: str, head: bytes = b"", size: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield the content in blocks of whole lines; `head` was read from the source before.

    Raises:
        InputError: damaged content, or a line longer than a table's can be.
    """
    wide = _wide(encoding)
    rest = b""
    first_line = 1
    for chunk, last in _chunks(source, encoding, head, size):
        rest += chunk
        cut = len(rest) if last else rest.rfind(b"\n") + 1
        if len(rest) - cut > LONGEST_LINE:
            raise InputError(
                f"{file_named(source.path)}, line {first_line + rest.count(10)}: the line is longer than "
                f"{LONGEST_LINE >> 20} MB; the file is no table with one row per line"
            )
        if not cut and not last:
            continue
        text, rest = rest[:cut], rest[cut:]
        if text and not text.endswith(b"\n"):
            text += b"\n"
        text, undecodable = (text, ()) if wide else _as_utf8(text, encoding, first_line)
        yield Block(text, first_line, undecodable, last)
        first_line += text.count(b"\n")


def _wide(encoding: str) -> bool:
    """Say whether lines cannot be told before decoding: newlines of other bytes, or meanings that go on over lines."""
    return encoding != MIXED and ('\n,"'.encode(encoding) != b'\n,"' or encoding.startswith(("iso2022", "hz", "utf-7")))


def _chunks(source: Source, encoding: str, head: bytes, size: int) -> Iterator[tuple[bytes, bool]]:
    """Yield the content piece by piece with newlines as line ends, and whether it is the last piece."""
    decoder = codecs.getincrementaldecoder(encoding)("replace") if _wide(encoding) else None
    held = b""
    begin = True
    chunk = head + source.read(max(size - len(head), 1))
    while True:
        following = source.read(size) if chunk else b""
        last = not following
        if decoder is not None:
            try:
                chunk = decoder.decode(chunk, last).encode("utf-8", "replace")
            except UnicodeError as error:
                raise InputError(
                    f"{file_named(source.path)} is not in the encoding {encoding} ({one_line(error)}); leave the "
                    "encoding out, or correct it"
                ) from None
        if begin:
            chunk, begin = chunk.removeprefix(_MARK), False
        chunk = held + chunk
        # A carriage return at the end of a piece may belong to a newline that the next one begins with.
        held = b"\r" if chunk.endswith(b"\r") and not last else b""
        chunk = chunk[: len(chunk) - len(held)]
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield chunk, last
        if last:
            return
        chunk = following


def _as_utf8(text: bytes, encoding: str, first_line: int) -> tuple[bytes, tuple[int, ...]]:
    """Return whole lines as UTF-8, and the numbers of those that are not in the encoding."""
    if encoding in (MIXED, "utf-8", "utf-8-sig"):
        if text.isascii():
            return text, ()
        # Files that were joined bring the mark of each.
        text = text.replace(b"\n" + _MARK, b"\n")
        return _repaired(text, encoding == MIXED, first_line)
    try:
        return text.decode(encoding).encode("utf-8", "replace"), ()
    except UnicodeError:
        lines = text.split(b"\n")
        decoded = [_decoded(line, encoding) for line in lines]
        undecodable = tuple(first_line + number for number, line in enumerate(decoded) if line is None)
        good = [line.decode(encoding, "replace").encode("utf-8", "replace") for line in lines]
        return b"\n".join(good), undecodable


def _decoded(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding)
    except UnicodeError:
        return None


def _repaired(text: bytes, guess: bool, first_line: int) -> tuple[bytes, tuple[int, ...]]:
    """Look at each line that is not ASCII: one that is not UTF-8 is Windows-1252 when `guess`, else it gets marks."""
    if _decoded(text, "utf-8") is not None:
        return text, ()
    signs = np.frombuffer(text, dtype=np.uint8)
    ends = np.flatnonzero(signs == ord("\n"))
    parts: list[bytes] = []
    undecodable: list[int] = []
    done = 0
    for line in np.unique(np.searchsorted(ends, np.flatnonzero(signs >= 128))).tolist():
        start, end = int(ends[line - 1]) + 1 if line else 0, int(ends[line])
        content = text[start:end]
        if _decoded(content, "utf-8") is None:
            parts += [text[done:start], _windows(content) if guess else content.decode("utf-8", "replace").encode()]
            done = end
            if not guess:
                undecodable.append(first_line + line)
    return b"".join([*parts, text[done:]]), tuple(undecodable)


def _windows(line: bytes) -> bytes:
    # Five bytes mean nothing in Windows-1252; Latin-1 has a (control) character for each.
    return (_decoded(line, "cp1252") or line.decode("latin-1")).encode()
