from __future__ import annotations

from dataclasses import replace

import pandas as pd

from kgxfer.bridges import SharedEntity, SharedId
from kgxfer.splits import FixedFiles
from loaders import DomainTables
from tests.worlds import domain_of, pair_of, split_of


def test_shared_id_links_every_person_of_both_domains_also_the_cold_ones() -> None:
    split = split_of(
        {"ann": "b1", "bob": "b1", "cem": "b1"}, {"bob": "f1", "cem": "f1", "dee": "f1"}, {"films": {"bob": "f1"}}
    )
    assert SharedId().links(split).to_dict("list") == {
        "source_id": ["bob", "cem"],
        "target_id": ["bob", "cem"],
        "node_type": ["User"] * 2,
        "confidence": [1, 1],
        "method": ["shared_id"] * 2,
        "evidence": ["equal user_id"] * 2,
        "relation": ["SAME_AS"] * 2,
    }


def test_shared_entity_links_equal_ids_of_one_type() -> None:
    about = [
        ("b1", "Book", "AUTHORED_BY", "herbert", "Person"),
        ("b1", "Book", "IN_PERIOD", "1960", "Period"),
        ("b1", "Book", "HAS_KEYWORD", "sand", "Keyword"),
    ]
    directed = [
        ("f1", "Movie", "DIRECTED_BY", "herbert", "Person"),
        ("f1", "Movie", "HAS_KEYWORD", "1960", "Keyword"),
        ("sand", "Person", "ACTED_IN", "f1", "Movie"),
    ]
    columns = ["head_id", "head_type", "relation", "tail_id", "tail_type"]
    books = domain_of(
        "books", "Book", {"ann": "b1", "bob": "b1"}, genres={"b1": "war"}, facts=pd.DataFrame(about, columns=columns)
    )
    films = domain_of(
        "films",
        "Movie",
        {"ann": "f1", "bob": "f1"},
        genres={"f1": "war"},
        facts=pd.DataFrame(directed, columns=columns),
    )
    links = SharedEntity().links(FixedFiles().split(pair_of(books, films, test={"films": {"ann": "f1"}})))
    assert links[["source_id", "target_id", "node_type"]].to_numpy().tolist() == [
        ["war", "war", "Genre"],
        ["herbert", "herbert", "Person"],
    ]


def test_users_and_items_are_no_entities_whatever_their_subtype() -> None:
    def shop(name: str) -> DomainTables:
        row = {"head_id": ["1"], "head_type": "Book", "relation": "HAS_GENRE", "tail_id": ["war"], "tail_type": "Genre"}
        known = {"head_id": ["u"], "head_type": "User", "relation": "KNOWS", "tail_id": ["v"], "tail_type": "User"}
        facts = pd.concat([pd.DataFrame(row), pd.DataFrame(known)], ignore_index=True)
        domain = domain_of(name, "Item", {"u": "1", "v": "1"}, facts=facts)
        return replace(domain, items=domain.items.assign(item_type="Book"))

    dataset = pair_of(shop("one"), shop("two"), test={"two": {"u": "1"}})
    assert SharedEntity().links(FixedFiles().split(dataset))["node_type"].tolist() == ["Genre"]
