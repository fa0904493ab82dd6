"""A recommender on disk: safetensors for vectors, Parquet for ids, JSON for the manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from scipy import sparse

from graph_schema.errors import InputError
from kgxfer.recommender import Catalogue, DomainVectors, Propagation, Recommender
from loaders.files import new_folder

FORMAT = 1
_ROLES = ("source", "target")
_EMBEDDING = "embedding."


def save_recommender(recommender: Recommender, folder: Path) -> None:
    """Write a recommender; the folder appears complete or not at all.

    Raises:
        InputError: the folder exists already, or the disk is full.
    """
    catalogue = recommender.catalogue
    tensors: dict[str, np.ndarray] = {}
    for role, vectors in zip(_ROLES, recommender.vectors, strict=True):
        tensors |= {f"{role}.users": vectors.users, f"{role}.items": vectors.items, f"{role}.offset": vectors.offset}
        tensors[f"{role}.scale"] = np.array([vectors.scale], dtype=np.float64)
    description = {"format": FORMAT, "domains": list(catalogue.domain_names), "manifest": recommender.manifest}
    if (how := recommender.propagation) is not None:
        # A version that does not know of it reads past it, and an older model goes without: the format stays.
        description["propagation"] = {"layers": how.layers, "gates": how.gates, "graph": how.graph}
        tensors |= {f"{_EMBEDDING}{kind}": table for kind, table in how.embeddings.items()}
    with new_folder(folder) as draft:
        laid_out = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
        save_file(laid_out, draft / "vectors.safetensors")
        catalogue.user_ids.to_frame(index=False).to_parquet(draft / "users.parquet")
        for role, items, seen in zip(_ROLES, catalogue.items, catalogue.seen, strict=True):
            items.to_parquet(draft / f"items-{role}.parquet")
            places = seen.tocoo()
            pd.DataFrame({"user": places.row, "item": places.col}).to_parquet(draft / f"seen-{role}.parquet")
        (draft / "recommender.json").write_text(json.dumps(description, ensure_ascii=False, indent=1))


def load_recommender(folder: Path) -> Recommender:
    """Read a recommender that `save_recommender` wrote.

    Raises:
        InputError: no recommender lies there, it is incomplete or damaged, or it has another format.
    """
    path = folder / "recommender.json"
    if not path.is_file():
        saved = next(iter(sorted(folder.glob("models/*/recommender.json"))), None)
        below = "a folder below models/ of a run" if saved is None else f'one below models/, as "{saved.parent}"'
        raise InputError(f'"{folder}" holds no saved model (no recommender.json); give {below}')
    try:
        description = json.loads(path.read_text())
        if description["format"] != FORMAT:
            found = description["format"]
            raise InputError(f'"{path}" has format {found}, this version reads {FORMAT}; train the model again')
        return _read(folder, description)
    except InputError:
        raise
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        problem = " ".join(str(error).split())
        raise InputError(f'model "{folder}" is damaged ({problem}); train it again or restore the folder') from error


def _read(folder: Path, description: dict[str, Any]) -> Recommender:
    tensors = load_file(folder / "vectors.safetensors")
    users = pd.Index(pd.read_parquet(folder / "users.parquet")["user_id"], name="user_id")
    items, seen, vectors = [], [], []
    for role in _ROLES:
        items.append(pd.read_parquet(folder / f"items-{role}.parquet"))
        places = pd.read_parquet(folder / f"seen-{role}.parquet")
        marks = (np.ones(len(places), dtype=bool), (places["user"], places["item"]))
        seen.append(sparse.csr_matrix(marks, shape=(len(users), len(items[-1]))))
        of_users, of_items, offset = (tensors[f"{role}.{name}"] for name in ("users", "items", "offset"))
        vectors.append(DomainVectors(of_users, of_items, offset, float(tensors[f"{role}.scale"][0])))
    source, target = description["domains"]
    catalogue = Catalogue((source, target), users, (items[0], items[1]), (seen[0], seen[1]))
    how = None
    if "propagation" in description:
        tables = {name: table for name, table in tensors.items() if name.startswith(_EMBEDDING)}
        embeddings = {name.removeprefix(_EMBEDDING): table for name, table in tables.items()}
        how = Propagation(**description["propagation"], embeddings=embeddings)
    return Recommender(catalogue, (vectors[0], vectors[1]), description["manifest"], how)
