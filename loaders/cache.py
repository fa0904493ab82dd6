"""Parsed data sets on disk: what took a second to read, check and type is there again in a fraction of it.

A folder per data set below the cache folder (KGXFER_CACHE, else one per user) holds its tables as Parquet. Its name is
derived from everything that the result depends on: the data set and the options; the sha256 of every file as it lies
there, read anew each time (a changed file gives another name, so size and date are not trusted; reading all files of
the registry takes a tenth of a second); the versions of packages that supply data; and the source text of `loaders` and
`graph_schema` with the versions of pandas and pyarrow, so that no other program's result is taken for this one's.

What is read back has been checked: each file against its checksum, each table by the same validation as a fresh one.
Anything amiss, and the entry is removed and made again. Entries appear whole or not at all; a cache that cannot be
written is no reason not to load, and is said in a log line. A data set's entries of other versions of the code go when
a new one is written.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pooch
import pyarrow as pa

import graph_schema
from graph_schema.errors import InputError
from graph_schema.vocabulary import SCHEMA
from loaders.dataset import CrossDomainDataset, DataCard, DomainTables
from loaders.download import RemoteFile
from loaders.files import new_folder
from loaders.fingerprint import file_sha256

CACHE_VARIABLE = "KGXFER_CACHE"
"""The environment variable that says where parsed data sets are kept."""

_TABLES = ("users", "items", "interactions", "facts")
_DESCRIPTION = "dataset.json"
_log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return the folder of parsed data sets: KGXFER_CACHE, else a per-user cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else Path(pooch.os_cache("kgxfer")) / "parsed"


def cached(
    name: str,
    options: Mapping[str, Any],
    root: Path,
    files: Iterable[RemoteFile],
    packages: Iterable[str],
    load: Callable[[], CrossDomainDataset],
) -> CrossDomainDataset:
    """Return a data set from the cache, or load it and keep it.

    Args:
        name: the data set.
        options: what `load` was given besides the root folder.
        root: the folder of the data files.
        files: everything that `load` reads below it; what is absent counts as such.
        packages: installed packages that `load` takes data from.
        load: makes the data set afresh.

    Raises:
        InputError: what `load` raises; the cache itself gives no errors.
    """
    files = tuple(files)
    folder = _entry(name, options, root, files, packages)
    if folder.is_dir():
        try:
            return _read(folder)
        except (InputError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _log.warning('made data set "%s" again: its cache entry "%s" is damaged (%s)', name, folder, error)
            shutil.rmtree(folder, ignore_errors=True)
    dataset = load()
    if dataset.schema is SCHEMA:
        # What was absent has been downloaded by now, and belongs to the name.
        _keep(dataset, _entry(name, options, root, files, packages))
    return dataset


def _entry(
    name: str, options: Mapping[str, Any], root: Path, files: tuple[RemoteFile, ...], packages: Iterable[str]
) -> Path:
    """Return the folder of a data set in exactly this state."""
    facts = {
        "options": {key: repr(value) for key, value in sorted(options.items())},
        "files": {f"{file.folder}/{file.file}": _stored(root / file.folder / file.file) for file in files},
        "packages": {package: _version(package) for package in packages},
    }
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return cache_folder() / name / f"{_program()[:12]}-{key[:32]}"


def _stored(plain: Path) -> str:
    """Return the checksum of a file as it lies there, plain or gzipped; empty when it is absent or unreadable."""
    for path in (plain, plain.with_name(f"{plain.name}.gz")):
        if path.is_file():
            try:
                return file_sha256(path)
            except OSError:
                return ""
    return ""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


@lru_cache(maxsize=1)
def _program() -> str:
    """Return a checksum of the code that makes data sets, and of the packages that give tables their form."""
    total = hashlib.sha256(f"pandas {pd.__version__}, pyarrow {pa.__version__}".encode())
    for package in (Path(__file__).parent, Path(graph_schema.__file__).parent):
        for path in sorted(package.rglob("*.py")):
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _keep(dataset: CrossDomainDataset, folder: Path) -> None:
    """Write an entry, or say why there is none (a table that Parquet cannot hold is a TypeError or ValueError)."""
    try:
        with new_folder(folder) as draft:
            _write(dataset, draft)
        for other in folder.parent.iterdir():
            if not other.name.startswith((folder.name.split("-")[0], ".")):
                shutil.rmtree(other, ignore_errors=True)
    except (InputError, OSError, TypeError, ValueError) as error:
        if not folder.is_dir():
            _log.warning('did not keep data set "%s" in the cache: %s', dataset.name, error)


def _write(dataset: CrossDomainDataset, draft: Path) -> None:
    checksums = {}
    for name, table in _tables_of(dataset).items():
        content = table.to_parquet(index=False)
        (draft / f"{name}.parquet").write_bytes(content)
        checksums[name] = hashlib.sha256(content).hexdigest()
    domains = [
        {"domain": tables.domain, "item_type": tables.item_type, "card": asdict(tables.card)}
        for tables in dataset.domains
    ]
    description = json.dumps(
        {
            "name": dataset.name,
            "positive_from": dataset.positive_from,
            "fixed": list(dataset.fixed),
            "domains": domains,
            "checksums": checksums,
        }
    )
    (draft / _DESCRIPTION).write_text(f"{hashlib.sha256(description.encode()).hexdigest()}\n{description}", "utf-8")


def _tables_of(dataset: CrossDomainDataset) -> dict[str, pd.DataFrame]:
    tables = {"links": dataset.links, **{f"fixed-{part}": rows for part, rows in dataset.fixed.items()}}
    for side, domain in zip(("source", "target"), dataset.domains, strict=True):
        tables |= {f"{side}-{name}": getattr(domain, name) for name in _TABLES}
    return tables


def _read(folder: Path) -> CrossDomainDataset:
    """Read an entry; any error that damage can cause, of whatever kind, means that it cannot be used."""
    checksum, description = (folder / _DESCRIPTION).read_text("utf-8").split("\n", 1)
    if hashlib.sha256(description.encode()).hexdigest() != checksum:
        raise ValueError(f"{_DESCRIPTION} is not what was written")
    said = json.loads(description)
    tables = {name: _table(folder / f"{name}.parquet", checksum) for name, checksum in said["checksums"].items()}
    source, target = (
        DomainTables(
            domain["domain"],
            domain["item_type"],
            **{name: tables[f"{side}-{name}"] for name in _TABLES},
            card=DataCard(**domain["card"]),
        )
        for side, domain in zip(("source", "target"), said["domains"], strict=True)
    )
    fixed = {part: tables[f"fixed-{part}"] for part in said["fixed"]}
    return CrossDomainDataset(said["name"], source, target, tables["links"], SCHEMA, said["positive_from"], fixed)


def _table(path: Path, checksum: str) -> pd.DataFrame:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != checksum:
        raise ValueError(f"{path.name} is not what was written")
    return pd.read_parquet(BytesIO(content))
