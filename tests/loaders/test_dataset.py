from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pandas as pd
import pytest

from graph_schema import InputError
from loaders import CrossDomainDataset, DomainTables, pair
from loaders.fingerprint import digest


@pytest.fixture
def dataset(books: DomainTables, films: DomainTables) -> CrossDomainDataset:
    return pair("books-films", books, films)


def test_the_tables_are_in_normal_form_when_the_domain_is_made() -> None:
    rows = pd.DataFrame({"user_id": [1.0, 2.0], "item_id": [10, 11]}, index=[5, 6])
    tables = DomainTables.from_frames("books", rows, item_type="Book")
    assert tables.interactions["user_id"].tolist() == ["1", "2"]
    assert tables.users["user_id"].tolist() == ["1", "2"]
    assert tables.items.to_dict("list") == {"item_id": ["10", "11"], "item_type": ["Book", "Book"]}
    assert tables.interactions.index.tolist() == [0, 1]
    assert tables.facts.empty
    assert not tables.card.redistributable


def test_items_without_interactions_are_kept(films: DomainTables) -> None:
    assert films.items["item_id"].tolist() == ["f1", "f2", "f3"]
    assert "f3" not in set(films.interactions["item_id"])


@pytest.mark.parametrize(("table", "key", "value"), [("users", "user_id", "cem"), ("items", "item_id", "f2")])
def test_interactions_with_an_unknown_user_or_item_are_refused(
    films: DomainTables, table: str, key: str, value: str
) -> None:
    known = getattr(films, table)
    with pytest.raises(InputError) as caught:
        replace(films, **{table: known[known[key] != value]})
    row = films.interactions[key].tolist().index(value)
    assert str(caught.value) == (
        f'domain "films": table interactions, row {row}: {key} "{value}" is not in table {table}; '
        "add it there or drop the row (the first row is row 0)"
    )


def test_a_pair_that_occurs_twice_in_one_domain_is_named(books: DomainTables) -> None:
    rows = pd.concat([books.interactions, books.interactions.tail(1)])
    with pytest.raises(InputError) as caught:
        replace(books, interactions=rows)
    assert str(caught.value) == (
        'domain "books": table interactions, row 3: user_id "bob", item_id "b1" is already in row 2; '
        "keep one row of each (the first row is row 0)"
    )


def test_equal_user_ids_are_one_person_in_the_sources_order(dataset: CrossDomainDataset) -> None:
    assert dataset.overlapping_users.tolist() == ["bob"]
    assert dataset.overlapping_users.dtype == "str"


def test_domains_by_role_and_by_name(dataset: CrossDomainDataset) -> None:
    assert dataset.domains == (dataset.source, dataset.target)
    assert dataset.domain("films") is dataset.target
    with pytest.raises(InputError, match='unknown domain "flims"; did you mean "films"\\? choices: books, films'):
        dataset.domain("flims")


def test_values_are_frozen(dataset: CrossDomainDataset) -> None:
    with pytest.raises(FrozenInstanceError):
        dataset.name = "other"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        dataset.source.users = dataset.target.users  # type: ignore[misc]


def test_the_fingerprint_is_that_of_the_content(dataset: CrossDomainDataset) -> None:
    again = pair("another name", dataset.source, dataset.target)
    chunks = [dataset.source.interactions.iloc[:1], dataset.source.interactions.iloc[1:]]
    rejoined = replace(dataset.source, interactions=pd.concat(chunks))
    categories = replace(dataset.source, items=dataset.source.items.astype("category"))
    assert len(dataset.fingerprint) == 64
    assert again.fingerprint == dataset.fingerprint
    assert pair("x", rejoined, dataset.target).fingerprint == dataset.fingerprint
    assert pair("x", categories, dataset.target).fingerprint == dataset.fingerprint


def test_the_fingerprint_changes_with_every_value_and_with_the_order(
    dataset: CrossDomainDataset, books: DomainTables, films: DomainTables
) -> None:
    link = pd.DataFrame(
        [
            {
                "source_id": "b1",
                "target_id": "f1",
                "node_type": "Item",
                "confidence": 1.0,
                "method": "hand",
                "evidence": "x",
            }
        ]
    )
    fixed = {"test": pd.DataFrame({"domain": ["films"], "user_id": ["bob"], "item_id": ["f1"]})}
    one_rating = books.interactions.assign(rating=[5.0, 2.0, 3.5])
    variants = [
        dataset,
        pair("x", replace(books, interactions=one_rating), films),
        pair("x", replace(books, interactions=books.interactions.drop(columns="rating")), films),
        pair("x", replace(books, interactions=books.interactions.iloc[::-1]), films),
        pair("x", replace(books, facts=books.facts.tail(1)), films),
        pair("x", books, replace(films, items=films.items.assign(name=["One", "Two", None]))),
        pair("x", books, replace(films, items=films.items.assign(name=["One", "Two", ""]))),
        pair("x", replace(books, domain="novels"), films),
        pair("x", films, books),
        pair("x", books, films, link),
        pair("x", books, films, positive_from=3.5),
        pair("x", books, films, fixed=fixed),
        pair("x", books, films, fixed={"valid": fixed["test"]}),
    ]
    assert len({variant.fingerprint for variant in variants}) == len(variants)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": ["x", "yz"]}, {"a": ["xy", "z"]}),
        ({"a": ["x"], "b": [""]}, {"a": [""], "b": ["x"]}),
        ({"a": [1.0, None]}, {"a": [1.0, 0.0]}),
        ({"a": [1]}, {"a": [1.0]}),
        ({"a": ["1"]}, {"a": [1]}),
        ({"a": [1]}, {"b": [1]}),
    ],
)
def test_different_tables_have_different_digests(one: dict[str, list[object]], other: dict[str, list[object]]) -> None:
    assert digest({}, {"t": pd.DataFrame(one)}) != digest({}, {"t": pd.DataFrame(other)})
    assert digest({}, {"t": pd.DataFrame(one)}) == digest({}, {"t": pd.DataFrame(one)})


def test_the_digest_is_the_same_in_every_release() -> None:
    """Saved runs hold fingerprints: a change of how they are computed must be deliberate."""
    table = pd.DataFrame(
        {
            "text": ["a", None, "\u4e2d"],
            "number": [1, 2, 3],
            "part": [0.5, None, -1.0],
            "time": pd.to_datetime([0, 1, 2], unit="s"),
            "truth": [True, False, True],
        }
    )
    assert digest({"k": "v"}, {"t": table}) == "3e9ffb73f891c90ee572ddad88aade0f66c880f3ebe5e45128685e0318f00929"
