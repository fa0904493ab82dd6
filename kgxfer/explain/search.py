"""Paths from a user's history to an item: walks from both ends that meet, the strongest of each length.

Both sides are extended hop by hop for all users, and for all items, at once; hubs lose by themselves, since
normalisation makes their messages weak. What two lists of walks have in common is found by sorting their ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from graph_schema.config import Config
from kgxfer.explain.walks import NONE, Rows, Walks

Through = Literal["any", "facts", "people"]


_TWO_HOPS = 5
"""Slots of two hops with the identity steps around them."""


class SearchConfig(Config):
    """Settings of the search.

    `hops`: the most hops from an item of the history to the item (SAME_AS costs none). `through`: "facts" for paths
    that pass no other person, "people" for those that do, "any" for both. The others bound the work; what is kept is
    the strongest: `beam`, walks per end and length (for a third hop a quarter of them are followed); `fan`, messages
    followed per node from the third hop on, since a hub has thousands; `ways`, walks per end and node where walks of
    two hops and more meet; `candidates`, paths per user and item before they are weighed.
    """

    hops: int = Field(3, ge=1, le=4)
    through: Through = "any"
    beam: int = Field(4000, ge=1)
    fan: int = Field(50, ge=1)
    ways: int = Field(10, ge=1)
    candidates: int = Field(2000, ge=1)


@dataclass(frozen=True, eq=False)
class Candidates:
    """Paths, sorted by pair. A path is a row of messages, each towards the user; steps that are not taken are -1.

    Shapes: pair int64 [paths], which pair of user and item; messages int64 [paths, slots], identity steps in the even
    slots and hops in the odd ones.
    """

    pair: np.ndarray
    messages: np.ndarray


@dataclass(frozen=True, eq=False)
class _Partial:
    """Walks of one length: owner (place of the node they start from), messages [walks, slots], end, weight."""

    owner: np.ndarray
    messages: np.ndarray
    end: np.ndarray
    weight: np.ndarray

    def take(self, chosen: np.ndarray) -> _Partial:
        return _Partial(self.owner[chosen], self.messages[chosen], self.end[chosen], self.weight[chosen])


class Search:
    """Finds paths in one graph."""

    def __init__(self, walks: Walks, config: SearchConfig) -> None:
        self.walks, self.config = walks, config
        person = walks.person >= 0
        hop = ~walks.identity
        self._identities = walks.rows(walks.identity)
        self._history = walks.rows(hop & walks.interaction & person[walks.receiver])
        self._hops = {"any": walks.rows(hop), "facts": walks.rows(hop & ~person[walks.sender])}

    def paths(self, users: np.ndarray, items: np.ndarray) -> Candidates:
        """Find candidates for pairs of nodes, int64 [pairs] each."""
        own_users, of_user = np.unique(users, return_inverse=True)
        own_items, of_item = np.unique(items, return_inverse=True)
        kinds = {"any": ("any", "facts"), "people": ("any",), "facts": ("facts",)}[self.config.through]
        found = [self._found(kind, (own_users, of_user), (own_items, of_item)) for kind in kinds]
        pair = np.concatenate([one.pair for part in found for one in part])
        widest = 2 * self.config.hops + 3
        messages = np.concatenate([_padded(one.messages, widest) for part in found for one in part])
        keep = self._allowed(users[pair], messages)
        pair, messages = pair[keep], messages[keep]
        if len(kinds) > 1:
            first = np.unique(np.column_stack([pair, messages]), axis=0, return_index=True)[1]
            pair, messages = pair[first], messages[first]
        chosen = _strongest(pair, self._products(messages), self.config.candidates)
        return Candidates(pair[chosen], messages[chosen])

    def _found(
        self, kind: str, users: tuple[np.ndarray, np.ndarray], items: tuple[np.ndarray, np.ndarray]
    ) -> list[Candidates]:
        """Paths of every number of hops, of which the item's side has half, rounded down."""
        hops, longest = self._hops[kind], self.config.hops + 1
        forward = [self._stepped(self._started(users[0], towards_user=True), self._history, towards_user=True)]
        backward = [self._started(items[0], towards_user=False)]
        while len(forward) < (longest + 1) // 2:
            forward.append(self._stepped(forward[-1], hops, towards_user=True))
        while len(backward) <= longest // 2:
            backward.append(self._stepped(backward[-1], hops, towards_user=False))
        return [
            self._joined(forward[(length + 1) // 2 - 1], backward[length // 2], users[1], items[1])
            for length in range(1, longest + 1)
        ]

    def _started(self, nodes: np.ndarray, *, towards_user: bool) -> _Partial:
        none = np.full((len(nodes), 0), NONE, dtype=np.int64)
        start = _Partial(np.arange(len(nodes)), none, nodes, np.ones(len(nodes)))
        return self._same(start, towards_user=towards_user)

    def _same(self, walks: _Partial, *, towards_user: bool) -> _Partial:
        """Each walk as it is, and with an identity step."""
        place, messages = self._identities.of(walks.end)
        stay = np.full((len(walks.end), 1), NONE, dtype=np.int64)
        more = self._extended(walks.take(place), messages, towards_user)
        return _Partial(
            np.concatenate([walks.owner, more.owner]),
            np.concatenate([np.hstack([walks.messages, stay]), more.messages]),
            np.concatenate([walks.end, more.end]),
            np.concatenate([walks.weight, more.weight]),
        )

    def _stepped(self, walks: _Partial, rows: Rows, *, towards_user: bool) -> _Partial:
        """One hop further, with and without an identity step after it; of each owner's walks the strongest are kept."""
        far = walks.messages.shape[1] >= _TWO_HOPS
        if far:
            walks = walks.take(_strongest(walks.owner, walks.weight, -(-self.config.beam // 4)))
        place, messages = rows.of(walks.end, self.config.fan if far else None)
        longer = self._extended(walks.take(place), messages, towards_user)
        longer = longer.take(_strongest(longer.owner, longer.weight, self.config.beam))
        return self._same(longer, towards_user=towards_user)

    def _extended(self, walks: _Partial, messages: np.ndarray, towards_user: bool) -> _Partial:
        weight = walks.weight * self.walks.weight[messages]
        # From the item's side a path is walked against the direction in which it is written down.
        written = messages if towards_user else messages ^ 1
        return _Partial(walks.owner, np.column_stack([walks.messages, written]), self.walks.sender[messages], weight)

    def _joined(self, forward: _Partial, backward: _Partial, of_user: np.ndarray, of_item: np.ndarray) -> Candidates:
        """Put walks together that end in the same node."""
        # An identity step where they meet is the user's side's: with one on either side there would be two in a row.
        backward = backward.take(backward.messages[:, -1] == NONE)
        if backward.messages.shape[1] >= _TWO_HOPS:
            forward, backward = (self._few_ways(walks) for walks in (forward, backward))
        ahead, behind = _by_pair(forward, of_user), _by_pair(backward, of_item)
        nodes = self.walks.node_count
        keys = [pair * nodes + walks.end[place] for (pair, place), walks in ((ahead, forward), (behind, backward))]
        order = np.argsort(keys[1], kind="stable")
        first, last = (np.searchsorted(keys[1][order], keys[0], side) for side in ("left", "right"))
        counts = last - first
        one = np.repeat(np.arange(len(counts)), counts)
        other = order[np.arange(len(one)) - np.repeat(counts.cumsum() - counts - first, counts)]
        back = backward.messages[behind[1][other]][:, -2::-1]
        return Candidates(ahead[0][one], np.hstack([forward.messages[ahead[1][one]], back]))

    def _few_ways(self, walks: _Partial) -> _Partial:
        """Of the walks of one owner to one node, the strongest: at a hub every pair of walks would meet."""
        return walks.take(_strongest(walks.owner * self.walks.node_count + walks.end, walks.weight, self.config.ways))

    def _allowed(self, users: np.ndarray, messages: np.ndarray) -> np.ndarray:
        """Paths that come to no node twice, nor back to the user, and are more than an interaction with the item."""
        walks, nodes = self.walks, [users]
        allowed = (messages[:, 1:] != NONE).sum(1) > 1
        passed = np.zeros(len(users), dtype=bool)
        for slot, step in enumerate(messages.T):
            moved = step != NONE
            node = np.where(moved, walks.sender[step], nodes[-1])
            for earlier in nodes:
                allowed &= ~moved | (node != earlier)
            if slot:  # the first is between the user's own nodes
                allowed &= ~moved | (walks.person[node] != walks.person[users])
                passed |= moved & (walks.person[node] >= 0)
            nodes.append(node)
        kept: np.ndarray = allowed & (passed | (self.config.through != "people"))
        return kept

    def _products(self, messages: np.ndarray) -> np.ndarray:
        """Weight of the whole way from the user's end."""
        result: np.ndarray = np.where(messages == NONE, 1.0, self.walks.weight[messages]).prod(1)
        return result


def _strongest(owner: np.ndarray, weight: np.ndarray, limit: int) -> np.ndarray:
    """Places of the largest weights of each owner, at most `limit`, by owner."""
    order = np.lexsort((-np.abs(weight), owner))
    sorted_owner = owner[order]
    rank = np.arange(len(order)) - np.searchsorted(sorted_owner, sorted_owner, "left")
    chosen: np.ndarray = order[rank < limit]
    return chosen


def _by_pair(walks: _Partial, of_pair: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every pair with each walk of its owner: (pair, place of the walk)."""
    order = np.argsort(walks.owner, kind="stable")
    first, last = (np.searchsorted(walks.owner[order], of_pair, side) for side in ("left", "right"))
    counts = last - first
    pair = np.repeat(np.arange(len(of_pair)), counts)
    return pair, order[np.arange(len(pair)) - np.repeat(counts.cumsum() - counts - first, counts)]


def _padded(messages: np.ndarray, width: int) -> np.ndarray:
    return np.pad(messages, ((0, 0), (0, width - messages.shape[1])), constant_values=NONE)
