"""Folders and files that appear complete or not at all, and full disks as one clear line."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from graph_schema.errors import InputError


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield a draft folder that takes the name `folder` when the block ends well and vanishes when it does not.

    Raises:
        InputError: the folder exists already, or the disk is full.
    """
    if folder.exists():
        raise InputError(f'"{folder}" exists already; give another folder or remove it')
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        with disk_errors(folder):
            yield draft
            draft.chmod(0o755)
            os.replace(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Yield a draft that takes the place of `path` when the block ends well and vanishes when it does not.

    Raises:
        InputError: the disk is full, or the folder may not be written.
    """
    draft = path.with_name(f".{path.name}.draft")
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield draft
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Turn a full disk, a folder without permission and the like into an InputError that names the remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _no_space(place) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            raise InputError(f'may not write "{place}" ({error.strerror}); choose another folder') from error
        raise
    except SafetensorError as error:
        # The writer reports a full disk as its own error; the system's code is in the text.
        if "os error 28" in str(error) or "No space" in str(error):
            raise _no_space(place) from error
        raise


def _no_space(place: Path) -> InputError:
    return InputError(f'no space left while writing "{place}"; free some or choose another folder')
