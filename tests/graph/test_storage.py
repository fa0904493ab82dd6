from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from graph_schema import SCHEMA, EdgeType, InputError, NodeType, Property, Relation
from kgxfer.bridges import propose_links
from kgxfer.graph import COMBINATIONS, KnowledgeGraph, build_graph
from kgxfer.splits import FixedFiles
from tests.worlds import domain_of, pair_of

ODD = {"b1": 'He said "no"', "b2": "two\nlines\tand a \\ backslash", "b3": "🦊 été 图书", "b4": ""}
OWN_SCHEMA = SCHEMA.extend(
    [
        NodeType(
            "Dish/Recipe", {"en": 'a "dish"', "zh": "菜"}, "Item", (Property("time", "float", "minute", many=True),)
        ),
        NodeType("Taste", parent="Entity", comment="one\nor two lines"),
    ],
    [Relation("TASTES", "Dish/Recipe", "Taste", {"en": "tastes"}, (Property("how much", "integer"),), symmetric=True)],
)


def odd_graph(combine: str = "same_as_edges") -> KnowledgeGraph:
    """Everything that storage could lose: odd names and ids, missing names, times, ratings, an own schema."""
    facts = pd.DataFrame(
        {
            "head_id": ["b1", "b2"],
            "head_type": "Dish/Recipe",
            "relation": "TASTES",
            "tail_id": ["süß", 'a"b'],
            "tail_type": "Taste",
            "tail_name": [None, "'quoted'"],
        }
    )
    dishes = domain_of(
        "dishes 🍜", "Dish/Recipe", {"ann": "b1:5 b2:4.5", "bob\n": "b3:1"}, items=["b4", "b5"], names=ODD, facts=facts
    )
    rows = dishes.interactions.assign(timestamp=[0, 1_700_000_000, 5])
    films = domain_of("films", "Movie", {"ann": "f1", "cem": "f1 f2"})
    taste = facts.tail(1).assign(head_id="f1", head_type="Movie", relation="HAS_KEYWORD", tail_type="Keyword")
    dataset = pair_of(
        replace(dishes, interactions=rows),
        replace(films, facts=taste),
        test={"films": {"ann": "f1"}},
        schema=OWN_SCHEMA,
    )
    split = FixedFiles().split(dataset)
    return build_graph(split, propose_links(split, ["shared_id"]), combine)


@pytest.mark.parametrize("combine", COMBINATIONS)
def test_a_graph_comes_back_exactly(tmp_path: Path, combine: str) -> None:
    graph = odd_graph(combine)
    graph.save(tmp_path / "graph")
    again = KnowledgeGraph.load(tmp_path / "graph")
    assert again.equals(graph)
    assert again.schema == OWN_SCHEMA
    assert again.schema.edge_type("Dish/Recipe", "TASTES", "Taste") == ("Dish/Recipe", "TASTES", "Taste")
    assert (again.domain_names, again.item_types, again.combination) == (
        ("dishes 🍜", "films"),
        ("Dish/Recipe", "Movie"),
        combine,
    )
    assert list(again.nodes["Dish/Recipe"].keys["name"][:4]) == list(ODD.values())
    for kind in graph.nodes:
        pd.testing.assert_frame_equal(again.nodes[kind].keys, graph.nodes[kind].keys)
    for edge_type, table in graph.edges.items():
        found = again.edges[edge_type]
        pd.testing.assert_frame_equal(found.properties, table.properties, check_column_type=False)
        assert [found.head.dtype, found.domain.dtype] == [np.int64, np.int8]
    pd.testing.assert_frame_equal(again.triples(), graph.triples())


def with_nodes(graph: KnowledgeGraph, kind: str, **columns: object) -> KnowledgeGraph:
    keys = graph.nodes[kind].keys.assign(**columns)
    return replace(graph, nodes=graph.nodes | {kind: replace(graph.nodes[kind], keys=keys)})


def with_edges(graph: KnowledgeGraph, kind: EdgeType, **parts: Any) -> KnowledgeGraph:
    return replace(graph, edges=graph.edges | {kind: replace(graph.edges[kind], **parts)})


RATED = EdgeType("User", "RATED", "Dish/Recipe")
CHANGES: dict[str, Callable[[KnowledgeGraph], KnowledgeGraph]] = {
    "a name": lambda graph: with_nodes(graph, "Movie", name=["x", None]),
    "an id": lambda graph: with_nodes(graph, "Movie", id=["f1", "f3"]),
    "the order of edges": lambda graph: with_edges(graph, RATED, head=graph.edges[RATED].head[::-1]),
    "a domain": lambda graph: with_edges(graph, RATED, domain=1 - graph.edges[RATED].domain),
    "a rating": lambda graph: with_edges(
        graph, RATED, properties=graph.edges[RATED].properties.assign(rating=[5, 4.5, 2])
    ),
    "a lost type of edges": lambda graph: replace(graph, edges={RATED: graph.edges[RATED]}),
    "the order of types": lambda graph: replace(graph, nodes=dict(reversed(graph.nodes.items()))),
    "the schema": lambda graph: replace(graph, schema=SCHEMA),
    "the domains": lambda graph: replace(graph, domain_names=("a", "b")),
    "the combination": lambda graph: replace(graph, combination="disjoint"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_graphs_that_differ_are_not_equal(what: str) -> None:
    graph = odd_graph()
    assert graph.equals(odd_graph())
    assert not CHANGES[what](graph).equals(graph)


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=re.escape(f'"{tmp_path}" exists already; give another folder or remove it')):
        odd_graph().save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_full_disk_says_so_and_keeps_nothing(small_disk: Path) -> None:
    with pytest.raises(InputError) as caught:
        odd_graph().save(small_disk / "deep" / "graph")
    assert str(caught.value) == (
        f'no space left while writing "{small_disk}/deep/graph"; free some or choose another folder'
    )
    assert [path for path in small_disk.rglob("*") if path.is_file()] == []
    assert list((small_disk / "deep").iterdir()) == []


def test_a_place_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r'may not write ".*file/graph" \(File exists\); choose another folder'):
        odd_graph().save(tmp_path / "file" / "graph")


def test_a_folder_without_a_graph_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"holds no saved graph \(no graph.json\); give the folder that save\(\) wrote"
    ):
        KnowledgeGraph.load(tmp_path)


def test_another_format_is_named(tmp_path: Path) -> None:
    odd_graph().save(tmp_path / "graph")
    path = tmp_path / "graph" / "graph.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    with pytest.raises(InputError, match="has format 99, this version reads 1; build the graph again"):
        KnowledgeGraph.load(tmp_path / "graph")


@pytest.mark.parametrize("damage", ["lost", "cut off", "no JSON"])
def test_a_damaged_graph_is_named(tmp_path: Path, damage: str) -> None:
    odd_graph().save(tmp_path / "graph")
    parquet = sorted((tmp_path / "graph").glob("*.parquet"))[-1]
    if damage == "lost":
        parquet.unlink()
    elif damage == "cut off":
        parquet.write_bytes(parquet.read_bytes()[:-30])
    else:
        (tmp_path / "graph" / "graph.json").write_text("{")
    with pytest.raises(InputError) as caught:
        KnowledgeGraph.load(tmp_path / "graph")
    assert str(caught.value).startswith(f'the graph in "{tmp_path}/graph" is damaged (')
    assert str(caught.value).endswith("save it again")
    assert "\n" not in str(caught.value)
