"""Points and boxes carried through a grid, consistently with the picture that `sample` makes."""

import torch
from torch import Tensor

from .._checks import check_batch, check_device, check_floating, check_size
from .._types import Size
from .base import Grid
from .lattice import to_normalised, to_pixels
from .matrix import MatrixGrid
from .readable import displace_readable
from .solve import solve

SIDE_POINTS = 17
"""Points followed along each side of a box."""


def map_points(grid: Grid, points: Tensor, input_size: Size | None) -> Tensor:
    """Output points (n or 1, m, d) to the input points they read; in pixels with `input_size`."""
    points = _checked(grid, points)
    if input_size is None:
        return points + displace_readable(grid, points)
    target = check_size("input_size", input_size, grid.dims)
    points = _normalised(points, grid.size, grid.align_corners)
    return _pixels(points + displace_readable(grid, points), target, grid.align_corners)


def unmap_points(grid: Grid, points: Tensor, input_size: Size | None) -> Tensor:
    """Input points (n or 1, m, d) to the output points that read them; NaN where there is none."""
    points = _checked(grid, points)
    if input_size is not None:
        points = _normalised(points, check_size("input_size", input_size, grid.dims), grid.align_corners)
    if isinstance(grid, MatrixGrid):
        found = points + displace_readable(grid.inverse(), points)
    else:
        found, _ = solve(grid, points, tolerance=1e-5, max_steps=50)
    return found if input_size is None else _pixels(found, grid.size, grid.align_corners)


def map_boxes(grid: Grid, boxes: Tensor, input_size: Size | None, *, inverse: bool) -> Tensor:
    """The smallest boxes around the mapped outlines of `boxes` (n or 1, m, 2 d)."""
    check_floating("boxes", boxes)
    check_device("boxes", boxes, "grid", grid.parameter)
    d = grid.dims
    if boxes.ndim != 3 or boxes.shape[-1] != 2 * d:
        raise ValueError(
            f"`boxes` must be (n, m, {2 * d}), low corner then high corner, got {tuple(boxes.shape)}."
        )
    outline = _outline(boxes, d)
    flat = outline.flatten(1, 2)
    mapped = (unmap_points if inverse else map_points)(grid, flat, input_size)
    mapped = mapped.unflatten(1, outline.shape[1:3])
    return torch.cat([mapped.amin(2), mapped.amax(2)], -1)


def _outline(boxes: Tensor, dims: int) -> Tensor:
    """Points on the surface of every box, (n, m, points, d)."""
    ramp = torch.linspace(0, 1, SIDE_POINTS, dtype=boxes.dtype, device=boxes.device)
    cube = torch.stack(torch.meshgrid(*[ramp] * dims, indexing="ij"), -1).flatten(0, -2)
    surface = cube[((cube == 0) | (cube == 1)).any(-1)]
    low, high = boxes[..., None, :dims], boxes[..., None, dims:]
    return low + (high - low) * surface


def _checked(grid: Grid, points: Tensor) -> Tensor:
    check_floating("points", points)
    check_device("points", points, "grid", grid.parameter)
    if points.ndim != 3 or points.shape[-1] != grid.dims:
        raise ValueError(f"`points` must be (n, m, {grid.dims}), got {tuple(points.shape)}.")
    check_batch("points", points.shape[0], "grid", grid.batch)
    return points.to(torch.promote_types(points.dtype, grid.dtype))


def _normalised(points: Tensor, size: Size, align_corners: bool) -> Tensor:
    lengths = tuple(size)[::-1]
    return torch.stack([to_normalised(points[..., a], n, align_corners) for a, n in enumerate(lengths)], -1)


def _pixels(points: Tensor, size: Size, align_corners: bool) -> Tensor:
    lengths = tuple(size)[::-1]
    return torch.stack([to_pixels(points[..., a], n, align_corners) for a, n in enumerate(lengths)], -1)
