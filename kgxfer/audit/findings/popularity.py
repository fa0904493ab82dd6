"""How popular the tested items are, and what the models show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from kgxfer.audit.finding import Finding, listed, percent
from kgxfer.audit.subject import POPULARITY, Subject

LIST_METRICS = ("popularity_bias", "novelty", "coverage", "gini")


def popular_test(subject: Subject) -> Finding:
    """How popular test items are against the domain's items, and how many test rows popularity alone finds."""
    k = subject.config.k
    lines = [_popularity_of(subject, domain) for domain in subject.domains]
    table = pd.DataFrame(lines)
    told = listed(
        [
            f"{percent(line['popularity hits, sampled'])} in {line['domain']} (the best other model, "
            f"{line['best other']}: {percent(line['best other, sampled'])})"
            for line in lines
        ]
    )
    popular = listed([f"{percent(line['percentile of test items'], 0)} ({line['domain']})" for line in lines])
    return Finding(
        "popularity of the test", "How far popularity alone comes",
        f"Popularity alone reaches a sampled HR@{k} of {told}; test items are on average more popular than {popular} "
        "of the domain's items.",
        bool((table["popularity hits, sampled"] >= table["best other, sampled"]).any()),
        {f"{what}, {line['domain']}": line[what]
         for line in lines for what in line if what not in ("domain", "best other")},
        table,
        "Percentile: share of the domain's items with fewer training rows, equal ones counted half, averaged over test "
        f"rows and over training rows. Hits: HR@{k} over test rows.",
        tuple(name for name in table.columns if name not in ("domain", "best other")),
    )


def _popularity_of(subject: Subject, domain: str) -> dict[str, Any]:
    items = pd.Index(subject.split.dataset.domain(domain).items["item_id"])
    trained, tested = (
        items.get_indexer(subject.split.rows(part, domain)["item_id"]) for part in ("train", "test")
    )
    percentile = (rankdata(np.bincount(trained, minlength=len(items))) - 0.5) / len(items)
    hits = f"hr@{subject.config.k}"
    sampled = {model: subject.scores(model, domain, f"sampled_{hits}").mean() for model in subject.models}
    best = max((model for model in sampled if model != POPULARITY), key=lambda model: sampled[model])
    return {
        "domain": domain, "percentile of test items": float(percentile[tested].mean()),
        "percentile of training rows": float(percentile[trained].mean()),
        "popularity hits, full": subject.scores(POPULARITY, domain, hits).mean(),
        "popularity hits, sampled": sampled[POPULARITY], "best other, sampled": sampled[best], "best other": best,
    }


def popular_lists(subject: Subject) -> Finding:
    """What the models recommend: how popular, how new, how many different items, how unequally."""
    figures = subject.report.figures
    figures = figures[(figures["group"] == "all rows") & figures["model"].isin(subject.models)]
    named = figures["metric"].str.partition("@")[0]
    kept = figures[named.isin(LIST_METRICS)].assign(metric=named)
    table = kept.pivot_table(index=["domain", "model"], columns="metric", values="value", sort=False)
    table = table.reindex(columns=list(LIST_METRICS)).reset_index()
    table.columns = pd.Index(["domain", "model", "popularity bias", "novelty (bits)", "items shown", "Gini"])
    others = table[table["model"] != POPULARITY]
    chosen = others[others["model"].isin(subject.audited)] if subject.audited else others
    biased = chosen.loc[chosen["popularity bias"].fillna(-np.inf).idxmax()]
    few = chosen.loc[chosen["items shown"].idxmin()]
    concern = bool((chosen["popularity bias"] > 1).any())
    return Finding(
        "popularity of lists", "How popular what is recommended is",
        f"{biased['model']} leans most to the popular in {biased['domain']}: its lists are "
        f"{np.exp(biased['popularity bias']):.1f} times as popular as the users' histories; {few['model']} shows the "
        f"fewest items, {percent(few['items shown'])} of {few['domain']}.",
        concern,
        {f"{what}, {line['model']}, {line['domain']}": line[what]
         for line in table.to_dict("records") for what in ("popularity bias", "items shown", "Gini")},
        table,
        "Popularity bias: mean log popularity, relative to the domain's mean, of the first "
        f"{subject.config.k} less that of the user's history. Novelty: mean -log2 of the share of training users who "
        "took the items shown. Items shown: those in at least one test user's list over all that compete. Gini: "
        "inequality of how often items are shown.",
        ("items shown",),
    )
