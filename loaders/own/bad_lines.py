"""Lines that gave no row: the words for why, and the point where there are too many of them to go on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from graph_schema.errors import InputError
from loaders.own.messages import one_line
from loaders.raw import BadLine, RawTable

BLANK: Final = "blank line"
TOO_FEW: Final = "too few fields"
TOO_MANY: Final = "too many fields"
QUOTES: Final = "unbalanced quotes"
NUL: Final = "NUL byte"
HEADER: Final = "header repeated"
ENCODING: Final = "not in the encoding"
JSON: Final = "not a JSON object"

REASONS: Final = (BLANK, TOO_FEW, TOO_MANY, QUOTES, NUL, HEADER, ENCODING, JSON)
"""Every reason that a `BadLine` of a reader can have."""

_MOST = 1_000_000
_ENOUGH_TO_JUDGE = 100
_EXCERPT = 80


def bad_line(line: int, reason: str, content: bytes) -> BadLine:
    """Make a bad line with an excerpt of its content."""
    return BadLine(line, reason, one_line(content[: 4 * _EXCERPT].decode("utf-8", "replace"), _EXCERPT))


def refuse_bad_lines(raw: RawTable) -> None:
    """Refuse a table kept by hand where a line of it is no row; blank lines do no harm.

    Raises:
        InputError: names the line and what is wrong with it.
    """
    faulty = next((line for line in raw.bad_lines if line.reason != BLANK), None)
    if faulty is not None:
        raise InputError(f"{raw.where}, line {faulty.line}: {faulty.reason}; correct the line or remove it")


def refuse_too_many(found: Iterable[BadLine], rows: int, where: str) -> None:
    """Raise InputError when most lines gave no row: then the file is read in the wrong way.

    Blank lines do not count towards most; beyond a million bad lines of any kind there is no sense in going on.
    """
    faulty = list(found)
    real = [line for line in faulty if line.reason != BLANK]
    if len(faulty) <= _MOST and (len(real) <= max(rows, _ENOUGH_TO_JUDGE)) and (rows or not real):
        return
    first = (real or faulty)[0]
    share = f"as in {len(faulty):,} lines, against {rows:,} rows" if rows else "and no line can be read as a row"
    raise InputError(
        f"{where}, line {first.line}: {first.reason} ({first.text}), {share}; check separator, header and encoding"
    )
