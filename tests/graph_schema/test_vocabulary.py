from __future__ import annotations

import re

import pytest

from graph_schema import ANY, SCHEMA


@pytest.mark.parametrize("name", SCHEMA.names)
def test_every_node_type_has_labels_in_english_and_chinese(name: str) -> None:
    labels = SCHEMA.node_type(name).labels
    assert set(labels) == {"en", "zh"}
    assert re.fullmatch(r"[a-z ]+", labels["en"])
    assert re.fullmatch(r"[\u4e00-\u9fff]+", labels["zh"])


@pytest.mark.parametrize("name", SCHEMA.relation_names)
def test_every_relation_has_labels_and_the_form_that_cypher_wants(name: str) -> None:
    assert re.fullmatch(r"[A-Z][A-Z_]*", name)
    for row in SCHEMA.relation(name):
        assert set(row.labels) == {"en", "zh"}
        assert re.fullmatch(r"[\u4e00-\u9fff]+", row.labels["zh"])


def test_the_rows_of_a_relation_agree_on_symmetry() -> None:
    for name in SCHEMA.relation_names:
        assert len({row.symmetric for row in SCHEMA.relation(name)}) == 1


def test_symmetric_relations_have_equal_ends() -> None:
    symmetric = {row.name: row for row in SCHEMA.relations if row.symmetric}
    assert set(symmetric) == {"KNOWS", "SAME_AS", "SIMILAR_TO"}
    assert all(row.head == row.tail for row in symmetric.values())


def test_every_type_is_a_user_an_item_or_an_entity() -> None:
    assert {SCHEMA.root(name) for name in SCHEMA.names} == {"User", "Item", "Entity"}
    assert set(SCHEMA.subtypes("Item")) >= {"Book", "Movie", "Track", "Product", "Course", "Video", "Game", "Album"}
    assert set(SCHEMA.subtypes("Entity")) >= {
        "Person",
        "Genre",
        "Category",
        "Keyword",
        "Organisation",
        "Place",
        "Period",
    }


def test_only_identity_similarity_and_domain_take_any_type() -> None:
    assert {row.name for row in SCHEMA.relations if ANY in (row.head, row.tail)} == {
        "SAME_AS",
        "SIMILAR_TO",
        "BELONGS_TO",
    }


def test_measures_carry_their_unit() -> None:
    units = {(name, row.name): row.unit for name in SCHEMA.names for row in SCHEMA.node_type(name).properties}
    assert units["Movie", "runtime"] == "minute"
    assert units["Product", "price"] == "currency unit"
    assert units["Place", "latitude"] == "degree"
