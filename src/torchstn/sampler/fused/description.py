"""A grid as the numbers that the fused kernels evaluate, and back."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ...grid.absolute import AbsolutePoints
from ...grid.basis import Basis, BasisGrid
from ...grid.matrix import MatrixGrid
from ...grid.points import PointGrid
from ...grid.spline import SplineBasis
from ..request import Request
from .contract import BASIS, DISPLACEMENT, MATRIX, PIXELS, POINTS, SEPARABLE_BASIS, Settings


def held(request: Request) -> tuple[Tensor, ...]:
    """The tensors in which the grid comes; of a grid of the user's own kind its coordinates."""
    # By exact type: a class derived from these may evaluate its grid in another way.
    grid = request.grid
    if type(grid) is MatrixGrid:
        return (grid.matrix,)
    if type(grid) is AbsolutePoints:
        return (grid.points,)
    if type(grid) is PointGrid:
        return (grid.displacement_field,)
    if type(grid) is BasisGrid:
        return grid.matrix, grid.offsets
    return request.coordinates


def describe(request: Request) -> tuple[int, tuple[Tensor, ...]]:
    """The kind of the grid, and the tensors of that kind."""
    grid = request.grid
    if type(grid) is MatrixGrid:
        return MATRIX, (grid.matrix,)
    if type(grid) is AbsolutePoints:
        return POINTS, (grid.points,)
    if type(grid) is PointGrid:
        return DISPLACEMENT, (grid.displacement_field,)
    if type(grid) is BasisGrid and grid.matrix.dtype == grid.offsets.dtype:
        if type(grid.basis) is SplineBasis:
            tables = grid.basis.axis_tables(grid.size, grid.align_corners, grid.dtype, grid.device)
            return SEPARABLE_BASIS, (grid.matrix, grid.offsets, *tables)
        table = grid.basis.table(grid.size, grid.align_corners, grid.dtype, grid.device)
        # The kernels have no gradient of the table: torch then makes the coordinates, with all of theirs.
        if table is not None and not (table.requires_grad and torch.is_grad_enabled()):
            return BASIS, (grid.matrix, grid.offsets, table.contiguous())
    return PIXELS, (torch.stack(request.coordinates, -1),)


def coordinates(
    settings: Settings, parameters: Sequence[Tensor], basis: Basis | None, input_size: Sequence[int]
) -> tuple[Tensor, ...]:
    """Where the described grid reads, in pixels, x first, by torch alone and differentiable in any way."""
    kind, size, align_corners, *_ = settings
    if kind == PIXELS:
        return parameters[0].unbind(-1)
    if kind == POINTS:
        return AbsolutePoints(parameters[0], align_corners).pixel_coordinates(input_size)
    if kind == DISPLACEMENT:
        return PointGrid(parameters[0], align_corners=align_corners).pixel_coordinates(input_size)
    size = tuple(size)
    if basis is None:
        return MatrixGrid(parameters[0], size=size, align_corners=align_corners).pixel_coordinates(input_size)
    matrix, offsets, *_ = parameters
    return BasisGrid(matrix, offsets, basis, size=size, align_corners=align_corners).pixel_coordinates(
        input_size
    )
