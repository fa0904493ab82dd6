from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import loaders
from graph_schema import InputError
from kgxfer.bridges import propose_links
from kgxfer.graph import build_graph
from kgxfer.splits import FixedFiles
from loaders import CrossDomainDataset
from loaders.download import locate, read_content
from loaders.public import xmrec
from loaders.registry import root_folder

Load = Callable[[str], CrossDomainDataset]

HEADER = b"userId\titemId\trating\n"
CONTENTS = {
    "s2_train_5core.tsv": HEADER + b"s2U1\tP1\t1.0\ns2U1\tP2\t1.0\ns2U1\tP1\t1.0\ns2U2\tP1\t1.0\n",
    "s2_valid_qrel.tsv": HEADER + b"s2U2\tP3\t1\n",
    "t1_train_5core.tsv": HEADER + b"t1U1\tP2\t1.0\nt1U1\tP9\t1.0\nt1U2\tP2\t1.0\n",
    "t1_valid_qrel.tsv": HEADER + b"t1U2\tP3\t1\n",
    "s2_train.tsv": HEADER + b"s2U1\tP1\t4.0\ns2U1\tP1\t2.0\ns2U2\tP2\t1.0\n",
    "t1_train.tsv": HEADER + b"t1U1\tP2\t5.0\nt1U3\tP9\t3.0\n",
}


def small(ratings: str = "5core") -> CrossDomainDataset:
    card = replace(xmrec.card_of("s2", "t1", ratings), counts={})
    return xmrec.parse(CONTENTS, "s2", "t1", ratings, card)


def test_items_of_one_id_are_linked_and_held_out_rows_are_test_rows() -> None:
    dataset = small()
    assert dataset.overlapping_users.empty
    assert dataset.source.items["item_id"].tolist() == ["P1", "P2", "P3"]
    assert dataset.source.interactions.to_numpy().tolist() == [
        ["s2U1", "P1"], ["s2U1", "P2"], ["s2U2", "P1"], ["s2U2", "P3"],
    ]  # fmt: skip
    assert dataset.links[["source_id", "target_id", "node_type", "method"]].to_numpy().tolist() == [
        ["P2", "P2", "Product", "given"], ["P3", "P3", "Product", "given"],
    ]  # fmt: skip
    assert dataset.fixed["test"].to_numpy().tolist() == [["s2", "s2U2", "P3"], ["t1", "t1U2", "P3"]]


@pytest.mark.parametrize(("combine", "products", "same"), [("collapse", 4, 0), ("same_as_edges", 6, 2)])
def test_the_graph_joins_shared_items(combine: str, products: int, same: int) -> None:
    split = FixedFiles().split(small())
    graph = build_graph(split, propose_links(split, ["shared_id", "shared_entity"]), combine)
    nodes = graph.nodes["Product"]
    assert nodes.size == products
    joined = nodes.rows(0, ["P2", "P3"]) == nodes.rows(1, ["P2", "P3"])
    assert joined.tolist() == [combine == "collapse"] * 2
    assert sum(len(edges) for kind, edges in graph.edges.items() if kind.relation == "SAME_AS") == same


def test_raw_ratings_keep_the_first_of_repeated_rows_and_hold_nothing_out() -> None:
    dataset = small("raw")
    assert dataset.source.interactions.to_numpy().tolist() == [["s2U1", "P1", 4.0], ["s2U2", "P2", 1.0]]
    assert dataset.fixed == {}
    assert dataset.links["source_id"].tolist() == ["P2"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": "s4"}, 'unknown value of option source of data set "xmrec" "s4"'),
        ({"target": "s1"}, 'data set "xmrec": source and target are both "s1"; choose two markets'),
        ({"ratings": "raw"}, 'market "s1" has no raw ratings; choose another market or ratings="5core"'),
        ({"ratings": "rw"}, 'did you mean "raw"?'),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        loaders.load("xmrec", **options)
    assert message in str(caught.value)
    with pytest.raises(InputError, match="choices: t1, s3"):
        xmrec.official_candidates(Path(), "s1")


STATED = {
    "s1": (6_466, 9_762, 77_173, None),
    "s2": (7_109, 2_198, 48_302, 115_549),
    "s3": (3_328, 1_245, 23_367, 54_202),
    "t1": (2_697, 1_357, 19_615, 60_168),
    "t2": (5_482, 2_917, 41_226, 120_320),
}
STATED_SHARED = {"t1-s1": 1_652, "t1-s2": 2_668, "t1-s3": 2_030, "t2-s1": 4_251, "t2-s2": 2_754, "t2-s3": 1_816}


def rows_of(name: str) -> pd.DataFrame:
    file = next(file for file in xmrec.FILES if file.file == name)
    return xmrec._rows(read_content(locate(root_folder(), file), file.sha256))


@pytest.mark.real_data
def test_the_files_have_the_stated_counts(loaded: Load) -> None:
    loaded("xmrec")
    for market, (users, items, interactions, ratings) in STATED.items():
        core = rows_of(f"{market}_train_5core.tsv")
        assert (core["user_id"].nunique(), core["item_id"].nunique(), len(core)) == (users, items, interactions)
        assert len(rows_of(f"{market}_valid_qrel.tsv")) == users
        assert ratings is None or len(rows_of(f"{market}_train.tsv")) == ratings
    parts = {market: ["train_5core", *(["train"] if market != "s1" else [])] for market in STATED}
    all_items = {
        market: set(pd.concat([rows_of(f"{market}_{part}.tsv") for part in names])["item_id"])
        for market, names in parts.items()
    }
    shared = {pair: len(all_items[pair[:2]] & all_items[pair[3:]]) for pair in STATED_SHARED}
    assert shared == STATED_SHARED


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("ratings", xmrec.RATINGS)
def test_every_pair_of_markets_loads_with_the_counts_of_its_card(ratings: str, loaded: Load) -> None:
    loaded("xmrec")
    markets = [market for market in xmrec.MARKETS if ratings == "5core" or market != "s1"]
    for place, market in enumerate(markets):
        other = markets[place - 1]
        dataset = loaders.load("xmrec", source=market, target=other, ratings=ratings)
        assert dataset.target.card.counts[f"{market}.users"] == len(dataset.source.users)


@pytest.mark.real_data
def test_the_held_out_item_is_among_the_official_candidates(loaded: Load) -> None:
    test = loaded("xmrec").fixed["test"]
    candidates = xmrec.official_candidates(root_folder(), "t1")
    assert candidates["user_id"].nunique() == 2_697
    assert candidates.groupby("user_id").size().eq(100).all()
    assert len(test.merge(candidates)) == (test["domain"] == "t1").sum() == 2_697
    split = FixedFiles(choose_on="training_rows").split(loaded("xmrec"))
    assert split.evaluated_domains == ["s1", "t1"]
