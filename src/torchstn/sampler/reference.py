"""image, grid -> output in plain PyTorch: the definition every other backend is tested against."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .._taps import Tap, weighted_sum
from .._types import Padding
from .kernels import BuiltinKernel, Kernel
from .padding import remap
from .prefilter import bspline_coefficients

FARTHEST = 2.0**62
"""Pixels; keeps the whole part of any finite coordinate within int64, with room for the taps."""


def sample(
    image: Tensor,
    coordinates: Sequence[Tensor],
    kernel: Kernel | BuiltinKernel,
    padding: Padding,
    fill: Tensor | float,
    align_corners: bool,
) -> Tensor:
    """Reads `image` at pixel coordinates (equation 3).

    The derivative at a pixel line is the one to the right of it.

    Args:
        image: (n or 1, c, *size).
        coordinates: d tensors (n or 1, *out), x first, in pixels.
        kernel: The sampling kernel.
        padding: What a tap outside the image is worth.
        fill: With padding "fill" that value, a number or one per channel (c,); else ignored.
        align_corners: The grid's convention; it decides what "reflection" mirrors about.

    Returns:
        (n, c, *out), in the image's type; points that are not finite are 0, or the fill.
    """
    outside = fill if padding == "fill" else 0  # whole, so that it keeps whole numbers whole
    finite = torch.stack([coordinate.isfinite() for coordinate in coordinates]).all(0)
    source, constant = _source(image, kernel, padding, outside, coordinates[0].dtype, align_corners)
    axes = []
    for length, coordinate in zip(image.shape[2:], reversed(coordinates), strict=True):
        # Replaced before use, not after: a product with a non-finite weight would poison the gradient.
        readable = torch.where(finite, coordinate, 0.0)
        axes.append(_axis_taps(readable, length, kernel, padding, align_corners))
    output = weighted_sum(source, axes, constant)
    output = torch.where(finite.unsqueeze(1), output, _per_channel(outside, output))
    return _as_type(output, image.dtype)


def _source(
    image: Tensor,
    kernel: Kernel | BuiltinKernel,
    padding: Padding,
    outside: Tensor | float,
    dtype: torch.dtype,
    align_corners: bool,
) -> tuple[Tensor, Tensor | float]:
    """What the taps read, and what they are worth outside it."""
    if isinstance(outside, Tensor):
        outside = outside.to(image.dtype)
    if not kernel.prefilter:
        return image, outside
    image = image.to(torch.promote_types(image.dtype, dtype))
    level = _per_channel(outside, image)
    # Around the fill, not around zero: the coefficients outside are then zero, as the system assumes.
    return bspline_coefficients(image - level, padding, align_corners) + level, outside


def _axis_taps(
    coordinate: Tensor, length: int, kernel: Kernel | BuiltinKernel, padding: Padding, align_corners: bool
) -> list[Tap]:
    low = coordinate.floor()
    fraction = coordinate - low
    base = low.clamp(-FARTHEST, FARTHEST).long()
    taps = []
    for offset, weight in kernel.taps(fraction):
        index, inside = remap(base + offset, length, padding, align_corners)
        taps.append(Tap(index, weight, inside))
    return taps


def _per_channel(value: Tensor | float, like: Tensor) -> Tensor:
    """A number, or one per channel (c,), shaped to fill `like` (n, c, *out), in its type."""
    if isinstance(value, Tensor):
        return value.to(like.dtype).view(1, -1, *([1] * (like.ndim - 2)))
    return torch.full((), value, dtype=like.dtype, device=like.device)


def _as_type(output: Tensor, dtype: torch.dtype) -> Tensor:
    if dtype == torch.uint8 and output.dtype != torch.uint8:
        output = output.round().clamp(0, 255)
    return output.to(dtype)
