"""Cold-start users: known in the other domain, absent from the one they are tested in."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import Field

from graph_schema.config import Config
from graph_schema.errors import InputError
from kgxfer.rng import numpy_generator
from kgxfer.splits.split import Roles, Split, ValidationKind, labelled_interactions, parts_of, user_keys
from loaders.dataset import CrossDomainDataset


class ColdStartUsersConfig(Config):
    """Settings: shares of the overlapping users, and the domains they are tested in ("source" tests the way back)."""

    test_share: float = Field(0.2, gt=0, lt=1)
    pseudo_cold_share: float = Field(0.1, ge=0, lt=1)
    domains: Roles = ("target",)


class ColdStartUsers:
    """Draw test users and pseudo-cold validation users among the overlapping users; no user is drawn twice.

    All rows of a drawn user in the tested domain leave the training part: into test for `test_share` of the
    overlapping users, into validation for `pseudo_cold_share`. Their rows in the other domain stay.
    """

    config_class = ColdStartUsersConfig

    def __init__(self, config: ColdStartUsersConfig | None = None, **settings: object) -> None:
        self.config = config or ColdStartUsersConfig.parse(settings, "split cold_start_users")

    def split(self, dataset: CrossDomainDataset, rng: int = 0) -> Split:
        """Divide a data set.

        Args:
            dataset: two domains.
            rng: the seed; the same seed gives the same split.

        Raises:
            InputError: too few overlapping users for the shares asked for, or no relevant test row.
        """
        rows = labelled_interactions(dataset)
        eligible = _users_with_relevant_rows_in_both(rows, dataset)
        tests, valids = self._counts(len(eligible), dataset)
        order = numpy_generator(rng, "cold-start users").permutation(eligible)
        part = np.zeros(len(rows), dtype=np.int8)
        cold = []
        keys = user_keys(rows)
        for role in self.config.domains:
            name = getattr(dataset, role).domain
            test_users, valid_users, order = order[:tests], order[tests : tests + valids], order[tests + valids :]
            part[keys.isin(pd.MultiIndex.from_product([[name], test_users]))] = 2
            part[keys.isin(pd.MultiIndex.from_product([[name], valid_users]))] = 1
            cold.append(pd.DataFrame({"domain": name, "user_id": np.sort(test_users)}))
        train, valid, test = parts_of(rows, part)
        protocol = f"cold-start users ({self.config.test_share:.0%} of the overlapping users, seed {rng})"
        kind: ValidationKind = "pseudo-cold users" if valids else "none"
        users = pd.concat(cold, ignore_index=True)
        return Split(dataset, train, valid, test, users, kind, protocol, dataset.links)

    def _counts(self, eligible: int, dataset: CrossDomainDataset) -> tuple[int, int]:
        tests = round(self.config.test_share * eligible)
        valids = round(self.config.pseudo_cold_share * eligible)
        if tests == 0 or (tests + valids) * len(self.config.domains) >= eligible:
            raise InputError(
                f'data set "{dataset.name}": {eligible} users have relevant interactions in both domains, which does '
                f"not allow {tests} test and {valids} validation users in {len(self.config.domains)} domain(s) with at "
                "least one left to learn from; change test_share or pseudo_cold_share, or link more users"
            )
        return tests, valids


def _users_with_relevant_rows_in_both(rows: pd.DataFrame, dataset: CrossDomainDataset) -> np.ndarray:
    relevant = rows[rows["relevant"]]
    users = [
        relevant.loc[relevant["domain"] == domain.domain, "user_id"].unique().astype(object)
        for domain in dataset.domains
    ]
    return np.sort(np.intersect1d(users[0], users[1]))
