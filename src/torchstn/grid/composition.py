"""first @ second: where to read so that one interpolation does the work of two."""

import torch
from torch import Tensor

from .._checks import check_batch, check_device
from .base import Grid
from .basis import BasisGrid
from .lattice import lattice
from .matrix import MatrixGrid
from .points import PointGrid
from .readable import displace_readable


def compose(first: Grid, second: Grid) -> Grid:
    """The grid that reads where `sample(sample(x, first), second)` would, at `second`'s size.

    Matrices multiply; an affine map after anything keeps that thing's kind; every other pair is evaluated at
    `second`'s points. Differentiable in both.

    Raises:
        ValueError: If dimensions, conventions, devices or batch sizes differ.
    """
    if first.dims != second.dims:
        raise ValueError(
            f"Grids to compose must have the same dimensions, got {first.dims} and {second.dims}."
        )
    if first.align_corners != second.align_corners:
        raise ValueError(
            "Grids to compose must have one convention, got `align_corners` "
            f"{first.align_corners} and {second.align_corners}."
        )
    check_batch("first", first.batch, "second", second.batch)
    check_device("first", first.parameter, "second", second.parameter)
    dtype = torch.promote_types(first.dtype, second.dtype)
    first, second = first.to(dtype), second.to(dtype)
    if isinstance(first, MatrixGrid):
        if isinstance(second, MatrixGrid):
            return _matrix_after_matrix(first, second)
        if isinstance(second, BasisGrid) and not first.projective:
            return _affine_after_basis(first, second)
    return _at_points(first, second)


def _product(a: Tensor, b: Tensor) -> Tensor:
    # Elementwise: matrix products of coordinates must not pass through TF32 or autocast.
    return (a.unsqueeze(-1) * b.unsqueeze(-3)).sum(-2)


def _finite_or_zero(value: Tensor) -> Tensor:
    # One grid's NaN must not meet the other's zero gradient in a product.
    return torch.where(value.isfinite(), value, 0.0)


def _readable(matrix: Tensor) -> Tensor:
    return matrix.isfinite().flatten(1).all(1)[:, None, None]


def _matrix_after_matrix(first: MatrixGrid, second: MatrixGrid) -> MatrixGrid:
    matrix = _product(_finite_or_zero(first.homogeneous()), _finite_or_zero(second.homogeneous()))
    matrix = torch.where(_readable(first.matrix) & _readable(second.matrix), matrix, float("nan"))
    if not (first.projective or second.projective):
        matrix = matrix[:, :-1]
    return MatrixGrid(matrix, size=second.size, align_corners=second.align_corners)


def _affine_after_basis(first: MatrixGrid, second: BasisGrid) -> BasisGrid:
    matrix = _matrix_after_matrix(first, second.affine).matrix
    linear = _finite_or_zero(first.matrix[..., :-1])
    offsets = (linear.unsqueeze(1) * second.offsets.unsqueeze(-2)).sum(-1)
    return BasisGrid(matrix, offsets, second.basis, size=second.size, align_corners=second.align_corners)


def _at_points(first: Grid, second: Grid) -> PointGrid:
    inner = second.displacement()
    points = lattice(second.size, second.align_corners, second.dtype, second.device) + inner
    outer = displace_readable(first, points.flatten(1, -2))
    total = inner + outer.reshape(outer.shape[0], *inner.shape[1:])
    return PointGrid(total, align_corners=second.align_corners)
