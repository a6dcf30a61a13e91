"""The image as cubic B-spline coefficients, so that the spline passes through every pixel."""

import torch
from torch import Tensor

from .._constants import constant
from .._precision import exact_matmul
from .._types import Padding
from .padding import remap


def bspline_coefficients(image: Tensor, padding: Padding, align_corners: bool) -> Tensor:
    """Coefficients c with (c[i - 1] + 4 c[i] + c[i + 1]) / 6 = image along every axis.

    Beyond the edge the coefficients continue as the padding says, so the spline the sampler reads is the one
    that interpolates. With "fill" the image must come with the fill subtracted.

    Args:
        image: (n, c, *size), floating point.
        padding: The sampler's padding.
        align_corners: The grid's convention (it decides what "reflection" mirrors about).
    """
    for axis in range(2, image.ndim):
        inverse = _inverse(image.shape[axis], padding, align_corners, dtype=image.dtype, device=image.device)
        image = exact_matmul(image.movedim(axis, -1), inverse).movedim(-1, axis)
    return image


@constant
def _inverse(
    length: int, padding: Padding, align_corners: bool, *, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """The transposed inverse of the interpolation matrix along one axis, (length, length)."""
    system = torch.eye(length, dtype=torch.float64) * (4 / 6)
    row = torch.arange(length)
    for offset in (-1, 1):
        column, inside = remap(row + offset, length, padding, align_corners)
        weight = torch.full((length,), 1 / 6, dtype=torch.float64)
        if inside is not None:
            weight = weight * inside
        system = system.index_put((row, column), weight, accumulate=True)
    return torch.linalg.inv(system).T.to(dtype=dtype, device=device)
