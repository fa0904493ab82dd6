"""Pictures: what an answer draws, the page it becomes, and what a browser paints of it without a network."""

from __future__ import annotations

import builtins
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import colors, image

from graph_schema import InputError
from kgxfer.queries import QUERIES, answer_graph, draw, drawable, run_query
from kgxfer.queries.draw import MOST, PALETTE
from kgxfer.stores import GraphStore
from kgxfer.stores.networkx_store import NetworkxStore
from tests.queries.answers import ANSWERS
from tests.queries.conftest import DATABASES, Worlds

Tables = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture(params=DATABASES)
def store(request: pytest.FixtureRequest) -> GraphStore:
    """The library in one database."""
    return request.getfixturevalue(f"{request.param}_worlds")("library")  # type: ignore[no-any-return]


def drawn(store: GraphStore, name: str) -> Tables:
    return answer_graph(store, name, run_query(store, name, ANSWERS[name].parameters))


def small() -> Tables:
    nodes = pd.DataFrame({"key": ["User:b/u", "Book:b/x"], "type": ["User", "Book"], "name": ["ann", None]})
    return nodes, pd.DataFrame({"head": ["User:b/u"], "relation": ["RATED"], "tail": ["Book:b/x"]})


def test_an_answer_draws_its_edges(store: GraphStore) -> None:
    nodes, edges = drawn(store, "paths-by-facts")
    assert nodes["key"].tolist() == [
        "User:books/cem", "Book:books/b2", "Person:books/p1", "Genre:books/thriller", "Movie:films/f2",
        "Person:films/p1", "Genre:films/thriller",
    ]
    assert nodes["name"].tolist() == [
        "cem", "A Time to Kill", "John Grisham", "thriller", "A Time to Kill", "John Grisham", "thriller"
    ]
    assert set(edges.itertuples(index=False, name=None)) == {
        ("User:books/cem", "RATED", "Book:books/b2"), ("Book:books/b2", "AUTHORED_BY", "Person:books/p1"),
        ("Person:books/p1", "SAME_AS", "Person:films/p1"), ("Movie:films/f2", "AUTHORED_BY", "Person:films/p1"),
        ("Book:books/b2", "HAS_GENRE", "Genre:books/thriller"), ("Movie:films/f2", "HAS_GENRE", "Genre:films/thriller"),
        ("Genre:books/thriller", "SAME_AS", "Genre:films/thriller"),
    }


def test_a_path_draws_its_steps(store: GraphStore) -> None:
    nodes, edges = drawn(store, "shortest-paths")
    assert nodes["type"].tolist() == ["User", "Book", "Movie"]
    assert edges.to_numpy().tolist() == [
        ["User:books/cem", "RATED", "Book:books/b2"], ["Book:books/b2", "SIMILAR_TO", "Movie:films/f2"]
    ]


def test_items_without_edges_are_dots(store: GraphStore) -> None:
    nodes, edges = drawn(store, "cold-start-items")
    assert nodes["key"].tolist() == ["Movie:films/f2", "Movie:films/f5"]
    assert edges.empty


@pytest.mark.parametrize("name", [query.name for query in QUERIES.values() if query.pictures])
def test_ends_of_what_is_drawn_are_drawn(ladybug_worlds: Worlds, name: str) -> None:
    known = ANSWERS[name]
    store = ladybug_worlds(known.world)
    nodes, edges = answer_graph(store, name, run_query(store, name, known.parameters))
    assert len(nodes)
    assert {*edges["head"], *edges["tail"]} <= {*nodes["key"]}
    nothing = run_query(store, name, known.parameters).head(0)
    assert [len(part) for part in answer_graph(store, name, nothing)] == [0, 0]


def test_counts_are_no_graph(store: GraphStore) -> None:
    with pytest.raises(InputError, match='the answer of "domains" is counts, which are no graph'):
        drawn(store, "domains")


def test_a_text_of_ones_own_is_drawn(store: GraphStore) -> None:
    text = "MATCH (u:User {key: $key})-[r:RATED]->(m:Movie) RETURN r"
    nodes, edges = drawable(store, text, {"key": "User:films/eve"})
    assert set(nodes["key"]) == {"User:films/eve", "Movie:films/f1", "Movie:films/f4"}
    assert len(edges) == 2
    with pytest.raises(InputError, match="NetworkxStore answers no Cypher"):
        drawable(NetworkxStore(), "MATCH (n) RETURN n")


def test_the_page_stands_alone(tmp_path: Path) -> None:
    nodes, edges = small()
    nodes.loc[0, "name"] = "</script><script>alert(1)</script>"
    page = tmp_path / "page.html"
    draw(nodes, edges, page, "<b>Why</b> & how")
    text = page.read_text(encoding="utf-8")
    assert "<title>&lt;b&gt;Why&lt;/b&gt; &amp; how</title>" in text
    assert "<script>alert(1)" not in text
    assert "<script src" not in text
    assert "<link" not in text
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_what_cannot_be_drawn_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes, edges = small()
    page = tmp_path / "page.html"
    with pytest.raises(InputError, match="nothing to draw: the answer has no nodes"):
        draw(nodes.head(0), edges.head(0), page, "none")
    many = pd.DataFrame({"key": [str(number) for number in range(MOST + 1)], "type": "User", "name": "x"})
    with pytest.raises(InputError, match="2,001 nodes are more than a picture shows"):
        draw(many, edges.head(0), page, "many")
    plain = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "neo4j_viz":
            raise ImportError(name)
        return plain(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r'drawing needs neo4j-viz; pip install "kgxfer\[draw\]"'):
        draw(nodes, edges, page, "no extra")
    assert not page.exists()


def screenshot(page: Path, folder: Path, seconds: int) -> np.ndarray:
    """What Chromium has painted after a while, uint8 [height, width, 3]; no name is resolved: nothing is fetched."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine to paint the page")
    picture = folder / "page.png"
    words = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=900,600",
        f"--user-data-dir={folder / 'profile'}", "--host-resolver-rules=MAP * ~NOTFOUND", f"--timeout={seconds * 1000}",
        f"--screenshot={picture}", page.as_uri(),
    ]
    subprocess.run(words, capture_output=True, check=True, timeout=180)
    return (image.imread(picture)[:, :, :3] * 255).round().astype(np.uint8)


def pixels(painted: np.ndarray, colour: str) -> int:
    wanted = (np.array(colors.to_rgb(colour)) * 255).round()
    return int((np.abs(painted.astype(int) - wanted).max(axis=2) <= 3).sum())


def test_a_browser_paints_nodes_in_the_colours_of_their_types(ladybug_worlds: Worlds, tmp_path: Path) -> None:
    nodes, edges = drawn(ladybug_worlds("library"), "paths-by-facts")
    types = nodes["type"].nunique()
    assert types == 5
    page = tmp_path / "page.html"
    draw(nodes, edges, page, "Why")
    for seconds in (5, 15, 45):  # places are found in the background, which takes longer on a busy machine
        painted = screenshot(page, tmp_path, seconds)
        counts = [pixels(painted, colour) for colour in PALETTE]
        if min(counts[:types]) > 400:
            break
    # A node is a disc of some hundred pixels, a mark of the legend has a hundred.
    assert min(counts[:types]) > 400, counts
    assert max(counts[types:]) < 200, counts
