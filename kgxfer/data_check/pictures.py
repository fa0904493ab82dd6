"""The pictures of a data check, drawn from the report alone."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, PercentFormatter

from kgxfer.experiment.plots import CONTROL, DOMAIN_COLOURS, INK, METHOD, STYLE, Picture, picture_of
from loaders.quality import Distribution, DomainQuality, QualityReport

BARS = 40
"""Ratings with more different values than this are drawn in so many equal parts."""
POINTS = 150
"""Most points of a curve."""
LINE = 0.42
SHIFTS = {
    "rating, total variation": "ratings, total variation", "rating, Wasserstein": "ratings, Wasserstein",
    "popularity, Lorenz gap": "popularity, Lorenz gap", "activity, Lorenz gap": "activity, Lorenz gap",
}  # fmt: skip


def pictures(report: QualityReport) -> dict[str, Picture]:
    """Draw what there is something to draw of, by name: spread, ratings, times, overlap, shift."""
    drawn = {
        "spread": spread(report), "ratings": ratings(report), "times": times(report), "overlap": overlap(report),
        "shift": shift(report),
    }  # fmt: skip
    return {name: picture for name, picture in drawn.items() if picture is not None}


def spread(report: QualityReport) -> Picture | None:
    """How activity and popularity are spread: the share of users, or items, with at least so many interactions."""
    if not any(domain.activity for domain in report.domains):
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 3.5), layout="constrained")
        axes = figure.subplots(1, 2)
        for axis, kind, owners in zip(axes, ("activity", "popularity"), ("users", "items"), strict=True):
            for domain, colour in zip(report.domains, DOMAIN_COLOURS, strict=True):
                _at_least(axis, getattr(domain, kind), domain.domain, colour)
            axis.set(xscale="log", yscale="log", xlabel="interactions, at least", ylabel=f"share of {owners}")
            axis.set_title(f"{kind} of {owners}", loc="left")
            _plain_ticks(axis)
        axes[0].legend(fontsize=9, loc="lower left")
        caption = "Share of users, and of items, with at least so many interactions; both axes are logarithmic."
        return picture_of(figure, caption)


def _plain_ticks(axis: Axes) -> None:
    """Write 5 and 20 %, where logarithmic axes write powers of ten; within one power, a few numbers between as well."""
    for one, words in ((axis.xaxis, "{:,.12g}".format), (axis.yaxis, lambda share: f"{100 * share:.3g} %")):
        low, high = one.get_view_interval()
        steps = (1.0,) if high > 100 * low else (1.0, 2.0, 5.0) if high > 5 * low else tuple(np.arange(1.0, 10.0))
        one.set_major_locator(LogLocator(subs=steps, numticks=12))
        one.set_major_formatter(FuncFormatter(lambda value, place, words=words: words(value)))
        one.set_minor_formatter(NullFormatter())


def _at_least(axis: Axes, distribution: Distribution, label: str, colour: str) -> None:
    if not distribution:
        return
    counts = np.array(distribution.counts)
    share = counts[::-1].cumsum()[::-1] / counts.sum()
    values = np.array(distribution.values)
    # More points than there are pixels only make the page heavy: the first of each equal part of the logarithmic axis.
    kept = np.unique(np.r_[np.searchsorted(values, np.geomspace(values[0], values[-1], POINTS)), len(values) - 1])
    axis.plot(values[kept], share[kept], color=colour, lw=1.6, label=label, marker="o", ms=2.5)


def ratings(report: QualityReport) -> Picture | None:
    """Ratings of both domains, as shares of each."""
    rated = [domain for domain in report.domains if domain.ratings]
    if not rated:
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.8 * len(rated), 2.9), layout="constrained")
        for axis, domain in zip(np.atleast_1d(figure.subplots(1, len(rated), sharey=True)), rated, strict=True):
            values, counts = np.array(domain.ratings.values, dtype=float), np.array(domain.ratings.counts)
            if len(values) > BARS:
                counts, edges = np.histogram(values, bins=BARS, weights=counts)
                values = (edges[:-1] + edges[1:]) / 2
            width = 0.8 * float(np.diff(values).min()) if len(values) > 1 else 0.4
            axis.bar(values, counts / counts.sum(), width, color=DOMAIN_COLOURS[report.domains.index(domain)])
            axis.set_title(f"ratings of {domain.domain}", loc="left")
            axis.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
            axis.grid(axis="x", visible=False)
            if len(values) <= 12:
                axis.set_xticks(values, [f"{value:g}" for value in values])
        return picture_of(figure, "Share of the interactions with each rating.")


def times(report: QualityReport) -> Picture | None:
    """Interactions month by month."""
    timed = [domain for domain in report.domains if domain.months]
    if not timed:
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 2.8), layout="constrained")
        axis = figure.subplots()
        for domain in timed:
            months = _every_month(domain)
            axis.plot(months.index, months.to_numpy(), color=DOMAIN_COLOURS[report.domains.index(domain)], lw=1.4,
                      label=domain.domain, marker="o" if len(months) < 25 else "", ms=4)  # fmt: skip
        axis.set_ylim(bottom=0)
        axis.set_ylabel("interactions per month")
        axis.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axis.legend(fontsize=9, loc="best")
        return picture_of(figure, "Interactions per month, UTC.")


def _every_month(domain: DomainQuality) -> pd.Series:
    """Months -> interactions; a month between the first and the last without any has none."""
    moments = pd.to_datetime(pd.Series(domain.months.values), format="%Y-%m")
    counted = pd.Series(domain.months.counts, index=pd.DatetimeIndex(moments))
    return counted.reindex(pd.date_range(counted.index[0], counted.index[-1], freq="MS"), fill_value=0)


def overlap(report: QualityReport) -> Picture | None:
    """What part of each domain's users and interactions is of overlapping users."""
    bars = []
    for domain, side in zip(report.domains, ("source", "target"), strict=True):
        shares = (f"share of the {side}'s users", f"their share of the {side}'s interactions")
        for what, share in zip(("users", "interactions"), shares, strict=True):
            found = report.pair[share].value
            if found is not None:
                bars.append((f"{what} of {domain.domain}", float(found), int(domain.known[what])))
    if not bars:
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.6, LINE * len(bars) + 0.8), layout="constrained")
        axis = figure.subplots()
        shares_of = np.array([share for _, share, _ in bars])
        places = np.arange(len(bars))
        axis.barh(places, shares_of, color=METHOD, height=0.62)
        axis.barh(places, 1 - shares_of, left=shares_of, color=CONTROL, alpha=0.45, height=0.62)
        for place, (_, part, total) in enumerate(bars):
            axis.text(1.015, place, f"{part * total:,.0f} of {total:,}", va="center", fontsize=8.5)
        _named_bars(axis, [name for name, _, _ in bars])
        axis.set_xlim(0, 1)
        axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        return picture_of(figure, "Blue: of users whose id is in both domains; grey: of the others.")


def shift(report: QualityReport) -> Picture | None:
    """Every distance between the domains that lies between 0 and 1."""
    known = report.pair.known
    bars = [(label, float(known[name])) for name, label in SHIFTS.items() if name in known]
    for row in report.pair.entities.to_dict("records"):
        weighted = row["distance_interactions"]
        bars.append((f"{row['node_type']}, Jensen-Shannon", row["distance"] if np.isnan(weighted) else weighted))
    if not bars:
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.6, LINE * len(bars) + 0.8), layout="constrained")
        axis = figure.subplots()
        values = [value for _, value in bars]
        axis.barh(np.arange(len(bars)), values, color=METHOD, height=0.62)
        for place, value in enumerate(values):
            axis.text(value + 0.01, place, f"{value:.3f}", va="center", fontsize=8.5, color=INK)
        _named_bars(axis, [name for name, _ in bars])
        axis.set_xlim(0, 1.06)
        caption = "Distances between the domains: 0 the same, 1 nothing in common. Entities: as interactions meet them."
        return picture_of(figure, caption)


def _named_bars(axis: Axes, names: Sequence[str]) -> None:
    axis.set_yticks(np.arange(len(names)), list(names))
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.grid(axis="y", visible=False)
