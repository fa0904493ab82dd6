"""Bridges: which nodes of the two domains belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from graph_schema.tables import IDENTITY, LINKS, validate
from kgxfer.bridges.behaviour_twins import BehaviourTwins, twin_pairs
from kgxfer.bridges.fuzzy_name import FuzzyName, matched_names
from kgxfer.bridges.links import Bridge, given_links, relations_of, shuffle_links
from kgxfer.bridges.same_name import SameName
from kgxfer.bridges.shared_entity import SharedEntity
from kgxfer.bridges.shared_id import SharedId
from kgxfer.bridges.text_neighbours import TextNeighbours
from kgxfer.registry import Registry
from kgxfer.splits import Split

BRIDGES: Registry[SharedId | SharedEntity | SameName | FuzzyName | TextNeighbours | BehaviourTwins] = Registry(
    "bridge",
    {
        "shared_id": SharedId,
        "shared_entity": SharedEntity,
        "same_name": SameName,
        "fuzzy_name": FuzzyName,
        "text_neighbours": TextNeighbours,
        "behaviour_twins": BehaviourTwins,
    },
)


def bridge_of(name: str, settings: Mapping[str, Any] | None = None, where: str = "") -> Bridge:
    """Make a registered bridge from plain values.

    Args:
        name: the registered name.
        settings: of its `config_class`; the defaults when not given.
        where: put before its name in messages.

    Raises:
        InputError: an unknown bridge or setting (the nearest is named), a value out of bounds, or a file that a setting
            names and that cannot be read.
    """
    kind = BRIDGES[name]
    config = kind.config_class.parse(settings or {}, f"{where}bridge {name}")
    return kind(config)  # type: ignore[arg-type]


def propose_links(split: Split, bridges: Sequence[str | Bridge]) -> pd.DataFrame:
    """Run bridges over the training part of a split and join their tables with the data set's own links.

    A pair that several bridges propose is kept once: identity before likeness, then from the first bridge.

    Raises:
        InputError: an unknown bridge (the nearest is named), or a relation of links that is none.
    """
    chosen = [bridge_of(bridge) if isinstance(bridge, str) else bridge for bridge in bridges]
    tables = [given_links(split)] + [bridge.links(split) for bridge in chosen]
    tables = [table.assign(relation=relations_of(table))[list(LINKS.names)] for table in tables if len(table)]
    joined = pd.concat(tables, ignore_index=True) if tables else LINKS.empty()
    pair = ["source_id", "target_id", "node_type"]
    identical = joined[joined["relation"] == IDENTITY][pair].drop_duplicates()
    weaker = joined[pair].merge(identical, how="left", indicator=True)["_merge"].eq("both").to_numpy()
    joined = joined[~weaker | joined["relation"].eq(IDENTITY).to_numpy()].drop_duplicates(pair, ignore_index=True)
    return validate(joined, LINKS, "proposed links")


__all__ = [
    "BRIDGES",
    "BehaviourTwins",
    "Bridge",
    "FuzzyName",
    "SameName",
    "SharedEntity",
    "SharedId",
    "TextNeighbours",
    "bridge_of",
    "matched_names",
    "propose_links",
    "shuffle_links",
    "twin_pairs",
]
