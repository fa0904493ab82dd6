"""What of a score goes over a path, exact for a linear encoder: gates, normalised weights and vectors weigh it.

Beside the item's offset a score is ``scale * <z_u, z_i>``, and z_u a sum over walks from u (`kgxfer.explain.walks`).
The score is thus a sum over pairs of walks, one from either end. For a path v_0 = u .. v_m = i let F_a be the part of
z_u that walks make which begin v_0 .. v_a and go on anywhere, and B_a that of z_i by walks which begin v_m .. v_a::

    owed    = scale * <F_1, z_i>                                              to the first hop: the item of the history
    carried = scale * (sum over a <F_a, B_a> - sum over edges (a, a + 1) <F_(a+1), B_a>)

The first adds up to the whole score over all items of the history. The second is that of the pairs of walks which
between them cover every edge of the path, each pair counted once: what is gone when it is cut, wherever. It is small
where there are many other ways. A path's strength is the geometric mean of the two, 0 where one is negative: a strong
path begins with something that matters and leads all the way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kgxfer.explain.walks import NONE, Walks


@dataclass(frozen=True, eq=False)
class Weights:
    """Of paths: `owed` and `carried` before the scorer's scale, float64 [paths] each."""

    owed: np.ndarray
    carried: np.ndarray

    @property
    def strength(self) -> np.ndarray:
        """Geometric mean of the two; 0 where one is not above 0."""
        both: np.ndarray = np.sqrt(np.clip(self.owed, 0, None) * np.clip(self.carried, 0, None))
        return both


@dataclass(frozen=True, eq=False)
class _Side:
    """Walks from one end along paths, by place (before the first slot, after the first, ...): [paths, slots + 1] each.

    `product` of the messages (0 beyond the encoder's layers), hops that are `left`, whether the last step was `same`.
    """

    product: np.ndarray
    left: np.ndarray
    same: np.ndarray

    def turned(self) -> _Side:
        return _Side(self.product[:, ::-1], self.left[:, ::-1], self.same[:, ::-1])


def weigh(
    walks: Walks, vectors: np.ndarray | None, users: np.ndarray, items: np.ndarray, messages: np.ndarray
) -> Weights:
    """Weigh paths.

    Args:
        walks: the graph.
        vectors: as `Walks.spread` makes them; None weighs by the messages alone, as if all vectors agreed.
        users, items: node of the user and of the item, int64 [paths].
        messages: the paths, int64 [paths, slots], as `Candidates` has them.
    """
    taken = messages != NONE
    nodes = [users]
    for step in messages.T:
        nodes.append(np.where(step == NONE, nodes[-1], walks.sender[step]))
    ahead = _side(walks, messages)
    behind = _side(walks, np.where(taken, messages ^ 1, NONE)[:, ::-1]).turned()
    carried = np.zeros(len(messages))
    for place, node in enumerate(nodes):
        # Where a step is not taken a node stands twice; it counts once.
        counts = taken[:, place - 1] if place else np.ones(len(messages), dtype=bool)
        carried += counts * _product(vectors, (ahead, place, node), (behind, place, node))
        if place:
            edge = _product(vectors, (ahead, place, node), (behind, place - 1, nodes[place - 1]))
            carried -= taken[:, place - 1] * edge
    whole = _Side(np.ones((len(messages), 1)), np.full((len(messages), 1), walks.layers), np.zeros((len(messages), 1)))
    return Weights(_product(vectors, (ahead, 2, nodes[2]), (whole, 0, items)), carried)


def _side(walks: Walks, messages: np.ndarray) -> _Side:
    taken = messages != NONE
    hop = taken & ~walks.identity[messages]
    start = np.zeros((len(messages), 1), dtype=np.int64)
    product = np.hstack([start + 1.0, np.where(taken, walks.weight[messages], 1.0).cumprod(1)])
    left = walks.layers - np.hstack([start, hop.cumsum(1)])
    same = np.hstack([start, np.where(taken, ~hop, False)])
    for place in range(1, same.shape[1]):
        same[:, place] = np.where(taken[:, place - 1], same[:, place], same[:, place - 1])
    return _Side(np.where(left >= 0, product, 0.0), left.clip(min=0), same)


def _product(
    vectors: np.ndarray | None, one: tuple[_Side, int, np.ndarray], other: tuple[_Side, int, np.ndarray]
) -> np.ndarray:
    """Inner products of what two sides have at a place and node; float64 [paths]."""
    total: np.ndarray = one[0].product[:, one[1]] * other[0].product[:, other[1]]
    if vectors is not None:
        live = np.flatnonzero(total)
        found = [
            vectors[side.same[live, place].astype(np.int64), side.left[live, place], node[live]]
            for side, place, node in (one, other)
        ]
        total[live] *= (found[0] * found[1]).sum(1, dtype=np.float64)
    return total
