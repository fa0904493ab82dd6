"""Links that a person decides on: uncertain ones go to a CSV file, and come back accepted, rejected or undecided.

The file is made for spreadsheets, which run what looks like a formula: cells that begin with = + - @ are written with
an apostrophe before them, which reading takes off again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from graph_schema.errors import InputError, unknown_name
from graph_schema.tables import LINKS, validate
from loaders.dataset import CrossDomainDataset, DomainTables
from loaders.files import new_file
from loaders.fingerprint import file_sha256
from loaders.own import read_table
from loaders.own.bad_lines import refuse_bad_lines
from loaders.pairing import entities_of

KEY = ["source_id", "target_id", "node_type"]
REVIEW_COLUMNS = (
    "source_id", "source_name", "target_id", "target_name", "node_type", "confidence", "method", "evidence", "reasons",
    "decision", "comment",
)
NEEDED = (*KEY, "decision")
ACCEPT, REJECT = "accept", "reject"
REVIEWED = " (reviewed)"
"""Added to the method of a link that a person accepted."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""First characters of a cell that need an apostrophe before them: formulas to a spreadsheet, and the apostrophe."""

Undecided = Literal["leave", "stay"]


@dataclass(frozen=True, eq=False)
class Review:
    """What was decided: source_id, target_id, node_type, decision ("accept", "reject" or empty), each pair once."""

    path: Path
    sha256: str
    decisions: pd.DataFrame

    def record(self, proposed: pd.DataFrame) -> dict[str, Any]:
        """What a manifest says: the file, its checksum, and how many proposed links it decided on.

        Decisions on pairs that nothing proposes are counted as such; they have no effect.
        """
        decided = self.decisions[self.decisions["decision"] != ""]
        known = pd.MultiIndex.from_frame(decided[KEY]).isin(pd.MultiIndex.from_frame(proposed[KEY]))
        counts = decided["decision"][known].value_counts()
        return {
            "file": self.path.name, "sha256": self.sha256, "accepted": int(counts.get(ACCEPT, 0)),
            "rejected": int(counts.get(REJECT, 0)), "not proposed": int((~known).sum()),
        }


def write_review(table: pd.DataFrame, path: Path) -> None:
    """Write links for a person to decide on; the file appears complete or not at all.

    Args:
        table: a link table, and where known the other columns of `REVIEW_COLUMNS`; those that are absent stay empty.
        path: a CSV file that does not exist yet, so that no decision is overwritten.

    Raises:
        InputError: the file exists, or cannot be written.
    """
    refuse_existing(path)
    shown = table.reindex(columns=list(REVIEW_COLUMNS))
    shown["confidence"] = shown["confidence"].map("{:.4g}".format, na_action="ignore")
    text = shown.astype(object).where(shown.notna(), "").astype("str").apply(_guarded)
    with new_file(path) as draft:
        # The mark at the start tells spreadsheets that the text is UTF-8.
        text.to_csv(draft, index=False, encoding="utf-8-sig", lineterminator="\n")


def refuse_existing(path: Path) -> None:
    """Refuse to write a review where something lies already: it may hold decisions."""
    if path.exists():
        raise InputError(f'"{path}" exists already and may hold decisions; give another file or move it away')


def read_review(path: Path, dataset: CrossDomainDataset | None = None, sha256: str | None = None) -> Review:
    """Read and check a review file, separated by commas or, as some spreadsheets save it, semicolons or tabs.

    Args:
        path: a file that `write_review` made and a person edited; other columns than ids, type and decision are free.
        dataset: where given, ids have to be nodes of it.
        sha256: where given, the checksum that the file has to have.

    Raises:
        InputError: the file is absent, unreadable or another than expected, a column is lacking, a decision is neither
            empty nor accept nor reject, a pair is decided twice and differently, or an id is unknown; names the line.
    """
    if not path.is_file():
        raise InputError(f'review "{path}" does not exist; `kgxfer bridge audit --review` writes one')
    found = file_sha256(path)
    if sha256 is not None and found != sha256:
        raise InputError(f'review "{path}" is not the file that was used before; restore it, or start anew')
    table, lines = _parsed(path)
    table["decision"] = table["decision"].str.strip().str.lower()
    wrong = ~table["decision"].isin(["", ACCEPT, REJECT]).to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        raise unknown_name(
            f'decision in review "{path}", line {lines[row]}:', table["decision"].iloc[row], [ACCEPT, REJECT, "(empty)"]
        )
    table, lines = _one_each(table, lines, path)
    if dataset is not None:
        _check_ids(table, lines, path, dataset)
    return Review(path, found, table[list(NEEDED)].reset_index(drop=True))


def apply_review(
    links: pd.DataFrame, review: Review | None = None, minimum_confidence: float = 0.0, undecided: Undecided = "leave"
) -> pd.DataFrame:
    """Keep what is certain enough and what a person accepted.

    Pairs that the file accepts but no bridge proposes are not added: what was proposed from the training rows of
    another split would carry over what that split knew. Links known by hand belong into the data set's own table.

    Args:
        links: a link table.
        review: decisions; accepted links get confidence 1 and "(reviewed)" after their method, rejected ones leave.
        minimum_confidence: links below it, and without a decision, are undecided.
        undecided: whether those "leave" or "stay".
    """
    keys = pd.MultiIndex.from_frame(links[KEY])
    decision = np.full(len(links), "", dtype=object)
    if review is not None and len(review.decisions):
        decision = review.decisions.set_index(KEY)["decision"].reindex(keys).to_numpy(dtype=object)
    accepted = decision == ACCEPT
    stays = accepted | (decision != REJECT) & (
        (links["confidence"].to_numpy() >= minimum_confidence) | (undecided == "stay")
    )
    method = links["method"].where(~accepted, links["method"] + REVIEWED)
    settled = links.assign(confidence=links["confidence"].where(~accepted, 1.0), method=method)[stays]
    return validate(settled, LINKS, "reviewed links")


def node_ids(tables: DomainTables, dataset: CrossDomainDataset) -> pd.MultiIndex:
    """Every (kind, id) that links of a domain may name: kind is "User", "Item", or the type of an entity."""
    entities = entities_of(tables, dataset.schema)
    parts = [
        pd.DataFrame({"kind": "User", "id": tables.users["user_id"]}),
        pd.DataFrame({"kind": "Item", "id": tables.items["item_id"]}),
        pd.DataFrame({"kind": entities["node_type"], "id": entities["node_id"]}),
    ]
    return pd.MultiIndex.from_frame(pd.concat(parts, ignore_index=True).astype(object))


def kinds_of(node_types: pd.Series, dataset: CrossDomainDataset) -> pd.Series:
    """What `node_ids` calls these node types; a type that the schema lacks stays as it is."""
    schema = dataset.schema
    roots = {name: schema.root(name) if name in schema.names else name for name in node_types.unique()}
    return node_types.map({name: root if root in ("User", "Item") else name for name, root in roots.items()})


def _guarded(column: pd.Series) -> pd.Series:
    """Cells as a spreadsheet may see them, each on one line."""
    one_line = column.str.replace(r"[\r\n]+", " ", regex=True)
    return one_line.where(~one_line.str.startswith(FORMULA), "'" + one_line)


def restored(column: pd.Series) -> pd.Series:
    """Cells as they were before `write_review` put apostrophes before what looks like a formula."""
    guarded = column.str.startswith("'") & column.str.slice(1).str.startswith(FORMULA)
    return column.where(~guarded, column.str.slice(1))


def _parsed(path: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """The cells as text, and the line of each row; rows without any content are passed over."""
    raw = read_table(path, format="csv", header=True)
    refuse_bad_lines(raw)
    table = raw.frame.rename(columns=str.strip)
    lacking = [name for name in NEEDED if name not in table]
    if lacking:
        raise InputError(f'review "{path}", line 1: no column "{lacking[0]}"; needed: {", ".join(NEEDED)}')
    table = table.astype("str").fillna("")
    filled = (table != "").any(axis=1).to_numpy()
    lines = np.arange(len(table)) + 2 if raw.lines is None else raw.lines
    return table[filled].reset_index(drop=True).apply(restored), lines[filled]


def _one_each(table: pd.DataFrame, lines: np.ndarray, path: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Each pair once; one that is there twice must have one decision."""
    group = table.groupby(KEY, sort=False)["decision"]
    if (group.nunique() > 1).any():
        mixed = (group.transform("nunique") > 1).to_numpy()
        row = int(mixed.argmax())
        same = (table[KEY] == table[KEY].iloc[row]).all(axis=1) & (table["decision"] != table["decision"].iloc[row])
        raise InputError(
            f'review "{path}", lines {lines[row]} and {lines[int(same.to_numpy().argmax())]}: two decisions on '
            f'"{table["source_id"].iloc[row]}" and "{table["target_id"].iloc[row]}"; keep one'
        )
    first = ~table.duplicated(KEY).to_numpy()
    return table[first], lines[first]


def _check_ids(table: pd.DataFrame, lines: np.ndarray, path: Path, dataset: CrossDomainDataset) -> None:
    kinds = kinds_of(table["node_type"], dataset).astype(object)
    for tables, column in zip(dataset.domains, ("source_id", "target_id"), strict=True):
        keys = pd.MultiIndex.from_arrays([kinds, table[column].astype(object)])
        unknown = ~keys.isin(node_ids(tables, dataset))
        if unknown.any():
            row = int(unknown.argmax())
            raise InputError(
                f'review "{path}", line {lines[row]}: {column} "{table[column].iloc[row]}" is no '
                f'{table["node_type"].iloc[row]} of domain "{tables.domain}"; spreadsheets change ids such as 007 or '
                "1e5 when they open them: restore the id"
            )
