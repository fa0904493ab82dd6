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
    """Let every target node of a type take the place of another: as many links as before, none meaning anything.

    The control that says whether a bridge carries information or merely adds edges. How many links each node has stays
    the same up to the exchange, and no pair comes up twice. A type with a single target node keeps its links.
    """
    shuffled = links.copy()
    for _, places in links.groupby("node_type", sort=True).indices.items():
        targets = links["target_id"].iloc[places]
        order = generator.permutation(targets.unique().astype(object))
        place_of = dict(zip(order, np.roll(order, 1), strict=True))
        shuffled.iloc[places, shuffled.columns.get_loc("target_id")] = targets.map(place_of).to_numpy()
    shuffled["method"] = links["method"] + " (shuffled)"
    return validate(shuffled, LINKS, "shuffled links")
