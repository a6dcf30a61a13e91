"""A training's objects to a checkpoint and back."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from .average import WeightAverage
from .checkpoint import Checkpoint, join_optimiser, split_optimiser


def snapshot(
    step: int,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    average: WeightAverage | None,
    scalars: Mapping[str, Any],
) -> Checkpoint:
    """Gathers everything a training needs to go on."""
    tensors, state = split_optimiser(optimiser.state_dict())
    groups = {"model": model.state_dict(), "optimiser": tensors}
    if average is not None:
        groups["average"] = average.model.state_dict()
    return Checkpoint(step, groups, {**scalars, "optimiser": state})


def restore(
    checkpoint: Checkpoint, model: nn.Module, optimiser: torch.optim.Optimizer, average: WeightAverage | None
) -> None:
    """Puts a checkpoint back into the objects of a training.

    Raises:
        ValueError: If the checkpoint is of another model or optimiser.
    """
    modules = {"model": model} | ({} if average is None else {"average": average.model})
    for name, module in modules.items():
        try:
            module.load_state_dict(checkpoint.tensors.get(name, {}))
        except RuntimeError as error:
            raise ValueError(f"The checkpoint's `{name}` weights are of another model: {error}.") from error
    try:
        optimiser.load_state_dict(
            join_optimiser(checkpoint.tensors.get("optimiser", {}), checkpoint.scalars["optimiser"])
        )
    except (KeyError, ValueError) as error:
        raise ValueError(f"The checkpoint's optimiser is of another training: {error}.") from error
