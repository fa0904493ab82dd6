"""A model on disk: comes back exactly, and is refused in one line where it is damaged."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer.recommender import Catalogue, DomainVectors, Recommender
from kgxfer.recommender_store import load_recommender, save_recommender
from tests.networks import small_split

FILES = [
    "items-source.parquet", "items-target.parquet", "recommender.json", "seen-source.parquet", "seen-target.parquet",
    "users.parquet", "vectors.safetensors",
]  # fmt: skip


@pytest.fixture(scope="module")
def recommender() -> Recommender:
    """Random vectors, those of the domains of different size, for the people of the small world."""
    catalogue, drawn = Catalogue.of(small_split()), np.random.default_rng(0)
    vectors = tuple(
        DomainVectors(
            drawn.normal(size=(len(catalogue.user_ids), dim)).astype(np.float32),
            # As slices of larger arrays often are, not contiguous.
            drawn.normal(size=(dim, len(items))).astype(np.float32).T,
            drawn.normal(size=len(items)).astype(np.float32),
            scale,
        )
        for items, dim, scale in zip(catalogue.items, (3, 2), (0.1, 1 / 3), strict=True)
    )
    return Recommender(catalogue, (vectors[0], vectors[1]), {"model": {"dim": 3, "名": "值"}, "seed": 4})


@pytest.fixture
def saved(recommender: Recommender, tmp_path: Path) -> Path:
    save_recommender(recommender, tmp_path / "models" / "one")
    return tmp_path / "models" / "one"


def test_a_model_comes_back_exactly(recommender: Recommender, saved: Path) -> None:
    loaded = load_recommender(saved)
    assert sorted(path.name for path in saved.iterdir()) == FILES
    assert [path.name for path in saved.parent.iterdir()] == ["one"]
    assert loaded.manifest == recommender.manifest
    ours, theirs = recommender.catalogue, loaded.catalogue
    assert theirs.domain_names == ours.domain_names
    assert theirs.user_ids.tolist() == ours.user_ids.tolist() and theirs.user_ids.name == "user_id"
    for domain in (0, 1):
        pd.testing.assert_frame_equal(theirs.items[domain], ours.items[domain])
        assert (theirs.seen[domain] != ours.seen[domain]).nnz == 0 and theirs.seen[domain].dtype == bool
        one, other = recommender.vectors[domain], loaded.vectors[domain]
        assert one.scale == other.scale
        for name in ("users", "items", "offset"):
            before, after = getattr(one, name), getattr(other, name)
            assert np.array_equal(before, after) and before.dtype == after.dtype == np.float32
        name = ours.domain_names[domain]
        pd.testing.assert_frame_equal(
            loaded.recommend(ours.user_ids, 3, name), recommender.recommend(ours.user_ids, 3, name)
        )


def test_a_folder_that_exists_is_left_alone(recommender: Recommender, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "mine").write_text("keep")
    with pytest.raises(InputError, match=r"exists already; give another folder or remove it"):
        save_recommender(recommender, tmp_path / "one")
    assert [path.name for path in tmp_path.rglob("*")] == ["one", "mine"]


def test_a_full_disk_leaves_nothing(recommender: Recommender, small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(24_000))
    with pytest.raises(InputError, match="no space left while writing"):
        save_recommender(recommender, small_disk / "one")
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


def test_vectors_that_do_not_fit_the_disk_leave_nothing(recommender: Recommender, small_disk: Path) -> None:
    """The first file that is written is the one that fails, in a library that reports it in its own way."""
    large = DomainVectors(
        np.zeros((9, 2000), np.float32), np.zeros((4, 2000), np.float32), np.zeros(4, np.float32), 1.0
    )
    with pytest.raises(InputError, match="no space left while writing"):
        save_recommender(Recommender(recommender.catalogue, (large, large)), small_disk / "one")
    assert not list(small_disk.iterdir())


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["missing", "cut", "foreign"])
def test_a_damaged_model_is_named_in_one_line(saved: Path, name: str, damage: str) -> None:
    path = saved / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"not one of ours")
    absent = (name, damage) == ("recommender.json", "missing")
    words = "holds no saved model" if absent else "is damaged .*; train it again or restore the folder"
    with pytest.raises(InputError, match=re.escape(f'"{saved}" ') + words) as caught:
        load_recommender(saved)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", ["target.items", "source.scale"])
def test_a_missing_table_of_vectors_is_damage(saved: Path, missing: str) -> None:
    from safetensors.numpy import load_file, save_file

    tensors = load_file(saved / "vectors.safetensors")
    del tensors[missing]
    save_file(tensors, saved / "vectors.safetensors")
    with pytest.raises(InputError, match=f"is damaged .*{missing}"):
        load_recommender(saved)


def test_another_format_is_told_from_damage(saved: Path) -> None:
    path = saved / "recommender.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    with pytest.raises(InputError, match="has format 99, this version reads 1; train the model again"):
        load_recommender(saved)
