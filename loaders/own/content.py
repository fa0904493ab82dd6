"""The bytes of a file, whatever it is packed in: told by how the content begins, not by the name.

Nothing is unpacked to disk, and content that grows suspiciously while it is unpacked is refused.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO, cast

from graph_schema.errors import InputError
from loaders.own.messages import file_named, one_line, some_of

PLAIN = "none"

_BEGINNINGS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"PK\x03\x04": "zip", b"PK\x05\x06": "zip"}
_FOREIGN = {
    b"\x28\xb5\x2f\xfd": ("packed with zstandard", "unpack it, or pack it with gzip"),
    b"7z\xbc\xaf": ("a 7-Zip archive", "unpack it, or pack it with gzip"),
    b"Rar!": ("a RAR archive", "unpack it, or pack it with gzip"),
    b"SQLite format 3\x00": ("a SQLite database", "read it by a query with the URL sqlite:///PATH"),
    b"ARROW1": ("a Feather file", "save it as Parquet"),
    b"\x89HDF": ("a HDF5 file", "save it as Parquet or CSV"),
    b"\xd0\xcf\x11\xe0": ("an Office document", "save the sheet as CSV"),
    b"%PDF": ("a PDF document", "save the table as CSV"),
    b"\x89PNG": ("a picture", "give a table"),
    b"\x80\x04\x95": ("a pickle, which is not opened for safety", "save it as Parquet or CSV"),
}
_LARGEST_UNCHECKED = 1 << 30
_LARGEST_GROWTH = 200
_DAMAGES = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError)


class Source:
    """A stream of content that counts its lines, so that a damaged file is named with the place of the damage."""

    def __init__(
        self, stream: BinaryIO, path: Path, compression: str, unchecked_bytes: int = _LARGEST_UNCHECKED
    ) -> None:
        self.path = path
        self.compression = compression
        self._stream = stream
        self._lines = 0
        self._bytes = 0
        self._most_bytes = max(unchecked_bytes, _LARGEST_GROWTH * path.stat().st_size)

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, nothing at the end; InputError when the content is damaged."""
        try:
            chunk = self._stream.read(size)
        except _DAMAGES as error:
            packing = "" if self.compression == PLAIN else f" as {self.compression}"
            raise InputError(
                f"{file_named(self.path)} cannot be read{packing} beyond line {self._lines + 1} "
                f"({one_line(error) or type(error).__name__}); fetch or pack it again"
            ) from None
        self._lines += chunk.count(b"\n")
        self._bytes += len(chunk)
        if self.compression != PLAIN and self._bytes > self._most_bytes:
            raise InputError(
                f"{file_named(self.path)} grows more than {_LARGEST_GROWTH} fold when it is unpacked, as no table "
                "does; unpack it yourself if you trust it"
            )
        return chunk


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Open a file for reading its content.

    Raises:
        InputError: no such file (the nearest is named), one that may not be read, something that is no table, or an
            archive of several files.
    """
    _refuse_absent(path)
    with ExitStack() as stack:
        try:
            stream: BinaryIO = stack.enter_context(path.open("rb"))
            head = stream.read(64)
            stream.seek(0)
        except OSError as error:
            raise InputError(f"{file_named(path)} cannot be read ({error.strerror}); check its permissions") from None
        compression = compression_of(head)
        _refuse_foreign(head, path)
        yield Source(_unpacked(stream, compression, path, stack), path, compression)


def compression_of(head: bytes) -> str:
    """Tell how content that begins with `head` is packed: "gzip", "bz2", "xz", "zip" or "none"."""
    return next((name for beginning, name in _BEGINNINGS.items() if head.startswith(beginning)), PLAIN)


def refuse_packed_twice(head: bytes, path: Path) -> None:
    """Raise InputError when what was unpacked is packed again, or is no table."""
    if (inner := compression_of(head)) != PLAIN:
        raise InputError(f"{file_named(path)} is packed twice (inside: {inner}); unpack it once")
    _refuse_foreign(head, path)


def _refuse_absent(path: Path) -> None:
    try:
        if path.is_file():
            return
        folder = path.is_dir()
        beside = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
    except (OSError, ValueError) as error:
        raise InputError(f"{file_named(path)} cannot be read ({one_line(error)}); check the path") from None
    if folder:
        raise InputError(f"{file_named(path)} is a folder; give a file")
    if path.name in beside:
        raise InputError(f"{file_named(path)} is not a plain file; give a file")
    nearest = get_close_matches(path.name, beside, n=1)
    hint = f'did you mean "{one_line(nearest[0])}"?' if nearest else "check the path"
    raise InputError(f"{file_named(path)} does not exist; {hint}")


def _refuse_foreign(head: bytes, path: Path) -> None:
    for beginning, (what, remedy) in _FOREIGN.items():
        if head.startswith(beginning):
            raise InputError(f"{file_named(path)} is {what}; {remedy}")


def _unpacked(stream: BinaryIO, compression: str, path: Path, stack: ExitStack) -> BinaryIO:
    if compression == "gzip":
        return cast(BinaryIO, stack.enter_context(gzip.GzipFile(fileobj=stream)))
    if compression == "bz2":
        return cast(BinaryIO, stack.enter_context(bz2.BZ2File(stream)))
    if compression == "xz":
        return cast(BinaryIO, stack.enter_context(lzma.LZMAFile(stream)))
    return stack.enter_context(_only_member(stream, path, stack)) if compression == "zip" else stream


def _only_member(stream: BinaryIO, path: Path, stack: ExitStack) -> BinaryIO:
    try:
        archive = stack.enter_context(zipfile.ZipFile(stream))
        members = [
            member for member in archive.infolist() if not (member.is_dir() or member.filename.startswith("__MACOSX/"))
        ]
        names = [member.filename for member in members]
        if "xl/workbook.xml" in names:
            raise InputError(f"{file_named(path)} is an Excel workbook; save the sheet as CSV")
        if len(members) != 1:
            listed = ", ".join(some_of(names, 5)) or "nothing"
            raise InputError(f"{file_named(path)} holds {len(members)} files ({listed}); unpack the one that is meant")
        return cast(BinaryIO, archive.open(members[0]))
    except _DAMAGES as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{file_named(path)} cannot be read as zip ({one_line(error)}); pack it again") from None
