"""Explain recommendations of a model by paths in the graph that it learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from graph_schema.errors import InputError
from kgxfer.explain.explanation import Explanation
from kgxfer.explain.naming import item_of, known_users
from kgxfer.explain.path import Node, Path, Step
from kgxfer.explain.search import Search, SearchConfig
from kgxfer.explain.walks import NONE, Walks
from kgxfer.explain.weigh import Weights, weigh
from kgxfer.graph import USER, KnowledgeGraph
from kgxfer.graph.convert import node_labels
from kgxfer.recommender import RankingModel, Recommender
from kgxfer.stores.contents import vectors_of

PLAIN_LAYERS = 3
"""Hops that count where a model does not say how its vectors came about."""
PAIRS_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class _Found:
    """Paths of a block of pairs, by pair and the strongest first; see `Path` for weights and alike."""

    pair: np.ndarray
    messages: np.ndarray
    weights: Weights
    alike: np.ndarray
    reached: np.ndarray
    """Bool [pairs]: whether any path was found, be it one that lowers the score."""


class Explainer:
    """Explains one model on one graph; made once for many explanations, since it weighs all edges first.

    What weighs the paths depends on the model:

    - a recommender whose encoder is linear ("relational"): its gates and vectors, exactly, before stages (fusion, a
      student) change the vectors;
    - another recommender with vectors: gates of 1 and the cosines of its final vectors;
    - any other model: the normalised weights of the edges alone.

    In memory it takes 2 * (layers + 1) vectors of every node beside the edges.

    Args:
        recommender: the model.
        graph: the one that it was fitted on.
        settings: of the search, see `SearchConfig`.

    Raises:
        InputError: the model learned from another graph; a wrong setting.
    """

    def __init__(self, recommender: RankingModel, graph: KnowledgeGraph, **settings: object) -> None:
        self.config = SearchConfig.parse(settings, "explain")
        self.recommender, self.graph = recommender, graph
        how = recommender.propagation if isinstance(recommender, Recommender) else None
        self.vectors: np.ndarray | None = None
        self._scales = (1.0, 1.0)
        if isinstance(recommender, Recommender) and how is not None:
            if how.graph != graph.fingerprint:
                raise InputError("explain: the model learned from another graph; give the one that it was fitted on")
            self.walks = Walks.of(graph, how.gates, how.layers)
            self.vectors = self.walks.spread(how.embeddings)
            self._scales = (recommender.vectors[0].scale, recommender.vectors[1].scale)
        else:
            self.walks = Walks.of(graph, {}, PLAIN_LAYERS)
            if isinstance(recommender, Recommender):
                self.vectors = _final_vectors(recommender, graph, self.walks)
        self._search = Search(self.walks, self.config)
        self._described: dict[str, tuple[np.ndarray, ...]] = {}
        took = self.walks.person[self.walks.receiver[self.walks.interaction]]
        self._active = np.unique(took[took >= 0])

    def explain(self, user: str, item: str, n: int = 3, *, domain: str | None = None) -> Explanation:
        """Explain one item for one user, see `kgxfer.explain.explain`."""
        code, item_id = item_of(self.recommender.catalogue, item, domain)
        pairs = pd.DataFrame({"user_id": [user], "item_id": [item_id]})
        return self.explain_all(pairs, n, domain=self.recommender.catalogue.domain_names[code])[0]

    def explain_all(self, pairs: pd.DataFrame, n: int = 3, *, domain: str | None = None) -> list[Explanation]:
        """Explain many items at once.

        Args:
            pairs: user_id and item_id, such as `recommend` returns.
            n: paths per pair, at most.
            domain: whose items they are; the target domain when not given.

        Raises:
            InputError: an unknown user, item or domain, a missing column, an `n` below 1.
        """
        if n < 1:
            raise InputError(f"n is {n}; ask for at least one path")
        for column in ("user_id", "item_id"):
            if column not in pairs:
                raise InputError(f"explain: the table of pairs has no column {column}; give user_id and item_id")
        catalogue = self.recommender.catalogue
        code = catalogue.domain_code(domain) if domain is not None else 1
        places = known_users(catalogue, pairs["user_id"])
        columns = catalogue.item_index(code).get_indexer(pd.Index(pairs["item_id"]))
        for item in pairs["item_id"][columns < 0]:
            item_of(catalogue, str(item), catalogue.domain_names[code])
        rows = (
            self.graph.user_rows_anywhere(code, pairs["user_id"].to_numpy()),
            self.graph.item_rows(code, pairs["item_id"].to_numpy()),
        )
        if min(rows[0].min(initial=0), rows[1].min(initial=0)) < 0:
            raise InputError("explain: the graph lacks users or items of the model; give the one that it was fitted on")
        blocks = [slice(start, start + PAIRS_AT_ONCE) for start in range(0, len(pairs), PAIRS_AT_ONCE)]
        return [
            one
            for block in blocks
            for one in self._block(code, rows[0][block], rows[1][block], self._scores(code, places, columns, block), n)
        ]

    def _scores(self, code: int, places: np.ndarray, columns: np.ndarray, block: slice) -> np.ndarray:
        own, of_pair = np.unique(places[block], return_inverse=True)
        scores: np.ndarray = self.recommender.score_places(code, own)[of_pair, columns[block]]
        return scores

    def _block(
        self, code: int, users: np.ndarray, items: np.ndarray, scores: np.ndarray, n: int
    ) -> list[Explanation]:
        kind, domain = self.graph.item_types[code], self.graph.domain_names[code]
        ends = (users + self.walks.starts[USER], items + self.walks.starts[kind])
        found = self._found(ends, self._scales[code], n)
        first, last = (np.searchsorted(found.pair, np.arange(len(users)), side) for side in ("left", "right"))
        made = []
        for place, (user, item, score) in enumerate(zip(users, items, scores, strict=True)):
            paths = tuple(self._path(int(ends[0][place]), found, one) for one in range(first[place], last[place]))
            missing = "" if paths else self._missing(int(user), bool(found.reached[place]))
            nodes = self._node(USER, int(user)), self._node(kind, int(item))
            made.append(Explanation(*nodes, domain, float(score), paths, missing, self.graph.schema))
        return made

    def _found(self, ends: tuple[np.ndarray, np.ndarray], scale: float, n: int) -> _Found:
        """Weigh all candidates; of those alike the strongest stands for all, and the best `n` of each pair are kept."""
        candidates = self._search.paths(*ends)
        pair, messages = candidates.pair, candidates.messages
        weights = weigh(self.walks, self.vectors, ends[0][pair], ends[1][pair], messages)
        strength = weights.strength
        reached = np.bincount(pair, minlength=len(ends[0])) > 0
        order = np.lexsort((-strength, pair))
        order = order[strength[order] > 0]
        pair, messages = pair[order], messages[order]
        relation = np.where(messages == NONE, NONE, 2 * self.walks.edge_type[messages].astype(np.int64) + messages % 2)
        table = pd.DataFrame(np.column_stack([pair, self.walks.sender[messages[:, 1]], relation]))
        groups = table.groupby(list(table), sort=False)
        strongest = np.flatnonzero(groups.cumcount() == 0)
        alike = groups[0].transform("size").to_numpy()[strongest]
        rank = pd.Series(pair[strongest]).groupby(pair[strongest]).cumcount().to_numpy()
        kept = strongest[rank < n]
        chosen = order[kept]
        best = Weights(scale * weights.owed[chosen], scale * weights.carried[chosen])
        return _Found(pair[kept], messages[kept], best, alike[rank < n], reached)

    def _path(self, user: int, found: _Found, place: int) -> Path:
        walks, messages = self.walks, found.messages[place]
        nodes, steps = [self._numbered(user)], []
        for message in messages[messages != NONE]:
            edge_type = walks.edge_types[walks.edge_type[message]]
            word = self.graph.schema.relation(edge_type.relation)[0].labels.get("en")
            # A message is written towards the user: its even one goes to the head, which is then nearer the user.
            away = message % 2 == 0
            said = word or edge_type.relation.replace("_", " ").lower()
            steps.append(Step(edge_type, int(walks.edge_row[message]), bool(away), said))
            nodes.append(self._numbered(int(walks.sender[message])))
        strength, owed, carried = (
            float(part[place]) for part in (found.weights.strength, found.weights.owed, found.weights.carried)
        )
        return Path(tuple(nodes), tuple(steps), strength, owed, carried, int(found.alike[place]))

    def _missing(self, user: int, reached: bool) -> str:
        if self.graph.persons[user] not in self._active:
            return "no path, since the graph knows nothing that the user took"
        if reached:
            return "no path that raises its score leads to it from what the user took"
        through = {"any": "", "facts": " through facts alone", "people": " through other people"}[self.config.through]
        return f"no path of at most {self.config.hops} hops leads to it from what the user took{through}"

    def _numbered(self, number: int) -> Node:
        starts = self.walks.starts.items()
        kind = next(name for name, start in starts if 0 <= number - start < self.graph.nodes[name].size)
        return self._node(kind, number - self.walks.starts[kind])

    def _node(self, kind: str, row: int) -> Node:
        if kind not in self._described:
            keys = self.graph.nodes[kind].first_keys
            columns = (node_labels(self.graph, kind), keys["id"], keys["name"])
            self._described[kind] = tuple(column.to_numpy(dtype=object) for column in columns)
        key, own_id, name = (column[row] for column in self._described[kind])
        word = self.graph.schema.node_type(kind).labels.get("en", kind)
        return Node(kind, str(key), str(own_id), None if pd.isna(name) else str(name), word)


def explain(
    recommender: RankingModel,
    graph: KnowledgeGraph,
    user: str,
    item: str,
    n: int = 3,
    *,
    domain: str | None = None,
    **settings: object,
) -> Explanation:
    """Say by which paths in the graph a model comes from a user's history to an item.

    Args:
        recommender: a fitted model.
        graph: the one that it was fitted on.
        user: an id.
        item: an id, or a name that one item alone has.
        n: paths, at most. Of paths with the same relations through the same item of the history the strongest is given.
        domain: whose item it is; without it the target domain is looked through first, then the source.
        settings: of `SearchConfig`: `hops`, and `through="facts"` or `"people"`. Facts are not preferred: what the
            model does is what is told.

    Raises:
        InputError: an unknown user or item (the nearest is named), a name of several items, another graph.

    For many explanations make an `Explainer` once.
    """
    return Explainer(recommender, graph, **settings).explain(user, item, n, domain=domain)


def _final_vectors(recommender: Recommender, graph: KnowledgeGraph, walks: Walks) -> np.ndarray:
    """The vectors that a recommender scores with, of length one, in the form of `Walks.spread`; zero elsewhere."""
    by_type = vectors_of(recommender, graph)
    dim = next(iter(by_type.values())).vectors.shape[1]
    result = np.zeros((walks.node_count, dim), dtype=np.float32)
    for kind, known in by_type.items():
        rows = pd.Index(node_labels(graph, kind)).get_indexer(known.keys)
        length = np.linalg.norm(known.vectors, axis=1, keepdims=True)
        result[rows + walks.starts[kind]] = known.vectors / np.maximum(length, 1e-12)
    every: np.ndarray = np.broadcast_to(result, (2, walks.layers + 1, *result.shape))
    return every
