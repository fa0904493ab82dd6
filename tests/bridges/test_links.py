from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_schema import LINKS, InputError, validate
from kgxfer.bridges import BRIDGES, SharedId, propose_links, shuffle_links
from kgxfer.splits import FixedFiles, Split
from tests.worlds import Likes, domain_of, pair_of

HELD: dict[str, tuple[Likes, Likes]] = {
    "first": ({"u4": "a b"}, {"u5": "a b"}),
    "second": ({"u4": "c"}, {"u5": "c a"}),
}


def product_split(held: str) -> Split:
    """Two domains in which every bridge finds something, and held-out rows of which `held` says which they are."""
    likes = {"u1": "a b", "u2": "a b", "u3": "a c", "u4": "", "u5": ""}
    domains = [
        domain_of(
            name,
            "Product",
            {**likes, "u4" if code else "u5": "a b c", **HELD[held][code]},
            names={"a": "Lamp", "b": "Desk", "c": "Chair"},
            genres={"a": "light", "b": "wood"},
        )
        for code, name in ((0, "one"), (1, "two"))
    ]
    test = {"one": HELD[held][0], "two": {"u5": "a"} if held == "first" else {"u5": "c"}}
    valid = {"two": {"u5": "b"} if held == "first" else {"u5": "a"}}
    return FixedFiles().split(pair_of(domains[0], domains[1], test=test, valid=valid))


@pytest.mark.parametrize("name", list(BRIDGES))
def test_every_bridge_returns_a_valid_link_table(name: str) -> None:
    split = product_split("first")
    links = BRIDGES[name]().links(split)
    assert list(links.columns) == list(LINKS.names)
    assert len(links) > 0
    checked = validate(links, LINKS)
    assert checked["method"].eq(name).all()
    for column, domain in (("source_id", split.dataset.source), ("target_id", split.dataset.target)):
        known = {
            "User": set(domain.users["user_id"]),
            "Product": set(domain.items["item_id"]),
            "Genre": {"light", "wood"},
        }
        assert all(row[column] in known[row["node_type"]] for _, row in checked.iterrows())


@pytest.mark.parametrize("name", list(BRIDGES))
def test_no_bridge_reads_validation_or_test_rows(name: str) -> None:
    first, second = product_split("first"), product_split("second")
    pd.testing.assert_frame_equal(first.train, second.train)
    assert not first.test.equals(second.test)
    assert not first.valid.equals(second.valid)
    pd.testing.assert_frame_equal(BRIDGES[name]().links(first), BRIDGES[name]().links(second))


def link_rows(*rows: tuple[str, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["source_id", "target_id", "node_type"])
    return validate(frame.assign(confidence=1.0, method="hand", evidence=""), LINKS)


def test_proposals_are_joined_and_kept_once_the_data_sets_own_first() -> None:
    given = link_rows(("u1", "u1", "User"), ("u1", "u2", "User"))
    plain = product_split("first").dataset
    split = FixedFiles().split(pair_of(plain.source, plain.target, test={"two": {"u5": "a"}}, links=given))
    links = propose_links(split, ["shared_id", SharedId(), "same_name"])
    pairs = [f"{row.source_id} {row.target_id} {row.method}" for row in links.itertuples()]
    assert pairs == [
        "u1 u1 hand",
        "u1 u2 hand",
        "u2 u2 shared_id",
        "u3 u3 shared_id",
        "u4 u4 shared_id",
        "u5 u5 shared_id",
        "a a same_name",
        "b b same_name",
        "c c same_name",
    ]


def test_no_bridge_proposes_no_link() -> None:
    links = propose_links(product_split("first"), [])
    assert list(links.columns) == list(LINKS.names)
    assert links.empty


def test_an_unknown_bridge_is_named_with_the_nearest() -> None:
    with pytest.raises(InputError, match='unknown bridge "shared_ids"; did you mean "shared_id"?'):
        propose_links(product_split("first"), ["shared_ids"])


@settings(max_examples=50)
@given(
    st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from(["User", "Genre"])), max_size=25),
    st.integers(0, 2**20),
)
def test_shuffled_links_are_as_many_among_the_same_nodes(rows: set[tuple[int, int, str]], seed: int) -> None:
    links = link_rows(*((f"s{source}", f"t{target}", kind) for source, target, kind in sorted(rows)))
    shuffled = shuffle_links(links, np.random.default_rng(seed))
    assert shuffled[["source_id", "node_type"]].equals(links[["source_id", "node_type"]])
    assert shuffled["method"].eq("hand (shuffled)").all()
    for kind in ("User", "Genre"):
        before, after = (table[table["node_type"] == kind]["target_id"] for table in (links, shuffled))
        assert set(before) == set(after)
        assert sorted(before.value_counts()) == sorted(after.value_counts())
    assert not shuffled.duplicated(["source_id", "target_id", "node_type"]).any()


def test_shuffled_links_are_of_the_relation_and_confidence_that_they_were() -> None:
    links = link_rows(("a", "x", "Item"), ("b", "y", "Item"), ("u", "u", "User")).assign(
        relation=["SIMILAR_TO", "SIMILAR_TO", "SAME_AS"], confidence=[0.5, 0.25, 1.0]
    )
    shuffled = shuffle_links(links, np.random.default_rng(0))
    assert shuffled[["relation", "confidence"]].equals(links[["relation", "confidence"]])
    assert shuffled["target_id"].tolist() == ["y", "x", "u"]


@pytest.mark.parametrize("people", [2, 3, 50])
def test_shuffling_breaks_every_pair_of_a_one_to_one_link(people: int) -> None:
    links = link_rows(*((f"u{number}", f"u{number}", "User") for number in range(people)))
    seen = set()
    for seed in range(10):
        shuffled = shuffle_links(links, np.random.default_rng(seed))
        assert (shuffled["source_id"] != shuffled["target_id"]).all()
        seen.add(tuple(shuffled["target_id"]))
    assert len(seen) == {2: 1, 3: 2}.get(people, 10)
    pd.testing.assert_frame_equal(shuffled, shuffle_links(links, np.random.default_rng(seed)))


def test_shuffling_no_links_gives_no_links() -> None:
    assert shuffle_links(LINKS.empty(), np.random.default_rng(0)).empty
