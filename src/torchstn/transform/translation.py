"""Translation: theta = (tx[, ty[, tz]])."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .._checks import check_bound
from .._types import Theta
from ..grid.matrix import MatrixGrid
from .base import Frame, Transform
from .bounds import around


class Translation(Transform):
    """Moves the window that is read: the output shows the input shifted by -t.

    theta = (tx[, ty[, tz]]), normalised: 1 is half the image.

    Args:
        dims: Number of spatial dimensions.
        max_shift: Largest distance from the start along each axis; None for no bound.
        initial: Where training starts; default: the identity, zeros.
    """

    def __init__(
        self,
        *,
        dims: int = 2,
        max_shift: float | None = None,
        initial: Sequence[float] | Tensor | None = None,
    ) -> None:
        super().__init__(dims, dims, initial)
        self.max_shift = check_bound("max_shift", max_shift)

    def identity(self) -> Tensor:
        return torch.zeros(self.dims)

    def constrain(self, raw: Tensor) -> Theta:
        return around(raw, self._start(raw), self.max_shift)

    def build(self, theta: Theta, frame: Frame) -> MatrixGrid:
        linear = torch.eye(self.dims, dtype=theta.dtype, device=theta.device).expand(theta.shape[0], -1, -1)
        return affine_grid(linear, theta, frame)


def affine_grid(linear: Tensor, shift: Tensor, frame: Frame) -> MatrixGrid:
    """The grid of a linear part (n, d, d) and a shift (n, d)."""
    matrix = torch.cat([linear, shift.unsqueeze(-1)], -1)
    return MatrixGrid(matrix, size=frame.size, align_corners=frame.align_corners)
