from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd
import pytest

from graph_schema import FACTS, SCHEMA, InputError, NodeType
from loaders import DataCard, DomainTables, pair
from loaders.pairing import assert_counts, counts_of, entities_of


def link(**changes: object) -> pd.DataFrame:
    row = {
        "source_id": "b1",
        "target_id": "f1",
        "node_type": "Item",
        "confidence": 1.0,
        "method": "hand",
        "evidence": "",
    }
    return pd.DataFrame([{**row, **changes}])


def held_out(**changes: object) -> dict[str, pd.DataFrame]:
    return {"test": pd.DataFrame([{"domain": "films", "user_id": "bob", "item_id": "f1", **changes}])}


def strangers(tables: DomainTables) -> DomainTables:
    """The same domain with other people and without facts: nothing connects it any more."""
    names = "x-" + tables.users["user_id"]
    rows = tables.interactions.assign(user_id="x-" + tables.interactions["user_id"])
    return replace(tables, users=pd.DataFrame({"user_id": names}), interactions=rows, facts=FACTS.empty())


def test_a_pair_keeps_what_it_was_given(books: DomainTables, films: DomainTables) -> None:
    dataset = pair("books-films", books, films, link(), positive_from=3.5, fixed=held_out())
    assert (dataset.name, dataset.source, dataset.target) == ("books-films", books, films)
    assert dataset.links["confidence"].tolist() == [1.0]
    assert dataset.positive_from == 3.5
    assert dataset.fixed["test"].to_dict("list") == {"domain": ["films"], "user_id": ["bob"], "item_id": ["f1"]}
    assert pair("x", books, films).links.empty


def test_a_shared_user_connects(books: DomainTables, films: DomainTables) -> None:
    without_facts = replace(films, facts=FACTS.empty())
    assert pair("x", books, without_facts).overlapping_users.tolist() == ["bob"]


def test_a_shared_entity_connects(books: DomainTables, films: DomainTables) -> None:
    apart = replace(strangers(films), facts=films.facts)
    assert pair("x", books, apart).overlapping_users.empty


def test_a_given_link_connects(books: DomainTables, films: DomainTables) -> None:
    assert len(pair("x", books, strangers(films), link()).links) == 1


def test_nothing_in_common_is_refused_with_the_ways_out(books: DomainTables, films: DomainTables) -> None:
    with pytest.raises(InputError) as caught:
        pair("x", books, strangers(films))
    assert str(caught.value) == (
        'nothing connects the domains "books" and "films": no user id and no entity of the facts is in both, and no '
        "link is given; use equal ids for what is the same, or give links="
    )


def test_an_entity_of_another_type_does_not_connect(books: DomainTables, films: DomainTables) -> None:
    facts = films.facts.assign(relation="HAS_KEYWORD", tail_type="Keyword")
    with pytest.raises(InputError, match="nothing connects"):
        pair("x", books, replace(strangers(films), facts=facts))


def test_an_item_of_equal_id_does_not_connect(books: DomainTables, films: DomainTables) -> None:
    facts = films.facts.assign(head_id="b1")
    apart = replace(strangers(films), facts=facts.assign(tail_id="western"))
    with pytest.raises(InputError, match="nothing connects"):
        pair("x", books, apart)


def test_entities_are_what_is_neither_user_nor_item(books: DomainTables) -> None:
    assert entities_of(books, SCHEMA).to_dict("list") == {
        "node_type": ["Genre", "Genre"],
        "node_id": ["crime", "poetry"],
    }


def test_two_domains_of_one_name_are_refused(books: DomainTables) -> None:
    with pytest.raises(
        InputError, match='both domains are called "books"; give the source and the target different names'
    ):
        pair("x", books, books)


def test_a_domain_without_interactions_is_refused(books: DomainTables, films: DomainTables) -> None:
    with pytest.raises(InputError, match='domain "films" has no interactions; give it rows of at least two users'):
        pair("x", books, replace(films, interactions=films.interactions.head(0)))


def test_a_domain_with_one_user_is_refused(books: DomainTables, films: DomainTables) -> None:
    of_one = films.interactions[films.interactions["user_id"] == "cem"]
    with pytest.raises(
        InputError, match=re.escape('domain "films" has interactions of one user only ("cem"); at least two')
    ):
        pair("x", books, replace(films, interactions=of_one))


def test_item_types_belong_to_the_domains_type(books: DomainTables, films: DomainTables) -> None:
    mixed = films.items.assign(item_type=["Movie", "Movie", "Book"])
    with pytest.raises(InputError, match='domain "films": item type "Book" is not a Movie; correct items.item_type'):
        pair("x", books, replace(films, items=mixed))
    assert pair("x", books, replace(films, items=mixed, item_type="Item"))
    with pytest.raises(InputError, match='unknown node type "Moovie"; did you mean "Movie"?'):
        pair("x", books, replace(films, items=films.items.assign(item_type="Moovie")))
    with pytest.raises(InputError, match='domain "films": "Genre" is not an Item; choose one of Item, Book'):
        pair("x", books, replace(films, item_type="Genre", items=films.items.assign(item_type="Genre")))


def test_types_of_the_users_own_are_taken_from_the_given_schema(books: DomainTables, films: DomainTables) -> None:
    shorts = replace(films, items=films.items.assign(item_type=["Movie", "Short", "Movie"]))
    schema = SCHEMA.extend([NodeType("Short", parent="Movie")])
    assert pair("x", books, shorts, schema=schema).schema is schema


def test_facts_outside_the_schema_are_refused(books: DomainTables, films: DomainTables) -> None:
    with pytest.raises(InputError, match='domain "films": table facts, row 0: unknown relation "HAS_GENER"'):
        pair("x", books, replace(films, facts=films.facts.assign(relation="HAS_GENER")))


def test_a_threshold_needs_ratings(books: DomainTables, films: DomainTables) -> None:
    implicit = replace(films, interactions=films.interactions.drop(columns="rating"))
    assert pair("x", books, implicit)
    with pytest.raises(
        InputError, match='domain "films" has no ratings, but positive_from is 3.5; leave positive_from out'
    ):
        pair("x", books, implicit, positive_from=3.5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source_id": "b9"}, 'row 0: source_id "b9" is no Item of domain "books"'),
        ({"target_id": "b1"}, 'row 0: target_id "b1" is no Item of domain "films"'),
        ({"node_type": "Movie"}, 'row 0: source_id "b1" is no Movie of domain "books"'),
        ({"node_type": "User", "source_id": "ann"}, 'row 0: target_id "f1" is no User of domain "films"'),
        (
            {"node_type": "Genre", "source_id": "crime", "target_id": "poetry"},
            'target_id "poetry" is no Genre of domain',
        ),
        ({"node_type": "Itme"}, 'unknown node type "Itme"; did you mean "Item"?'),
        ({"confidence": 2}, 'data set "x": table links, column "confidence", row 0: value 2 lies outside 0 to 1'),
    ],
)
def test_links_join_ids_that_exist(
    books: DomainTables, films: DomainTables, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        pair("x", books, films, link(**changes))


def test_links_may_join_users_and_entities(books: DomainTables, films: DomainTables) -> None:
    for changes in (
        {"node_type": "User", "source_id": "ann", "target_id": "cem"},
        {"node_type": "Genre", "source_id": "poetry", "target_id": "crime"},
    ):
        assert len(pair("x", books, films, link(**changes)).links) == 1


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        (held_out(item_id="f2"), 'fixed part "test", row 0: user "bob", item "f2" is no interaction of domain "films"'),
        (
            held_out(domain="books"),
            'fixed part "test", row 0: user "bob", item "f1" is no interaction of domain "books"',
        ),
        ({"tets": held_out()["test"]}, 'unknown fixed part "tets"; did you mean "test"?'),
        (
            {"test": held_out()["test"].drop(columns="domain")},
            "fixed part \"test\": columns are ['user_id', 'item_id']",
        ),
        ({"test": pd.concat([held_out()["test"]] * 2)}, 'fixed part "test", row 1 is there twice; keep it once'),
    ],
)
def test_held_out_rows_are_interactions(
    books: DomainTables, films: DomainTables, fixed: dict[str, pd.DataFrame], message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        pair("x", books, films, fixed=fixed)


def test_counts_and_their_assertion(books: DomainTables, films: DomainTables) -> None:
    dataset = pair("x", books, films, link(), fixed=held_out())
    counts = counts_of(dataset)
    assert counts == {
        "overlapping_users": 1,
        "links": 1,
        "books.users": 2,
        "books.items": 2,
        "books.interactions": 3,
        "books.facts": 2,
        "books.test": 0,
        "films.users": 2,
        "films.items": 3,
        "films.interactions": 3,
        "films.facts": 1,
        "films.test": 1,
    }
    card = replace(DataCard.own("x"), counts=counts)
    assert assert_counts(dataset, card) is dataset
    with pytest.raises(
        InputError, match='data set "x": films.items is 3, expected 4; the files are not those of its card'
    ):
        assert_counts(dataset, replace(card, counts={**counts, "films.items": 4}))
    with pytest.raises(InputError, match='data set "x": music.items is None, expected 4'):
        assert_counts(dataset, replace(card, counts={"music.items": 4}))
