"""Records in which quotes do more than surround a field: doubled or escaped ones, line breaks, quotes left open.

A field is quoted when a quote is its first character; the closing quote stands before a separator or a line end.
Within, a quote is written twice, or with a backslash before it. Other quotes are characters like any other, as in
12" vinyl. A quote that was never closed costs its own line, not the lines up to the next quote.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from loaders.own.bad_lines import QUOTES, TOO_FEW, TOO_MANY

OPEN = "quote open at the end of the window"
"""No reason of a bad line, but the news that more text is needed to tell."""

MOST_LINES = 1_000
MOST_BYTES = 1 << 20
"""A quoted field that goes on for longer is a quote that was left open."""


@dataclass(frozen=True)
class Record:
    """The fields of one record, and where the text goes on after its newline."""

    fields: list[str]
    end: int


@dataclass(frozen=True)
class _Convention:
    field: re.Pattern[bytes]
    escape: re.Pattern[bytes]


@lru_cache(maxsize=32)
def _patterns(separator: bytes) -> tuple[re.Pattern[bytes], tuple[_Convention, ...]]:
    sign = re.escape(separator)
    plain = re.compile(b"[^%b\\n]*+" % sign)
    doubled = re.compile(b'"([^"]*+(?:""[^"]*+)*+)"(?=[%b\\n])' % sign)
    escaped = re.compile(b'"([^"\\\\]*+(?:(?:\\\\.|"")[^"\\\\]*+)*+)"(?=[%b\\n])' % sign, re.DOTALL)
    return plain, (_Convention(doubled, re.compile(b'"(")')), _Convention(escaped, re.compile(b'["\\\\](["\\\\])')))


_UNCLOSED = re.compile(b'[^"]*+(?:""[^"]*+)*+')


def record_at(
    text: bytes, start: int, separator: bytes, expected: int | None = None, complete: bool = True
) -> Record | str:
    """Read the record that begins at `start`, over several lines where a quoted field has line breaks.

    Args:
        text: lines in UTF-8, each ended by a newline.
        start: where a line begins.
        separator: one byte.
        expected: how many fields a record has; None: any number.
        complete: no text follows; otherwise a quote that is open at the end is `OPEN`.

    Returns:
        The record, or the reason why the line that begins here is none, or `OPEN`.

    Doubled quotes are tried first, then backslashes, then quotes without any meaning where a line has an even number.

    >>> record_at(b'1,"a ""b"", c",2\\n', 0, b",")
    Record(fields=['1', 'a "b", c', '2'], end=17)
    """
    line_end = text.index(b"\n", start) + 1
    window = _window(text, start, line_end)
    plain, conventions = _patterns(separator)
    reason = QUOTES
    for convention in conventions:
        found = _fields(text, start, window, plain, convention)
        if isinstance(found, str):
            if found == OPEN and not complete:
                return OPEN
        elif expected is None or len(found.fields) == expected:
            if not _joins_rows(text[start : found.end], separator, expected):
                return found
        elif found.end == line_end:
            reason = TOO_FEW if len(found.fields) < expected else TOO_MANY
    line = text[start : line_end - 1]
    literal = line.split(separator)
    if line.count(b'"') % 2 == 0 and expected in (None, len(literal)):
        return Record([field.decode() for field in literal], line_end)
    return reason


def _window(text: bytes, start: int, line_end: int) -> int:
    """Return where to stop looking for the closing quote: behind the line end at least."""
    if len(text) - start <= MOST_BYTES:
        return len(text)
    return max(text.rfind(b"\n", start, start + MOST_BYTES) + 1, line_end)


def _fields(
    text: bytes, position: int, stop: int, plain: re.Pattern[bytes], convention: _Convention
) -> Record | str:
    fields: list[str] = []
    while True:
        if text[position : position + 1] == b'"':
            found = convention.field.match(text, position, stop)
            if found is None:
                unclosed = _UNCLOSED.match(text, position + 1, stop)
                at_the_end = unclosed is not None and unclosed.end() == stop == len(text)
                return OPEN if at_the_end else QUOTES
            fields.append(convention.escape.sub(rb"\1", found[1]).decode())
        else:
            found = plain.match(text, position, stop)
            if found is None:
                return QUOTES
            fields.append(found[0].decode())
        position = found.end() + 1
        if text[found.end() : position] == b"\n":
            return Record(fields, position)


def _joins_rows(record: bytes, separator: bytes, expected: int | None) -> bool:
    """Say whether a record over several lines rather is several rows with a stray quote at either end."""
    lines = record[:-1].split(b"\n")
    if len(lines) > MOST_LINES:
        return True
    if expected is None or expected < 3 or len(lines) == 1:
        return False
    return all(line.count(separator) == expected - 1 for line in lines)
