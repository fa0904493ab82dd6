"""A guessed column map as commented TOML: every doubt stands above the key that it concerns."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from loaders.own.guess import Doubt
from loaders.own.messages import one_line

UNSURE = "# unsure: "

LONGEST_DOUBT = 400
"""Characters of a doubt; the name of a column in it can be of any length."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_INLINE = ("attributes", "event_weights")
"""Tables whose entries stand on one line each."""


def toml_value(value: object) -> str:
    """Write a value as TOML.

    >>> print(toml_value(["a", 'b "c"']), toml_value(True), toml_value({"kind": "text", "my key": 4.0}))
    ["a", "b \\"c\\""] true { kind = "text", "my key" = 4.0 }
    """
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{toml_key(key)} = {toml_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(toml_value(one) for one in value) + "]"
    if isinstance(value, str):
        # JSON's strings are TOML's, but for one control character that JSON leaves as it is.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


def toml_key(name: str) -> str:
    """Write a key, in quotes where it needs them."""
    return name if _BARE.fullmatch(name) else toml_value(name)


def map_text(
    values: Mapping[str, Any], doubts: Sequence[Doubt], unused: Mapping[str, Sequence[str]], opening: Sequence[str]
) -> str:
    """Write a column map.

    Args:
        values: the map as plain values.
        doubts: what is unsure, by dotted key; a key that the map lacks has its doubt at the head of its table.
        unused: table -> columns that nothing is made of.
        opening: lines at the top, without the sign of a comment.
    """
    lines = [f"# {one_line(line, LONGEST_DOUBT)}".rstrip() for line in opening]
    _write_table(lines, values, "", doubts, unused)
    return "\n".join(lines) + "\n"


def _write_table(
    lines: list[str], table: Mapping[str, Any], path: str, doubts: Sequence[Doubt], unused: Mapping[str, Sequence[str]]
) -> None:
    """Write plain keys first, for a table within would take them otherwise, then the tables."""
    within = {key: value for key, value in table.items() if _is_table(value, path)}
    plain = {key: value for key, value in table.items() if key not in within}
    names = [part for part in path.split(".") if part]
    if names and (plain or not within):
        lines += ["", "[" + ".".join(map(toml_key, names)) + "]"]
    here = {_below(path, key) for key in table}
    lines += [_comment(doubt) for doubt in doubts if _parent(doubt.key) == path and doubt.key not in here]
    for key, value in plain.items():
        lines += [_comment(doubt) for doubt in doubts if doubt.key == _below(path, key)]
        lines.append(f"{toml_key(key)} = {toml_value(value)}")
    if unused.get(path):
        lines.append("# not used: " + ", ".join(toml_value(name) for name in unused[path]))
    for key, value in within.items():
        _write_table(lines, value, _below(path, key), doubts, unused)


def _comment(doubt: Doubt) -> str:
    return UNSURE + one_line(doubt.text, LONGEST_DOUBT)


def _is_table(value: object, path: str) -> bool:
    return isinstance(value, Mapping) and path.rpartition(".")[2] not in _INLINE


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _parent(key: str) -> str:
    """The table of a doubt's key: the names of attributes may hold dots, those of other keys do not."""
    before, mark, _ = key.partition(".attributes.")
    return f"{before}.attributes" if mark else key.rpartition(".")[0]
