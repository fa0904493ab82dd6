"""How a delimited file is laid out: its separator, whether its first line names the columns, and what is doubtful."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from graph_schema.errors import InputError
from loaders.own.messages import one_line
from loaders.own.quoted import Record, record_at

SEPARATORS = ("\t", "::", ";", ",", "|", " ")
"""What is tried, the likelier first where several fit equally well."""

_RARE = (31, 30, 29, 28, 1, 2, 3, 4, 5, 6, 7)
"""Control characters made to separate, or met nowhere; one stands for a separator of several bytes."""

_SAMPLE = 200
_MOST_COLUMNS = 10_000
_CONSISTENT = 0.9
_STATED = re.compile(rb"sep=([^\n\w\"]{1,8})\n")
_NUMBER = re.compile(r"[+-]?\d[\d.,]*(?:[eE][+-]?\d+)?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ][\d:.,+Z-]*)?")
_WORDS = frozenset(
    (  # noqa: SIM905
        "user customer person member reader viewer reviewer item product movie film book song track album artist game "
        "app recipe id ids uid iid asin isbn rating ratings score stars overall time timestamp date datetime unix "
        "review event weight count quantity name title year genre genres category categories brand author actor "
        "director head relation tail source target type label domain session play plays friend other text price "
        "country age gender token number"
    ).split()
)


@dataclass(frozen=True)
class Layout:
    """How a delimited file is laid out.

    Attributes:
        separator: what stands between fields.
        header: the first record names the columns.
        names: names of all columns, "column_1" and so on where the file has none.
        doubts: what could be otherwise, in words.
        skipped: lines before the first record: the one by which a spreadsheet states its separator.
    """

    separator: str
    header: bool
    names: tuple[str, ...]
    doubts: tuple[str, ...] = ()
    skipped: int = 0


def find_layout(
    sample: bytes, where: str, separator: str | None = None, header: bool | Sequence[str] | None = None
) -> Layout:
    """Look at the first lines, in UTF-8, and say how the file is laid out; what is given is not guessed.

    Raises:
        InputError: a separator that can be none, or a number of columns that no table has, such as none.
    """
    stated = _STATED.match(sample)
    if stated is not None:
        sample = sample[stated.end() :]
        separator = separator or stated[1].decode("utf-8", "replace")
    skipped = int(stated is not None)
    chosen, doubts = (separator, ()) if separator is not None else _find_separator(sample)
    _check_separator(chosen, where)
    rows = [row for row in _records(sample, chosen) if row]
    width = Counter(len(row) for row in rows).most_common(1)[0][0] if rows else 0
    if not (header if isinstance(header, Sequence) else rows):
        raise InputError(f"{where} has no columns; check separator and header")
    if isinstance(header, Sequence):
        return Layout(chosen, False, tuple(header), doubts, skipped)
    if header is None:
        header, more = _find_header(rows, width)
        doubts = (*doubts, *more)
    names = _named(rows[0]) if header else tuple(f"column_{number + 1}" for number in range(width))
    if len(names) > _MOST_COLUMNS:
        raise InputError(f"{where} has {len(names):,} columns, more than a table has; check the separator")
    return Layout(chosen, bool(header), names, doubts, skipped)


def one_byte(separator: str, text: bytes) -> tuple[bytes, bytes]:
    """Return a separator of one byte, and the text with that in place of `separator`."""
    given = separator.encode()
    if len(given) == 1:
        return given, text
    unused = next((bytes([code]) for code in _RARE if bytes([code]) not in text), None)
    if unused is None:
        unused = bytes([_RARE[0]])
        text = text.replace(unused, b"?")
    return unused, text.replace(given, unused)


def _check_separator(separator: str, where: str) -> None:
    if not separator or any(sign in separator for sign in '"\n\r\0') or len(separator) > 8:
        raise InputError(f'{where}: "{one_line(separator)}" cannot be a separator; give a sign such as "," or "\\t"')
    try:
        separator.encode()
    except UnicodeEncodeError:
        raise InputError(f"{where}: the separator is no valid text; give a sign such as a comma") from None


def _records(sample: bytes, separator: str) -> list[list[str]]:
    """Return the first records; a line that is none counts as one without fields."""
    byte, text = one_byte(separator, sample)
    rows: list[list[str]] = []
    position = 0
    while position < len(text) and len(rows) < _SAMPLE:
        found = record_at(text, position, byte)
        if isinstance(found, Record):
            position = found.end
            if found.fields != [""]:
                rows.append(found.fields)
        else:
            position = text.index(b"\n", position) + 1
            rows.append([])
    return rows


def _find_separator(sample: bytes) -> tuple[str, tuple[str, ...]]:
    """Choose the separator that gives nearly all records equally many fields; the space only when no other does."""
    fitting: dict[str, int] = {}
    for sign in SEPARATORS:
        widths = [len(row) for row in _records(sample, sign)]
        width, how_many = Counter(widths).most_common(1)[0] if widths else (0, 0)
        if width > 1 and how_many >= _CONSISTENT * len(widths) and widths[0] == width:
            fitting[sign] = width
    if len(fitting) > 1:
        fitting.pop(" ", None)
    if not fitting:
        return _of_first_line(sample)
    chosen = max(fitting, key=lambda sign: (fitting[sign], -SEPARATORS.index(sign)))
    doubts = tuple(
        f"the separator could be {_said(sign)} instead of {_said(chosen)}: both occur equally often in every line"
        for sign in fitting
        if sign != chosen and fitting[sign] == fitting[chosen]
    )
    return chosen, doubts


def _of_first_line(sample: bytes) -> tuple[str, tuple[str, ...]]:
    """Fall back on the separator of the first line, for files of many ragged lines."""
    first = sample.lstrip(b"\n").split(b"\n", 1)[0].decode("utf-8", "replace")
    chosen = max(SEPARATORS[:-1], key=first.count)
    if first.count(chosen):
        return chosen, (f"the lines differ in how many fields they have; {_said(chosen)} is taken for the separator",)
    return ",", ("no separator was found: every line is taken for one value",)


def _said(separator: str) -> str:
    return {"\t": "the tab", " ": "the space"}.get(separator, f'"{separator}"')


def _named(row: Sequence[str]) -> tuple[str, ...]:
    """Return the names in a header: without line breaks and control characters, numbered where there is none."""
    names = ("".join(sign if sign.isprintable() else " " for sign in cell).strip() for cell in row)
    return tuple(name or f"column_{number + 1}" for number, name in enumerate(names))


def _find_header(rows: Sequence[Sequence[str]], width: int) -> tuple[bool, tuple[str, ...]]:
    """Say whether the first record names the columns: by known words, else because it differs from those below."""
    first = [cell.strip() for cell in rows[0]]
    below = [row for row in rows[1:] if len(row) == width]
    if any(_NUMBER.fullmatch(cell) for cell in first):
        return False, ()
    if any(_is_word(cell) for cell in first):
        return True, ()
    if len(set(first)) < len(first):
        return False, ()
    if len(first) != width:
        return False, ("the first line has not as many fields as the others and is not taken for a header",)
    if not below:
        return True, ("the file has one line only, which is taken for the header",)
    columns = list(zip(*below, strict=True))
    if any(all(_NUMBER.fullmatch(cell.strip()) for cell in column) for column in columns):
        return True, ()
    if any(cell in column for cell, column in zip(first, columns, strict=True)):
        return False, ()
    if all(_shape(cell) in {_shape(other) for other in column} for cell, column in zip(first, columns, strict=True)):
        return False, ("the first line looks like the others and is not taken for a header",)
    return True, ("the first line is taken for a header only because it differs from the lines below",)


def _is_word(cell: str) -> bool:
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", cell)
    return bool(parts) and len(parts) <= 3 and all(part.casefold() in _WORDS for part in parts)


def _shape(cell: str) -> str:
    return re.sub(r"[^\W\d]+", "a", re.sub(r"\d+", "9", cell))
