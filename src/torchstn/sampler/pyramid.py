"""Sampling without aliasing: from the image, or from it reduced, as far as the output's points lie apart."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor

from .._constants import constant
from ..grid.lattice import axis_values, step_count
from ..grid.matrix import MatrixGrid, fold_to_pixels
from .dispatch import choose
from .kernels import BuiltinKernel, Kernel
from .request import Request

_MOST = 16


def check_antialias(antialias: int, kernel: Kernel | BuiltinKernel) -> int:
    """A number of halvings that a kernel can read between.

    Raises:
        ValueError: If it is no whole number from 0 to 16, or the kernel mixes no values.
    """
    if isinstance(antialias, bool) or not isinstance(antialias, int) or not 0 <= antialias <= _MOST:
        raise ValueError(
            f"`antialias` must be a whole number from 0 to {_MOST}, how often the image may be halved, "
            f"got {antialias!r}."
        )
    if antialias and getattr(kernel, "name", None) == "nearest":
        raise ValueError(
            f"`antialias` needs a kernel that mixes pixels, got kernel='nearest' with antialias={antialias}; "
            "use 'linear', or antialias=0."
        )
    return antialias


def sample_pyramid(backend: str, request: Request, halvings: int) -> Tensor:
    """What `request` asks for, read between the levels of a pyramid (Williams 1983, "Pyramidal parametrics").

    Level l is the image halved l times. A point whose neighbours in the output read r pixels away from it, in
    the direction that is worst, is read at level log2(r): linearly between the two next to it. The weights of
    the levels are differentiated as everything else, so theta also hears what being sharper would do. At a
    whole level, where training often starts, the derivative is that towards the next, at the last that from
    the one before.

    Args:
        backend: Its name.
        request: As for a backend; the image floating point or complex.
        halvings: Levels above the image at most; what is reduced further still aliases.
    """
    level = _level(request, halvings).unsqueeze(1)
    lower = level.floor().clamp(max=halvings - 1)
    fraction = level - lower
    output: Tensor | float = 0.0
    for halved in range(halvings + 1):
        if halved:
            request = replace(request, image=halve(request.image, request.align_corners))
        above = torch.where(lower == halved - 1, fraction, 0.0)
        weight = torch.where(lower == halved, 1 - fraction, above)
        part = choose(backend, request).sample(request)
        # Halving spreads what is not a number; without weight it must not count.
        counts = (weight > 0) | part.sum(1, keepdim=True).isfinite()
        output = output + weight * torch.where(counts, part, 0.0)
    assert isinstance(output, Tensor)
    return output.to(request.image.dtype)


def halve(image: Tensor, align_corners: bool) -> Tensor:
    """The image (n, c, *size) with half the pixels, rounded up, along every axis, through a triangle filter.

    The weights are those of `F.interpolate(mode="bilinear", antialias=True)`, at any number of dimensions.
    """
    for axis in range(2, image.ndim):
        if image.shape[axis] > 1:
            image = _halve_axis(image, axis, align_corners)
    return image


def _halve_axis(image: Tensor, axis: int, align_corners: bool) -> Tensor:
    length = image.shape[axis]
    half = (length + 1) // 2
    first, last = _offsets(length, align_corners)
    weights = _weights(length, align_corners, dtype=image.dtype, device=image.device)
    beyond = [0, 0] * (image.ndim - 1 - axis) + [-first, 2 * (half - 1) + last - (length - 1)]
    padded = F.pad(image, beyond)
    weights = axis_values(weights, axis - 2, image.ndim - 2)
    # Every second pixel as a view: gathering them by index takes several times as long.
    lines = padded.movedim(axis, -1)
    parts = [lines[..., tap : tap + 2 * half - 1 : 2].movedim(-1, axis) for tap in range(len(weights))]
    output = parts[0] * weights[0]
    for part, weight in zip(parts[1:], weights[1:], strict=True):
        output = torch.addcmul(output, part, weight)
    return output


def _offsets(length: int, align_corners: bool) -> tuple[int, int]:
    """A pixel o of half the length is made of those from 2 o + first to 2 o + last."""
    start, step, reach = _centres(length, align_corners)
    ends = (start, start + (step - 2) * ((length + 1) // 2 - 1))
    return min(math.floor(min(ends) - reach) + 1, 0), max(math.ceil(max(ends) + reach) - 1, 0)


@constant
def _weights(length: int, align_corners: bool, *, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The weights of those pixels, (taps, half); one outside the image has none."""
    start, step, reach = _centres(length, align_corners)
    first, last = _offsets(length, align_corners)
    index = torch.arange((length + 1) // 2, dtype=torch.float64)
    pixel = 2 * index + torch.arange(first, last + 1, dtype=torch.float64)[:, None]
    weight = (1 - (pixel - start - step * index).abs() / reach).clamp(min=0) * (pixel >= 0) * (pixel < length)
    return (weight / weight.sum(0)).to(dtype=dtype, device=device)


def _centres(length: int, align_corners: bool) -> tuple[float, float, float]:
    """Start, step, reach: pixel o of half the length is a triangle about start + step o, as far as reach."""
    half = (length + 1) // 2
    step = step_count(length, align_corners) / step_count(half, align_corners)
    reach = step if half > 1 else float(length)
    return (1 - half) * step / 2 + (length - 1) / 2, step, reach


def _level(request: Request, halvings: int) -> Tensor:
    """Where between the levels every output point is to be read, (n, *out) or, where equal, with ones."""
    squared = _squared_spacing(request)
    # Limited before the logarithm: neither its derivative nor that of the root is finite at zero.
    return squared.clamp(1, 4**halvings).log2() / 2


def _squared_spacing(request: Request) -> Tensor:
    """Square of the largest distance to a neighbour, in pixels of the image."""
    grid, size = request.grid, request.image.shape[2:]
    if isinstance(grid, MatrixGrid) and not grid.projective:
        pixels = fold_to_pixels(grid.matrix, grid.size, size, grid.align_corners)
        # What is nowhere reads the fill whatever the level, and must not make the level NaN.
        pixels = torch.where(pixels.isfinite(), pixels, 0.0)
        moves = [pixels[..., column] for column, length in enumerate(grid.size[::-1]) if length > 1]
        squared = [move.square().sum(-1)[(..., *[None] * len(size))] for move in moves]
    else:
        coordinates = request.coordinates
        axes = [axis for axis in range(1, coordinates[0].ndim) if coordinates[0].shape[axis] > 1]
        squared = [_squared_slope(coordinates, axis) for axis in axes]
    if not squared:
        return torch.ones((), dtype=grid.dtype, device=request.image.device).expand([1] * (1 + len(size)))
    return torch.stack(squared).amax(0)


def _squared_slope(coordinates: Sequence[Tensor], axis: int) -> Tensor:
    """From one neighbour to the other, halved; at an end, or beside what is nowhere, to the one there is.

    As `torch.gradient` has it, which would fix the batch of an exported program.
    """
    length = coordinates[0].shape[axis]
    steps = [x.narrow(axis, 1, length - 1) - x.narrow(axis, 0, length - 1) for x in coordinates]
    there = reduce(torch.add, steps).isfinite()
    count = _on_either_side(there.to(steps[0].dtype), axis).clamp(min=1)
    slopes = [_on_either_side(torch.where(there, step, 0.0), axis) / count for step in steps]
    return reduce(torch.add, [slope.square() for slope in slopes])


def _on_either_side(steps: Tensor, axis: int) -> Tensor:
    """The sum of the steps to a point and from it."""
    end = torch.zeros_like(steps.narrow(axis, 0, 1))
    return torch.cat((end, steps), axis) + torch.cat((steps, end), axis)
