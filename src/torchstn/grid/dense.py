"""A basis stored as values on a lattice: any functions, learned ones included."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .._checks import check_floating
from .._precision import exact_matmul
from .._types import Offsets, PointList, Size
from .basis import Basis
from .interpolation import interpolate
from .lattice import lattice
from .pytree import register


@dataclass(frozen=True, eq=False)
class DenseBasis(Basis):
    """k functions by their values on a lattice, linear between its points, constant beyond the outermost.

    Attributes:
        values: (k, *size); may require a gradient, the paper's learned B (section 3.2).
    """

    values: Tensor

    def __post_init__(self) -> None:
        check_floating("values", self.values)
        if not 2 <= self.values.ndim <= 4:
            raise ValueError(
                f"`values` must be (k, w), (k, h, w) or (k, d, h, w), got {tuple(self.values.shape)}."
            )

    @property
    def dims(self) -> int:
        return self.values.ndim - 1

    @property
    def functions(self) -> int:
        return self.values.shape[0]

    def field(self, offsets: Offsets, size: Size, align_corners: bool) -> Tensor:
        table = self.table(size, align_corners, offsets.dtype, offsets.device)
        return exact_matmul(offsets.transpose(1, 2), table).unflatten(2, tuple(size))

    def table(self, size: Size, align_corners: bool, dtype: torch.dtype, device: torch.device) -> Tensor:
        values = self.values.to(dtype)
        if tuple(size) != tuple(values.shape[1:]):
            points = lattice(size, align_corners, dtype, device).unsqueeze(0)
            values = interpolate(values.unsqueeze(0), points, align_corners)[0]
        return values.flatten(1)

    def evaluate(self, offsets: Offsets, points: PointList, align_corners: bool) -> PointList:
        values = interpolate(self.values.to(offsets.dtype).unsqueeze(0), points, align_corners)
        return exact_matmul(values.transpose(1, 2), offsets)

    def to(self, *args: object, **kwargs: object) -> "DenseBasis":
        """As `torch.Tensor.to`, for the values."""
        return DenseBasis(self.values.to(*args, **kwargs))  # type: ignore[call-overload]  # passed on as given

    def detach(self) -> "DenseBasis":
        """The same functions outside the autograd graph."""
        return DenseBasis(self.values.detach())


register(DenseBasis, ("values",))
