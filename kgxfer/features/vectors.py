"""Vectors of the nodes of one type in one domain, whoever made them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from graph_schema.errors import InputError


@dataclass(frozen=True, eq=False)
class NodeVectors:
    """External ids and one row of numbers for each.

    Attributes:
        ids: the nodes, each once.
        values: float32 [nodes, dim].

    Raises:
        InputError: not one row per id, an id twice, or a value that is no number.
    """

    ids: pd.Index
    values: np.ndarray

    def __post_init__(self) -> None:
        """Check the shape and bring the values into float32."""
        values = np.asarray(self.values, dtype=np.float32)
        if values.ndim != 2 or len(values) != len(self.ids):
            raise InputError(
                f"vectors have the shape {list(values.shape)} for {len(self.ids)} ids; give one row of numbers per id"
            )
        if self.ids.has_duplicates:
            raise InputError(f'vectors: id "{self.ids[self.ids.duplicated()][0]}" is there twice; give each id once')
        wrong = ~np.isfinite(values).all(axis=1)
        if wrong.any():
            raise InputError(f'vectors: the row of id "{self.ids[int(wrong.argmax())]}" has a value that is no number')
        object.__setattr__(self, "values", values)

    @property
    def dim(self) -> int:
        """Numbers per node."""
        return int(self.values.shape[1])

    @cached_property
    def unit(self) -> np.ndarray:
        """The rows scaled to length 1, float32 [nodes, dim]; rows of zeros stay zeros."""
        length = np.linalg.norm(self.values, axis=1, keepdims=True)
        scaled: np.ndarray = self.values / np.where(length > 0, length, 1)
        return scaled
