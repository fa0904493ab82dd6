"""The pictures of an audit."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kgxfer.audit.finding import Finding
from kgxfer.experiment.plots import DOMAIN_COLOURS, INK, METHOD, STYLE, Bar, Picture, metric_bars, picture_of

WIDTH, LINE = 4.3, 0.36


def tie_ranges(finding: Finding, audited: Collection[str]) -> Picture:
    """What each model's sampled hit rate could be called, from pessimistic to optimistic ties; a dot: what it is."""

    def draw(axis: Axes, rows: pd.DataFrame) -> None:
        low, right, high = (100 * rows[f"sampled HR, {way}"] for way in ("pessimistic", "uniform", "optimistic"))
        places = np.arange(len(rows))
        axis.hlines(places, low, high, color=DOMAIN_COLOURS[0], lw=5, alpha=0.45)
        colours = [METHOD if name in audited else INK for name in rows["model"]]
        axis.scatter(right, places, s=36, zorder=3, color=colours)
        axis.set_xlim(0, 1.08 * max(float(high.max()), 1e-9))

    caption = (
        "Sampled HR, percent. Dot: ties broken at random, integrated out (blue: audited, black: controls); bar: "
        "what breaking all of them against or for the positives would report."
    )
    return _per_domain(finding.table, draw, caption)


def twin_bars(finding: Finding, audited: Collection[str]) -> Picture:
    """Each model's gain over popularity, divided into what twin rows and what other rows bring."""

    def draw(axis: Axes, rows: pd.DataFrame) -> None:
        gain = 100 * rows["gain"].to_numpy()
        twin = gain * rows["from twins"].fillna(0).to_numpy()
        places = np.arange(len(rows))
        axis.barh(places, gain - twin, color=METHOD, height=0.62, label="other rows")
        start = np.maximum(gain - twin, 0)
        axis.barh(places, twin, left=start, color=DOMAIN_COLOURS[0], height=0.62, label="twin rows")
        axis.axvline(0, color=INK, lw=0.8)
        axis.legend(fontsize=8.5, loc="upper left", bbox_to_anchor=(0, -0.22), ncols=2, borderaxespad=0)

    return _per_domain(finding.table, draw, "Gain in NDCG over popularity, points, by the rows that it comes from.")


def both_rankings(finding: Finding, audited: Collection[str]) -> Picture:
    """Full and sampled figures side by side; controls are grey."""
    panels = []
    for domain, rows in finding.table.groupby("domain", sort=False):
        for ranking in ("full", "sampled"):
            values = zip(rows["model"], rows[f"{ranking} NDCG"], strict=True)
            bars = [Bar(name, 100 * value, float("nan"), name not in audited) for name, value in values]
            panels.append((f"{ranking} ranking, {domain}", bars))
    return replace(metric_bars(panels, 2), caption="NDCG over test rows, percent; mind the scales. Grey: controls.")


def _per_domain(table: pd.DataFrame, draw: Callable[[Axes, pd.DataFrame], None], caption: str) -> Picture:
    """One panel per domain, one line per model."""
    groups = list(table.groupby("domain", sort=False))
    most = max(len(rows) for _, rows in groups)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH * len(groups) + 1, LINE * most + 1.1), layout="constrained")
        axes = np.atleast_1d(figure.subplots(1, len(groups), sharey=True))
        for axis, (domain, rows) in zip(axes, groups, strict=True):
            draw(axis, rows)
            axis.set_yticks(np.arange(len(rows)), list(rows["model"]))
            axis.set_ylim(len(rows) - 0.5, -0.5)
            axis.set_title(str(domain), loc="left")
            axis.grid(axis="y", visible=False)
        return picture_of(figure, caption)
