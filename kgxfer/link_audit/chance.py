"""What links would show if they meant nothing: the same statistics with the links shuffled, over several draws."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from graph_schema.tables import LINKS
from kgxfer.bridges.links import shuffle_links
from kgxfer.link_audit.measures import key_similarity, title_keys
from kgxfer.link_audit.nodes import USER, Side, active_in_both
from kgxfer.rng import numpy_generator

COMMON_USERS = "common users"
TITLES, SAME_YEAR = "mean title similarity", "share of the same year"
Statistic = Callable[[pd.DataFrame], float]


class Audience:
    """Who, of the users active in both domains, takes the two ends of links of one kind; for users there is none.

    Args:
        links: described links of one kind.
        sides: the domains.
    """

    def __init__(self, links: pd.DataFrame, sides: tuple[Side, Side]) -> None:
        users, kind = active_in_both(sides), str(links["kind"].iloc[0])
        self._ids = tuple(pd.Index(links[f"{end}_id"].astype(object).unique()) for end in ("source", "target"))
        first, second = (side.audience(kind, ids, users) for side, ids in zip(sides, self._ids, strict=True))
        self._common = (first.T @ second).tocsr()
        self._sizes = tuple(np.asarray(each.sum(0), dtype=float).ravel() for each in (first, second))
        self.users = len(users)

    def _places(self, links: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        first, second = (
            ids.get_indexer(links[f"{end}_id"].astype(object))
            for ids, end in zip(self._ids, ("source", "target"), strict=True)
        )
        return first, second

    def common(self, links: pd.DataFrame) -> np.ndarray:
        """Users who take both ends, per link."""
        if not len(links):
            return np.empty(0)
        return np.asarray(self._common[self._places(links)]).ravel()

    def expected(self, links: pd.DataFrame) -> np.ndarray:
        """The same if the two ends had nothing to do with each other: product of their audiences, over all users."""
        first, second = self._places(links)
        return np.asarray(self._sizes[0][first] * self._sizes[1][second] / max(self.users, 1))


def audiences_of(links: pd.DataFrame, sides: tuple[Side, Side]) -> dict[str, Audience]:
    """The audiences of described links of any bridges, by node type; users have none."""
    groups = links[links["kind"] != USER].groupby("node_type", sort=False)
    return {str(node_type): Audience(rows, sides) for node_type, rows in groups}


def against_chance(
    links: pd.DataFrame, audiences: Mapping[str, Audience], draws: int, seed: int
) -> pd.DataFrame:
    """Statistics of a bridge's links beside those of the same links shuffled, by node type.

    Common users: pairs of a link and a user, active in both domains, who takes both of its ends; an entity is taken
    with any item whose facts name it. Title similarity is averaged over links with two names, the share of the same
    year is that of links with two years. Shuffling lets every target take the place of another (`shuffle_links`), so
    that popularity and the number of links of each node stay what they are.

    Args:
        links: described links of one bridge.
        audiences: of these links, or of more, by node type.
        draws: shuffles.
        seed: of the shuffles.

    Returns:
        node_type, statistic, links (that it is measured on), true, chance (mean over draws), deviation (over draws),
        ratio (true over chance), z (true minus chance, in deviations), independent (of common users: the sum of
        `Audience.expected`, else NaN). Statistics that cannot be measured are absent; ratio and z are NaN where chance
        is 0 or does not vary.
    """
    lines = []
    for node_type, rows in links.groupby("node_type", sort=False):
        audience = audiences.get(str(node_type))
        statistics = _statistics(rows, audience)
        true = {name: statistic(rows) for name, (statistic, _) in statistics.items()}
        drawn: dict[str, list[float]] = {name: [] for name in statistics}
        if rows["target_id"].nunique() > 1:
            for number in range(draws if statistics else 0):
                generator = numpy_generator(seed, "shuffled links", str(node_type), number)
                shuffled = shuffle_links(rows[list(LINKS.names)], generator)
                for name, (statistic, _) in statistics.items():
                    drawn[name].append(statistic(shuffled))
        for name, (_, measured) in statistics.items():
            independent = audience.expected(rows).sum() if audience and name == COMMON_USERS else math.nan
            lines.append({"node_type": node_type, "statistic": name, "links": measured,
                          **_compared(true[name], np.array(drawn[name])), "independent": independent})  # fmt: skip
    figures = ["true", "chance", "deviation", "ratio", "z", "independent"]
    table = pd.DataFrame(lines, columns=["node_type", "statistic", "links", *figures])
    return table.astype(dict.fromkeys(figures, float) | {"links": int})


def _statistics(rows: pd.DataFrame, audience: Audience | None) -> dict[str, tuple[Statistic, int]]:
    """Functions of a link table, with the number of links that they look at."""
    found: dict[str, tuple[Statistic, int]] = {}
    if audience is not None and audience.users:
        found[COMMON_USERS] = (lambda links: float(audience.common(links).sum()), len(rows))
    named = int(rows[["source_name", "target_name"]].notna().all(axis=1).sum())
    if named and audience is not None:
        ours, theirs = (_keys_by_id(rows, end) for end in ("source", "target"))

        def similarity(links: pd.DataFrame) -> float:
            keys = (ours.reindex(links["source_id"]), theirs.reindex(links["target_id"]))
            return _mean(key_similarity(*keys))

        found[TITLES] = (similarity, named)
    dated = int(rows[["source_year", "target_year"]].notna().all(axis=1).sum())
    if dated:
        first, second = (_by_id(rows, end, "year") for end in ("source", "target"))

        def same_year(links: pd.DataFrame) -> float:
            apart = links["source_id"].map(first).astype(float) - links["target_id"].map(second).astype(float)
            return _mean(np.where(apart.isna(), np.nan, apart == 0))

        found[SAME_YEAR] = (same_year, dated)
    return found


def _by_id(rows: pd.DataFrame, end: str, column: str) -> pd.Series:
    return rows.drop_duplicates(f"{end}_id").set_index(f"{end}_id")[f"{end}_{column}"]


def _keys_by_id(rows: pd.DataFrame, end: str) -> pd.DataFrame:
    """Names are normalised once, not once a draw."""
    names = _by_id(rows, end, "name")
    return title_keys(names).set_axis(names.index)


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def _compared(true: float, drawn: np.ndarray) -> dict[str, float]:
    drawn = drawn[~np.isnan(drawn)]
    mean = float(drawn.mean()) if len(drawn) else math.nan
    deviation = float(drawn.std(ddof=1)) if len(drawn) > 1 else math.nan
    return {
        "true": true, "chance": mean, "deviation": deviation, "ratio": true / mean if mean > 0 else math.nan,
        "z": (true - mean) / deviation if deviation > 0 else math.nan,
    }
