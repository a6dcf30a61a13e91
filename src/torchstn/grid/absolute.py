"""Absolute points, read as they are: a displacement from the lattice would round them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .._types import Points, Size
from .lattice import to_pixels


@dataclass(frozen=True, eq=False, slots=True)
class AbsolutePoints:
    """A tensor of points as `F.grid_sample` takes it, and how it is to be read.

    Attributes:
        points: (n, *size, d), normalised, (x, y[, z]).
        align_corners: Their convention.
    """

    points: Points
    align_corners: bool

    @property
    def size(self) -> tuple[int, ...]:
        """The output's size in array order."""
        return tuple(self.points.shape[1:-1])

    @property
    def dtype(self) -> torch.dtype:
        """Type of the coordinates."""
        return self.points.dtype

    def pixel_coordinates(self, input_size: Size) -> tuple[Tensor, ...]:
        """Where every output point reads, in pixels: d tensors (n, *size), x first."""
        return tuple(
            to_pixels(self.points[..., axis], length, self.align_corners)
            for axis, length in enumerate(input_size[::-1])
        )
