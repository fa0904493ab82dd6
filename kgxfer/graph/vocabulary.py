"""From external ids to row numbers and back, for the nodes of one type."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The nodes of one type.

    Attributes:
        keys: one line per (domain, id): columns domain (int8; 0 source, 1 target), id (str), row (int64), name (str,
            may be missing), and what else is known of the nodes under the schema's names for it, such as year. Several
            keys share a row where nodes of both domains were collapsed into one.
        size: number of rows.
    """

    keys: pd.DataFrame
    size: int

    def rows(self, domain: int, ids: pd.Series | np.ndarray | list[str]) -> np.ndarray:
        """Row of each id in one domain, int64; -1 for an id that the domain does not have."""
        index, rows = self._lookup[domain]
        places = index.get_indexer(pd.Index(pd.array(ids, dtype="str")))
        return np.where(places >= 0, rows[places] if len(rows) else -1, -1)

    @cached_property
    def _lookup(self) -> tuple[tuple[pd.Index, np.ndarray], ...]:
        of_domain = [self.keys[self.keys["domain"] == domain] for domain in (0, 1)]
        return tuple((pd.Index(keys["id"]), keys["row"].to_numpy()) for keys in of_domain)

    @cached_property
    def membership(self) -> np.ndarray:
        """Bool [2, size]: which rows have a key in the source and in the target domain."""
        member = np.zeros((2, self.size), dtype=bool)
        member[self.keys["domain"].to_numpy(), self.keys["row"].to_numpy()] = True
        return member

    @cached_property
    def first_keys(self) -> pd.DataFrame:
        """One key per row, the source domain's where there are two, in the order of the rows."""
        ordered = self.keys.sort_values(["row", "domain"], kind="stable").drop_duplicates("row")
        return ordered.reset_index(drop=True)

    def equals(self, other: Vocabulary) -> bool:
        """Whether both have the same keys in the same order."""
        return self.size == other.size and self.keys.equals(other.keys)
