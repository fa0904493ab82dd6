"""Greedy blend: a weighted sum of fitted models, whose members and weights are chosen on the validation rows.

Caruana, Niculescu-Mizil, Crew, Ksikes: Ensemble selection from libraries of models, ICML 2004. The scores of each
member are standardised per user over all items of the domain, ``z = (s - mean) / standard deviation``. Beginning with
nothing, the step (a member and a weight from a small grid) that most improves validation NDCG@k is taken, the same
member again if need be, until no step improves it.

Differs from the paper: steps differ in weight, and there is no bagging of the library. The best blend of many looks
better on its own validation rows than it is: report it on rows that played no part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from graph_schema.config import Config
from graph_schema.errors import InputError
from kgxfer.baselines.base import choice_average, choice_metric, validated_domains
from kgxfer.evaluation import EvaluationConfig
from kgxfer.evaluation.metrics import Positives
from kgxfer.evaluation.ranking import competing_columns
from kgxfer.evaluation.rows import RankedRows
from kgxfer.recommender import Catalogue, RankingModel
from kgxfer.rng import numpy_generator
from kgxfer.splits import Split
from kgxfer.topk import rows_at_once

MINIMUM_GAIN = 1e-9
"""Smaller differences of the validation figure are rounding."""


class BlendConfig(Config):
    """Settings of the search.

    `weights` are the steps that a member's weight can grow by. The validation scores of all members may take
    `memory_gib`; where those of all users need more, users are drawn by `seed`.
    """

    weights: tuple[Annotated[float, Field(gt=0)], ...] = Field((0.25, 0.5, 1.0), min_length=1)
    max_steps: int = Field(20, ge=1)
    memory_gib: float = Field(2.0, gt=0)
    seed: int = 0


class Blend(RankingModel):
    """``score(u, i) = sum over members of weight * z(u, i)``.

    Args:
        members: name -> fitted model, all of the same data set.
        weights: domain -> member -> weight; members that are not named have the weight 0.

    Raises:
        InputError: no members, members of different data sets, or a weight for an unknown member or domain.
    """

    def __init__(self, members: Mapping[str, RankingModel], weights: Mapping[str, Mapping[str, float]]) -> None:
        super().__init__(_check_members(members))
        self.weights = {name: dict(of_domain) for name, of_domain in weights.items()}
        self._members = dict(members)
        for domain, of_domain in self.weights.items():
            self.catalogue.domain_code(domain)
            for name in of_domain:
                if name not in self._members:
                    raise InputError(f'blend: weight for "{name}" in "{domain}", which is no member')

    def score_places(self, domain: int, places: np.ndarray) -> np.ndarray:
        """See `RankingModel.score_places`."""
        scores = np.zeros((len(places), len(self.catalogue.items[domain])), dtype=np.float32)
        for name, weight in self.weights.get(self.catalogue.domain_names[domain], {}).items():
            if weight:
                scores += np.float32(weight) * standardised(self._members[name].score_places(domain, places))
        return scores


def greedy_blend(
    members: Mapping[str, RankingModel],
    split: Split,
    evaluation: EvaluationConfig | None = None,
    config: BlendConfig | None = None,
) -> Blend:
    """Choose members and weights, domain by domain, on the validation rows.

    Args:
        members: name -> fitted model.
        split: whose validation rows decide; a domain without such rows takes what the other one chose, and where
            neither has any, all members weigh the same.
        evaluation: how validation rows are ranked.
        config: settings of the search.

    Returns:
        The blend; its `weights[domain]` sum to 1 and name all members.

    Raises:
        InputError: no members, or members of different data sets.
    """
    evaluation, config = evaluation or EvaluationConfig(), config or BlendConfig()
    _check_members(members)
    chosen = {
        domain: _search(_ValidationScores(members, split, domain, evaluation, config), config)
        for domain in validated_domains(split)
    }
    fallback = next(iter(chosen.values()), dict.fromkeys(members, 1 / len(members)))
    return Blend(members, {domain.domain: chosen.get(domain.domain, fallback) for domain in split.dataset.domains})


def standardised(scores: np.ndarray) -> np.ndarray:
    """Scores minus their mean over their standard deviation, row by row; float32, 0 where a row is constant or NaN."""
    values = np.nan_to_num(scores.astype(np.float32, copy=False), nan=0.0)
    mean = values.mean(1, keepdims=True, dtype=np.float64)
    centred = (values - mean).astype(np.float32)
    deviation = np.sqrt(np.square(centred).mean(1, keepdims=True, dtype=np.float64))
    # A spread that is no more than the rounding of float32 carries no order.
    spread = deviation > np.finfo(np.float32).eps * np.abs(mean)
    result: np.ndarray = centred * np.where(spread, 1 / np.where(spread, deviation, 1.0), 0.0).astype(np.float32)
    return result


def _check_members(members: Mapping[str, RankingModel]) -> Catalogue:
    if not members:
        raise InputError("blend: no members given; pass a mapping from names to fitted models")
    (first, model), *others = members.items()
    for name, other in others:
        same = model.catalogue.user_ids.equals(other.catalogue.user_ids) and all(
            model.catalogue.item_index(domain).equals(other.catalogue.item_index(domain)) for domain in (0, 1)
        )
        if not same:
            raise InputError(f'blend: "{first}" and "{name}" know different users or items; fit both on one data set')
    return model.catalogue


def _search(scores: _ValidationScores, config: BlendConfig) -> dict[str, float]:
    """Take the best step until none improves the figure; weights sum to 1."""
    weights = dict.fromkeys(scores.members, 0.0)
    best = -np.inf
    for step in range(config.max_steps):
        # The first member's weight does not matter: there is nothing yet to weigh it against.
        trials = [(name, weight) for name in scores.members for weight in (config.weights if step else (1.0,))]
        values = [scores.value_with(name, weight) for name, weight in trials]
        place = int(np.argmax(values))
        if values[place] <= best + MINIMUM_GAIN:
            break
        best = values[place]
        name, weight = trials[place]
        weights[name] += weight
        scores.add(name, weight)
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


class _ValidationScores:
    """The members' standardised scores for the validation users of one domain, and the blend as far as it has come.

    A trial sorts each user's blended scores once, whatever the number of rows of the user, and finds the rows' places
    in them by bisection.
    """

    def __init__(
        self,
        members: Mapping[str, RankingModel],
        split: Split,
        domain: str,
        evaluation: EvaluationConfig,
        config: BlendConfig,
    ) -> None:
        catalogue = next(iter(members.values())).catalogue
        code = catalogue.domain_code(domain)
        items = catalogue.item_index(code)
        rows = _fitting_users(split.rows("valid", domain), len(members) * len(items), config)
        self._user, users = pd.factorize(rows["user_id"])
        self._column = items.get_indexer(rows["item_id"])
        self._evaluation = evaluation
        self._excluding = domain in evaluation.exclude_other_positives
        self._block = rows_at_once(len(items), evaluation.memory_mib)
        self._blend = np.zeros((len(users), len(items)), dtype=np.float32)
        seen = catalogue.seen[code][catalogue.user_ids.get_indexer(users)].tocoo()
        self._blend[seen.row, seen.col] = -np.inf
        self._blend[:, ~competing_columns(split, "valid", domain, items)] = -np.inf
        self._candidates = np.count_nonzero(np.isfinite(self._blend), axis=1)
        self.members = {name: self._scores(model, domain, users) for name, model in members.items()}

    def _scores(self, model: RankingModel, domain: str, users: pd.Index) -> np.ndarray:
        scores = np.empty_like(self._blend)
        for start in range(0, len(users), self._block):
            part = slice(start, start + self._block)
            scores[part] = standardised(model.score(domain, users[part]))
        return scores

    def add(self, name: str, weight: float) -> None:
        """Make a step."""
        self._blend += np.float32(weight) * self.members[name]

    def value_with(self, name: str, weight: float) -> float:
        """The validation figure that a step would give."""
        above, tied = np.empty((2, len(self._user)), dtype=np.int64)
        for start in range(0, len(self._blend), self._block):
            part = slice(start, start + self._block)
            scores = self._blend[part] + np.float32(weight) * self.members[name][part]
            chosen = np.flatnonzero((self._user >= start) & (self._user < start + self._block))
            user = self._user[chosen] - start
            own = scores[user, self._column[chosen]]
            scores.sort(axis=1)
            first, last = (bisected(scores, user, own, after) for after in (False, True))
            above[chosen] = scores.shape[1] - last
            # What is no candidate is tied with nothing.
            tied[chosen] = np.where(np.isfinite(own), last - first, 1)
        return self._figure(above, tied)

    def _figure(self, above: np.ndarray, tied: np.ndarray) -> float:
        positives = Positives(self._user, above, tied, self._candidates[self._user])
        higher, same = positives.own
        counts = {
            "user_id": self._user, "above": above, "tied": tied, "candidates": positives.candidates,
            "positives_above": higher, "positives_tied": same - 1,
            "positives_other": positives.relevant[self._user] - 1,
        }
        config = self._evaluation
        ranked = RankedRows(pd.DataFrame(counts), config.sampled_negatives, self._excluding, config.ties)
        return float(ranked.values(choice_metric(config), choice_average(config)).mean())


def _fitting_users(rows: pd.DataFrame, cells_per_user: int, config: BlendConfig) -> pd.DataFrame:
    """The rows of as many users as fit into the memory, all or drawn."""
    users = rows["user_id"].unique()
    fitting = max(1, int(config.memory_gib * 2**30 / (4 * cells_per_user)))
    if len(users) <= fitting:
        return rows
    drawn = numpy_generator(config.seed, "validation users").choice(len(users), fitting, replace=False)
    return rows[rows["user_id"].isin(users[np.sort(drawn)])]


def bisected(rows: np.ndarray, row: np.ndarray, values: np.ndarray, after: bool) -> np.ndarray:
    """Where values belong in sorted rows, as `np.searchsorted` finds it in one; int64 [values].

    Args:
        rows: float [rows, columns], each ascending.
        row: which row each value is looked up in.
        values: float [values].
        after: whether after equal entries or before them.
    """
    low, high = np.zeros(len(values), dtype=np.int64), np.full(len(values), rows.shape[1])
    for _ in range(int(rows.shape[1]).bit_length()):
        middle = np.minimum((low + high) // 2, rows.shape[1] - 1)
        entry = rows[row, middle]
        right = entry <= values if after else entry < values
        undecided = low < high
        low, high = np.where(undecided & right, middle + 1, low), np.where(undecided & ~right, middle, high)
    return low
