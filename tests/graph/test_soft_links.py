from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from graph_schema import LINKS, EdgeType, InputError, validate
from kgxfer.bridges import propose_links
from kgxfer.encoders.relational import Relational, RelationalConfig
from kgxfer.graph import GraphTensors, KnowledgeGraph, build_graph
from kgxfer.splits import FixedFiles, Split
from tests.worlds import domain_of, pair_of

ALIKE = EdgeType("Book", "SIMILAR_TO", "Movie")


@pytest.fixture
def split() -> Split:
    books = domain_of("books", "Book", {"ann": "b1 b2", "bob": "b1"}, genres={"b1": "war"})
    films = domain_of("films", "Movie", {"bob": "f1", "cem": "f2 f1"}, genres={"f1": "war"})
    return FixedFiles().split(pair_of(books, films, test={"films": {"bob": "f1"}}))


def links(*rows: tuple[str, str, str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["source_id", "target_id", "node_type", "relation", "confidence"])
    return validate(frame.assign(method="hand", evidence=""), LINKS)


SOFT = links(("b2", "f1", "Item", "SIMILAR_TO", 0.75), ("war", "war", "Genre", "SAME_AS", 1.0))


@pytest.mark.parametrize("combine", ["same_as_edges", "collapse"])
def test_a_book_and_a_film_are_alike_and_stay_two_nodes(split: Split, combine: str, tmp_path: Path) -> None:
    graph = build_graph(split, SOFT, combine)
    edges = graph.edges[ALIKE]
    assert (edges.head.tolist(), edges.tail.tolist(), edges.domain.tolist()) == ([1], [0], [-1])
    assert edges.properties.to_dict("list") == {"confidence": [0.75], "method": ["hand"]}
    assert (graph.nodes["Book"].size, graph.nodes["Movie"].size) == (2, 2)
    assert graph.nodes["Genre"].size == (1 if combine == "collapse" else 2)
    assert ALIKE in graph.facts
    assert ALIKE in GraphTensors.of(graph).relations
    graph.save(tmp_path / "graph")
    assert KnowledgeGraph.load(tmp_path / "graph").equals(graph)


def test_other_libraries_get_the_relation_and_the_confidence(split: Split) -> None:
    graph = build_graph(split, SOFT)
    book, film = "Book:books/b2", "Movie:films/f1"
    assert (book, "SIMILAR_TO", film) in set(map(tuple, graph.triples().to_numpy()))
    network = graph.to_networkx()
    assert network.edges[book, film, "SIMILAR_TO"] == {"confidence": 0.75}
    assert network.edges["Genre:books/war", "Genre:films/war", "SAME_AS"] == {"confidence": 1.0}
    assert sum("confidence" in said for _, _, said in network.edges(data=True)) == 2
    data = graph.to_hetero_data()
    assert data[tuple(ALIKE)].edge_index.tolist() == [[1], [0]]
    assert data[tuple(ALIKE)].confidence.tolist() == [0.75]
    assert "confidence" not in data["User", "RATED", "Book"]


def test_facts_of_the_relation_of_soft_links_have_no_confidence(tmp_path: Path) -> None:
    alike = pd.DataFrame([("p", "Product", "SIMILAR_TO", "q", "Product")],
                         columns=["head_id", "head_type", "relation", "tail_id", "tail_type"])
    one, two = (domain_of(name, "Product", {"u": "p", "v": "p q"}, facts=alike) for name in ("one", "two"))
    split = FixedFiles().split(pair_of(one, two, test={"two": {"u": "p"}}))
    graph = build_graph(split, links(("p", "q", "Product", "SIMILAR_TO", 0.5)))
    kind = EdgeType("Product", "SIMILAR_TO", "Product")
    assert graph.to_hetero_data()[tuple(kind)].confidence.isnan().tolist() == [True, True, False]
    said = [said for _, _, name, said in graph.to_networkx().edges(keys=True, data=True) if name == "SIMILAR_TO"]
    assert sorted(said, key=len) == [{}, {}, {"confidence": 0.5}]
    graph.save(tmp_path / "graph")
    again = KnowledgeGraph.load(tmp_path / "graph")
    assert again.equals(graph)
    assert again.edges[kind].properties["confidence"].fillna(-1).tolist() == [-1, -1, 0.5]


def test_domains_kept_apart_ignore_soft_links_too(split: Split) -> None:
    assert build_graph(split, SOFT, "disjoint").equals(build_graph(split, SOFT.head(0), "disjoint"))


def test_soft_links_of_one_type_do_not_identify() -> None:
    one, two = (domain_of(name, "Product", {"u": "p", "v": "p q"}) for name in ("one", "two"))
    split = FixedFiles().split(pair_of(one, two, test={"two": {"u": "p"}}))
    graph = build_graph(split, links(("p", "q", "Product", "SIMILAR_TO", 1.0)), "collapse")
    assert graph.nodes["Product"].size == 4
    edges = graph.edges[EdgeType("Product", "SIMILAR_TO", "Product")]
    assert (edges.head.tolist(), edges.tail.tolist()) == ([0], [3])
    assert graph.connected("Product").tolist() == [0, 1, 2, 3]


def test_identity_links_join_the_same_as_facts_of_a_domain() -> None:
    about = pd.DataFrame(
        [("p", "Product", "PRODUCED_BY", "x", "Person"), ("x", "Person", "SAME_AS", "y", "Person")],
        columns=["head_id", "head_type", "relation", "tail_id", "tail_type"],
    )
    one, two = (domain_of(name, "Product", {"u": "p", "v": "p"}, facts=about) for name in ("one", "two"))
    split = FixedFiles().split(pair_of(one, two, test={"two": {"u": "p"}}))
    graph = build_graph(split, links(("x", "x", "Person", "SAME_AS", 1.0)))
    edges = graph.edges[EdgeType("Person", "SAME_AS", "Person")]
    assert list(zip(edges.head, edges.tail, edges.domain, strict=True)) == [(0, 1, 0), (2, 3, 1), (0, 2, -1)]
    assert graph.connected("Person").tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("b9", "f1", "Item", "SIMILAR_TO", 1.0), 'source_id "b9" is no Book of the source domain'),
        (("b1", "f9", "Item", "SIMILAR_TO", 1.0), 'target_id "f9" is no Movie of the target domain'),
        (("b1", "f1", "Item", "SIMLAR_TO", 1.0), 'unknown relation of links "SIMLAR_TO"; did you mean "SIMILAR_TO"?'),
        (("b1", "f1", "Item", "SAME_AS", 1.0), "links name nodes of type Item, which neither domain has"),
        (("x", "y", "Person", "SIMILAR_TO", 1.0), 'source_id "x" is no Person of the source domain'),
    ],
)
def test_wrong_links_are_one_clear_line(split: Split, row: tuple[str, str, str, str, float], message: str) -> None:
    with pytest.raises(InputError) as caught:
        build_graph(split, links(row))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


class Fixed:
    def __init__(self, *rows: tuple[str, str, str, str, float]) -> None:
        self.table = links(*rows)

    def links(self, split: Split) -> pd.DataFrame:
        return self.table


def test_identity_outweighs_likeness_whichever_bridge_comes_first(split: Split) -> None:
    same, soft = ("war", "war", "Genre", "SAME_AS", 0.5), ("war", "war", "Genre", "SIMILAR_TO", 0.9)
    other = ("b1", "f1", "Item", "SIMILAR_TO", 0.9)
    for bridges in ([Fixed(soft, other), Fixed(same)], [Fixed(same), Fixed(other, soft)]):
        found = propose_links(split, bridges)
        assert sorted(zip(found["source_id"], found["relation"], strict=True)) == [
            ("b1", "SIMILAR_TO"), ("war", "SAME_AS")
        ]


def test_links_given_with_the_data_are_identity_unless_they_say_otherwise(split: Split) -> None:
    source, target = split.dataset.domains
    plain = SOFT.iloc[1:].drop(columns="relation")
    fingerprints = [pair_of(source, target, links=table).fingerprint for table in (plain, SOFT.iloc[1:], SOFT)]
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]
    given = pair_of(source, target, test={"films": {"bob": "f1"}}, links=SOFT)
    found = propose_links(FixedFiles().split(given), ["shared_entity"])
    assert found["relation"].tolist() == ["SIMILAR_TO", "SAME_AS"]
    assert found["method"].tolist() == ["hand", "hand"]


def test_given_links_between_items_of_two_types_are_likeness(split: Split) -> None:
    """A table that says nothing of its relation: a type above both means that they are alike."""
    source, target = split.dataset.domains
    given = pair_of(source, target, test={"films": {"bob": "f1"}}, links=SOFT.drop(columns="relation"))
    trained = FixedFiles().split(given)
    found = propose_links(trained, [])
    assert dict(zip(found["node_type"], found["relation"], strict=True)) == {"Item": "SIMILAR_TO", "Genre": "SAME_AS"}
    assert len(build_graph(trained, found).edges[ALIKE]) == 1
    assert propose_links(replace(trained, train_links=pd.DataFrame()), []).empty


def test_the_default_encoder_sends_messages_along_soft_links(split: Split) -> None:
    """Nothing else joins b2 and f2: f2's own vector reaches b2 through the soft link alone."""
    reached = []
    for table in (SOFT.head(0), links(("b2", "f2", "Item", "SIMILAR_TO", 1.0))):
        tensors = GraphTensors.of(build_graph(split, table))
        encoder = Relational(RelationalConfig(dim=4, layers=1), tensors)
        before = encoder(tensors)["Book"].detach().clone()
        with torch.no_grad():
            encoder.tables["Movie"][1] += 1
        reached.append((encoder(tensors)["Book"] - before).abs().sum(1).tolist())
    assert reached[0] == [0, 0]
    assert reached[1][0] == 0 < reached[1][1]
