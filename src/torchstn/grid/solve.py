"""The inverse of any grid by fixed-point iteration, differentiable by the implicit function theorem."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .._checks import check_size
from .._types import Size
from . import small_matrix
from .base import Grid
from .jacobian import jacobian
from .lattice import lattice
from .points import PointGrid

LONGEST_STEP = 0.5
"""Normalised units: a quarter of the image. Keeps the first steps of a strong warp from leaping off."""


@dataclass(frozen=True)
class InverseReport:
    """How the iteration ended.

    Attributes:
        residual: (n, *size) or (n, m), distance left between the input point asked for and the one reached.
        converged: Like `residual`, bool: within the tolerance.
        steps: Iterations used.
    """

    residual: Tensor
    converged: Tensor
    steps: int

    def __str__(self) -> str:
        share = self.converged.double().mean().item()
        worst = self.residual.max().item()
        return f"{share:.1%} of the points converged in {self.steps} steps, worst residual {worst:.1e}"


def inverse_by_iteration(
    grid: Grid, size: Size | None, *, tolerance: float, max_steps: int
) -> tuple[PointGrid, InverseReport]:
    """The grid of `size` that maps input points back to output points, and how well it was found.

    Points that did not converge read outside (they are NaN).
    """
    size = grid.size if size is None else check_size("size", size, grid.dims)
    target = lattice(size, grid.align_corners, grid.dtype, grid.device)
    found, report = solve(grid, target.flatten(0, -2).unsqueeze(0), tolerance=tolerance, max_steps=max_steps)
    shape = (grid.batch, *size)
    inverse = PointGrid(found.reshape(*shape, grid.dims) - target, align_corners=grid.align_corners)
    shaped = InverseReport(report.residual.view(shape), report.converged.view(shape), report.steps)
    return inverse, shaped


def solve(grid: Grid, target: Tensor, *, tolerance: float, max_steps: int) -> tuple[Tensor, InverseReport]:
    """Output points whose input points are `target` (n or 1, m, d), by damped Newton steps.

    The iteration starts from the target itself.
    """
    with torch.no_grad():
        fixed = grid.detach()
        goal = target.detach().expand(grid.batch, -1, -1).contiguous()
        points, steps = goal, 0
        residual = goal - fixed.at(points)
        # NaN never gets nearer: only what still can is waited for.
        while steps < max_steps and bool((residual.norm(dim=-1) > tolerance).any()):
            points = points + _step(fixed, points, residual)
            residual = goal - fixed.at(points)
            steps += 1
        distance = residual.norm(dim=-1).nan_to_num(float("inf"))
        report = InverseReport(distance, distance <= tolerance, steps)
        # The rest is NaN in the end; on the way its gradient must be zero, not zero times infinity.
        points = torch.where(report.converged.unsqueeze(-1), points, 0.0)
        backward = small_matrix.inverse(jacobian(fixed, points))
        backward = torch.where(backward.isfinite(), backward, 0.0)
    # One more Newton step carries the gradient: its derivative in the grid is the implicit function's.
    correction = (backward * (target - grid.at(points)).unsqueeze(-2)).sum(-1)
    points = points + torch.where(correction.isfinite(), correction, 0.0)
    return torch.where(report.converged.unsqueeze(-1), points, float("nan")), report


def _step(grid: Grid, points: Tensor, residual: Tensor) -> Tensor:
    matrix = jacobian(grid, points)
    step = (small_matrix.inverse(matrix) * residual.unsqueeze(-2)).sum(-1)
    step = torch.where(step.isfinite(), step, residual)
    length = step.norm(dim=-1, keepdim=True)
    return (step * (LONGEST_STEP / length.clamp(min=LONGEST_STEP))).nan_to_num(0.0)
