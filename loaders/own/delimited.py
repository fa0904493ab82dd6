"""Rows of delimited text, with the line of each, fast where lines are plain and careful where they are not.

The separators and quotes of a block are found as arrays of positions. A line whose quotes surround whole fields is
plain, and its fields can be counted; plain lines of the right number go through Arrow's parser together. The others are
read one by one (`loaders.own.quoted`).
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from loaders.own.bad_lines import BLANK, ENCODING, HEADER, NUL, QUOTES, TOO_FEW, TOO_MANY, bad_line, refuse_too_many
from loaders.own.content import Source
from loaders.own.encoding import BLOCK_BYTES, blocks
from loaders.own.layout import Layout, one_byte
from loaders.own.quoted import MOST_BYTES, MOST_LINES, OPEN, Record, record_at
from loaders.raw import BadLine

_ENOUGH_TO_JUDGE = 1_000
_QUOTE = ord('"')
_NEWLINE = ord("\n")


@dataclass(frozen=True, eq=False)
class Rows:
    """What blocks gave: the wanted columns as text, the line of each row, the lines that gave none."""

    table: pa.Table
    lines: np.ndarray
    bad_lines: tuple[BadLine, ...]


def read_delimited(
    source: Source,
    head: bytes,
    encoding: str,
    layout: Layout,
    wanted: Sequence[int],
    where: str,
    limit: int | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Rows:
    """Read the columns with the numbers `wanted`, block by block until there are `limit` rows or the content ends.

    `head` was read from the source before. The columns of the table bear their numbers as names.

    Raises:
        InputError: damaged content, or most lines not as the layout says.
    """
    parts: list[Rows] = []
    rest, first_line, count, begun = b"", 1, 0, False
    undecodable: tuple[int, ...] = ()
    for block in blocks(source, encoding, head, block_bytes):
        text, first_line = rest + block.text, first_line if rest else block.first_line
        if not begun:
            text, first_line, blank = _without_header(text, first_line, layout)
            parts.append(Rows(_empty(wanted), np.zeros(0, np.int64), blank))
            begun = True
        undecodable = (*(line for line in undecodable if line >= first_line), *block.undecodable)
        part, rest = _Lines(text, first_line, undecodable, block.last, layout).read(wanted)
        first_line += text.count(b"\n") - rest.count(b"\n")
        parts.append(part)
        count += len(part.lines)
        if len(parts) == 2 and len(part.lines) + len(part.bad_lines) >= _ENOUGH_TO_JUDGE:
            refuse_too_many(part.bad_lines, count, where)
        if limit is not None and count >= limit:
            break
    together = _joined(parts, wanted)
    refuse_too_many(together.bad_lines, len(together.lines), where)
    return together


def _without_header(text: bytes, first_line: int, layout: Layout) -> tuple[bytes, int, tuple[BadLine, ...]]:
    """Take the header off, and what stands before it."""
    for _ in range(layout.skipped):
        text, first_line = text[text.index(b"\n") + 1 :], first_line + 1
    blank = len(text) - len(text.lstrip(b"\n"))
    bad = tuple(bad_line(first_line + number, BLANK, b"") for number in range(blank))
    text, first_line = text[blank:], first_line + blank
    if not layout.header or not text:
        return text, first_line, bad
    separator, plain = one_byte(layout.separator, text)
    record = record_at(plain, 0, separator)
    # Without quotes left open, a header in the replaced text has as many lines as in the original one.
    lines = plain.count(b"\n", 0, record.end) if isinstance(record, Record) else 1
    end = 0
    for _ in range(lines):
        end = text.index(b"\n", end) + 1
    return text[end:], first_line + lines, bad


def _empty(wanted: Sequence[int]) -> pa.Table:
    return pa.table({str(number): pa.array([], pa.large_string()) for number in wanted})


def _joined(parts: Sequence[Rows], wanted: Sequence[int]) -> Rows:
    table = pa.concat_tables([part.table for part in parts]) if parts else _empty(wanted)
    lines = np.concatenate([part.lines for part in parts]) if parts else np.zeros(0, np.int64)
    return Rows(table, lines, tuple(line for part in parts for line in part.bad_lines))


@dataclass(eq=False)
class _Lines:
    """The lines of one block while they are sorted into plain ones, careful ones and bad ones."""

    given: bytes
    first_line: int
    undecodable: tuple[int, ...]
    last: bool
    layout: Layout
    reasons: dict[int, str] = field(default_factory=dict)
    careful: dict[int, list[str]] = field(default_factory=dict)

    def read(self, wanted: Sequence[int]) -> tuple[Rows, bytes]:
        """Return the rows, and the text from the line on whose quote was left open at the end."""
        self.separator, self.text = one_byte(self.layout.separator, self.given)
        self.signs = np.frombuffer(self.text, np.uint8)
        self.ends = np.flatnonzero(self.signs == _NEWLINE)
        self.starts = np.concatenate([[0], self.ends[:-1] + 1]) if len(self.ends) else self.ends
        self.usable = np.ones(len(self.ends), dtype=bool)
        self._set_aside_unreadable()
        counts, suspicious = self._count_separators()
        rest = self._read_carefully(np.flatnonzero(suspicious & self.usable))
        self._sort_out(counts)
        plain = self._parse(wanted)
        return self._in_order(plain, wanted), rest

    def _set_aside_unreadable(self) -> None:
        for number in self.undecodable:
            self._spoil(number - self.first_line, ENCODING)
        if b"\0" in self.text:
            for line in np.unique(np.searchsorted(self.ends, np.flatnonzero(self.signs == 0))):
                self._spoil(int(line), NUL)

    def _spoil(self, line: int, reason: str) -> None:
        if 0 <= line < len(self.usable) and self.usable[line]:
            self.usable[line] = False
            self.reasons[line] = reason

    def _count_separators(self) -> tuple[np.ndarray, np.ndarray]:
        """Return how many separators stand outside quotes in each line, and the lines whose quotes are not plain."""
        width = len(self.layout.names)
        separators = np.flatnonzero(self.signs == self.separator[0])
        if b'"' not in self.text:
            suspicious = np.zeros(len(self.ends), dtype=bool)
            if len(separators) == len(self.ends) * (width - 1) and width > 1:
                table = separators.reshape(-1, width - 1)
                if (table[:, 0] >= self.starts).all() and (table[:, -1] < self.ends).all():
                    return np.full(len(self.ends), width - 1), suspicious
            lines = np.searchsorted(self.ends, separators)
            return np.bincount(lines, minlength=len(self.ends)), suspicious
        quotes = np.flatnonzero(self.signs == _QUOTE)
        before_line = np.searchsorted(quotes, self.starts)
        suspicious = self._suspicious(quotes, before_line)
        lines = np.searchsorted(self.ends, separators)
        inside = (np.searchsorted(quotes, separators) - before_line[lines]) % 2 == 1
        return np.bincount(lines[~inside], minlength=len(self.ends)), suspicious

    def _suspicious(self, quotes: np.ndarray, before_line: np.ndarray) -> np.ndarray:
        """Find lines in which some quote does not open or close a whole field in its turn."""
        lines = np.searchsorted(self.ends, quotes)
        closes = (np.arange(len(quotes)) - before_line[lines]) % 2 == 1
        stops = (self.signs == self.separator[0]) | (self.signs == _NEWLINE)
        opened = stops[quotes - 1] | (quotes == 0)
        closed = stops[np.minimum(quotes + 1, len(self.signs) - 1)]
        odd = np.bincount(lines, minlength=len(self.ends)) % 2 == 1
        wrong: np.ndarray = odd
        wrong[lines[np.where(closes, ~closed, ~opened)]] = True
        return wrong

    def _read_carefully(self, suspicious: np.ndarray) -> bytes:
        width = len(self.layout.names)
        position = 0
        for line in suspicious.tolist():
            start = int(self.starts[line])
            if start < position:
                continue
            complete = self.last or not self._may_go_on(line, start)
            found = record_at(self.text, start, self.separator, width, complete)
            after = int(np.searchsorted(self.starts, found.end)) if isinstance(found, Record) else line
            if isinstance(found, Record) and self.usable[line:after].all():
                self.careful[line] = [self._as_given(value) for value in found.fields]
                position = found.end
                self.usable[line:after] = False
            elif found == OPEN:
                self.usable[line:] = False
                self.reasons = {number: reason for number, reason in self.reasons.items() if number < line}
                return self._given_from(line)
            else:
                self._spoil(line, QUOTES if isinstance(found, Record) else found)
        return b""

    def _as_given(self, value: str) -> str:
        """Return a value with the separator of several bytes that was replaced within its quotes."""
        return value if self.text is self.given else value.replace(self.separator.decode(), self.layout.separator)

    def _may_go_on(self, line: int, start: int) -> bool:
        return len(self.ends) - line <= MOST_LINES and len(self.text) - start <= MOST_BYTES

    def _given_from(self, line: int) -> bytes:
        if self.given is self.text:
            return self.text[self.starts[line] :]
        return b"\n".join(self.given.split(b"\n")[line:])

    def _sort_out(self, counts: np.ndarray) -> None:
        """Give lines that are still usable and have another number of fields than the table their reasons."""
        width = len(self.layout.names)
        blank = self.usable & (self.starts == self.ends)
        for wrong, reason in (
            (blank, BLANK),
            (self.usable & ~blank & (counts < width - 1), TOO_FEW),
            (self.usable & ~blank & (counts > width - 1), TOO_MANY),
        ):
            self.reasons |= dict.fromkeys(np.flatnonzero(wrong).tolist(), reason)
            self.usable &= ~wrong

    def _parse(self, wanted: Sequence[int]) -> pa.Table:
        if not self.usable.any():
            return _empty(wanted)
        text = self.text
        if not self.usable.all():
            text = self.signs[np.repeat(self.usable, self.ends + 1 - self.starts)].tobytes()
        if text.startswith(codecs.BOM_UTF8):
            # The parser takes one mark away, and with it a line that is nothing else.
            text = codecs.BOM_UTF8 + text
        names = [str(number) for number in range(len(self.layout.names))]
        longest = int((self.ends + 1 - self.starts).max())
        kept = [str(number) for number in dict.fromkeys(wanted)]
        table = csv.read_csv(
            pa.BufferReader(text),
            csv.ReadOptions(column_names=names, block_size=max(1 << 20, 2 * longest)),
            csv.ParseOptions(
                delimiter=self.separator.decode(),
                quote_char='"' if b'"' in text else False,
                newlines_in_values=False,
            ),
            csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(names, pa.large_string()),
                include_columns=kept,
                strings_can_be_null=False,
            ),
        )
        if self.text is self.given or b'"' not in text:
            return table
        inner, outer = self.separator.decode(), self.layout.separator
        return pa.table({name: pc.replace_substring(table.column(name), inner, outer) for name in kept})

    def _in_order(self, plain: pa.Table, wanted: Sequence[int]) -> Rows:
        lines = np.flatnonzero(self.usable)
        if len(lines) != plain.num_rows:
            raise AssertionError(f"{plain.num_rows} rows were parsed from {len(lines)} plain lines")
        if self.careful:
            fields = list(self.careful.values())
            more = {str(number): pa.array([row[number] for row in fields], pa.large_string()) for number in wanted}
            lines = np.concatenate([lines, list(self.careful)])
            order = np.argsort(lines, kind="stable")
            plain, lines = pa.concat_tables([plain, pa.table(more)]).take(order), lines[order]
        plain, lines = self._without_headers(plain, lines, wanted)
        bad = tuple(
            bad_line(self.first_line + line, reason, self.given_line(line))
            for line, reason in sorted(self.reasons.items())
        )
        return Rows(plain, lines.astype(np.int64) + self.first_line, bad)

    def _without_headers(
        self, rows: pa.Table, lines: np.ndarray, wanted: Sequence[int]
    ) -> tuple[pa.Table, np.ndarray]:
        """Take out rows that only repeat the names of the columns, as joined files have them."""
        if not self.layout.header or not rows.num_rows or not wanted:
            return rows, lines
        repeats = np.ones(rows.num_rows, dtype=bool)
        for number in dict.fromkeys(wanted):
            if repeats.any():
                column = rows.column(str(number)).combine_chunks()
                repeats &= np.asarray(pc.equal(column, self.layout.names[number]).to_numpy(zero_copy_only=False), bool)
        if not repeats.any():
            return rows, lines
        self.reasons |= dict.fromkeys(lines[repeats].tolist(), HEADER)
        return rows.filter(pa.array(~repeats)), lines[~repeats]

    def given_line(self, line: int) -> bytes:
        """Return the text of a line as it was, without its end."""
        content = self.text[self.starts[line] : min(self.ends[line], self.starts[line] + 1_000)]
        if self.text is self.given:
            return content
        return content.replace(self.separator, self.layout.separator.encode())
