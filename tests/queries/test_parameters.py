"""What a query is given: defaults, nodes by key, id or name, mistakes as one line, and values that would be Cypher."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from graph_schema import InputError
from graph_schema.tables import LINKS
from kgxfer.graph import build_graph
from kgxfer.queries import QUERIES, query_names, query_text, run_query
from kgxfer.splits import FixedFiles
from kgxfer.stores import GraphStore
from kgxfer.stores.ladybug import LadybugStore
from kgxfer.stores.networkx_store import NetworkxStore
from tests.queries.answers import ANSWERS
from tests.queries.conftest import DATABASES, Worlds
from tests.queries.world import library
from tests.worlds import domain_of, pair_of

ODD = [
    "'", '"', "`", "\\", "' OR 1 = 1 //", "x') DETACH DELETE n //", "`}) RETURN 1 //", "$text", "{graph: $graph}",
    "(n:Item)", "[r:KNOWN]", "kind(n)", "\n", "\u202e", "🦊", "a" * 10_000,
]


@pytest.fixture(params=DATABASES)
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """The worlds in one database."""
    return request.getfixturevalue(f"{request.param}_worlds")  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def store(ladybug_worlds: Worlds) -> GraphStore:
    """The library in Ladybug."""
    return ladybug_worlds("library")


def mistake(store: GraphStore, name: str, **parameters: Any) -> str:
    with pytest.raises(InputError) as caught:
        run_query(store, name, parameters)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("said", ["Movie:films/f4", "f4", "Alien"])
def test_a_node_goes_by_key_id_or_name(worlds: Worlds, said: str) -> None:
    found = run_query(worlds("library"), "neighbours", {"node": said})
    assert set(found["key"]) == {"Movie:films/f4"}
    assert found["neighbour"].tolist() == ["Sigourney Weaver", "horror", "scifi", "ann", "eve", "Dune"]


def test_a_person_of_two_nodes_is_one(store: GraphStore) -> None:
    found = run_query(store, "history", {"user": "User:films/ann"})
    assert set(found["user_key"]) == {"User:books/ann", "User:films/ann"}


def test_a_name_of_two_things_is_asked_back(worlds: Worlds) -> None:
    assert mistake(worlds("library"), "linked-items", item="Dune") == (
        'several items are called "Dune" and nothing says they are the same: Book:books/b3, Movie:films/f3; give a key'
    )
    assert mistake(worlds("disjoint"), "history", user="ann").startswith('several users are called "ann"')


def test_an_id_is_meant_before_a_name(tmp_path: Path) -> None:
    books = domain_of("books", "Book", {"ann": "b1 b2", "bob": "b1"}, names={"b1": "b2", "b2": "other"})
    films = domain_of("films", "Movie", {"ann": "f1 f2", "bob": "f1"})
    split = FixedFiles().split(pair_of(books, films, test={"films": {"ann": "f1"}}))
    with LadybugStore(tmp_path / "graph.lbug") as opened:
        opened.write_graph(build_graph(split, LINKS.empty()))
        assert set(run_query(opened, "neighbours", {"node": "b2"})["key"]) == {"Book:books/b2"}


def test_mistakes_say_what_there_is(store: GraphStore) -> None:
    assert mistake(store, "find", text="") == 'parameter "text" is empty; give part of a name, or an id'
    assert mistake(store, "histry").startswith('unknown query "histry"; did you mean "history"? choices: domains, ')
    assert mistake(store, "history") == 'query "history" needs "user"; it takes user (key, id or name of a user)'
    assert mistake(store, "history", usr="ann") == (
        'unknown parameter of history "usr"; did you mean "user"? choices: user'
    )
    assert mistake(store, "domains", user="ann") == 'unknown parameter of domains "user"; choices: none'
    assert mistake(store, "history", user="b1") == 'no user "b1" in the graph; give a key, an id or a name'
    assert mistake(store, "linked-items", item="ali") == (
        'no item "ali" in the graph; names that contain it: Alien (Movie:films/f4); give a key, an id or a name'
    )
    assert mistake(store, "popular-items", domain="film") == (
        'unknown domain "film"; did you mean "films"? choices: books, films'
    )
    assert mistake(store, "drift-by-user", run="jun") == 'unknown run "jun"; did you mean "june"? choices: june, may'


@pytest.mark.parametrize("value", ["x", "1.5", 1.5, True, None, "", float("nan"), "inf"])
def test_a_number_is_a_number(store: GraphStore, value: Any) -> None:
    if value is None:
        assert len(run_query(store, "long-tail", {"most": value})) == 2  # as if it were not given
        return
    assert mistake(store, "long-tail", most=value) == f'parameter "most": {value!r} is not a whole number'


@pytest.mark.parametrize("limit", [0, -1, True, 2.5])
def test_a_limit_is_a_whole_number_above_nought(store: GraphStore, limit: Any) -> None:
    with pytest.raises(InputError, match=f"limit {limit}: give a whole number above 0"):
        run_query(store, "domains", limit=limit)
    assert len(run_query(store, "domains", limit=3)) == 3


def test_without_runs_there_is_nothing_to_compare(worlds: Worlds) -> None:
    assert mistake(worlds("shop"), "never-recommended") == (
        "no recommendations are stored; write those of a model back first"
    )
    assert run_query(worlds("shop"), "runs").empty


def test_a_store_without_cypher_says_where_to_ask() -> None:
    store = NetworkxStore()
    store.write_graph(library())
    assert mistake(store, "domains") == (
        "NetworkxStore answers no Cypher; load the graph into a Ladybug file (graph.lbug) or Neo4j"
    )


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "graph.lbug"
    with LadybugStore(path) as store:
        assert mistake(store, "domains") == f'"{path}" holds no graph; load one first'


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_what_would_be_cypher_is_a_value(worlds: Worlds, value: str) -> None:
    store = worlds("library")
    before = store.stats()
    found = run_query(store, "find", {"text": value})
    assert found.empty
    assert mistake(store, "neighbours", node=value).startswith("no node ")
    assert run_query(store, "profile", {"relation": value}).empty
    assert mistake(store, "recommendations", user="ann", run=value).startswith("unknown run ")
    pd.testing.assert_frame_equal(store.stats(), before)


@pytest.mark.parametrize("name", query_names())
def test_names_of_the_schema_stand_in_backticks_and_values_nowhere(store: GraphStore, name: str) -> None:
    text = query_text(store, name)
    assert "@" not in text
    assert "graph: $graph" not in text
    bare = re.sub(r"`[^`]*`|'[^']*'", "", text)
    assert not set(re.findall(r"\w+", bare)) & {"User", "Book", "Movie", "Person", "RATED", "SAME_AS", "HAS_GENRE"}
    assert set(re.findall(r"\$(\w+)", text)) <= {"source", "target", *(one.name for one in QUERIES[name].parameters)}


WORLDS = ["library", "shop", "collapsed", "disjoint"]
OF_SHOP = {"b1": "s1", "b3": "s2", "f2": "c2", "thriller": "ball", "Alien": "ball"}


def _asked(worlds: Worlds, world: str, name: str) -> Iterator[pd.DataFrame | str]:
    given = ANSWERS[name].parameters
    said = {key: OF_SHOP.get(value, value) if world == "shop" else value for key, value in given.items()}
    said |= {"domain": "cloth"} if world == "shop" and "domain" in said else {}
    try:
        yield run_query(worlds(world), name, said)
    except InputError as error:
        yield str(error)


@pytest.mark.neo4j
@pytest.mark.parametrize("world", WORLDS)
def test_both_databases_answer_alike(ladybug_worlds: Worlds, neo4j_worlds: Worlds, world: str) -> None:
    rows = 0
    for name in query_names():
        for one, other in zip(_asked(ladybug_worlds, world, name), _asked(neo4j_worlds, world, name), strict=True):
            if isinstance(one, str) or isinstance(other, str):
                assert one == other, name
            else:
                pd.testing.assert_frame_equal(one, other, rtol=1e-6, obj=name)
                rows += len(one)
    assert rows > 30
