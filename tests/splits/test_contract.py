"""What every protocol of the registry must keep, on random worlds; a new one is tested without a line being added."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from graph_schema import InputError
from kgxfer.bridges import propose_links
from kgxfer.graph import USER, build_graph
from kgxfer.splits import SPLITS, FixedFiles, Split, cross_fit, keep_overlap, load_split, save_split
from kgxfer.splits.split import REFITTED
from loaders import CrossDomainDataset, DomainTables, pair

VARIANTS: dict[str, list[dict[str, Any]]] = {
    "cold_start_users": [{}, {"domains": ("source", "target"), "test_share": 0.15}, {"pseudo_cold_share": 0}],
    "cold_start_items": [{}, {"domains": ("source", "target")}, {"pseudo_cold_share": 0}],
    "leave_one_out": [{}, {"domains": ("source", "target")}, {"validation": False, "minimum_rows": 2}],
    "temporal": [{}, {"cut": "per_user", "test_share": 0.3}, {"valid_share": 0}, {"test_from": "1970-01-01T00:00:30Z"}],
    "ratio": [{}, {"domains": ("source", "target"), "test_share": 0.4}, {"valid_share": 0}],
    "fixed_files": [{}, {"choose_on": "pseudo_cold_users"}, {"choose_on": "training_rows", "valid_share": 0.5}],
}
every_protocol = pytest.mark.parametrize(
    ("name", "variant"), [(name, variant) for name in SPLITS for variant in VARIANTS.get(name, [{}])], ids=str
)
worlds, seeds = st.integers(0, 11), st.integers(0, 2**31)
Cell = tuple[str, str, str]


def domain_at_random(name: str, item_type: str, generator: np.random.Generator) -> DomainTables:
    """Of 16 users and 10 items a third of the cells, few distinct times, ratings from 1 to 5."""
    user, item = np.nonzero(generator.random((16, 10)) < 0.35)
    ids = [f"u{number}" if number < 12 else f"{name}-{number}" for number in range(16)]
    times = generator.integers(0, 40, len(user))
    frame = {"user_id": np.array(ids)[user], "item_id": item, "rating": generator.integers(1, 6, len(user))}
    return DomainTables.from_frames(name, pd.DataFrame(frame).assign(timestamp=times), item_type=item_type)


@cache
def world(seed: int) -> CrossDomainDataset:
    """Two random domains; fixed parts hold all film rows of some users, and single ones of others."""
    generator = np.random.default_rng(seed)
    books, films = (
        domain_at_random(name, kind, generator) for name, kind in (("books", "Book"), ("films", "Movie"))
    )
    rows = films.interactions.assign(domain="films")[["domain", "user_id", "item_id"]]
    cold = rows["user_id"].isin(["u0", "u1", "u2"]).to_numpy() | (generator.random(len(rows)) < 0.05)
    valid = cold & (generator.random(len(rows)) < 0.4)
    fixed = {"test": rows[cold & ~valid], "valid": rows[valid]}
    return pair("world", books, films, positive_from=(None, 2.0, 3.0)[generator.integers(3)], fixed=fixed)


def split_at_random(name: str, variant: dict[str, Any], data: int, seed: int) -> Split:
    try:
        return SPLITS[name](**variant).split(world(data), rng=seed)
    except InputError:
        reject()


def cells(table: pd.DataFrame) -> list[Cell]:
    return [(str(a), str(b), str(c)) for a, b, c in table[["domain", "user_id", "item_id"]].to_numpy()]


def users(table: pd.DataFrame) -> set[tuple[str, str]]:
    return {(domain, user) for domain, user, _ in cells(table)}


def items(table: pd.DataFrame) -> set[tuple[str, str]]:
    return {(domain, item) for domain, _, item in cells(table)}


def check_cold(split: Split) -> None:
    """Cold users and cold items have no training row where they are cold, and no test user is left out."""
    listed = {(domain, user) for domain, user in split.cold_users.to_numpy()}
    assert listed == users(split.test) - users(split.train)
    assert len(listed) == len(split.cold_users)
    for part in ("valid", "test"):
        for domain in ("books", "films"):
            rows = split.rows(part, domain, relevant=False)
            candidates = split.candidates(part, domain)
            if candidates is not None:
                assert set(rows["item_id"]) <= set(candidates)
                assert not {(domain, item) for item in candidates} & items(split.train)


def in_graph(split: Split, combine: str) -> list[Cell]:
    """The interactions of the graph, by the ids that its vocabularies give."""
    graph = build_graph(split, propose_links(split, ["shared_id"]), combine=combine)
    found: list[Cell] = []
    for code, domain in enumerate(split.dataset.domains):
        names = [
            keys[keys["domain"] == code].set_index("row")["id"]
            for keys in (graph.nodes[USER].keys, graph.nodes[domain.item_type].keys)
        ]
        edges = graph.interactions(code)
        found += [(domain.domain, a, b) for a, b in zip(names[0][edges.head], names[1][edges.tail], strict=True)]
    return found


@every_protocol
@settings(max_examples=10)
@given(worlds, seeds)
def test_parts_are_disjoint_and_together_all_rows_and_follow_from_the_seed(
    name: str, variant: dict[str, Any], data: int, seed: int
) -> None:
    split = split_at_random(name, variant, data, seed)
    parts = cells(split.train) + cells(split.valid) + cells(split.test)
    domains = split.dataset.domains
    every = {cell for tables in domains for cell in cells(tables.interactions.assign(domain=tables.domain))}
    unused = set(cells(split.dataset.fixed["valid"])) if variant.get("choose_on", "files") != "files" else set()
    assert len(parts) == len(set(parts))
    assert set(parts) == every - unused
    assert split.fingerprint == split_at_random(name, variant, data, seed).fingerprint


@every_protocol
@settings(max_examples=10)
@given(worlds, seeds)
def test_the_cold_are_cold_and_validation_rows_are_what_the_split_calls_them(
    name: str, variant: dict[str, Any], data: int, seed: int
) -> None:
    split = split_at_random(name, variant, data, seed)
    check_cold(split)
    assert (split.validation == "none") == split.valid.empty
    choosing, known = users(split.valid), users(split.train)
    if split.validation == "rows of warm users":
        assert choosing <= known
    elif split.validation == "pseudo-cold users":
        assert not choosing & (known | users(split.test))
    elif split.validation == "pseudo-cold items":
        assert not items(split.valid) & (items(split.train) | items(split.test))
    elif split.validation == "rows of an earlier time":
        assert split.train["timestamp"].max() < split.valid["timestamp"].min()
        assert split.valid["timestamp"].max() < split.test["timestamp"].min()
    else:
        assert split.validation in ("none", "rows of the test users")


@every_protocol
@settings(max_examples=5)
@given(worlds, seeds, st.sampled_from(["same_as_edges", "collapse"]))
def test_no_held_out_row_reaches_the_graph(
    name: str, variant: dict[str, Any], data: int, seed: int, combine: str
) -> None:
    split = split_at_random(name, variant, data, seed)
    found = in_graph(split, combine)
    assert sorted(found) == sorted(cells(split.train[split.train["relevant"]]))
    assert not set(found) & set(cells(split.valid) + cells(split.test))


@every_protocol
@settings(max_examples=5)
@given(worlds, seeds)
def test_a_refit_learns_from_the_validation_rows_and_tests_the_same(
    name: str, variant: dict[str, Any], data: int, seed: int
) -> None:
    split = split_at_random(name, variant, data, seed)
    if split.validation not in REFITTED:
        with pytest.raises(InputError, match=f"choosing here was on: {split.validation}; hide pseudo-cold users"):
            split.for_refit()
        return
    refit = split.for_refit()
    assert cells(refit.train) == cells(split.train) + cells(split.valid)
    assert refit.valid.empty
    assert refit.test is split.test
    assert refit.validation == f"{split.validation}, then refitted"
    check_cold(refit)
    if split.validation != "rows of an earlier time" and name != "cold_start_items":
        assert users(refit.cold_users.assign(item_id="")) == users(split.cold_users.assign(item_id=""))
    with pytest.raises(InputError, match="then refitted; hide pseudo-cold users"):
        refit.for_refit()


@every_protocol
@settings(max_examples=3)
@given(worlds, seeds)
def test_a_frozen_split_is_loaded_as_it_was(name: str, variant: dict[str, Any], data: int, seed: int) -> None:
    split = split_at_random(name, variant, data, seed)
    with TemporaryDirectory() as scratch:
        save_split(split, Path(scratch) / "split")
        loaded = load_split(Path(scratch) / "split", world(data))
    assert (loaded.protocol, loaded.validation, loaded.fingerprint) == (
        split.protocol,
        split.validation,
        split.fingerprint,
    )
    assert list(loaded.tables()) == list(split.tables())
    for table, expected in split.tables().items():
        pd.testing.assert_frame_equal(loaded.tables()[table], expected)


@every_protocol
@settings(max_examples=5)
@given(worlds, seeds, st.sampled_from([0.0, 0.05, 0.2, 0.5, 1.0]))
def test_separated_users_lose_their_link_and_nothing_else_changes(
    name: str, variant: dict[str, Any], data: int, seed: int, ratio: float
) -> None:
    split = split_at_random(name, variant, data, seed)
    known = [set(split.rows("train", domain)["user_id"]) for domain in ("books", "films")]
    held = {user for _, user in users(split.valid) | users(split.test)}
    if not (known[0] & known[1]) - held:
        with pytest.raises(InputError, match="every overlapping training user has validation or test rows"):
            keep_overlap(split, ratio, seed)
        return
    fewer = keep_overlap(split, ratio, seed)
    renamed = split.train["user_id"].ne(fewer.train["user_id"]).to_numpy()
    assert set(split.train["domain"][renamed]) <= {"books"}
    assert fewer.train[~renamed].equals(split.train[~renamed])
    assert fewer.valid is split.valid
    assert fewer.test is split.test
    shared = set(split.dataset.overlapping_users) - set(fewer.dataset.overlapping_users)
    assert shared == set(split.train["user_id"][renamed])
    assert shared <= (known[0] & known[1]) - held
    assert len(shared) == len((known[0] & known[1]) - held) - round(ratio * len((known[0] & known[1]) - held))
    check_cold(fewer)
    if name == "cold_start_users":
        assert sorted(in_graph(fewer, "collapse")) == sorted(cells(fewer.train[fewer.train["relevant"]]))


@settings(max_examples=12)
@given(worlds, seeds)
def test_cross_fitting_tests_every_row_once_and_never_chooses_on_a_tested_user(data: int, seed: int) -> None:
    try:
        split = FixedFiles().split(world(data))
        halves = cross_fit(split, seed)
    except InputError:
        reject()
    for part in ("valid", "test"):
        both = [row for half in halves for row in cells(getattr(half, part))]
        assert sorted(both) == sorted(cells(getattr(split, part)))
    for half in halves:
        assert not users(half.valid) & users(half.test)
        assert half.train is split.train
        check_cold(half)
