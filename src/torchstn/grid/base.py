"""Grid: where every output point reads, not yet computed."""

import operator
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self, SupportsIndex

import torch
from torch import Tensor

from .._types import PointList, Points, Size
from .lattice import lattice

if TYPE_CHECKING:
    from .solve import InverseReport


@dataclass(frozen=True, eq=False, repr=False)
class Grid(ABC):
    """For every point of the output, the point of the input it reads (Jaderberg et al. 2015, equation 1).

    A grid is a description, not a tensor of points: `sample` evaluates it while reading. It maps output
    points to input points, both normalised to [-1, 1], (x, y[, z]) with x along the last axis.

    Attributes:
        size: The output's size in array order, (w,), (h, w) or (d, h, w).
        align_corners: Whether -1 and 1 are the centres (True) or the outer edges (False) of the corner
            pixels, of the input and of the output alike.
        theta: The parameters (n, p) the grid was made from, where a transform made it; else None.
    """

    size: tuple[int, ...] = field(kw_only=True)
    align_corners: bool = field(default=False, kw_only=True)
    theta: Tensor | None = field(default=None, kw_only=True)

    batched: ClassVar[tuple[str, ...]] = ("theta",)
    """Fields whose first axis is the batch; first a tensor that every coordinate depends on."""

    @property
    def dims(self) -> int:
        """Number of spatial dimensions."""
        return len(self.size)

    @property
    @abstractmethod
    def parameter(self) -> Tensor:
        """The tensor that gives the grid its batch, type and device."""

    @property
    def batch(self) -> int:
        """Number of grids."""
        return self.parameter.shape[0]

    @property
    def dtype(self) -> torch.dtype:
        """Type of the coordinates."""
        return self.parameter.dtype

    @property
    def device(self) -> torch.device:
        """Device of the coordinates."""
        return self.parameter.device

    @abstractmethod
    def displacement(self) -> Points:
        """Input point minus output point for every output pixel, (n, *size, d), normalised."""

    @abstractmethod
    def displace(self, points: PointList) -> PointList:
        """Input point minus output point at any output points (n or 1, m, d), normalised."""

    def at(self, points: PointList) -> PointList:
        """The input points that any output points (n or 1, m, d) read, normalised."""
        return points + self.displace(points)

    @abstractmethod
    def pixel_coordinates(self, input_size: Size) -> tuple[Tensor, ...]:
        """Where every output point reads, in pixels of an input of `input_size`.

        Returns d tensors (n, *size), x first. Pixel 0 is the centre of the first pixel. The identity at equal
        sizes gives whole numbers exactly.
        """

    def points(self) -> Points:
        """Where every output point reads, (n, *size, d), normalised: what `F.grid_sample` takes."""
        return lattice(self.size, self.align_corners, self.dtype, self.device) + self.displacement()

    def map_points(self, points: PointList, *, input_size: Size | None = None) -> PointList:
        """Where any points of the output lie in the input.

        Args:
            points: (n or 1, m, d), (x, y[, z]); normalised, or pixels of the output when `input_size` is
                given.
            input_size: The input's size in array order; the result is then in its pixels.

        Returns:
            (n, m, d), differentiable in the points and in the grid.
        """
        from .mapping import map_points

        return map_points(self, points, input_size)

    def unmap_points(self, points: PointList, *, input_size: Size | None = None) -> PointList:
        """Where any points of the input land in the output: the inverse of `map_points`, in the same units.

        A point that no output point reads (outside a fold's image, or a singular matrix) is NaN.
        """
        from .mapping import unmap_points

        return unmap_points(self, points, input_size)

    def map_boxes(self, boxes: Tensor, *, input_size: Size | None = None) -> Tensor:
        """The smallest boxes of the input around boxes of the output, (n or 1, m, 2 d) as (x0, y0, x1, y1).

        The outline is followed at 17 points a side, so a curved warp's bulge is included. Units as in
        `map_points`.
        """
        from .mapping import map_boxes

        return map_boxes(self, boxes, input_size, inverse=False)

    def unmap_boxes(self, boxes: Tensor, *, input_size: Size | None = None) -> Tensor:
        """The smallest boxes of the output around boxes of the input; see `map_boxes`."""
        from .mapping import map_boxes

        return map_boxes(self, boxes, input_size, inverse=True)

    def coverage(self) -> Tensor:
        """Share of output points that read inside the input, (n,), from 0 to 1; without gradient."""
        with torch.no_grad():
            inside = (self.points().abs() <= 1).all(-1)
            return inside.flatten(1).to(self.dtype).mean(1)

    def jacobian_determinant(self) -> Tensor:
        """Input area (length, volume) per output area at every output point, (n, *size).

        In normalised coordinates: 1 for the identity, 0.25 where a 2-D grid zooms in twice, negative where
        the grid folds over. Differentiable.
        """
        from .jacobian import jacobian_determinant

        return jacobian_determinant(self)

    @abstractmethod
    def inverse(self, size: Size | None = None) -> "Grid":
        """The grid that undoes this one: it maps input points to output points.

        Args:
            size: Size of the lattice of the inverse, that is of this grid's input; default: this grid's own
                size.
        """

    def inverse_with_report(
        self, size: Size | None = None, *, tolerance: float = 1e-5, max_steps: int = 50
    ) -> tuple["Grid", "InverseReport"]:
        """The inverse by fixed-point iteration, for any grid, with a report of its convergence.

        Args:
            size: As for `inverse`.
            tolerance: Largest distance, in normalised units, that counts as converged.
            max_steps: Iterations at most.
        """
        from .solve import inverse_by_iteration

        return inverse_by_iteration(self, size, tolerance=tolerance, max_steps=max_steps)

    def __matmul__(self, other: "Grid") -> "Grid":
        """`first @ second` reads where `sample(sample(x, first), second)` would, in one interpolation."""
        if not isinstance(other, Grid):
            return NotImplemented
        from .composition import compose

        return compose(self, other)

    def __getitem__(self, index: SupportsIndex | slice | Tensor) -> Self:
        """The grids at `index` of the batch; a whole number keeps a batch of one."""
        if not isinstance(index, slice) and not (isinstance(index, Tensor) and index.ndim):
            index = operator.index(index)
            if not -self.batch <= index < self.batch:
                raise IndexError(f"`index` must be within the batch of {self.batch}, got {index}.")
            index = slice(index, index + 1 or None)
        batch = self.batch
        return self._replace(
            lambda name, value: value[index] if name in self.batched and value.shape[0] == batch else value
        )

    def __len__(self) -> int:
        return self.batch

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """As `torch.Tensor.to`, for every tensor the grid holds."""
        return self._replace(lambda _, value: value.to(*args, **kwargs))

    def detach(self) -> Self:
        """The same grid outside the autograd graph."""
        return self._replace(lambda _, value: value.detach())

    def _replace(self, change: Any) -> Self:
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        changed = {
            name: change(name, value) if hasattr(value, "detach") else value for name, value in values.items()
        }
        return type(self)(**changed)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(batch={self.batch}, size={tuple(self.size)}, "
            f"align_corners={self.align_corners}, dtype={self.dtype}, device={self.device})"
        )
