"""Components by name: one registry per kind, filled explicitly in the ``__init__`` of the kind's package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from graph_schema.errors import unknown_name

Component = TypeVar("Component")


class Registry(Generic[Component]):
    """An immutable table from names to classes of one kind.

    >>> registry = Registry("encoder", {"lightgcn": int})
    >>> registry["lightgnc"]
    Traceback (most recent call last):
    ...
    graph_schema.errors.InputError: unknown encoder "lightgnc"; did you mean "lightgcn"? choices: lightgcn
    """

    def __init__(self, kind: str, members: Mapping[str, type[Component]]) -> None:
        self.kind = kind
        self._members = dict(members)

    def __getitem__(self, name: str) -> type[Component]:
        """Return the class called `name`; InputError naming the nearest one when there is none."""
        if name not in self._members:
            raise unknown_name(self.kind, name, self._members)
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def items(self) -> list[tuple[str, type[Component]]]:
        """Names and classes, in order of registration."""
        return list(self._members.items())

    def name_of(self, member: type) -> str:
        """Return the name under which a class is registered; its class name when it is not."""
        return next((name for name, known in self._members.items() if known is member), member.__name__)
