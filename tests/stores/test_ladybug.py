"""What is Ladybug's own: the file, its lock, interrupted loads, answers as they are shown and drawn."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import ladybug
import numpy as np
import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer.bridges import propose_links
from kgxfer.graph import COMBINATIONS, KnowledgeGraph, build_graph
from kgxfer.splits import Split
from kgxfer.stores import NodeVectors, Run, ladybug_load
from kgxfer.stores import ladybug as module
from kgxfer.stores.ladybug import LadybugStore
from tests.stores.worlds import films, hostile, recommendations, vectors

ROOT = Path(__file__).parents[2]


def one_line(caught: pytest.ExceptionInfo[InputError]) -> str:
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("combine", COMBINATIONS)
def test_a_graph_comes_back_equal_when_the_file_is_opened_again(
    tmp_path: Path, board_split: Split, combine: str
) -> None:
    graph = build_graph(board_split, propose_links(board_split, ["shared_id"]), combine)
    with LadybugStore(tmp_path / "graph.lbug") as store:
        store.write_graph(graph)
    assert [path.name for path in tmp_path.iterdir()] == ["graph.lbug"]
    with LadybugStore(tmp_path / "graph.lbug") as store:
        assert store.read_graph().equals(graph)
        found = store.query("MATCH (u:User)-[r:RATED]->(m:Movie) RETURN count(*) AS count")
        assert found["count"].tolist() == [len(graph.interactions(1))]


def test_tables_of_many_steps_are_those_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladybug_load, "STEP", 3)
    told: list[tuple[str, int, int]] = []
    graph = hostile()
    with LadybugStore(tmp_path / "graph.lbug") as store:
        store.write_graph(graph, lambda *said: told.append(said))
        assert store.read_graph().equals(graph)
    assert len(told) > 20
    assert [said for said in told if said[1] == said[2]] == [
        ("nodes", graph.node_count, graph.node_count), ("edges", graph.edge_count, graph.edge_count)
    ]  # fmt: skip


@pytest.mark.parametrize("step", range(8))
def test_a_load_that_failed_at_any_step_goes_on_and_ends_equal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(ladybug_load, "STEP", 3)
    graph, calls = films(), 0

    def failing(*_said: object) -> None:
        nonlocal calls
        calls += 1
        if calls > step:
            raise KeyboardInterrupt

    with LadybugStore(tmp_path / "graph.lbug") as store:
        with pytest.raises(KeyboardInterrupt):
            store.write_graph(graph, failing)
        with pytest.raises(InputError, match="was not written whole; load it again to complete it"):
            store.read_graph()
        with pytest.raises(InputError, match="holds another graph"):
            store.write_graph(hostile())
    with LadybugStore(tmp_path / "graph.lbug") as store:
        store.write_graph(graph)
        assert store.read_graph().equals(graph)
        sizes = store.stats().set_index(["kind", "name"])["count"]
    assert sizes["edges"].sum() == graph.edge_count
    assert sizes["nodes"].sum() == graph.node_count


LOADER = dedent("""
    import os, signal, sys, time
    from kgxfer.stores import LadybugStore, ladybug_load
    from tests.stores.test_ladybug import many
    ladybug_load.STEP = 300
    graph = many()
    print("ready", flush=True)
    for seconds in sys.stdin:
        child = os.fork()
        if not child:
            with LadybugStore(sys.argv[1]) as store:
                store.write_graph(graph)
            os._exit(0)
        time.sleep(float(seconds))
        os.kill(child, signal.SIGKILL)
        print(os.waitpid(child, 0)[1], flush=True)
""")
"""Starts a load for each line and kills it after so many seconds; one program, since to import takes longest."""


def many() -> KnowledgeGraph:
    """Large enough that a load takes a while: 2,000 people, 2 x 300 items, 12,000 interactions."""
    from kgxfer.splits import FixedFiles
    from tests.worlds import domain_of, pair_of

    random = np.random.default_rng(0)
    likes = [
        {f"u{user}": " ".join(f"{letter}{item}:{item % 5}" for item in random.choice(300, 3, replace=False))
         for user in range(2000)}
        for letter in "bf"
    ]  # fmt: skip
    books, seen = domain_of("books", "Book", likes[0]), domain_of("films", "Movie", likes[1])
    split = FixedFiles().split(pair_of(books, seen, test={"films": {"u0": likes[1]["u0"].split(":")[0]}}))
    return build_graph(split, propose_links(split, ["shared_id"]))


@pytest.mark.slow
def test_a_load_that_is_killed_at_any_moment_goes_on_and_ends_equal(tmp_path: Path) -> None:
    graph, random = many(), np.random.default_rng(1)
    path, killed = tmp_path / "graph.lbug", 0
    with subprocess.Popen(
        [sys.executable, "-c", LOADER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
    ) as loader:
        assert loader.stdin is not None
        assert loader.stdout is not None
        assert loader.stdout.readline() == "ready\n"
        for _ in range(20):
            loader.stdin.write(f"{random.uniform(0, 1)}\n")
            loader.stdin.flush()
            killed += int(loader.stdout.readline()) == signal.SIGKILL
            if random.random() < 0.3:  # else the next goes on where this one stopped
                assert loaded(path, graph).equals(graph)
                with LadybugStore(path) as store:
                    store.clear()
        loader.stdin.close()
    assert killed >= 10
    assert loaded(path, graph).equals(graph)


def test_a_file_that_is_none_of_ladybug(tmp_path: Path) -> None:
    (tmp_path / "junk.lbug").write_text("no database\n" * 400)
    with pytest.raises(InputError, match=r'junk.lbug" is no Ladybug file') as caught:
        LadybugStore(tmp_path / "junk.lbug")
    one_line(caught)
    with pytest.raises(InputError, match="is a folder; give the name of a file"):
        LadybugStore(tmp_path)
    assert (tmp_path / "junk.lbug").read_text().startswith("no database")


def test_a_file_with_tables_of_another_program_is_left_alone(tmp_path: Path) -> None:
    with ladybug.Database(tmp_path / "own.lbug") as database:
        ladybug.Connection(database).execute("CREATE NODE TABLE User (name STRING PRIMARY KEY)")
        ladybug.Connection(database).execute("CREATE (:User {name: 'mine'})")
        store = LadybugStore(database)
        with pytest.raises(InputError, match=r'tables of another program \("User"\); give another file'):
            store.write_graph(films())
        store.clear()
        store.close()
        left = ladybug.Connection(database).execute("MATCH (u:User) RETURN u.name")
        assert isinstance(left, ladybug.QueryResult)
        assert left.get_all() == [["mine"]]


def test_a_file_that_another_program_has_open(tmp_path: Path) -> None:
    path = tmp_path / "graph.lbug"
    holder = "import ladybug, sys; d = ladybug.Database(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(InputError, match=r"another program has .*graph.lbug. open; close it there") as caught:
            LadybugStore(path)
        one_line(caught)
        process.communicate("")
    with LadybugStore(path) as store:
        store.write_graph(films())


def test_stores_of_one_file_share_it_and_the_last_one_lets_go(tmp_path: Path) -> None:
    path, graph = tmp_path / "graph.lbug", films()
    first, second = LadybugStore(path), LadybugStore(str(path))
    first.write_graph(graph)
    first.close()
    first.close()
    with pytest.raises(InputError, match="is closed; open it again"):
        first.stats()
    assert second.read_graph().equals(graph)
    script = "import ladybug, sys\ntry: ladybug.Database(sys.argv[1])\nexcept RuntimeError: print('held')"
    asked = [sys.executable, "-c", script, str(path)]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == "held\n"
    second.close()
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == ""


def test_a_folder_that_may_not_be_written(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(InputError, match=r"may not write .*graph.lbug. \(Read-only file system\)") as caught:
        LadybugStore(small_disk / "graph.lbug")
    one_line(caught)


def test_a_disk_that_is_full(small_disk: Path) -> None:
    with pytest.raises(InputError, match=r"no space left while writing .*graph.lbug") as caught:
        loaded(small_disk / "graph.lbug", films())
    one_line(caught)


@pytest.mark.parametrize("size", ["100k", "800k", "4m"])
def test_a_disk_that_fills_up_during_a_load_and_is_then_enlarged(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, size: str
) -> None:
    monkeypatch.setattr(ladybug_load, "STEP", 5_000)
    subprocess.run(["mount", "-o", f"remount,size={size}", str(small_disk)], check=True)
    graph = many()
    with pytest.raises(InputError, match=r"no space left while writing .*graph.lbug") as caught:
        loaded(small_disk / "graph.lbug", graph)
    one_line(caught)
    subprocess.run(["mount", "-o", "remount,size=80m", str(small_disk)], check=True)
    assert loaded(small_disk / "graph.lbug", graph).equals(graph)


def loaded(path: Path, graph: KnowledgeGraph) -> KnowledgeGraph:
    with LadybugStore(path) as store:
        store.write_graph(graph)
        return store.read_graph()


def test_another_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with LadybugStore(tmp_path / "graph.lbug") as store:
        store.write_graph(films())
        monkeypatch.setattr(module, "FORMAT", 2)
        for asked in (store.read_graph, lambda: store.write_graph(films())):
            with pytest.raises(InputError, match="has format 1, this version reads 2; load the graph into a new file"):
                asked()


def test_names_that_fit_into_no_statement_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    from tests.graph.test_storage import odd_graph

    with LadybugStore(tmp_path / "graph.lbug") as store:
        with pytest.raises(InputError, match='"Dish/Recipe".*call it "Dish_Recipe"'):
            store.write_graph(odd_graph())
        with pytest.raises(InputError, match="holds no graph"):
            store.stats()
        store.write_graph(films())


def test_answers_are_shown_by_key_and_drawn_whole(tmp_path: Path) -> None:
    with LadybugStore(tmp_path / "graph.lbug") as store:
        store.write_graph(films())
        shown = store.query(
            "MATCH p = (u:User)-[r:RATED]->(b:Book) WHERE u.key = $key RETURN u, r, p, [b], {one: b} ORDER BY b.key",
            {"$key": "User:books/bob"},
        )
        assert shown.iloc[0].tolist() == [
            "User:books/bob", "RATED", ["User:books/bob", "RATED", "Book:books/b2"], ["Book:books/b2"],
            {"one": "Book:books/b2"},
        ]  # fmt: skip
        nodes, edges = store.query_graph("MATCH (u:User)-[r:RATED]->(b:Book) WHERE b.id = $id RETURN r", {"id": "b2"})
        assert nodes.sort_values("key").fillna("none").to_numpy().tolist() == [
            ["Book:books/b2", "Book", "none"], ["User:books/ann", "User", "none"], ["User:books/bob", "User", "none"]
        ]  # fmt: skip
        assert sorted(edges.to_numpy().tolist()) == [
            ["User:books/ann", "RATED", "Book:books/b2"], ["User:books/bob", "RATED", "Book:books/b2"]
        ]  # fmt: skip
        nodes, edges = store.query_graph("MATCH p = (:User {id: 'bob'})-[*1..2]-(:User) RETURN p")
        assert sorted(nodes["key"]) == ["Book:books/b2", "User:books/ann", "User:books/bob"]
        assert len(edges) == 2
        nodes, edges = store.query_graph("MATCH (n) RETURN count(*)")
        assert nodes.empty and edges.empty


def test_parameters_are_taken_as_numpy_and_pandas_give_them(tmp_path: Path) -> None:
    with LadybugStore(tmp_path / "graph.lbug") as store:
        store.write_graph(films())
        text = "MATCH (n:Book) WHERE n.row IN $rows AND n.row < $limit RETURN n.id AS id ORDER BY id"
        assert store.query(text, {"rows": np.array([0, 2]), "limit": np.int64(9)})["id"].tolist() == ["b1", "b3"]
        assert store.query(text, {"rows": pd.Series([1]), "limit": 9})["id"].tolist() == ["b2"]
        with pytest.raises(InputError, match="^query: Table Boook does not exist; mend the text") as caught:
            store.query("MATCH (n:Boook) RETURN n")
        one_line(caught)


def test_vectors_of_another_length_beside_those_of_a_run_are_refused(tmp_path: Path) -> None:
    graph = films()
    with LadybugStore(tmp_path / "graph.lbug") as store:
        store.write_graph(graph)
        store.write_embeddings(vectors(graph), Run("one", "m"))
        some = {"Book": NodeVectors(pd.Index(["Book:books/b1"]), np.ones((1, 3), dtype=np.float32))}
        with pytest.raises(InputError, match=r'length 3, but others there have 4 \(run "one"\); undo that run first'):
            store.write_embeddings(some, Run("two", "m"))
        every = vectors(graph, dim=3)
        store.write_embeddings(every, Run("two", "m"))
        assert store.read_embeddings()["Book"].vectors.shape == (3, 3)
        store.write_recommendations(recommendations(), Run("two", "m"))
        assert store.read_graph().equals(graph)
