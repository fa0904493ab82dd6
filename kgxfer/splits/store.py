"""A split on disk: one Parquet file per table, and a JSON manifest that says what they are and whose rows they hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from graph_schema.errors import InputError
from kgxfer.splits.split import Split, ValidationKind
from loaders.dataset import CrossDomainDataset
from loaders.files import new_folder
from loaders.fingerprint import digest

FORMAT = 1
MANIFEST = "split.json"


def save_split(split: Split, folder: Path) -> None:
    """Freeze a split, so that others can be judged on the very same rows; the folder appears complete or not at all.

    The manifest names the data set and its fingerprint, the protocol, whose rows serve for choosing, and the sha256 of
    the content of each table and of the whole.

    Raises:
        InputError: the folder exists already, or the disk is full.
    """
    tables = split.tables()
    manifest = {
        "format": FORMAT,
        "data": {"name": split.dataset.name, "fingerprint": split.dataset.fingerprint},
        "protocol": split.protocol,
        "validation": split.validation,
        "fingerprint": split.fingerprint,
        "tables": {name: {"rows": len(table), "sha256": digest({}, {name: table})} for name, table in tables.items()},
    }
    with new_folder(folder) as draft:
        for name, table in tables.items():
            table.to_parquet(draft / f"{name}.parquet")
        (draft / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1))


def load_split(folder: Path, dataset: CrossDomainDataset) -> Split:
    """Read a split that `save_split` wrote, equal in every part.

    Args:
        folder: where it lies.
        dataset: the data set that it divides (after `keep_overlap` that is the one of the split it returned).

    Raises:
        InputError: no split lies there, it divides another data set, has another format, or is damaged.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError(f'"{folder}" holds no frozen split (no {MANIFEST}); give a folder that save_split wrote')
    try:
        manifest = json.loads(path.read_text())
        if manifest["format"] != FORMAT:
            found = manifest["format"]
            raise InputError(f'"{path}" has format {found}, this version reads {FORMAT}; make the split again')
        _check_data_set(folder, manifest["data"], dataset)
        return _read(folder, manifest, dataset)
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(folder, " ".join(str(error).split())[:200]) from error


def _check_data_set(folder: Path, data: dict[str, str], dataset: CrossDomainDataset) -> None:
    if data["fingerprint"] != dataset.fingerprint:
        raise InputError(
            f'the split in "{folder}" divides data set "{data["name"]}" with fingerprint {data["fingerprint"][:12]}, '
            f'not "{dataset.name}" with {dataset.fingerprint[:12]}; load the data that it was made from'
        )


def _read(folder: Path, manifest: dict[str, Any], dataset: CrossDomainDataset) -> Split:
    if manifest["validation"] not in get_args(ValidationKind):
        raise _damaged(folder, f'validation is "{manifest["validation"]}"')
    known = {"train", "valid", "test", "cold_users", "train_links", "candidate_items"}
    tables: dict[str, pd.DataFrame] = {}
    for name in known & set(manifest["tables"]):
        tables[name] = pd.read_parquet(folder / f"{name}.parquet")
        if digest({}, {name: tables[name]}) != manifest["tables"][name]["sha256"]:
            raise _damaged(folder, f"the content of {name}.parquet is not what {MANIFEST} promises")
    split = Split(dataset, protocol=manifest["protocol"], validation=manifest["validation"], **tables)
    if split.fingerprint != manifest["fingerprint"]:
        raise _damaged(folder, f"the whole is not what {MANIFEST} promises")
    return split


def _damaged(folder: Path, problem: str) -> InputError:
    return InputError(f'the split in "{folder}" is damaged ({problem}); restore the folder or make the split again')
