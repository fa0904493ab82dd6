"""Leave-one-out: one row of every user who has enough of them."""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import Field, model_validator

from graph_schema.config import Config
from kgxfer.rng import numpy_generator
from kgxfer.splits.per_user import places_of, timed
from kgxfer.splits.split import Roles, Split, ValidationKind, cold_users, labelled_interactions, parts_of
from loaders.dataset import CrossDomainDataset


class LeaveOneOutConfig(Config):
    """Settings.

    `validation` takes one more row per user to choose on. Users with at least `minimum_rows` relevant rows in the
    domain are tested; one has to be left to learn from.
    """

    validation: bool = True
    minimum_rows: int = Field(3, ge=2)
    domains: Roles = ("target",)

    @model_validator(mode="after")
    def _a_row_is_left(self) -> Self:
        if self.validation and self.minimum_rows < 3:
            raise ValueError("with validation minimum_rows has to be at least 3, so that a row is left to learn from")
        return self


class LeaveOneOut:
    """The last relevant row of each eligible user is the test row, the one before it the validation row.

    Last is by time where a domain has timestamps (a draw decides among equal ones); otherwise the rows are drawn. The
    users are warm. Rows that are not relevant stay in training.
    """

    config_class = LeaveOneOutConfig

    def __init__(self, config: LeaveOneOutConfig | None = None, **settings: object) -> None:
        self.config = config or LeaveOneOutConfig.parse(settings, "split leave_one_out")

    def split(self, dataset: CrossDomainDataset, rng: int = 0) -> Split:
        """Divide a data set.

        Args:
            dataset: two domains.
            rng: the seed; the same seed gives the same split.

        Raises:
            InputError: no user has enough rows in the tested domains.
        """
        rows = labelled_interactions(dataset)
        names = [getattr(dataset, role).domain for role in self.config.domains]
        wanted = np.flatnonzero(rows["domain"].isin(names) & rows["relevant"])
        has_times = timed(rows)
        chosen = rows.iloc[wanted]
        from_end, size = places_of(chosen, numpy_generator(rng, "leave-one-out"), any(has_times.values()))
        held = np.where(from_end == 0, 2, (from_end == 1) & self.config.validation)
        part = np.zeros(len(rows), dtype=np.int8)
        part[wanted] = np.where(size >= self.config.minimum_rows, held, 0)
        train, valid, test = parts_of(rows, part)
        order = ", ".join(f"{name}: {'last by time' if has_times[name] else f'drawn, seed {rng}'}" for name in names)
        kind: ValidationKind = "rows of warm users" if len(valid) else "none"
        protocol = f"leave-one-out ({order})"
        return Split(dataset, train, valid, test, cold_users(train, test), kind, protocol, dataset.links)
