"""Graphs on a real Neo4j server: written, read back equal, cleared, beside what else is in the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from neo4j import Driver

from graph_schema import SCHEMA, EdgeType, InputError, NodeType, Property, Relation, Schema
from kgxfer.bridges import propose_links
from kgxfer.graph import COMBINATIONS, KnowledgeGraph, build_graph
from kgxfer.splits import FixedFiles
from kgxfer.stores import NodeVectors, Run
from kgxfer.stores.neo4j import Neo4jStore
from kgxfer.stores.neo4j_tables import expressions, table_from, values_of, wanted
from loaders import DomainTables
from tests.worlds import domain_of, pair_of

pytestmark = pytest.mark.neo4j
Stores = Callable[..., Neo4jStore]

ODD = {
    "b1": 'He said "no" and `yes`',
    "b2": "two\nlines\tand a \\ backslash",
    "b3": "🦊 \u202eété\u202c 图书",
    "b4": "",
    "b`5 🍜": "'}) DETACH DELETE n //",
    "b6": "x" * 10_240,
}
OWN_SCHEMA = SCHEMA.extend(
    [NodeType("Recipe", {"en": 'a "dish"'}, "Item", (Property("order", "integer", indexed=True),)), NodeType("Taste")],
    [Relation("TASTES", "Recipe", "Taste", properties=(Property("match", "integer"),))],
)


def odd_graph(combine: str = "same_as_edges") -> KnowledgeGraph:
    """Odd names and ids, missing names, times, ratings, years, an own schema with words of the language."""
    facts = pd.DataFrame(
        {
            "head_id": ["b1", "b2"],
            "head_type": "Recipe",
            "relation": "TASTES",
            "tail_id": ["süß", 'a"b'],
            "tail_type": "Taste",
            "tail_name": [None, "'quoted'"],
        }
    )
    dishes = domain_of(
        "dishes 🍜 `n`", "Recipe", {"ann": "b1:5 b2:4.5", "bob\n": "b1:3"}, items=list(ODD), names=ODD, facts=facts
    )
    moments = pd.to_datetime(["1901-09-13T00:59:28.002022", "2023-11-14T22:13:20.0", "1969-12-31T23:59:59.999999"])
    times = dishes.interactions.assign(timestamp=moments)
    films = domain_of("films", "Movie", {"ann": "f1", "cem": "f1 f2"}, years={"f1": 1995}, genres={"f1": "g1"})
    dataset = pair_of(replace(dishes, interactions=times), films, test={"films": {"ann": "f1"}}, schema=OWN_SCHEMA)
    split = FixedFiles().split(dataset)
    return build_graph(split, propose_links(split, ["shared_id"]), combine)


@pytest.mark.parametrize("combine", COMBINATIONS)
def test_a_graph_comes_back_equal_and_goes_whole(neo4j_store: Stores, combine: str) -> None:
    graph, store = odd_graph(combine), neo4j_store()
    told: list[tuple[str, int, int]] = []
    store.write_graph(graph, lambda *said: told.append(said))
    assert [one for one in told if one[1] == one[2]] == [
        ("nodes", graph.node_count, graph.node_count),
        ("edges", graph.edge_count, graph.edge_count),
    ]
    back = store.read_graph()
    assert back.equals(graph)
    assert back.fingerprint == graph.fingerprint
    store.clear()
    with pytest.raises(InputError, match=rf'no graph "{store.graph}" in this database \(graphs: .*\); load it first'):
        store.read_graph()
    left = store.query("MATCH (n) WHERE n.graph = $graph RETURN count(*) AS count")
    assert left["count"].tolist() == [0]


def test_writing_twice_is_writing_once_and_another_graph_is_refused(neo4j_store: Stores) -> None:
    store = neo4j_store()
    store.write_graph(odd_graph())
    before = store.stats()
    store.write_graph(odd_graph(), lambda *said: pytest.fail("something was written"))
    pd.testing.assert_frame_equal(store.stats(), before)
    with pytest.raises(InputError, match="is another one in this database; clear it first, or use another name"):
        store.write_graph(odd_graph("disjoint"))
    assert store.read_graph().equals(odd_graph())


def test_a_load_that_stopped_before_its_indexes_is_completed(neo4j_store: Stores, neo4j_driver: Driver) -> None:
    store = neo4j_store()
    store.write_graph(odd_graph())
    set_manifest(neo4j_driver, store.graph, "m.state = 'indexing'")
    with pytest.raises(InputError, match="was not written whole; load it again to complete it"):
        store.read_graph()
    store.write_graph(odd_graph())
    assert store.read_graph().equals(odd_graph())


def test_a_graph_of_another_format_is_refused_and_can_be_cleared(neo4j_store: Stores, neo4j_driver: Driver) -> None:
    store = neo4j_store()
    store.write_graph(odd_graph())
    set_manifest(neo4j_driver, store.graph, "m.format = 99, m.plan = 'another', m.description = 'another'")
    for action in (store.read_graph, store.stats, lambda: store.write_graph(odd_graph())):
        with pytest.raises(InputError, match="has format 99, this version reads 1; clear it and load it again"):
            action()
    store.clear()
    assert nodes_of(neo4j_driver, store.graph) == 0
    store.write_graph(odd_graph())
    assert store.read_graph().equals(odd_graph())


def test_two_graphs_of_one_database_do_not_see_each_other(neo4j_store: Stores) -> None:
    one, two = neo4j_store(), neo4j_store()
    one.write_graph(odd_graph("disjoint"))
    two.write_graph(odd_graph("collapse"))
    axes = NodeVectors(pd.Index(["Movie:films/f1", "Movie:films/f2"]), np.eye(2, dtype=np.float32))
    one.write_embeddings({"Movie": axes}, Run("first", "m"))
    two.write_embeddings({"Movie": NodeVectors(axes.keys[:1], axes.vectors[1:])}, Run("second", "m"))
    one.write_recommendations(recommended("User:films/cem"), Run("first", "m"))
    nearest = [store.nearest("Item", np.array([1.0, 0.0]))["key"].tolist() for store in (one, two)]
    assert nearest == [["Movie:films/f1", "Movie:films/f2"], ["Movie:films/f1"]]
    assert two.nearest("Item", np.array([1.0, 0.0]))["similarity"].tolist() == [0]
    with pytest.raises(InputError, match='unknown run "first"; .*choices: second'):
        two.undo("first")
    assert "recommendations" not in set(two.stats()["kind"])
    two.clear()
    assert one.read_graph().equals(odd_graph("disjoint"))
    assert one.undo("first")["count"].tolist() == [2, 1]


def test_data_of_the_users_own_are_left_alone(neo4j_store: Stores, neo4j_driver: Driver) -> None:
    neo4j_driver.execute_query(
        "CREATE (a:Movie:Own {name: 'mine', year: 1999, graph: 'my graph'})-[:RATED {run: 'r', row: 0}]->(:User:Own), "
        "(:Movie:Own {name: 'without', key: 'Movie:films/f1'}), (a)-[:RECOMMENDED {run: 'r', score: 1.0}]->(a)"
    )
    try:
        before = own_data(neo4j_driver)
        assert len(before) == 4
        store = neo4j_store()
        store.write_graph(odd_graph())
        vectors = NodeVectors(pd.Index(["Movie:films/f1"]), np.ones((1, 3), dtype=np.float32))
        store.write_embeddings({"Movie": vectors}, Run("r", "m"))
        store.write_recommendations(recommended("User:films/cem"), Run("r", "m"))
        assert own_data(neo4j_driver) == before
        assert store.stats().set_index("name")["count"]["Movie"] == 2
        assert store.nearest("Movie", np.ones(3))["key"].tolist() == ["Movie:films/f1"]
        assert store.read_graph().equals(odd_graph())
        assert store.undo("r")["count"].tolist() == [1, 1]
        store.clear()
        assert own_data(neo4j_driver) == before
    finally:
        neo4j_driver.execute_query("MATCH (n:Own) DETACH DELETE n")


@pytest.mark.parametrize("end", ["own node", "own relationship"])
def test_a_graph_on_which_others_hung_something_is_not_cleared(
    neo4j_store: Stores, neo4j_driver: Driver, end: str
) -> None:
    store = neo4j_store()
    store.write_graph(odd_graph())
    target = "(:Own)" if end == "own node" else "(n)"
    neo4j_driver.execute_query(
        f"MATCH (n:Movie {{graph: $graph, key: 'Movie:films/f1'}}) CREATE (n)-[:`SEEN IN`]->{target}",
        graph=store.graph,
    )
    try:
        with pytest.raises(InputError, match="1 relationships SEEN IN at its Movie nodes were not loaded with it"):
            store.clear()
        assert store.read_graph().equals(odd_graph())
    finally:
        neo4j_driver.execute_query("MATCH ()-[r:`SEEN IN`]->(n) DELETE r WITH n WHERE n:Own DELETE n")


def test_a_clear_that_was_interrupted_is_finished(neo4j_store: Stores, neo4j_driver: Driver) -> None:
    store = neo4j_store()
    store.write_graph(odd_graph())
    set_manifest(neo4j_driver, store.graph, "m.state = 'clearing'")
    with pytest.raises(InputError, match="half removed; clear it again"):
        store.read_graph()
    with pytest.raises(InputError, match="half removed; clear it again, then load it"):
        store.write_graph(odd_graph())
    store.clear()
    assert nodes_of(neo4j_driver, store.graph) == 0


def test_queries_read_only_and_show_nodes_as_keys(neo4j_store: Stores) -> None:
    store = neo4j_store()
    store.write_graph(odd_graph())
    found = store.query(
        "MATCH p = (u:User {graph: $graph})-[r:RATED]->(i:Item {id: $id}) "
        "RETURN u, r, p, r.timestamp AS at, {i: [i]} AS m",
        {"id": "b2"},
    )
    assert found["u"].tolist() == ["User:dishes 🍜 `n`/ann"]
    assert found["p"][0] == ["User:dishes 🍜 `n`/ann", "RATED", "Recipe:dishes 🍜 `n`/b2"]
    assert found["at"][0] == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert found["m"][0] == {"i": ["Recipe:dishes 🍜 `n`/b2"]}
    nodes, edges = store.query_graph("MATCH (:User {graph: $graph})-[r:SAME_AS]->() RETURN r")
    assert edges.to_dict("list") == {
        "head": ["User:dishes 🍜 `n`/ann"],
        "relation": ["SAME_AS"],
        "tail": ["User:films/ann"],
    }
    assert sorted(nodes["key"]) == ["User:dishes 🍜 `n`/ann", "User:films/ann"]
    assert set(nodes["type"]) == {"User"}
    assert store.query("MATCH (n:User) WHERE false RETURN n.key AS key").columns.tolist() == ["key"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("MATCH (n) DETACH DELETE n", "query: the text would change the graph; a query only reads"),
        ("MATCH (n RETURN n", r"query: Invalid input 'RETURN'.*\(line 1, column 10.*; mend the text"),
        ("RETURN $lost", "query: Expected parameter.*lost; mend the text"),
        ("CALL no.such()", "query: There is no procedure with the name `no.such`.*; mend the text"),
    ],
)
def test_a_mistake_in_a_query_is_one_line(neo4j_store: Stores, text: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        neo4j_store().query(text)
    assert "\n" not in str(caught.value)


def test_hostile_values_are_values(neo4j_store: Stores) -> None:
    store = neo4j_store("'}) DETACH DELETE n //`")
    store.write_graph(odd_graph())
    for value in ("'}) MATCH (m) DETACH DELETE m //", "`", "\\u0027", "$graph", "\u202e"):
        assert store.query("MATCH (n:Item {graph: $graph, id: $id}) RETURN n", {"id": value}).empty
        with pytest.raises(InputError, match="no node has the key"):
            store.neighbours(value)
        with pytest.raises(InputError, match="no node has the key"):
            store.neighbours(f"User:{value}")
    assert store.read_graph().equals(odd_graph())


def test_what_neo4j_cannot_take_is_refused_before_anything_is_written(
    neo4j_store: Stores, neo4j_driver: Driver
) -> None:
    store, likes = neo4j_store(), {"ann": "b1", "bob": "b1"}
    long = build(domain_of("books", "Book", likes | {"x" * 10_240: "b1"}), domain_of("films", "Movie", likes))
    with pytest.raises(InputError, match=r'"User:books/x{29}..." has 10,251 bytes; Neo4j finds nodes by keys of up to'):
        store.write_graph(long)
    graph = odd_graph()
    kind = EdgeType("User", "RATED", "Movie")
    odd = graph.edges[kind].properties.assign(**{"a`}]->() DELETE n //": 1})
    wrong = replace(graph, edges=graph.edges | {kind: replace(graph.edges[kind], properties=odd)})
    with pytest.raises(InputError, match=r'User RATED Movie: property "a`.*" is not in the schema; declare it or drop'):
        store.write_graph(wrong)
    assert nodes_of(neo4j_driver, store.graph) == 0


def test_vectors_of_another_length_take_the_place_of_those_that_went(neo4j_store: Stores) -> None:
    store, keys = neo4j_store(), pd.Index(["Movie:films/f1", "Movie:films/f2"])
    store.write_graph(odd_graph())
    store.write_embeddings({"Movie": NodeVectors(keys, np.eye(2, 5, dtype=np.float32))}, Run("five", "m"))
    with pytest.raises(InputError, match=r'length 4, but others there have 5 \(run "five" of graph "test .*undo that'):
        store.write_embeddings({"Movie": NodeVectors(keys[:1], np.ones((1, 4), dtype=np.float32))}, Run("four", "m"))
    assert store.stats()["name"].tolist()[-1] == "five"
    four = np.array([[0, 1, 0, 0], [0, 1, 1, 0]], dtype=np.float32)
    store.write_embeddings({"Movie": NodeVectors(keys, four)}, Run("four", "m"))
    np.testing.assert_array_equal(store.read_embeddings()["Movie"].vectors, four)
    near = store.nearest("Movie", np.array([0, 0, 1, 0]), n=1)
    assert near["key"].tolist() == ["Movie:films/f2"]
    np.testing.assert_allclose(near["similarity"], [0.5**0.5])
    with pytest.raises(InputError, match="the vector has 3 numbers, those of Movie have 4"):
        store.nearest("Movie", np.ones(3))
    store.undo("four")
    assert store.nearest("Movie", np.ones(4)).empty
    assert store.read_embeddings() == {}


def test_the_index_of_names_covers_the_types_of_every_graph(neo4j_store: Stores) -> None:
    first, second = neo4j_store(), neo4j_store()
    first.write_graph(odd_graph())
    schema = SCHEMA.extend([NodeType("Spice", properties=(Property("name", "string", indexed=True),))])
    schema = schema.extend(relations=[Relation("HAS_SPICE", "Item", "Spice")])
    spiced = ["b1", "Book", "HAS_SPICE", "s1", "Spice", "grains of paradise"]
    columns = ["head_id", "head_type", "relation", "tail_id", "tail_type", "tail_name"]
    likes = {"ann": "b1", "bob": "b1"}
    books = domain_of("books", "Book", likes, facts=pd.DataFrame([spiced], columns=columns))
    second.write_graph(build(books, domain_of("films", "Movie", likes), schema))
    names = "CALL db.index.fulltext.queryNodes('kgxfer.names', $text) YIELD node WHERE node.graph = $graph RETURN node"
    assert second.query(names, {"text": "paradise"})["node"].tolist() == ["Spice:books/s1"]
    assert first.query(names, {"text": "backslash"})["node"].tolist() == ["Recipe:dishes 🍜 `n`/b2"]


def test_missing_and_odd_moments_come_back(neo4j_driver: Driver) -> None:
    moments = pd.Series(["1969-12-31 23:59:59.000001", None, "2262-04-11 12:00:00"], dtype="M8[us]")
    table = pd.DataFrame(
        {
            "plain": moments,
            "zoned": moments.dt.tz_localize("Asia/Tokyo"),
            "fine": pd.Series([None, "2000-01-01 00:00:00.000000001", None], dtype="M8[ns]"),
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "part": [0.5, np.nan, np.inf],
            "said": pd.Series(["", None, "a\0b"], dtype="str"),
        }
    )
    dtypes = {name: str(column.dtype) for name, column in table.items()}
    rows = list(zip(*values_of(table), strict=True))
    made = ", ".join(f"`{name}`: {value}" for name, value in expressions(table))
    text = f"UNWIND $rows AS row WITH {{{made}}} AS n RETURN {', '.join(wanted(dtypes))}"
    records = neo4j_driver.execute_query(text, rows=rows).records
    back = table_from([one.values() for one in records], dtypes)
    pd.testing.assert_frame_equal(back.astype(dtypes), table)


def build(source: DomainTables, target: DomainTables, schema: Schema = SCHEMA) -> KnowledgeGraph:
    split = FixedFiles().split(pair_of(source, target, test={"films": {"ann": "b1"}}, schema=schema))
    return build_graph(split, propose_links(split, ["shared_id"]))


def recommended(user: str) -> pd.DataFrame:
    return pd.DataFrame({"head": [user], "tail": ["Recipe:dishes 🍜 `n`/b1"], "score": [1.5], "rank": [1]})


def set_manifest(driver: Driver, graph: str, change: str) -> None:
    driver.execute_query(f"MATCH (m:`kgxfer.Graph` {{graph: $graph}}) SET {change}", graph=graph)


def nodes_of(driver: Driver, graph: str) -> int:
    records = driver.execute_query("MATCH (n) WHERE n.graph = $graph RETURN count(*)", graph=graph).records
    return int(records[0][0])


def own_data(driver: Driver) -> list[list[object]]:
    """The user's own nodes and relationships, with all that they have."""
    text = (
        "MATCH (n:Own) OPTIONAL MATCH (n)-[r]-() "
        "RETURN elementId(n), labels(n), properties(n), elementId(r), type(r), properties(r) ORDER BY elementId(n)"
    )
    return [record.values() for record in driver.execute_query(text).records]
