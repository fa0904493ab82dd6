"""Pairs of domains whose published files hold nothing but numbers: rows ``user <tab> item``, without header.

The files of a domain lie in ``<domain>_<other domain>/<part>.txt``. The id rule: with n common users, ids 0..n-1 are
the same person in both domains; ids from n on are numbered in each domain separately and are different people although
the numbers coincide. Shared ids become "u<id>", the others "<domain>:<id>". Item ids are numbered per domain too: item
"0" of one domain has nothing to do with "0" of the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from graph_schema.tables import FACTS
from loaders.dataset import CrossDomainDataset, DataCard, DomainTables
from loaders.download import RemoteFile, locate, read_content
from loaders.pairing import FIXED_COLUMNS, assert_counts, pair


@dataclass(frozen=True)
class Collection:
    """What the pairs of one publication have in common.

    Attributes:
        name: beginning of the data sets' names.
        title: what is said of a pair after the names of its domains.
        folder: where the files lie below the root folder.
        files: the names of a domain's files, without ".txt".
        sha256: file -> checksum of its content.
    """

    name: str
    title: str
    folder: str
    origin: str
    citation: str
    files: tuple[str, ...]
    sha256: Mapping[str, str]


@dataclass(frozen=True)
class IndexedPair:
    """One pair of domains: the number of common users, the counts of its files, and how to load them."""

    collection: ClassVar[Collection]

    source: str
    target: str
    common_users: int
    size_bytes: int
    counts: Mapping[str, int]

    @property
    def name(self) -> str:
        """The name in the registry."""
        return f"{self.collection.name}-{self.source}-{self.target}"

    @property
    def parts(self) -> dict[str, str]:
        """Which file holds which part: "train", and the held-out parts of `CrossDomainDataset.fixed`."""
        return {part: part for part in self.collection.files}

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """All files, those of the source domain first, each in the order of the collection."""
        return (*self._files_of(self.source, self.target), *self._files_of(self.target, self.source))

    @property
    def card(self) -> DataCard:
        """Origin, terms and exact counts."""
        return DataCard(
            name=self.name,
            title=f"Amazon {self.source.title()}-{self.target.title()}, {self.collection.title}",
            url=f"{self.collection.origin}/{self.source}_{self.target}",
            sha256={file.file: file.sha256 for file in self.files},
            size_bytes=self.size_bytes,
            licence="MIT (the repository's; the reviews behind it are Amazon's)",
            redistributable=False,
            citation=self.collection.citation,
            counts=self.counts,
        )

    def load(self, root: Path) -> CrossDomainDataset:
        """Load both domains: interactions are those of all parts; `fixed` says which rows are held out.

        Raises:
            InputError: files that are absent and cannot be fetched, damaged, or of other counts than the card's.
        """
        needed = set(self.parts.values())
        files = [file for file in self.files if Path(file.file).stem in needed]
        return self.parse({file.file: read_content(locate(root, file), file.sha256) for file in files})

    def parse(self, contents: Mapping[str, bytes]) -> CrossDomainDataset:
        """Make the data set from the contents of the files, keyed as in the card; InputError on other counts."""
        rows = {
            domain: {
                part: self._rows(domain, contents[f"{domain}_{other}/{file}.txt"]) for part, file in self.parts.items()
            }
            for domain, other in ((self.source, self.target), (self.target, self.source))
        }
        fixed = {
            part: pd.concat([parts[part].assign(domain=domain) for domain, parts in rows.items()])[FIXED_COLUMNS]
            for part in self.parts
            if part != "train"
        }
        source, target = (self._tables(domain, pd.concat(parts.values())) for domain, parts in rows.items())
        return assert_counts(pair(self.name, source, target, fixed=fixed), self.card)

    def _files_of(self, domain: str, other: str) -> tuple[RemoteFile, ...]:
        shared = self.collection
        names = [f"{domain}_{other}/{file}.txt" for file in shared.files]
        return tuple(
            RemoteFile(shared.folder, name, f"{shared.origin}/{name}", shared.sha256[name]) for name in names
        )

    def _rows(self, domain: str, content: bytes) -> pd.DataFrame:
        """Read the first two columns; a third, where there is one, is 1 throughout."""
        names = ["user", "item"]
        raw = pd.read_csv(BytesIO(content), sep="\t", header=None, usecols=[0, 1], names=names, dtype=np.int64)
        user_ids = raw["user"].astype("str")
        shared = raw["user"] < self.common_users
        return pd.DataFrame(
            {
                "user_id": ("u" + user_ids).where(shared, f"{domain}:" + user_ids),
                "item_id": raw["item"].astype("str"),
                "user_number": raw["user"],
                "item_number": raw["item"],
            }
        )

    def _tables(self, domain: str, rows: pd.DataFrame) -> DomainTables:
        """Make the tables of a domain; users and items come in the order of the origin's numbers."""
        users = rows[["user_number", "user_id"]].drop_duplicates().sort_values("user_number")
        items = rows[["item_number", "item_id"]].drop_duplicates().sort_values("item_number")
        return DomainTables(
            domain=domain,
            item_type="Product",
            users=users[["user_id"]],
            items=items[["item_id"]].assign(item_type="Product"),
            interactions=rows[["user_id", "item_id"]],
            facts=FACTS.empty(),
            card=self.card,
        )


def counts_of_files(domain: str, *, users: int, items: int, train: int, **held_out: int) -> dict[str, int]:
    """Expected counts of one domain as a card states them; `held_out` are the rows of its other parts by name."""
    values = {"users": users, "items": items, "interactions": train + sum(held_out.values()), **held_out}
    return {f"{domain}.{key}": value for key, value in values.items()}
