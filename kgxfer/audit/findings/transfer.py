"""Whether the other domain helps or harms, and whom; and which differences these users can decide at all."""

from __future__ import annotations

from itertools import combinations

import pandas as pd

from kgxfer.audit.finding import Finding, counted, listed, percent
from kgxfer.audit.subject import ITEM_KNN, KIND_OF_USER, POPULARITY, TARGET_ONLY, WARM, Subject
from kgxfer.evaluation.power import detectable_difference
from kgxfer.evaluation.significance import holm, paired_randomisation

MARKED = ("twin rows",)
"""Groups that say nothing about who is harmed."""


def negative_transfer(subject: Subject) -> Finding:
    """Who is served worse by a model that knows both domains than by controls that know the tested one alone."""
    lines = []
    for domain in subject.domains:
        groups = subject.report.figures.query("domain == @domain")["group"].unique()
        for group in groups:
            if group in MARKED:
                continue
            reference = _own_domain_only(subject, domain, group)
            for model in (ITEM_KNN, *subject.audited):
                scores = subject.report.scores(model, domain, subject.metric, group)
                difference = scores - reference
                lines.append(
                    {
                        "domain": domain, "group": group, "model": model, "users": len(scores),
                        "own domain only": reference.mean(), "both domains": scores.mean(),
                        "difference": difference.mean(), "users harmed": (difference < -1e-12).mean(),
                        "p": paired_randomisation(scores, reference, subject.config.draws, subject.config.seed),
                    }
                )
    table = pd.DataFrame(lines)
    table["p (Holm)"] = holm(table.pop("p"))
    harmed = table[(table["p (Holm)"] < subject.config.alpha) & (table["difference"] < 0)]
    verdict = "No group of users is served worse with the other domain than without it, as far as this test can tell."
    if len(harmed):
        worst = harmed.loc[harmed["difference"].idxmin()]
        cases = counted(len(harmed), "group is served", "groups are served")
        verdict = (
            f"{cases} worse with the other domain than without it, most of all {worst['group']} of {worst['domain']} "
            f"by {worst['model']} ({100 * worst['difference']:+.2f} points of NDCG@{subject.config.k})."
        )
    return Finding(
        "negative transfer", "Whom the other domain harms", verdict, bool(len(harmed)),
        {"comparisons": len(table), "harmed": len(harmed), "worst difference": float(table["difference"].min())},
        table,
        f"NDCG@{subject.config.k} per user against ItemKNN of the tested domain alone; users without training rows "
        "there, whom it cannot serve, are compared with popularity. Paired randomisation test by user, all p-values "
        f"corrected together by Holm's rule, level {subject.config.alpha:g}.",
        ("own domain only", "both domains", "difference", "users harmed"),
    )


def _own_domain_only(subject: Subject, domain: str, group: str) -> pd.Series:
    """Per-user values of what knows the tested domain alone."""
    floor = subject.report.scores(POPULARITY, domain, subject.metric, group)
    if TARGET_ONLY not in subject.report.rows:
        return floor
    rows = subject.report.rows[TARGET_ONLY][domain]
    warm = floor.index.isin(rows.loc[rows[KIND_OF_USER] == WARM, "user_id"])
    return subject.report.scores(TARGET_ONLY, domain, subject.metric, group).where(warm, floor)


def power(subject: Subject) -> Finding:
    """The smallest difference between two models that a paired test with these users would find."""
    lines = []
    for domain in subject.domains:
        scores = {
            model: subject.scores(model, domain, subject.metric, average="per user") for model in subject.models
        }
        for first, second in combinations(scores, 2):
            difference = scores[first] - scores[second]
            lines.append(
                {
                    "domain": domain, "model": first, "against": second, "users": len(difference),
                    "difference": difference.mean(), "smallest decidable": _smallest(difference, subject),
                }
            )
    table = pd.DataFrame(lines)
    table["decidable"] = table["difference"].abs() >= table["smallest decidable"]
    median = table.groupby("domain", sort=False)["smallest decidable"].median()
    users = table.groupby("domain", sort=False)["users"].first()
    told = listed([f"{100 * value:.2f} points in {name} ({users[name]:,} users)" for name, value in median.items()])
    open_pairs = int((~table["decidable"]).sum())
    return Finding(
        "power", "Which differences can be decided",
        f"Differences in NDCG@{subject.config.k} below {told} cannot be relied on to show; {open_pairs} of "
        f"{counted(len(table), 'pair')} of models differ by less than their own limit.",
        2 * open_pairs > len(table),
        {f"smallest decidable, {name}": float(value) for name, value in median.items()}
        | {"pairs": len(table), "undecidable": open_pairs},
        table,
        f"The true mean difference that a two-sided paired test at the level {subject.config.alpha:g} finds with "
        f"{percent(subject.config.power, 0)} probability, given the spread of the users' differences; the sentence "
        "names the median over pairs of models. One comparison alone: more comparisons need larger differences.",
        ("difference", "smallest decidable"),
    )


def _smallest(difference: pd.Series, subject: Subject) -> float:
    if len(difference) < 2:  # one user has no spread
        return float("inf")
    return detectable_difference(difference, power=subject.config.power, alpha=subject.config.alpha)
