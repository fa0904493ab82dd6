"""Figures of lists: hand-computed, from hand-made lists and from the training rows and facts of small worlds."""

from __future__ import annotations

from math import log, log2

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from kgxfer.evaluation import WITHOUT_TWINS, EvaluationConfig, evaluate, lists
from kgxfer.evaluation.background import Background, read_background
from kgxfer.evaluation.lists import (
    ALL_LISTS_METRICS,
    USER_LIST_METRICS,
    Lists,
    calibration,
    coverage,
    diversity,
    gini,
    novelty,
    popularity_bias,
    serendipity,
)
from kgxfer.splits import FixedFiles
from tests.evaluation.scored import Scored, twin_world
from tests.worlds import domain_of, pair_of, split_of

COUNTS = np.array([8, 4, 2, 2, 0])
"""Training users of five items; 16 of them in all, and 3.2 the mean."""


def background(users: int, **changed: object) -> Background:
    given: dict[str, object] = {
        "counts": COUNTS, "people": 8, "competing": np.ones(5, dtype=bool),
        "content": sparse.csr_matrix((5, 1)), "history_popularity": np.zeros(users),
    }  # fmt: skip
    return Background(**(given | changed))  # type: ignore[arg-type]


def shown(top: list[list[int]], relevant: list[list[int]] | None = None, **changed: object) -> Lists:
    marks = np.zeros_like(top, dtype=bool) if relevant is None else np.array(relevant, dtype=bool)
    return Lists(np.array(top), marks, background(len(top), **changed))


def test_coverage_counts_each_competing_item_once() -> None:
    assert coverage(shown([[0, 1], [1, 2], [1, -1]])) == 3 / 5
    assert coverage(shown([[0, 1]], competing=np.array([True, True, True, False, False]))) == 2 / 3


def test_gini_is_nothing_for_equal_and_all_but_one_for_a_single_item() -> None:
    assert gini(shown([[0, 1, 2, 3, 4]])) == pytest.approx(0)
    assert gini(shown([[0], [0], [0]])) == pytest.approx(1 - 1 / 5)
    # Exposures 0, 0, 1, 1, 2: the mean difference over all pairs, over twice the mean.
    exposures = [0, 0, 1, 1, 2]
    expected = sum(abs(a - b) for a in exposures for b in exposures) / (2 * 5 * sum(exposures))
    assert gini(shown([[0, 1], [2, 0]])) == pytest.approx(expected)
    assert gini(shown([[0], [-1]], competing=np.array([True, True, False, False, False]))) == pytest.approx(1 / 2)


def test_novelty_is_in_bits_of_the_share_of_users() -> None:
    found = novelty(shown([[0, 1], [2, 4], [1, -1], [-1, -1]]))
    # Shares 8/8, 4/8, 2/8; nobody took the last item, which counts as one of eight.
    assert found[:3].tolist() == [(0 + 1) / 2, (2 + 3) / 2, 1]
    assert np.isnan(found[3])


def test_serendipity_needs_a_hit_that_popularity_would_not_show() -> None:
    relevant = [[1, 1], [1, 0], [0, 1]]
    # The two most popular are 0 and 1.
    assert serendipity(shown([[0, 2], [1, 3], [0, 4]], relevant)).tolist() == [1 / 2, 0, 1 / 2]
    # Where only the last three compete, 2 and 3 are the popular ones.
    competing = np.array([False, False, True, True, True])
    assert serendipity(shown([[2, 4]], [[1, 1]], competing=competing)).tolist() == [1 / 2]


def test_diversity_is_one_minus_the_mean_cosine_of_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    # 0 and 1 are alike, 2 is half way between them and 3, nothing is known of 4.
    half = 0.5**0.5
    content = sparse.csr_matrix([[1, 0], [1, 0], [half, half], [0, 1], [0, 0]])
    top = [[0, 1, -1], [0, 2, 3], [3, 4, 0], [2, -1, -1], [1, 0, -1]]
    for cells in (lists.CELLS, 1):
        monkeypatch.setattr(lists, "CELLS", cells)
        found = diversity(shown(top, content=content))
        assert found[[0, 1, 2, 4]].tolist() == pytest.approx([0, 1 - 2 * half / 3, 1, 0])
        assert np.isnan(found[3])


def test_popularity_bias_compares_with_the_history() -> None:
    found = popularity_bias(shown([[0, 1], [4, 4]], history_popularity=np.array([0.5, np.nan])))
    assert found[0] == pytest.approx((log(8 / 3.2) + log(4 / 3.2)) / 2 - 0.5)
    assert np.isnan(found[1])


def test_calibration_is_the_divergence_of_categories() -> None:
    categories = sparse.csr_matrix([[1.0, 0], [0.5, 0.5], [0, 1], [0, 0], [0, 0]])
    history = sparse.csr_matrix([[1.0, 0], [0.75, 0.25], [0.5, 0.5], [1, 0], [0, 0]])
    found = calibration(
        shown([[0, 3], [0, 1], [2, 2], [3, 4], [0, 1]], categories=categories, history_categories=history)
    )
    assert found[:2].tolist() == pytest.approx([0, 0], abs=1e-12)
    only_second = 0.5 * log(0.5 / (0.01 * 0.5)) + 0.5 * log(0.5 / (0.99 + 0.01 * 0.5))
    assert found[2] == pytest.approx(only_second)
    assert np.isnan(found[3:]).all()
    assert np.isnan(calibration(shown([[0, 1]]))).all()


GENRES = {"b1": "crime", "b2": "crime war"}
FILM_GENRES = {"f1": "crime", "f2": "war", "f3": "war"}


def read(users: list[str]) -> Background:
    """ann is cold in films and has two books; bob and cem have films."""
    source = {"ann": "b1 b2", "bob": "b1", "cem": "b2"}
    target = {"ann": "f4", "bob": "f1 f2", "cem": "f2 f3", "dee": "f2"}
    books, films = (
        domain_of("books", "Book", source, genres=GENRES), domain_of("films", "Movie", target, genres=FILM_GENRES),
    )  # fmt: skip
    split = FixedFiles().split(pair_of(books, films, test={"films": {"ann": "f4"}}))
    return read_background(split, "films", pd.Index(users))


def test_the_background_is_read_from_training_rows_and_facts() -> None:
    found = read(["bob", "ann", "eve"])
    assert (found.counts.tolist(), found.people) == ([1, 3, 1, 0], 3)
    assert found.competing.all()
    # Relative to 5/4 rows per film for bob, to 2 rows per book for ann, whose history is her books; eve has none.
    expected = [(log(1 / 1.25) + log(3 / 1.25)) / 2, log(2 / 2), np.nan]
    assert found.history_popularity.tolist() == pytest.approx(expected, nan_ok=True)
    assert found.categories is not None
    assert found.history_categories is not None
    crime = found.categories[0].indices[0]
    assert found.categories.toarray().sum(1).tolist() == [1, 1, 1, 0]
    # ann: b1 is crime, b2 half; the genres of the two domains are the same.
    assert found.history_categories.toarray()[:, crime].tolist() == [1 / 2, 3 / 4, 0]
    assert (found.content @ found.content.T).toarray().tolist() == [
        [1, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0],
    ]  # fmt: skip
    assert found.of_users(np.array([1])).history_popularity.tolist() == found.history_popularity[[1]].tolist()


def test_without_facts_items_are_alike_by_their_users() -> None:
    split = split_of({"ann": "b1", "bob": "b1"}, {"ann": "f1", "bob": "f1 f2", "cem": "f1"}, {"films": {"ann": "f1"}})
    found = read_background(split, "films", pd.Index(["ann"]))
    # f1 has bob and cem, f2 has bob.
    cosine = 1 / 2**0.5
    assert (found.content @ found.content.T).toarray().ravel().tolist() == pytest.approx([1, cosine, cosine, 1])
    assert found.categories is None


def test_figures_of_lists_stand_in_the_report_and_without_twins_for_the_users_left() -> None:
    split, pairs = twin_world()
    order = {"f1": 9, "f2": 8, "f3": 7, "f4": 6, "f5": 5}
    model = Scored(split, lambda domain, user, item: order[item])
    report = evaluate({"m": model}, split, EvaluationConfig(twins=True, k=2), pairs)
    figures = report.figures
    names = {metric.partition("@")[0] for metric in figures["metric"]}
    assert names >= {*USER_LIST_METRICS, *ALL_LISTS_METRICS} - {"calibration"}, "there are no categories here"
    # Everyone is shown f1 and f2; without known twins zoe, who has b1, is shown f2 and f3.
    assert report.value("m", "coverage@2", "films") == 2 / 5
    assert report.value("m", "coverage@2", "films", WITHOUT_TWINS) == 3 / 5
    # Two training users each took f1 and f2, of three; f4 and f5 have one each. f3 is zoe's hit, and not popular.
    assert report.value("m", "novelty@2", "films") == pytest.approx(log2(3 / 2))
    assert report.value("m", "serendipity@2", "films") == 0
    assert report.value("m", "serendipity@2", "films", WITHOUT_TWINS) == (1 / 2 + 0) / 2
    short = evaluate({"m": model}, split, EvaluationConfig(k=10))
    # There are five films, so everybody is shown everything.
    assert short.value("m", "coverage@10", "films") == 1
    assert short.value("m", "gini@10", "films") == pytest.approx(0)
