"""The value every protocol makes: which interactions may be learned from, chosen on, and looked at last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from graph_schema.errors import InputError
from loaders.dataset import CrossDomainDataset
from loaders.fingerprint import digest

Roles = Annotated[tuple[Literal["source", "target"], ...], Field(min_length=1)]
"""The domains that a protocol holds rows out of; the other one is training."""

ValidationKind = Literal[
    "pseudo-cold users",
    "pseudo-cold users, then refitted",
    "pseudo-cold items",
    "pseudo-cold items, then refitted",
    "rows of warm users",
    "rows of warm users, then refitted",
    "rows of an earlier time",
    "rows of an earlier time, then refitted",
    "rows of other cold users",
    "rows of other cold users, then refitted",
    "rows of the test users",
    "none",
]
"""Whose rows serve for choosing, and whether they became training rows afterwards."""

REFITTED: Mapping[ValidationKind, ValidationKind] = {
    "pseudo-cold users": "pseudo-cold users, then refitted",
    "pseudo-cold items": "pseudo-cold items, then refitted",
    "rows of warm users": "rows of warm users, then refitted",
    "rows of an earlier time": "rows of an earlier time, then refitted",
    "rows of other cold users": "rows of other cold users, then refitted",
}
"""The kinds that may be learned from once everything is chosen. Rows of the test users may not: in a cold-start
protocol they would make the tested users warm."""


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
        candidate_items: which items compete, where not all items of the domain do: a table part ("valid", "test"),
            domain, item_id. Ranking asks `candidates`.
    """

    dataset: CrossDomainDataset
    train: pd.DataFrame
    valid: pd.DataFrame
    test: pd.DataFrame
    cold_users: pd.DataFrame
    validation: ValidationKind
    protocol: str
    train_links: pd.DataFrame = field(default_factory=pd.DataFrame)
    candidate_items: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        """Refuse a split that cannot be evaluated or learned from."""
        if not self.test["relevant"].any():
            raise InputError(
                f"{self.protocol}: the test set has no relevant row; hold out more users or lower the rating threshold"
            )
        for domain in self.dataset.domains:
            if not (self.train["relevant"] & (self.train["domain"] == domain.domain)).any():
                raise InputError(
                    f'{self.protocol}: domain "{domain.domain}" keeps no training row; hold out less'
                )

    @cached_property
    def evaluated_domains(self) -> list[str]:
        """Domains with relevant test rows, source first."""
        present = set(self.test.loc[self.test["relevant"], "domain"])
        return [domain.domain for domain in self.dataset.domains if domain.domain in present]

    @cached_property
    def fingerprint(self) -> str:
        """Sha256, in hex, of the data set's fingerprint, the protocol and every table: equal means the same split."""
        words = {"data": self.dataset.fingerprint, "protocol": self.protocol, "validation": self.validation}
        return digest(words, self.tables())

    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables of the split by name; `candidate_items` only where not all items compete."""
        names = ["train", "valid", "test", "cold_users", "train_links"]
        names += ["candidate_items"] if self.candidate_items is not None else []
        return {name: getattr(self, name) for name in names}

    def candidates(self, part: Literal["valid", "test"], domain: str) -> pd.Index | None:
        """Ids of the items that compete when rows of a part are ranked; None: all items of the domain do."""
        table = self.candidate_items
        if table is None:
            return None
        chosen = table.loc[(table["part"] == part) & (table["domain"] == domain), "item_id"]
        return pd.Index(chosen) if len(chosen) else None

    def for_refit(self) -> Split:
        """The same split once everything is chosen: the validation rows are training rows again.

        Test rows stay what they are. Users whose first rows in a domain were validation rows (possible where time
        divides the rows) are no longer cold there.

        Raises:
            InputError: validation rows are the test users' own, which would make these users warm, or there are none.
        """
        if self.validation not in REFITTED:
            raise InputError(
                f"{self.protocol}: fitting again needs validation rows that may be learned from, such as those of "
                f"pseudo-cold users, and choosing here was on: {self.validation}; hide pseudo-cold users, or do "
                "without the refit"
            )
        train = pd.concat([self.train, self.valid], ignore_index=True)
        still_cold = self.cold_users[~user_keys(self.cold_users).isin(user_keys(train))].reset_index(drop=True)
        return replace(
            self, train=train, valid=self.valid.iloc[:0].reset_index(drop=True), cold_users=still_cold,
            validation=REFITTED[self.validation], candidate_items=_of_test(self.candidate_items),
        )

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


def parts_of(rows: pd.DataFrame, part: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Divide rows by their part, int8 [rows]: 0 training, 1 validation, 2 test."""
    train, valid, test = (rows[part == number].reset_index(drop=True) for number in range(3))
    return train, valid, test


def user_keys(rows: pd.DataFrame) -> pd.MultiIndex:
    """The (domain, user_id) of each row."""
    return pd.MultiIndex.from_frame(rows[["domain", "user_id"]])


def cold_users(train: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """Domain and user_id of the test users who have no training row in that domain, each once."""
    tested = test[["domain", "user_id"]].drop_duplicates()
    return tested[~user_keys(tested).isin(user_keys(train))].reset_index(drop=True)


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
    mask = user_keys(train).isin(hidden)
    mask &= train["domain"].isin(split.evaluated_domains).to_numpy()
    return replace(
        split, train=train[~mask].reset_index(drop=True), valid=train[mask].reset_index(drop=True),
        validation="pseudo-cold users", candidate_items=_of_test(split.candidate_items),
    )


def _of_test(candidate_items: pd.DataFrame | None) -> pd.DataFrame | None:
    """What competes in the test part, once the validation part is another."""
    if candidate_items is None:
        return None
    return candidate_items[candidate_items["part"] == "test"].reset_index(drop=True)
