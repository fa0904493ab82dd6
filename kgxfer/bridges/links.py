"""Link tables: which nodes of the two domains are, or resemble, the same thing. A bridge proposes them."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd

from graph_schema.tables import LINKS, validate
from kgxfer.splits import Split


class Bridge(Protocol):
    """Reads the training part of a split and proposes pairs; it never sees validation or test rows."""

    def links(self, split: Split) -> pd.DataFrame:
        """Return a table with the columns of `graph_schema.LINKS`."""
        ...


def link_table(
    source_id: object, target_id: object, node_type: object, confidence: object, method: str, evidence: object
) -> pd.DataFrame:
    """Make a link table from columns or single values."""
    frame = pd.DataFrame({"source_id": source_id, "target_id": target_id})
    frame["node_type"], frame["confidence"], frame["method"], frame["evidence"] = (
        node_type, confidence, method, evidence,
    )
    return frame


def shuffle_links(links: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    """Permute the targets within each node type: as many links as before, none of them meaning anything.

    The control that says whether a bridge carries information or merely adds edges.
    """
    shuffled = links.copy()
    for _, places in links.groupby("node_type", sort=True).indices.items():
        shuffled.iloc[places, shuffled.columns.get_loc("target_id")] = links["target_id"].to_numpy()[
            generator.permutation(places)
        ]
    shuffled["method"] = links["method"] + " (shuffled)"
    return validate(shuffled, LINKS, "shuffled links")
