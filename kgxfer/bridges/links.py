"""Link tables: which nodes of the two domains are, or resemble, the same thing. A bridge proposes them."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd

from graph_schema.config import Config
from graph_schema.errors import unknown_name
from graph_schema.schema import Schema
from graph_schema.tables import IDENTITY, LIKENESS, LINKS, validate
from kgxfer.splits import Split


class NoSettings(Config):
    """Of a bridge that has nothing to choose."""


class Bridge(Protocol):
    """Reads the training part of a split and proposes pairs; it never sees validation or test rows.

    One that is registered has a `config_class` besides, and is made from one of it.
    """

    def links(self, split: Split) -> pd.DataFrame:
        """Return a table with the columns of `graph_schema.LINKS`."""
        ...


def link_table(
    source_id: object, target_id: object, node_type: object, confidence: object, method: str, evidence: object,
    relation: str = IDENTITY,
) -> pd.DataFrame:
    """Make a link table from columns or single values."""
    frame = pd.DataFrame({"source_id": source_id, "target_id": target_id})
    frame["node_type"], frame["confidence"], frame["method"], frame["evidence"], frame["relation"] = (
        node_type, confidence, method, evidence, relation,
    )
    return frame


def relations_of(links: pd.DataFrame) -> pd.Series:
    """The relation of every link: SAME_AS where the table does not say.

    Raises:
        InputError: a relation that is neither SAME_AS nor SIMILAR_TO.
    """
    if "relation" not in links:
        return pd.Series(IDENTITY, index=links.index, dtype="str")
    for relation in links["relation"].unique():
        if relation not in (IDENTITY, LIKENESS):
            raise unknown_name("relation of links", relation, (IDENTITY, LIKENESS))
    return links["relation"]


def item_link_type(split: Split) -> tuple[str, str]:
    """Node type and strongest relation of links between items: the items' own type and SAME_AS where both domains have
    one, else the nearest type that both descend from and SIMILAR_TO (a book and its film are not the same thing).
    """
    source, target = (domain.item_type for domain in split.dataset.domains)
    if source == target:
        return source, IDENTITY
    return nearest_common_type(split.dataset.schema, source, target), LIKENESS


def given_links(split: Split) -> pd.DataFrame:
    """The data set's own links that training may read, each with its relation.

    Where a table does not say: SAME_AS; SIMILAR_TO where it names a type above two types of items, since a book and its
    film are not the same thing.
    """
    links, (common, strongest) = split.train_links, item_link_type(split)
    if links.empty or "relation" in links:
        return links
    of_items = links["node_type"].isin(split.dataset.schema.ancestors(common))
    return links.assign(relation=np.where(of_items, strongest, IDENTITY))


def nearest_common_type(schema: Schema, first: str, second: str) -> str:
    """The nearest type that both item types descend from."""
    others = schema.ancestors(second)
    return next(name for name in schema.ancestors(first) if name in others)


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
