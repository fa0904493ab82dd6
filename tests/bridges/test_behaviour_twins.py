from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_schema import InputError
from kgxfer.bridges import BehaviourTwins, twin_pairs
from kgxfer.bridges.behaviour_twins import BehaviourTwinsConfig
from kgxfer.splits import FixedFiles
from tests.worlds import domain_of, pair_of, split_of

SOURCE = {"ann": "b1 b2", "bob": "b1 b2", "cem": "b1 b3", "dee": "b2", "only": "b1 b2", "zoe": "b3"}
TARGET = {"ann": "f1 f2", "bob": "f1 f2", "cem": "f1 f3", "dee": "f1", "zoe": "f3 f4", "stranger": "f1 f2"}
TEST = {"films": {"zoe": "f4"}}


def test_the_jaccard_index_by_hand() -> None:
    """Users active in both: ann, bob, cem, dee, zoe; "only" and "stranger" do not count.

    b1 {ann bob cem}, b2 {ann bob dee}, b3 {cem zoe}; f1 {ann bob cem dee}, f2 {ann bob}, f3 {cem zoe}.
    b1-f1 3/4, b1-f2 2/3, b2-f1 3/4, b2-f2 2/3, b3-f3 2/2; b1-f3 and b3-f1 have one common user only.
    """
    pairs = twin_pairs(split_of(SOURCE, TARGET, TEST)).sort_values(["source_id", "target_id"])
    assert pairs[["source_id", "target_id", "common"]].to_numpy().tolist() == [
        ["b1", "f1", 3],
        ["b1", "f2", 2],
        ["b2", "f1", 3],
        ["b2", "f2", 2],
        ["b3", "f3", 2],
    ]
    assert pairs["jaccard"].tolist() == pytest.approx([3 / 4, 2 / 3, 3 / 4, 2 / 3, 1])


@pytest.mark.parametrize(
    ("settings_", "expected"),
    [
        ({"minimum_common_users": 3}, ["b1 f1", "b2 f1"]),
        ({"minimum_jaccard": 0.75}, ["b1 f1", "b2 f1", "b3 f3"]),
        ({"minimum_jaccard": 0.76}, ["b3 f3"]),
        ({"minimum_common_users": 6}, []),
    ],
)
def test_thresholds_are_inclusive(settings_: dict[str, float], expected: list[str]) -> None:
    pairs = twin_pairs(split_of(SOURCE, TARGET, TEST), BehaviourTwinsConfig(**settings_))
    assert sorted(pairs["source_id"] + " " + pairs["target_id"]) == expected


LIKES = st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=5, max_size=5)


@settings(max_examples=15)
@given(LIKES, LIKES)
def test_pairs_are_those_of_a_plain_count(ours: list[list[bool]], theirs: list[list[bool]]) -> None:
    likes = [
        {f"u{u}": " ".join(f"{letter}{i}" for i, yes in enumerate(row) if yes) for u, row in enumerate(table)}
        for letter, table in (("b", ours), ("f", theirs))
    ]
    source, target = (
        {**table, "s": f"{letter}0", "t": f"{letter}1"} for letter, table in zip("bf", likes, strict=True)
    )
    split = split_of(source, target, {"films": {"s": "f0"}})
    kept = {**target, "s": ""}
    both = [user for user in source if source[user] and kept[user]]
    fans = {
        item: {user for user in both if item in table[user].split()}
        for table, items in ((source, "b0 b1 b2 b3"), (kept, "f0 f1 f2 f3"))
        for item in items.split()
    }
    expected = {
        (b, f): len(fans[b] & fans[f]) / len(fans[b] | fans[f])
        for b in fans
        for f in fans
        if b[0] == "b" and f[0] == "f" and len(fans[b] & fans[f]) >= 2
    }
    pairs = twin_pairs(split)
    found = dict(zip(zip(pairs["source_id"], pairs["target_id"], strict=True), pairs["jaccard"], strict=True))
    assert found == pytest.approx({pair: value for pair, value in expected.items() if value >= 0.5})


def test_only_relevant_training_rows_count() -> None:
    rated = {"ann": "b1:5", "bob": "b1:5", "cem": "b1:5", "dee": "b1:5"}
    books = domain_of("a", "Product", rated)
    music = domain_of("b", "Product", {"ann": "m:5", "bob": "m:5", "cem": "m:1", "dee": "m:5"})
    split = FixedFiles().split(pair_of(books, music, test={"b": {"dee": "m"}}, positive_from=3))
    # cem's rating is too low and dee's row is held out, so two common users are left, active in both.
    assert twin_pairs(split).to_numpy().tolist() == [["b1", "m", 2, 1.0]]
    links = BehaviourTwins().links(split)
    assert links.to_dict("records") == [
        {
            "source_id": "b1",
            "target_id": "m",
            "node_type": "Product",
            "confidence": 1.0,
            "method": "behaviour_twins",
            "evidence": "2 common users",
            "relation": "SAME_AS",
        }
    ]


def test_as_a_bridge_it_needs_one_item_type() -> None:
    with pytest.raises(InputError) as caught:
        BehaviourTwins().links(split_of(SOURCE, TARGET, TEST))
    assert str(caught.value) == (
        'bridge behaviour_twins: "books" holds Book and "films" Movie; only items of one type can be the same thing'
    )


def test_wrong_settings_are_one_clear_line() -> None:
    with pytest.raises(InputError, match="bridge behaviour_twins, key minimum_jaccard: input should be greater than 0"):
        BehaviourTwins(minimum_jaccard=0)
