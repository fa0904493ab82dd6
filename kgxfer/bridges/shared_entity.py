"""The same entity (genre, decade, person, keyword) in the facts of both domains."""

from __future__ import annotations

import pandas as pd

from kgxfer.bridges.links import link_table
from kgxfer.splits import Split
from loaders.dataset import DomainTables


class SharedEntity:
    """Link the entities that both domains' facts name by the same type and id; users and items are left to others."""

    def links(self, split: Split) -> pd.DataFrame:
        """Return one link per shared entity."""
        source, target = (_entities(domain) for domain in split.dataset.domains)
        both = source.merge(target, on=["type", "id"])
        return link_table(both["id"], both["id"], both["type"], 1.0, "shared_entity", "equal type and id")


def _entities(domain: DomainTables) -> pd.DataFrame:
    ends = [domain.facts[[f"{end}_type", f"{end}_id"]].set_axis(["type", "id"], axis=1) for end in ("head", "tail")]
    every = pd.concat(ends).drop_duplicates()
    return every[~every["type"].isin(["User", domain.item_type])]
