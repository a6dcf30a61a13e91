"""Rotations and the physical space they turn in."""

import torch
from torch import Tensor

SMALL = 1e-3
"""Squared angle below which a Taylor series replaces sin(a)/a: exact to float64 there, and differentiable at
0."""


def rotation_size(dims: int) -> int:
    """Numbers that describe a rotation: none in 1-D, an angle in 2-D, a vector in 3-D."""
    return {1: 0, 2: 1, 3: 3}[dims]


def rotation_matrix(parameters: Tensor, dims: int) -> Tensor:
    """(n, rotation_size) to (n, d, d).

    In 2-D an angle in radians that turns (1, 0) towards (0, 1), that is x towards y: clockwise on a picture
    whose y runs down. In 3-D a vector along the axis whose length is the angle (Rodrigues); finite
    derivatives at zero.
    """
    if dims == 1:
        return torch.ones(parameters.shape[0], 1, 1, dtype=parameters.dtype, device=parameters.device)
    if dims == 2:
        cosine, sine = parameters[:, 0].cos(), parameters[:, 0].sin()
        return torch.stack([torch.stack([cosine, -sine], -1), torch.stack([sine, cosine], -1)], 1)
    return _rodrigues(parameters)


def to_normalised(linear: Tensor, extent: tuple[float, ...]) -> Tensor:
    """A linear map of physical space (n, d, d) in normalised coordinates, given the lengths from -1 to 1.

    Turning normalised coordinates themselves would shear an image that is not square.
    """
    rows = [
        torch.stack([linear[:, r, c] * (extent[c] / extent[r]) for c in range(len(extent))], -1)
        for r in range(len(extent))
    ]
    return torch.stack(rows, 1)


def _rodrigues(vector: Tensor) -> Tensor:
    # An angle of which no digit is left could be any; taken as none, its derivatives do not overflow.
    longest = 1 / torch.finfo(vector.dtype).eps
    vector = torch.where(vector.square().sum(-1, keepdim=True) < longest**2, vector, 0.0)
    squared = vector.square().sum(-1)
    small = squared < SMALL
    safe = torch.where(small, 1.0, squared)
    angle = safe.sqrt()
    s = squared
    series_a = 1 - s / 6 * (1 - s / 20 * (1 - s / 42 * (1 - s / 72)))
    series_b = 0.5 - s / 24 * (1 - s / 30 * (1 - s / 56 * (1 - s / 90)))
    a = torch.where(small, series_a, angle.sin() / angle)[:, None, None]
    b = torch.where(small, series_b, (1 - angle.cos()) / safe)[:, None, None]
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
    outer = vector.unsqueeze(-1) * vector.unsqueeze(-2)
    eye = torch.eye(3, dtype=vector.dtype, device=vector.device)
    return eye + a * cross + b * (outer - squared[:, None, None] * eye)
