"""Where the sampler's tests read: points chosen in pixels, handed over normalised."""

from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor

DTYPES = {"float64": torch.float64, "float32": torch.float32}


def to_normalised(pixels: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """Pixel coordinates (..., d), x first, as `F.grid_sample` takes them for an image of `size`, array order.

    Along an axis of one pixel with `align_corners` there is only the centre.
    """
    lengths = torch.tensor(list(size)[::-1], dtype=pixels.dtype)
    if align_corners:
        return torch.where(lengths > 1, 2 * pixels / (lengths - 1).clamp(min=1) - 1, 0.0)
    return (2 * pixels + 1) / lengths - 1


def random_pixels(
    batch: int, out: Sequence[int], size: Sequence[int], *, beyond: float = 2.5, margin: float = 0.05
) -> Tensor:
    """Pixel coordinates (batch, *out, d) in float64, up to `beyond` pixels outside.

    They keep `margin` away from pixel lines, and from half-way lines, where "nearest" jumps.
    """
    lengths = torch.tensor(list(size)[::-1], dtype=torch.float64)
    raw = torch.rand(batch, *out, len(size), dtype=torch.float64) * (lengths - 1 + 2 * beyond) - beyond
    half = (2 * raw).floor()
    return (half + (2 * raw - half) * (1 - 4 * margin) + 2 * margin) / 2


def random_points(
    batch: int, out: Sequence[int], size: Sequence[int], align_corners: bool, *, beyond: float = 2.5
) -> Tensor:
    """`random_pixels`, normalised."""
    return to_normalised(random_pixels(batch, out, size, beyond=beyond), size, align_corners)


def every_pixel(size: Sequence[int]) -> Tensor:
    """The pixel coordinates of every pixel, (1, *size, d), x first, float64."""
    rows = list(product(*map(range, size)))
    return torch.tensor(rows, dtype=torch.float64).flip(-1).view(1, *size, len(size))
