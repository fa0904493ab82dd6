"""Lightning checkpoints without pickle: tensors as safetensors, everything else as JSON beside them in the header."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import CheckpointIO
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from graph_schema.errors import InputError
from loaders.files import new_file

EXTENSION = ".safetensors"


class SafeCheckpointIO(CheckpointIO):
    """Writes to a temporary file that is renamed when complete, so a killed run leaves the last good checkpoint."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        """Write a checkpoint; InputError where the disk is full."""
        tensors: dict[str, torch.Tensor] = {}
        tree = _plain(checkpoint, tensors)
        target = Path(path)
        with new_file(target) as draft:
            save_file(tensors, draft, metadata={"tree": json.dumps(tree)})

    def load_checkpoint(
        self, path: str | Path, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a checkpoint; InputError where it is damaged or not one of ours. There are never objects in it."""
        try:
            with safe_open(str(path), framework="pt") as file:
                tree = json.loads(file.metadata()["tree"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise InputError(f'checkpoint "{path}" cannot be read ({error}); remove it and train again') from error
        checkpoint: dict[str, Any] = _restored(tree, tensors)
        return checkpoint

    def remove_checkpoint(self, path: str | Path) -> None:
        """Delete a checkpoint."""
        Path(path).unlink(missing_ok=True)


def _plain(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """Replace tensors by their names and containers by tagged lists, so that keys that are not text survive JSON."""
    if isinstance(value, torch.Tensor):
        name = f"t{len(tensors)}"
        tensors[name] = value.detach().cpu().contiguous().clone()
        return {"tensor": name}
    if isinstance(value, dict):
        return {"dict": [[_plain(key, tensors), _plain(entry, tensors)] for key, entry in value.items()]}
    if isinstance(value, tuple | list):
        return {type(value).__name__: [_plain(entry, tensors) for entry in value]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"a checkpoint cannot hold a {type(value).__name__}")


def _restored(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    (kind, content), = value.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {_restored(key, tensors): _restored(entry, tensors) for key, entry in content}
    entries = [_restored(entry, tensors) for entry in content]
    return tuple(entries) if kind == "tuple" else entries
