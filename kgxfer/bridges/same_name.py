"""Items of both domains with the same name."""

from __future__ import annotations

import pandas as pd

from kgxfer.bridges.links import NoSettings, item_link_type, link_table
from kgxfer.bridges.names import item_names, normalised_names
from kgxfer.splits import Split

__all__ = ["SameName", "equal_names", "normalised_names"]


class SameName:
    """Link items whose normalised names agree and whose years, where both are known, agree too.

    Items of one type get SAME_AS links; items of two types, such as a book and its film, SIMILAR_TO, whatever their
    years. A name that several items of one domain bear says too little and is left out.
    """

    config_class = NoSettings

    def __init__(self, config: NoSettings | None = None) -> None:
        self.config = config or NoSettings()

    def links(self, split: Split) -> pd.DataFrame:
        """Return one link per pair; none where items have no names."""
        source, target = split.dataset.domains
        node_type, relation = item_link_type(split)
        pairs = equal_names(item_names(source), item_names(target), source.item_type == target.item_type)
        return link_table(
            pairs["source_id"].to_numpy(), pairs["target_id"].to_numpy(), node_type, 1.0, "same_name",
            pairs["key"].to_numpy(), relation,
        )


def equal_names(source: pd.DataFrame, target: pd.DataFrame, years_agree: bool = True) -> pd.DataFrame:
    """Pairs source_id, target_id, key of equal names; both frames have the columns id, name and, where known, year."""
    pairs = _named(source).merge(_named(target), on="key", suffixes=("_source", "_target"))
    known = pairs[["year_source", "year_target"]].notna().all(axis=1)
    years_differ = pairs["year_source"].ne(pairs["year_target"]) & known
    if years_agree:
        pairs = pairs[~years_differ.fillna(False).astype(bool)]
    return pairs.rename(columns={"id_source": "source_id", "id_target": "target_id"})[["source_id", "target_id", "key"]]


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    named = frame.reindex(columns=["id", "name", "year"])
    named = named.assign(key=normalised_names(named["name"]))
    named = named[named["key"].fillna("") != ""]
    return named.drop_duplicates("key", keep=False)
