"""A path from a user's history to an item, and what it is made of: plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass

from graph_schema.schema import EdgeType
from graph_schema.tables import IDENTITY
from kgxfer.graph import USER


@dataclass(frozen=True)
class Node:
    """A node: its type, key in the stores, id in the data, name (None: it has none) and the word for its type."""

    type: str
    key: str
    id: str
    name: str | None
    word: str


@dataclass(frozen=True)
class Step:
    """An edge of a path.

    Attributes:
        edge_type: of the edge.
        row: its place among those of its type.
        away: whether it leads away from the user, from its head to its tail.
        word: the relation in words for people.
    """

    edge_type: EdgeType
    row: int
    away: bool
    word: str


@dataclass(frozen=True)
class Path:
    """Nodes and the steps between them, from the user to the item.

    Attributes:
        strength: what it is ranked by, the geometric mean of the two that follow (see `kgxfer.explain.weigh`).
        owed: what the score owes to the item of the history, in the score's unit.
        carried: what of the score goes all the way along it, in the score's unit.
        alike: how many paths of these relations through the same item of the history were found, this one among them.
    """

    nodes: tuple[Node, ...]
    steps: tuple[Step, ...]
    strength: float
    owed: float
    carried: float
    alike: int = 1

    @property
    def through(self) -> str:
        """"people" where it passes another person, else "facts"."""
        own = 1
        while own < len(self.nodes) and self.steps[own - 1].edge_type.relation == IDENTITY:
            own += 1
        return "people" if any(node.type == USER for node in self.nodes[own:]) else "facts"
