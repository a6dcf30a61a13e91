"""The coordinate convention: what -1 and 1 mean, and where the points of the regular lattice lie.

Normalised coordinates are (x[, y[, z]]), x along the last axis. With `align_corners=False` -1 and 1 are the
outer edges of the first and last pixel, with True their centres. An axis of one pixel is read at its centre
in both. `size` is in array order: (w,), (h, w) or (d, h, w).
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def span(length: int, align_corners: bool) -> int:
    """Pixels between -1 and 1: `length`, or `length - 1` with `align_corners`."""
    return length - 1 if align_corners else length


def step_count(length: int, align_corners: bool) -> int:
    """`span`, but 1 for an axis of one pixel, where it divides."""
    return max(length - 1, 1) if align_corners else length


def lattice_axis(length: int, align_corners: bool, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Normalised coordinates of the pixel centres along one axis, (length,); exactly antisymmetric."""
    index = torch.arange(length, dtype=dtype, device=device)
    return (2 * index + (1 - length)) / step_count(length, align_corners)


def lattice(size: Sequence[int], align_corners: bool, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Normalised coordinates of every pixel centre, (*size, d), x first."""
    axes = [lattice_axis(length, align_corners, dtype, device) for length in size]
    return torch.stack(torch.meshgrid(*axes, indexing="ij")[::-1], dim=-1)


def to_pixels(coordinate: Tensor, length: int, align_corners: bool) -> Tensor:
    """One normalised coordinate in pixels along an axis of `length`, rounded as `F.grid_sample` rounds it."""
    if align_corners:
        return (coordinate + 1) / 2 * (length - 1)
    return ((coordinate + 1) * length - 1) / 2


def to_normalised(pixel: Tensor, length: int, align_corners: bool) -> Tensor:
    """The inverse of `to_pixels`; an axis of one pixel with `align_corners` has only its centre, 0."""
    return (2 * pixel + (1 - length)) / step_count(length, align_corners)


def axis_values(values: Tensor, axis: int, dims: int) -> Tensor:
    """`values` (..., length) shaped to vary along array axis `axis` of a lattice with `dims` axes."""
    return values.reshape(*values.shape[:-1], *([1] * axis), -1, *([1] * (dims - 1 - axis)))
