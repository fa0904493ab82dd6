"""Ratio: a drawn share of each user's rows."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from graph_schema.config import Config
from kgxfer.rng import numpy_generator
from kgxfer.splits.per_user import last_shares, places_of
from kgxfer.splits.split import Roles, Split, ValidationKind, cold_users, labelled_interactions, parts_of
from loaders.dataset import CrossDomainDataset


class RatioConfig(Config):
    """Settings: shares of each user's rows in each tested domain."""

    test_share: float = Field(0.2, gt=0, lt=1)
    valid_share: float = Field(0.1, ge=0, lt=1)
    domains: Roles = ("target",)


class Ratio:
    """Draw test and validation rows among the rows of each user, relevant or not; the users are warm.

    Shares are rounded to whole rows, a half upwards, and one row always stays in training: users with one row, or with
    too few for the share to reach half a row, are not tested.
    """

    config_class = RatioConfig

    def __init__(self, config: RatioConfig | None = None, **settings: object) -> None:
        self.config = config or RatioConfig.parse(settings, "split ratio")

    def split(self, dataset: CrossDomainDataset, rng: int = 0) -> Split:
        """Divide a data set.

        Args:
            dataset: two domains.
            rng: the seed; the same seed gives the same split.

        Raises:
            InputError: no user has enough rows for a test row.
        """
        rows = labelled_interactions(dataset)
        names = [getattr(dataset, role).domain for role in self.config.domains]
        wanted = np.flatnonzero(rows["domain"].isin(names))
        from_end, size = places_of(rows.iloc[wanted], numpy_generator(rng, "ratio"), by_time=False)
        part = np.zeros(len(rows), dtype=np.int8)
        part[wanted] = last_shares(from_end, size, self.config.test_share, self.config.valid_share)
        train, valid, test = parts_of(rows, part)
        kind: ValidationKind = "rows of warm users" if len(valid) else "none"
        protocol = f"ratio ({self.config.test_share:.0%} of each user's rows, seed {rng})"
        return Split(dataset, train, valid, test, cold_users(train, test), kind, protocol, dataset.links)
