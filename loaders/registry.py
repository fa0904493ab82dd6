"""The data sets that can be loaded by name. One explicit table: `DATA_SETS` in `loaders/__init__.py`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pooch

from graph_schema.errors import InputError, unknown_name
from loaders.cache import cached
from loaders.dataset import CrossDomainDataset, DataCard
from loaders.download import RemoteFile, locate, read_content

ROOT_VARIABLE = "KGXFER_DATA"
"""The environment variable that says where the files of the data sets lie."""


@dataclass(frozen=True)
class DataSet:
    """An entry of the registry.

    Attributes:
        card: origin, terms and expected counts.
        load: takes the root folder first, then options by keyword.
        files: what has to lie below the root folder; empty where a package or a generator supplies the data.
        options: the names of the options of `load`.
        packages: installed packages that `load` takes data from.
    """

    card: DataCard
    load: Callable[..., CrossDomainDataset]
    files: tuple[RemoteFile, ...] = ()
    options: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


class Registry:
    """Data sets by name, with the errors that a wrong name or option deserves."""

    def __init__(self, data_sets: Mapping[str, DataSet]) -> None:
        """Keep the given entries; the names are the keys."""
        self._data_sets = dict(data_sets)

    def available(self) -> list[str]:
        """Return the names of all data sets, in order of registration."""
        return list(self._data_sets)

    def entry(self, name: str) -> DataSet:
        """Return the entry called `name`; InputError with the nearest name when there is none."""
        if name not in self._data_sets:
            raise unknown_name("data set", name, self._data_sets)
        return self._data_sets[name]

    def card(self, name: str) -> DataCard:
        """Return the card of a data set without loading it."""
        return self.entry(name).card

    def load(
        self, name: str, root: str | Path | None = None, *, cache: bool = True, **options: Any
    ) -> CrossDomainDataset:
        """Load a data set; what is missing is downloaded, and what was parsed is kept (`loaders.cache`).

        Kept are data sets of known files or packages; what is generated, or read from files without known checksums,
        is made each time.

        Args:
            name: one of `available()`.
            root: the folder with the files; without it the environment variable KGXFER_DATA, else a per-user cache.
            cache: False neither reads nor writes the cache.
            options: those of the data set, such as `seed` for a generated one.

        Raises:
            InputError: an unknown name or option, or files that are absent and cannot be fetched, damaged, or other
                files than those of the card.
        """
        entry = self.entry(name)
        for option in options:
            if option not in entry.options:
                raise unknown_name(f'option of data set "{name}"', option, entry.options)
        folder = root_folder(root)
        if not cache or not (entry.files or entry.packages):
            return entry.load(folder, **options)
        return cached(name, options, folder, entry.files, entry.packages, lambda: entry.load(folder, **options))

    def fetch(self, name: str, root: str | Path | None = None, progress: bool = False) -> list[Path]:
        """Bring all files of a data set below the root folder, check them, and return where they lie.

        Empty for data sets that have no files of their own. Raises InputError like `load`.
        """
        folder = root_folder(root)
        paths = []
        for file in self.entry(name).files:
            paths.append(locate(folder, file, progress))
            read_content(paths[-1], file.sha256)
        return paths


def root_folder(root: str | Path | None = None) -> Path:
    """Return the folder of the data files: the argument, else KGXFER_DATA, else a per-user cache folder."""
    chosen = root if root is not None else os.environ.get(ROOT_VARIABLE) or None
    folder = Path(chosen) if chosen is not None else Path(pooch.os_cache("kgxfer"))
    if folder.exists() and not folder.is_dir():
        raise InputError(f'data folder "{folder}" is a file; give a folder with root= or in {ROOT_VARIABLE}')
    return folder
