"""Sampling without aliasing: from the image, or from it reduced, as far as the output's points lie apart."""

from dataclasses import replace

import torch
from torch import Tensor

from .._constants import constant
from ..grid.lattice import axis_values, step_count
from ..grid.matrix import MatrixGrid, fold_to_pixels
from .dispatch import choose
from .kernels import BuiltinKernel, Kernel
from .request import Request

_MOST = 16
_TAPS = 5
"""Most pixels that a triangle twice the width of two has inside it."""


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
    the levels are differentiated as everything else, so theta also hears what being sharper would do.

    Args:
        backend: Its name.
        request: As for a backend; the image floating point or complex.
        halvings: Levels above the image at most; what is reduced further still aliases.
    """
    level = _level(request, halvings)
    output: Tensor | float = 0.0
    for halved in range(halvings + 1):
        if halved:
            request = replace(request, image=halve(request.image, request.align_corners))
        weight = (1 - (level - halved).abs()).clamp(min=0).unsqueeze(1)
        output = output + weight * choose(backend, request).sample(request)
    assert isinstance(output, Tensor)
    return output.to(request.image.dtype)


def halve(image: Tensor, align_corners: bool) -> Tensor:
    """The image (n, c, *size) with half the pixels, rounded up, along every axis, through a triangle filter.

    The weights are those of `F.interpolate(mode="bilinear", antialias=True)`, at any number of dimensions.
    """
    for axis in range(2, image.ndim):
        length = image.shape[axis]
        if length == 1:
            continue
        index = _taps(length, align_corners, device=image.device)
        weights = _weights(length, align_corners, dtype=image.dtype, device=image.device)
        place = (axis - 2, image.ndim - 2)
        parts = [
            image.index_select(axis, i) * axis_values(w, *place) for i, w in zip(index, weights, strict=True)
        ]
        image = torch.stack(parts).sum(0)
    return image


@constant
def _taps(length: int, align_corners: bool, *, device: torch.device) -> Tensor:
    """The pixels that each pixel of half the length is made of, (taps, half)."""
    centre = _centres(length, align_corners)
    first = centre.ceil().long() - _TAPS // 2
    return (first + torch.arange(_TAPS)[:, None]).clamp(0, length - 1).to(device)


@constant
def _weights(length: int, align_corners: bool, *, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Their weights, (taps, half); a pixel outside has none."""
    centre = _centres(length, align_corners)
    pixel = centre.ceil() - _TAPS // 2 + torch.arange(_TAPS)[:, None]
    reach = centre[1] - centre[0] if len(centre) > 1 else torch.tensor(float(length))
    weight = (1 - (pixel - centre).abs() / reach).clamp(min=0) * (pixel >= 0) * (pixel < length)
    return (weight / weight.sum(0)).to(dtype=dtype, device=device)


def _centres(length: int, align_corners: bool) -> Tensor:
    """Where the pixels of half the length lie, in pixels of the whole."""
    half = (length + 1) // 2
    index = torch.arange(half, dtype=torch.float64)
    scale = step_count(length, align_corners) / step_count(half, align_corners)
    return (2 * index + (1 - half)) * scale / 2 + (length - 1) / 2


def _level(request: Request, halvings: int) -> Tensor:
    """Where between the levels every output point is to be read, (n, *out) or, where equal, with ones."""
    squared = _squared_spacing(request)
    # Limited before the logarithm: neither its derivative nor that of the root is finite at zero.
    return squared.clamp(1, 4**halvings).log2() / 2


def _squared_spacing(request: Request) -> Tensor:
    """Square of the largest distance to a neighbour, in pixels of the image."""
    grid, size = request.grid, request.image.shape[2:]
    if isinstance(grid, MatrixGrid) and not grid.projective:
        pixels = _finite(fold_to_pixels(grid.matrix, grid.size, size, grid.align_corners))
        moves = [pixels[..., column] for column, length in enumerate(grid.size[::-1]) if length > 1]
        squared = [move.square().sum(-1)[(..., *[None] * len(size))] for move in moves]
    else:
        points = _finite(torch.stack(request.coordinates, -1))
        axes = [axis for axis in range(1, points.ndim - 1) if points.shape[axis] > 1]
        squared = [torch.gradient(points, dim=axis)[0].square().sum(-1) for axis in axes]
    if not squared:
        return torch.ones((), dtype=grid.dtype, device=request.image.device).expand([1] * (1 + len(size)))
    return torch.stack(squared).amax(0)


def _finite(pixels: Tensor) -> Tensor:
    """Without what is nowhere: it reads the fill whatever the level, and must not make the level NaN."""
    return torch.where(pixels.isfinite(), pixels, 0.0)
