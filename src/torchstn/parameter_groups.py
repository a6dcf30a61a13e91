"""The slower learning rate every spatial transformer needs."""

from typing import Any

from torch import nn

from .spatial_transformer import SpatialTransformer


def parameter_groups(model: nn.Module, lr: float, localisation_scale: float = 0.1) -> list[dict[str, Any]]:
    """Parameter groups for an optimiser: the localisation networks learn at `lr * localisation_scale`.

    The paper used 0.1 on street numbers and 1e-4 on birds; a localisation network that learns as fast as the
    rest is the common cause of a transformer that leaves the image and never comes back.

    Args:
        model: Any model that holds SpatialTransformers, or none.
        lr: Learning rate of the rest.
        localisation_scale: Factor for localisation networks, their heads, and learned transforms.

    Returns:
        Two groups, the rest first, each with "name", "params" and "lr"; empty ones are left out.

    Raises:
        ValueError: If a rate is negative.
    """
    if not lr >= 0 or not localisation_scale >= 0:
        raise ValueError(
            f"`lr` and `localisation_scale` must not be negative, got {lr!r} and {localisation_scale!r}."
        )
    slow = {
        id(parameter)
        for module in model.modules()
        if isinstance(module, SpatialTransformer)
        for parameter in module.parameters()
    }
    parameters = list(model.parameters())
    groups = [
        {"name": "rest", "params": [p for p in parameters if id(p) not in slow], "lr": lr},
        {
            "name": "localisation",
            "params": [p for p in parameters if id(p) in slow],
            "lr": lr * localisation_scale,
        },
    ]
    return [group for group in groups if group["params"]]
