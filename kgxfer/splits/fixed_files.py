"""The division that a published data set comes with."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from graph_schema.config import Config
from graph_schema.errors import InputError
from kgxfer.rng import numpy_generator
from kgxfer.splits.per_user import places_of
from kgxfer.splits.split import (
    Split,
    ValidationKind,
    cold_users,
    hide_pseudo_cold,
    labelled_interactions,
    parts_of,
    user_keys,
)
from loaders.dataset import CrossDomainDataset


class FixedFilesConfig(Config):
    """Settings: what to choose on.

    "files" are the files' validation rows; "pseudo_cold_users" are `pseudo_cold_share` of the users with training rows
    in both domains, hidden in one; "training_rows" draws one row each of `valid_share` of the users with at least two
    relevant training rows in a tested domain, which is the way of protocols that test warm users.
    """

    choose_on: Literal["files", "pseudo_cold_users", "training_rows"] = "files"
    pseudo_cold_share: float = Field(0.1, gt=0, lt=0.5)
    valid_share: float = Field(1.0, gt=0, le=1)


class FixedFiles:
    """Take validation and test rows as the data set gives them; everything else is training.

    With another `choose_on` than "files" the files' validation rows, where there are any, are used for nothing.
    """

    config_class = FixedFilesConfig

    def __init__(self, config: FixedFilesConfig | None = None, **settings: object) -> None:
        self.config = config or FixedFilesConfig.parse(settings, "split fixed_files")

    def split(self, dataset: CrossDomainDataset, rng: int = 0) -> Split:
        """Divide a data set; `rng` only draws pseudo-cold users or validation rows.

        Raises:
            InputError: the data set comes without fixed test rows, or there is nothing to draw from.
        """
        if "test" not in dataset.fixed:
            raise InputError(
                f'data set "{dataset.name}" comes without fixed files; use the split "cold_start_users" instead'
            )
        rows = labelled_interactions(dataset)
        keys = pd.MultiIndex.from_frame(rows[["domain", "user_id", "item_id"]])
        held = {
            part: keys.isin(pd.MultiIndex.from_frame(table[["domain", "user_id", "item_id"]]))
            for part, table in dataset.fixed.items()
        }
        in_test = held["test"]
        in_valid = held.get("valid", in_test & False) & ~in_test
        train, valid, test = parts_of(rows, np.where(in_test, 2, in_valid.astype(np.int8)))
        split = Split(
            dataset, train, valid, test, cold_users(train, test), _kind_of(valid, train), "fixed files", dataset.links
        )
        if self.config.choose_on == "files":
            return split
        if self.config.choose_on == "pseudo_cold_users":
            return hide_pseudo_cold(split, self.config.pseudo_cold_share, numpy_generator(rng, "pseudo-cold users"))
        return _carve_rows(split, self.config.valid_share, numpy_generator(rng, "validation rows"))


def _kind_of(valid: pd.DataFrame, train: pd.DataFrame) -> ValidationKind:
    """Given validation rows count as those of warm users only where every one of these users has training rows."""
    if valid.empty:
        return "none"
    return "rows of warm users" if user_keys(valid).isin(user_keys(train)).all() else "rows of the test users"


def _carve_rows(split: Split, share: float, generator: np.random.Generator) -> Split:
    """Move one drawn relevant row each of a share of the warm users from training to validation, per tested domain.

    Where an item would have no training row left, one of its rows goes back: published test files leave items out that
    training does not know, and no model could find them.

    Raises:
        InputError: no user has two relevant training rows in a tested domain.
    """
    train = split.train
    relevant = train["relevant"].to_numpy()
    wanted = np.flatnonzero(relevant & train["domain"].isin(split.evaluated_domains))
    from_end, size = places_of(train.iloc[wanted], generator, by_time=False)
    one_each = wanted[(from_end == 0) & (size >= 2)]
    per_domain = pd.Series(generator.permutation(len(one_each))).groupby(train["domain"].to_numpy()[one_each])
    counts = (share * per_domain.transform("size")).round().clip(lower=1)
    mask = np.zeros(len(train), dtype=bool)
    mask[one_each[per_domain.rank() <= counts]] = True
    items = pd.MultiIndex.from_frame(train[["domain", "item_id"]])
    unknown = generator.permutation(np.flatnonzero(mask & ~items.isin(items[relevant & ~mask])))
    mask[unknown[~items[unknown].duplicated()]] = False
    if not mask.any():
        raise InputError(
            f"{split.protocol}: no training row can be spared for choosing; choose on pseudo-cold users instead"
        )
    return replace(
        split, train=train[~mask].reset_index(drop=True), valid=train[mask].reset_index(drop=True),
        validation="rows of warm users",
    )
