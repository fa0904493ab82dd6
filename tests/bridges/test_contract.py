"""What every bridge of the registry must keep, on random worlds; a new one is tested without a line being added.

Two splits agree in everything but their validation and test rows. Whatever a bridge proposes, and the graph that is
built from it, must be the same for both.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_schema import InputError
from graph_schema.tables import IDENTITY, LIKENESS
from kgxfer.bridges import BRIDGES, Bridge, TextNeighbours
from kgxfer.bridges.links import link_table
from kgxfer.evaluation.leakage import check_leakage
from kgxfer.features import NodeVectors
from kgxfer.graph import INTERACTION, build_graph
from kgxfer.splits import FixedFiles, Split
from loaders import DomainTables, pair

USERS, ITEMS = 12, 7
TYPES = {"one item type": ("Product", "Product"), "two item types": ("Book", "Movie")}
NAMES = ["Moby-Dick", "Rocky II", "Rocky III", "Dune", "The Trial", "Emma", "Ran"]

every_bridge = pytest.mark.parametrize("name", list(BRIDGES))
worlds, types = st.integers(0, 2**20), st.sampled_from(sorted(TYPES))


class Part(NamedTuple):
    """Training cells and two draws of held-out ones, bool [users, items], of one domain."""

    train: np.ndarray
    held: tuple[np.ndarray, np.ndarray]


def part_at_random(generator: np.random.Generator) -> Part:
    """Item 0 is what users 0 and 1 take, so that every bridge finds something."""
    train = generator.random((USERS, ITEMS)) < 0.3
    train[:, 0] = np.arange(USERS) < 2
    free = ~train
    free[:2] = False
    held = [free & (generator.random((USERS, ITEMS)) < 0.4) for _ in range(2)]
    held[0][2, 0] = held[1][3, 0] = True
    return Part(train, (held[0], held[1]))


def rows_of(cells: np.ndarray, generator: np.random.Generator) -> pd.DataFrame:
    user, item = np.nonzero(cells)
    frame = pd.DataFrame({"user_id": user, "item_id": item}).astype("str").radd({"user_id": "u", "item_id": "i"})
    return frame.assign(rating=generator.integers(1, 6, len(frame)).astype(float))


@cache
def splits_of(data: int, kinds: tuple[str, str]) -> tuple[Split, Split]:
    """Two splits of equal tables of users, items and facts and of equal training rows."""
    generator = np.random.default_rng(data)
    parts = [part_at_random(generator) for _ in kinds]
    trains = [rows_of(part.train, generator) for part in parts]
    items = pd.DataFrame({"item_id": [f"i{number}" for number in range(ITEMS)], "name": NAMES})
    users = pd.DataFrame({"user_id": [f"u{number}" for number in range(USERS)]})
    made = []
    for draw in (0, 1):
        domains, fixed = [], []
        for name, kind, part, train in zip(("one", "two"), kinds, parts, trains, strict=True):
            held = rows_of(part.held[draw], generator)
            facts = pd.DataFrame({"head_id": items["item_id"], "head_type": kind, "relation": "HAS_GENRE"})
            facts = facts.assign(tail_id=[f"g{number % 3}" for number in range(ITEMS)], tail_type="Genre")
            rows = pd.concat([train, held], ignore_index=True)
            domains.append(DomainTables.from_frames(name, rows, item_type=kind, users=users, items=items, facts=facts))
            fixed.append(held[["user_id", "item_id"]].assign(domain=name))
        table = pd.concat(fixed, ignore_index=True)[["domain", "user_id", "item_id"]]
        parts_given = {"test": table.iloc[::2], "valid": table.iloc[1::2]}
        made.append(FixedFiles().split(pair("world", *domains, positive_from=2.0, fixed=parts_given)))
    return made[0], made[1]


def bridge_of(name: str) -> Bridge:
    """With vectors as values, since an encoder would read the same names a hundred times."""
    if name != "text_neighbours":
        return BRIDGES[name]()
    values = np.eye(ITEMS, dtype=np.float32)
    vectors = NodeVectors(pd.Index([f"i{number}" for number in range(ITEMS)], dtype="str"), values)
    return TextNeighbours(vectors=(vectors, vectors))


def proposed(bridge: Bridge, split: Split) -> pd.DataFrame:
    try:
        return bridge.links(split)
    except InputError as error:
        assert "only items of one type can be the same thing" in str(error)
        return link_table([], [], "Item", 1.0, "", "").astype({"source_id": "str", "target_id": "str"})


@every_bridge
@settings(max_examples=4)
@given(worlds, types, st.sampled_from(["same_as_edges", "collapse"]))
def test_neither_links_nor_graph_know_the_held_out_rows(name: str, data: int, kinds: str, combine: str) -> None:
    first, second = splits_of(data, TYPES[kinds])
    pd.testing.assert_frame_equal(first.train, second.train)
    assert not first.test.equals(second.test) and not first.valid.equals(second.valid)
    links, others = (proposed(bridge_of(name), split) for split in (first, second))
    pd.testing.assert_frame_equal(links, others)
    assert len(links) or name == "behaviour_twins"
    graph = build_graph(first, links, combine)
    assert graph.equals(build_graph(second, others, combine))
    rated = [len(edges) for kind, edges in graph.edges.items() if kind.relation == INTERACTION]
    assert sum(rated) == first.train["relevant"].sum()
    assert not [str(found) for found in check_leakage(first, graph, links) if found.severity == "error"]


@every_bridge
@settings(max_examples=4)
@given(worlds)
def test_items_of_two_types_are_alike_and_never_the_same(name: str, data: int) -> None:
    split = splits_of(data, TYPES["two item types"])[0]
    links = proposed(bridge_of(name), split)
    of_items = links[~links["node_type"].isin(["User", "Genre"])]
    assert set(of_items["relation"]) <= {LIKENESS}
    graph = build_graph(split, links, "collapse")
    assert (graph.nodes["Book"].size, graph.nodes["Movie"].size) == (ITEMS, ITEMS)
    assert not [kind for kind in graph.edges if kind.relation == IDENTITY]


class ReadsEverything:
    """What the contract is there to refuse: pairs of items that the same person takes, over all rows."""

    def links(self, split: Split) -> pd.DataFrame:
        source, target = (domain.interactions for domain in split.dataset.domains)
        pairs = source.merge(target, on="user_id", suffixes=("_source", "_target"))
        pairs = pairs.drop_duplicates(["item_id_source", "item_id_target"])
        return link_table(pairs["item_id_source"], pairs["item_id_target"], "Item", 0.5, "all", "", LIKENESS)


def test_the_contract_tells_a_bridge_that_reads_held_out_rows() -> None:
    first, second = (set(map(tuple, ReadsEverything().links(split)[["source_id", "target_id"]].to_numpy()))
                     for split in splits_of(0, TYPES["two item types"]))
    assert first != second
