"""PointGrid: a displacement for every output point."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import torch
from torch import Tensor

from .._checks import check_floating
from .._types import PointList, Points, Size
from .base import Grid
from .interpolation import interpolate
from .lattice import axis_values, lattice, span, step_count
from .pytree import register


@dataclass(frozen=True, eq=False, repr=False)
class PointGrid(Grid):
    """A dense displacement field; zero is exactly the identity.

    Attributes:
        displacement_field: (n, *size, d), input point minus output point, (x, y[, z]), normalised.
    """

    displacement_field: Points
    size: tuple[int, ...] = field(default=(), kw_only=True)

    batched: ClassVar[tuple[str, ...]] = ("displacement_field", "theta")

    def __post_init__(self) -> None:
        check_point_tensor("displacement_field", self.displacement_field)
        size = tuple(self.displacement_field.shape[1:-1])
        if self.size and tuple(self.size) != size:
            raise ValueError(f"`size` must be that of `displacement_field`, {size}, got {tuple(self.size)}.")
        object.__setattr__(self, "size", size)

    @classmethod
    def from_points(cls, points: Points, *, align_corners: bool = False) -> Self:
        """The grid that reads at absolute normalised points (n, *size, d), as `F.grid_sample` takes them."""
        check_point_tensor("points", points)
        size = points.shape[1:-1]
        return cls(
            points - lattice(size, align_corners, points.dtype, points.device), align_corners=align_corners
        )

    @classmethod
    def from_pixels(cls, displacement: Points, *, align_corners: bool = False) -> Self:
        """The grid that moves every point by a displacement in pixels (n, *size, d), (x, y[, z]).

        The pixels are those of an input as large as the grid (voxelmorph's and OpenCV's unit, with x first).
        """
        check_point_tensor("displacement", displacement)
        steps = [step_count(length, align_corners) / 2 for length in displacement.shape[-2:0:-1]]
        scaled = [displacement[..., axis] / step for axis, step in enumerate(steps)]
        return cls(torch.stack(scaled, -1), align_corners=align_corners)

    @property
    def parameter(self) -> Tensor:
        return self.displacement_field

    def displacement(self) -> Points:
        return self.displacement_field

    def displace(self, points: PointList) -> PointList:
        """Linear between the lattice points, constant beyond the outermost."""
        values = interpolate(self.displacement_field.movedim(-1, 1), points, self.align_corners)
        return values.movedim(1, -1)

    def pixel_coordinates(self, input_size: Size) -> tuple[Tensor, ...]:
        displacement = self.displacement_field.unbind(-1)
        return displaced_lattice(displacement, self.size, input_size, self.align_corners)

    def inverse(self, size: Size | None = None) -> Grid:
        """The inverse by fixed-point iteration; see `inverse_with_report`."""
        return self.inverse_with_report(size)[0]


register(PointGrid, ("displacement_field", "theta"))


def check_point_tensor(name: str, points: Tensor) -> None:
    """Refuses what is not one point (x[, y[, z]]) per place of a lattice."""
    check_floating(name, points)
    dims = points.ndim - 2
    if dims not in (1, 2, 3) or points.shape[-1] != dims:
        raise ValueError(
            f"`{name}` must be (n, w, 1), (n, h, w, 2) or (n, d, h, w, 3), got {tuple(points.shape)}."
        )
    if 0 in points.shape[1:]:
        raise ValueError(
            f"`{name}` must hold at least one point along every axis, got {tuple(points.shape)}."
        )


def displaced_lattice(
    displacement: Sequence[Tensor], size: Size, input_size: Size, align_corners: bool
) -> tuple[Tensor, ...]:
    """The lattice in input pixels plus a normalised displacement, d tensors (n, *size), x first.

    At equal sizes the lattice part is whole numbers exactly, so a zero displacement is the identity to the
    bit.
    """
    dims = len(size)
    result: list[Tensor] = []
    for value, length, inputs in zip(displacement, size[::-1], input_size[::-1], strict=True):
        extent = span(inputs, align_corners)
        scale = extent / step_count(length, align_corners)
        index = torch.arange(length, dtype=value.dtype, device=value.device)
        base = index * scale + (scale * (1 - length) + (inputs - 1)) / 2
        axis = dims - 1 - len(result)
        result.append(axis_values(base, axis, dims) + value * (extent / 2))
    return tuple(result)
