"""Lines of a large file in blocks, from plain files, gzip and members of zip archives, none of it unpacked to disk.

Only one block is in memory at a time. Damage surfaces as one `InputError` that says after which line.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import cast

from graph_schema.errors import InputError

BLOCK_BYTES = 1 << 24
_PIECE = 1 << 17
_LONGEST_LINE = 1 << 28
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Place:
    """Where a stream of bytes lies: a file, or a member of a zip archive, either of them possibly compressed."""

    path: Path
    member: str = ""

    def __str__(self) -> str:
        """What messages call it."""
        return f'"{self.path}"' + (f', member "{self.member}"' if self.member else "")

    @contextmanager
    def open(self) -> Iterator[BufferedIOBase]:
        """Yield the decompressed bytes; gzip is told by its first two bytes, whatever the name says."""
        if self.member:
            with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as stream:
                yield cast(BufferedIOBase, stream)
            return
        with self.path.open("rb") as stored:
            zipped = stored.peek(2)[:2] == b"\x1f\x8b"
            if not zipped:
                yield stored
                return
            with gzip.GzipFile(fileobj=stored) as stream:
                yield stream


@dataclass(frozen=True)
class Block:
    """Whole lines, and the number of the first of them (the first line of a file is line 1)."""

    first_line: int
    content: bytes

    @property
    def lines(self) -> int:
        """How many lines; the last line of a file may lack its newline."""
        return self.content.count(b"\n") + (not self.content.endswith(b"\n") and bool(self.content))

    def halves(self) -> tuple[Block, Block]:
        """Return two blocks of whole lines, of which the first is not empty when there are two lines or more."""
        middle = self.content.find(b"\n", len(self.content) // 2, -1)
        if middle < 0:
            middle = self.content.rfind(b"\n", 0, len(self.content) - 1)
        first = Block(self.first_line, self.content[: middle + 1])
        return first, Block(self.first_line + first.lines, self.content[middle + 1 :])


def blocks(place: Place, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield a file's lines in blocks of about `size` bytes.

    Raises:
        InputError: the file is cut off or damaged (said after which line), or a line is longer than 256 MB.
    """
    line = 1
    kept: list[bytes] = []
    held = 0
    for piece in _pieces(place):
        kept.append(piece if kept or line > 1 else piece.removeprefix(_BYTE_ORDER_MARK))
        held += len(piece)
        if held >= size and b"\n" in piece:
            whole, _, rest = b"".join(kept).rpartition(b"\n")
            block = Block(line, whole + b"\n")
            yield block
            line += block.lines
            kept, held = [rest], len(rest)
        elif held > _LONGEST_LINE:
            raise InputError(f"{place}, line {line}: longer than {_LONGEST_LINE:,} bytes; this is not a file of lines")
    if held:
        yield Block(line, b"".join(kept))


def _pieces(place: Place) -> Iterator[bytes]:
    """Yield small pieces, so that what comes before damage still counts its lines."""
    complete = 0
    try:
        with place.open() as stream:
            # Not read(): it would lose what was decompressed before the damage.
            while piece := stream.read1(_PIECE):
                yield piece
                complete += piece.count(b"\n")
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(
            f"{place} is cut off or damaged after line {complete:,} ({error}); get the file again"
        ) from error
    except PermissionError as error:
        raise InputError(f"{place} may not be read ({error.strerror}); change its permissions") from error
    except RuntimeError as error:
        # What zipfile raises for an encrypted member.
        raise InputError(f"{place} cannot be read ({error}); unpack it yourself and put the files there") from error
