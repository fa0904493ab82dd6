"""What can be measured of a link table: how much it covers, how its ends agree, and how tables agree with one another.

Every function takes links as `described` returns them, of one bridge unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process

from kgxfer.bridges.same_name import normalised_names
from kgxfer.link_audit.nodes import Side

SOURCE, TARGET = ["node_type", "source_id"], ["node_type", "target_id"]
ARTICLE = r"(?i), (?:the|an?)(\s*\(|$)"
"""As in "Matrix, The" and "Matrix, The (1999)"."""

PAIR = ["node_type", "source_id", "target_id"]


def coverage(links: pd.DataFrame, sides: tuple[Side, Side]) -> pd.DataFrame:
    """How much of each domain the links of each node type reach.

    Returns:
        node_type, domain, links, linked (nodes), nodes (all of that kind in the domain), share of nodes, touched
        (training interactions of linked users, with linked items, or with items whose facts name linked entities) and
        share of interactions (of the domain's relevant training rows).
    """
    lines = []
    for (node_type, kind), rows in links.groupby(["node_type", "kind"], sort=False):
        for side, end in zip(sides, ("source", "target"), strict=True):
            ids = rows[f"{end}_id"].drop_duplicates()
            nodes = int((side.nodes.index.get_level_values("kind") == kind).sum())
            touched = side.touching(str(kind), ids)
            lines.append({
                "node_type": node_type, "domain": side.tables.domain, "links": len(rows), "linked": len(ids),
                "nodes": nodes, "share of nodes": len(ids) / max(nodes, 1), "touched": touched,
                "share of interactions": touched / max(len(side.rows), 1),
            })  # fmt: skip
    return pd.DataFrame(lines)


def fan_out(links: pd.DataFrame) -> pd.DataFrame:
    """How many links each link's ends have: targets (of its source) and sources (of its target); 1 and 1 is a match.

    >>> links = pd.DataFrame({"node_type": "Movie", "source_id": list("aab"), "target_id": list("xyy")})
    >>> fan_out(links).to_dict("list")
    {'targets': [2, 2, 1], 'sources': [1, 2, 2]}
    """
    return pd.DataFrame({
        "targets": links.groupby(SOURCE)["target_id"].transform("nunique"),
        "sources": links.groupby(TARGET)["source_id"].transform("nunique"),
    })  # fmt: skip


def title_similarity(first: pd.Series, second: pd.Series) -> np.ndarray:
    """How alike two columns of names are, 0 to 1 per row, NaN where a name is lacking or has no letters.

    1 minus the insertions and deletions that turn one into the other, divided by both lengths; of normalised names with
    their words sorted, with or without what stands in parentheses, whichever is more alike.

    >>> title_similarity(pd.Series(["The Firm (novel)", "Titanic"]), pd.Series(["Firm, The", "The Swan Princess"]))
    array([1. , 0.3])
    """
    return key_similarity(title_keys(first), title_keys(second))


def title_keys(names: pd.Series) -> pd.DataFrame:
    """What titles are compared by: normalised names, `whole` and `plain` (without parentheses and brackets), or ""."""
    text = names.astype("str").reset_index(drop=True)
    parts = {"whole": text, "plain": text.str.replace(r"\s*[(\[][^)\]]*[)\]]", "", regex=True)}
    return pd.DataFrame({
        name: normalised_names(part.str.replace(ARTICLE, r"\1", regex=True)).fillna("") for name, part in parts.items()
    })  # fmt: skip


def key_similarity(first: pd.DataFrame, second: pd.DataFrame) -> np.ndarray:
    """As `title_similarity`, of keys that are there already, row by row."""
    best = np.full(len(first), np.nan)
    for name in ("whole", "plain"):
        ours, theirs = (keys[name].to_numpy(dtype=object) for keys in (first, second))
        known = (ours != "") & (theirs != "")
        if known.any():
            ratio = process.cpdist(ours[known].tolist(), theirs[known].tolist(), scorer=fuzz.token_sort_ratio)
            best[known] = np.fmax(best[known], np.asarray(ratio, dtype=float) / 100)
    return best


def agreement(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How far bridges agree, for every two that link sources of one node type.

    Returns:
        node_type, first, second, shared (links that both have), share of the smaller (of the two tables' links of that
        type), common sources (that both link), contradictions (common sources without a shared link).
    """
    lines, names = [], list(tables)
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            ours, theirs = (tables[name][PAIR].drop_duplicates() for name in (first, second))
            for node_type in ours["node_type"].unique():
                one, two = (table[table["node_type"] == node_type] for table in (ours, theirs))
                if len(two):
                    lines.append({"node_type": node_type, "first": first, "second": second, **_agreement(one, two)})
    columns = ["node_type", "first", "second", "shared", "share of the smaller", "common sources", "contradictions"]
    return pd.DataFrame(lines, columns=columns)


def _agreement(one: pd.DataFrame, two: pd.DataFrame) -> dict[str, float]:
    shared = one.merge(two, on=PAIR)
    common = np.intersect1d(one["source_id"].astype(object), two["source_id"].astype(object))
    return {
        "shared": len(shared), "share of the smaller": len(shared) / min(len(one), len(two)),
        "common sources": len(common), "contradictions": len(common) - shared["source_id"].nunique(),
    }


def contradicted_by(links: pd.DataFrame) -> pd.Series:
    """Of links of several bridges (column `bridge`): the first other bridge that links the source, but never as this
    bridge does; empty where none does.
    """
    each = links[["bridge", *PAIR]].reset_index(names="place")
    others = each.merge(each.rename(columns={"place": "other", "bridge": "other_bridge"}), on=SOURCE)
    others = others[others["bridge"] != others["other_bridge"]]
    pair = [*SOURCE, "bridge", "other_bridge"]
    agreed = (others["target_id_x"] == others["target_id_y"]).groupby([others[name] for name in pair]).transform("any")
    first = others[~agreed].drop_duplicates("place").set_index("place")["other_bridge"]
    return first.reindex(links.index).fillna("").astype("str")


def stratified_sample(links: pd.DataFrame, size: int, generator: np.random.Generator) -> pd.DataFrame:
    """Links to read, at most `size` of each bridge (column `bridge`), drawn evenly from strata of confidence.

    Strata are below 0.5, 0.5 to 0.8, 0.8 to 0.9, 0.9 to 1, and 1. Each in turn gives a link until `size` are drawn; the
    columns `stratum` and `in stratum` say how many links of the bridge a drawn one stands for.
    """
    bounds, names = [-np.inf, 0.5, 0.8, 0.9, 1.0, np.inf], ["below 0.5", "0.5 to 0.8", "0.8 to 0.9", "0.9 to 1", "1"]
    stratum = pd.cut(links["confidence"], bounds, labels=names, right=False).astype("str")
    drawn = links.assign(stratum=stratum).iloc[generator.permutation(len(links))]
    group = drawn.groupby(["bridge", "stratum"], sort=False)
    drawn = drawn.assign(**{"in stratum": group["stratum"].transform("size"), "turn": group.cumcount()})
    drawn = drawn.sort_values("turn", kind="stable").groupby("bridge", sort=False).head(size)
    return drawn.sort_values(["bridge", "confidence"], kind="stable").drop(columns="turn").reset_index(drop=True)
