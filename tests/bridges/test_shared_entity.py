from __future__ import annotations

import logging
from collections.abc import Sequence

import networkx
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_schema import InputError
from kgxfer.bridges import SharedEntity
from kgxfer.graph import build_graph
from kgxfer.splits import FixedFiles, Split
from tests.worlds import domain_of, pair_of

Triple = tuple[str, str, str, str, str]


def split_of_facts(
    ours: Sequence[Triple], theirs: Sequence[Triple], kinds: tuple[str, str] = ("Book", "Movie")
) -> Split:
    columns = ["head_id", "head_type", "relation", "tail_id", "tail_type"]
    domains = [
        domain_of(name, kind, {"u": f"{item} i", "v": item}, facts=pd.DataFrame(rows, columns=columns))
        for name, kind, item, rows in zip(("one", "two"), kinds, ("b", "f"), (ours, theirs), strict=True)
    ]
    return FixedFiles().split(pair_of(domains[0], domains[1], test={"two": {"u": "f"}}))


def same(head: str, tail: str, kind: str = "Person") -> Triple:
    return (head, kind, "SAME_AS", tail, kind)


def wrote(person: str) -> Triple:
    return ("b", "Book", "AUTHORED_BY", person, "Person")


def directed(person: str) -> Triple:
    return ("f", "Movie", "DIRECTED_BY", person, "Person")


def statements(*rows: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["head_id", "tail_id", "node_type"][: len(rows[0])])


def found(bridge: SharedEntity, split: Split) -> dict[tuple[str, str], str]:
    links = bridge.links(split)
    assert links["relation"].eq("SAME_AS").all()
    return dict(zip(zip(links["source_id"], links["target_id"], strict=True), links["evidence"], strict=True))


def test_facts_of_both_domains_lead_from_one_id_to_the_other() -> None:
    split = split_of_facts([wrote("herbert"), same("herbert", "wd:Q7934")], [directed("fh"), same("wd:Q7934", "fh")])
    # Both domains name wd:Q7934 in their facts, so it is an entity of both: four pairs, by three paths and by equality.
    assert found(SharedEntity(), split) == {
        ("herbert", "fh"): "same as: herbert = wd:Q7934 = fh",
        ("herbert", "wd:Q7934"): "same as: herbert = wd:Q7934",
        ("wd:Q7934", "fh"): "same as: wd:Q7934 = fh",
        ("wd:Q7934", "wd:Q7934"): "equal type and id",
    }
    graph = build_graph(split, SharedEntity().links(split), "collapse")
    assert graph.nodes["Person"].size == 1


def test_a_table_leads_through_ids_that_no_domain_has() -> None:
    split = split_of_facts([wrote("herbert"), wrote("asimov")], [directed("fh"), directed("lynch")])
    table = statements(("wd:1", "herbert"), ("wd:1", "viaf:2"), ("fh", "viaf:2"), ("x", "y"))
    assert found(SharedEntity(same_as=table), split) == {("herbert", "fh"): "same as: herbert = wd:1 = viaf:2 = fh"}
    assert SharedEntity(same_as=table).faults(split).empty
    assert found(SharedEntity(), split) == {}


def test_items_are_one_by_statement_and_not_by_id() -> None:
    """Both domains have an item "i"; the film of the book is no film of the same name and stays unlinked."""
    split = split_of_facts([same("b", "wd:9", "Movie")], [same("f", "wd:9", "Movie")], ("Movie", "Movie"))
    assert found(SharedEntity(), split) == {("b", "f"): "same as: b = wd:9 = f"}
    assert SharedEntity().links(split)["node_type"].tolist() == ["Movie"]
    books_and_films = split_of_facts([], [])
    bridge = SharedEntity(same_as=statements(("b", "f")))
    assert found(bridge, books_and_films) == {}
    assert bridge.faults(books_and_films).to_numpy().tolist() == [["of wrong type", "b", "f", "Book and Movie"]]


def test_the_type_says_which_of_two_namesakes_is_meant() -> None:
    tagged = [("b", "Book", "HAS_KEYWORD", "dune", "Keyword"), ("b", "Book", "PART_OF_SERIES", "dune", "Series")]
    filmed = [("f", "Movie", "HAS_KEYWORD", "sand", "Keyword"), ("f", "Movie", "PART_OF_SERIES", "sand", "Series")]
    split = split_of_facts(tagged, filmed)
    links = SharedEntity(same_as=statements(("dune", "sand", "Series"))).links(split)
    assert links[["source_id", "target_id", "node_type"]].to_numpy().tolist() == [["dune", "sand", "Series"]]
    links = SharedEntity(same_as=statements(("dune", "sand"))).links(split)
    assert sorted(links["node_type"]) == ["Keyword", "Series"]


def test_loops_and_statements_about_one_id_are_reported_and_harmless(caplog: pytest.LogCaptureFixture) -> None:
    split = split_of_facts([wrote("herbert"), same("herbert", "herbert")], [directed("fh")])
    table = statements(("herbert", "wd:1"), ("wd:1", "fh"), ("fh", "herbert"), ("fh", "wd:1"))
    bridge = SharedEntity(same_as=table)
    with caplog.at_level(logging.WARNING):
        assert list(found(bridge, split)) == [("herbert", "fh")]
    assert "same-as statements: 1 of one id, 1 closing a loop; SharedEntity.faults(split) lists them" in caplog.text
    faults = bridge.faults(split)
    assert faults["fault"].tolist() == ["of one id", "closing a loop"]
    assert set(faults.iloc[1][["head_id", "tail_id"]]) == {"fh", "herbert"}


def test_nodes_of_two_types_that_meet_are_reported_and_not_linked() -> None:
    split = split_of_facts([wrote("dune")], [("f", "Movie", "HAS_KEYWORD", "sand", "Keyword")])
    direct = SharedEntity(same_as=statements(("dune", "sand")))
    through = SharedEntity(same_as=statements(("dune", "w"), ("w", "sand")))
    for bridge in (direct, through):
        assert found(bridge, split) == {}
        assert bridge.faults(split).to_numpy().tolist() == [["of wrong type", "dune", "sand", "Person and Keyword"]]


NAMES = "pqrstxyz"
"""No item has such an id: a statement without a type would mean it too."""
STATED = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=8)


@settings(max_examples=20)
@given(st.sets(st.sampled_from(NAMES), min_size=1), st.sets(st.sampled_from(NAMES), min_size=1), STATED)
def test_links_are_the_pairs_that_a_path_joins(ours: set[str], theirs: set[str], stated: list[tuple[str, str]]) -> None:
    split = split_of_facts([wrote(name) for name in sorted(ours)], [directed(name) for name in sorted(theirs)])
    graph = networkx.Graph(stated)
    graph.add_nodes_from(NAMES)
    bridge = SharedEntity(same_as=statements(*stated)) if stated else SharedEntity()
    links = found(bridge, split)
    assert set(links) == {(one, two) for one in ours for two in theirs if networkx.has_path(graph, one, two)}
    for (one, two), evidence in links.items():
        path = [one] if one == two else evidence.removeprefix("same as: ").split(" = ")
        assert (path[0], path[-1]) == (one, two)
        assert all(graph.has_edge(*step) for step in zip(path, path[1:], strict=False))
    distinct = {frozenset(row) for row in stated if row[0] != row[1]}
    loops = len(distinct) - (len(NAMES) - networkx.number_connected_components(graph))
    assert (bridge.faults(split)["fault"] == "closing a loop").sum() == loops


def test_a_wrong_table_is_one_clear_line() -> None:
    with pytest.raises(InputError, match='bridge shared_entity: table same_as: no column "tail_id"; the table has'):
        SharedEntity(same_as=pd.DataFrame({"head_id": ["a"], "tail": ["b"]}))
