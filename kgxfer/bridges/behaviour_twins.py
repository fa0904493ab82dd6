"""Twins: the same thing listed in both domains, recognised because the same people take both."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import sparse

from graph_schema.config import Config
from graph_schema.errors import InputError
from kgxfer.bridges.links import link_table
from kgxfer.splits import Split


class BehaviourTwinsConfig(Config):
    """Settings: a pair needs this many common users, and this Jaccard index of its two user sets."""

    minimum_common_users: int = Field(2, ge=1)
    minimum_jaccard: float = Field(0.5, gt=0, le=1)


class BehaviourTwins:
    """Link item pairs with overlapping audiences, counted over the training users who are active in both domains.

    As a bridge the links become SAME_AS edges. As evaluation they mark the test rows that any method solves which has
    noticed that the item sits in the user's own history under another id.
    """

    config_class = BehaviourTwinsConfig

    def __init__(self, config: BehaviourTwinsConfig | None = None, **settings: object) -> None:
        self.config = config or BehaviourTwinsConfig.parse(settings, "bridge behaviour_twins")

    def links(self, split: Split) -> pd.DataFrame:
        """Return one link per pair, its Jaccard index as confidence.

        Raises:
            InputError: the item types of the domains differ, so that identity cannot be stated.
        """
        source, target = split.dataset.domains
        if source.item_type != target.item_type:
            raise InputError(
                f'bridge behaviour_twins: "{source.domain}" holds {source.item_type} and "{target.domain}" '
                f"{target.item_type}; only items of one type can be the same thing"
            )
        pairs = twin_pairs(split, self.config)
        evidence = pairs["common"].astype("str") + " common users"
        return link_table(
            pairs["source_id"], pairs["target_id"], source.item_type, pairs["jaccard"], "behaviour_twins", evidence
        )


def twin_pairs(split: Split, config: BehaviourTwinsConfig | None = None) -> pd.DataFrame:
    """All twin pairs of a split: source_id, target_id, common (users), jaccard, from relevant training rows alone."""
    config = config or BehaviourTwinsConfig()
    rows = [split.rows("train", domain.domain) for domain in split.dataset.domains]
    users = pd.Index(np.intersect1d(rows[0]["user_id"].astype(object), rows[1]["user_id"].astype(object)))
    (first, first_items), (second, second_items) = (_incidence(table, users) for table in rows)
    common = (first.T @ second).tocoo()
    union = np.asarray(first.sum(0)).ravel()[common.row] + np.asarray(second.sum(0)).ravel()[common.col] - common.data
    jaccard = common.data / np.maximum(union, 1)
    keep = (common.data >= config.minimum_common_users) & (jaccard >= config.minimum_jaccard)
    return pd.DataFrame(
        {
            "source_id": first_items[common.row[keep]],
            "target_id": second_items[common.col[keep]],
            "common": common.data[keep].astype(int),
            "jaccard": jaccard[keep],
        }
    )


def _incidence(rows: pd.DataFrame, users: pd.Index) -> tuple[sparse.csr_matrix, pd.Index]:
    user = users.get_indexer(pd.Index(rows["user_id"].astype(object)))
    kept = user >= 0
    item, items = pd.factorize(rows["item_id"][kept])
    ones = np.ones(len(item))
    return sparse.csr_matrix((ones, (user[kept], item)), shape=(len(users), len(items))), pd.Index(items)
