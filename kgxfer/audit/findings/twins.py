"""Twins: how many, how many test rows they give away, and how much of a model's gain they are."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from kgxfer.audit.finding import Finding, counted, listed, percent
from kgxfer.audit.subject import POPULARITY, Subject
from kgxfer.bridges import twin_pairs
from kgxfer.evaluation.evaluate import TWIN
from kgxfer.experiment.metric_words import label
from kgxfer.rng import numpy_generator
from kgxfer.splits import Split

SHARE_OF_ROWS, SHARE_OF_GAIN = 0.01, 0.1
"""From these on twins change figures that are reported."""


def twins(subject: Subject) -> Finding:
    """How many pairs of items have the same audience in both domains, and how many test rows they give away."""
    config = subject.config
    null = [
        len(twin_pairs(users_shuffled(subject.split, numpy_generator(config.seed, "shuffled users", number))))
        for number in range(config.shuffles)
    ]
    lines = []
    for domain in subject.domains:
        marks = subject.row_is(domain, TWIN, True)
        lines.append({"domain": domain, "test rows": len(marks), "twin rows": int(marks.sum()), "share": marks.mean()})
    table = pd.DataFrame(lines)
    shares = dict(zip(table["domain"], table["share"].astype(float), strict=True))
    found, chance = len(subject.pairs), float(np.mean(null))
    given = listed([f"{percent(share)} of the test rows of {domain}" for domain, share in shares.items()])
    return Finding(
        "twins", "The same product in both domains",
        f"{counted(found, 'pair')} of items with the same audience, against {chance:.0f} by chance; they give away "
        f"{given}.",
        max(shares.values()) >= SHARE_OF_ROWS,
        {"pairs": found, "pairs by chance": chance}
        | {f"share of test rows, {domain}": share for domain, share in shares.items()},
        table,
        "Pairs with at least two common users and a Jaccard index of at least one half, over the training users active "
        "in both domains. A test row is a twin row when the user has the item's twin in the training rows of the other "
        f"domain. Chance is the mean of {counted(config.shuffles, 'shuffle')} of these users in one domain.",
        ("share",),
    )


def users_shuffled(split: Split, generator: np.random.Generator) -> Split:
    """The same split, but the training users active in both domains have exchanged their rows in the target domain."""
    source, target = (domain.domain for domain in split.dataset.domains)
    both = np.intersect1d(*(split.rows("train", name)["user_id"].astype(object) for name in (source, target)))
    exchanged = pd.Series(generator.permutation(both), index=both)
    train = split.train.copy()
    users = train.loc[train["domain"] == target, "user_id"]
    train.loc[users.index, "user_id"] = users.map(exchanged).astype(users.dtype).fillna(users)
    return replace(split, train=train)


def twin_gain(subject: Subject) -> Finding:
    """How much of each model's gain over popularity comes from twin rows."""
    k = subject.config.k
    lines = [
        {
            "domain": domain, "model": model, "gain": _gain(subject, domain, model, subject.metric).mean(),
            "from twins": _from_twins(subject, domain, model, subject.metric),
            "from twins, sampled": _from_twins(subject, domain, model, f"sampled_{subject.metric}"),
            **{f"hits, {which} rows": hit.mean() for which, hit in _by_twin(subject, domain, model, f"hr@{k}").items()},
        }
        for domain in subject.domains for model in subject.models if model != POPULARITY
    ]  # fmt: skip
    table = pd.DataFrame(lines)
    known = table.dropna(subset=["from twins"])
    return Finding(
        "twin gain", "How much of the gain is twins", _twin_gain_verdict(known, subject),
        bool((known["from twins"] >= SHARE_OF_GAIN).any()),
        {f"share from twins{ranking}, {line['model']}, {line['domain']}": line[f"from twins{ranking}"]
         for line in lines for ranking in ("", ", sampled")},
        table,
        f"Gain: mean difference in {label(subject.metric)} to popularity over test rows, full ranking, each row by "
        "itself. From twins: the sum of the gains on twin rows over that on all rows, where there is a gain; more than "
        "100 means that other rows lose. Sampled: the same under sampled ranking, where other rows count more. Hits: "
        f"{label(f'hr@{k}')} over the rows named, full ranking.",
        ("gain", "from twins", "from twins, sampled", "hits, twin rows", "hits, other rows"),
    )


def _gain(subject: Subject, domain: str, model: str, metric: str) -> pd.Series:
    return subject.scores(model, domain, metric) - subject.scores(POPULARITY, domain, metric)


def _from_twins(subject: Subject, domain: str, model: str, metric: str) -> float:
    gain = _gain(subject, domain, model, metric)
    total = gain.sum()
    return float(gain[subject.row_is(domain, TWIN, True)].sum() / total) if total > 0 else math.nan


def _by_twin(subject: Subject, domain: str, model: str, metric: str) -> dict[str, pd.Series]:
    values, twin = subject.scores(model, domain, metric), subject.row_is(domain, TWIN, True)
    return {"twin": values[twin], "other": values[~twin]}


def _twin_gain_verdict(known: pd.DataFrame, subject: Subject) -> str:
    if known.empty:
        return "No model gains anything over popularity, so there is nothing to divide."
    if not known["from twins"].any():
        return "None of what the models gain over popularity comes from twin rows."
    known = known[known["model"].isin(subject.audited)] if known["model"].isin(subject.audited).any() else known
    most = known.loc[known["from twins"].idxmax()]
    least = known.loc[known["from twins"].idxmin()]
    words = f"{percent(most['from twins'])} of what {most['model']} gains over popularity in {most['domain']}"
    if len(known) == 1:
        return f"{words} comes from twin rows."
    return (
        f"{words} comes from twin rows, the most of any model; the least is {percent(least['from twins'])} "
        f"({least['model']}, {least['domain']})."
    )
