"""Links to look at first: what speaks against each, in words and in a number to sort by."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from graph_schema.tables import IDENTITY
from kgxfer.link_audit.chance import Audience
from kgxfer.link_audit.measures import contradicted_by, fan_out, title_similarity
from kgxfer.link_audit.nodes import ITEM, USER

ADDED = (
    "similarity", "source_own", "target_own", "years apart", "targets", "sources", "common", "expected",
    "contradicted by", "reasons", "doubt",
)

EXPECTED_USERS = 5.0
"""Common users that chance alone would give, from which on having none speaks against a link (p < 0.007)."""

SOFT_YEARS = 20.0
"""Years apart that count fully."""


def with_doubts(
    links: pd.DataFrame, audiences: Mapping[str, Audience], minimum_similarity: float, maximum_years: int,
    popularity_gap: float,
) -> pd.DataFrame:
    """Add the columns of `ADDED`: what was measured per link, the reasons to doubt it, and the doubt.

    The doubt is a sum: 1 minus the similarity of names that are less alike than `minimum_similarity`; half of that for
    an end whose own name and title are, since it may be mistaken for something else; years apart beyond
    `maximum_years`, up to 1 at 20, where the link means identity (a film may be younger than its book); 0.4 where
    another bridge links the source elsewhere; 0.3 for several targets of a source, 0.3 for several sources of a target;
    0.3 where nobody takes both although chance would give 5 users; 0.2 where the ranks of popularity of two items in
    their domains differ by `popularity_gap` or more. It orders links for a reader and is no probability.

    Args:
        links: described links of all bridges, with the column `bridge`.
        audiences: by node type; types without one have no common users.
    """
    table = links.copy()
    table["similarity"] = title_similarity(links["source_name"], links["target_name"])
    for end in ("source", "target"):
        table[f"{end}_own"] = title_similarity(links[f"{end}_name"], links[f"{end}_title"])
    table["years apart"] = (links["source_year"] - links["target_year"]).abs().to_numpy(dtype=float)
    table[["targets", "sources"]] = (
        pd.concat([fan_out(rows) for _, rows in links.groupby("bridge", sort=False)]) if len(links) else 0
    )
    table["common"], table["expected"] = np.nan, np.nan
    for node_type, audience in audiences.items():
        rows = table["node_type"] == node_type
        table.loc[rows, "common"] = audience.common(table[rows]).astype(float)
        table.loc[rows, "expected"] = audience.expected(table[rows]).astype(float)
    table["contradicted by"] = contradicted_by(links)
    words, weights = _reasons(table, minimum_similarity, maximum_years, popularity_gap)
    table["reasons"] = _joined(words)
    return table.assign(doubt=sum(weights, start=pd.Series(0.0, index=table.index)))


def most_doubtful(links: pd.DataFrame) -> pd.DataFrame:
    """Links with a reason to doubt them, the most doubtful first."""
    return links[links["doubt"] > 0].sort_values(["doubt", "confidence"], ascending=[False, True], kind="stable")


def _reasons(
    table: pd.DataFrame, minimum_similarity: float, maximum_years: int, popularity_gap: float
) -> tuple[list[pd.Series], list[pd.Series]]:
    """Per reason a column of words, empty where it does not hold, and one of weights."""
    years = table["years apart"]
    gap = (table["source_rank"] - table["target_rank"]).abs()
    named = table["kind"] != USER
    found = [
        *(
            (
                table[f"{end}_own"] < minimum_similarity,
                f"the {end} is also called “" + table[f"{end}_title"].astype("str").fillna("") + "”",
                (1 - table[f"{end}_own"]) / 2,
            )
            for end in ("source", "target")
        ),
        (
            (table["similarity"] < minimum_similarity) & named,
            "names differ (similarity " + _text(table["similarity"], "{:.2f}") + ")", 1 - table["similarity"],
        ),
        (
            (years > maximum_years) & (table["relation"] == IDENTITY), _text(years, "{:.0f}") + " years apart",
            (years / SOFT_YEARS).clip(upper=1),
        ),
        (
            table["contradicted by"] != "",
            "linked elsewhere by " + table["contradicted by"], pd.Series(0.4, index=table.index),
        ),
        (table["targets"] > 1, _text(table["targets"], "{:.0f}") + " targets of one source", 0.3),
        (table["sources"] > 1, _text(table["sources"], "{:.0f}") + " sources of one target", 0.3),
        (
            (table["common"] == 0) & (table["expected"] >= EXPECTED_USERS),
            "nobody takes both, chance would give " + _text(table["expected"], "{:.1f}"), 0.3,
        ),
        (
            (gap >= popularity_gap) & (table["kind"] == ITEM),
            "popular in one domain only (ranks " + _text(table["source_rank"], "{:.2f}") + " and "
            + _text(table["target_rank"], "{:.2f}") + ")", 0.2,
        ),
    ]  # fmt: skip
    words = [text.where(holds, "") for holds, text, _ in found]
    weights = [pd.Series(np.where(holds, weight, 0.0), index=table.index) for holds, _, weight in found]
    return words, weights


def _text(values: pd.Series, form: str) -> pd.Series:
    """Values in a form, "" where missing; each distinct value is formatted once."""
    distinct = {value: form.format(value) for value in values.dropna().round(3).unique()}
    text = values.round(3).map(distinct).astype(object)
    return text.where(text.notna(), "").astype("str")


def _joined(words: list[pd.Series]) -> pd.Series:
    joined = words[0]
    for text in words[1:]:
        joined = joined + np.where((joined != "") & (text != ""), "; ", "") + text
    return joined
