"""How popular the tested items are, and what the models show."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from kgxfer.audit.finding import Finding, listed, percent
from kgxfer.audit.subject import POPULARITY, Subject

LIST_METRICS = ("popularity_bias", "novelty", "coverage", "gini")


def popular_test(subject: Subject) -> Finding:
    """How popular test items are against the domain's items, and how many test rows popularity alone finds."""
    hits = f"hr@{subject.config.k}"
    lines = []
    for domain in subject.domains:
        items = pd.Index(subject.split.dataset.domain(domain).items["item_id"])
        counts = items.get_indexer(subject.split.rows("train", domain)["item_id"])
        trained = np.bincount(counts, minlength=len(items))
        percentile = (rankdata(trained) - 0.5) / len(items)
        tested = items.get_indexer(subject.split.rows("test", domain)["item_id"])
        best = {
            model: subject.scores(model, domain, f"sampled_{hits}").mean()
            for model in subject.models if model != POPULARITY
        }
        name = max(best, key=lambda model: best[model])
        lines.append(
            {
                "domain": domain, "percentile of test items": percentile[tested].mean(),
                "percentile of training rows": percentile[counts].mean(),
                "popularity hits, full": subject.scores(POPULARITY, domain, hits).mean(),
                "popularity hits, sampled": subject.scores(POPULARITY, domain, f"sampled_{hits}").mean(),
                "best other, sampled": best[name], "best other": name,
            }
        )
    table = pd.DataFrame(lines)
    beaten = table["popularity hits, sampled"] < table["best other, sampled"]
    k = subject.config.k
    told = listed(
        [
            f"{percent(line['popularity hits, sampled'])} in {line['domain']} (best other model: "
            f"{percent(line['best other, sampled'])}), whose test items are more popular than "
            f"{percent(line['percentile of test items'], 0)} of its items on average"
            for line in lines
        ]
    )
    return Finding(
        "popularity of the test", "How far popularity alone comes",
        f"Popularity alone reaches a sampled HR@{k} of {told}.", not bool(beaten.all()),
        {f"{what}, {line['domain']}": line[what]
         for line in lines for what in list(line) if what not in ("domain", "best other")},
        table,
        "Percentile: share of the domain's items with fewer training rows, equal ones counted half, averaged over test "
        f"rows and over training rows. Hits: HR@{k} over test rows.",
        tuple(name for name in table.columns if name not in ("domain", "best other")),
    )


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
