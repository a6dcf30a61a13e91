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
    # Not two clamps: both pass the gradient at zero, where training starts, and the slope there would be two.
    up = torch.where(raw > 0, raw, 0.0)
    down = torch.where(raw > 0, 0.0, raw)
    if high is not None:
        up = (high - start) * torch.tanh(up / (high - start))
    if low is not None:
        down = (start - low) * torch.tanh(down / (start - low))
    result = start + (up + down)
    if low is None and high is None:
        return result
    return result.clamp(low, high)  # the sum may round past a bound


def around(raw: Tensor, start: Tensor, reach: float | None) -> Tensor:
    """Adds raw to the start, at most `reach` away from the start; unbounded for None."""
    return start + (raw if reach is None else reach * torch.tanh(raw / reach))
