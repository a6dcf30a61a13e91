"""Smooth bounds: the identity in, exactly the identity out, with slope one there."""

import torch
from torch import Tensor


def within(raw: Tensor, start: Tensor, low: float | None, high: float | None) -> Tensor:
    """Adds raw to the start, bent smoothly so that it stays between `low` and `high`.

    Slope one and curvature zero at the start on both sides, so a bound changes nothing about how training
    begins.

    Args:
        raw: Any shape.
        start: What `raw` = 0 gives, exactly; inside the bounds.
        low: Lower bound, or None.
        high: Upper bound, or None.
    """
    up = raw.clamp(min=0)
    down = raw.clamp(max=0)
    if high is not None:
        up = (high - start) * torch.tanh(up / (high - start))
    if low is not None:
        down = (start - low) * torch.tanh(down / (start - low))
    return start + (up + down)


def around(raw: Tensor, start: Tensor, reach: float | None) -> Tensor:
    """Adds raw to the start, at most `reach` away from the start; unbounded for None."""
    return start + (raw if reach is None else reach * torch.tanh(raw / reach))
