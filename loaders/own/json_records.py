"""JSON: one object per line, or one array of objects; numbers become text as they are written, so no id changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from graph_schema.errors import InputError
from loaders.own.bad_lines import BLANK, ENCODING, JSON, bad_line, refuse_too_many
from loaders.own.content import Source
from loaders.own.encoding import blocks
from loaders.own.frames import LIST_SEPARATOR
from loaders.own.messages import file_named
from loaders.raw import BadLine

_LARGEST_ARRAY = 1 << 30
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_BETWEEN = " \t\n"


@dataclass(frozen=True, eq=False)
class Objects:
    """Objects of a file, the line that each begins in, and the lines that gave none."""

    values: list[dict[str, Any]]
    lines: list[int]
    bad_lines: tuple[BadLine, ...]


def read_json_lines(source: Source, head: bytes, encoding: str, where: str, limit: int | None) -> Objects:
    """Read one object per line; lines that are none become bad lines.

    Raises:
        InputError: damaged content, or most lines without an object.
    """
    values: list[dict[str, Any]] = []
    lines: list[int] = []
    bad: list[BadLine] = []
    for block in blocks(source, encoding, head):
        texts = block.text.split(b"\n")[:-1]
        undecodable = set(block.undecodable)
        for number, found in enumerate(_parsed(texts), block.first_line):
            if isinstance(found, dict) and number not in undecodable:
                values.append(found)
                lines.append(number)
            else:
                text = texts[number - block.first_line]
                reason = ENCODING if number in undecodable else JSON if text.strip() else BLANK
                bad.append(bad_line(number, reason, text))
        refuse_too_many(bad, len(values), where)
        if limit is not None and len(values) >= limit:
            return Objects(values[:limit], lines[:limit], tuple(line for line in bad if line.line < lines[limit - 1]))
    return Objects(values, lines, tuple(bad))


def _parsed(texts: Sequence[bytes]) -> Iterable[object]:
    """Parse all lines in one call, and one by one only when some line is not JSON."""
    if all(text[:1] == b"{" and text[-1:] == b"}" for text in texts):
        try:
            together: list[object] = _DECODER.decode(f"[{','.join(text.decode() for text in texts)}]")
            if len(together) == len(texts):
                return together
        except (ValueError, RecursionError):
            pass
    return (_value(text) for text in texts)


def _value(text: bytes) -> object:
    try:
        found: object = _DECODER.decode(text.decode().strip())
    except (ValueError, RecursionError):
        return None
    return found


def read_json_array(source: Source, head: bytes, encoding: str, limit: int | None) -> Objects:
    """Read an array of objects, each with the line that it begins in; elements of another kind become bad lines.

    Raises:
        InputError: damaged content, broken JSON (with its line), or an array too large to be read at once.
    """
    where = file_named(source.path)
    parts: list[bytes] = []
    for block in blocks(source, encoding, head):
        parts.append(block.text)
        if sum(map(len, parts)) > _LARGEST_ARRAY:
            raise InputError(f"{where} is an array of more than 1 GB; write one object per line instead")
    text = b"".join(parts).decode()
    values: list[dict[str, Any]] = []
    lines: list[int] = []
    bad: list[BadLine] = []
    position = _behind(text, text.find("["), where)
    line, counted = 1, 0
    while text[position : position + 1] != "]":
        line, counted = line + text.count("\n", counted, position), position
        try:
            found, end = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            raise _broken(where, line) from None
        if isinstance(found, dict):
            values.append(found)
            lines.append(line)
        else:
            bad.append(bad_line(line, JSON, text[position : min(end, position + 200)].encode()))
        position = _next_element(text, end, where)
        if limit is not None and len(values) >= limit:
            break
    return Objects(values, lines, tuple(bad))


def _broken(where: str, line: int) -> InputError:
    return InputError(f"{where}, line {line}: the JSON breaks off or is wrong; write an array of objects")


def _behind(text: str, position: int, where: str) -> int:
    """Return the place of the next sign behind `position` that is not white space."""
    position += 1
    while text[position : position + 1] and text[position] in _BETWEEN:
        position += 1
    if position >= len(text):
        raise _broken(where, text.count("\n"))
    return position


def _next_element(text: str, end: int, where: str) -> int:
    position = _behind(text, end - 1, where)
    if text[position] == ",":
        return _behind(text, position, where)
    if text[position] != "]":
        raise _broken(where, text.count("\n", 0, position) + 1)
    return position


def keys_of(objects: Sequence[dict[str, Any]]) -> list[str]:
    """Return the keys of all objects in order of first appearance."""
    keys: dict[str, None] = {}
    for row in objects:
        keys |= dict.fromkeys(row)
    return list(keys)


def names_of(keys: Sequence[str]) -> list[str]:
    """Return what columns of these keys are called: half a surrogate pair, which UTF-8 does not have, becomes "?"."""
    return [_encodable(key) for key in keys]


def frame_of_objects(objects: Sequence[dict[str, Any]], keys: Mapping[str, str]) -> pd.DataFrame:
    """Make a frame of text, role by key; what an object lacks, or has as null, is missing."""
    columns = {role: pd.array([_as_text(row.get(key)) for row in objects], dtype="str") for role, key in keys.items()}
    return pd.DataFrame(columns, columns=list(columns), index=pd.RangeIndex(len(objects)))


def _as_text(value: object) -> str | float:
    if isinstance(value, str):
        return _encodable(value)
    if value is None:
        return np.nan
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return _encodable(LIST_SEPARATOR.join(value))
    return json.dumps(value, ensure_ascii=True)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
