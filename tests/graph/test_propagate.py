from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sparse
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from kgxfer.graph.propagate import Adjacency, SortedWeights, propagate, symmetric_normalisation

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")),
]


def random_graph(seed: int, rows: int, columns: int, edges: int) -> Adjacency:
    """Parallel edges and rows without edges occur."""
    generator = torch.Generator().manual_seed(seed)
    ends = [torch.randint(0, count, (edges,), generator=generator) for count in (rows, columns)]
    return Adjacency.build(ends[0], ends[1], rows, columns)


def numbers(seed: int, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def dense(adjacency: Adjacency, weight: Tensor) -> Tensor:
    matrix = torch.zeros(adjacency.row_count, adjacency.column_count, dtype=weight.dtype)
    for edge in range(len(weight)):
        matrix[adjacency.rows[edge], adjacency.columns[edge]] += weight[edge]
    return matrix


def by_edge_index(x: Tensor, weight: Tensor, adjacency: Adjacency) -> Tensor:
    """The textbook form, whose gradients come from autograd alone."""
    messages = weight[:, None] * x[adjacency.columns]
    return x.new_zeros(adjacency.row_count, x.shape[1]).index_add(0, adjacency.rows, messages)


graphs = st.builds(
    random_graph,
    seed=st.integers(0, 2**20),
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
    edges=st.integers(0, 40),
)


@given(graphs, st.integers(1, 5), st.integers(0, 2**20))
def test_the_product_is_the_dense_product_in_both_directions(adjacency: Adjacency, dim: int, seed: int) -> None:
    weight = numbers(seed, len(adjacency.rows))
    x, y = numbers(seed + 1, adjacency.column_count, dim), numbers(seed + 2, adjacency.row_count, dim)
    matrix = dense(adjacency, weight)
    assert torch.allclose(propagate(x, weight, adjacency), matrix @ x)
    assert torch.allclose(propagate(y, weight, adjacency.transposed), matrix.T @ y)


@given(graphs, st.integers(1, 4), st.integers(0, 2**20))
def test_gradients_are_those_of_autograd_on_the_edge_index(adjacency: Adjacency, dim: int, seed: int) -> None:
    outer = numbers(seed, adjacency.row_count, dim)
    gradients = []
    for product in (propagate, by_edge_index):
        x = numbers(seed + 1, adjacency.column_count, dim).requires_grad_()
        weight = numbers(seed + 2, len(adjacency.rows)).requires_grad_()
        # Squared and propagated back, so that the incoming gradient is no constant and two products are chained.
        there = product(x, weight, adjacency)
        back = product(there**2, weight, adjacency.transposed)
        total = (there * outer).sum() + back.sum()
        gradients.append(torch.autograd.grad(total, (x, weight)))
    for ours, theirs in zip(*gradients, strict=True):
        assert torch.allclose(ours, theirs)


def test_gradients_agree_with_finite_differences() -> None:
    adjacency = random_graph(3, 5, 4, 9)
    x, weight = numbers(1, 4, 3).requires_grad_(), numbers(2, 9).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: propagate(a, b, adjacency), (x, weight))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dim", [1, 64])
def test_single_precision_at_scale(device: str, dim: int) -> None:
    adjacency = random_graph(5, 300, 200, 5000)
    x, weight = numbers(6, 200, dim, dtype=torch.float32), numbers(7, 5000, dtype=torch.float32)
    expected_x, expected_weight = x.clone().requires_grad_(), weight.clone().requires_grad_()
    expected = by_edge_index(expected_x, expected_weight, adjacency)
    expected_gradients = torch.autograd.grad((expected**2).sum(), (expected_x, expected_weight))
    moved_x, moved_weight = x.to(device).requires_grad_(), weight.to(device).requires_grad_()
    found = propagate(moved_x, moved_weight, adjacency.to(device))
    gradients = torch.autograd.grad((found**2).sum(), (moved_x, moved_weight))
    for ours, theirs in zip((found, *gradients), (expected, *expected_gradients), strict=True):
        assert ours.device.type == device
        assert torch.allclose(ours.cpu(), theirs, rtol=1e-4, atol=1e-3)


def test_an_empty_graph_gives_zeros_and_zero_gradients() -> None:
    none = torch.zeros(0, dtype=torch.long)
    adjacency = Adjacency.build(none, none, 3, 2)
    x, weight = torch.ones(2, 4, requires_grad=True), torch.zeros(0, requires_grad=True)
    out = propagate(x, weight, adjacency)
    of_x, of_weight = torch.autograd.grad(out.sum(), (x, weight))
    assert torch.equal(out, torch.zeros(3, 4))
    assert torch.equal(of_x, torch.zeros(2, 4))
    assert of_weight.shape == (0,)


def test_rows_without_edges_are_zero_wherever_they_stand() -> None:
    adjacency = Adjacency.build(torch.tensor([3, 1, 3]), torch.tensor([0, 1, 1]), 6, 2)
    found = propagate(torch.tensor([[1.0], [10.0]]), torch.tensor([1.0, 2.0, 3.0]), adjacency)
    assert found.ravel().tolist() == [0, 20, 0, 31, 0, 0]


@given(graphs, st.integers(0, 2**20))
def test_an_edge_of_weight_zero_is_an_edge_that_is_absent(adjacency: Adjacency, seed: int) -> None:
    weight, x = numbers(seed, len(adjacency.rows)), numbers(seed + 1, adjacency.column_count, 3)
    kept = numbers(seed + 2, len(weight)) > 0
    smaller = Adjacency.build(
        adjacency.rows[kept], adjacency.columns[kept], adjacency.row_count, adjacency.column_count
    )
    assert torch.allclose(propagate(x, weight * kept, adjacency), propagate(x, weight[kept], smaller))
    masked = symmetric_normalisation(kept.double(), adjacency)
    assert torch.equal(masked[~kept], torch.zeros(int((~kept).sum()), dtype=torch.float64))
    assert torch.allclose(masked[kept], symmetric_normalisation(torch.ones(int(kept.sum())).double(), smaller))


def test_weights_laid_out_once_serve_several_products() -> None:
    adjacency, x = random_graph(1, 7, 6, 20), numbers(2, 6, 3).requires_grad_()
    weight = numbers(3, 20)
    layout = SortedWeights.of(weight, adjacency)
    once = propagate(propagate(x, weight, adjacency, layout), weight, adjacency.transposed, layout.transposed)
    again = propagate(propagate(x, weight, adjacency), weight, adjacency.transposed)
    assert torch.equal(once, again)
    ours, theirs = (torch.autograd.grad((product**2).sum(), x)[0] for product in (once, again))
    assert torch.equal(ours, theirs)


@given(graphs, st.integers(0, 2**20))
def test_symmetric_normalisation_is_that_of_scipy_matrices(adjacency: Adjacency, seed: int) -> None:
    mask = numbers(seed, len(adjacency.rows)).abs()
    mask[mask < 0.3] = 0
    shape = (adjacency.row_count, adjacency.column_count)
    matrix = sparse.coo_matrix((mask.numpy(), (adjacency.rows.numpy(), adjacency.columns.numpy())), shape).tocsr()
    left, right = (np.asarray(matrix.sum(axis)).ravel() for axis in (1, 0))
    scaling = [sparse.diags([1 / np.sqrt(degree) if degree else 0 for degree in degrees]) for degrees in (left, right)]
    expected = (scaling[0] @ matrix @ scaling[1]).toarray()
    assert np.allclose(dense(adjacency, symmetric_normalisation(mask, adjacency)).numpy(), expected)


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [(3, 0, "a row index lies outside 0..2"), (-1, 0, "a row index"), (0, 2, "a column index lies outside 0..1")],
)
def test_an_index_out_of_range_is_refused(row: int, column: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Adjacency.build(torch.tensor([0, row]), torch.tensor([1, column]), 3, 2)
