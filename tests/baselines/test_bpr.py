"""BPR: one step against autograd, biases for whom nothing is known, stations of one descent."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from torch.autograd import grad
from torch.nn.functional import softplus

from kgxfer.baselines import BPR
from kgxfer.baselines.bpr import BPRConfig, _Descent
from kgxfer.splits import Split
from tests.baselines.dense import graph_of

MATRIX = sparse.csr_matrix(np.array([[1, 0, 0, 1, 0], [0, 1, 0, 0, 1], [0, 0, 0, 0, 0], [1, 1, 0, 0, 0]], dtype=float))
SIZES = (3, 2)
CONFIG = BPRConfig(dim=3, learning_rate=0.2, batch=64, seed=5)


def test_an_epoch_of_one_batch_is_a_step_down_the_gradient() -> None:
    descent, l2 = _Descent(MATRIX, SIZES, CONFIG, 0.03), 0.03
    active = [0, 1, 3]
    before = [part.clone().requires_grad_() for part in (descent._users, descent._items, descent._bias)]
    (user, item, other), *more = descent._batches()
    assert not more
    assert len(user) > 2
    # The pull towards zero is that of every occurrence, as the gradient of half the summed squares.
    users, items, bias = before
    margin = (users[user] * (items[item] - items[other])).sum(1) + bias[item] - bias[other]
    loss = softplus(-margin).sum()
    for part in (users[user], items[item], items[other], bias[item], bias[other]):
        loss = loss + l2 / 2 * part.square().sum()
    gradients = grad(loss, before)
    moved = zip(before, gradients, strict=True)
    expected = [part.detach() - CONFIG.learning_rate * gradient for part, gradient in moved]
    descent._start()
    made_users, made_items = descent.factors(1)
    assert made_users[active, :3] == pytest.approx(expected[0].numpy(), abs=1e-6)
    assert made_items[:, :3] == pytest.approx(expected[1].numpy(), abs=1e-6)
    assert made_items[:, 3] == pytest.approx(expected[2].numpy(), abs=1e-6)
    assert made_users[2].tolist() == [0, 0, 0, 1], "a person without interactions has the biases alone"


def test_what_is_drawn_is_of_the_domain_and_not_taken() -> None:
    descent = _Descent(MATRIX, SIZES, CONFIG, 0.0)
    active, seen = np.array([0, 1, 3]), set()
    for _ in range(60):
        for user, item, other in descent._batches():
            pairs = zip(active[user.numpy()].tolist(), item.tolist(), other.tolist(), strict=True)
            for person, liked, rest in pairs:
                assert MATRIX[person, liked]
                assert not MATRIX[person, rest]
                assert (liked < 3) == (rest < 3)
                seen.add((person, liked, rest))
    every = {
        (person, liked, rest)
        for person in active for liked in range(5) for rest in range(5)
        if MATRIX[person, liked] and not MATRIX[person, rest] and (liked < 3) == (rest < 3)
    }  # fmt: skip
    assert seen == every


def test_fewer_epochs_are_a_station_on_the_way_to_more() -> None:
    descent = _Descent(MATRIX, SIZES, CONFIG, 0.01)
    three, one = descent.factors(3), descent.factors(1)
    assert not np.allclose(three[1], one[1])
    for first, second in zip(descent.factors(3), three, strict=True):
        assert np.array_equal(first, second)


def test_who_is_unknown_gets_the_items_in_the_order_of_their_biases(split: Split) -> None:
    model = BPR(joint=False, l2=(0.01,), epochs=(80,), batch=32).fit(graph_of(split), split)
    cold = model.score("films", ["u0", "u3"])
    assert np.array_equal(cold[0], cold[1])
    counts = split.rows("train", "films")["item_id"].value_counts()
    counts = counts.reindex(model.catalogue.items[1]["item_id"]).fillna(0)
    assert np.corrcoef(cold[0], np.log1p(counts))[0, 1] > 0.9


def test_the_seed_decides(split: Split) -> None:
    graph = graph_of(split)
    first, again, other = (
        BPR(dim=4, l2=(0.01,), epochs=(5,), seed=seed).fit(graph, split).score("films", ["u1"]) for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)
