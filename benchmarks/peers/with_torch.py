"""`F.affine_grid` and `F.grid_sample`, eager and compiled."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ..case import Case
from .base import Call, same

MODES = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}


def eager(case: Case) -> Call:
    """What everyone writes."""
    return Call(_sample(case), take_parameter=_take(case))


def compiled(case: Case) -> Call:
    """The same through `torch.compile`."""
    torch._dynamo.reset()  # every case meets a compiler that has not given up on another one's shapes
    return Call(torch.compile(_sample(case), dynamic=False), take_parameter=_take(case))


def _sample(case: Case) -> Callable[[Tensor, Tensor], Tensor]:
    grid = _grid(case)
    mode, convention = MODES[case.kernel], case.align_corners
    if case.kernel == "cubic" and case.dims == 3:
        raise NotImplementedError("F.grid_sample has no cubic kernel in 3-D")

    def sample(image: Tensor, parameter: Tensor) -> Tensor:
        # grid_sample wants one type for both, and coordinates of 16 bits would be half a pixel off.
        wide = image.float()
        output = F.grid_sample(wide, grid(parameter), mode, case.padding, align_corners=convention)
        return output.to(image.dtype)

    return sample


def _take(case: Case) -> Callable[[Tensor], Tensor]:
    if case.family == "affine":
        return lambda theta: theta.unflatten(1, (case.dims, case.dims + 1))
    return same


def _grid(case: Case) -> Callable[[Tensor], Tensor]:
    shape, convention = list(case.shape), case.align_corners
    if case.family == "affine":
        return lambda matrix: F.affine_grid(matrix, shape, align_corners=convention)
    if case.family == "points":
        return lambda points: points
    if case.family == "displacement":
        identity = torch.eye(case.dims, case.dims + 1).unsqueeze(0)
        lattice = F.affine_grid(identity, [1, *shape[1:]], align_corners=convention)
        return lambda field: lattice + field
    raise NotImplementedError(f"torch has no {case.family} grid")
