"""Cubic B-splines on a regular control lattice: separable, so no basis is ever stored for a whole lattice."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from .._checks import check_points
from .._constants import constant
from .._precision import exact_matmul
from .._taps import Tap, weighted_sum
from .._types import Offsets, PointList, Size
from .basis import Basis
from .lattice import lattice_axis
from .pytree import register


@dataclass(frozen=True)
class SplineBasis(Basis):
    """Tensor products of uniform cubic B-splines (free-form deformation, Rueckert et al. 1999).

    Control point i of k lies at -1 + 2 (i - 1) / (k - 3): the first and the last lie one spacing outside [-1,
    1], so that every point inside has four neighbours per axis.

    Attributes:
        points: Control points per axis, array order, at least 4 each; kept as a tuple.
    """

    points: Sequence[int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", check_points("points", self.points, 4))

    @property
    def dims(self) -> int:
        return len(self.points)

    @property
    def functions(self) -> int:
        return prod(self.points)

    def field(self, offsets: Offsets, size: Size, align_corners: bool) -> Tensor:
        field = offsets.transpose(1, 2).unflatten(2, self.points)  # [n, d, *points]
        for axis, weights in enumerate(self.axis_tables(size, align_corners, offsets.dtype, offsets.device)):
            field = exact_matmul(field.movedim(2 + axis, -1), weights).movedim(-1, 2 + axis)
        return field

    def axis_tables(
        self, size: Size, align_corners: bool, dtype: torch.dtype, device: torch.device
    ) -> tuple[Tensor, ...]:
        """The B-splines of every axis at its lattice points, array order, (points, length) each.

        Their products are the functions' values on the lattice.
        """
        return tuple(
            _axis_table(length, count, align_corners, dtype=dtype, device=device)
            for length, count in zip(size, self.points, strict=True)
        )

    def evaluate(self, offsets: Offsets, points: PointList, align_corners: bool) -> PointList:
        axes = [_taps(points[..., -1 - axis], count) for axis, count in enumerate(self.points)]
        field = offsets.transpose(1, 2).unflatten(2, self.points)
        return weighted_sum(field, axes).transpose(1, 2)


register(SplineBasis, ())


def cubic_bspline(distance: Tensor) -> Tensor:
    """The cubic B-spline at `distance` knots from its centre: 2/3 at 0, 1/6 at 1, 0 from 2 on."""
    # Not abs(), whose derivative of 0 at 0 would make the second derivative vanish there.
    distance = torch.where(distance < 0, -distance, distance)
    far = (2 - distance).clamp(min=0)
    near = (1 - distance).clamp(min=0)
    return far**3 / 6 - near**3 * (2 / 3)


def _control_index(coordinate: Tensor, count: int) -> Tensor:
    return (coordinate + 1) * ((count - 3) / 2) + 1


def _weights(coordinate: Tensor, count: int) -> Tensor:
    index = torch.arange(count, dtype=coordinate.dtype, device=coordinate.device)
    return cubic_bspline(_control_index(coordinate, count).unsqueeze(-1) - index)


@constant
def _axis_table(
    length: int, count: int, align_corners: bool, *, dtype: torch.dtype, device: torch.device
) -> Tensor:
    weights = _weights(lattice_axis(length, align_corners, torch.float64, device), count)
    return weights.T.contiguous().to(dtype)


def _taps(coordinate: Tensor, count: int) -> list[Tap]:
    position = _control_index(coordinate, count)
    base = position.floor().clamp(-4, count + 4).nan_to_num()
    taps = []
    for offset in range(-1, 3):
        index = (base + offset).long()
        inside = (index >= 0) & (index < count)
        taps.append(Tap(index.clamp(0, count - 1), cubic_bspline(position - (base + offset)), inside))
    return taps
