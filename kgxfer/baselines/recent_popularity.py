"""Popularity that forgets: an interaction counts half as much after every half-life.

``score(i) = sum over the interactions with i of 0.5^(age / half-life)``, the age counted back from the last training
interaction of the domain. Where that moment lies does not change the order of the items.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, ClassVar

import numpy as np
import pandas as pd
from pydantic import Field

from graph_schema.errors import InputError
from kgxfer.baselines.base import Baseline, BaselineConfig, Candidate
from kgxfer.baselines.matrix import JointMatrix, item_columns
from kgxfer.baselines.popularity import SameForAll
from kgxfer.graph import KnowledgeGraph
from kgxfer.recommender import Catalogue
from kgxfer.splits import Split


class RecentPopularityConfig(BaselineConfig):
    """Settings: `half_life_days` are candidates to choose from."""

    half_life_days: tuple[Annotated[float, Field(gt=0)], ...] = Field((365.0, 30.0, 90.0, 1095.0), min_length=1)


class RecentPopularity(Baseline):
    """Score an item by its recent training interactions, the same for every user."""

    config_class: ClassVar[type[BaselineConfig]] = RecentPopularityConfig
    config: RecentPopularityConfig

    def candidates(self, graph: KnowledgeGraph, split: Split) -> Sequence[Candidate]:
        """Read the ages once; the candidates are the half-lives.

        Raises:
            InputError: a domain has no timestamps, or interactions without one.
        """
        catalogue = Catalogue.of(split)
        joint = JointMatrix.of(graph, catalogue, self.config.joint)
        ages = pd.concat([_ages(graph, catalogue, joint, domain) for domain in (0, 1)], ignore_index=True)

        def make(half_life: float) -> SameForAll:
            weight = 0.5 ** (ages["days"] / half_life)
            scores = np.bincount(ages["column"], weights=weight, minlength=joint.matrix.shape[1])
            return SameForAll(catalogue, joint, scores)

        return [Candidate({"half_life_days": days}, partial(make, days)) for days in self.config.half_life_days]


def _ages(graph: KnowledgeGraph, catalogue: Catalogue, joint: JointMatrix, domain: int) -> pd.DataFrame:
    """Joint column and age in days of a domain's interactions, the latest for each person and item."""
    edges = graph.interactions(domain)
    if "timestamp" not in edges.properties or edges.properties["timestamp"].isna().any():
        raise InputError(
            f'baseline recent_popularity: domain "{catalogue.domain_names[domain]}" has interactions without a '
            "timestamp; give every interaction one, or leave this baseline out"
        )
    when = edges.properties["timestamp"]
    table = pd.DataFrame(
        {
            "person": graph.persons[edges.head],
            "column": item_columns(graph, catalogue, joint.columns[domain], domain)[edges.tail],
            "days": ((when.max() - when) / pd.Timedelta(days=1)).to_numpy(),
        }
    )
    return table.groupby(["person", "column"], as_index=False)["days"].min()
