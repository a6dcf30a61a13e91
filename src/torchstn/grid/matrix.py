"""MatrixGrid: an affine or projective map of the lattice."""

from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import torch
from torch import Tensor

from .._checks import check_any_size, check_floating, check_size
from .._types import Matrix, PointList, Points, Size
from . import small_matrix
from .base import Grid
from .lattice import axis_values, lattice, lattice_axis, span, step_count
from .pytree import register


@dataclass(frozen=True, eq=False, repr=False)
class MatrixGrid(Grid):
    """An affine or projective grid (equations 1, 2 and 10).

    Attributes:
        matrix: (n, d, d + 1), affine, or (n, d + 1, d + 1), projective; maps normalised homogeneous output
            points (x, y[, z], 1) to input points. A point whose denominator is zero reads outside the input.
    """

    matrix: Matrix

    batched: ClassVar[tuple[str, ...]] = ("matrix", "theta")

    def __post_init__(self) -> None:
        check_floating("matrix", self.matrix)
        size = check_any_size("size", self.size)
        if size is not self.size:
            object.__setattr__(self, "size", size)
        d, shape = len(size), self.matrix.shape
        if len(shape) != 3 or shape[2] != d + 1 or not d <= shape[1] <= d + 1:
            raise ValueError(
                f"`matrix` must be (n, {d}, {d + 1}) or (n, {d + 1}, {d + 1}) for a size of {d} axes, "
                f"got {tuple(self.matrix.shape)}."
            )

    @property
    def parameter(self) -> Tensor:
        return self.matrix

    @property
    def projective(self) -> bool:
        """Whether the map has a denominator."""
        return self.matrix.shape[1] == self.dims + 1

    def displacement(self) -> Points:
        return self.points() - lattice(self.size, self.align_corners, self.dtype, self.device)

    def points(self) -> Points:
        axes = [lattice_axis(length, self.align_corners, self.dtype, self.device) for length in self.size]
        return torch.stack(_evaluate(self.matrix, axes), dim=-1)

    def displace(self, points: PointList) -> PointList:
        return self.at(points) - points

    def at(self, points: PointList) -> PointList:
        d = self.dims
        rows = [
            reduce(torch.add, [self.matrix[:, r, c, None] * points[..., c] for c in range(d)])
            + self.matrix[:, r, d, None]
            for r in range(self.matrix.shape[1])
        ]
        return torch.stack(divide(rows[:d], rows[d]) if self.projective else rows, -1)

    def pixel_coordinates(self, input_size: Size) -> tuple[Tensor, ...]:
        folded = fold_to_pixels(self.matrix, self.size, input_size, self.align_corners)
        axes = [torch.arange(length, dtype=self.dtype, device=self.device) for length in self.size]
        return tuple(_evaluate(folded, axes))

    def homogeneous(self) -> Tensor:
        """The matrix as (n, d + 1, d + 1)."""
        if self.projective:
            return self.matrix
        last = torch.zeros_like(self.matrix[:, :1])
        return torch.cat([self.matrix, torch.cat([last[..., :-1], last[..., -1:] + 1], -1)], 1)

    def inverse(self, size: Size | None = None) -> "MatrixGrid":
        """The inverse in closed form; a singular matrix gives one that reads outside everywhere."""
        size = self.size if size is None else check_size("size", size, self.dims)
        square = self.matrix if self.projective else self.matrix[..., :-1]
        determinant = small_matrix.determinant(square)[:, None, None]
        finite = self.matrix.isfinite().flatten(1).all(1)[:, None, None]
        regular = finite & determinant.isfinite() & (determinant != 0)
        # Replaced before the division, whose derivatives would turn a zero gradient into NaN.
        eye = torch.eye(*self.matrix.shape[1:], dtype=self.dtype, device=self.device)
        matrix = _inverse(torch.where(regular, self.matrix, eye), self.projective)
        return MatrixGrid(
            torch.where(regular, matrix, float("nan")), size=size, align_corners=self.align_corners
        )


register(MatrixGrid, ("matrix", "theta"))


def _inverse(matrix: Matrix, projective: bool) -> Matrix:
    if projective:
        return small_matrix.adjugate(matrix)  # a homogeneous matrix is defined up to a factor: no division
    linear = small_matrix.inverse(matrix[..., :-1])
    shift = -(linear * matrix[..., -1].unsqueeze(1)).sum(-1, keepdim=True)
    return torch.cat([linear, shift], -1)


def fold_to_pixels(matrix: Matrix, size: Size, input_size: Size, align_corners: bool) -> Matrix:
    """The matrix that maps output pixel indices (j, i[, k], 1) to input pixel coordinates.

    In this grouping the identity at equal sizes lands on whole numbers exactly, in float32; going through
    normalised points misses them by up to 1e-4 pixels.

    Args:
        matrix: (n, d, d + 1) or (n, d + 1, d + 1), on normalised points.
        size: The output's size in array order.
        input_size: The input's size in array order.
        align_corners: The convention of both.

    Returns:
        A matrix of the same shape.
    """
    d = len(size)
    lengths, inputs = size[::-1], input_size[::-1]
    steps = [step_count(length, align_corners) for length in lengths]
    denominator = None
    if matrix.shape[1] == d + 1:
        row = [matrix[:, d, c] * 2 / steps[c] for c in range(d)]
        shift = reduce(torch.add, [row[c] * (1 - lengths[c]) / 2 for c in range(d)])
        denominator = [*row, shift + matrix[:, d, d]]
    rows = []
    for r in range(d):
        extent = span(inputs[r], align_corners)
        row = [matrix[:, r, c] * (extent / steps[c]) for c in range(d)]
        shift = reduce(torch.add, [row[c] * (1 - lengths[c]) for c in range(d)]) + matrix[:, r, d] * extent
        centre = inputs[r] - 1
        if denominator is None:
            row.append((shift + centre) / 2)
        else:
            row = [row[c] + denominator[c] * (centre / 2) for c in range(d)]
            row.append(shift / 2 + denominator[d] * (centre / 2))
        rows.append(torch.stack(row, -1))
    if denominator is not None:
        rows.append(torch.stack(denominator, -1))
    return torch.stack(rows, 1)


def _evaluate(matrix: Tensor, axes: list[Tensor]) -> list[Tensor]:
    """The d coordinates (n, *size), x first, of a map evaluated on the product of `axes` (array order)."""
    d = len(axes)
    terms = [axis_values(axes[d - 1 - c], d - 1 - c, d) for c in range(d)]  # of x, y, z
    lift = (...,) + (None,) * d

    def row(r: int) -> Tensor:
        # The slow axes are added first: one full-size addition an output point, however many axes.
        total = matrix[:, r, d][lift]
        for c in reversed(range(d)):
            total = total + matrix[:, r, c][lift] * terms[c]
        return total

    values = [row(r) for r in range(d)]
    return values if matrix.shape[1] == d else list(divide(values, row(d)))


def divide(numerators: list[Tensor], denominator: Tensor) -> list[Tensor]:
    """Quotients that are infinite, with zero gradient, wherever they are not finite."""
    with torch.no_grad():
        valid = denominator != 0
        for numerator in numerators:
            valid = valid & (numerator / denominator).isfinite()
    safe = torch.where(valid, denominator, 1.0)
    return [torch.where(valid, torch.where(valid, n, 0.0) / safe, float("inf")) for n in numerators]
