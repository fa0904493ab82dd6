from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from graph_schema import InputError
from kgxfer.baselines import EASE, EMCDR, IALS, PureSVD
from kgxfer.baselines.ials import IALSConfig, ials_factors, least_squares
from kgxfer.baselines.pure_svd import singular_factors
from kgxfer.splits import Split
from tests.baselines.dense import dense_matrix, graph_of, rows_for
from tests.worlds import split_of


def dense_ease(matrix: np.ndarray, regularisation: float) -> np.ndarray:
    inverse = np.linalg.inv(matrix.T @ matrix + regularisation * np.eye(matrix.shape[1]))
    weights = np.eye(matrix.shape[1]) - inverse / np.diag(inverse)
    assert np.diag(weights) == pytest.approx(0, abs=1e-12)
    scores: np.ndarray = matrix @ weights
    return scores


@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("regularisation", [0.5, 20.0])
def test_ease_over_items_is_the_dense_closed_form(split: Split, joint: bool, regularisation: float) -> None:
    model = EASE(regularisation=(regularisation,), joint=joint).fit(graph_of(split), split)
    matrix, people, columns = dense_matrix(split, joint)
    assert (matrix.sum(1) > 0).sum() > (matrix.sum(0) > 0).sum(), "fewer items than users"
    expected = dense_ease(matrix, regularisation)
    for domain, span in columns.items():
        rows = rows_for(model, split, domain, people, joint)
        assert model.score(domain, model.catalogue.user_ids) == pytest.approx(expected[rows, span], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("joint", [True, False])
def test_ease_over_users_gives_the_same_scores(joint: bool) -> None:
    generator = np.random.default_rng(1)
    likes = {
        letter: {
            f"u{user}": " ".join(f"{letter}{item}" for item in generator.permutation(30)[:7]) for user in range(6)
        }
        for letter in "bf"
    }
    split = split_of(likes["b"], likes["f"], test={"films": {"u5": likes["f"]["u5"]}})
    model = EASE(regularisation=(3.0,), joint=joint).fit(graph_of(split), split)
    matrix, people, columns = dense_matrix(split, joint)
    assert (matrix.sum(1) > 0).sum() < (matrix.sum(0) > 0).sum(), "fewer users than items"
    expected = dense_ease(matrix, 3.0)
    for domain, span in columns.items():
        rows = rows_for(model, split, domain, people, joint)
        assert model.score(domain, model.catalogue.user_ids) == pytest.approx(expected[rows, span], rel=1e-4, abs=1e-5)


def test_ease_is_refused_where_its_inverses_do_not_fit(split: Split) -> None:
    # 19 items have interactions or fewer; one matrix of n x n float32, at most three held at a time.
    active = int((dense_matrix(split)[0].sum(0) > 0).sum())
    one = 4 * active**2 / 2**30
    graph = graph_of(split)
    for values, held in (((1.0,), 1), ((1.0, 2.0), 2), ((1.0, 2.0, 3.0, 4.0), 3)):
        EASE(regularisation=values, memory_gib=held * one * 1.001).fit(graph, split)
        message = rf"ease: {held} matrices over {active} items need .* GiB, and memory_gib allows .*; allow more"
        with pytest.raises(InputError, match=message):
            EASE(regularisation=values, memory_gib=held * one * 0.999).fit(graph, split)


def test_least_squares_come_to_the_dense_solution() -> None:
    generator = np.random.default_rng(0)
    matrix = sparse.random(12, 9, 0.3, "csr", dtype=np.float32, random_state=3, data_rvs=np.ones)
    fixed = generator.standard_normal((9, 4)).astype(np.float32)
    start = generator.standard_normal((12, 4)).astype(np.float32)
    found = least_squares(matrix, start, fixed, 0.2, 0.1, steps=12)
    for row, taken in enumerate(matrix.toarray() > 0):
        penalty = 0.1 * (taken.sum() + 0.2 * 9)
        normal = fixed[taken].T @ fixed[taken] + 0.2 * fixed.T @ fixed + penalty * np.eye(4)
        assert found[row] == pytest.approx(np.linalg.solve(normal, fixed[taken].sum(0)), rel=1e-3, abs=1e-4)


def ials_loss(matrix: np.ndarray, users: np.ndarray, items: np.ndarray, weight: float, penalty: float) -> float:
    scores = users @ items.T
    fit = ((scores - 1) ** 2)[matrix > 0].sum() + weight * (scores**2).sum()
    of_users = (matrix.sum(1) + weight * matrix.shape[1]) @ (users**2).sum(1)
    of_items = (matrix.sum(0) + weight * matrix.shape[0]) @ (items**2).sum(1)
    return float(fit + penalty * (of_users + of_items))


def test_every_sweep_lowers_the_loss_of_the_paper() -> None:
    matrix = (np.random.default_rng(2).random((40, 25)) < 0.15).astype(np.float32)
    matrix = matrix[matrix.sum(1) > 0][:, matrix.sum(0) > 0]
    unobserved, regularisation = 5.0, 0.2
    density = matrix.mean()
    losses = []
    for sweeps in (1, 2, 4, 8, 16):
        factors = ials_factors(sparse.csr_matrix(matrix), IALSConfig(dim=6, sweeps=sweeps), unobserved, regularisation)
        losses.append(ials_loss(matrix, *factors, unobserved * density, regularisation / unobserved))
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.9 * ials_loss(matrix, np.zeros((len(matrix), 1)), np.zeros((matrix.shape[1], 1)), 0, 0)


def test_rows_and_columns_without_entries_do_not_change_the_factors() -> None:
    matrix = sparse.csr_matrix((np.random.default_rng(2).random((20, 15)) < 0.3).astype(np.float32))
    wider = sparse.csr_matrix((matrix.data, matrix.indices + 0, matrix.indptr), shape=(20, 25))
    longer = sparse.vstack([wider, sparse.csr_matrix((7, 25), dtype=np.float32)]).tocsr()
    users, items = ials_factors(matrix, IALSConfig(dim=4), 20.0, 0.5)
    more_users, more_items = ials_factors(longer, IALSConfig(dim=4), 20.0, 0.5)
    assert np.array_equal(users, more_users[:20])
    assert np.array_equal(items, more_items[:15])
    assert not more_users[20:].any()
    assert not more_items[15:].any()


def test_the_seed_of_ials_matters_and_decides(split: Split) -> None:
    graph = graph_of(split)
    first, again, other = (
        IALS(dim=3, sweeps=1, regularisation=(0.1,), unobserved=(10.0,), seed=seed).fit(graph, split)
        for seed in (0, 0, 1)
    )
    users = first.catalogue.user_ids
    assert np.array_equal(first.score("films", users), again.score("films", users))
    assert not np.allclose(first.score("films", users), other.score("films", users))


@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("dim", [1, 3, 100])
def test_pure_svd_is_the_dense_projection(split: Split, joint: bool, dim: int) -> None:
    model = PureSVD(dim=(dim,), joint=joint).fit(graph_of(split), split)
    matrix, people, columns = dense_matrix(split, joint)
    for domain, span in columns.items():
        # A domain by itself is decomposed by itself.
        part = matrix if joint else np.where(np.isin(np.arange(matrix.shape[1]), range(*span.indices(99))), matrix, 0)
        directions = np.linalg.svd(part)[2][: min(dim, np.linalg.matrix_rank(part))]
        expected = (part @ directions.T @ directions)[rows_for(model, split, domain, people, joint), span]
        assert model.score(domain, model.catalogue.user_ids) == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_fewer_components_are_the_first_of_more(split: Split) -> None:
    matrix = sparse.csr_matrix(dense_matrix(split)[0])
    (users, items), (more_users, more_items) = (singular_factors(matrix, dim, seed=0) for dim in (3, 7))
    assert more_users[:, :3] @ more_items[:, :3].T == pytest.approx(users @ items.T, abs=1e-5)
    strength = np.linalg.norm(more_users, axis=0)
    assert strength == pytest.approx(np.linalg.svd(matrix.toarray())[1][:7], rel=1e-5)


@pytest.mark.parametrize("regularisation", [0.1, 10.0])
def test_emcdr_maps_by_ridge_regression_over_the_overlapping_users(split: Split, regularisation: float) -> None:
    baseline = EMCDR(regularisation=(regularisation,), dim=3)
    model = baseline.fit(graph_of(split), split)
    matrix, people, columns = dense_matrix(split)
    config = IALSConfig(dim=3)
    parts = [sparse.csr_matrix(matrix[:, span]) for span in columns.values()]
    factors = [ials_factors(part, config, 100.0, 0.2) for part in parts]
    active = [part.getnnz(1) > 0 for part in parts]
    both = active[0] & active[1]
    assert not both.all()
    for code, domain in enumerate(columns):
        own, other = factors[code][0], factors[1 - code][0]
        # Ridge regression as ordinary least squares with the penalty as further rows.
        left = np.vstack([other[both], regularisation**0.5 * np.eye(3)])
        right = np.vstack([own[both], np.zeros((3, 3))])
        mapping = np.linalg.lstsq(left, right, rcond=None)[0]
        users = np.where(active[code][:, None], own, other @ mapping)
        expected = (users @ factors[code][1].T)[rows_for(model, split, domain, people, True)]
        assert model.score(domain, model.catalogue.user_ids) == pytest.approx(expected, rel=1e-3, abs=1e-4)
