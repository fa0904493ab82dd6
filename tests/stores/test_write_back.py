"""What models write back, whichever the store: embeddings, recommendations, and undoing a run; copies of all that."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer.stores import NetworkxStore, NodeVectors, copy_graph
from tests.stores.worlds import EVENING, MORNING, Place, assert_vectors, back, films, recommendations, tied, vectors


def test_embeddings_and_recommendations_of_two_runs_come_and_go(place: Place) -> None:
    graph = films()
    first, second = vectors(graph), {"Book": vectors(graph, seed=2)["Book"]}
    with place() as store:
        store.write_graph(graph)
        assert store.read_embeddings() == {}
        store.write_embeddings(first, MORNING)
        store.write_recommendations(recommendations(), MORNING)
    with place() as store:
        assert_vectors(store.read_embeddings(), first)
        store.write_embeddings(second, EVENING)
        store.write_recommendations(recommendations().tail(1), EVENING)
        assert_vectors(store.read_embeddings(), {**first, "Book": second["Book"]})
        assert back(store) == {
            ("recommendations", "morning"): 3, ("recommendations", EVENING.name): 1,
            ("embeddings", "morning"): 4, ("embeddings", EVENING.name): 3,
        }  # fmt: skip
        store.write_recommendations(recommendations().head(2), MORNING)  # in place of the three
        assert back(store)["recommendations", "morning"] == 2
        assert store.read_graph().equals(graph)
    with place() as store:
        gone = store.undo("morning")
        assert dict(zip(gone["what"], gone["count"], strict=True)) == {"recommendations": 2, "embeddings": 4}
    with place() as store:
        assert back(store) == {("recommendations", EVENING.name): 1, ("embeddings", EVENING.name): 3}
        assert_vectors(store.read_embeddings(), second)
        with pytest.raises(InputError, match=f'"morning".*{EVENING.name}') as caught:
            store.undo("morning")
        assert "\n" not in str(caught.value)
        store.undo(EVENING.name)
    with place() as store:
        assert back(store) == {}
        assert store.read_embeddings() == {}
        assert store.read_graph().equals(graph)


def test_vectors_of_another_length_take_the_place_of_those_that_are_gone(place: Place) -> None:
    graph = films()
    with place() as store:
        store.write_graph(graph)
        store.write_embeddings(vectors(graph), MORNING)
        store.undo("morning")
        longer = vectors(graph, dim=6)
        store.write_embeddings(longer, EVENING)
        assert_vectors(store.read_embeddings(), longer)


def test_what_names_an_unknown_node_is_refused_whole(place: Place) -> None:
    graph = films()
    with place() as store:
        store.write_graph(graph)
        store.write_recommendations(recommendations(), MORNING)
        lost = recommendations().assign(tail=["Movie:films/f1", "Movie:films/f9", "Movie:films/f2"])
        with pytest.raises(InputError, match="Movie:films/f9") as caught:
            store.write_recommendations(lost, MORNING)
        assert "\n" not in str(caught.value)
        with pytest.raises(InputError, match="Spoon"):
            store.write_recommendations(lost.assign(tail="Spoon:films/f9"), MORNING)
        stray = NodeVectors(pd.Index(["Book:books/b1", "Book:books/b9"]), np.eye(2, dtype=np.float32))
        with pytest.raises(InputError, match="Book:books/b9"):
            store.write_embeddings({"Book": stray}, MORNING)
    with place() as store:
        assert back(store) == {("recommendations", "morning"): 3}
        assert store.read_embeddings() == {}


def test_what_is_cleared_is_gone_and_the_place_can_be_used_again(place: Place) -> None:
    graph = films()
    with place() as store:
        store.clear()  # nothing there is no error
        store.write_graph(graph)
        store.write_embeddings(vectors(graph), MORNING)
        store.write_recommendations(recommendations(), MORNING)
    with place() as store:
        store.clear()
    with place() as store:
        for asked in (store.read_graph, store.stats, store.read_embeddings, lambda: store.undo("morning")):
            with pytest.raises(InputError) as caught:
                asked()
            assert "\n" not in str(caught.value)
        with pytest.raises(InputError):
            store.write_recommendations(recommendations(), MORNING)
        other = tied()
        store.write_graph(other)
    with place() as store:
        assert store.read_graph().equals(other)
        assert back(store) == {}


def test_recommendations_come_back_as_they_went_in(place: Place) -> None:
    with place() as store:
        store.write_graph(films())
        none = store.read_recommendations()
        assert none.empty
        store.write_recommendations(recommendations().iloc[::-1], MORNING)
        store.write_recommendations(recommendations().tail(1), EVENING)
    with place() as store:
        found = store.read_recommendations()
    ann, bob = "User:books/ann", "User:books/bob"
    said = [
        (bob, "Movie:films/f2", 0.125, 2, EVENING), (ann, "Movie:films/f3", 0.5, 1, MORNING),
        (bob, "Movie:films/f1", 0.25, 1, MORNING), (bob, "Movie:films/f2", 0.125, 2, MORNING),
    ]  # fmt: skip
    expected = pd.DataFrame(
        [(*row, run.name, run.model, pd.Timestamp(run.at)) for *row, run in said], columns=[*none]
    ).astype(none.dtypes.to_dict())
    assert [*none] == ["head", "tail", "score", "rank", "run", "model", "at"]
    pd.testing.assert_frame_equal(found, expected)


def test_a_copy_has_everything_and_is_undone_run_by_run(place: Place) -> None:
    graph = films()
    first, second = vectors(graph), {"Book": vectors(graph, seed=2)["Book"]}
    with NetworkxStore() as source, place() as store, NetworkxStore() as end:
        source.write_graph(graph)
        source.write_embeddings(first, MORNING)
        source.write_embeddings({"Book": NodeVectors(second["Book"].keys[:2], second["Book"].vectors[:2])}, EVENING)
        source.write_recommendations(recommendations(), MORNING)
        copied = copy_graph(source, store)
        assert (copied.nodes, copied.edges) == (graph.node_count, graph.edge_count)
        assert (copied.embeddings, copied.recommendations) == (7, 3)
        assert copy_graph(store, end) == copied
        assert end.read_graph().equals(graph)
        pd.testing.assert_frame_equal(end.read_recommendations(), source.read_recommendations())
        there, here = end.read_embeddings(), source.read_embeddings()
        assert_vectors(there, here)
        assert {kind: np.asarray(one.runs).tolist() for kind, one in there.items()} == {
            "User": ["morning"] * 4, "Book": [EVENING.name] * 2 + ["morning"],
        }  # fmt: skip
        assert back(end) == back(store) == back(source)
        store.undo("morning")
        assert back(store) == {("embeddings", EVENING.name): 2}


def test_a_copy_of_nothing_or_onto_another_graph_is_refused(place: Place) -> None:
    with NetworkxStore() as source, place() as store:
        with pytest.raises(InputError, match="no graph"):
            copy_graph(source, store)
        source.write_graph(films())
        store.write_graph(tied())
        with pytest.raises(InputError):
            copy_graph(source, store)
        assert store.read_graph().equals(tied())
