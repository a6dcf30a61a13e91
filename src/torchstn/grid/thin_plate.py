"""The thin plate spline as a fixed linear basis (Bookstein 1989), computed once in float64."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf, prod

import torch
from torch import Tensor

from .._checks import check_number, check_points
from .._constants import constant
from .._precision import exact_matmul
from .._types import Offsets, PointList, Size
from .basis import Basis
from .lattice import lattice
from .pytree import register


@dataclass(frozen=True)
class ThinPlateBasis(Basis):
    """Influence of each control point's offset on every point.

    The control points form a regular grid on [-1, 1] with its corners at -1 and 1, x fastest. The map is
    linear in the offsets: with L the spline's system matrix, the influences at p are the first k columns of
    `[phi(|p - c_k|), 1, p] L^-1`.

    Attributes:
        points: Control points per axis, array order, at least 2 each; kept as a tuple.
        smoothing: Weight of the bending energy against the offsets; 0 interpolates them.
        inverse: The first k columns of L^-1, made from the others. Plain numbers: tracing then bakes them in,
            where a solve would be traced, run at each call, and refused by exporters.
    """

    points: Sequence[int]
    smoothing: float = 0.0
    inverse: tuple[tuple[float, ...], ...] = field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", check_points("points", self.points, 2))
        check_number("smoothing", self.smoothing)
        if not 0 <= self.smoothing < inf:
            raise ValueError(f"`smoothing` must be 0 or positive, and finite, got {self.smoothing!r}.")
        object.__setattr__(self, "smoothing", float(self.smoothing))
        if not self.inverse:
            object.__setattr__(self, "inverse", _inverse_system(self.points, self.smoothing))

    @property
    def dims(self) -> int:
        return len(self.points)

    @property
    def functions(self) -> int:
        return prod(self.points)

    def field(self, offsets: Offsets, size: Size, align_corners: bool) -> Tensor:
        table = self.table(size, align_corners, offsets.dtype, offsets.device)
        return exact_matmul(offsets.transpose(1, 2), table).unflatten(2, tuple(size))

    def table(self, size: Size, align_corners: bool, dtype: torch.dtype, device: torch.device) -> Tensor:
        return _lattice_influence(self, tuple(size), align_corners, dtype=dtype, device=device)

    def evaluate(self, offsets: Offsets, points: PointList, align_corners: bool) -> PointList:
        return exact_matmul(self.influence(points).to(offsets.dtype), offsets)

    def influence(self, points: Tensor) -> Tensor:
        """What each of the k offsets contributes at points (..., m, d), as (..., m, k), in float64."""
        inverse = torch.tensor(self.inverse, dtype=torch.float64, device=points.device)
        control = control_points(self.points, points.device)
        return exact_matmul(_design(points.double(), control), inverse)


register(ThinPlateBasis, ())


def control_points(points: Sequence[int], device: torch.device) -> Tensor:
    """The control points (k, d), float64, (x, y[, z]), x fastest, the outermost at -1 and 1."""
    return lattice(points, True, torch.float64, device).flatten(0, -2)


def radial(squared: Tensor, dims: int) -> Tensor:
    """The radial function of r^2: r^2 log r in 2-D, -|r| in 3-D, |r|^3 in 1-D; smooth enough at 0."""
    positive = squared > 0
    safe = torch.where(positive, squared, 1.0)
    if dims == 2:
        value = safe * safe.log() / 2
    elif dims == 3:
        value = (
            -safe.sqrt()
        )  # conditionally positive definite with this sign: smoothing must be added, not taken off
    else:
        value = safe * safe.sqrt()
    return torch.where(positive, value, 0.0)


def _design(points: Tensor, control: Tensor) -> Tensor:
    """Rows [phi(|p - c_k|), 1, p], (..., m, k + d + 1)."""
    squared = (points.unsqueeze(-2) - control).square().sum(-1)
    ones = torch.ones_like(points[..., :1])
    return torch.cat([radial(squared, control.shape[-1]), ones, points], -1)


def _inverse_system(points: Sequence[int], smoothing: float) -> tuple[tuple[float, ...], ...]:
    control = control_points(points, torch.device("cpu"))
    count, d = control.shape
    rows = _design(control, control)
    # Beside the points, whatever the default device: on meta there would be no numbers.
    system = rows.new_zeros(count + d + 1, count + d + 1)
    system[:count] = rows
    system[:count, :count] += smoothing * torch.eye(count, dtype=rows.dtype, device=rows.device)
    system[count:, :count] = rows[:, count:].T
    return tuple(map(tuple, torch.linalg.inv(system)[:, :count].tolist()))


@constant
def _lattice_influence(
    basis: ThinPlateBasis,
    size: tuple[int, ...],
    align_corners: bool,
    *,
    dtype: torch.dtype,
    device: torch.device,
) -> Tensor:
    """The influences on a whole lattice, (k, h * w)."""
    points = lattice(size, align_corners, torch.float64, device).flatten(0, -2)
    return basis.influence(points).T.contiguous().to(dtype)
