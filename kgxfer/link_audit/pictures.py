"""The pictures of a link audit."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kgxfer.experiment.plots import CONTROL, INK, LINE_COLOURS, METHOD, STYLE, Picture, picture_of
from kgxfer.link_audit.chance import COMMON_USERS
from kgxfer.link_audit.nodes import USER
from kgxfer.link_audit.subject import LinkSubject

WIDTH, HEIGHT, LINE = 3.6, 2.4, 0.5


def name_distances(subject: LinkSubject) -> Picture | None:
    """Title distances of each bridge's links."""
    links = subject.links[subject.links["similarity"].notna() & (subject.links["kind"] != USER)]
    limit = 1 - subject.config.minimum_similarity
    caption = "Links by the distance of their titles, one panel per bridge; dashed: from here on names differ."
    return _histograms(links.assign(value=1 - links["similarity"]), caption, limit)


def confidences(subject: LinkSubject) -> Picture | None:
    """Confidences of each bridge's links."""
    links = subject.links.assign(value=subject.links["confidence"])
    return _histograms(links, "Links by the confidence that their bridge states, one panel per bridge.", None)


def common_users(subject: LinkSubject) -> Picture | None:
    """Common users of linked things beside those of shuffled links."""
    rows = subject.chance[(subject.chance["statistic"] == COMMON_USERS) & (subject.chance["chance"] > 0)]
    if rows.empty:
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, LINE * len(rows) + 1.2), layout="constrained")
        axis = figure.subplots()
        places = np.arange(len(rows))
        axis.barh(places - 0.18, rows["ratio"], height=0.34, color=METHOD, label="links")
        spread = 2 * rows["deviation"].fillna(0) / rows["chance"]
        axis.barh(places + 0.18, np.ones(len(rows)), height=0.34, color=CONTROL, label="shuffled links", xerr=spread,
                  error_kw={"ecolor": INK, "lw": 1, "capsize": 2})  # fmt: skip
        counts = [f" {true:,.0f} : {chance:,.1f}" for true, chance in zip(rows["true"], rows["chance"], strict=True)]
        for place, ratio, count in zip(places, rows["ratio"], counts, strict=True):
            axis.text(ratio, place - 0.18, count, va="center", fontsize=8.5)
        axis.set_yticks(places, list(rows["bridge"] + ", " + rows["node_type"]))
        axis.set_ylim(len(rows) - 0.5, -0.5)
        axis.set_xlim(0, 1.25 * max(1.0, float(rows["ratio"].max())))
        axis.grid(axis="y", visible=False)
        axis.legend(fontsize=8.5, loc="upper left", bbox_to_anchor=(0, -0.18), ncols=2, borderaxespad=0)
        caption = "Users who take both ends of a link, summed over links, relative to chance; whiskers: two deviations."
        return picture_of(figure, caption)


def _histograms(links: pd.DataFrame, caption: str, limit: float | None) -> Picture | None:
    """One panel per bridge, twenty bins from 0 to 1."""
    groups = list(links.groupby("bridge", sort=False))
    if not groups:
        return None
    columns = min(3, len(groups))
    rows = -(-len(groups) // columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH * columns, HEIGHT * rows), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for axis, (bridge, chosen) in zip(axes, groups, strict=False):
            _bars(axis, chosen, str(bridge), limit)
        for axis in axes[len(groups) :]:
            axis.set_visible(False)
        return picture_of(figure, caption)


def _bars(axis: Axes, chosen: pd.DataFrame, title: str, limit: float | None) -> None:
    kinds = list(chosen.groupby("node_type", sort=False)["value"])
    colours = [LINE_COLOURS[place % len(LINE_COLOURS)] for place in range(len(kinds))]
    axis.hist([values for _, values in kinds], bins=np.linspace(0, 1, 21).tolist(), stacked=True, color=colours,
              label=[str(name) for name, _ in kinds])  # fmt: skip
    if limit is not None:
        axis.axvline(limit, color=INK, lw=1, ls="--")
    axis.set_xlim(0, 1)
    axis.set_title(title, loc="left")
    axis.set_ylabel("links")
    axis.legend(fontsize=8.5)


PICTURES: dict[str, Callable[[LinkSubject], Picture | None]] = {
    "names": name_distances, "confidence": confidences, "chance": common_users,
}
"""Finding -> what is drawn of it; others are tables alone."""
