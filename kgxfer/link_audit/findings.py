"""The questions of a link audit. A new one is a function and its name in `FINDINGS`."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd

from graph_schema.tables import IDENTITY
from kgxfer.audit.finding import Finding, counted, listed, percent
from kgxfer.link_audit.chance import COMMON_USERS, SAME_YEAR, TITLES
from kgxfer.link_audit.measures import stratified_sample
from kgxfer.link_audit.nodes import USER
from kgxfer.link_audit.subject import LinkSubject
from kgxfer.link_audit.suspicion import most_doubtful
from kgxfer.rng import numpy_generator

CHOSEN_BY = {
    (COMMON_USERS, "behaviour_twins"), (TITLES, "same_name"), (TITLES, "fuzzy_name"), (TITLES, "text_neighbours"),
    (SAME_YEAR, "same_name"), (SAME_YEAR, "fuzzy_name"),
}  # fmt: skip
"""What a bridge chooses its links by; that these links then excel in it proves nothing."""

SIGNIFICANT = 3.0
"""Deviations above chance from which on links are said to mean something."""

NAMES_DIFFER, SEVERAL = 0.05, 0.05
"""Shares of links from which on different names and several targets change how a bridge has to be read."""


def chance(subject: LinkSubject) -> Finding:
    """Whether linked things have the same audience, titles and years more often than shuffled links would."""
    columns = ["bridge", "node_type", "statistic", "links", "true", "chance", "ratio", "z", "independent"]
    table = subject.chance[columns]
    chosen = [key in CHOSEN_BY for key in zip(table["statistic"], table["bridge"], strict=True)]
    by_choice = pd.Series(chosen, index=table.index, dtype=bool)
    table = table.rename(columns={"node_type": "node type"}).assign(**{"chosen by it": by_choice})
    audience = table[table["statistic"] == COMMON_USERS]
    free = audience[~audience["chosen by it"]]
    failing = free[(free["z"].fillna(0) < SIGNIFICANT) | (free["true"] <= free["independent"])]
    return Finding(
        "chance", "Do linked things share an audience", _chance_verdict(audience), bool(len(failing)),
        {f"{row['statistic']}, {row['bridge']}, {row['node type']}, {which}": row[which]
         for row in table.to_dict("records") for which in ("true", "chance", "z", "independent")},
        table,
        "Common users: pairs of a link and a user active in both domains who takes both of its ends; an entity is "
        "taken with any item whose facts name it. Chance: the mean over "
        f"{counted(subject.config.draws, 'draw')} in which every target took the place of another, so that popularity "
        "and the number of links stay; z: the difference in deviations of the draws. Independent: "
        "the sum over links of the two audiences' product over all users active in both domains, which also allows for "
        "popular things linked to popular ones. Chosen by it: the bridge looks at "
        "this very thing, so that its links excel in it whether or not they are right.",
    )  # fmt: skip


def _chance_verdict(audience: pd.DataFrame) -> str:
    if audience.empty:
        return "No user is active in both domains, or only users are linked: audiences say nothing about these links."
    sentences = []
    for row in audience.to_dict("records"):
        what = f"{row['node type']} links of {row['bridge']}: {counted(int(row['true']), 'common user')}"
        what += "" if math.isnan(row["chance"]) else f" against {row['chance']:,.1f} by chance"
        if row["chosen by it"]:
            what += " (they were chosen by it)"
        elif math.isnan(row["z"]):
            what += ", too few links to tell"
        elif row["z"] < SIGNIFICANT:
            what += f", which is within what shuffled links give (z {row['z']:.1f})"
        sentences.append(what)
    return "; ".join(sentences) + "."


def suspicious(subject: LinkSubject) -> Finding:
    """Which links to look at first, and why."""
    found = most_doubtful(subject.links)
    differing = found["similarity"] < subject.config.minimum_similarity
    words = "No link is suspicious by its names, years, audience, popularity or number of targets."
    if len(found):
        words = (
            f"{counted(len(found), 'link')} of {len(subject.links):,} give a reason to doubt them; "
            f"{int(differing.sum()):,} have names that differ."
        )
        first = found[differing].head(1)
        for row in first.to_dict("records"):
            words += f" First: “{row['source_name']}” linked to “{row['target_name']}” by {row['bridge']}."
    return Finding(
        "suspicious", "Links to look at first", words, len(found) > 0,
        {"suspicious": float(len(found)), "links": float(len(subject.links))},
        _readable(found.groupby("bridge", sort=False).head(subject.config.shown)),
        f"Most doubtful first, at most {subject.config.shown} of each bridge. The doubt is a sum over reasons: 1 minus "
        f"the similarity of names that are less alike than {subject.config.minimum_similarity:g}; half of that for an "
        "end whose own name and title are; years apart beyond "
        f"{subject.config.maximum_years}, up to 1 at 20, of links that mean identity; 0.4 where another bridge links "
        "the source elsewhere; 0.3 each for several targets, several sources, and no common user where chance would "
        "give 5; 0.2 for items popular in one domain only (rank: share of the domain's items with fewer interactions). "
        "It orders links for a reader and is no probability.",
    )


def names(subject: LinkSubject) -> Finding:
    """How alike the names of linked things are."""
    links = subject.links[subject.links["similarity"].notna() & (subject.links["kind"] != USER)]
    low = subject.config.minimum_similarity
    table = _by_bridge(links, lambda rows: {
        "links with names": len(rows), "mean distance": 1 - rows["similarity"].mean(),
        "median": 1 - rows["similarity"].median(), "equal": (rows["similarity"] == 1).mean(),
        "differing": (rows["similarity"] < low).mean(),
    })  # fmt: skip
    words = "No link of items or entities has two names, so names say nothing here."
    if len(table):
        worst = table.loc[table["differing"].idxmax()]
        words = f"{percent(worst['differing'])} of the named {worst['node type']} links of {worst['bridge']} join names"
        words += " that differ" + (", the most of any bridge." if len(table) > 1 else ".")
        if not worst["differing"]:
            words = f"Of {table['links with names'].sum():,} links with two names, none joins names that differ."
    return Finding(
        "names", "Do linked things have the same name", words,
        bool(len(table) and (table["differing"] > NAMES_DIFFER).any()),
        {f"differing, {row['bridge']}, {row['node type']}": row["differing"] for row in table.to_dict("records")},
        table,
        "Title distance, 0 to 1: insertions and deletions that turn one normalised name into the other over both "
        "lengths, words sorted, with or without what stands in parentheses, whichever is less. Differing: a distance "
        f"above {1 - low:g}.",
        ("equal", "differing"),
    )


def years(subject: LinkSubject) -> Finding:
    """How far apart the years of linked things are."""
    links = subject.links[subject.links["years apart"].notna()]
    most = subject.config.maximum_years
    table = _by_bridge(links, lambda rows: {
        "relation": listed(list(rows["relation"].unique())), "links with years": len(rows),
        "same year": (rows["years apart"] == 0).mean(),
        "further apart": (rows["years apart"] > most).mean(), "median apart": rows["years apart"].median(),
        "most apart": rows["years apart"].max(),
    })  # fmt: skip
    words = "No link has two years, so years say nothing here."
    if len(table):
        worst = table.loc[table["further apart"].idxmax()]
        words = f"{percent(worst['further apart'])} of the dated {worst['node type']} links of {worst['bridge']} join "
        words += f"years more than {most} apart" + (", the most of any bridge." if len(table) > 1 else ".")
        if not worst["further apart"]:
            dated = table["links with years"].sum()
            words = f"Of {dated:,} links with two years, none joins years more than {most} apart."
    return Finding(
        "years", "Are linked things of the same time", words,
        bool(len(table) and (table["further apart"][table["relation"] == IDENTITY] > NAMES_DIFFER).any()),
        {f"further apart, {row['bridge']}, {row['node type']}": row["further apart"]
         for row in table.to_dict("records")},
        table,
        f"Over links whose ends both have a year; further apart: more than {most}. Where links mean likeness, as of a "
        "book and its film, years may differ.",
        ("same year", "further apart"),
    )


def targets(subject: LinkSubject) -> Finding:
    """How many links there are, and whether they are one to one."""
    table = _by_bridge(subject.links, lambda rows: {
        "relation": listed(list(rows["relation"].unique())), "links": len(rows),
        "sources": rows["source_id"].nunique(), "targets": rows["target_id"].nunique(),
        "several targets": (rows["targets"] > 1).mean(), "several sources": (rows["sources"] > 1).mean(),
        "most targets": int(rows["targets"].max()), "most sources": int(rows["sources"].max()),
    })  # fmt: skip
    parts = [
        f"{row['links']:,} {row['node type']} links of {row['bridge']}"
        + ("" if row["most targets"] == row["most sources"] == 1 else
           f" ({percent(row['several targets'])} from sources with several targets, "
           f"{percent(row['several sources'])} to targets with several sources)")
        for row in table.to_dict("records")
    ]  # fmt: skip
    silent = [name for name, rows in subject.of_bridges() if not len(rows)]
    words = listed(parts) + "." + (f" Nothing was proposed by {listed(silent)}." if silent else "")
    several = table[["several targets", "several sources"]].max(axis=1)
    return Finding(
        "targets", "How many links, and are they one to one", words, bool((several > SEVERAL).any()),
        {f"{column}, {row['bridge']}, {row['node type']}": float(row[column]) for row in table.to_dict("records")
         for column in ("links", "several targets", "several sources")},
        table,
        "Several targets: share of the links whose source has more than one target; several sources likewise. Where "
        "links mean identity, at most one of them is right.",
        ("several targets", "several sources"),
    )  # fmt: skip


def reach(subject: LinkSubject) -> Finding:
    """How much of each domain the links touch."""
    columns = ["bridge", "node_type", "domain", "linked", "nodes", "share of nodes", "share of interactions"]
    table = subject.coverage[columns].rename(columns={"node_type": "node type"})
    best = table.loc[table.groupby("domain", sort=False)["share of interactions"].idxmax()]
    parts = [
        f"{percent(row['share of interactions'])} of the training interactions of {row['domain']} (most by the "
        f"{row['node type']} links of {row['bridge']})" for row in best.to_dict("records")
    ]
    return Finding(
        "coverage", "How much of the domains they reach", f"Linked nodes are touched by {listed(parts)}.", False,
        {f"{column}, {row['bridge']}, {row['node type']}, {row['domain']}": row[column]
         for row in table.to_dict("records") for column in ("share of nodes", "share of interactions")},
        table,
        "Share of nodes: linked ones over all of that kind in the domain's tables and facts. Share of interactions: "
        "relevant training rows of linked users, with linked items, or with items whose facts name linked entities, "
        "over all of the domain.",
        ("share of nodes", "share of interactions"),
    )  # fmt: skip


def confidence(subject: LinkSubject) -> Finding:
    """How confident the bridges are."""
    table = _by_bridge(subject.links, lambda rows: {
        "links": len(rows), "lowest": rows["confidence"].min(), "quarter": rows["confidence"].quantile(0.25),
        "median": rows["confidence"].median(), "highest": rows["confidence"].max(),
        "below 0.9": (rows["confidence"] < 0.9).mean(),
    })  # fmt: skip
    unsure = table[table["below 0.9"] > 0]
    words = "Every bridge is at least 0.9 confident of every link."
    if len(unsure):
        words = listed([f"{percent(row['below 0.9'])} of the {row['node type']} links of {row['bridge']}"
                        for row in unsure.to_dict("records")]) + " have a confidence below 0.9."
    return Finding(
        "confidence", "How confident the bridges are", words, False,
        {f"median, {row['bridge']}, {row['node type']}": row["median"] for row in table.to_dict("records")}, table,
        "As the bridges state it: each has a scale of its own, and 1 means that it knows no degrees.", ("below 0.9",),
    )  # fmt: skip


def agreement(subject: LinkSubject) -> Finding:
    """Whether bridges say the same."""
    table = subject.agreement.rename(columns={"node_type": "node type"})
    table = table[["first", "second", *(name for name in table if name not in ("first", "second"))]]
    words = "No two bridges link sources of one type, so none can confirm or contradict another."
    if len(table):
        words = "; ".join(
            f"{row['first']} and {row['second']} share {counted(row['shared'], row['node type'] + ' link')} and "
            f"contradict each other on {row['contradictions']:,} of {counted(row['common sources'], 'common source')}"
            for row in table.to_dict("records")
        ) + "."  # fmt: skip
    return Finding(
        "agreement", "Whether bridges agree", words, bool(len(table) and table["contradictions"].any()),
        {f"{column}, {row['first']}, {row['second']}, {row['node type']}": float(row[column])
         for row in table.to_dict("records") for column in ("shared", "contradictions")},
        table,
        "Share of the smaller: shared links over those of the bridge that has fewer of that type. A contradiction: "
        "both link the source, but never to the same target.",
        ("share of the smaller",),
    )  # fmt: skip


def sample(subject: LinkSubject) -> Finding:
    """Links to read, drawn evenly over degrees of confidence."""
    links = subject.links[subject.links["kind"] != USER]
    drawn = stratified_sample(links, subject.config.sample, numpy_generator(subject.config.seed, "sample of links"))
    words = "Only users are linked, and there is nothing to read about them."
    if len(drawn):
        words = f"{counted(len(drawn), 'link')} to read, of {len(links):,}: read them before trusting a bridge."
    strata = drawn["stratum"] + " (" + drawn["in stratum"].map("{:,}".format).astype("str") + ")"
    return Finding(
        "sample", "A sample to read", words, False, {"drawn": float(len(drawn))},
        _readable(drawn).assign(stratum=strata),
        f"At most {subject.config.sample} links of each bridge, drawn with seed {subject.config.seed}, in turn from "
        "each stratum of confidence; in parentheses how many links of the bridge the stratum holds.",
    )


FINDINGS: tuple[Callable[[LinkSubject], Finding], ...] = (
    suspicious, chance, names, years, targets, reach, confidence, agreement, sample,
)
"""In the order in which they are shown."""


def _by_bridge(links: pd.DataFrame, measure: Callable[[pd.DataFrame], dict[str, object]]) -> pd.DataFrame:
    """One line per bridge and node type."""
    return pd.DataFrame([
        {"bridge": bridge, "node type": node_type, **measure(rows)}
        for (bridge, node_type), rows in links.groupby(["bridge", "node_type"], sort=False)
    ])  # fmt: skip


def _readable(links: pd.DataFrame) -> pd.DataFrame:
    """Links as people read them: names, or ids where there are none."""
    ends = {end: links[f"{end}_name"].fillna(links[f"{end}_id"]).astype("str") for end in ("source", "target")}
    dates = {
        end: " (" + links[f"{end}_year"].map("{:.0f}".format, na_action="ignore").astype("str") + ")"
        for end in ("source", "target")
    }
    told = {end: ends[end].str.contains(r"\(\d{4}\)$") for end in ends}  # the name says the year
    shown = {end: ends[end] + dates[end].where(~told[end], "").fillna("").astype("str") for end in ends}
    return pd.DataFrame({
        "source": shown["source"], "target": shown["target"], "reasons": links["reasons"], "bridge": links["bridge"],
        "node type": links["node_type"], "similarity": links["similarity"].astype(float),
        "confidence": links["confidence"], "source id": links["source_id"].astype("str"),
        "target id": links["target_id"].astype("str"),
    }).reset_index(drop=True)  # fmt: skip
