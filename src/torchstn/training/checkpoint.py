"""The whole state of a training in one safetensors file: tensors as tensors, scalars as JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from .files import atomic_write
from .shared import with_copies, without_copies

_FORMAT = "torchstn-checkpoint-1"
_SHARED = "shared"
"""In a file's metadata: further names of the tensors in it."""
_DAMAGES = (SafetensorError, OSError, ValueError, KeyError)


@dataclass(frozen=True)
class Checkpoint:
    """What a training needs to go on as if it had never stopped.

    Attributes:
        step: Optimiser steps made so far.
        tensors: Every tensor of the state, by group: `{"model": {name: tensor}, ...}`.
        scalars: Everything else, by group; whatever JSON can hold.
    """

    step: int
    tensors: Mapping[str, Mapping[str, Tensor]]
    scalars: Mapping[str, Any] = field(default_factory=dict)


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Writes a checkpoint, whole or not at all.

    Args:
        path: The file to write.
        checkpoint: The state. Python floats survive the JSON exactly.

    Raises:
        TypeError: If a scalar is nothing that JSON can hold.
    """
    named = {
        f"{group}/{name}": tensor
        for group, tensors in checkpoint.tensors.items()
        for name, tensor in tensors.items()
    }
    metadata = {
        "format": _FORMAT,
        "step": str(checkpoint.step),
        "scalars": json.dumps(checkpoint.scalars),
    }
    _write(path, named, metadata)


def read_checkpoint(path: Path) -> Checkpoint:
    """Reads what `write_checkpoint` wrote; nothing in the file is ever executed.

    Args:
        path: The file.

    Returns:
        The state, tensors on the CPU.

    Raises:
        ValueError: If the file is damaged or is no checkpoint of this library.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            flat = _read(file)
    except _DAMAGES as error:
        raise _unreadable(path, error) from error
    if metadata.get("format") != _FORMAT:
        raise ValueError(
            f"`{path}` is no checkpoint of a torchstn training: its format is "
            f"{metadata.get('format')!r}, not {_FORMAT!r}."
        )
    tensors: dict[str, dict[str, Tensor]] = {}
    for key, tensor in flat.items():
        group, _, name = key.partition("/")
        tensors.setdefault(group, {})[name] = tensor
    try:
        step, scalars = int(metadata["step"]), dict(json.loads(metadata["scalars"]).items())
    except (KeyError, ValueError, AttributeError) as error:
        raise _unreadable(path, error) from error
    return Checkpoint(step, tensors, scalars)


def _unreadable(path: Path, error: Exception) -> ValueError:
    return ValueError(
        f"`{path}` cannot be read as a checkpoint ({error}); remove it to go on from an earlier one."
    )


def split_optimiser(state: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Splits an optimiser's `state_dict` into tensors and what JSON can hold."""
    tensors: dict[str, Tensor] = {}
    scalars: dict[str, dict[str, Any]] = {}
    for index, values in state["state"].items():
        scalars[str(index)] = {}
        for name, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"{index}/{name}"] = value
            else:
                scalars[str(index)][name] = value
    return tensors, {"state": scalars, "param_groups": state["param_groups"]}


def join_optimiser(tensors: Mapping[str, Tensor], scalars: Mapping[str, Any]) -> dict[str, Any]:
    """Puts together what `split_optimiser` took apart."""
    state: dict[int, dict[str, Any]] = {int(i): dict(values) for i, values in scalars["state"].items()}
    for key, tensor in tensors.items():
        index, _, name = key.partition("/")
        state.setdefault(int(index), {})[name] = tensor
    groups = [
        {name: value if name == "params" else _as_stored(value) for name, value in group.items()}
        for group in scalars["param_groups"]
    ]
    return {"state": state, "param_groups": groups}


def _as_stored(value: Any) -> Any:
    """JSON turns tuples (such as `betas`) into lists, those in tuples too; only `params` was one before."""
    return tuple(map(_as_stored, value)) if isinstance(value, list) else value


def load_weights(path: Path) -> dict[str, Tensor]:
    """Reads a file of weights and nothing else.

    Raises:
        ValueError: If the file is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return _read(file)
    except _DAMAGES as error:
        raise ValueError(f"`{path}` cannot be read as safetensors weights: {error}.") from error


def save_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Writes weights alone, as every safetensors reader understands them; equal weights are equal files."""
    _write(path, weights, {"format": "pt"})


def _write(path: Path, named: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    kept, others = without_copies(named)
    tensors = {name: tensor.detach().contiguous().cpu() for name, tensor in kept.items()}
    if others:
        metadata[_SHARED] = json.dumps(others)
    atomic_write(path, _in_order(save(tensors, metadata)))


def _in_order(file: bytes) -> bytes:
    """The same file, its metadata sorted: safetensors writes them in another order in every process."""
    end = 8 + int.from_bytes(file[:8], "little")
    header = json.loads(file[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return b"".join((len(text).to_bytes(8, "little"), text, memoryview(file)[end:]))


def _read(file: Any) -> dict[str, Tensor]:
    tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return with_copies(tensors, json.loads((file.metadata() or {}).get(_SHARED, "{}")))
