"""Affine and projective: matrices row by row, equations 1 and 10 of the paper."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .._checks import check_bound
from .._types import Theta
from ..grid.matrix import MatrixGrid
from .base import Frame, Transform
from .bounds import around


class Affine(Transform):
    """Crops, rotates, scales, skews and moves (equation 1; equation 10 in 3-D).

    theta is the d x (d + 1) matrix row by row on normalised (x, y[, z], 1): (t11, t12, t13, t21, t22, t23) in
    2-D.

    Args:
        dims: Number of spatial dimensions.
        max_linear: Largest change of each number of the linear part from the start. Below 1 / d around the
            identity the map never mirrors or collapses.
        max_shift: Largest change of the translation along each axis.
        initial: Where training starts; default: the identity.
    """

    carries_non_finite = True

    def __init__(
        self,
        *,
        dims: int = 2,
        max_linear: float | None = None,
        max_shift: float | None = None,
        initial: Sequence[float] | Tensor | None = None,
    ) -> None:
        super().__init__(dims, dims * (dims + 1), initial)
        self.max_linear = check_bound("max_linear", max_linear)
        self.max_shift = check_bound("max_shift", max_shift)

    def identity(self) -> Tensor:
        return torch.eye(self.dims, self.dims + 1).flatten()

    def constrain(self, raw: Tensor) -> Theta:
        return _constrain_rows(raw, self._start(raw), self.dims, self.max_linear, self.max_shift)

    def build(self, theta: Theta, frame: Frame) -> MatrixGrid:
        matrix = theta.view(theta.shape[0], self.dims, self.dims + 1)
        return MatrixGrid(matrix, size=frame.size, align_corners=frame.align_corners)


class Projective(Transform):
    """The projective transformation of the paper's experiments: 8 parameters in 2-D, 15 in 3-D, 3 in 1-D.

    theta is the (d + 1) x (d + 1) matrix row by row without its last entry, which is 1. Points whose
    denominator is zero read outside the image, with zero gradient; a negative one divides normally.

    Args:
        dims: Number of spatial dimensions.
        max_linear: Largest change of each number of the linear part from the start.
        max_shift: Largest change of the translation along each axis.
        max_perspective: Largest change of each number of the last row; below 1 / d around the identity the
            denominator stays positive on the whole output, so that nothing is torn apart.
        initial: Where training starts; default: the identity.
    """

    def __init__(
        self,
        *,
        dims: int = 2,
        max_linear: float | None = None,
        max_shift: float | None = None,
        max_perspective: float | None = None,
        initial: Sequence[float] | Tensor | None = None,
    ) -> None:
        super().__init__(dims, (dims + 1) ** 2 - 1, initial)
        self.max_linear = check_bound("max_linear", max_linear)
        self.max_shift = check_bound("max_shift", max_shift)
        self.max_perspective = check_bound("max_perspective", max_perspective)

    def identity(self) -> Tensor:
        return torch.eye(self.dims + 1).flatten()[:-1]

    def constrain(self, raw: Tensor) -> Theta:
        start, rows = self._start(raw), self.dims * (self.dims + 1)
        upper = _constrain_rows(raw[:, :rows], start[:rows], self.dims, self.max_linear, self.max_shift)
        return torch.cat([upper, around(raw[:, rows:], start[rows:], self.max_perspective)], 1)

    def build(self, theta: Theta, frame: Frame) -> MatrixGrid:
        matrix = torch.cat([theta, torch.ones_like(theta[:, :1])], 1).unflatten(
            1, (self.dims + 1, self.dims + 1)
        )
        return MatrixGrid(matrix, size=frame.size, align_corners=frame.align_corners)


def _constrain_rows(
    raw: Tensor, start: Tensor, dims: int, max_linear: float | None, max_shift: float | None
) -> Tensor:
    shape = (dims, dims + 1)
    raw, start = raw.unflatten(1, shape), start.unflatten(0, shape)
    linear = around(raw[..., :dims], start[:, :dims], max_linear)
    shift = around(raw[..., dims:], start[:, dims:], max_shift)
    return torch.cat([linear, shift], -1).flatten(1)
