"""Items of both domains whose texts mean nearly the same: each is the other's nearest by the cosine of text vectors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field

from graph_schema.config import Config
from graph_schema.errors import InputError
from graph_schema.tables import LIKENESS
from kgxfer.bridges.links import item_link_type, link_table
from kgxfer.features import NodeVectors, TextConfig, item_vectors
from kgxfer.splits import Split
from loaders.dataset import DomainTables

ROWS_AT_ONCE = 512
"""Rows of the exact search's product that stand in memory at once."""

NEIGHBOURS_KEPT, LISTS_BUILT, LISTS_SEARCHED = 32, 200, 256
"""The approximate index: links per vector, and how many candidates building and searching look at."""


class TextNeighboursConfig(Config):
    """Settings: the least cosine of a link, exact or approximate search, and the text encoder.

    Approximate search takes the extra `text`. Its cost grows more slowly, but with tens of thousands of items a side
    the exact one is still the faster (``python -m benchmarks.linking searches``).
    """

    threshold: float = Field(0.8, gt=0, le=1)
    search: Literal["exact", "approximate"] = "exact"
    encoder: TextConfig = TextConfig()


class TextNeighbours:
    """Soft links (SIMILAR_TO) between mutual nearest neighbours, the cosine as confidence.

    Vectors are given as values, those of the source's and those of the target's items, or made by the encoder.
    """

    config_class = TextNeighboursConfig

    def __init__(
        self,
        config: TextNeighboursConfig | None = None,
        vectors: tuple[NodeVectors, NodeVectors] | None = None,
        **settings: object,
    ) -> None:
        self.config = config or TextNeighboursConfig.parse(settings, "bridge text_neighbours")
        self.vectors = vectors

    def links(self, split: Split) -> pd.DataFrame:
        """Return one link per pair.

        Raises:
            InputError: the extra `text` is needed and not installed, the encoder cannot be loaded, or the given vectors
                are those of unknown items or of two encoders.
        """
        source, target = split.dataset.domains
        if self.vectors is None:
            ours, theirs = (item_vectors(domain, self.config.encoder) for domain in (source, target))
        else:
            ours, theirs = self.vectors
            _check(ours, theirs, source, target)
        pairs = mutual_neighbours(ours, theirs, self.config.threshold, self.config.search)
        evidence = "cosine " + pd.Series(pairs.cosine).map("{:.3f}".format).astype("str")
        return link_table(
            ours.ids[pairs.source], theirs.ids[pairs.target], item_link_type(split)[0],
            np.clip(pairs.cosine, 0, 1).astype(np.float64), "text_neighbours", evidence, LIKENESS,
        )


class Pairs(NamedTuple):
    """Rows of the source's and of the target's vectors, int64 [pairs], and their cosine, float32 [pairs]."""

    source: np.ndarray
    target: np.ndarray
    cosine: np.ndarray


def mutual_neighbours(
    source: NodeVectors, target: NodeVectors, threshold: float = 0.8, search: Literal["exact", "approximate"] = "exact"
) -> Pairs:
    """Pairs of which each is the other's nearest, of at least this cosine, in the order of the source.

    Of equally near ones the first is nearest. The approximate search may miss pairs; it finds no wrong cosine.

    Raises:
        InputError: approximate search without the extra `text`.
    """
    ours, theirs = source.unit, target.unit
    if not len(ours) or not len(theirs):
        none = np.zeros(0, dtype=np.int64)
        return Pairs(none, none, np.zeros(0, dtype=np.float32))
    nearest = _nearest_exact if search == "exact" else _nearest_approximate
    of_source, of_target = nearest(ours, theirs)
    rows = np.flatnonzero(of_target[of_source] == np.arange(len(ours)))
    cosine = np.einsum("ij,ij->i", ours[rows], theirs[of_source[rows]])
    kept = cosine >= threshold
    return Pairs(rows[kept], of_source[rows[kept]], cosine[kept])


def _nearest_exact(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest target of every source and the nearest source of every target, int64, by the product in blocks."""
    of_source = np.zeros(len(source), dtype=np.int64)
    of_target, best = np.zeros(len(target), dtype=np.int64), np.full(len(target), -np.inf, dtype=np.float32)
    for start in range(0, len(source), ROWS_AT_ONCE):
        product = source[start : start + ROWS_AT_ONCE] @ target.T
        of_source[start : start + ROWS_AT_ONCE] = product.argmax(axis=1)
        highest = product.max(axis=0)
        nearer = np.flatnonzero(highest > best)
        of_target[nearer] = start + product[:, nearer].argmax(axis=0)
        best[nearer] = highest[nearer]
    return of_source, of_target


def _nearest_approximate(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `_nearest_exact`, by a graph of near vectors; a target that is nobody's nearest keeps -1."""
    faiss = _faiss()
    with _one_thread(faiss):
        of_source = _searched(faiss, target, source)
        wanted = np.unique(of_source[of_source >= 0])
        of_target = np.full(len(target), -1, dtype=np.int64)
        of_target[wanted] = _searched(faiss, source, target[wanted])
    return of_source, of_target


def _searched(faiss: Any, among: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    index = faiss.IndexHNSWFlat(among.shape[1], NEIGHBOURS_KEPT, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction, index.hnsw.efSearch = LISTS_BUILT, LISTS_SEARCHED
    index.add(np.ascontiguousarray(among))
    found: np.ndarray = index.search(np.ascontiguousarray(wanted), 1)[1][:, 0].astype(np.int64)
    return found


@contextmanager
def _one_thread(faiss: Any) -> Iterator[None]:
    """Built by several threads the index would differ from run to run."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _faiss() -> Any:
    try:
        import faiss
    except ImportError as error:
        raise InputError(
            'bridge text_neighbours: approximate search needs faiss; pip install "kgxfer[text]" or set search = "exact"'
        ) from error
    return faiss


def _check(ours: NodeVectors, theirs: NodeVectors, source: DomainTables, target: DomainTables) -> None:
    if ours.dim != theirs.dim:
        raise InputError(
            f"bridge text_neighbours: vectors of the source have {ours.dim} numbers, those of the target {theirs.dim}; "
            "make both with one encoder"
        )
    for vectors, domain in ((ours, source), (theirs, target)):
        unknown = ~vectors.ids.isin(domain.items["item_id"])
        if unknown.any():
            raise InputError(
                f'bridge text_neighbours: vectors name item "{vectors.ids[int(unknown.argmax())]}", which domain '
                f'"{domain.domain}" does not have; give the source\'s vectors first, then the target\'s'
            )
