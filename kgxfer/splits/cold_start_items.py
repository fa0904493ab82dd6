"""Cold-start items: products without any interaction, to be found through their facts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import Field

from graph_schema.config import Config
from graph_schema.errors import InputError
from kgxfer.rng import numpy_generator
from kgxfer.splits.split import Roles, Split, ValidationKind, cold_users, labelled_interactions, parts_of
from loaders.dataset import CrossDomainDataset


class ColdStartItemsConfig(Config):
    """Settings: shares of a domain's items that have a relevant row, and the domains whose items are drawn."""

    test_share: float = Field(0.2, gt=0, lt=1)
    pseudo_cold_share: float = Field(0.1, ge=0, lt=1)
    domains: Roles = ("target",)


class ColdStartItems:
    """Draw test items and pseudo-cold validation items; all their rows leave the training part.

    Test rows are ranked among the test items only, validation rows among the pseudo-cold items only: beside items with
    interactions, an item without any would show nothing but how a model treats the unknown. `Split.candidate_items`
    says so. Facts about the items stay.
    """

    config_class = ColdStartItemsConfig

    def __init__(self, config: ColdStartItemsConfig | None = None, **settings: object) -> None:
        self.config = config or ColdStartItemsConfig.parse(settings, "split cold_start_items")

    def split(self, dataset: CrossDomainDataset, rng: int = 0) -> Split:
        """Divide a data set.

        Args:
            dataset: two domains.
            rng: the seed; the same seed gives the same split.

        Raises:
            InputError: a domain has too few items with relevant rows for the shares asked for.
        """
        rows = labelled_interactions(dataset)
        items = pd.MultiIndex.from_frame(rows[["domain", "item_id"]])
        part = np.zeros(len(rows), dtype=np.int8)
        competing = []
        for role in self.config.domains:
            name = getattr(dataset, role).domain
            drawn = self._draw(rows, name, dataset, rng)
            competing.append(drawn)
            for number, kind in ((1, "valid"), (2, "test")):
                held = pd.MultiIndex.from_frame(drawn.loc[drawn["part"] == kind, ["domain", "item_id"]])
                part[items.isin(held)] = number
        train, valid, test = parts_of(rows, part)
        protocol = f"cold-start items ({self.config.test_share:.0%} of the items, ranked among themselves, seed {rng})"
        kind_of_valid: ValidationKind = "pseudo-cold items" if len(valid) else "none"
        return Split(
            dataset, train, valid, test, cold_users(train, test), kind_of_valid, protocol, dataset.links,
            pd.concat(competing, ignore_index=True),
        )

    def _draw(self, rows: pd.DataFrame, domain: str, dataset: CrossDomainDataset, rng: int) -> pd.DataFrame:
        """Test and pseudo-cold items of a domain as a table part, domain, item_id."""
        eligible = np.sort(rows.loc[(rows["domain"] == domain) & rows["relevant"], "item_id"].unique().astype(object))
        tests = round(self.config.test_share * len(eligible))
        valids = round(self.config.pseudo_cold_share * len(eligible))
        if tests == 0 or tests + valids >= len(eligible):
            raise InputError(
                f'data set "{dataset.name}": {len(eligible)} items of domain "{domain}" have relevant interactions, '
                f"which does not allow {tests} test and {valids} validation items with at least one left to learn "
                "from; change test_share or pseudo_cold_share"
            )
        drawn = numpy_generator(rng, "cold-start items", domain).permutation(eligible)[: tests + valids]
        parts = np.repeat(["test", "valid"], [tests, valids])
        table = pd.DataFrame({"part": parts, "domain": domain, "item_id": drawn})
        return table.sort_values(["part", "item_id"], ignore_index=True).astype("str")
