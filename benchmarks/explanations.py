"""Do explanations name what the model uses? ``python -m benchmarks.explanations [USERS]``.

For test users of the Amazon books and films the edges of the strongest path to a recommended film are deleted, and the
model's parameters are propagated again over what is left, degrees counted anew. The score should fall further than
where equally many other edges are deleted that look the same:

- *matched*: for each edge one of the same type within two hops of the user, drawn from the ten whose ends have the most
  similar degrees (of any type where there is none of the same);
- *own* (stricter than what is asked for): as before, but the first hop's place is taken by another of the user's own
  interactions, and the last one's by another edge at the item.

The control's fall is the median over several draws. The user's own SAME_AS link is left alone throughout, since without
it a cold-start user has no history at all. Intervals: bootstrap over users.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from graph_schema.schema import EdgeType
from kgxfer.evaluation.significance import bootstrap_interval
from kgxfer.experiment.config import load_config
from kgxfer.experiment.state import Ground
from kgxfer.explain import Explainer, Explanation
from kgxfer.explain.walks import Walks
from kgxfer.graph import USER, GraphTensors, KnowledgeGraph
from kgxfer.recommender import Propagation, Recommender
from kgxfer.rng import numpy_generator
from kgxfer.training import Trainer

HERE = Path(__file__).parent
CONFIG = HERE / "configs" / "amazon-books-to-movies.toml"
DRAWS, SIMILAR, PER_USER = 3, 10, 2
Edge = tuple[EdgeType, int]
"""Type, and place among those of the type."""


@dataclass(frozen=True, eq=False)
class Ablation:
    """Scores of one graph with edges deleted."""

    graph: KnowledgeGraph
    how: Propagation
    scale: float

    @cached_property
    def tensors(self) -> GraphTensors:
        """With all edges."""
        return GraphTensors.of(self.graph)

    @cached_property
    def walks(self) -> Walks:
        """With all edges."""
        return Walks.of(self.graph, self.how.gates, self.how.layers, self.tensors)

    @cached_property
    def start(self) -> np.ndarray:
        """The embeddings of all nodes."""
        embeddings: np.ndarray = self.walks.spread(self.how.embeddings)[1, 0].astype(np.float64)
        return embeddings

    def score(self, user: int, item: int, without: list[Edge]) -> float:
        """Of two nodes, beside the item's offset."""
        masks = {}
        for kind in {kind for kind, _ in without}:
            masks[kind] = torch.ones(len(self.graph.edges[kind]))
            masks[kind][[row for one, row in without if one == kind]] = 0.0
        left = Walks.of(self.graph, self.how.gates, self.how.layers, self.tensors.with_masks(masks))
        of_user, of_item = left.reach(np.array([user, item])) @ self.start
        return float(self.scale * of_user @ of_item)

    @cached_property
    def edges(self) -> pd.DataFrame:
        """A line per edge: kind (number of its type), row, head, tail (nodes), and the logarithms of its degrees."""
        walks = self.walks
        head, tail = walks.receiver[::2], walks.sender[::2]
        table = pd.DataFrame({"kind": walks.edge_type[::2], "row": walks.edge_row[::2], "head": head, "tail": tail})
        for end in ("head", "tail"):
            table[f"of_{end}"] = np.log1p(table.groupby(["kind", end])["row"].transform("size"))
        return table

    def is_own_identity(self, user: int) -> np.ndarray:
        """Bool [edges]: SAME_AS links of the user."""
        person = self.walks.person
        own: np.ndarray = self.walks.identity[::2] & (person[self.edges["head"]] == person[user])
        return own

    def near(self, user: int) -> np.ndarray:
        """Places of the edges within two hops of a user; SAME_AS costs none."""
        here = self._joined(np.array([user]))
        here = self._joined(np.concatenate([here, self._ends(here, ~self.walks.identity)]))
        touched = np.isin(self.edges["head"], here) | np.isin(self.edges["tail"], here)
        return np.flatnonzero(touched & ~self.is_own_identity(user))

    def _joined(self, nodes: np.ndarray) -> np.ndarray:
        return np.unique(np.concatenate([nodes, self._ends(nodes, self.walks.identity)]))

    def _ends(self, nodes: np.ndarray, through: np.ndarray) -> np.ndarray:
        found: np.ndarray = self.walks.sender[through & np.isin(self.walks.receiver, nodes)]
        return found

    def alike(self, edge: int, pool: np.ndarray, taken: list[int], generator: np.random.Generator) -> int:
        """Draw from a pool one of the edges most like this one; -1 where the pool is empty."""
        pool = pool[~np.isin(pool, [*taken, edge])]
        given, own = self.edges.iloc[pool], self.edges.iloc[edge]
        same = (given["kind"] == own["kind"]).to_numpy()
        if same.any():
            pool, given = pool[same], given[same]
        if not len(pool):
            return -1
        apart = (given["of_head"] - own["of_head"]).abs() + (given["of_tail"] - own["of_tail"]).abs()
        return int(generator.choice(pool[np.argsort(apart.to_numpy(), kind="stable")[:SIMILAR]]))


@dataclass(frozen=True)
class Case:
    """An explained recommendation: nodes, and the edges of its strongest path, the user's own SAME_AS link left out."""

    user: int
    item: int
    edges: list[int]


def case_of(ablation: Ablation, told: Explanation) -> Case:
    """Find nodes and edges again."""
    walks, graph, path = ablation.walks, ablation.graph, told.paths[0]
    rows = {kind: place for place, kind in enumerate(walks.edge_types)}
    starts = np.concatenate([[0], np.cumsum([len(graph.edges[kind]) for kind in walks.edge_types])])
    edges = [int(starts[rows[step.edge_type]]) + step.row for step in path.steps]
    code = graph.domain_code(told.domain)
    user = walks.starts[USER] + int(graph.user_rows_anywhere(code, [told.user.id])[0])
    item = walks.starts[told.item.type] + int(graph.item_rows(code, [told.item.id])[0])
    own = ablation.is_own_identity(user)
    return Case(user, item, [edge for edge in edges if not own[edge]])


def matched(ablation: Ablation, case: Case, pool: np.ndarray, generator: np.random.Generator) -> list[int]:
    """Other edges near the user in place of the path's."""
    drawn: list[int] = []
    for edge in case.edges:
        drawn.append(ablation.alike(edge, pool, [*case.edges, *drawn], generator))
    return drawn


def own(ablation: Ablation, case: Case, pool: np.ndarray, generator: np.random.Generator) -> list[int] | None:
    """As `matched`, but beginning at the user and ending at the item; None where either has no other edge."""
    table, person = ablation.edges, ablation.walks.person
    same = ablation.walks.identity[::2]
    of_user = np.flatnonzero((person[table["head"]] == person[case.user]) & ~same)
    of_item = np.flatnonzero(((table["head"] == case.item) | (table["tail"] == case.item)).to_numpy() & ~same)
    first = ablation.alike(case.edges[0], of_user, case.edges, generator)
    last = ablation.alike(case.edges[-1], of_item, [*case.edges, first], generator)
    if min(first, last) < 0:
        return None
    between = matched(ablation, Case(case.user, case.item, case.edges[1:-1]), pool, generator)
    return [first, *between, last]


def falls(ablation: Ablation, case: Case, generator: np.random.Generator) -> dict[str, float]:
    """How far the score falls, as shares of it, without the path's edges and without those of the controls."""
    whole = ablation.score(case.user, case.item, [])

    def fall(edges: list[int]) -> float:
        chosen = ablation.edges.iloc[edges]
        without = [(ablation.walks.edge_types[kind], int(row)) for kind, row in zip(chosen["kind"], chosen["row"],
                                                                                  strict=True)]
        return (whole - ablation.score(case.user, case.item, without)) / abs(whole)

    pool, found = ablation.near(case.user), {"path": fall(case.edges)}
    for name, control in (("matched", matched), ("own", own)):
        draws = [control(ablation, case, pool, generator) for _ in range(DRAWS)]
        found[name] = float(np.median([fall(edges) for edges in draws if edges is not None] or [np.nan]))
    return found


def judge(explainer: Explainer, ablation: Ablation, pairs: pd.DataFrame, say: str) -> dict[str, dict[str, float]]:
    """Explain, delete and compare."""
    clock = time.perf_counter()
    told = explainer.explain_all(pairs, 1)
    seconds = (time.perf_counter() - clock) / len(pairs)
    rows = []
    for number, one in enumerate(told):
        if one.paths:
            found = falls(ablation, case_of(ablation, one), numpy_generator(0, "controls", number))
            rows.append({"user": one.user.id, "through": one.paths[0].through, **found})
        if number % 25 == 0:
            print(f"{say}: {number} of {len(told)}, {time.perf_counter() - clock:.0f} s", flush=True)
    table = pd.DataFrame(rows)
    figures = {
        "recommendations with a path": _share(pairs["user_id"], pd.Series([bool(one.paths) for one in told])),
        "paths through facts": _share(table["user"], table["through"] == "facts"),
        "the score falls": _share(table["user"], table["path"] > 0),
    }
    for control in ("matched", "own"):
        there = table[table[control].notna()]
        figures[f"falls further than with {control} edges"] = _share(there["user"], there["path"] > there[control])
    for name in ("path", "matched", "own"):
        figures[f"fall of the score, {name}, median share"] = {"value": float(table[name].median())}
    figures["seconds per explanation"] = {"value": seconds}
    return figures


def _share(users: pd.Series, true: pd.Series) -> dict[str, float]:
    """Share over users (each user's own share first), with an interval and the number of cases."""
    of_user = true.astype(float).groupby(users.to_numpy()).mean()
    interval = bootstrap_interval(of_user.to_numpy())
    return {"value": float(of_user.mean()), "low": interval.low, "high": interval.high, "cases": len(true)}


def met(ablation: Ablation, explainer: Explainer, pairs: pd.DataFrame) -> float:
    """Share of the score from pairs of walks that meet in one node, median: the rest is between alike vectors."""
    graph, walks = ablation.graph, ablation.walks
    users = walks.starts[USER] + graph.user_rows_anywhere(1, pairs["user_id"])
    items = walks.starts[graph.item_types[1]] + graph.item_rows(1, pairs["item_id"])
    of_users, of_items = walks.reach(users), walks.reach(items)
    squares = (ablation.start**2).sum(1)
    whole = ((of_users @ ablation.start) * (of_items @ ablation.start)).sum(1)
    return float(np.median((of_users * of_items) @ squares / whole))


def trained() -> tuple[KnowledgeGraph, Recommender, pd.Index, dict[str, float]]:
    """The model of the configuration, seed 0, chosen on pseudo-cold users and fitted again; the cold test users."""
    config = load_config(CONFIG)
    split = config.split.of(config.data.load(), config.seed)
    ground, run = Ground.of(split, config.graph), config.models["kgxfer"]
    trainer = Trainer(run.training)
    trainer.fit(run.model, ground.graph, split, rng=config.seed)
    print(trainer.history.table().query("name == 'ndcg@10'").to_string(), flush=True)
    final = Ground.of(split.for_refit(), config.graph)
    model = trainer.refit(run.model, final.graph, final.split, rng=config.seed)
    record = trainer.records[-1]
    kept = {"epochs": float(record.kept_epoch), **{f"validation {name}": v for name, v in record.validation.items()}}
    return final.graph, model, pd.Index(split.test["user_id"].unique()), {**kept, "seconds of training": record.seconds}


def main() -> None:
    """Train, explain, delete, and write the figures as JSON."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    graph, model, users, training = trained()
    print(training, flush=True)
    how = model.propagation
    assert how is not None
    drawn = numpy_generator(0, "explained users").choice(users, min(count, len(users)), replace=False)
    ablation = Ablation(graph, how, model.vectors[1].scale)
    pairs = model.recommend(drawn, PER_USER)
    clock = time.perf_counter()
    explainer = Explainer(model, graph)
    made = time.perf_counter() - clock
    ten = model.recommend(drawn, 10)
    with_path = [bool(one.paths) for one in explainer.explain_all(ten, 1)]
    figures = {
        "any path": judge(explainer, ablation, pairs, "any path"),
        "paths through facts alone": judge(Explainer(model, graph, through="facts"), ablation, pairs, "facts"),
        "around it": {
            "top ten with a path": _share(ten["user_id"], pd.Series(with_path)),
            "score from walks that meet in one node, median share": {"value": met(ablation, explainer, pairs[:50])},
            "seconds to prepare": {"value": made},
        },
    }
    target = HERE / "results" / "explanations.json"
    values = {**figures, **training, "users": len(drawn), "draws of a control": DRAWS, "dim": how_dim(how)}
    target.write_text(json.dumps(values, indent=1) + "\n")
    print(json.dumps(values, indent=1))


def how_dim(how: Propagation) -> int:
    """Length of the vectors."""
    return int(next(iter(how.embeddings.values())).shape[1])


if __name__ == "__main__":
    main()
