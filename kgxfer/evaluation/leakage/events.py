"""The same event recorded in both domains: whoever trains on one copy knows the other.

Two rows of one user, one in each domain, are copies when they name the same thing (equal item id; equal name and year,
where both domains hold items of one type; items that SAME_AS links join, where times are known: who takes two things
that are alike on one day has taken two) and agree in time and rating, as far as both domains record them. Ids and names
can coincide by chance, for instance where each domain numbers its items from 0. So the copies are set against their
number under chance: the pairs of rows that agree in user, time and rating, times the probability that two random rows
of the two domains name the same thing. Where items were numbered in the order in which users took them, a user's
numbers are alike in both domains; then neighbouring numbers agree as often as equal ones do. Only a number that a
Poisson variable of either mean hardly reaches is reported.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import poisson

from graph_schema.tables import IDENTITY
from kgxfer.bridges.links import relations_of
from kgxfer.bridges.same_name import normalised_names
from kgxfer.evaluation.leakage.coded import PARTS, Coded
from kgxfer.evaluation.leakage.finding import Finding, Kind

CHANCE_WITH_TIME, CHANCE_WITHOUT_TIME = 0.05, 1e-4
"""Probability of so many copies by chance below which they are reported. Equal times are evidence by themselves."""

NEIGHBOURS = (-2, -1, 1, 2)


def event_findings(coded: Coded, links: pd.DataFrame | None) -> list[Finding]:
    """Copies that put a test row into the other domain's training part are errors; others count twice: warned."""
    rows = _rows(coded)
    if any(not len(table) for table in rows):
        return []
    evidence = [name for name in ("timestamp", "rating") if all(_recorded(table, name) for table in rows)]
    timed = "timestamp" in evidence
    limit = CHANCE_WITH_TIME if timed else CHANCE_WITHOUT_TIME
    copies = [
        _copies([table.assign(thing=thing[table["item"]]) for table in rows], ["user", *evidence], limit)
        for thing in _things(coded, links if timed else None)
    ]
    both = pd.concat(copies).drop_duplicates(["row_source", "row_target"])
    if both.empty:
        return []
    test = (both["part_source"] == "test") != (both["part_target"] == "test")
    agreeing = " and ".join(["user", "thing", *("time" if name == "timestamp" else name for name in evidence)])
    count = int(test.sum()) or len(both)
    if test.any():
        message = f"{count} test rows have a copy in the other domain that agrees in {agreeing}; drop one of the two"
    else:
        message = f"{count} training events are there twice, once in each domain (they agree in {agreeing}); keep one"
    where = " and ".join(coded.domain_names)
    return [Finding(Kind.SAME_EVENT, "error" if test.any() else "warning", where, count, message)]


def _rows(coded: Coded) -> list[pd.DataFrame]:
    """Per domain: user, item, part, row (a number) and what is recorded, for users active in both domains."""
    tables = []
    for name in PARTS:
        part, rows = getattr(coded.split, name), getattr(coded, name)
        table = part[[column for column in ("timestamp", "rating") if column in part]].reset_index(drop=True)
        tables.append(table.assign(user=rows.user, item=rows.item, domain=rows.domain, part=name))
    joined = pd.concat(tables, ignore_index=True)
    joined["row"] = np.arange(len(joined))
    of_domain = [joined[joined["domain"] == code] for code in (0, 1)]
    both = np.intersect1d(of_domain[0]["user"], of_domain[1]["user"])
    return [table[table["user"].isin(both)] for table in of_domain]


def _recorded(table: pd.DataFrame, name: str) -> bool:
    return name in table and bool(table[name].notna().any())


def _things(coded: Coded, links: pd.DataFrame | None) -> list[np.ndarray]:
    """Ways to say which items are the same thing; each int64 [items of both domains], -1 for unknown."""
    source, target = coded.split.dataset.domains
    things = [pd.factorize(pd.concat([index.to_series() for index in coded.items]))[0]]
    if source.item_type == target.item_type and all("name" in domain.items for domain in (source, target)):
        with_year = all("year" in domain.items for domain in (source, target))
        names = pd.concat([_names(index, domain.items, with_year) for index, domain in
                           zip(coded.items, (source, target), strict=True)])
        things.append(pd.factorize(names)[0])
    if links is not None:
        joined = links[links["node_type"].isin({source.item_type, target.item_type})]
        joined = joined[~joined["method"].str.endswith("(shuffled)") & relations_of(joined).eq(IDENTITY)]
        joined = joined.drop_duplicates("target_id")
        first, second = (coded.item_codes(code, joined[f"{end}_id"]) for code, end in enumerate(("source", "target")))
        known = (first >= 0) & (second >= 0)
        thing = np.arange(len(coded.items[0]) + len(coded.items[1]))
        thing[second[known]] = first[known]
        things.append(thing)
    return things


def _names(index: pd.Index, items: pd.DataFrame, with_year: bool) -> pd.Series:
    table = items.set_index("item_id").reindex(index)
    names = normalised_names(table["name"])
    names = names.where(names != "")
    return names + " " + table["year"].astype("str").fillna("") if with_year else names


def _copies(rows: list[pd.DataFrame], agreeing: list[str], limit: float) -> pd.DataFrame:
    """Pairs of rows that agree and name the same thing, or none where chance explains their number."""
    source, target = (table[table["thing"] >= 0].dropna(subset=agreeing) for table in rows)
    copies = _agreeing(source, target, agreeing)
    if copies.empty:
        return copies
    pairs = _paired(source.groupby(agreeing).size(), target.groupby(agreeing).size())
    same = _paired(source.groupby("thing").size(), target.groupby("thing").size()) / (len(source) * len(target))
    if poisson.sf(len(copies) - 1, pairs * same) < limit:
        neighbours = [len(_agreeing(source, target, agreeing, shift)) for shift in NEIGHBOURS]
        if poisson.sf(len(copies) - 1, float(np.mean(neighbours))) < limit:
            return copies
    return copies.iloc[:0]


def _agreeing(source: pd.DataFrame, target: pd.DataFrame, agreeing: list[str], shift: int = 0) -> pd.DataFrame:
    """Pairs of rows that agree and name the same thing, or things so far from each other in the source's table."""
    shifted = target.assign(thing=target["thing"] + shift)
    return source.merge(shifted, on=[*agreeing, "thing"], suffixes=("_source", "_target"))


def _paired(first: pd.Series, second: pd.Series) -> float:
    return float((first.astype("float64") * second).sum())
