"""torchstn through its public door, and its reference backend."""

from collections.abc import Callable

from torch import Tensor

import torchstn as stn
from torchstn.grid import PointGrid

from ..case import Case
from .base import Call


def torchstn(case: Case) -> Call:
    """What `backend="auto"` takes."""
    return _call(case, "auto")


def reference(case: Case) -> Call:
    """The definition in plain PyTorch."""
    return _call(case, "reference")


def on_gpu(case: Case) -> Call:
    """The kernels in Triton, which `backend="auto"` takes on a GPU, and nothing else in their place."""
    return _call(case, "triton")


def native_refusal(case: Case, image: Tensor, parameter: Tensor) -> str | None:
    """Why the compiled kernels do not run a case, or None."""
    try:
        _call(case, "native").run(image, parameter)
    except ValueError as error:
        return str(error)
    return None


def _call(case: Case, backend: str) -> Call:
    grid = _grid(case)

    def run(image: Tensor, parameter: Tensor) -> Tensor:
        return stn.sample(image, grid(parameter), kernel=case.kernel, padding=case.padding, backend=backend)

    return Call(run)


def _grid(case: Case) -> Callable[[Tensor], stn.Grid | Tensor]:
    if case.family == "points":
        return lambda points: points
    if case.family == "displacement":
        return lambda field: PointGrid(field, align_corners=case.align_corners)
    family = _family(case)
    return lambda theta: family(theta, case.size, align_corners=case.align_corners)


def _family(case: Case) -> stn.transform.Transform:
    if case.family == "affine":
        return stn.transform.Affine(dims=case.dims)
    if case.family == "projective":
        return stn.transform.Projective(dims=case.dims)
    if case.family == "thin-plate":
        return stn.transform.ThinPlate(case.points, dims=case.dims)
    return stn.transform.FreeForm(case.points, dims=case.dims)
