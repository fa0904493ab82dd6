"""RDF that was interrupted, killed, spoilt, opened elsewhere or touched by other programs; the seal of a file."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pyoxigraph
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_schema import InputError
from kgxfer.graph import KnowledgeGraph
from kgxfer.stores import Run
from kgxfer.stores.base import Progress
from kgxfer.stores.rdf import RdfStore
from kgxfer.stores.rdf_seal import sealed_lines
from kgxfer.stores.rdf_triples import Triples
from kgxfer.stores.rdf_triples import texts as literal_texts
from tests.graph.test_storage import odd_graph
from tests.processes import clean_processes
from tests.stores.test_rdf import ENDINGS, films_graph, path, recommended, texts, users_graph

__all__ = ["path"]  # a fixture


def test_an_interrupted_load_of_a_folder_goes_on(tmp_path: Path) -> None:
    class StopError(Exception):
        pass

    def stop(what: str, _done: int, _of: int) -> None:
        if what == "edges":
            raise StopError

    path, graph = tmp_path / "g.oxigraph", films_graph()
    with RdfStore(path) as store, pytest.raises(StopError):
        store.write_graph(graph, stop)
    with RdfStore(path) as store:
        with pytest.raises(InputError, match="holds a part of a graph; write the same graph again"):
            store.read_graph()
        with pytest.raises(InputError, match="holds another graph"):
            store.write_graph(films_graph("collapse"))
        store.write_graph(graph)
        assert store.read_graph().equals(graph)


def killing(after: int) -> Progress:
    """Kill the process when it tells of its progress once more than so often."""
    calls = iter(range(after))

    def told(_what: str, _done: int, _of: int) -> None:
        if next(calls, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    return told


def load_until_killed(path: Path, graph: KnowledgeGraph, after: int) -> None:
    RdfStore(path).write_graph(graph, killing(after))


@pytest.mark.parametrize("ending", [".nt", ".oxigraph"])
def test_a_load_that_is_killed_again_and_again_ends_identical(tmp_path: Path, ending: str) -> None:
    path, graph = tmp_path / f"g{ending}", films_graph()
    for after in range(8):
        process = clean_processes().Process(target=load_until_killed, args=(path, graph, after))
        process.start()
        process.join(60)
        assert process.exitcode == (-9 if after < 6 else 0), "three types of nodes and three of edges are told of"
    with RdfStore(path) as store:
        assert store.read_graph().equals(graph)
    assert [*tmp_path.iterdir()] == [path]


def test_an_interrupted_file_is_not_there(tmp_path: Path) -> None:
    def stop(what: str, _done: int, _of: int) -> None:
        raise KeyboardInterrupt

    with RdfStore(tmp_path / "g.nt") as store, pytest.raises(KeyboardInterrupt):
        store.write_graph(films_graph(), stop)
    assert [*tmp_path.iterdir()] == []


def spoilt(change: Callable[[str], str]) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        with RdfStore(path) as store:
            store.write_graph(films_graph())
        path.write_text(change(path.read_text()))

    return spoil


FAULTS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "not there": ("g.nt", lambda path: None, "holds no whole graph"),
    "another ending": ("g.rdf", lambda path: None, 'ending of RDF ".rdf"; .*choices: .nt, .ttl, .nq, .trig, .oxigraph'),
    "no ending": ("g", lambda path: None, 'unknown ending of RDF ""'),
    "another format": ("g.nt", lambda path: path.write_text("@prefix a: <b> ."), 'g.nt", line 1: this is no N-Triples'),
    "a table": ("g.ttl", lambda path: path.write_text("<a:b> <a:c> 1 .\nuser,item\n"), "line 2: this is no Turtle"),
    "bytes": ("g.trig", lambda path: path.write_bytes(b"PAR1\xff\x00"), "line 1: this is no TriG"),
    "other triples": ("g.ttl", lambda path: path.write_text("<a:b> <a:c> 1 ."), "holds no whole graph"),
    "a folder": ("g.nt", lambda path: path.mkdir(), "g.nt"),
    "a file where a folder is": ("g.oxigraph", lambda path: path.write_text("x"), "is a file; a name"),
    "another folder": ("g.oxigraph", lambda path: (path / "x").mkdir(parents=True), "something else than an oxigraph"),
    "a lost edge": ("g.nt", spoilt(lambda text: re.sub(r"(?m)^.*films/m2> \S*HAS_GENRE.*\n", "", text)), "was changed"),
    "a lost node": ("g.nt", spoilt(lambda text: re.sub(r"(?m)^.*User/new/cem> \S*#key.*\n", "", text)), "was changed"),
    "a lost mark": ("g.nt", spoilt(lambda text: text.replace('"whole"', '"part"')), "holds a part of a graph"),
    "a changed value": ("g.nt", spoilt(lambda text: text.replace('"1995"', '"soon"')), "was changed after"),
}  # fmt: skip


@pytest.mark.parametrize("what", FAULTS)
def test_what_is_no_graph_is_one_line(tmp_path: Path, what: str) -> None:
    name, make, said = FAULTS[what]
    make(tmp_path / name)
    with pytest.raises(InputError, match=said) as caught:
        RdfStore(tmp_path / name).read_graph()
    assert "\n" not in str(caught.value)


def test_a_database_that_another_program_has_open_is_one_line(tmp_path: Path) -> None:
    with RdfStore(tmp_path / "g.oxigraph") as store:
        store.write_graph(films_graph())
        with pytest.raises(InputError, match="is open in another program; close it there"):
            RdfStore(tmp_path / "g.oxigraph").read_graph()


def test_names_that_fit_into_no_iri_are_refused_before_anything_is_written(path: Path) -> None:
    with RdfStore(path) as store, pytest.raises(InputError, match='"Dish/Recipe": in ontologies and databases'):
        store.write_graph(odd_graph())
    assert not path.exists()


def test_a_full_disk_is_one_line(small_disk: Path) -> None:
    for ending in ENDINGS:
        path = small_disk / f"g{ending}"
        with RdfStore(path) as store, pytest.raises(InputError, match="no space left while writing"):
            store.write_graph(films_graph())


def no_parser(*_: object, **__: object) -> object:
    raise AssertionError("a file that was not touched needs no parser")


@settings(max_examples=40)
@given(st.lists(texts, min_size=2, max_size=6, unique=True), st.lists(st.none() | texts, min_size=6, max_size=6))
def test_sealed_lines_are_what_a_parser_says(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str], names: list[str | None]
) -> None:
    file = tmp_path_factory.mktemp("rdf") / "g.nt"
    with RdfStore(file) as store:
        store.write_graph(users_graph(ids, names))
    lines, form = sealed_lines(file), pyoxigraph.RdfFormat.N_TRIPLES
    assert lines is not None
    said = [quad.triple for quad in pyoxigraph.parse(path=file, format=form)]
    cut, parsed = Triples(lines), Triples(pyoxigraph.serialize(said, format=form) or b"")
    assert len(cut) == len(parsed) == len(said)
    for predicate in {triple.predicate.value for triple in said}:
        (mine, objects), (subjects, canonical) = cut.of(predicate), parsed.of(predicate)
        assert mine.equals(subjects)
        assert literal_texts(objects).equals(literal_texts(canonical))


def test_a_file_as_it_was_written_needs_no_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "g.nt"
    with RdfStore(file) as store:
        store.write_graph(films_graph())
        with monkeypatch.context() as patch:
            patch.setattr(pyoxigraph, "parse", no_parser)
            assert RdfStore(file).read_graph().equals(films_graph())
        store.write_recommendations(recommended(), Run("one", "m"))
    monkeypatch.setattr(pyoxigraph, "parse", no_parser)
    assert RdfStore(file).read_graph().equals(films_graph()), "it is sealed anew whenever it is written"


TOUCHED: dict[str, Callable[[bytes], bytes]] = {
    "a line behind": lambda text: text + b"<a:b> <a:c> <a:d> .\n",
    "a line in front": lambda text: b"<a:b> <a:c> <a:d> .\n" + text,
    "no seal": lambda text: text[: text.rindex(b"#")],
    "half a seal": lambda text: text[:-10],
    "another seal": lambda text: text[: text.rindex(b": ") + 2] + 64 * b"0" + b"\n",
    "blanks": lambda text: text.replace(b" .\n", b"   . # said\n"),
    "empty": lambda text: b"",
}


@pytest.mark.parametrize("touch", TOUCHED.values(), ids=TOUCHED.keys())
def test_a_file_that_was_touched_is_parsed(tmp_path: Path, touch: Callable[[bytes], bytes]) -> None:
    file = tmp_path / "g.nt"
    with RdfStore(file) as store:
        store.write_graph(films_graph())
    assert sealed_lines(file) is not None
    file.write_bytes(touch(file.read_bytes()))
    assert sealed_lines(file) is None
    if file.stat().st_size:
        assert RdfStore(file).read_graph().equals(films_graph())


def test_a_changed_name_in_a_sealed_file_is_the_name(tmp_path: Path) -> None:
    file = tmp_path / "g.nt"
    with RdfStore(file) as store:
        store.write_graph(films_graph())
    file.write_text(file.read_text().replace('"Heat"', '"Cold"'))
    assert "Cold" in set(RdfStore(file).read_graph().nodes["Movie"].keys["name"])
