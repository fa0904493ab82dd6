"""Explanations as people meet them: text, data, picture, query, and what is said where there is no path."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path as FilePath
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from graph_schema import SCHEMA, EdgeType, InputError, NodeType, Relation, Schema
from kgxfer.baselines import ItemKNN
from kgxfer.bridges import propose_links
from kgxfer.bridges.links import link_table
from kgxfer.explain import Explainer, Explanation, Node, Path, Step, explain
from kgxfer.explain.text import PHRASES, plain, sentence
from kgxfer.graph import GraphTensors, KnowledgeGraph, build_graph
from kgxfer.recommender import Catalogue, RankingModel, Recommender
from kgxfer.recommender_store import load_recommender, save_recommender
from kgxfer.splits import FixedFiles, Split
from kgxfer.stores.ladybug import LadybugStore
from kgxfer.training.freeze import freeze
from tests.networks import network_of
from tests.worlds import domain_of, pair_of

if TYPE_CHECKING:
    from kgxfer.stores.neo4j import Neo4jStore

ODD = 'He said "no"\n<b>`x`</b> & \u202eback\u202c \u05d0\u05d1'
ODD_ID = "b\"3'`\\"
BOOKS = {"b1": "The Firm", "b2": "A Time to Kill", ODD_ID: ODD, "b4": None}
FILMS = {"f1": "A Time to Kill", "f2": "Heat", "f3": "Heat", "f4": "Ran"}


class Marks(RankingModel):
    """Scores that are the places of the items."""

    def score_places(self, domain: int, places: np.ndarray) -> np.ndarray:
        count = len(self.catalogue.items[domain])
        return np.tile(np.arange(count, dtype=np.float32), (len(places), 1))


def world(schema: Schema = SCHEMA, relation: str = "AUTHORED_BY", tail: str = "Person") -> tuple[Split, KnowledgeGraph]:
    """Ann read The Firm, whose author also wrote the book of the film f1; Bob read The Firm and saw f2; Cem sees f4."""
    facts = pd.DataFrame(
        {
            "head_id": ["b1", "b2"], "head_type": "Book", "relation": relation, "tail_id": "p1", "tail_type": tail,
            "tail_name": "John Grisham",
        }
    )  # fmt: skip
    read = {"ann": "b1", "bob": f"b1 {ODD_ID}"}
    books = domain_of("books", "Book", read, items=list(BOOKS), names=BOOKS, facts=facts)
    films = domain_of("films", "Movie", {"bob": "f2", "cem": "f4"}, items=list(FILMS), users=["dan"], names=FILMS)
    split = FixedFiles().split(pair_of(books, films, test={"films": {"cem": "f4"}}, schema=schema))
    alike = link_table(["b2"], ["f1"], "Item", 0.9, "hand", "", "SIMILAR_TO")
    return split, build_graph(split, pd.concat([propose_links(split, ["shared_id"]), alike], ignore_index=True))


@pytest.fixture(scope="module")
def plainly() -> Explainer:
    split, graph = world()
    return Explainer(Marks(Catalogue.of(split)), graph)


def test_a_path_through_facts_is_told_in_a_sentence(plainly: Explainer) -> None:
    told = plainly.explain("ann", "f1")
    assert told.text.split("\n") == [
        "A Time to Kill (film) for user ann, score 0:",
        "- You liked The Firm, written by John Grisham, who also wrote A Time to Kill, much like the film "
        "A Time to Kill.",
    ]
    assert str(told) == told.text and told.paths[0].through == "facts"
    table = told.table()
    assert table["head"].tolist() == ["User:books/ann", "Book:books/b1", "Book:books/b2", "Book:books/b2"]
    assert table["relation"].tolist() == ["RATED", "AUTHORED_BY", "AUTHORED_BY", "SIMILAR_TO"]
    assert table["tail"].tolist() == ["Book:books/b1", "Person:books/p1", "Person:books/p1", "Movie:films/f1"]
    assert table["step"].tolist() == [1, 2, 3, 4]
    nodes, edges = told.graph()
    assert nodes["key"].tolist() == [
        "User:books/ann", "Book:books/b1", "Person:books/p1", "Book:books/b2", "Movie:films/f1",
    ]  # fmt: skip
    assert len(edges) == 4 and list(edges) == ["head", "relation", "tail"]


def test_a_path_through_people_names_nobody(plainly: Explainer) -> None:
    told = plainly.explain("ann", "f2")
    assert told.text.split("\n")[1:] == ["- You liked The Firm, liked by someone else, who also liked the film Heat."]
    assert told.paths[0].through == "people"
    assert [node.key for node in told.paths[0].nodes] == [
        "User:books/ann", "Book:books/b1", "User:books/bob", "User:films/bob", "Movie:films/f2",
    ]  # fmt: skip
    assert "bob" not in told.text and "bob" not in _visible(told.svg())


def test_what_leads_nowhere_says_so(plainly: Explainer) -> None:
    assert plainly.explain("ann", "f4").text == (
        "Ran (film) for user ann, score 3: no path of at most 3 hops leads to it from what the user took"
    )
    assert plainly.explain("dan", "f4").text.endswith("no path, since the graph knows nothing that the user took")
    told = plainly.explain("ann", "f4")
    assert told.paths == () and told.table().empty and told.graph()[0].empty
    with pytest.raises(InputError, match=r"path 1 of this explanation: no path of at most 3 hops"):
        told.cypher("neo4j")
    short = Explainer(plainly.recommender, plainly.graph, hops=2)
    assert not short.explain("ann", "f1").paths and short.explain("ann", "f2").paths


def test_only_facts_or_only_people(plainly: Explainer) -> None:
    for through, item, other in (("facts", "f1", "f2"), ("people", "f2", "f1")):
        some = Explainer(plainly.recommender, plainly.graph, through=through)
        assert [path.through for path in some.explain("ann", item).paths] == [through]
        assert f"from what the user took through {'facts' if through == 'facts' else 'other'}" in (
            some.explain("ann", other).missing
        )


def test_one_is_found_by_name_or_id_and_the_nearest_is_named(plainly: Explainer) -> None:
    catalogue, graph = plainly.recommender, plainly.graph
    assert explain(catalogue, graph, "ann", "Ran").item.id == "f4"
    assert explain(catalogue, graph, "bob", "The Firm").domain == "books"
    with pytest.raises(InputError, match=r'2 items are called "Heat"; give one of their ids: "f2", "f3"'):
        explain(catalogue, graph, "ann", "Heat")
    with pytest.raises(InputError, match=r'unknown user "anne"; did you mean "ann"\?'):
        explain(catalogue, graph, "anne", "f1")
    with pytest.raises(InputError, match=r'unknown item "A Time to Kil"; did you mean "A Time to Kill"\?'):
        explain(catalogue, graph, "ann", "A Time to Kil")
    with pytest.raises(InputError, match=r'unknown item "The Firm"'):
        explain(catalogue, graph, "ann", "The Firm", domain="films")
    with pytest.raises(InputError, match=r'unknown domain "film"; did you mean "films"\?'):
        explain(catalogue, graph, "ann", "f1", domain="film")
    with pytest.raises(InputError, match="n is 0; ask for at least one path"):
        explain(catalogue, graph, "ann", "f1", 0)
    with pytest.raises(InputError, match=r"explain, key hops: input should be less than or equal to 4"):
        explain(catalogue, graph, "ann", "f1", hops=9)
    with pytest.raises(InputError, match="has no column item_id"):
        plainly.explain_all(pd.DataFrame({"user_id": ["ann"]}))


def test_many_at_once_are_those_one_by_one(plainly: Explainer) -> None:
    users = plainly.recommender.catalogue.user_ids
    pairs = pd.DataFrame([(user, item) for user in users for item in FILMS], columns=["user_id", "item_id"])
    pairs = pd.concat([pairs] * 5, ignore_index=True)  # more than a block
    together = plainly.explain_all(pairs)
    assert [one.text for one in together[: len(users) * 4]] == [
        plainly.explain(user, item).text for user in users for item in FILMS
    ]
    assert [one.text for one in together] == [one.text for one in together[: len(users) * 4]] * 5
    assert plainly.explain_all(pairs.iloc[:0]) == []


def learned(split: Split, graph: KnowledgeGraph, encoder: str = "relational", explainable: bool = True) -> Recommender:
    tensors = GraphTensors.of(graph)
    return freeze(network_of(tensors, encoder), tensors, graph, Catalogue.of(split), [], explainable=explainable)


def test_a_model_keeps_its_explanations_on_disk_and_knows_its_graph(tmp_path: FilePath) -> None:
    split, graph = world()
    model = learned(split, graph)
    save_recommender(model, tmp_path / "model")
    again = load_recommender(tmp_path / "model")
    assert model.propagation is not None and again.propagation is not None
    assert (again.propagation.layers, again.propagation.gates, again.propagation.graph) == (
        model.propagation.layers, model.propagation.gates, model.propagation.graph,
    )  # fmt: skip
    assert list(again.propagation.embeddings) == list(model.propagation.embeddings)
    for kind, table in model.propagation.embeddings.items():
        np.testing.assert_array_equal(again.propagation.embeddings[kind], table)
    pairs = pd.DataFrame({"user_id": ["ann", "ann", "bob"], "item_id": ["f1", "f2", "f1"]})
    one, other = (Explainer(each, graph).explain_all(pairs) for each in (model, again))
    assert [each.text for each in one] == [each.text for each in other]
    other_graph = build_graph(split, propose_links(split, ["shared_id"]))
    with pytest.raises(InputError, match="learned from another graph; give the one that it was fitted on"):
        Explainer(model, other_graph)
    save_recommender(learned(split, graph, explainable=False), tmp_path / "plain")
    assert load_recommender(tmp_path / "plain").propagation is None


@pytest.mark.parametrize("encoder", ["lightgcn", "mf"])
def test_models_without_gates_are_weighed_by_their_final_vectors(encoder: str) -> None:
    split, graph = world()
    model = learned(split, graph, encoder)
    explainer = Explainer(model, graph)
    assert model.propagation is None and explainer.vectors is not None
    lengths = np.linalg.norm(explainer.vectors[0, 0], axis=1)
    served = np.isin(np.arange(len(lengths)), _nodes(graph, explainer, ("User", "Book", "Movie")))
    assert lengths[served] == pytest.approx(1, abs=1e-5) and not lengths[~served].any()
    assert explainer.explain("ann", "f2").score == pytest.approx(float(model.score("films", ["ann"])[0, 1]))


def _nodes(graph: KnowledgeGraph, explainer: Explainer, kinds: tuple[str, ...]) -> np.ndarray:
    starts = explainer.walks.starts
    return np.concatenate([starts[kind] + np.arange(graph.nodes[kind].size) for kind in kinds])


def test_a_control_is_explained_too() -> None:
    split, graph = world()
    model = ItemKNN().fit(graph, split)
    assert explain(model, graph, "ann", "f2").text.split("\n")[1:] == [
        "- You liked The Firm, liked by someone else, who also liked the film Heat."
    ]


def _visible(picture: str) -> str:
    return " ".join(part.text or "" for part in ElementTree.fromstring(picture).iter() if part.tag.endswith("text"))


def test_pictures_and_pages_take_any_name(plainly: Explainer, tmp_path: FilePath) -> None:
    told = plainly.explain("ann", ODD_ID)
    assert len(told.paths) == 1
    picture = ElementTree.fromstring(told.svg())
    assert picture.attrib["role"] == "img"
    assert not [part for part in picture.iter() if part.tag.endswith("}b")]
    assert 'He said "no" <b>`x`<…' in _visible(told.svg())
    assert "\u202e" not in told.svg() and "\u202e" not in told.text and len(told.text.split("\n")) == 2
    for name in ("page.html", "picture.svg"):
        told.save(tmp_path / "new" / name)
    page = (tmp_path / "new" / "page.html").read_text(encoding="utf-8")
    assert "<b>" not in page and "&lt;b&gt;`x`&lt;/b&gt;" in page and "<script" not in page
    assert (tmp_path / "new" / "picture.svg").read_text(encoding="utf-8") == told.svg()
    assert "http" not in re.sub(r"http://www\.w3\.org/2000/svg", "", page)


def test_the_same_thing_under_two_ids_is_said_and_of_an_entity_only_where_the_names_differ() -> None:
    def one(kind: str, key: str, name: str | None) -> Node:
        return Node(kind, key, key, name, {"Book": "book", "Movie": "film"}.get(kind, kind.lower()))

    ann, firm, twin = one("User", "ann", None), one("Book", "b1", "The Firm"), one("Book", "b9", "The Firm")
    rated = Step(EdgeType("User", "RATED", "Book"), 0, True, "rated")
    twins = Step(EdgeType("Book", "SAME_AS", "Book"), 0, True, "same as")
    assert sentence(Path((ann, firm, twin), (rated, twins), 1, 1, 1)) == "You liked The Firm, the same as The Firm."
    film = one("Movie", "f1", None)
    for names, said in ((("War", "War"), "War"), (("War", "war film"), "War, the same as war film")):
        genres = [one("Genre", f"g{place}", name) for place, name in enumerate(names)]
        steps = [
            rated, Step(EdgeType("Book", "HAS_GENRE", "Genre"), 0, True, "has genre"),
            Step(EdgeType("Genre", "SAME_AS", "Genre"), 0, False, "same as"),
            Step(EdgeType("Movie", "HAS_GENRE", "Genre"), 0, False, "has genre"),
        ]  # fmt: skip
        told = sentence(Path((ann, firm, *genres, film), tuple(steps), 1, 1, 1, alike=1200))
        assert told == (
            f"You liked The Firm, of the genre {said}, to which the film film f1 also belongs (1,199 more like it)."
        )


def test_names_become_one_line() -> None:
    assert plain("a\r\nb\u2028c\x00d") == "a b c d"
    assert plain("x" * 100, 10) == "x" * 9 + "…"
    assert plain("\u05d0\u202e") == "\u2068\u05d0\u2069"


def test_every_relation_of_the_vocabulary_has_words() -> None:
    assert set(SCHEMA.relation_names) - set(PHRASES) == {"RECOMMENDED"}
    for phrases in PHRASES.values():
        assert all(phrase.count("{}") == 1 for phrase in phrases)


def test_a_relation_of_ones_own_is_told_by_its_label() -> None:
    own = SCHEMA.extend([NodeType("Taste", {"en": "taste"})], [Relation("TASTES", "Book", "Taste", {"en": "tastes"})])
    split, graph = world(own, "TASTES", "Taste")
    told = explain(Marks(Catalogue.of(split)), graph, "ann", "f1")
    assert told.text.endswith(
        "- You liked The Firm, tastes John Grisham, as A Time to Kill also does, much like the film A Time to Kill."
    )


def every_path(explainer: Explainer) -> list[tuple[Explanation, int]]:
    users, items = explainer.recommender.catalogue.user_ids, [*FILMS, *BOOKS]
    told = [explainer.explain(user, item, 9) for user in users for item in items]
    return [(one, number) for one in told for number in range(1, len(one.paths) + 1)]


def test_a_path_is_found_again_on_ladybug(plainly: Explainer, tmp_path: FilePath) -> None:
    found = every_path(plainly)
    assert len(found) >= 6
    with LadybugStore(tmp_path / "graph.lbug") as store:
        store.write_graph(plainly.graph)
        for told, number in found:
            query = told.cypher("ladybug", number)
            assert store.query(query.text, query.parameters)["path"].tolist() == [_walked(told, number)]


@pytest.mark.neo4j
def test_a_path_is_found_again_on_neo4j(plainly: Explainer, neo4j_store: Callable[..., Neo4jStore]) -> None:
    found = every_path(plainly)
    store, other = neo4j_store(), neo4j_store()
    for each in (store, other):  # two graphs with the same keys
        each.write_graph(plainly.graph)
    for told, number in found:
        for query in (told.cypher("neo4j", number), told.cypher("neo4j", number, graph=store.graph)):
            assert store.query(query.text, query.parameters)["path"].tolist() == [_walked(told, number)]


def _walked(told: Explanation, number: int) -> list[str]:
    """A path as stores show it: keys and relations in turn."""
    path = told.paths[number - 1]
    turns = [part for node, step in zip(path.nodes, path.steps, strict=False) for part in (node.key, step)]
    return [part if isinstance(part, str) else part.edge_type.relation for part in [*turns, path.nodes[-1].key]]


def test_queries_refuse_names_that_fit_into_none(plainly: Explainer) -> None:
    told = plainly.explain("ann", "f1")
    with pytest.raises(InputError, match=r'unknown dialect of Cypher "neo4"; did you mean "neo4j"\?'):
        told.cypher("neo4")
    own = SCHEMA.extend([NodeType("Sub taste")], [Relation("TASTES", "Book", "Sub taste")])
    split, graph = world(own, "TASTES", "Sub taste")
    other = explain(Marks(Catalogue.of(split)), graph, "ann", "f1")
    with pytest.raises(InputError, match='node type "Sub taste"'):
        other.cypher("ladybug")
    assert "MATCH" in told.html() and "MATCH" not in other.html() and "Sub taste" not in told.html()
