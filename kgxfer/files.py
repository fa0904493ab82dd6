"""Folders and files that appear complete or not at all, and full disks as one clear line."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
def disk_errors(place: Path) -> Iterator[None]:
    """Turn a full disk, a folder without permission and the like into an InputError that names the remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(f'no space left while writing "{place}"; free some or choose another folder') from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            raise InputError(f'may not write "{place}" ({error.strerror}); choose another folder') from error
        raise
