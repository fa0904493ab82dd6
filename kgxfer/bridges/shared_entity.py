"""The same entity (genre, decade, person, keyword) in the facts of both domains."""

from __future__ import annotations

import pandas as pd

from kgxfer.bridges.links import link_table
from kgxfer.splits import Split
from loaders.pairing import entities_of


class SharedEntity:
    """Link the entities that both domains' facts name by the same type and id; users and items are left to others."""

    def links(self, split: Split) -> pd.DataFrame:
        """Return one link per shared entity."""
        dataset = split.dataset
        both = entities_of(dataset.source, dataset.schema).merge(entities_of(dataset.target, dataset.schema))
        ids, types = both["node_id"], both["node_type"]
        return link_table(ids, ids, types, 1.0, "shared_entity", "equal type and id")
