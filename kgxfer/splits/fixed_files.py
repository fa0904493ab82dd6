"""The division that a published data set comes with."""

from __future__ import annotations

from typing import Literal

import pandas as pd
from pydantic import Field

from graph_schema.errors import InputError
from kgxfer.config import Config
from kgxfer.rng import numpy_generator
from kgxfer.splits.split import Split, hide_pseudo_cold, labelled_interactions
from loaders.dataset import CrossDomainDataset


class FixedFilesConfig(Config):
    """Settings: choose on the files' validation rows, or on pseudo-cold users drawn from the training rows."""

    choose_on: Literal["files", "pseudo_cold_users"] = "files"
    pseudo_cold_share: float = Field(0.1, gt=0, lt=0.5)


class FixedFiles:
    """Take validation and test rows as the data set gives them; everything else is training.

    With ``choose_on="pseudo_cold_users"`` the files' validation rows are used for nothing.
    """

    config_class = FixedFilesConfig

    def __init__(self, config: FixedFilesConfig | None = None, **settings: object) -> None:
        self.config = config or FixedFilesConfig.parse(settings, "split fixed_files")

    def split(self, dataset: CrossDomainDataset, rng: int = 0) -> Split:
        """Divide a data set; `rng` only draws pseudo-cold users.

        Raises:
            InputError: the data set comes without fixed test rows.
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
        test = rows[in_test].reset_index(drop=True)
        train = rows[~in_test & ~in_valid].reset_index(drop=True)
        tested = test[["domain", "user_id"]].drop_duplicates()
        warm = pd.MultiIndex.from_frame(tested).isin(pd.MultiIndex.from_frame(train[["domain", "user_id"]]))
        split = Split(
            dataset, train, rows[in_valid].reset_index(drop=True), test, tested[~warm].reset_index(drop=True),
            "rows of the test users" if in_valid.any() else "none", "fixed files", dataset.links,
        )
        if self.config.choose_on == "files":
            return split
        return hide_pseudo_cold(split, self.config.pseudo_cold_share, numpy_generator(rng, "pseudo-cold users"))
