"""Recommendations of any other program as a model: a table user_id, item_id, score."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from graph_schema.errors import InputError
from graph_schema.tables import Column, TableDefinition, validate
from kgxfer.audit.finding import counted
from kgxfer.recommender import Catalogue, RankingModel
from kgxfer.splits import Split

RECOMMENDATIONS = TableDefinition(
    "recommendations",
    (Column("user_id", "id"), Column("item_id", "id"), Column("score", "float")),
    unique=("user_id", "item_id"),
)
READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    # Ids stay text: "007" is no number, and "NA" not missing.
    ".csv": lambda path: pd.read_csv(path, dtype="str", keep_default_na=False),
    ".parquet": pd.read_parquet,
}


class Listed(RankingModel):
    """A user's listed items in the order of their scores; all others below them, all tied.

    Scores are kept as dense ranks from the bottom, 1 for a user's lowest, so that none are rounded into a tie; an item
    that is not listed scores 0. In the other domain, and for users without a list, everything is tied.

    Args:
        catalogue: ids and seen items of the split.
        domain: 0 for the source, 1 for the target.
        ranks: CSR float32 [users, items of the domain].
    """

    def __init__(self, catalogue: Catalogue, domain: int, ranks: sparse.csr_matrix) -> None:
        super().__init__(catalogue)
        self._domain, self._ranks = domain, ranks

    def score_places(self, domain: int, places: np.ndarray) -> np.ndarray:
        """See `RankingModel.score_places`."""
        if domain != self._domain:
            return np.zeros((len(places), len(self.catalogue.items[domain])), dtype=np.float32)
        scores: np.ndarray = self._ranks[places].toarray()
        return scores


def read_recommendations(
    path: Path, split: Split, domain: str, say: Callable[[str], None] = lambda line: None
) -> Listed:
    """Read a CSV or Parquet file with the columns user_id, item_id, score (higher is better) for one domain.

    Rows of users or items that the data set does not have are counted, said, and left out.

    Raises:
        InputError: the file is absent, unreadable or of another kind, a column is lacking, a value is missing or no
            finite number, a pair repeats, or no row is of a known user and item. The line names file, row and column.
    """
    Catalogue.of(split).domain_code(domain)  # an unknown domain is said before a long file is read
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f'recommendations "{path}": neither .csv nor .parquet; save the table as one of the two')
    if not path.is_file():
        raise InputError(f'recommendations "{path}" do not exist; give the path of a CSV or Parquet file')
    try:
        table = reader(path)
    except (OSError, ValueError) as error:
        problem = " ".join(str(error).split())
        raise InputError(f'recommendations "{path}" cannot be read ({problem}); write the file again') from error
    return listed_model(table, split, domain, f'file "{path}"', say)


def listed_model(
    table: pd.DataFrame, split: Split, domain: str, where: str = "recommendations",
    say: Callable[[str], None] = lambda line: None,
) -> Listed:
    """Make a model of a table; errors as in `read_recommendations`, `where` names the table in them."""
    rows = validate(table, RECOMMENDATIONS, where)
    catalogue = Catalogue.of(split)
    code = catalogue.domain_code(domain)
    user = catalogue.user_ids.get_indexer(rows["user_id"])
    item = catalogue.item_index(code).get_indexer(rows["item_id"])
    known = (user >= 0) & (item >= 0)
    strangers = [
        counted(rows.loc[place < 0, name].nunique(), f"unknown {name.partition('_')[0]}")
        for name, place in (("user_id", user), ("item_id", item)) if (place < 0).any()
    ]
    if strangers:
        text = f"{int((~known).sum()):,} of {len(rows):,} rows left out"
        say(f"{where}: {' and '.join(strangers)}, {text}")
    if not known.any():
        raise InputError(
            f'{where}: no row of a user and an item of "{domain}"; use the ids of data set "{split.dataset.name}"'
        )
    rank = rows["score"][known].groupby(user[known]).rank(method="dense").to_numpy(dtype=np.float32)
    shape = (len(catalogue.user_ids), len(catalogue.items[code]))
    ranks = sparse.csr_matrix((rank, (user[known], item[known])), shape=shape)
    tested = pd.Index(split.rows("test", domain)["user_id"].unique())
    without = len(tested) - int(tested.isin(rows["user_id"][known]).sum())
    if without:
        say(f"{where}: {without:,} of {len(tested):,} test users have no list, so that all items are tied for them")
    return Listed(catalogue, code, ranks)
