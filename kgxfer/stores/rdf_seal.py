"""A seal at the end of an N-Triples file: a comment with the checksum of all lines above it.

What a store wrote itself needs no parser: one triple a line, cut at single blanks. A file whose seal fits was not
touched since; any other is parsed, which takes about as long as all the rest of reading it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

_FRONT = b"# SHA-256 of all lines above: "
_LENGTH = len(_FRONT) + 64 + 1


class Sealing:
    """A binary file that is written through; `seal` ends it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._sum = file, hashlib.sha256()

    def write(self, part: bytes | memoryview) -> int:
        """Write a part and count it in."""
        self._sum.update(part)
        return self._file.write(part)

    def flush(self) -> None:
        """Pass on what waits."""
        self._file.flush()

    def seal(self) -> None:
        """Write the last line."""
        self._file.write(_FRONT + self._sum.hexdigest().encode() + b"\n")


def sealed_lines(path: Path) -> memoryview | None:
    """The lines above the seal; None where there is no seal or they are other lines than it was made for."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - _LENGTH, 0))
        if not file.read().startswith(_FRONT):
            return None
        file.seek(0)
        text = memoryview(file.read())
    lines, seal = text[:-_LENGTH], bytes(text[-_LENGTH:])
    return lines if seal == _FRONT + hashlib.sha256(lines).hexdigest().encode() + b"\n" else None
