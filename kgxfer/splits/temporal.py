"""Temporal: what came later is tested, what came before is learned from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from graph_schema.config import Config
from graph_schema.errors import InputError
from kgxfer.rng import numpy_generator
from kgxfer.splits.per_user import last_shares, places_of, timed
from kgxfer.splits.split import Split, ValidationKind, cold_users, labelled_interactions, parts_of
from loaders.dataset import CrossDomainDataset


class TemporalConfig(Config):
    """Settings.

    With the `cut` "global" one moment divides the rows of both domains: `test_from`, or else the moment from which
    `test_share` of the target's rows lie; validation rows begin at `valid_from`, or else so that `valid_share` of the
    target's rows lie between. With "per_user" the last `test_share` of each user's rows in each domain are tested.
    Times without a zone are in UTC.
    """

    cut: Literal["global", "per_user"] = "global"
    test_share: float = Field(0.1, gt=0, lt=1)
    valid_share: float = Field(0.1, ge=0, lt=1)
    test_from: datetime | None = None
    valid_from: datetime | None = None

    @model_validator(mode="after")
    def _moments_fit(self) -> Self:
        if self.cut == "per_user" and (self.test_from or self.valid_from):
            raise ValueError('test_from and valid_from belong to the cut "global"; leave them out')
        if self.valid_from and not self.test_from:
            raise ValueError("valid_from needs test_from; give both")
        if self.test_from and self.valid_from and _moment(self.valid_from) >= _moment(self.test_from):
            raise ValueError("valid_from has to lie before test_from")
        return self


class Temporal:
    """Hold out the latest rows of both domains, relevant or not.

    Both are cut: a source row from after the moment would tell a model about the future. Under a global cut some test
    users, and some test items, have no training row; these users are listed as cold, and `Split.for_refit`, which adds
    the validation rows, makes some of them warm. Under a per-user cut a user's rows can be later than other users'
    test rows, which only the global cut prevents. Rows of equal time fall on one side of a global cut; within a user a
    draw decides.
    """

    config_class = TemporalConfig

    def __init__(self, config: TemporalConfig | None = None, **settings: object) -> None:
        self.config = config or TemporalConfig.parse(settings, "split temporal")

    def split(self, dataset: CrossDomainDataset, rng: int = 0) -> Split:
        """Divide a data set; `rng` only orders rows of equal time within a user.

        Raises:
            InputError: a domain has no timestamps, or a part that is needed comes out empty.
        """
        rows = labelled_interactions(dataset)
        untimed = [domain for domain, known in timed(rows).items() if not known]
        if untimed:
            raise InputError(
                f'data set "{dataset.name}": domain "{untimed[0]}" has no timestamps, which the split "temporal" '
                'needs; use "leave_one_out" or "ratio"'
            )
        if self.config.cut == "global":
            part, words = self._global(rows, dataset.target.domain)
        else:
            from_end, size = places_of(rows, numpy_generator(rng, "temporal"), by_time=True)
            part = last_shares(from_end, size, self.config.test_share, self.config.valid_share)
            words = f"the last {self.config.test_share:.0%} of each user's rows, seed {rng}"
        train, valid, test = parts_of(rows, part)
        kind: ValidationKind = "none"
        if len(valid):
            kind = "rows of an earlier time" if self.config.cut == "global" else "rows of warm users"
        protocol = f"temporal ({words})"
        return Split(dataset, train, valid, test, cold_users(train, test), kind, protocol, dataset.links)

    def _global(self, rows: pd.DataFrame, target: str) -> tuple[np.ndarray, str]:
        """Part of each row, int8 [rows], and the cut in words."""
        times = np.sort(rows.loc[rows["domain"] == target, "timestamp"].to_numpy())
        tests = round(self.config.test_share * len(times))
        test_from = _moment(self.config.test_from) if self.config.test_from else _from_end(times, tests)
        later = len(times) - int(np.searchsorted(times, test_from))
        valids = round(self.config.valid_share * len(times))
        valid_from = _moment(self.config.valid_from) if self.config.valid_from else _from_end(times, later + valids)
        moments = rows["timestamp"].to_numpy()
        part = (moments >= test_from).astype(np.int8) * 2
        part[(moments >= valid_from) & (moments < test_from)] = 1
        return part, f"rows from {pd.Timestamp(test_from)} on"


def _from_end(times: np.ndarray, count: int) -> np.datetime64:
    """The moment from which at least `count` of the sorted times lie; after the last one for a count of 0."""
    if count == 0:
        return np.datetime64(times[-1] + np.timedelta64(1, "us"))
    return np.datetime64(times[max(len(times) - count, 0)])


def _moment(value: datetime) -> np.datetime64:
    return np.datetime64(value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value, "us")
