"""Losses by hand, the direction of their gradients, and negatives that do not count."""

from __future__ import annotations

import math

import pytest
import torch

from kgxfer.losses import LOSSES, BayesianPersonalisedRanking, MeanSquaredError, SampledSoftmax

NONE = -math.inf
LN3 = math.log(3)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_sampled_softmax_by_hand() -> None:
    positive = torch.tensor([math.log(2), 0.0])
    negative = torch.tensor([[0.0, 0.0], [LN3, NONE]])
    # log((2 + 1 + 1) / 2) and log((1 + 3) / 1)
    expected = torch.tensor([math.log(2), math.log(4)])
    torch.testing.assert_close(SampledSoftmax()(positive, negative, None), expected)


def test_bpr_by_hand() -> None:
    positive = torch.tensor([LN3, 0.0])
    negative = torch.tensor([[0.0, LN3], [LN3, NONE]])
    # -log sigmoid(ln 3) = log(4/3), -log sigmoid(0) = log 2, -log sigmoid(-ln 3) = log 4
    expected = torch.tensor([(math.log(4 / 3) + math.log(2)) / 2, math.log(4)])
    torch.testing.assert_close(BayesianPersonalisedRanking()(positive, negative, None), expected)


def test_squared_error_by_hand() -> None:
    positive, negative = torch.tensor([3.0, 0.5]), torch.tensor([[1.0, 3.0], [2.0, NONE]])
    loss = MeanSquaredError()
    torch.testing.assert_close(loss(positive, negative, torch.tensor([5.0, 0.0])), torch.tensor([4.0, 0.25]))
    torch.testing.assert_close(loss(positive, negative, None), torch.tensor([4 + 5.0, 0.25 + 4.0]))


def test_gradients_by_hand() -> None:
    positive, negative = torch.tensor([1.0], requires_grad=True), torch.tensor([[0.5]], requires_grad=True)
    for loss in (SampledSoftmax(), BayesianPersonalisedRanking()):
        first, second = torch.autograd.grad(loss(positive, negative, None).sum(), [positive, negative])
        # With one negative both are -log sigmoid(s+ - s-).
        assert float(first) == pytest.approx(-sigmoid(-0.5)) and float(second) == pytest.approx(sigmoid(-0.5))


@pytest.mark.parametrize("name", list(LOSSES))
def test_every_loss_pulls_positives_up_and_negatives_down(name: str) -> None:
    positive = torch.tensor([0.2, 0.4, 0.1], requires_grad=True)
    negative = torch.tensor([[0.3, 0.5], [0.1, 0.8], [0.7, 0.2]], requires_grad=True)
    rows = LOSSES[name]()(positive, negative, None)
    assert rows.shape == (3,) and (rows > 0).all()
    torch.autograd.backward(rows.sum())
    assert positive.grad is not None and (positive.grad < 0).all()
    assert negative.grad is not None and (negative.grad > 0).all()


@pytest.mark.parametrize("name", list(LOSSES))
def test_a_negative_of_minus_infinity_is_not_there(name: str) -> None:
    positive = torch.tensor([0.2, 0.4], requires_grad=True)
    padded = torch.tensor([[0.3, NONE, 0.6], [NONE, 0.1, 0.9]], requires_grad=True)
    plain = torch.tensor([[0.3, 0.6], [0.1, 0.9]])
    loss = LOSSES[name]()
    rows = loss(positive, padded, None)
    torch.testing.assert_close(rows, loss(positive, plain, None))
    torch.autograd.backward(rows.sum())
    assert padded.grad is not None and padded.grad.isfinite().all()
    assert padded.grad[0, 1] == padded.grad[1, 0] == 0


@pytest.mark.parametrize("name", list(LOSSES))
def test_a_row_without_any_negative_has_a_finite_loss_and_gradient(name: str) -> None:
    positive, negative = torch.tensor([0.3], requires_grad=True), torch.full((1, 2), NONE, requires_grad=True)
    rows = LOSSES[name]()(positive, negative, None)
    torch.autograd.backward(rows.sum())
    assert rows.isfinite().all() and positive.grad is not None and positive.grad.isfinite().all()
    if name == "sampled_softmax":
        assert rows.item() == 0
