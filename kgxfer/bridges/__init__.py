"""Bridges: which nodes of the two domains belong together."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from graph_schema.tables import LINKS, validate
from kgxfer.bridges.behaviour_twins import BehaviourTwins, twin_pairs
from kgxfer.bridges.links import Bridge, shuffle_links
from kgxfer.bridges.same_name import SameName
from kgxfer.bridges.shared_entity import SharedEntity
from kgxfer.bridges.shared_id import SharedId
from kgxfer.registry import Registry
from kgxfer.splits import Split

BRIDGES: Registry[Bridge] = Registry(
    "bridge",
    {
        "shared_id": SharedId,
        "shared_entity": SharedEntity,
        "same_name": SameName,
        "behaviour_twins": BehaviourTwins,
    },
)


def propose_links(split: Split, bridges: Sequence[str | Bridge]) -> pd.DataFrame:
    """Run bridges over the training part of a split and join their tables with the data set's own links.

    A pair that several bridges propose is kept once, from the first.

    Raises:
        InputError: an unknown bridge (the nearest is named).
    """
    chosen = [BRIDGES[bridge]() if isinstance(bridge, str) else bridge for bridge in bridges]
    tables = [split.train_links] + [bridge.links(split) for bridge in chosen]
    tables = [table[list(LINKS.names)] for table in tables if len(table)]
    joined = pd.concat(tables, ignore_index=True) if tables else LINKS.empty()
    joined = joined.drop_duplicates(["source_id", "target_id", "node_type"], ignore_index=True)
    return validate(joined, LINKS, "proposed links")


__all__ = [
    "BRIDGES",
    "BehaviourTwins",
    "Bridge",
    "SameName",
    "SharedEntity",
    "SharedId",
    "propose_links",
    "shuffle_links",
    "twin_pairs",
]
