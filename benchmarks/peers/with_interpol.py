"""torch-interpol: `affine_grid` and `grid_pull`."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..case import Case
from ..problem import pixel_matrix, pixel_points, reversed_axes
from .base import Call


def interpol(case: Case) -> Call:
    """Coordinates in voxels, array order."""
    import interpol as library

    if case.kernel != "linear":
        raise NotImplementedError("its cubic kernel is the B-spline")

    def pull(image: Tensor, grid: Tensor) -> Tensor:
        pulled: Tensor = library.grid_pull(image, grid, interpolation=1, bound="zero", extrapolate=True)
        return pulled

    run: Callable[[Any, Any], Tensor]
    if case.family == "affine":

        def run(image: Tensor, matrix: Tensor) -> Tensor:
            # Its affine_grid takes one matrix at a time.
            return pull(image, torch.stack([library.affine_grid(each, case.size) for each in matrix]))

        return Call(
            run, take_parameter=lambda theta: reversed_axes(pixel_matrix(case, theta))[:, : case.dims]
        )
    if case.family == "points":
        return Call(pull, take_parameter=lambda points: pixel_points(case, points).flip(-1))
    raise NotImplementedError(f"torch-interpol has no {case.family} grid")
