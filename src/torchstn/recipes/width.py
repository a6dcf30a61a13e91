"""How wide a network has to be to have so many parameters."""

from collections.abc import Callable

import torch
from torch import nn

_LARGEST = 4096


def count_parameters(module: nn.Module | None) -> int:
    """Learnable numbers in a module; none in None."""
    return 0 if module is None else sum(p.numel() for p in module.parameters() if p.requires_grad)


def width_for(budget: int, build: Callable[[int], nn.Module]) -> int:
    """The width at which a network comes nearest to a budget of parameters.

    Args:
        budget: Learnable numbers to have.
        build: Makes the network of a width; its count must grow with it. Called without memory.

    Returns:
        The width, at least 1.

    Raises:
        ValueError: If even width 1 is more than the budget.
    """

    def count(width: int) -> int:
        with torch.device("meta"):
            return count_parameters(build(width))

    if count(1) > budget:
        raise ValueError(
            f"`parameters` leaves {budget} for the classifier, which needs at least {count(1)}; allow more."
        )
    low, high = 1, _LARGEST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) <= budget else (low, middle)
    return min((low, high), key=lambda width: abs(count(width) - budget))
