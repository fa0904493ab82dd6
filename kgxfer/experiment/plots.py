"""The plots of a report, each a self-contained SVG picture: figures by model, training curves, embedding maps.

Everything is drawn on matplotlib's own canvas, so no window system is needed and nothing is left changed.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

METHOD = "#2563a8"
CONTROL = "#a3acb8"
INK = "#1f2933"
DOMAIN_COLOURS = ("#c8702a", "#2563a8")
LINE_COLOURS = ("#2563a8", "#c8702a", "#3c8d5a", "#8a5bb0", "#b5475e")
STYLE: Any = {
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.labelsize": 9.5,
    "axes.edgecolor": "#9aa5b1",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e8ed",
    "text.color": INK,
    "xtick.color": "#52606d",
    "ytick.color": "#52606d",
    "legend.frameon": False,
    "svg.hashsalt": "kgxfer",
}
TOTAL = "loss"
"""The curve that is the weighted sum of the other losses."""
MAP_POINTS = 3000
"""Nodes drawn per panel of a map; more only hide one another."""


@dataclass(frozen=True)
class Picture:
    """A plot: its caption, and a data address that holds it.

    As an image of its own, the identifiers inside it cannot meet those of other plots of the page.
    """

    caption: str
    address: str


@dataclass(frozen=True)
class Bar:
    """One bar: a model's mean, its standard deviation over seeds (NaN for one seed), and whether it is a control."""

    model: str
    mean: float
    deviation: float
    control: bool


def metric_bars(panels: Sequence[tuple[str, Sequence[Bar]]], columns: int) -> Picture:
    """Draw one panel of horizontal bars per (title, bars), `columns` in a row; whiskers are the spread over seeds."""
    with mpl.rc_context(STYLE):
        rows = -(-len(panels) // columns)
        models = max(len(bars) for _, bars in panels)
        figure = Figure(figsize=(3.1 * columns + 1.2, rows * (0.9 + 0.27 * models)), layout="constrained")
        axes = np.atleast_1d(figure.subplots(rows, columns, sharey=True)).ravel()
        for axis, (title, bars) in zip(axes, panels, strict=False):
            _bars(axis, title, bars)
        for axis in axes[len(panels) :]:
            axis.set_visible(False)
        caption = "Full ranking, percent, per user. Blue: trained models; grey: controls; whiskers: s.d. over seeds."
        return picture_of(figure, caption)


def _bars(axis: Axes, title: str, bars: Sequence[Bar]) -> None:
    places = np.arange(len(bars))
    means = np.array([bar.mean for bar in bars])
    spread = np.nan_to_num([bar.deviation for bar in bars])
    colours = [CONTROL if bar.control else METHOD for bar in bars]
    axis.barh(places, means, xerr=spread, color=colours, height=0.68, error_kw={"elinewidth": 1, "ecolor": INK})
    axis.set_yticks(places, [bar.model for bar in bars])
    axis.set_ylim(len(bars) - 0.5, -0.5)
    right = float((means + spread).max()) or 1.0
    axis.set_xlim(0, right * 1.2)
    for place, mean, more in zip(places, means, spread, strict=True):
        axis.text(mean + more + right * 0.02, float(place), f"{mean:.1f}", va="center", fontsize=8.5)
    axis.set_title(title, loc="left")
    axis.grid(axis="y", visible=False)
    axis.xaxis.set_major_locator(MaxNLocator(4))


def training_curves(model: str, history: pd.DataFrame, stages: Sequence[Mapping[str, Any]]) -> Picture:
    """Draw losses above and the monitored metric below, one column per phase, one line per seed.

    Args:
        model: whose curves.
        history: seed, phase, epoch, name, value.
        stages: records of all models, of which model, phase and kept_epoch are read.
    """
    if history["name"].nunique() > 2:
        history = history[history["name"] != TOTAL]  # it only repeats or sums the curves of its parts
    phases = list(history["phase"].unique())
    kept = {phase: {s["kept_epoch"] for s in stages if (s["model"], s["phase"]) == (model, phase)} for phase in phases}
    metric_rows = history["name"].str.contains("@")
    parts = [(label, rows) for label, rows in (("loss", history[~metric_rows]), ("validation", history[metric_rows]))
             if len(rows)]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.5 * len(phases) + 0.6, 2.2 * len(parts) + 0.5), layout="constrained")
        grid = figure.subplots(len(parts), len(phases), squeeze=False)
        for row, (label, rows) in enumerate(parts):
            for column, phase in enumerate(phases):
                axis = grid[row][column]
                _curves(axis, rows[rows["phase"] == phase], kept[phase])
                axis.set_ylabel(label if column == 0 else "")
                axis.set_title(f"phase: {phase}" if row == 0 else "", loc="left")
                axis.set_xlabel("epoch" if row == len(parts) - 1 else "")
        seeds = history["seed"].nunique()
        return picture_of(figure, f"{model}: {seeds} seed{'s' * (seeds > 1)}; dotted: the epoch that was kept.")


def _curves(axis: Axes, rows: pd.DataFrame, kept: set[int]) -> None:
    if not len(rows):
        axis.set_visible(False)
        return
    for colour, (name, lines) in zip(LINE_COLOURS * len(rows), rows.groupby("name", sort=False), strict=False):
        marker = "o" if lines["epoch"].nunique() == 1 else ""
        for number, (_, line) in enumerate(lines.groupby("seed", sort=False)):
            label = str(name) if number == 0 else None
            axis.plot(line["epoch"], line["value"], color=colour, lw=1.4, alpha=0.85, label=label, marker=marker)
    for epoch in sorted(kept):
        axis.axvline(epoch, color="#7b8794", lw=1, ls=":")
    axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axis.legend(fontsize=8.5, loc="best", handlelength=1.4)


def stage_steps(steps: pd.DataFrame) -> Picture:
    """Draw the validation metric after each phase, one line per model.

    Args:
        steps: model, phase, metric, mean, deviation; the last two in percent.
    """
    phases = list(steps["phase"].unique())
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 3.2), layout="constrained")
        axis = figure.subplots()
        for colour, (model, line) in zip(LINE_COLOURS * len(steps), steps.groupby("model", sort=False), strict=False):
            places = [phases.index(phase) for phase in line["phase"]]
            axis.errorbar(
                places, line["mean"], yerr=np.nan_to_num(line["deviation"]), color=colour, label=str(model), marker="o",
                lw=1.6, capsize=3,
            )
        axis.set_xticks(range(len(phases)), [f"after {phase}" for phase in phases])
        axis.set_xlim(-0.3, len(phases) - 0.7)
        axis.set_ylabel(f"{steps['metric'].iloc[0]} on validation rows (%)")
        axis.legend(fontsize=9)
        return picture_of(figure, "Validation figure after each phase; whiskers: s.d. over seeds.")


def embedding_map(model: str, points: pd.DataFrame) -> Picture:
    """Draw one model's embeddings in two dimensions, before and after alignment side by side.

    Args:
        model: whose embeddings.
        points: moment, node, domain, x, y.
    """
    nodes, moments = list(points["node"].unique()), list(points["moment"].unique())
    domains = list(points["domain"].unique())
    palette = dict(zip(domains, [*DOMAIN_COLOURS, "#8b949e", *LINE_COLOURS[2:]], strict=False))
    panels = [(node, moment) for node in nodes for moment in moments]
    columns = max(2, len(moments))
    rows = -(-len(panels) // columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.3 * columns, 3.7 * rows + 0.3), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for axis, (node, moment) in zip(axes, panels, strict=False):
            chosen = points[(points["node"] == node) & (points["moment"] == moment)]
            _scatter(axis, chosen, palette, f"{node}, {moment}")
        for axis in axes[len(panels) :]:
            axis.set_visible(False)
        figure.legend(
            handles=[_dot(colour, str(domain)) for domain, colour in palette.items()], loc="outside lower center",
            ncols=len(palette),
        )
        return picture_of(figure, f"{model}: embeddings in two dimensions, coloured by domain.")


def _scatter(axis: Axes, points: pd.DataFrame, palette: dict[Any, str], title: str) -> None:
    axis.set_title(title, loc="left")
    axis.set(xticks=[], yticks=[])
    axis.spines[["top", "right"]].set_visible(True)
    drawn = points.sample(min(MAP_POINTS, len(points)), random_state=0)  # also mixes which domain lies on top
    sns.scatterplot(
        drawn, x="x", y="y", hue="domain", palette=palette, s=9, linewidth=0, alpha=0.55, legend=False, ax=axis,
        rasterized=True,
    )
    axis.set(xlabel="", ylabel="")


def _dot(colour: str, label: str) -> Any:
    return Line2D([], [], color=colour, marker="o", ls="", markersize=6, label=label)


def picture_of(figure: Figure, caption: str) -> Picture:
    """Render without a date, so that the same figures give the same bytes."""
    stream = BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None}, dpi=110)
    return Picture(caption, "data:image/svg+xml;base64," + base64.b64encode(stream.getvalue()).decode())
