"""Encoders against dense matrices, and what every encoder must keep to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch

from graph_schema.schema import EdgeType
from kgxfer.encoders import ENCODERS, Encoder, LightGCN, Relational
from kgxfer.encoders.lightgcn import LightGCNConfig
from kgxfer.encoders.relational import RelationalConfig
from kgxfer.graph import USER, GraphTensors
from kgxfer.model import TransferModel
from kgxfer.splits import Split
from tests.networks import FILMS, all_edges, network_of, small_split, tensors_of

RATED = "RATED"


@pytest.fixture(scope="module")
def tensors() -> GraphTensors:
    return tensors_of(small_split())


def masked(graph: GraphTensors) -> GraphTensors:
    """The graph with two interactions of each kind held out."""
    masks = {}
    for kind in graph.edge_domain:
        masks[kind] = torch.ones(graph.adjacencies[kind].rows.numel())
        masks[kind][[1, 4]] = 0
    return graph.with_masks(masks)


def dense(graph: GraphTensors, kind: EdgeType) -> np.ndarray:
    """One edge type as a matrix [heads, tails] of its masks."""
    adjacency = graph.adjacencies[kind]
    matrix = np.zeros((graph.node_counts[kind.head], graph.node_counts[kind.tail]))
    for row, column, mask in zip(adjacency.rows, adjacency.columns, graph.masks[kind], strict=True):
        matrix[row, column] += mask
    return matrix


def normalised(matrix: np.ndarray) -> np.ndarray:
    """D^-1/2 A D^-1/2, zero where there is no edge."""
    rows, columns = matrix.sum(1, keepdims=True), matrix.sum(0, keepdims=True)
    product: np.ndarray = np.divide(matrix, np.sqrt(rows * columns), out=np.zeros_like(matrix), where=matrix > 0)
    return product


def values(table: torch.Tensor) -> np.ndarray:
    array: np.ndarray = table.detach().numpy().astype(float)
    return array


def assert_equal(result: Mapping[str, torch.Tensor], expected: Mapping[str, np.ndarray]) -> None:
    assert set(result) == set(expected)
    for kind, table in expected.items():
        np.testing.assert_allclose(values(result[kind]), table, rtol=0, atol=2e-6)


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("one_type", [False, True])
@pytest.mark.parametrize("combine", ["disjoint", "same_as_edges", "collapse"])
def test_lightgcn_is_the_mean_of_dense_layers(held: bool, one_type: bool, combine: str) -> None:
    graph = tensors_of(small_split(one_type=one_type), combine)
    encoder = LightGCN(LightGCNConfig(dim=5, layers=2), graph)
    graph = masked(graph) if held else graph
    kinds = list(dict.fromkeys(graph.item_types))
    of_persons = np.zeros((graph.person_count, graph.node_counts[USER]))
    of_persons[graph.persons, np.arange(graph.node_counts[USER])] = 1
    matrix = np.hstack([of_persons @ dense(graph, EdgeType(USER, RATED, kind)) for kind in kinds])
    people, items = matrix.shape
    joint = np.block([[np.zeros((people, people)), matrix], [matrix.T, np.zeros((items, items))]])
    layer = np.vstack([values(encoder.persons), *(values(table) for table in encoder.items.values())])
    total, product = layer, normalised(joint)
    for _ in range(2):
        layer = product @ layer
        total = total + layer
    mean = total / 3
    expected = {USER: mean[graph.persons.numpy()]}
    starts = people + np.cumsum([0, *(graph.node_counts[kind] for kind in kinds)])
    expected |= {kind: mean[starts[place] : starts[place + 1]] for place, kind in enumerate(kinds)}
    assert_equal(encoder(graph), expected)
    directions = LightGCN(LightGCNConfig(dim=5, layers=2, normalise=True), graph)
    directions.load_state_dict(encoder.state_dict())
    lengths = {kind: np.linalg.norm(table, axis=1, keepdims=True) for kind, table in expected.items()}
    unit = {kind: table / np.maximum(lengths[kind], 1e-12) for kind, table in expected.items()}
    assert_equal(directions(graph), unit)


def dense_relational(encoder: Relational, graph: GraphTensors) -> dict[str, np.ndarray]:
    """The equations of the module's docstring with one dense matrix per relation."""
    gates = {name: float(value.detach()) for name, value in encoder.gates.items()}

    def identified(layer: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        result = dict(layer)
        for link in graph.adjacencies:
            if link.relation == "SAME_AS" and link.head in layer:
                # Each of these nodes has at most one partner, which counts fully.
                both = dense(graph, link) + dense(graph, link).T
                assert both.sum(1).max() == 1
                result[link.head] = layer[link.head] + gates[f"{link.head}__SAME_AS"] * both @ layer[link.head]
        return result

    layer = identified({kind: values(table) for kind, table in encoder.tables.items()})
    total = {kind: np.zeros((count, encoder.config.dim)) for kind, count in graph.node_counts.items()}
    for step in range(encoder.config.layers + 1):
        for kind, table in layer.items():
            total[kind] = total[kind] + table
        if step == encoder.config.layers:
            break
        message = {kind: np.zeros_like(table) for kind, table in total.items()}
        for edge in graph.adjacencies:
            if edge.relation == "SAME_AS":
                continue
            name, matrix = "__".join(edge), normalised(dense(graph, edge))
            if edge.tail in layer:
                message[edge.head] += gates[f"{name}__to_head"] * matrix @ layer[edge.tail]
            if edge.head in layer:
                message[edge.tail] += gates[f"{name}__to_tail"] * matrix.T @ layer[edge.head]
        layer = identified(message)
    return total


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("combine", ["disjoint", "same_as_edges", "collapse"])
def test_relational_is_its_equations(held: bool, combine: str) -> None:
    graph = tensors_of(small_split(), combine)
    encoder = Relational(RelationalConfig(dim=3, layers=3), graph)
    with torch.no_grad():
        for number, gate in enumerate(encoder.gates.values()):
            gate.fill_(0.2 + 0.15 * number)
    assert {kind for kind in encoder.gates if "SAME_AS" in kind} == (
        {"User__SAME_AS", "Genre__SAME_AS"} if combine == "same_as_edges" else set()
    )
    graph = masked(graph) if held else graph
    assert_equal(encoder(graph), dense_relational(encoder, graph))


def test_gates_start_open_for_interactions_and_identity_and_low_for_facts(tensors: GraphTensors) -> None:
    gates = Relational(RelationalConfig(dim=3, fact_gate=0.25), tensors).gate_values()
    assert len(gates) == 2 * 4 + 2  # two directions of four relations, and the identity of users and genres
    for name, value in gates.items():
        assert value == (0.25 if "HAS_GENRE" in name else 1.0), name


@pytest.mark.parametrize("name", list(ENCODERS))
def test_an_edge_held_out_leaves_no_trace(name: str, tensors: GraphTensors) -> None:
    """Cid's f1 is held out; the result is that of a graph which never had it."""
    without = tensors_of(small_split({**FILMS, "cid": "f0 f2"}))
    kind = tensors.interaction_type(1)
    adjacency = tensors.adjacencies[kind]
    cells = set(zip(adjacency.rows.tolist(), adjacency.columns.tolist(), strict=True))
    left = without.adjacencies[kind]
    ((row, column),) = cells - set(zip(left.rows.tolist(), left.columns.tolist(), strict=True))
    mask = 1.0 - ((adjacency.rows == row) & (adjacency.columns == column)).float()
    encoder, of_the_other = network_of(tensors, name).encoder, network_of(without, name).encoder
    full, held, never = encoder(tensors), encoder(tensors.with_masks({kind: mask})), of_the_other(without)
    for node_type, table in never.items():
        torch.testing.assert_close(held[node_type], table, rtol=0, atol=1e-6)
    if name != "mf":
        assert not torch.allclose(full[USER], held[USER], atol=1e-3)


def test_no_gradient_passes_an_edge_held_out(tensors: GraphTensors) -> None:
    """Tom has one edge left, so one layer leads from him to that film and to no other."""
    encoder = Relational(RelationalConfig(dim=3, layers=1), tensors)
    kind, tom = tensors.interaction_type(1), int(tensors.adjacencies[tensors.interaction_type(1)].rows[-3])
    adjacency = tensors.adjacencies[kind]
    edges = torch.nonzero(adjacency.rows == tom).squeeze(1)
    assert len(edges) == 2
    mask = torch.ones(adjacency.rows.numel())
    mask[edges[0]] = 0
    torch.autograd.backward(encoder(tensors.with_masks({kind: mask}))[USER][tom].sum())
    gradient = encoder.tables["Movie"].grad
    assert gradient is not None
    assert torch.nonzero(gradient.abs().sum(1)).squeeze(1).tolist() == [int(adjacency.columns[edges[1]])]


def test_a_user_is_what_the_neighbours_say() -> None:
    split = small_split({**FILMS, "eve": "f1 f2"})
    graph = tensors_of(split, "disjoint")
    encoder = Relational(RelationalConfig(dim=4), graph)
    assert USER not in encoder.tables
    ids = pair_ids(split)
    users = encoder(graph)[USER]
    # Tom and Eve liked the same films; Dan, whose rows are held out, is nobody among the films.
    torch.testing.assert_close(users[ids["films", "eve"]], users[ids["films", "tom"]])
    assert not torch.allclose(users[ids["films", "eve"]], users[ids["films", "bob"]])
    assert users[ids["films", "dan"]].eq(0).all()


def test_a_cold_user_is_what_the_other_domain_says_through_the_identity() -> None:
    split = small_split()
    graph = tensors_of(split)
    encoder = Relational(RelationalConfig(dim=4, layers=1), graph)
    ids = pair_ids(split)
    users = encoder(graph)[USER]
    # The films' Dan has no message of his own: with the identity's gate at 1 he is the books' Dan.
    torch.testing.assert_close(users[ids["films", "dan"]], users[ids["books", "dan"]])
    assert users[ids["books", "dan"]].norm() > 0


def pair_ids(split: Split) -> dict[tuple[str, str], int]:
    """(domain, user id) -> row of the graph, which are in the order of the tables."""
    keys = [(domain.domain, user) for domain in split.dataset.domains for user in domain.users["user_id"]]
    return {key: row for row, key in enumerate(keys)}


@pytest.fixture(scope="module")
def board(board_split: Split) -> GraphTensors:
    return tensors_of(board_split)


@pytest.mark.parametrize("name", list(ENCODERS))
@pytest.mark.parametrize("combine", ["disjoint", "same_as_edges", "collapse"])
def test_every_encoder_embeds_users_and_items(name: str, combine: str, board_split: Split) -> None:
    graph = tensors_of(board_split, combine)
    encoder = network_of(graph, name, dim=6).encoder
    result = encoder(graph)
    assert {USER, "Book", "Movie"} <= set(result)
    for kind, table in result.items():
        assert table.shape == (graph.node_counts[kind], 6) and table.isfinite().all()
    if combine == "same_as_edges" and not encoder.inductive:
        for person in range(graph.person_count):
            rows = result[USER][graph.persons == person]
            assert torch.equal(rows, rows[:1].expand_as(rows))


@pytest.mark.parametrize("name", list(ENCODERS))
def test_every_parameter_is_in_one_group(name: str, board: GraphTensors) -> None:
    encoder: Encoder = network_of(board, name).encoder
    grouped = [id(parameter) for group in encoder.parameter_groups() for parameter in group.parameters]
    assert sorted(grouped) == sorted(id(parameter) for parameter in encoder.parameters() if parameter.requires_grad)
    assert len(set(grouped)) == len(grouped) > 0


def test_a_single_relation_of_interactions_is_the_unit_of_the_gates(board: GraphTensors) -> None:
    """Beside a second relation of interactions a gate compares the two, and learns; facts' gates always learn."""
    of_books = {kind: adjacency for kind, adjacency in board.adjacencies.items() if kind.tail != "Movie"}
    for graph, learned in ((board, True), (replace(board, adjacencies=of_books), False)):
        encoder = network_of(graph, "relational").encoder
        assert isinstance(encoder, Relational)
        gates = encoder.gates
        assert {gates[name].requires_grad for name in gates if "RATED__Book" in name} == {learned}
        others = [gates[name].requires_grad for name in gates if "RATED" not in name]
        assert others and all(others)


@pytest.mark.parametrize("name", list(ENCODERS))
def test_the_start_depends_on_the_seed_alone(name: str, board: GraphTensors) -> None:
    model = TransferModel(name, dim=4)
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    first = model.build(board, 3).state_dict()
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(5)
    again, other = model.build(board, 3).state_dict(), model.build(board, 4).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)
    tables = [key for key in first if key.startswith("encoder") and "gate" not in key]
    assert tables and not any(torch.equal(first[key], other[key]) for key in tables)


@pytest.mark.parametrize("name", list(ENCODERS))
def test_ten_steps_lower_the_loss_on_the_checkerboard(name: str, board: GraphTensors) -> None:
    network = network_of(board, name)
    batch = all_edges(board, rows=128)
    groups = network.encoder.parameter_groups()
    optimisers = [torch.optim.Adam(group.parameters, lr=10 * group.learning_rate) for group in groups]
    losses = []
    for _ in range(11):
        loss = network.losses(board, batch, ["recommendation"])["recommendation"]
        losses.append(loss.item())
        for optimiser in optimisers:
            optimiser.zero_grad()
        torch.autograd.backward(loss)
        for optimiser in optimisers:
            optimiser.step()
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] - 0.01
