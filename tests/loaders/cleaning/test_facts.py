from __future__ import annotations

import pytest

from graph_schema import InputError
from loaders import pair
from loaders.dataset import DomainTables
from loaders.raw import Attribute
from tests.loaders.cleaning.worlds import cleaned, found

ROWS = {"user_id": ["u", "v", "u"], "item_id": ["a", "a", "b"]}
ITEMS = {
    "item_id": ["a", "b"], "name": ["A", "B"], "genre": ["crime", "NA"], "people": ["Jo; Al;Jo", None],
    "price": ["3,5", "free"], "plot": ["It  begins.", "It ends."],
}  # fmt: skip
ATTRIBUTES = (
    Attribute("genre", "categorical", "HAS_GENRE", "Genre"),
    Attribute("people", "multi-valued", "DIRECTED_BY", "Person", ";"),
    Attribute("price", "numeric"),
    Attribute("plot", "text"),
)


def triples(tables: DomainTables) -> list[tuple[str, str, str]]:
    return list(tables.facts[["head_id", "relation", "tail_id"]].itertuples(index=False, name=None))


def test_attributes_become_facts_or_columns() -> None:
    result = cleaned(ROWS, ITEMS, item_attributes=ATTRIBUTES)
    assert triples(result.tables) == [
        ("a", "HAS_GENRE", "crime"), ("a", "DIRECTED_BY", "Jo"), ("a", "DIRECTED_BY", "Al"),
    ]  # fmt: skip
    assert result.tables.facts["tail_type"].tolist() == ["Genre", "Person", "Person"]
    assert result.tables.facts["tail_name"].tolist() == ["crime", "Jo", "Al"]
    items = result.tables.items
    assert list(items.columns) == ["item_id", "name", "price", "plot", "item_type"]
    assert items["price"].fillna(-1).tolist() == [3.5, -1]
    assert items["plot"].tolist() == ["It begins.", "It ends."]
    assert found(result, "items") == {
        "superfluous white space": (1, "repaired"),
        "attribute with a decimal comma": (1, "repaired"),
        "attribute is no number": (1, "emptied"),
        "missing value of an attribute": (1, "emptied"),
    }
    assert result.before["facts"] == 0
    assert result.after["facts"] == 3


def test_a_domain_with_facts_of_attributes_can_be_paired() -> None:
    result = cleaned(ROWS, ITEMS, item_attributes=ATTRIBUTES)
    books = cleaned({"user_id": ["u", "w"], "item_id": ["x", "y"]})
    other = DomainTables.from_frames("books", books.tables.interactions, item_type="Movie")
    assert len(pair("both", result.tables, other).overlapping_users) == 1


def test_an_attribute_that_fits_no_relation_is_refused_with_the_remedy() -> None:
    town = Attribute("town", "categorical", "HAS_GENRE", "Genre")
    with pytest.raises(InputError) as caught:
        cleaned(ROWS, None, {"user_id": ["u"], "town": ["Ulm"]}, user_attributes=(town,))
    assert str(caught.value) == (
        'attribute "town" of users: relation HAS_GENRE does not join User to Genre; it joins Item -> Genre; '
        'correct relation and node_type, or make its kind "text" to keep it as a column'
    )
    with pytest.raises(InputError, match='unknown attribute column of items "genr"; did you mean "genre"'):
        cleaned(ROWS, ITEMS, item_attributes=(Attribute("genr", "categorical", "HAS_GENRE", "Genre"),))


def test_facts_are_checked_against_schema_and_items() -> None:
    facts = {
        "head_id": ["a", "a", "a", "zz", "a", "u"],
        "head_type": ["Movie", "Movie", "Movei", "Movie", "Movie", "User"],
        "relation": ["HAS_GENRE", "HAS_GENRE", "HAS_GENRE", "HAS_GENRE", None, "KNOWS"],
        "tail_id": ["x", "x", "x", "x", "x", "nobody"],
        "tail_type": ["Genre", "Genre", "Genre", "Genre", "Genre", "User"],
    }
    result = cleaned(ROWS, facts=facts)
    assert triples(result.tables) == [("a", "HAS_GENRE", "x")]
    assert found(result, "facts") == {
        "relation or type outside the schema": (2, "dropped"),
        "unknown user": (1, "dropped"),
        "unknown item": (1, "dropped"),
        "fact that is there twice": (1, "merged"),
    }
    detail = next(one.detail for one in result.findings if one.rule.startswith("relation"))
    assert 'unknown node type "Movei"; did you mean "Movie"?' in detail
    kept = cleaned(ROWS, facts=facts, facts_of_unknown_items="keep")
    assert triples(kept.tables) == [("a", "HAS_GENRE", "x"), ("zz", "HAS_GENRE", "x")]


def test_acquaintances_become_facts_once_per_pair() -> None:
    knows = {"user_id": ["u", "v", "u", "u", "new"], "other_id": ["v", "u", "u", " v", "u"]}
    result = cleaned(ROWS, None, {"user_id": ["u", "v"]}, knows)
    assert triples(result.tables) == [("u", "KNOWS", "v"), ("new", "KNOWS", "u")]
    assert result.tables.users["user_id"].tolist() == ["u", "v", "new"]
    assert found(result, "knows") == {
        "spaces around an id": (1, "repaired"),
        "unknown user": (1, "reported"),
        "user who knows themselves": (1, "dropped"),
        "acquaintance that is there twice": (2, "merged"),
    }
    assert (result.before["knows"], result.after["knows"], result.after["facts"]) == (5, 2, 2)
    dropped = cleaned(ROWS, None, {"user_id": ["u", "v"]}, knows, unknown_users="drop")
    assert triples(dropped.tables) == [("u", "KNOWS", "v")]
    assert found(dropped, "knows")["unknown user"] == (1, "dropped")


def test_a_fact_that_an_attribute_says_too_is_there_once() -> None:
    ends = {"head_id": ["a"], "head_type": ["Movie"], "tail_id": ["crime"], "tail_type": ["Genre"]}
    facts = {**ends, "relation": ["HAS_GENRE"]}
    result = cleaned(ROWS, ITEMS, facts=facts, item_attributes=ATTRIBUTES[:1])
    assert triples(result.tables) == [("a", "HAS_GENRE", "crime")]
    assert found(result, "facts") == {"facts of attributes": (1, "added"), "fact that is there twice": (1, "merged")}
