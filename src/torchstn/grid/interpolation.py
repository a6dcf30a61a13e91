"""Linear interpolation of a field at any points, constant beyond its outermost pixels."""

import torch
from torch import Tensor

from .._taps import Tap, weighted_sum
from .lattice import to_pixels


def interpolate(field: Tensor, points: Tensor, align_corners: bool) -> Tensor:
    """Values of `field` (n or 1, c, *size) at normalised `points` (n or 1, *out, d), as (n, c, *out).

    A point that is not finite gives NaN.
    """
    size = field.shape[2:]
    finite = points.isfinite().all(-1)
    axes = []
    for axis, length in enumerate(size):
        coordinate = torch.where(finite, points[..., -1 - axis], 0.0)
        pixel = to_pixels(coordinate, length, align_corners).clamp(0, length - 1)
        low = pixel.floor()
        fraction = pixel - low
        index = low.long()
        high = (index + 1).clamp(max=length - 1)
        axes.append([Tap(index, 1 - fraction), Tap(high, fraction)])
    return torch.where(finite.unsqueeze(1), weighted_sum(field, axes), float("nan"))
