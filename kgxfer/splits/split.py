"""The value every protocol makes: which interactions may be learned from, chosen on, and looked at last."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from graph_schema.errors import InputError
from loaders.dataset import CrossDomainDataset

ValidationKind = Literal["pseudo-cold users", "pseudo-cold users, then refitted", "rows of the test users", "none"]


@dataclass(frozen=True, eq=False)
class Split:
    """A data set divided into training, validation and test rows.

    Rows have the columns domain, user_id, item_id, relevant (bool), and rating and timestamp where the data have them.
    Rows that are not relevant (ratings below the data set's threshold) are known to the seen filter and to rating
    metrics; the graph and the ranking metrics use the relevant ones.

    Attributes:
        cold_users: domain, user_id of the test users, who have no training row in that domain.
        validation: whose rows `valid` holds. Choosing on the test users' own rows flatters claims about new users, so
            reports name it.
        protocol: the protocol in words, for reports.
    """

    dataset: CrossDomainDataset
    train: pd.DataFrame
    valid: pd.DataFrame
    test: pd.DataFrame
    cold_users: pd.DataFrame
    validation: ValidationKind
    protocol: str
    train_links: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __post_init__(self) -> None:
        """Refuse a split that cannot be evaluated or learned from."""
        if not self.test["relevant"].any():
            raise InputError(
                f"{self.protocol}: the test set has no relevant row; hold out more users or lower the rating threshold"
            )
        for domain in self.dataset.domains:
            if not (self.train["relevant"] & (self.train["domain"] == domain.domain)).any():
                raise InputError(
                    f'{self.protocol}: domain "{domain.domain}" keeps no training row; hold out fewer users'
                )

    @cached_property
    def evaluated_domains(self) -> list[str]:
        """Domains with relevant test rows, source first."""
        present = set(self.test.loc[self.test["relevant"], "domain"])
        return [domain.domain for domain in self.dataset.domains if domain.domain in present]

    def for_refit(self) -> Split:
        """The same split once everything is chosen: the pseudo-cold users' rows are training rows again.

        Raises:
            InputError: validation rows are the test users' own, which would make these users warm, or there are none.
        """
        if self.validation != "pseudo-cold users":
            raise InputError(
                f"{self.protocol}: fitting again needs pseudo-cold validation users, and choosing here was on: "
                f"{self.validation}; hide pseudo-cold users, or do without the refit"
            )
        train = pd.concat([self.train, self.valid], ignore_index=True)
        nothing = self.valid.iloc[:0].reset_index(drop=True)
        return replace(self, train=train, valid=nothing, validation="pseudo-cold users, then refitted")

    def rows(self, part: Literal["train", "valid", "test"], domain: str, relevant: bool = True) -> pd.DataFrame:
        """Rows of one part in one domain; only the relevant ones unless told otherwise."""
        table: pd.DataFrame = getattr(self, part)
        keep = table["domain"] == domain
        return table[keep & table["relevant"]] if relevant else table[keep]


def labelled_interactions(dataset: CrossDomainDataset) -> pd.DataFrame:
    """All interactions of both domains in one table, with the columns `domain` and `relevant`."""
    tables = []
    for domain in dataset.domains:
        table = domain.interactions.copy()
        table.insert(0, "domain", domain.domain)
        if dataset.positive_from is not None and "rating" in table:
            table["relevant"] = table["rating"] >= dataset.positive_from
        else:
            table["relevant"] = True
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def hide_pseudo_cold(split: Split, share: float, generator: np.random.Generator) -> Split:
    """Move the rows of some warm overlapping users in one domain from training to validation.

    These users are to the model what the test users will be: known in one domain, absent from the other. For each
    domain `share` of the users with training rows in both domains are drawn, no user for both and no test user.

    Raises:
        InputError: fewer than two users have training rows in both domains.
    """
    train = split.train
    names = [domain.domain for domain in split.dataset.domains]
    users = [train.loc[(train["domain"] == name) & train["relevant"], "user_id"].unique() for name in names]
    both = np.setdiff1d(np.intersect1d(users[0], users[1]).astype(object), split.test["user_id"].astype(object))
    count = max(1, round(share * len(both)))
    if len(both) < 2 * count:
        raise InputError(
            f"{split.protocol}: {len(both)} users have training rows in both domains, too few to hide {share:.0%} of "
            "them in each for choosing; lower pseudo_cold_share or choose on given validation rows"
        )
    drawn = generator.permutation(both)[: 2 * count]
    hidden = pd.MultiIndex.from_arrays([np.repeat(names, count), drawn])
    mask = pd.MultiIndex.from_frame(train[["domain", "user_id"]]).isin(hidden)
    mask &= train["domain"].isin(split.evaluated_domains).to_numpy()
    return Split(
        split.dataset, train[~mask].reset_index(drop=True), train[mask].reset_index(drop=True), split.test,
        split.cold_users, "pseudo-cold users", split.protocol, split.train_links,
    )
