"""What the way of ranking does to figures: how ties are broken, and how many candidates there are."""

from __future__ import annotations

import math

import pandas as pd
from scipy.stats import kendalltau

from kgxfer.audit.finding import Finding, listed, percent
from kgxfer.audit.subject import Subject
from kgxfer.evaluation.metrics import Ties
from kgxfer.evaluation.rows import TIE_SHARE

ROUNDING = 1e-9
"""By so much Kendall's tau of one and the same order may fall short of 1."""

CONCERN = 0.1
"""An evaluator that breaks ties for the positives may report a tenth more before it is a concern."""

WAYS: tuple[Ties, ...] = ("pessimistic", "uniform", "optimistic")


def ties(subject: Subject) -> Finding:
    """How many test rows are tied, and what an evaluator would report that breaks ties for or against them."""
    hits = f"sampled_hr@{subject.config.k}"
    lines = []
    for domain in subject.domains:
        for model in subject.models:
            sampled = {way: subject.scores(model, domain, hits, ties=way).mean() for way in WAYS}
            full = {way: subject.scores(model, domain, subject.metric, ties=way).mean() for way in WAYS}
            lines.append(
                {"domain": domain, "model": model, "tied rows": subject.scores(model, domain, TIE_SHARE).mean()}
                | {f"sampled HR, {way}": value for way, value in sampled.items()}
                | {f"full NDCG, {way}": value for way, value in full.items()}
            )
    table = pd.DataFrame(lines)
    excess = table["sampled HR, optimistic"] - table["sampled HR, uniform"]
    worst = table.loc[excess.idxmax()]
    concern = bool((excess > CONCERN * table["sampled HR, uniform"]).any())
    verdict = (
        f"{percent(worst['tied rows'])} of the test rows of {worst['domain']} are tied for {worst['model']}: an "
        f"evaluator that breaks ties for the positive would report {percent(worst['sampled HR, optimistic'])} sampled "
        f"HR@{subject.config.k}, where {percent(worst['sampled HR, uniform'])} is right."
    )
    if excess.max() <= 0:
        verdict = "No model has ties that matter: breaking them one way or the other changes nothing."
    return Finding(
        "ties", "What ties are worth", verdict, concern,
        {f"{what}, {line['model']}, {line['domain']}": line[what]
         for line in lines for what in ("tied rows", "sampled HR, optimistic", "sampled HR, uniform")},
        table,
        "Tied: the positive scores the same as another candidate. Uniform tie-breaking is integrated out; optimistic "
        "puts the positive first among its equals, pessimistic last. Means over test rows, "
        f"k = {subject.config.k}, {subject.config.sampled_negatives:,} sampled negatives.",
        tuple(name for name in table.columns if name not in ("domain", "model")),
    )


def sampled_against_full(subject: Subject) -> Finding:
    """Whether sampled ranking puts the models in the order of full ranking, and how much larger its figures are."""
    lines, tau = [], {}
    for domain in subject.domains:
        full, sampled = (
            pd.Series({model: subject.scores(model, domain, metric).mean() for model in subject.models})
            for metric in (subject.metric, f"sampled_{subject.metric}")
        )
        # Of one model, or of models that are all equal, there is no order.
        found = kendalltau(full, sampled).statistic if len(full) > 1 else math.nan
        tau[domain] = float(found)
        for ranking, values in (("full", full), ("sampled", sampled)):
            place = values.rank(ascending=False, method="min").astype(int)
            for model in subject.models:
                lines.append((domain, model, ranking, values[model], place[model]))
    long = pd.DataFrame(lines, columns=["domain", "model", "ranking", "value", "place"])
    wide = long.pivot_table(index=["domain", "model"], columns="ranking", values=["value", "place"], sort=False)
    table = pd.DataFrame({f"{ranking} NDCG": wide["value", ranking] for ranking in ("full", "sampled")})
    table["times"] = table["sampled NDCG"] / table["full NDCG"].where(table["full NDCG"] > 0)
    for ranking in ("full", "sampled"):
        table[f"place, {ranking}"] = wide["place", ranking].astype(int)
    table = table.reset_index()
    changed = [domain for domain, value in tau.items() if value < 1 - ROUNDING]
    order = f"another order of the models in {listed(changed)}" if changed else "the same order of the models"
    taus = listed([f"{value:.2f} in {domain}" for domain, value in tau.items()])
    return Finding(
        "sampled ranking", "Sampled against full ranking",
        f"Sampled ranking gives {order} (Kendall's tau {taus}) and figures that are {_range(table['times'])} as large.",
        bool(changed),
        {f"Kendall's tau, {domain}": value for domain, value in tau.items()}
        | {"largest ratio": float(table["times"].max())},
        table,
        f"NDCG@{subject.config.k} over test rows: against all unseen items of the domain, and against "
        f"{subject.config.sampled_negatives:,} uniform draws from them, the draw integrated out.",
        ("full NDCG", "sampled NDCG"),
    )


def _range(times: pd.Series) -> str:
    low, high = times.min(), times.max()
    return f"{low:.1f} times" if f"{low:.1f}" == f"{high:.1f}" else f"{low:.1f} to {high:.1f} times"
