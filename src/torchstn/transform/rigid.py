"""Rigid and similarity: turned and moved, and with one scale."""

from collections.abc import Sequence
from math import log

import torch
from torch import Tensor

from .._checks import check_bound
from .._types import Theta
from ..grid.matrix import MatrixGrid
from .attention import check_scale
from .base import Frame, Transform
from .bounds import around
from .rotation import rotation_matrix, rotation_size, to_normalised
from .translation import affine_grid


class Rigid(Transform):
    """Turns and moves the window that is read, in physical space: a circle stays a circle on any image.

    theta = (angle, tx, ty) in 2-D; (rx, ry, rz, tx, ty, tz) in 3-D, the rotation a vector along the axis
    whose length is the angle; (tx,) in 1-D. Angles in radians, from x towards y; the translation normalised.
    The rotation uses the input's size and spacing when the call gives them, else the output's aspect.

    Args:
        dims: Number of spatial dimensions.
        max_angle: Largest change of each rotation number from the start, radians.
        max_shift: Largest change of the translation along each axis.
        initial: Where training starts; default: the identity, zeros.
    """

    def __init__(
        self,
        *,
        dims: int = 2,
        max_angle: float | None = None,
        max_shift: float | None = None,
        initial: Sequence[float] | Tensor | None = None,
    ) -> None:
        super().__init__(dims, rotation_size(dims) + dims, initial)
        self.max_angle = check_bound("max_angle", max_angle)
        self.max_shift = check_bound("max_shift", max_shift)

    def identity(self) -> Tensor:
        return torch.zeros(rotation_size(self.dims) + self.dims)

    def constrain(self, raw: Tensor) -> Theta:
        return _constrain(raw, self._start(raw), self.dims, self.max_angle, self.max_shift)

    def build(self, theta: Theta, frame: Frame) -> MatrixGrid:
        turns = rotation_size(self.dims)
        linear = to_normalised(rotation_matrix(theta[:, :turns], self.dims), frame.extent)
        return affine_grid(linear, theta[:, turns:], frame)


class Similarity(Transform):
    """A rigid motion and one positive scale, in physical space.

    theta = (s, angle, tx, ty) in 2-D; (s, rx, ry, rz, tx, ty, tz) in 3-D; (s, tx) in 1-D; s = 0.5 reads half
    the image's width and height. `constrain` multiplies the start's scale by exp(raw), within the square root
    of what the type can hold and its inverse: it never reaches zero, nor infinity.

    Args:
        dims: Number of spatial dimensions.
        max_scale_change: Largest factor by which the scale leaves its start, up or down, above 1.
        max_angle: Largest change of each rotation number from the start, radians.
        max_shift: Largest change of the translation along each axis.
        initial: Where training starts; default: the identity.
    """

    def __init__(
        self,
        *,
        dims: int = 2,
        max_scale_change: float | None = None,
        max_angle: float | None = None,
        max_shift: float | None = None,
        initial: Sequence[float] | Tensor | None = None,
    ) -> None:
        super().__init__(dims, 1 + rotation_size(dims) + dims, initial)
        check_scale(self.start, 0, None)
        self.max_scale_change = check_bound("max_scale_change", max_scale_change, above=1)
        self.max_angle = check_bound("max_angle", max_angle)
        self.max_shift = check_bound("max_shift", max_shift)

    def identity(self) -> Tensor:
        return torch.cat([torch.ones(1), torch.zeros(rotation_size(self.dims) + self.dims)])

    def constrain(self, raw: Tensor) -> Theta:
        start = self._start(raw)
        reach = None if self.max_scale_change is None else log(self.max_scale_change)
        # Where exp overflows its derivative is infinite too, and times a zero gradient NaN. The root leaves
        # room for what the scale is multiplied by.
        limit = log(torch.finfo(raw.dtype).max) / 2
        change = around(raw[:, :1], torch.zeros_like(start[:1]), reach).clamp(-limit, limit)
        scale = start[:1] * change.exp()
        rest = _constrain(raw[:, 1:], start[1:], self.dims, self.max_angle, self.max_shift)
        return torch.cat([scale, rest], 1)

    def build(self, theta: Theta, frame: Frame) -> MatrixGrid:
        turns = 1 + rotation_size(self.dims)
        linear = to_normalised(rotation_matrix(theta[:, 1:turns], self.dims), frame.extent)
        return affine_grid(linear * theta[:, :1, None], theta[:, turns:], frame)


def _constrain(
    raw: Tensor, start: Tensor, dims: int, max_angle: float | None, max_shift: float | None
) -> Tensor:
    turns = rotation_size(dims)
    angle = around(raw[:, :turns], start[:turns], max_angle)
    return torch.cat([angle, around(raw[:, turns:], start[turns:], max_shift)], 1)
