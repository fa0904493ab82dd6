"""Find a file below the data folder or download it: whole, checked and renamed into place, or not there at all."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pooch

from graph_schema.errors import InputError

_FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class RemoteFile:
    """A file of a data set: where it lies below the root folder, where it comes from, and what it must contain.

    `sha256` is that of the content after decompression, so `file` and `file.gz` are the same file. `made_from` says
    how to come by a file that no address has as it is; `url` is then where its parts are described.
    """

    folder: str
    file: str
    url: str
    sha256: str
    made_from: str = ""

    @property
    def origin(self) -> str:
        """What a card says of where the file comes from."""
        return self.made_from or self.url


def locate(root: Path, remote: RemoteFile, progress: bool = False) -> Path:
    """Return the path of a file below `root`, plain or with `.gz`; download it when neither is there.

    A download goes to a temporary file beside its place, is checked, and only then gets its name, so that an
    interrupted one leaves nothing that looks like data.

    Raises:
        InputError: the download failed or there is none (the message says which file to put where), its content is
            not what the checksum promises, or the disk is full or not writable.
    """
    plain = root / remote.folder / remote.file
    zipped = plain.with_name(f"{plain.name}.gz")
    for path in (plain, zipped):
        if path.is_file():
            return path
    if remote.made_from:
        raise InputError(f'"{plain}" is absent and cannot be downloaded as it is; {remote.made_from}')
    path = zipped if remote.url.endswith(".gz") else plain
    try:
        _download(path, remote, progress)
    except OSError as error:
        _explain(error, path, remote)
    return path


def read_content(path: Path, sha256: str) -> bytes:
    """Return the content of a file, decompressed when its name ends in `.gz`, after checking its checksum.

    Raises:
        InputError: the file cannot be read, is cut off, is no gzip file, or has another content.
    """
    try:
        stored = path.read_bytes()
    except OSError as error:
        raise InputError(f'cannot read "{path}": {error.strerror}; check the file and its permissions') from error
    return _checked(stored, path.suffix == ".gz", sha256, f'file "{path}"', "delete it and fetch it again")


def _checked(stored: bytes, zipped: bool, sha256: str, what: str, remedy: str) -> bytes:
    try:
        content = gzip.decompress(stored) if zipped else stored
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(f"{what} is damaged or cut off ({error}; {len(stored):,} bytes); {remedy}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise InputError(
            f"{what} is damaged or another version: sha256 of its content is {found}, expected {sha256} "
            f"({len(content):,} bytes); {remedy}"
        )
    return content


def _download(path: Path, remote: RemoteFile, progress: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    part = Path(name)
    try:
        # On a full disk closing the file may be what fails: the error then still comes from inside this block.
        with os.fdopen(handle, "w+b") as stream:
            pooch.HTTPDownloader(progressbar=progress, chunk_size=1 << 16)(remote.url, stream, None)
        _checked(part.read_bytes(), path.suffix == ".gz", remote.sha256, f"download of {remote.url}", "try again")
        part.chmod(0o666 & ~_umask())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _umask() -> int:
    """Return the process's mask: a temporary file is private, what it becomes should not be."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _explain(error: OSError, path: Path, remote: RemoteFile) -> NoReturn:
    """Turn what the system or the network reported into one line with a remedy (network errors are OSErrors too)."""
    if error.errno in _FULL_DISK:
        raise InputError(
            f'no space left to download {remote.url} into "{path.parent}"; free some or choose another folder with '
            "root= or KGXFER_DATA (nothing was left behind)"
        ) from error
    if error.errno is not None and error.filename is not None:
        raise InputError(
            f'cannot write "{path}": {error.strerror}; choose another folder with root= or KGXFER_DATA'
        ) from error
    reason = " ".join(str(error).split())[:200]
    raise InputError(
        f'cannot download {remote.url} ({reason}); get the file by other means and put it at "{path}" '
        f"(or set root= or KGXFER_DATA to the folder that has {remote.folder}/{remote.file})"
    ) from error
