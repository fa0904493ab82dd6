"""A model whose scores are written down, and a world with twins, for the tests of evaluation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from kgxfer.recommender import Catalogue, RankingModel
from kgxfer.splits import Split
from tests.worlds import split_of

Score = Callable[[str, str, str], float]


class Scored(RankingModel):
    """A model whose score of (domain, user, item) is written down."""

    def __init__(self, split: Split, score: Score) -> None:
        super().__init__(Catalogue.of(split))
        self._score = score

    def score_places(self, domain: int, places: np.ndarray) -> np.ndarray:
        name, items = self.catalogue.domain_names[domain], self.catalogue.item_index(domain)
        users = self.catalogue.user_ids[places]
        return np.array([[self._score(name, user, item) for item in items] for user in users], dtype=np.float32)


def of_rows(rows: pd.DataFrame, high: float = 1.0) -> Score:
    liked = set(zip(rows["domain"], rows["user_id"], rows["item_id"], strict=True))
    return lambda *cell: high if cell in liked else 0.0


def twin_world() -> tuple[Split, pd.DataFrame]:
    """b1 and f1 are twins, b2 and f2 too; zoe, cold in films, has b1 and is tested on f1 and f3; yan has no twin."""
    source = {"ann": "b1 b2", "bob": "b1 b2", "cem": "b3", "zoe": "b1", "yan": "b3"}
    target = {"ann": "f1 f2", "bob": "f1 f2", "cem": "f4 f5", "zoe": "f1 f3", "yan": "f2"}
    split = split_of(source, target, {"films": {"zoe": "f1 f3", "yan": "f2"}})
    return split, pd.DataFrame({"source_id": ["b1", "b2"], "target_id": ["f1", "f2"]})
