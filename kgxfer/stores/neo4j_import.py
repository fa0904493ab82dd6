"""A graph as the files of `neo4j-admin database import full`: the quickest way into a database that is new.

Each table has a file of names and types and one of rows. A missing value is an empty field, an empty text is quoted.
What is imported is what `Neo4jStore` reads; loading the same graph once more adds its constraints and indexes.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from graph_schema.ddl import GRAPH
from graph_schema.errors import InputError
from kgxfer.graph import KnowledgeGraph
from kgxfer.stores.contents import edge_table
from kgxfer.stores.neo4j_load import LoadSettings, batches, checked_nodes
from kgxfer.stores.neo4j_manifest import FORMAT, IMPORTED, said_of
from kgxfer.stores.neo4j_statements import MANIFEST
from kgxfer.stores.neo4j_tables import EDGE_COLUMNS
from loaders.files import new_folder

if TYPE_CHECKING:
    import pyarrow as pa

COMMAND = "command.txt"
SEPARATORS = ("\x1f", "\x1e", "\x1d", "\x1c")
"""What may stand between the values of a list: characters that hardly any text has."""

_TYPES = {"i": "long", "u": "long", "f": "double", "b": "boolean"}


def write_import(graph: KnowledgeGraph, folder: Path, name: str = "kgxfer", database: str = "neo4j") -> list[str]:
    """Write the files, and the command that reads them, into a new folder.

    Args:
        graph: what to write.
        folder: appears whole or not at all.
        name: of the graph in the database.
        database: must be new, and stopped.

    Returns:
        The words of the command; `command.txt` in the folder holds them too, for a shell.

    Raises:
        InputError: the folder exists, the disk is full, or Neo4j would refuse a name or key.
    """
    graph.schema.require_identifiers()
    nodes = checked_nodes(graph, name)
    separator = _separator(table for table in nodes.values())
    words = ["neo4j-admin", "database", "import", "full", database, "--id-type=integer", "--multiline-fields=true"]
    words += [f"--array-delimiter=U+{ord(separator):04X}"]
    with new_folder(folder) as draft:
        for kind, table in nodes.items():
            columns = {f":ID({kind})": table["row"], **_typed(table.assign(**{GRAPH: name}), separator)}
            words.append(f"--nodes={':'.join(graph.schema.ancestors(kind))}={_write(columns, draft, folder, kind)}")
        words.append(f"--nodes={MANIFEST}={_write(_manifest(graph, name, separator), draft, folder, 'graph')}")
        for number, (edge_type, edges) in enumerate(graph.edges.items()):
            head, relation, tail = edge_type
            table = edge_table(graph, edge_type)[[*EDGE_COLUMNS, *edges.properties.columns]]
            ends = {f":START_ID({head})": pd.Series(edges.head), f":END_ID({tail})": pd.Series(edges.tail)}
            files = _write({**ends, **_typed(table, separator)}, draft, folder, f"{number}-{relation}")
            words.append(f"--relationships={relation}={files}")
        (draft / COMMAND).write_text(shlex.join(words) + "\n", encoding="utf-8")
    return words


def _manifest(graph: KnowledgeGraph, name: str, separator: str) -> dict[str, pd.Series]:
    settings = LoadSettings()
    said = said_of(graph, settings)
    labels = separator.join(said.pop("labels"))
    numbers = {"format:long": FORMAT, "done:long": len(batches(graph, settings))}
    texts = {f"{key}:string": one for key, one in {GRAPH: name, "state": IMPORTED, **said}.items()}
    values: dict[str, Any] = {**numbers, "labels:string[]": labels, **texts}
    return {key: pd.Series([one]) for key, one in values.items()}


def _typed(table: pd.DataFrame, separator: str) -> dict[str, pd.Series]:
    """Columns under their names with types, as texts where the file needs a form of its own."""
    made = {}
    for name, column in table.items():
        kind = column.dtype.kind
        if kind == "O" and column.map(type).eq(list).any():
            made[f"{name}:string[]"] = column.map(separator.join, na_action="ignore")
        elif kind == "M":
            made[f"{name}:datetime{{timezone:UTC}}"] = _moments(column)
        else:
            made[f"{name}:{_TYPES.get(kind, 'string')}"] = column
    return made


def _moments(column: pd.Series) -> pd.Series:
    plain = column.dt.tz_convert("UTC").dt.tz_localize(None) if column.dt.tz is not None else column
    said = pd.Series(np.datetime_as_string(plain.to_numpy()), index=column.index, dtype=object) + "Z"
    return said.where(column.notna(), None)


def _separator(tables: Iterable[pd.DataFrame]) -> str:
    """A character that no list holds."""
    texts = {
        one
        for table in tables
        for _, column in table.items()
        if column.dtype == object
        for values in column
        if isinstance(values, list)
        for one in values
    }
    for separator in SEPARATORS:
        if not any(separator in text for text in texts):
            return separator
    raise InputError(f"the files of Neo4j's import have no separator for lists with all of {SEPARATORS!r}; mend a name")


def _write(columns: dict[str, pd.Series], draft: Path, folder: Path, name: str) -> str:
    """Write head and rows; the two files as the command names them, where the folder will be."""
    import pyarrow as pa
    from pyarrow import csv

    head, rows = f"{name}-head.csv", f"{name}-rows.csv"
    (draft / head).write_text(",".join(columns) + "\n", encoding="utf-8")
    arrays: dict[str, pa.Array] = {key: pa.array(column, from_pandas=True) for key, column in columns.items()}
    options = csv.WriteOptions(include_header=False, quoting_style="all_valid")
    csv.write_csv(pa.table(arrays), draft / rows, options)
    return ",".join(str(folder.resolve() / file) for file in (head, rows))
