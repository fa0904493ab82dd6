"""Items of both domains with the same name."""

from __future__ import annotations

import unicodedata

import pandas as pd

from kgxfer.bridges.links import link_table
from kgxfer.splits import Split
from loaders.dataset import DomainTables


class SameName:
    """Link items of one type whose normalised names agree and whose years, where both are known, agree too.

    A name that several items of one domain bear says too little and is left out.
    """

    def links(self, split: Split) -> pd.DataFrame:
        """Return one link per pair; none where the domains' item types differ or items have no names."""
        source, target = split.dataset.domains
        if source.item_type != target.item_type:
            return link_table([], [], source.item_type, 1.0, "same_name", "")
        pairs = _named(source).merge(_named(target), on="key", suffixes=("_source", "_target"))
        known = pairs[["year_source", "year_target"]].notna().all(axis=1)
        years_differ = pairs["year_source"].ne(pairs["year_target"]) & known
        pairs = pairs[~years_differ.fillna(False).astype(bool)]
        return link_table(
            pairs["item_id_source"].to_numpy(), pairs["item_id_target"].to_numpy(), source.item_type, 1.0,
            "same_name", pairs["key"].to_numpy(),
        )


def normalised_names(names: pd.Series) -> pd.Series:
    """Case, accents, punctuation and a leading article removed; missing names stay missing."""
    folded = names.map(lambda text: unicodedata.normalize("NFKD", text), na_action="ignore").astype("str")
    folded = folded.str.replace("[\u0300-\u036f]", "", regex=True).str.lower()
    folded = folded.str.replace(r"[^\w]+", " ", regex=True).str.strip()
    return folded.str.replace(r"^(?:the|an?) ", "", regex=True)


def _named(domain: DomainTables) -> pd.DataFrame:
    items = domain.items.reindex(columns=["item_id", "name", "year"])
    items = items.assign(key=normalised_names(items["name"]))
    items = items[items["key"].fillna("") != ""]
    return items.drop_duplicates("key", keep=False)
