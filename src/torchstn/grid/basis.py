"""BasisGrid: an affine map plus basis functions times offsets, T = M B of the paper's section 3.2."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from .._checks import check_batch, check_device, check_floating
from .._types import Matrix, Offsets, PointList, Points, Size
from .base import Grid
from .lattice import span
from .matrix import MatrixGrid, _evaluate, fold_to_pixels
from .pytree import register


class Basis(ABC):
    """k scalar functions of the output point."""

    @property
    @abstractmethod
    def functions(self) -> int:
        """Their number, k."""

    @property
    def dims(self) -> int | None:
        """Spatial dimensions of the points they take; None for any."""
        return None

    @abstractmethod
    def field(self, offsets: Offsets, size: Size, align_corners: bool) -> Tensor:
        """Sum of functions times `offsets` (n, k, d) on the lattice, (n, d, *size)."""

    @abstractmethod
    def evaluate(self, offsets: Offsets, points: PointList, align_corners: bool) -> PointList:
        """Sum of functions times `offsets` (n, k, d) at points (n or 1, m, d), (n, m, d)."""

    def table(
        self, size: Size, align_corners: bool, dtype: torch.dtype, device: torch.device
    ) -> Tensor | None:
        """The functions' values on the lattice, (k, number of its points).

        None where the basis knows of a way to a field that takes less memory.
        """
        return None


@dataclass(frozen=True, eq=False, repr=False)
class BasisGrid(Grid):
    """An affine map plus a sum of basis functions times offsets.

    Zero offsets leave the map alone, to the bit.

    Attributes:
        matrix: (n or 1, d, d + 1), the affine part.
        offsets: (n, k, d), (x, y[, z]), normalised.
        basis: The k functions.
    """

    matrix: Matrix
    offsets: Offsets
    basis: Basis

    batched: ClassVar[tuple[str, ...]] = ("matrix", "offsets", "theta")

    def __post_init__(self) -> None:
        check_floating("offsets", self.offsets)
        affine = MatrixGrid(self.matrix, size=self.size, align_corners=self.align_corners)
        if affine.projective:
            raise ValueError(f"`matrix` of a BasisGrid must be affine, got {tuple(self.matrix.shape)}.")
        object.__setattr__(self, "size", affine.size)
        if self.basis.dims not in (None, self.dims):
            raise ValueError(
                f"`basis` must be of {self.dims} dimension(s), as `size` is, got one of {self.basis.dims}."
            )
        expected = (self.basis.functions, self.dims)
        if self.offsets.ndim != 3 or tuple(self.offsets.shape[1:]) != expected:
            raise ValueError(
                f"`offsets` must be (n, {expected[0]}, {expected[1]}), got {tuple(self.offsets.shape)}."
            )
        check_batch("matrix", self.matrix.shape[0], "offsets", self.offsets.shape[0])
        check_device("matrix", self.matrix, "offsets", self.offsets)

    @property
    def parameter(self) -> Tensor:
        return self.offsets

    @property
    def batch(self) -> int:
        return max(self.offsets.shape[0], self.matrix.shape[0])

    @property
    def affine(self) -> MatrixGrid:
        """The affine part alone."""
        return MatrixGrid(self.matrix, size=self.size, align_corners=self.align_corners)

    def displacement(self) -> Points:
        field = self.basis.field(self.offsets, self.size, self.align_corners)
        return _without_identity(self.matrix, self.size, self.align_corners) + field.movedim(1, -1)

    def displace(self, points: PointList) -> PointList:
        field = self.basis.evaluate(self.offsets, points, self.align_corners)
        d = self.dims
        linear = self.matrix[..., :d] - torch.eye(d, dtype=self.dtype, device=self.device)
        moved = (linear[:, None] * points[:, :, None]).sum(-1) + self.matrix[:, None, :, d]
        return moved + field

    def pixel_coordinates(self, input_size: Size) -> tuple[Tensor, ...]:
        field = self.basis.field(self.offsets, self.size, self.align_corners)
        folded = fold_to_pixels(self.matrix, self.size, input_size, self.align_corners)
        axes = [torch.arange(length, dtype=self.dtype, device=self.device) for length in self.size]
        extents = [span(length, self.align_corners) for length in input_size[::-1]]
        return tuple(
            base + field[:, axis] * (extents[axis] / 2) for axis, base in enumerate(_evaluate(folded, axes))
        )

    def inverse(self, size: Size | None = None) -> Grid:
        """The inverse by fixed-point iteration; see `inverse_with_report`."""
        return self.inverse_with_report(size)[0]


register(BasisGrid, ("matrix", "offsets", "basis", "theta"))


def _without_identity(matrix: Matrix, size: Size, align_corners: bool) -> Points:
    d = len(size)
    identity = torch.eye(d, d + 1, dtype=matrix.dtype, device=matrix.device)
    return MatrixGrid(matrix - identity, size=tuple(size), align_corners=align_corners).points()
