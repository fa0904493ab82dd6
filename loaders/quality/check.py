"""Check what can be named: a data set of the registry, or the files that a column map describes."""

from __future__ import annotations

from pathlib import Path

import loaders
from graph_schema.errors import InputError, unknown_name
from loaders.cleaning import clean
from loaders.dataset import DomainTables
from loaders.own.assemble import assemble_files
from loaders.own.column_map import DomainMap, read_map
from loaders.pairing import joined
from loaders.quality.report import QualityReport, quality_of
from loaders.raw import RawDomain, RawTable


def check(target: str, root: str | Path | None = None) -> QualityReport:
    """Measure what a name or a path means.

    Args:
        target: the name of a data set, or a column map (a file that ends in .toml).
        root: folder of the data files, of a data set.

    Raises:
        InputError: neither of the two, or what cannot be read.
    """
    if target in loaders.BY_NAME:
        return check_data_set(target, root)
    if not loaders.is_column_map(target):
        if Path(target).exists():
            raise InputError(f'"{target}" is no column map (a .toml file); make one with kgxfer data init')
        raise unknown_name("data set or column map (a .toml file)", target, loaders.BY_NAME)
    return check_map(target)


def check_data_set(name: str, root: str | Path | None = None) -> QualityReport:
    """Measure a data set of the registry, and ask the rules of cleaning what they would do with it.

    A published data set stays as it is: the figures are those of the tables as they were loaded.

    Raises:
        InputError: as `loaders.load` does.
    """
    dataset = loaders.load(name, root)
    source, target = (clean(raw_of(tables), schema=dataset.schema) for tables in dataset.domains)
    return quality_of(dataset, (source, target), applied=False, origin=f"data set {name} of the registry")


def check_map(path: str | Path) -> QualityReport:
    """Read, clean and measure what a column map describes; the figures are those of the cleaned tables.

    Domains that nothing joins, or that nothing can be learned from, are measured too: the report warns of it.

    Raises:
        InputError: a fault in the map, or what cannot be read.
    """
    column_map = read_map(path)
    made = assemble_files(path, joined)
    files = (_files(column_map.source), _files(column_map.target))
    return quality_of(made.dataset, (made.source, made.target), files=files, origin=f"the files of {Path(path).name}")


def raw_of(tables: DomainTables) -> RawDomain:
    """Return a domain as if it had just been read; its rows have no lines."""
    place = f'domain "{tables.domain}"'
    named = {name: getattr(tables, name) for name in ("interactions", "items", "users", "facts")}
    read = {name: RawTable(frame, f"{place}, table {name}") for name, frame in named.items()}
    return RawDomain(
        tables.domain, tables.item_type, read["interactions"], read["items"], read["users"], facts=read["facts"],
    )  # fmt: skip


def _files(domain: DomainMap) -> dict[str, str]:
    """Table -> its file; of a query neither the address nor anything else, since passwords stand in addresses."""
    return {name: table.file or "query" for name, table in domain.tables.items()}
