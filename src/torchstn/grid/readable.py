"""Points that a grid cannot read, kept from spoiling the gradients of those it can."""

import torch
from torch import Tensor

from .base import Grid
from .basis import BasisGrid


def displace_readable(grid: Grid, points: Tensor) -> Tensor:
    """`grid.displace(points)`, NaN wherever the point or what the grid makes of it is not finite.

    There the gradient is zero, to the grid and to the points; plain arithmetic would take zero times NaN.
    """
    with torch.no_grad():
        # A transform marks unreadable samples in the matrix, which alone is cheap to evaluate.
        marked = grid.affine if isinstance(grid, BasisGrid) else grid
        readable = marked.displace(points).isfinite().all(-1, keepdim=True)
    return torch.where(readable, grid.displace(torch.where(readable, points, 0.0)), float("nan"))
