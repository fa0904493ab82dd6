"""The value of every rank metric from the counts of `ranking.place_rows`, per row and per user.

*Per user* a metric looks at a user's positives together, as its definition says. *Per row* it looks at each positive as
the only one of a user, whose other positives are candidates like any other: the average that leave-one-out protocols
and papers with one list per test row report. Sampled ranking is per row by nature; per user it is the mean of the
user's rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from graph_schema.errors import InputError, unknown_name
from kgxfer.evaluation.metrics import (
    GRADED_METRICS,
    LIST_METRICS,
    WHOLE_LIST_METRICS,
    Array,
    ListMetric,
    Positives,
    Ties,
)
from kgxfer.evaluation.sampled import ROW_METRICS, WITHOUT_CUT, Pool

Average = Literal["per user", "per row"]

TIE_SHARE = "tie_share"
"""Share of rows whose positive scores the same as another candidate, whatever breaks the ties."""

FULL_METRICS: dict[str, ListMetric] = {**LIST_METRICS, **WHOLE_LIST_METRICS, **GRADED_METRICS}
NO_CUT = (*WHOLE_LIST_METRICS, *WITHOUT_CUT, TIE_SHARE)


def label(name: str, k: int) -> str:
    """A metric as figures name it: "ndcg@10", or without a k where it has none."""
    return name if name in NO_CUT else f"{name}@{k}"


@dataclass(frozen=True, eq=False)
class RankedRows:
    """Rows of one model in one domain, all of one group.

    Attributes:
        rows: user_id, item_id, rating (where the data have them), above, tied, candidates, positives_above,
            positives_tied, positives_other, as `place_rows` counts them; at least one row.
        negatives: of sampled ranking; 0: there is none.
        exclude_other_positives: whether the user's other positives are left out of the sampled pool.
        ties: how ties are broken.
    """

    rows: pd.DataFrame
    negatives: int = 0
    exclude_other_positives: bool = False
    ties: Ties = "uniform"

    @cached_property
    def users(self) -> pd.Index:
        """Users in the order of per-user values."""
        return pd.Index(self.rows["user_id"].unique(), name="user_id")

    @cached_property
    def _unresolved(self) -> Positives:
        user = pd.factorize(self.rows["user_id"])[0]
        rating = self.rows["rating"].to_numpy(dtype=np.float64) if "rating" in self.rows else None
        above, tied, candidates = (self.rows[name].to_numpy() for name in ("above", "tied", "candidates"))
        return Positives(user, above, tied, candidates, rating)

    @cached_property
    def positives(self) -> Positives:
        """The rows by user, ties broken as asked."""
        return self._unresolved.resolved(self.ties)

    @cached_property
    def _alone(self) -> Positives:
        return self._unresolved.each_alone().resolved(self.ties)

    @cached_property
    def pool(self) -> Pool:
        """What each row meets under sampled ranking; ties broken for or against it count as below or above."""
        above, tied, size = (self.rows[name].to_numpy() for name in ("above", "tied", "candidates"))
        tied, size = tied - 1, size - 1
        if self.exclude_other_positives:
            others = (self.rows[f"positives_{name}"].to_numpy() for name in ("above", "tied", "other"))
            above, tied, size = (count - other for count, other in zip((above, tied, size), others, strict=True))
        if self.ties != "uniform":
            above, tied = above + (tied if self.ties == "pessimistic" else 0), np.zeros_like(tied)
        return Pool(above, tied, size, self.negatives)

    @cached_property
    def _by_row(self) -> dict[str, Array]:
        """Values per row that were computed already; both averages need them."""
        return {}

    def metrics(self, k: int) -> list[str]:
        """Labels of all metrics that these rows have, full ranking first."""
        names = [*LIST_METRICS, *WHOLE_LIST_METRICS, *(GRADED_METRICS if "rating" in self.rows else ()), TIE_SHARE]
        return [label(name, k) for name in [*names, *(ROW_METRICS if self.negatives else ())]]

    def values(self, metric: str, average: Average) -> Array:
        """A metric's values, float [users] or [rows].

        Raises:
            InputError: an unknown metric, a k where there is none or none where there must be one, graded gains
                without ratings, or sampled ranking that was not asked for.
        """
        name, k = self._parsed(metric)
        if name in FULL_METRICS:
            return FULL_METRICS[name](self.positives if average == "per user" else self._alone, k)
        if metric not in self._by_row:
            tied = self.rows["tied"].to_numpy() > 1
            self._by_row[metric] = tied.astype(np.float64) if name == TIE_SHARE else ROW_METRICS[name](self.pool, k)
        found = self._by_row[metric]
        return found if average == "per row" else self.positives.per_user(found) / self.positives.relevant

    def _parsed(self, metric: str) -> tuple[str, int]:
        name, at, k = metric.partition("@")
        cut = bool(at) and k.isdigit() and int(k) > 0
        if name not in (*FULL_METRICS, *ROW_METRICS, TIE_SHARE) or cut == (name in NO_CUT) or bool(at) != cut:
            known = (*FULL_METRICS, *ROW_METRICS, TIE_SHARE)
            raise unknown_name("metric", metric, [label(other, 10) for other in known])
        if name in ROW_METRICS and not self.negatives:
            raise InputError(f'metric "{metric}" needs sampled ranking; evaluate with sampled_negatives above 0')
        if name in GRADED_METRICS and "rating" not in self.rows:
            raise InputError(f'metric "{metric}" needs ratings, which these rows do not have; take ndcg')
        return name, int(k or 0)
