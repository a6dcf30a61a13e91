"""Sampling kernels: equation 3 of the paper with any k. A kernel turns a fraction of a pixel into taps."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, pi
from typing import TypeAlias

import torch
from torch import Tensor

from ..grid.spline import cubic_bspline

TapWeights: TypeAlias = list[tuple[int | Tensor, Tensor | None]]
"""(offset from the pixel at or before the point, weight); a weight of None is exactly one."""


@dataclass(frozen=True)
class Kernel:
    """A sampling kernel of the user's own: the paper's "any sampling kernel" k.

    Along each axis pixel m contributes `function(x - m)` to a point at x; axes multiply.

    Attributes:
        function: Distances in pixels (any shape) to weights; differentiable where the point's gradient
            matters. Called for distances within the support only.
        support: Distance in pixels beyond which the weight is zero, from 0.5 to 32: with less, some points
            would reach no pixel.
        normalise: Divide the weights of each axis by their sum, so that a constant image stays constant.

    Raises:
        TypeError: If `function` cannot be called.
        ValueError: If `support` is not in [0.5, 32].
    """

    function: Callable[[Tensor], Tensor]
    support: float
    normalise: bool = False

    prefilter = False

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise TypeError(
                f"`function` must be callable, distances to weights, got {type(self.function).__name__}."
            )
        if not 0.5 <= self.support <= 32:
            raise ValueError(f"`support` must be in [0.5, 32] pixels, got {self.support!r}.")

    def taps(self, fraction: Tensor) -> TapWeights:
        """The pixels within the support of a point `fraction` in [0, 1) after a pixel, and their weights."""
        reach = ceil(self.support)
        taps: TapWeights = []
        for offset in range(1 - reach, reach + 1):
            distance = fraction - offset
            within = distance.abs() <= self.support
            # Replaced before use, by a harmless distance: the function may be undefined beyond its support.
            weight = self.function(torch.where(within, distance, self.support / 2))
            taps.append((offset, torch.where(within, weight, 0.0)))
        return _normalised(taps) if self.normalise else taps


@dataclass(frozen=True)
class BuiltinKernel:
    """A kernel with a name, whose weights at whole pixels are exactly one and zeros.

    Attributes:
        name: As passed to `sample`.
        taps: A fraction of a pixel to (offset, weight) pairs.
        prefilter: Whether the image is first replaced by its B-spline coefficients.
    """

    name: str
    taps: Callable[[Tensor], TapWeights]
    prefilter: bool = False


def _nearest(fraction: Tensor) -> TapWeights:
    # Halves go up, as the paper's floor(x + 0.5) says; that sum itself rounds 0.49999997 to 1.
    return [((fraction >= 0.5).long(), None)]


def _linear(fraction: Tensor) -> TapWeights:
    return [(0, 1 - fraction), (1, fraction)]


CUBIC_A = -0.75
"""The slope of Keys' cubic at one pixel; torch's and OpenCV's choice."""


def _cubic(fraction: Tensor) -> TapWeights:
    def near(x: Tensor) -> Tensor:
        return ((CUBIC_A + 2) * x - (CUBIC_A + 3)) * x * x + 1

    def far(x: Tensor) -> Tensor:
        return ((CUBIC_A * x - 5 * CUBIC_A) * x + 8 * CUBIC_A) * x - 4 * CUBIC_A

    return [(-1, far(fraction + 1)), (0, near(fraction)), (1, near(1 - fraction)), (2, far(2 - fraction))]


def _bspline3(fraction: Tensor) -> TapWeights:
    return [(offset, cubic_bspline(fraction - offset)) for offset in range(-1, 3)]


def _lanczos3(fraction: Tensor) -> TapWeights:
    # sin(pi f) is taken from the nearer end: near 1 it would be all rounding error, and at 0 it is exactly
    # zero, which makes every weight but the pixel's own vanish there.
    sine = torch.sin(pi * torch.where(fraction < 0.5, fraction, 1 - fraction)) / pi
    taps: TapWeights = []
    for offset in range(-2, 4):
        distance = fraction - offset
        if offset == 0:
            taps.append((0, _sinc(fraction) * _sinc(fraction / 3)))
        else:
            wave = sine * (-1) ** offset / distance
            taps.append((offset, wave * torch.sinc(distance / 3)))
    return _normalised(taps)


def _sinc(x: Tensor) -> Tensor:
    """torch.sinc, whose second derivative is NaN at 0, with all its derivatives."""
    near = x.abs() < 0.1
    square = torch.where(near, pi * x, 0.0) ** 2
    series = torch.ones_like(x)
    for k in (12, 10, 8, 6, 4, 2):  # the terms left out are below 1e-19
        series = 1 - series * square / (k * (k + 1))
    angle = torch.where(near, 1.0, pi * x)
    return torch.where(near, series, torch.sin(angle) / angle)


def _normalised(taps: TapWeights) -> TapWeights:
    total = sum(weight for _, weight in taps if weight is not None)
    return [(offset, None if weight is None else weight / total) for offset, weight in taps]


KERNELS = {
    kernel.name: kernel
    for kernel in (
        BuiltinKernel("nearest", _nearest),
        BuiltinKernel("linear", _linear),
        BuiltinKernel("cubic", _cubic),
        BuiltinKernel("bspline3", _bspline3, prefilter=True),
        BuiltinKernel("lanczos3", _lanczos3),
    )
}

ALIASES = {"bilinear": "linear", "bicubic": "cubic"}


def resolve_kernel(kernel: "str | Kernel | BuiltinKernel") -> "Kernel | BuiltinKernel":
    """A kernel by its name, or itself.

    Raises:
        ValueError: If there is no kernel of that name.
        TypeError: If it is neither a name nor a Kernel.
    """
    if not isinstance(kernel, str):
        if isinstance(kernel, (Kernel, BuiltinKernel)):
            return kernel
        raise TypeError(f"`kernel` must be a name or a torchstn.Kernel, got {type(kernel).__name__}.")
    name = ALIASES.get(kernel, kernel)
    if name not in KERNELS:
        names = ", ".join(map(repr, (*KERNELS, *ALIASES)))
        raise ValueError(f"`kernel` must be one of {names} or a torchstn.Kernel, got {kernel!r}.")
    return KERNELS[name]
