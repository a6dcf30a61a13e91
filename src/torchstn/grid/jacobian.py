"""How much a grid stretches, and where it folds."""

import torch
from torch import Tensor

from . import small_matrix
from .base import Grid
from .lattice import lattice, step_count
from .points import PointGrid


def jacobian(grid: Grid, points: Tensor) -> Tensor:
    """Derivatives of the input point by the output point, (n, m, d, d), at output points (n or 1, m, d)."""
    d = grid.dims
    columns = []
    for axis in range(d):
        direction = torch.zeros_like(points)
        direction[..., axis] = 1
        columns.append(torch.func.jvp(grid.at, (points,), (direction,))[1])
    return torch.stack(columns, -1)


def jacobian_determinant(grid: Grid) -> Tensor:
    """Determinant of the map at every output point, (n, *size); central differences on a field."""
    if isinstance(grid, PointGrid):
        return small_matrix.determinant(_lattice_jacobian(grid))
    points = lattice(grid.size, grid.align_corners, grid.dtype, grid.device).flatten(0, -2).unsqueeze(0)
    determinant = small_matrix.determinant(jacobian(grid, points))
    return determinant.unflatten(1, grid.size)


def _lattice_jacobian(grid: PointGrid) -> Tensor:
    field = grid.displacement_field
    columns = []
    for axis, length in enumerate(reversed(grid.size)):
        unit = torch.zeros_like(field)
        unit[..., axis] = 1
        if length > 1:
            spacing = 2 / step_count(length, grid.align_corners)
            (slope,) = torch.gradient(field, spacing=spacing, dim=field.ndim - 2 - axis)
            unit = unit + slope
        columns.append(unit)
    return torch.stack(columns, -1)
