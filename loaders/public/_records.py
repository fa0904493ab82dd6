"""Rows out of blocks of lines, as Arrow columns of the fields that are needed, with the line that each came from.

A block is read by Arrow in one go. Where that fails, or gives another number of rows than there are lines, the block is
halved until a handful of lines is left, and those are read one by one: so a fault costs time near itself only, and is
reported with its own line and reason.
"""

from __future__ import annotations

import ast
import csv
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json

from graph_schema.errors import InputError
from loaders.public._streams import Block, Place, blocks
from loaders.raw import BadLine, RawTable

Kind = Literal["id", "text", "number", "whole", "flag", "texts"]
"""id: text that may not be empty; number, whole, flag: may not be absent; texts: a list, however deep, made flat."""

_ONE_BY_ONE = 32
_TOLERATED = 1_000
_TOLERATED_SHARE = 0.05
_EXCERPT = 80
_LONGEST_LITERAL = 1 << 20
_LARGEST_WHOLE = 1 << 53
_UNIT = "\x1f"
"""Stands for a separator of several characters: ASCII's own separator of fields, which no text has."""

_TYPES: Mapping[Kind, pa.DataType] = {
    "id": pa.large_string(),
    "text": pa.large_string(),
    "number": pa.float64(),
    "whole": pa.int64(),
    "flag": pa.bool_(),
    "texts": pa.list_(pa.large_string()),
}


@dataclass(frozen=True)
class Records:
    """The rows of a file.

    Attributes:
        table: one column per field.
        lines: int64 [rows], where each row stood.
        bad_lines: lines that gave no row.
    """

    place: Place
    table: pa.Table
    lines: np.ndarray
    bad_lines: tuple[BadLine, ...]

    @property
    def listed(self) -> int:
        """The number of entries of the file, readable or not: what its origin publishes as its size."""
        return len(self.lines) + len(self.bad_lines)

    def column(self, name: str) -> pd.Series:
        """Return a column as a pandas Series; texts are of dtype `str`."""
        return as_series(self.table[name])

    def ids(self, name: str, prefix: str = "") -> pd.Series:
        """Return a column as texts that begin with `prefix`; made by Arrow, of which Python never sees a row."""
        texts = self.table[name].cast(pa.large_string())
        if prefix:
            texts = pc.binary_join_element_wise(pa.scalar(prefix, pa.large_string()), texts, pa.scalar("", texts.type))
        return as_series(texts)

    def raw(self, **columns: pd.Series) -> RawTable:
        """Return columns made of this file's rows, in its order, with where they came from."""
        return RawTable(pd.DataFrame(columns), str(self.place), self.lines, self.bad_lines)

    def pairs(self, key: str, texts: str) -> pd.DataFrame:
        """Return one row (`key`, value) per value of a column of lists."""
        lists = self.table[texts].combine_chunks()
        keys = self.table[key].combine_chunks().take(pc.list_parent_indices(lists))
        return pd.DataFrame({key: as_series(keys), texts: as_series(pc.list_flatten(lists))})


def as_series(column: pa.Array | pa.ChunkedArray) -> pd.Series:
    """Return Arrow values as a Series without copying texts; categories and Python objects would take more memory."""
    if pa.types.is_large_string(column.type):
        chunked = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
        text = pd.StringDtype("pyarrow", na_value=float("nan"))
        return pd.Series(pd.arrays.ArrowStringArray(chunked, dtype=text))  # type: ignore[call-arg, unused-ignore]
    return pd.Series(column.to_numpy())


@dataclass(frozen=True)
class Separated:
    """A file of fields between separators, one row a line; quoted fields may not hold newlines.

    Attributes:
        columns: the names of all columns, in the order of the file.
        fields: which of them are read, and as what.
        header: the first line has names; it is checked against `columns`.
        quote: the quote character, doubled inside a quoted field; "" where quotes mean nothing.
        prepare: makes plain lines of an unusual format before anything else looks at them.
        mend: is given the fields of a line with too many or too few, and returns the right ones or None.
    """

    columns: tuple[str, ...]
    fields: Mapping[str, Kind]
    separator: str = "\t"
    encoding: str = "utf-8"
    header: bool = False
    quote: str = ""
    prepare: Callable[[bytes], bytes] | None = None
    mend: Callable[[list[str]], list[str] | None] | None = None
    by_line: ClassVar[bool] = False

    def plain(self, block: Block) -> Block:
        """Return the block as UTF-8 with a separator of one character."""
        content = self.prepare(block.content) if self.prepare else block.content
        if self.encoding != "utf-8":
            content = content.decode(self.encoding).encode()
        if len(self.separator) > 1:
            content = content.replace(self.separator.encode(), _UNIT.encode())
        return Block(block.first_line, content)

    def whole(self, block: Block) -> pa.Table:
        """Read a block in one go; ArrowInvalid when any line of it is not as it should be."""
        return pyarrow.csv.read_csv(
            pa.BufferReader(block.content),
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False, column_names=list(self.columns), block_size=len(block.content) + 1
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self._delimiter, quote_char=self.quote or False, ignore_empty_lines=False
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=list(self.fields),
                column_types={name: _TYPES[kind] for name, kind in self.fields.items()},
                strings_can_be_null=False,
                null_values=[],
            ),
        )

    def one(self, line: bytes) -> dict[str, Any]:
        """Read one line; ValueError says what is wrong with it."""
        text = _decoded(line)
        values = next(csv.reader([text], delimiter=self._delimiter, quotechar=self.quote)) if self.quote else []
        values = values if self.quote else text.split(self._delimiter)
        if len(values) != len(self.columns) and self.mend is not None:
            values = self.mend(values) or values
        if len(values) != len(self.columns):
            raise ValueError(f"{len(values)} fields instead of {len(self.columns)}")
        return dict(zip(self.columns, values, strict=True))

    def excerpt(self, line: bytes) -> str:
        """Return the beginning of a line as it stood in the file, for messages."""
        return _decoded(line[:_EXCERPT]).replace(_UNIT, self.separator)

    @property
    def _delimiter(self) -> str:
        return self.separator if len(self.separator) == 1 else _UNIT


@dataclass(frozen=True)
class JsonLines:
    """A file of one JSON object a line, or, with `literals`, of Python literals, which are read and never evaluated.

    `cut` is taken out of a line before it is read as a literal, which is slow: lists that nobody asks for. `reach` gets
    the texts of a field that is no list of texts, such as names inside objects; it makes reading slower.
    """

    fields: Mapping[str, Kind]
    literals: bool = False
    cut: re.Pattern[str] | None = None
    reach: Mapping[str, Callable[[Any], object]] | None = None

    @property
    def by_line(self) -> bool:
        """Whether every line has to be read by itself."""
        return bool(self.reach)

    def plain(self, block: Block) -> Block:
        """Return the block as it is."""
        return block

    def whole(self, block: Block) -> pa.Table:
        """Read a block in one go; ArrowInvalid when any line of it is not as it should be."""
        types = [(name, _TYPES[kind]) for name, kind in self.fields.items()]
        return pyarrow.json.read_json(
            pa.BufferReader(block.content),
            read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(block.content) + 1),
            parse_options=pyarrow.json.ParseOptions(
                explicit_schema=pa.schema(types), unexpected_field_behavior="ignore"
            ),
        )

    def one(self, line: bytes) -> dict[str, Any]:
        """Read one line; ValueError says what is wrong with it."""
        text = _decoded(line)
        try:
            record = json.loads(text)
        except (ValueError, RecursionError) as error:
            record = self._literal(text, error)
        if not isinstance(record, dict):
            raise ValueError("not an object of names and values")
        if self.reach:
            record |= {name: get(record.get(name)) for name, get in self.reach.items()}
        return record

    def excerpt(self, line: bytes) -> str:
        """Return the beginning of a line, for messages."""
        return _decoded(line[:_EXCERPT])

    def _literal(self, text: str, error: Exception) -> object:
        if not self.literals or len(text) > _LONGEST_LITERAL:
            raise ValueError("not JSON" + (" (or cut off)" if text[:1] == "{" else "")) from error
        try:
            return ast.literal_eval(self.cut.sub("", text) if self.cut else text)
        except (ValueError, SyntaxError, RecursionError, MemoryError) as problem:
            raise ValueError("neither JSON nor a Python literal") from problem


Format = Separated | JsonLines


def read(place: Place, form: Format) -> Records:
    """Read a file.

    Raises:
        InputError: it is damaged, its header is another's, no line gives a row, or more than 5 % of them do not.
    """
    collected = _Collected(place, form)
    for block in blocks(place):
        plain = form.plain(block)
        if block.first_line == 1 and isinstance(form, Separated) and form.header:
            plain = _without_header(place, form, plain)
        collected.add(plain)
    return collected.records()


def _without_header(place: Place, form: Separated, block: Block) -> Block:
    first, _, rest = block.content.partition(b"\n")
    given = [name.strip().strip('"') for name in first.decode(errors="replace").split(form._delimiter)]
    if [name.casefold() for name in given] != [name.casefold() for name in form.columns]:
        raise InputError(
            f"{place}, line 1: the columns are {', '.join(given)[:200]}, expected {', '.join(form.columns)}; "
            "this is another file or another release"
        )
    return Block(2, rest)


class _Collected:
    """What has been read of one file so far."""

    def __init__(self, place: Place, form: Format) -> None:
        self._place = place
        self._form = form
        self._schema = pa.schema([(name, _TYPES[kind]) for name, kind in form.fields.items()])
        self._tables: list[pa.Table] = []
        self._lines: list[np.ndarray] = []
        self._bad: list[BadLine] = []
        self._rows = 0

    def add(self, block: Block) -> None:
        """Read a block, in one go or by halves."""
        if not block.content:
            return
        lines = block.lines
        table = None if self._form.by_line else self._at_once(block)
        if table is not None and table.num_rows == lines:
            self._keep(table, np.arange(block.first_line, block.first_line + lines, dtype=np.int64))
        elif lines > _ONE_BY_ONE and not self._form.by_line:
            for half in block.halves():
                self.add(half)
        else:
            self._one_by_one(block)

    def _at_once(self, block: Block) -> pa.Table | None:
        try:
            table = self._form.whole(block).select(self._schema.names).cast(self._schema)
            table.validate(full=True)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError):
            return None
        return table if all(_sound(table[name], kind) for name, kind in self._form.fields.items()) else None

    def _one_by_one(self, block: Block) -> None:
        rows: list[dict[str, Any]] = []
        lines: list[int] = []
        for number, line in enumerate(block.content.split(b"\n"), block.first_line):
            text = line.strip(b"\r")
            if not text.strip():
                continue
            try:
                record = self._form.one(text)
                rows.append({name: _value(record, name, kind) for name, kind in self._form.fields.items()})
                lines.append(number)
            except (ValueError, RecursionError, csv.Error) as error:
                self._bad.append(BadLine(number, str(error), self._form.excerpt(text)))
        self._refuse_a_file_of_faults()
        if rows:
            self._keep(pa.Table.from_pylist(rows, schema=self._schema), np.array(lines, dtype=np.int64))

    def _keep(self, table: pa.Table, lines: np.ndarray) -> None:
        self._tables.append(table)
        self._lines.append(lines)
        self._rows += len(lines)

    def _refuse_a_file_of_faults(self) -> None:
        bad = len(self._bad)
        if bad > _TOLERATED and bad > _TOLERATED_SHARE * (self._rows + bad):
            self._refuse()

    def _refuse(self) -> None:
        first = self._bad[0]
        raise InputError(
            f"{self._place}, line {first.line}: {first.reason}: {first.text!r}; {len(self._bad):,} of the first "
            f"{self._rows + len(self._bad):,} lines cannot be read: this is another format than the official one"
        )

    def records(self) -> Records:
        """Return everything, which must be something."""
        if self._bad and not self._rows:
            self._refuse()
        if not self._rows:
            raise InputError(f"{self._place} has no rows; get the file again")
        table = pa.concat_tables(self._tables)
        return Records(self._place, table, np.concatenate(self._lines), tuple(self._bad))


def _sound(column: pa.ChunkedArray, kind: Kind) -> bool:
    """Whether a column that may have no gaps has none."""
    if kind in ("text", "texts"):
        return True
    if column.null_count:
        return False
    if kind == "id":
        return not pc.any(pc.equal(pc.utf8_length(column), 0)).as_py()
    return kind != "number" or bool(pc.all(pc.is_finite(column)).as_py())


def _value(record: Mapping[str, Any], name: str, kind: Kind) -> object:
    """Return a field's value as its kind has it; ValueError says what is wrong with it."""
    value = record.get(name)
    if kind == "texts":
        return list(_flat(value))
    if kind in ("id", "text"):
        text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if kind == "id" and not text:
            raise ValueError(f"no {name}")
        return _encodable(text) if text else None
    if kind == "flag":
        if not isinstance(value, bool):
            raise ValueError(f"{name} is neither true nor false")
        return value
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or (kind == "whole" and (number != int(number) or abs(number) >= _LARGEST_WHOLE)):
        raise ValueError(f"{name} is not a {'whole number' if kind == 'whole' else 'number'}")
    return int(number) if kind == "whole" else number


def _flat(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield _encodable(value)
    elif isinstance(value, Sequence):
        for part in value:
            yield from _flat(part)


def _decoded(line: bytes) -> str:
    """Files of UTF-8 have lines of Latin-1 here and there; the other way about it is never taken for one."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _encodable(text: str) -> str:
    """Half a surrogate pair is no character: JSON can say it, UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()
