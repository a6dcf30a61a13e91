"""Problem: the inputs of a case, the same for everyone."""

from dataclasses import dataclass
from math import pi

import torch
import torch.nn.functional as F
from torch import Tensor

from .case import Case

MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}


@dataclass(frozen=True)
class Problem:
    """Inputs of a case.

    Attributes:
        image: (n, c, *size).
        parameter: What the family takes: theta (n, p), or points or displacements (n, *size, d).
        grad_output: Gradient of some loss with respect to the output, (n, c, *size).
    """

    image: Tensor
    parameter: Tensor
    grad_output: Tensor


def make_problem(case: Case) -> Problem:
    """The inputs of a case: random, the same at every call."""
    generator = torch.Generator().manual_seed(20150605)
    layout = torch.contiguous_format
    if case.channels_last:
        layout = torch.channels_last if case.dims == 2 else torch.channels_last_3d
    image, grad_output = (
        value.to(case.dtype).contiguous(memory_format=layout)
        for value in (_waves(case.shape, generator), torch.rand(case.shape, generator=generator))
    )
    return Problem(image, _parameter(case, generator), grad_output)


def _waves(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """A wave in each plane, from 0 to 1, some 40 pixels long.

    In noise the derivative jumps at every pixel line, and points that rounding puts on the other side of one
    would hide a wrong gradient.
    """
    n, c, *size = shape
    axes = [torch.arange(length, dtype=torch.float32) for length in size]
    phase = torch.rand(n, c, *[1] * len(size), generator=generator) * 2 * pi
    for axis, position in enumerate(torch.meshgrid(*axes, indexing="ij")):
        speed = 0.1 + 0.1 * torch.rand(n, c, *[1] * len(size), generator=generator)
        phase = phase + speed * (-1) ** axis * position
    return (1 + torch.sin(phase)) / 2


def _parameter(case: Case, generator: torch.Generator) -> Tensor:
    n, d = case.shape[0], case.dims
    if case.family == "affine":
        return _near_identity(n, d, generator).flatten(1)
    if case.family == "projective":
        # Small enough for the denominator to stay positive everywhere.
        last = 0.05 * torch.randn(n, d, generator=generator)
        return torch.cat([_near_identity(n, d, generator).flatten(1), last.clamp(-0.2, 0.2)], 1)
    if case.family in ("thin-plate", "free-form"):
        return 0.05 * torch.randn(n, case.points**d * d, generator=generator)
    field = _smooth(case, generator)
    if case.family == "displacement":
        return field
    matrix = _near_identity(n, d, generator)
    return F.affine_grid(matrix, list(case.shape), align_corners=case.align_corners) + field


def _near_identity(n: int, d: int, generator: torch.Generator) -> Tensor:
    return torch.eye(d, d + 1) + 0.1 * torch.randn(n, d, d + 1, generator=generator)


def _smooth(case: Case, generator: torch.Generator) -> Tensor:
    """Displacements of some pixels that change slowly, (n, *size, d), normalised."""
    coarse = 0.03 * torch.randn(case.shape[0], case.dims, *[6] * case.dims, generator=generator)
    field = F.interpolate(coarse, size=list(case.size), mode=MODES[case.dims], align_corners=True)
    return field.movedim(1, -1).contiguous()


def to_pixels(size: tuple[int, ...], align_corners: bool) -> Tensor:
    """The matrix from normalised points (x, y[, z], 1) to pixels, (d + 1, d + 1), float64."""
    d = len(size)
    matrix = torch.eye(d + 1, dtype=torch.float64)
    for axis, length in enumerate(reversed(size)):
        matrix[axis, axis] = (length - 1 if align_corners else length) / 2
        matrix[axis, d] = (length - 1) / 2
    return matrix


def pixel_matrix(case: Case, theta: Tensor) -> Tensor:
    """A matrix family's theta as a map from output pixels to input pixels, (n, d + 1, d + 1), float32."""
    d = case.dims
    last = torch.eye(d + 1, dtype=theta.dtype)[-1:].flatten().expand(theta.shape[0], -1)
    numbers = torch.cat([theta, last[:, theta.shape[1] - (d + 1) ** 2 :]], 1)
    scale = to_pixels(case.size, case.align_corners)
    square = numbers.double().unflatten(1, (d + 1, d + 1))
    pixels: Tensor = scale @ square @ torch.linalg.inv(scale)
    return pixels.float()


def pixel_points(case: Case, points: Tensor) -> Tensor:
    """Normalised points (n, *size, d) in pixels."""
    scale = to_pixels(case.size, case.align_corners).to(points.dtype)
    return points * scale.diagonal()[:-1] + scale[:-1, -1]


def reversed_axes(matrix: Tensor) -> Tensor:
    """A pixel matrix on (x, y[, z], 1) as one on (row, column, ...), array order."""
    d = matrix.shape[-1] - 1
    order = [*reversed(range(d)), d]
    return matrix[..., order, :][..., order]
