"""Sparse products over a graph, the kernel under every encoder.

One propagation step is ``out[r] = sum over edges e = (r, c) of weight[e] * x[c]``.
``torch.nn.functional.embedding_bag`` computes exactly this sum over sorted rows and is the fastest way to do so on a
CPU, but its own backward scatters; :func:`propagate` replaces that backward by the same kernel over the transposed
graph.

Edges keep their place: an :class:`Adjacency` is built once, and what changes from step to step (edges held out, new
normalisation) arrives as a weight per edge, zero for an edge that is absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag


@dataclass(frozen=True)
class CompressedRows:
    """One direction of a graph, sorted by row.

    Shapes: offsets int32 [rows + 1], columns int32 [edges], order int64 [edges] (place of each sorted entry in the
    edge list that the graph was built from).
    """

    offsets: Tensor
    columns: Tensor
    order: Tensor

    @staticmethod
    def build(rows: Tensor, columns: Tensor, row_count: int) -> CompressedRows:
        """Sort an edge list by row; entries of one row keep the order they came in."""
        order = torch.argsort(rows, stable=True)
        counts = torch.bincount(rows, minlength=row_count)
        offsets = torch.zeros(row_count + 1, dtype=torch.int32, device=rows.device)
        offsets[1:] = counts.cumsum(0)
        return CompressedRows(offsets, columns[order].int(), order)

    def to(self, device: torch.device | str) -> CompressedRows:
        """Copy to another device."""
        return CompressedRows(self.offsets.to(device), self.columns.to(device), self.order.to(device))

    def bag(self, x: Tensor, sorted_weight: Tensor) -> Tensor:
        """Weighted sum of the rows of `x` for each row of the graph; no gradient flows through it."""
        if self.columns.numel() == 0:
            return x.new_zeros(self.offsets.numel() - 1, x.shape[1])
        return embedding_bag(
            self.columns, x, self.offsets, mode="sum", per_sample_weights=sorted_weight.to(x.dtype),
            include_last_offset=True,
        )


@dataclass(frozen=True)
class Adjacency:
    """A bipartite (or square) graph in both directions.

    `rows` receive and `columns` send. Shapes: rows, columns int64 [edges], in the order of the edge list.
    """

    rows: Tensor
    columns: Tensor
    row_count: int
    column_count: int
    forward_rows: CompressedRows
    backward_rows: CompressedRows

    @staticmethod
    def build(rows: Tensor, columns: Tensor, row_count: int, column_count: int) -> Adjacency:
        """Sort the edge list once for each direction.

        Raises:
            ValueError: an index lies outside its range, or there are more edges than int32 can count.
        """
        rows, columns = rows.long(), columns.long()
        if rows.numel() > 2**31 - 1:
            raise ValueError(f"{rows.numel()} edges do not fit int32 offsets; split the relation")
        for name, index, count in (("row", rows, row_count), ("column", columns, column_count)):
            if index.numel() and (int(index.min()) < 0 or int(index.max()) >= count):
                raise ValueError(f"a {name} index lies outside 0..{count - 1}")
        return Adjacency(
            rows, columns, row_count, column_count,
            CompressedRows.build(rows, columns, row_count), CompressedRows.build(columns, rows, column_count),
        )

    @property
    def transposed(self) -> Adjacency:
        """The same edges with senders and receivers exchanged; shares all memory."""
        return Adjacency(
            self.columns, self.rows, self.column_count, self.row_count, self.backward_rows, self.forward_rows
        )

    def to(self, device: torch.device | str) -> Adjacency:
        """Copy to another device."""
        return Adjacency(
            self.rows.to(device), self.columns.to(device), self.row_count, self.column_count,
            self.forward_rows.to(device), self.backward_rows.to(device),
        )


class _SparseProduct(torch.autograd.Function):
    """``out = A x`` with ``grad_x = A^T grad`` through the transposed rows, and ``grad_w[e] = <grad[r], x[c]>``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, adjacency: Adjacency, sorted_weights: SortedWeights) -> Tensor:
        ctx.adjacency, ctx.sorted_weights = adjacency, sorted_weights
        ctx.save_for_backward(*((x, weight) if weight.requires_grad else (None, weight)))
        return adjacency.forward_rows.bag(x.detach(), sorted_weights.forward)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        gradient = grads[0].contiguous()
        adjacency: Adjacency = ctx.adjacency
        x, weight = ctx.saved_tensors
        grad_x = adjacency.backward_rows.bag(gradient, ctx.sorted_weights.backward) if ctx.needs_input_grad[0] else None
        grad_weight = None
        if ctx.needs_input_grad[1]:
            grad_weight = (gradient[adjacency.rows] * x[adjacency.columns]).sum(1).to(weight.dtype)
        return grad_x, grad_weight, None, None


@dataclass(frozen=True)
class SortedWeights:
    """Edge weights laid out for both directions, so that several layers share one gather."""

    forward: Tensor
    backward: Tensor

    @staticmethod
    def of(weight: Tensor, adjacency: Adjacency) -> SortedWeights:
        """Gather `weight` [edges] into the two sorted orders."""
        weight = weight.detach()
        return SortedWeights(weight[adjacency.forward_rows.order], weight[adjacency.backward_rows.order])

    @property
    def transposed(self) -> SortedWeights:
        """The layout for `adjacency.transposed`."""
        return SortedWeights(self.backward, self.forward)


def propagate(
    x: Tensor, weight: Tensor, adjacency: Adjacency, sorted_weights: SortedWeights | None = None
) -> Tensor:
    """Multiply the weighted adjacency with `x`; differentiable in `x` and in `weight`.

    Args:
        x: features of the senders, float [columns, dim].
        weight: one weight per edge, in the order of the edge list, float [edges].
        adjacency: the graph.
        sorted_weights: the same weights already laid out, when several products share them.

    Returns:
        float [rows, dim]; a row without edges is zero.

    >>> graph = Adjacency.build(torch.tensor([0, 0]), torch.tensor([0, 1]), 2, 2)
    >>> propagate(torch.eye(2), torch.tensor([1.0, 3.0]), graph)
    tensor([[1., 3.],
            [0., 0.]])
    """
    layout = SortedWeights.of(weight, adjacency) if sorted_weights is None else sorted_weights
    product: Tensor = _SparseProduct.apply(x, weight, adjacency, layout)  # type: ignore[no-untyped-call]
    return product


def symmetric_normalisation(mask: Tensor, adjacency: Adjacency) -> Tensor:
    """``mask[e] / sqrt(d_row d_column)`` with degrees counted over `mask`, so absent edges leave no trace.

    Args:
        mask: float [edges]; 0 for an edge that is absent, otherwise its weight.

    Returns:
        float [edges]; 0 where the mask is 0.
    """
    row_degree = torch.bincount(adjacency.rows, weights=mask, minlength=adjacency.row_count)
    column_degree = torch.bincount(adjacency.columns, weights=mask, minlength=adjacency.column_count)
    product = row_degree[adjacency.rows] * column_degree[adjacency.columns]
    return torch.where(mask > 0, mask * product.clamp_min(1e-12).rsqrt(), 0).to(mask.dtype)
