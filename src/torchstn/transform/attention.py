"""Attention: one scale and a translation, equation 2 of the paper."""

from collections.abc import Sequence
from math import inf

import torch
from torch import Tensor

from .._checks import check_bound
from .._types import Theta
from ..grid.matrix import MatrixGrid
from .base import Frame, Transform
from .bounds import around, within
from .translation import affine_grid


class Attention(Transform):
    """Crops a window: a scale s, the same along every normalised axis, and its centre (equation 2).

    theta = (s, tx[, ty[, tz]]), normalised; s = 0.5 reads half the image's width and height. With a fixed
    `scale` theta = (tx[, ty[, tz]]), the form of the paper's bird experiment (section 4.3), and the start is
    the centred crop.

    Args:
        dims: Number of spatial dimensions.
        scale: A fixed scale; default: learned, starting at 1.
        min_scale: Lower bound of a learned scale; a positive one forbids mirror images.
        max_scale: Upper bound of a learned scale; 1 forbids zooming out.
        max_shift: Largest distance of the centre from its start along each axis.
        initial: Where training starts; default: s = 1 and the image's centre.

    Raises:
        ValueError: If the start is not inside the bounds, or bounds come with a fixed scale.
    """

    def __init__(
        self,
        *,
        dims: int = 2,
        scale: float | None = None,
        min_scale: float | None = None,
        max_scale: float | None = None,
        max_shift: float | None = None,
        initial: Sequence[float] | Tensor | None = None,
    ) -> None:
        self.learned = scale is None
        super().__init__(dims, dims + self.learned, initial)
        self.scale = check_bound("scale", scale, none="a learned one")
        self.max_shift = check_bound("max_shift", max_shift)
        if not self.learned and (min_scale is not None or max_scale is not None):
            raise ValueError(
                "`min_scale` and `max_scale` bound a learned scale; leave them out with a fixed `scale`."
            )
        self.min_scale = check_bound("min_scale", min_scale, above=-inf)
        self.max_scale = check_bound("max_scale", max_scale, above=-inf)
        if self.learned:
            check_scale(self.start, min_scale, max_scale)

    def identity(self) -> Tensor:
        zeros = torch.zeros(self.dims)
        return torch.cat([torch.ones(1), zeros]) if self.learned else zeros

    def constrain(self, raw: Tensor) -> Theta:
        start = self._start(raw)
        shift = around(raw[:, self.learned :], start[self.learned :], self.max_shift)
        if not self.learned:
            return shift
        return torch.cat([within(raw[:, :1], start[:1], self.min_scale, self.max_scale), shift], 1)

    def build(self, theta: Theta, frame: Frame) -> MatrixGrid:
        eye = torch.eye(self.dims, dtype=theta.dtype, device=theta.device)
        scale = theta[:, 0] if self.learned else torch.full_like(theta[:, 0], self.scale or 1.0)
        return affine_grid(eye * scale[:, None, None], theta[:, self.learned :], frame)


def check_scale(start: Tensor, low: float | None, high: float | None) -> None:
    """Refuses a start whose scale is not strictly inside its bounds: their slope would be zero there."""
    scale = start[0].item()
    if (low is not None and scale <= low) or (high is not None and scale >= high):
        raise ValueError(
            f"`initial` must have a scale, its first number, strictly inside its bounds ({low}, {high}), "
            f"got {scale:g}."
        )
