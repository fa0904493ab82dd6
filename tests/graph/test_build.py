from __future__ import annotations

import re
from dataclasses import replace

import networkx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_schema import FACTS, LINKS, EdgeType, InputError
from graph_schema.tables import IDENTITY
from kgxfer.bridges import propose_links
from kgxfer.graph import COMBINATIONS, INTERACTION, USER, GraphTensors, KnowledgeGraph, build_graph
from kgxfer.splits import FixedFiles, Split
from loaders import DomainTables
from tests.worlds import Likes, domain_of, pair_of

RATED_BOOK, RATED_FILM = (EdgeType(USER, INTERACTION, kind) for kind in ("Book", "Movie"))
SAME_USER, SAME_GENRE = (EdgeType(kind, IDENTITY, kind) for kind in (USER, "Genre"))


@pytest.fixture
def split() -> Split:
    """bob and cem are in both domains; bob is cold in films; cem has a film that is not relevant."""
    books = domain_of(
        "books",
        "Book",
        {"ann": "b1:5 b2:4", "bob": "b1:5", "cem": "b2:3"},
        items=["b3"],
        genres={"b1": "crime war", "b3": "war"},
    )
    films = domain_of(
        "films",
        "Movie",
        {"bob": "f1:5 f2:4", "cem": "f1:1 f2:5", "dee": "f2:3"},
        genres={"f1": "war"},
        names={"f1": "One", "f2": "Two"},
    )
    return FixedFiles().split(pair_of(books, films, test={"films": {"bob": "f1 f2"}}, positive_from=3))


@pytest.fixture
def links(split: Split) -> pd.DataFrame:
    return propose_links(split, ["shared_id", "shared_entity"])


def ends(graph: KnowledgeGraph, kind: EdgeType) -> list[tuple[int, int, int]]:
    table = graph.edges[kind]
    return list(zip(table.head.tolist(), table.tail.tolist(), table.domain.tolist(), strict=True))


def test_the_exact_graph_with_same_as_edges(split: Split, links: pd.DataFrame) -> None:
    graph = build_graph(split, links)
    assert (graph.domain_names, graph.item_types, graph.combination) == (
        ("books", "films"),
        ("Book", "Movie"),
        "same_as_edges",
    )
    keys = {
        kind: list(zip(v.keys["domain"], v.keys["id"], v.keys["row"], strict=True)) for kind, v in graph.nodes.items()
    }
    assert keys == {
        "User": [(0, "ann", 0), (0, "bob", 1), (0, "cem", 2), (1, "bob", 3), (1, "cem", 4), (1, "dee", 5)],
        "Book": [(0, "b1", 0), (0, "b2", 1), (0, "b3", 2)],
        "Movie": [(1, "f1", 0), (1, "f2", 1)],
        "Genre": [(0, "crime", 0), (0, "war", 1), (1, "war", 2)],
    }
    assert ends(graph, RATED_BOOK) == [(0, 0, 0), (0, 1, 0), (1, 0, 0), (2, 1, 0)]
    assert ends(graph, RATED_FILM) == [(4, 1, 1), (5, 1, 1)]
    assert graph.edges[RATED_BOOK].properties["rating"].tolist() == [5, 4, 5, 3]
    assert graph.edges[RATED_FILM].properties["rating"].tolist() == [5, 3]
    assert ends(graph, EdgeType("Book", "HAS_GENRE", "Genre")) == [(0, 0, 0), (0, 1, 0), (2, 1, 0)]
    assert ends(graph, EdgeType("Movie", "HAS_GENRE", "Genre")) == [(0, 2, 1)]
    assert ends(graph, SAME_USER) == [(1, 3, -1), (2, 4, -1)]
    assert ends(graph, SAME_GENRE) == [(1, 2, -1)]
    assert graph.edges[SAME_USER].properties.to_dict("list") == {"confidence": [1, 1], "method": ["shared_id"] * 2}
    assert len(graph.edges) == 6
    assert (graph.node_count, graph.edge_count) == (14, 13)
    assert graph.persons.tolist() == [0, 1, 2, 1, 2, 3]
    assert graph.connected("Genre").tolist() == [0, 1, 1]
    assert set(graph.facts) == {EdgeType("Book", "HAS_GENRE", "Genre"), EdgeType("Movie", "HAS_GENRE", "Genre")}


def test_the_exact_graph_collapsed(split: Split, links: pd.DataFrame) -> None:
    graph = build_graph(split, links, combine="collapse")
    assert graph.nodes[USER].keys["row"].tolist() == [0, 1, 2, 1, 2, 3]
    assert graph.nodes["Genre"].keys["row"].tolist() == [0, 1, 1]
    assert (graph.nodes[USER].size, graph.nodes["Genre"].size) == (4, 2)
    assert ends(graph, RATED_FILM) == [(2, 1, 1), (3, 1, 1)]
    assert ends(graph, EdgeType("Movie", "HAS_GENRE", "Genre")) == [(0, 1, 1)]
    assert not any(kind.relation == IDENTITY for kind in graph.edges)
    assert graph.nodes[USER].membership.tolist() == [[True, True, True, False], [False, True, True, True]]
    assert graph.persons.tolist() == [0, 1, 2, 3]


def test_the_exact_graph_without_links(split: Split, links: pd.DataFrame) -> None:
    graph = build_graph(split, links, combine="disjoint")
    assert graph.nodes[USER].size == 6
    assert not any(kind.relation == IDENTITY for kind in graph.edges)
    assert graph.equals(replace(build_graph(split, links.head(0)), combination="disjoint"))


def test_ids_become_rows_and_unknown_ids_do_not(split: Split, links: pd.DataFrame) -> None:
    graph = build_graph(split, links)
    assert graph.user_rows(0, ["cem", "dee", "ann"]).tolist() == [2, -1, 0]
    assert graph.user_rows(1, ["cem", "dee", "ann"]).tolist() == [4, 5, -1]
    assert graph.item_rows(1, ["f2", "b1"]).tolist() == [1, -1]
    assert graph.domain_code("films") == 1
    assert graph.interactions(1).head.tolist() == [4, 5]


def test_domains_of_one_item_type_keep_their_items_apart() -> None:
    books, music = domain_of("a", "Product", {"u": "1 2", "v": "1"}), domain_of("b", "Product", {"u": "1", "v": "2"})
    split = FixedFiles().split(pair_of(books, music, test={"b": {"u": "1"}}))
    graph = build_graph(split, propose_links(split, ["shared_id"]))
    assert graph.nodes["Product"].keys[["domain", "id"]].to_numpy().tolist() == [[0, "1"], [0, "2"], [1, "1"], [1, "2"]]
    assert ends(graph, EdgeType(USER, INTERACTION, "Product")) == [(0, 0, 0), (0, 1, 0), (1, 0, 0), (3, 3, 1)]
    assert (len(graph.interactions(0)), len(graph.interactions(1))) == (3, 1)


def test_tensors_hold_the_same_graph(split: Split, links: pd.DataFrame) -> None:
    graph = build_graph(split, links)
    tensors = GraphTensors.of(graph)
    assert tensors.node_counts == {"User": 6, "Book": 3, "Movie": 2, "Genre": 3}
    assert {kind: tensors.popularity[kind].tolist() for kind in tensors.popularity} == {
        "Book": [2, 2, 0],
        "Movie": [0, 2],
    }
    # dee is one of two training users of f2: 1 / sqrt(1 * 2).
    assert tensors.weights[RATED_FILM].weight.tolist() == pytest.approx([0.5**0.5] * 2)
    assert tensors.overlapping_persons.tolist() == [2]
    assert tensors.person_count == 4
    held = tensors.with_masks({RATED_FILM: tensors.masks[RATED_FILM] * 0})
    assert held.weights[RATED_FILM].weight.tolist() == [0, 0]
    assert held.weights[RATED_BOOK] is tensors.weights[RATED_BOOK]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target_id": "ann"}, 'link table, row 0: target_id "ann" is no User of the target domain; drop the row'),
        ({"source_id": "dee"}, 'link table, row 0: source_id "dee" is no User of the source domain'),
        (
            {"node_type": "Person"},
            "links name nodes of type Person, which neither domain has; known: User, Book, Movie, Genre",
        ),
        ({"confidence": 7}, 'links: table links, column "confidence", row 0: value 7 lies outside 0 to 1'),
    ],
)
def test_links_to_what_does_not_exist_are_refused(
    split: Split, links: pd.DataFrame, change: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        build_graph(split, links.head(1).assign(**change))


def test_an_unknown_combination_is_named_with_the_nearest(split: Split, links: pd.DataFrame) -> None:
    with pytest.raises(InputError, match='unknown combination "colapse"; did you mean "collapse"?'):
        build_graph(split, links, combine="colapse")


USERS, ITEMS = ["u0", "u1", "u2", "u3"], ["i0", "i1", "i2"]
ROLES = st.sampled_from(["absent", "train", "held first", "held second", "held in both"])
CELLS = st.lists(ROLES, min_size=24, max_size=24)
"""What becomes of every (domain, user, item): the split is a pure function of it."""


def split_of_cells(cells: list[str], held: str, holds_in: str) -> Split:
    """Two domains; cells called `held` or "held in both" are held out ("both": every second user for validation)."""
    domains: list[DomainTables] = []
    test: dict[str, Likes] = {}
    valid: dict[str, Likes] = {}
    for code, (name, kind) in enumerate((("one", "Book"), ("two", "Movie"))):
        table = np.array(cells[code * 12 : code * 12 + 12], dtype=object).reshape(4, 3)
        table[0, 0] = table[1, 1] = "train"
        table[2, 2] = "held in both"
        held_out = likes_of(table, held, "held in both")
        likes = likes_of(table, "train", held, "held in both")
        domains.append(domain_of(name, kind, likes, users=USERS, items=ITEMS, genres={"i0": "g", "i1": "h"}))
        tested = USERS if holds_in == "test" else USERS[::2]
        test[name] = {user: items for user, items in held_out.items() if user in tested}
        valid[name] = {user: items for user, items in held_out.items() if user not in tested}
    return FixedFiles().split(pair_of(domains[0], domains[1], test=test, valid=valid))


def likes_of(table: np.ndarray, *roles: str) -> Likes:
    return {
        user: " ".join(item for item, role in zip(ITEMS, row, strict=True) if role in roles)
        for user, row in zip(USERS, table, strict=True)
    }


@settings(max_examples=8)
@given(CELLS, st.sampled_from(["test", "both"]), st.sampled_from(sorted(COMBINATIONS)))
def test_no_held_out_row_is_in_any_form_of_the_graph(cells: list[str], holds_in: str, combine: str) -> None:
    split = split_of_cells(cells, "held first", holds_in)
    graph = build_graph(split, propose_links(split, ["shared_id", "shared_entity"]), combine)

    def label(domain: str, kind: str, identifier: str) -> str:
        collapsed = combine == "collapse" and kind == "User"
        return f"{kind}:{'one' if collapsed else domain}/{identifier}"

    def pairs(table: pd.DataFrame) -> list[tuple[str, str]]:
        kinds = {"one": "Book", "two": "Movie"}
        return sorted(
            (label(row.domain, "User", row.user_id), label(row.domain, kinds[row.domain], row.item_id))
            for row in table.itertuples()
        )

    allowed, held = pairs(split.train), pairs(pd.concat([split.valid, split.test]))
    assert not set(allowed) & set(held)
    triples = graph.triples()
    users_and_items = triples[
        triples["head"].str.startswith("User:") & ~triples["tail"].str.startswith("User:")
        | triples["tail"].str.startswith("User:") & ~triples["head"].str.startswith("User:")
    ]
    assert sorted(zip(users_and_items["head"], users_and_items["tail"], strict=True)) == allowed
    network: networkx.MultiDiGraph = graph.to_networkx()
    assert not any(network.has_edge(*pair) or network.has_edge(*reversed(pair)) for pair in held)
    rows = {
        kind: dict(zip(v.keys["domain"].astype(str) + v.keys["id"], v.keys["row"], strict=True))
        for kind, v in graph.nodes.items()
    }
    data = graph.to_hetero_data()
    for code, (name, kind) in enumerate((("one", "Book"), ("two", "Movie"))):
        expected = sorted(
            [rows["User"][f"{code}{row.user_id}"], rows[kind][f"{code}{row.item_id}"]]
            for row in split.train.itertuples()
            if row.domain == name
        )
        assert sorted(data["User", "RATED", kind].edge_index.T.tolist()) == expected
        assert len(expected) == len(graph.interactions(code))


@pytest.mark.slow
@settings(max_examples=8)
@given(CELLS, st.sampled_from(["test", "both"]), st.sampled_from(sorted(COMBINATIONS)))
def test_other_held_out_rows_give_the_same_links_and_the_same_graph(
    cells: list[str], holds_in: str, combine: str
) -> None:
    first, second = (split_of_cells(cells, held, holds_in) for held in ("held first", "held second"))
    bridges = ["shared_id", "shared_entity", "same_name"]
    links = [propose_links(split, bridges) for split in (first, second)]
    pd.testing.assert_frame_equal(*links)
    assert build_graph(first, links[0], combine).equals(build_graph(second, links[1], combine))


def test_facts_outside_the_schema_are_refused(split: Split, links: pd.DataFrame) -> None:
    row = {"head_id": ["f1"], "head_type": "Movie", "relation": "HAS_GENER", "tail_id": ["x"], "tail_type": "Genre"}
    films = replace(split.dataset.target, facts=pd.DataFrame(row))
    broken = replace(split, dataset=replace(split.dataset, target=films))
    with pytest.raises(InputError, match='domain "films": table facts, row 0: unknown relation "HAS_GENER"'):
        build_graph(broken, links.head(0))


@pytest.mark.parametrize(
    ("item_type", "said", "other", "message"),
    [
        (
            "Movie",
            "head",
            "Item",
            'domain "films": table facts, row 1: head_type of item "f2" is Item, but the domain\'s item_type is Movie; '
            'write Movie there, or make the domain with item_type="Item"',
        ),
        ("Item", "head", "Movie", 'head_type of item "f2" is Movie, but the domain\'s item_type is Item; write Item'),
        ("Movie", "tail", "Item", 'tail_type of item "f2" is Item, but the domain\'s item_type is Movie; write Movie'),
    ],
)
def test_facts_that_call_an_item_by_a_kindred_type_are_refused(
    item_type: str, said: str, other: str, message: str
) -> None:
    known = {"head_id": "f1", "head_type": item_type, "relation": "SIMILAR_TO", "tail_id": "f1", "tail_type": item_type}
    row = known | {f"{said}_id": "f2", f"{said}_type": other}
    films = domain_of("films", item_type, {"u": "f1 f2", "v": "f1"}, facts=pd.DataFrame([known, row]))
    books = domain_of("books", "Book", {"u": "b1", "v": "b1"})
    split = FixedFiles().split(pair_of(books, films, test={"films": {"u": "f1"}}))
    with pytest.raises(InputError, match=re.escape(message)):
        build_graph(split, LINKS.empty())


def test_a_kindred_type_is_welcome_where_the_fact_is_not_about_an_item_of_the_domain() -> None:
    row = {"head_id": "f1", "head_type": "Movie", "relation": "SIMILAR_TO", "tail_id": "elsewhere", "tail_type": "Item"}
    films = domain_of("films", "Movie", {"u": "f1 f2", "v": "f1"}, facts=pd.DataFrame([row]))
    books = domain_of("books", "Book", {"u": "b1", "v": "b1"})
    split = FixedFiles().split(pair_of(books, films, test={"films": {"u": "f1"}}))
    assert build_graph(split, LINKS.empty()).nodes["Item"].size == 1


def test_a_graph_of_interactions_alone_needs_no_facts_and_no_links() -> None:
    split = split_of_cells(["absent"] * 24, "held first", "test")
    plain = [replace(domain, facts=FACTS.empty()) for domain in split.dataset.domains]
    bare = replace(split, dataset=replace(split.dataset, source=plain[0], target=plain[1]))
    graph = build_graph(bare, LINKS.empty())
    assert list(graph.edges) == [RATED_BOOK, RATED_FILM]
    assert graph.facts == {}
    assert repr(graph) == (
        "KnowledgeGraph(one -> two; nodes: User 8, Book 3, Movie 3; edges: RATED 2, RATED 2; same_as_edges)"
    )
