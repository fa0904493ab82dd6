"""`kgxfer graph` as a user meets it: from a data set or a run into stores, between them, and out again."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pandas as pd
import pytest

import loaders
from graph_schema import SCHEMA
from graph_schema.ontology import BASE, turtle
from kgxfer import experiment
from kgxfer.cli.graph_console import progress_bar
from kgxfer.cli.graph_sources import finished_run
from kgxfer.experiment.config import GraphConfig
from kgxfer.experiment.state import Ground
from kgxfer.explain import Explainer
from kgxfer.graph import KnowledgeGraph
from kgxfer.link_audit import default_split
from kgxfer.stores import open_store
from kgxfer.stores.base import Progress
from kgxfer.stores.ladybug import LadybugStore
from kgxfer.stores.neo4j import Neo4jStore
from tests.command_line import Answer, Call, assert_mistake

if TYPE_CHECKING:
    from tests.neo4j_server import Neo4jServer

FILES = ["g.lbug", "g.json", "g.nt"]
RUN = """
name = "small"

[data]
name = "case-study"

[graph]
bridges = ["shared_id", "shared_entity"]

[models.one]
dim = 8

[models.one.training]
epochs = 1
steps_per_epoch = 1

[models.two]
dim = 4

[models.two.training]
epochs = 1
steps_per_epoch = 1
"""


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    return Ground.of(default_split(loaders.load("case-study")), GraphConfig()).graph


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("graph")
    (place / "small.toml").write_text(RUN)
    experiment.run(experiment.load_config(place / "small.toml"), place / "small", progress=False, say=lambda line: None)
    yield place / "small"


def counts(answer: Answer) -> dict[tuple[str, str], int]:
    """What `stats` printed: kind and name -> count."""
    rows = re.findall(r"^│ (\w+) +│ (.+?) +│ +([\d,]+) │$", answer.out, re.MULTILINE)
    return {(kind, name): int(number.replace(",", "")) for kind, name, number in rows}


@pytest.mark.parametrize("file", FILES)
def test_a_data_set_goes_into_a_store_and_comes_back(call: Call, graph: KnowledgeGraph, file: str) -> None:
    answer = call("graph", "load", "case-study", "--to", file)
    assert answer.status == 0, answer.error
    assert f"loaded {graph.node_count:,} nodes and {graph.edge_count:,} edges into {file}" in answer.out
    assert repr(graph) in answer.out and " MB of memory beside the data" in answer.out
    with open_store(file) as store:
        assert store.read_graph().equals(graph)
    shown = counts(call("graph", "stats", "--store", file))
    assert {name: number for (kind, name), number in shown.items() if kind == "nodes"} == {
        kind: vocabulary.size for kind, vocabulary in graph.nodes.items()
    }
    before = Path(file).read_bytes()
    assert call("graph", "load", "case-study", "--to", file).status == 0
    assert counts(call("graph", "stats", "--store", file)) == shown
    assert len(Path(file).read_bytes()) == len(before)


def test_another_graph_is_refused_until_the_first_is_cleared(call: Call) -> None:
    assert call("graph", "load", "case-study", "--to", "g.json").status == 0
    other = ("graph", "load", "case-study", "--bridge", "shared_id", "--to", "g.json")
    assert_mistake(call(*other), "clear", out=None)
    assert call("graph", "clear", "--store", "g.json").status == 0
    assert call(*other).status == 0


def test_a_run_brings_its_graph_embeddings_and_recommendations(call: Call, run_folder: Path) -> None:
    answer = call("graph", "load", run_folder, "--to", "g.lbug")
    assert answer.status == 0, answer.error
    assert 'kgxfer graph undo "small" --store g.lbug' in answer.out
    rows = pd.read_parquet(run_folder / "recommendations.parquet")
    with open_store("g.lbug") as store:
        vectors = store.read_embeddings()
        found = store.query("MATCH (u:User)-[r:RECOMMENDED]->(i:Course) RETURN u.id, i.id, r.rank, r.model, r.run")
        with open_store("file.lbug") as other:
            source = call("graph", "load", run_folder.parent / "small.toml", "--to", "file.lbug")
            assert source.status == 0 and other.read_graph().equals(store.read_graph())
    of_one = rows[rows["model"] == "one"]
    assert set(vectors) == {"User", "Product", "Course"} and vectors["User"].vectors.shape[1] == 8
    assert set(found["r.model"]) == {"one"} and set(found["r.run"]) == {"small"}
    expected = set(zip(of_one["user_id"], of_one["item_id"], of_one["rank"], strict=True))
    assert set(zip(found["u.id"], found["i.id"], found["r.rank"], strict=True)) == expected
    first = counts(call("graph", "stats", "--store", "g.lbug"))
    assert first["recommendations", "small"] == len(of_one)
    assert call("graph", "load", run_folder, "--to", "g.lbug", "--model", "two", "--run", "second").status == 0
    both = counts(call("graph", "stats", "--store", "g.lbug"))
    assert {name for kind, name in both if kind == "recommendations"} == {"small", "second"}
    assert {name for kind, name in both if kind == "embeddings"} == {"second"}  # a node has one vector, the last
    undone = call("graph", "undo", "small", "--store", "g.lbug")
    assert undone.status == 0 and f"{len(of_one):,} recommendations" in undone.out
    assert call("graph", "undo", "second", "--store", "g.lbug").status == 0
    last = counts(call("graph", "stats", "--store", "g.lbug"))
    assert last == {key: count for key, count in first.items() if key[0] in ("nodes", "edges")}


@pytest.mark.parametrize("file", FILES)
def test_a_graph_goes_from_store_to_store_with_all_written_back(call: Call, run_folder: Path, file: str) -> None:
    assert call("graph", "load", run_folder, "--to", "first.lbug").status == 0
    answer = call("graph", "export", "--from", "first.lbug", "--to", file)
    assert answer.status == 0, answer.error
    with open_store("first.lbug") as first, open_store(file) as second:
        assert second.read_graph().equals(first.read_graph())
        here, there = first.read_embeddings(), second.read_embeddings()
        recommended = first.read_recommendations()
        pd.testing.assert_frame_equal(second.read_recommendations(), recommended)
    assert len(recommended) and f"{len(recommended):,} recommendations" in answer.out
    assert set(here) == set(there)
    for kind, vectors in here.items():
        assert vectors.keys.equals(there[kind].keys) and (vectors.vectors == there[kind].vectors).all()
    assert call("graph", "undo", "small", "--store", file).status == 0


def test_the_vocabulary_in_its_four_forms(call: Call) -> None:
    assert call("graph", "export", "schema", "--to", "forms").status == 0
    names = ["ladybug.cypher", "neo4j.cypher", "ontology.ttl", "shapes.ttl"]
    assert sorted(path.name for path in Path("forms").iterdir()) == names
    assert Path("forms/ontology.ttl").read_text() == turtle(SCHEMA)
    assert call("graph", "load", "case-study", "--to", "g.json").status == 0
    assert call("graph", "export", "schema", "--from", "g.json", "--to", "used").status == 0
    assert "FROM `User` TO `Course`" in Path("used/ladybug.cypher").read_text()
    assert "`Book.key`" not in Path("used/neo4j.cypher").read_text()
    assert_mistake(call("graph", "export", "schema", "--to", "forms"), "exists already")


MISTAKES = [
    (["load", "case-stud", "--to", "g.lbug"], 'did you mean "case-study"?'),
    (["load", "case-study", "--to", "g.db"], '"g.db" names no store; give neo4j://'),
    (["load", "case-study", "--to", "bolt://me:secret@127.0.0.1:1"], "NEO4J_USER and NEO4J_PASSWORD"),
    (["load", "case-study", "--to", "g.lbug", "--model", "one"], "--model does not go with what is no folder of a"),
    (["load", "case-study", "--to", "g.lbug", "--bridge", "shared"], 'unknown bridge "shared"'),
    (["load", ".", "--to", "g.lbug"], '"." is not the folder of a finished run'),
    (["stats", "--store", "g.lbug"], 'there is no "g.lbug"'),
    (["undo", "a", "--store", "g.json"], 'there is no "g.json"'),
    (["clear", "--store", "g.nt"], 'there is no "g.nt"'),
    (["export", "--from", "g.json", "--to", "h.json"], 'there is no "g.json"'),
    (["export", "--from", "g.json"], "say where it goes, with --to"),
    (["export", "schema", "--to-import", "files"], "a schema goes to a folder, with --to"),
    (["validate"], "say what to check"),
    (["validate", "gone.ttl"], "gone.ttl"),
    (["validate", "--store", "g.lbug"], 'there is no "g.lbug"'),
    (["export", "--to", "g.json"], "say where the graph is, with --from"),
    (["export", "--from", "g.json", "--to", "g.json"], '"g.json" is where the graph is'),
    (["export", "shema", "--to", "forms"], '"shema" cannot be exported'),
]


@pytest.mark.parametrize(("arguments", "words"), MISTAKES)
def test_mistakes_are_one_line_and_leave_nothing(call: Call, tmp_path: Path, arguments: list[str], words: str) -> None:
    answer = call("graph", *arguments)
    assert_mistake(answer, words, out=None)
    assert "secret" not in answer.error + answer.out
    assert not list(tmp_path.iterdir())


def test_a_model_that_the_run_has_not(call: Call, run_folder: Path) -> None:
    answer = call("graph", "load", run_folder, "--to", "g.lbug", "--model", "twoo")
    assert_mistake(answer, 'did you mean "two"? choices: one, two', out=None)
    assert_mistake(call("graph", "load", run_folder, "--to", "g.lbug", "--bridge", "shared_id"), "--bridge does not go")


def test_a_recommendation_is_explained_and_its_query_finds_the_path(call: Call, run_folder: Path) -> None:
    assert call("graph", "load", run_folder, "--to", "g.lbug").status == 0
    best = pd.read_parquet(run_folder / "recommendations.parquet").query("model == 'one'").head(2_000)
    found = finished_run(run_folder)
    assert found.recommender is not None
    explained = Explainer(found.recommender, found.graph).explain_all(best)
    place = next(number for number, one in enumerate(explained) if one.paths)
    user, item = best[["user_id", "item_id"]].iloc[place]
    answer = call("graph", "explain", run_folder, "--user", user, "--item", item, "--cypher", "ladybug")
    assert answer.status == 0, answer.error
    assert "Course " in answer.out.splitlines()[0] and answer.out.splitlines()[1].startswith("- ")
    text, values = re.findall(r"^(MATCH path.*\nRETURN path)\n// (.*)$", answer.out, re.MULTILINE)[0]
    given = [word for name, value in json.loads(values).items() for word in ("--param", f"{name}={json.dumps(value)}")]
    asked = call("graph", "query", "--store", "g.lbug", "--cypher", text, *given)
    assert asked.status == 0 and "1 row\n" in asked.out
    assert call("graph", "explain", run_folder, "--user", user, "--item", item, "--out", "why.html").status == 0
    assert "<svg" in Path("why.html").read_text()
    mistake = call("graph", "explain", run_folder, "--user", "nobody", "--item", item)
    assert_mistake(mistake, 'unknown user "nobody"')
    assert_mistake(call("graph", "explain", "gone", "--user", user, "--item", item), "is no folder of a finished run")


def test_communities_are_found_and_asked_for(call: Call) -> None:
    assert call("graph", "load", "case-study", "--to", "g.lbug").status == 0
    answer = call("graph", "communities", "--store", "g.lbug")
    assert answer.status == 0, answer.error
    number = int(answer.out.split()[0])
    text = "MATCH (n) WHERE n.community IS NOT NULL RETURN count(DISTINCT n.community) AS found"
    with open_store("g.lbug") as store:
        assert store.query(text)["found"].tolist() == [number]
    assert call("graph", "query", "communities", "--store", "g.lbug").status == 0
    assert_mistake(call("graph", "communities", "--store", "g.lbug", "--resolution", "0"), "resolution")


@pytest.mark.parametrize("file", ["g.lbug", "g.nt"])
def test_a_graph_is_held_against_its_shapes(call: Call, file: str) -> None:
    assert call("graph", "load", "case-study", "--to", file).status == 0
    answer = call("graph", "validate", "--store", file, "--out", "shapes")
    assert answer.status == 0 and "no fault" in answer.out
    assert sorted(path.name for path in Path("shapes").iterdir()) == ["shapes.html", "shapes.json"]
    assert_mistake(call("graph", "validate", "--store", file, "--out", "shapes"), "exists already")


def test_rdf_of_others_is_held_against_the_shapes(call: Call) -> None:
    Path("theirs.ttl").write_text(f"<https://films.example/heat> a <{BASE}Movie> ; <{BASE}runtime> -1 .")
    answer = call("graph", "validate", "theirs.ttl")
    assert answer.status == 1 and answer.error == ""
    assert "films.example/heat" in answer.out and "is not 0 or more" in answer.out


def test_files_for_the_first_load_of_a_server(call: Call) -> None:
    assert call("graph", "load", "case-study", "--to", "g.json").status == 0
    answer = call("graph", "export", "--from", "g.json", "--to-import", "files", "--to-graph", "first")
    assert answer.status == 0, answer.error
    assert "database import full" in answer.out.splitlines()[-1]
    assert (Path("files") / "command.txt").is_file()


def test_a_load_tells_of_interruption_how_it_goes_on(
    call: Call, monkeypatch: pytest.MonkeyPatch, graph: KnowledgeGraph
) -> None:
    """Stopped in the middle of a load, the file is no graph yet; loading again makes it the whole one."""
    written = LadybugStore.write_graph

    def stopped(self: LadybugStore, graph: KnowledgeGraph, progress: Progress) -> None:
        def tell(what: str, done: int, of: int) -> None:
            progress(what, done, of)
            if what == "edges":
                raise KeyboardInterrupt

        written(self, graph, tell)

    with monkeypatch.context() as patch:
        patch.setattr(LadybugStore, "write_graph", stopped)
        answer = call("graph", "load", "case-study", "--to", "g.lbug")
    assert answer.status == 130
    assert answer.error == (
        "kgxfer: interrupted; a run continues with --resume, a graph load when it is called again\n"
    )
    assert call("graph", "load", "case-study", "--to", "g.lbug").status == 0
    with open_store("g.lbug") as store:
        assert store.read_graph().equals(graph)


class Terminal(StringIO):
    """A screen that remembers."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("screen", "shown"), [(Terminal(), True), (StringIO(), False)])
def test_a_terminal_shows_how_far_writing_is(screen: StringIO, shown: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "120")
    with progress_bar() as tell:
        tell("nodes", 1_000, 2_000)
        tell("nodes", 2_000, 2_000)
        tell("edges", 5, 10)
    text = screen.getvalue()
    assert [word in text for word in ("nodes", "2000/2000", "edges", "5/10", "/s")] == [shown] * 5


@pytest.fixture
def server(neo4j_server: Neo4jServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """Address and a graph's name on the server that the tests ask."""
    monkeypatch.setenv("NEO4J_USER", neo4j_server.user)
    monkeypatch.setenv("NEO4J_PASSWORD", neo4j_server.password)
    name = f"test {uuid4()}"
    yield neo4j_server.uri, name
    with neo4j_server.driver() as driver:
        Neo4jStore(driver, name).clear()


@pytest.mark.neo4j
def test_a_run_goes_to_a_server_to_a_file_and_out_again(
    call: Call, run_folder: Path, server: tuple[str, str]
) -> None:
    uri, name = server
    answer = call("graph", "load", run_folder, "--to", uri, "--graph", name)
    assert answer.status == 0, answer.error
    assert call("graph", "load", run_folder, "--to", "g.lbug").status == 0
    first = counts(call("graph", "stats", "--store", uri, "--graph", name))
    assert {key: value for key, value in first.items() if key[0] != "edges"} == {
        key: value for key, value in counts(call("graph", "stats", "--store", "g.lbug")).items() if key[0] != "edges"
    }
    assert call("graph", "export", "--from", uri, "--graph", name, "--to", "copy.nt").status == 0
    with open_store("copy.nt") as copy, open_store("g.lbug") as file:
        assert copy.read_graph().equals(file.read_graph())
    asked = call("graph", "query", "domains", "--store", uri, "--graph", name)
    assert asked.status == 0 and "e-commerce" in asked.out
    assert call("graph", "undo", "small", "--store", uri, "--graph", name).status == 0
    assert_mistake(call("graph", "undo", "small", "--store", uri, "--graph", name), 'unknown run "small"')
    assert call("graph", "clear", "--store", uri, "--graph", name).status == 0
    assert_mistake(call("graph", "stats", "--store", uri, "--graph", name), "load it first")


@pytest.mark.neo4j
def test_a_server_that_refuses_says_so_before_data_are_read(
    call: Call, server: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        pytest.fail("data were read")

    monkeypatch.setattr("kgxfer.cli.graph_sources.graph_of", refuse)
    monkeypatch.setenv("NEO4J_PASSWORD", "not the password")
    answer = call("graph", "load", "case-study", "--to", server[0])
    assert_mistake(answer, "password")
    assert "not the password" not in answer.error
    monkeypatch.setenv("NEO4J_PASSWORD", "")
    assert_mistake(call("graph", "load", "case-study", "--to", server[0]), "set NEO4J_PASSWORD")
