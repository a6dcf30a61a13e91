"""Families of offsets: thin plate spline, free-form deformation, dense displacement."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

from .._checks import check_any_size, check_bound, check_dims, check_size
from .._types import Size, Theta
from ..grid.basis import Basis, BasisGrid
from ..grid.interpolation import interpolate
from ..grid.lattice import lattice
from ..grid.points import PointGrid
from ..grid.spline import SplineBasis
from ..grid.thin_plate import ThinPlateBasis
from .base import Frame, Transform
from .bounds import around


class _Offsets(Transform):
    """theta: k offsets, (x, y[, z]) each, x fastest among the points; zeros are the identity."""

    def __init__(
        self,
        dims: int,
        count: int,
        max_displacement: float | None,
        initial: Sequence[float] | Tensor | None,
    ) -> None:
        self.count = count
        super().__init__(dims, count * dims, initial)
        self.max_displacement = check_bound("max_displacement", max_displacement)

    def identity(self) -> Tensor:
        return torch.zeros(self.count * self.dims)

    def constrain(self, raw: Tensor) -> Theta:
        return around(raw, self._start(raw), self.max_displacement)

    def _basis_grid(self, theta: Theta, basis: Basis, frame: Frame) -> BasisGrid:
        offsets = theta.unflatten(1, (self.count, self.dims))
        identity = torch.eye(self.dims, self.dims + 1, dtype=theta.dtype, device=theta.device)
        return BasisGrid(
            identity.expand(theta.shape[0], -1, -1),
            offsets,
            basis,
            size=frame.size,
            align_corners=frame.align_corners,
        )


class ThinPlate(_Offsets):
    """Thin plate spline through offsets of a regular grid of control points (Bookstein 1989; section 3.2).

    theta holds, for every control point, where the output point there reads, minus the point itself: (x, y)
    each, x fastest among the points, whose corners lie at -1 and 1. The paper's 16 points are the default 4 x
    4.

    Args:
        points: Control points per axis, array order, or one number for all.
        dims: Number of spatial dimensions.
        smoothing: Weight of the bending energy; 0 passes through every control point, large values become
            affine.
        max_displacement: Largest change of each offset from the start, normalised.
        initial: Where training starts; default: the identity, zeros.

    Raises:
        ValueError: If there are fewer than two points along an axis, or the smoothing is negative or not
            finite.
    """

    def __init__(
        self,
        points: int | Sequence[int] = 4,
        *,
        dims: int = 2,
        smoothing: float = 0.0,
        max_displacement: float | None = None,
        initial: Sequence[float] | Tensor | None = None,
    ) -> None:
        basis = ThinPlateBasis(_per_axis(points, dims), smoothing)
        super().__init__(dims, basis.functions, max_displacement, initial)
        self.basis = basis

    def build(self, theta: Theta, frame: Frame) -> BasisGrid:
        return self._basis_grid(theta, self.basis, frame)


class FreeForm(_Offsets):
    """Free-form deformation: cubic B-splines on a regular control lattice (Rueckert et al. 1999).

    theta holds the lattice's offsets, (x, y[, z]) each, x fastest. Of k points along an axis the first and
    the last lie one spacing outside the image. Bends locally: one offset moves no more than four spacings
    along each axis.

    Args:
        points: Control points per axis, array order, or one number for all; at least 4.
        dims: Number of spatial dimensions.
        max_displacement: Largest change of each offset from the start, normalised; below about 0.8 / (points
            - 3) the map cannot fold (Choi and Lee 2000: 0.4 of the spacing).
        initial: Where training starts; default: the identity, zeros.
    """

    def __init__(
        self,
        points: int | Sequence[int] = 8,
        *,
        dims: int = 2,
        max_displacement: float | None = None,
        initial: Sequence[float] | Tensor | None = None,
    ) -> None:
        basis = SplineBasis(_per_axis(points, dims))
        super().__init__(dims, basis.functions, max_displacement, initial)
        self.basis = basis

    def build(self, theta: Theta, frame: Frame) -> BasisGrid:
        return self._basis_grid(theta, self.basis, frame)


class Displacement(_Offsets):
    """A dense displacement field, linear between its points: optical flow, learned registration.

    theta is the field (n, *field, d) flattened: (x, y[, z]) each, normalised. For a field that a network
    predicts at full resolution, `torchstn.grid.PointGrid` takes it as it is.

    Args:
        field: The field's size in array order; another output size is interpolated.
        max_displacement: Largest change of each displacement from the start, normalised.
        initial: Where training starts; default: the identity, zeros.
    """

    def __init__(
        self,
        field: Size,
        *,
        max_displacement: float | None = None,
        initial: Sequence[float] | Tensor | None = None,
    ) -> None:
        self.field = check_any_size("field", field)
        super().__init__(len(field), prod(self.field), max_displacement, initial)

    def build(self, theta: Theta, frame: Frame) -> PointGrid:
        values = theta.unflatten(1, (*self.field, self.dims))
        if frame.size != self.field:
            points = lattice(frame.size, frame.align_corners, theta.dtype, theta.device).unsqueeze(0)
            values = interpolate(values.movedim(-1, 1), points, frame.align_corners).movedim(1, -1)
        return PointGrid(values, align_corners=frame.align_corners)


def _per_axis(points: int | Sequence[int], dims: int) -> tuple[int, ...]:
    """Control points per axis in array order; one number stands for all axes."""
    dims = check_dims(dims)
    return check_size("points", points if isinstance(points, Sequence) else (points,) * dims, dims)
