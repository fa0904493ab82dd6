"""What can be audited by name: the links of a data set, of a user's own data, or of a table in a file."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pandas as pd

import loaders
from graph_schema.errors import InputError
from graph_schema.tables import LINKS, validate
from kgxfer.bridges.review import restored
from kgxfer.experiment.config import GraphConfig, load_config
from kgxfer.splits import ColdStartUsers, FixedFiles, Ratio, Split
from loaders import CrossDomainDataset
from loaders.own import read_table
from loaders.own.bad_lines import refuse_bad_lines
from loaders.own.given_links import confidences

NEEDED = ("source_id", "target_id", "node_type")


def is_run(target: str) -> bool:
    """Whether a name is the path of a run's configuration: a TOML file with a table `data`, which no map has."""
    path = Path(target)
    if not loaders.is_column_map(path) or not path.is_file():
        return False
    try:
        return "data" in tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):  # Whoever reads it says what is wrong with it.
        return False


def run_split(
    path: Path, root: Path | None = None, say: Callable[[str], None] = lambda line: None
) -> tuple[Split, GraphConfig]:
    """The split of a run, as what it tests is fitted on, and which bridges it asks, with their settings.

    Raises:
        InputError: a mistake in the configuration, a `root` where it names a column map, or data that cannot be loaded.
    """
    config = load_config(path)
    data = config.data
    if root is not None:
        data = data.parse({**data.model_dump(), "root": str(root)}, f'configuration "{path}", data')
    split = config.split.of(data.load(say), config.seed)
    return (split.for_refit() if config.split.refit else split), config.graph


def default_split(dataset: CrossDomainDataset, seed: int = 0) -> Split:
    """The split whose training part bridges read: what is published, else cold-start users, else a ratio of rows.

    Validation rows are training rows here, where they may be: nothing is chosen on them.
    """
    if "test" in dataset.fixed:
        return FixedFiles().split(dataset, rng=seed)
    try:
        return ColdStartUsers().split(dataset, rng=seed).for_refit()
    except InputError:  # hardly anybody is in both domains
        return Ratio(valid_share=0.0).split(dataset, rng=seed)


def read_links(path: Path, say: Callable[[str], None] = lambda line: None) -> dict[str, pd.DataFrame]:
    """Read a link table, CSV, JSON lines or Parquet, as tables by method.

    Needed are source_id, target_id and node_type; confidence is 1 where the file has none, the method the file's name.

    Raises:
        InputError: the file is absent or unreadable, a column is lacking, or a value is none; names the line.
    """
    raw = read_table(path)
    refuse_bad_lines(raw)
    table = raw.frame.apply(lambda column: restored(column) if column.dtype == "str" else column)
    lacking = next((name for name in NEEDED if name not in table), None)
    if lacking is not None:
        raise InputError(
            f'links "{path}" have no column "{lacking}"; needed are {", ".join(NEEDED)}, there are '
            f"{', '.join(map(str, table.columns))}"
        )
    defaults = {"method": path.stem, "evidence": None}
    table = table.assign(**{name: value for name, value in defaults.items() if name not in table})
    table["confidence"] = confidences(raw)
    links = validate(table[[name for name in LINKS.names if name in table]], LINKS, f'file "{path}"')
    say(f'"{path}": {len(links):,} links')
    groups = links.groupby("method", sort=False) if len(links) else [(path.stem, links)]
    return {str(method): rows.reset_index(drop=True) for method, rows in groups}

