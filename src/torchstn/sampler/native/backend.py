"""Runs a request on the compiled kernels: eager, recorded for autograd, or as an operator being traced."""

import torch
from torch import Tensor

from ..._types import PADDINGS
from ..kernels import BuiltinKernel
from ..request import Request
from . import ops
from .autograd import Sample
from .description import describe
from .extension import KERNELS, Settings, compute_dtype, run


def sample(request: Request) -> Tensor:
    """Runs a request that was not refused."""
    image, grid = request.image, request.grid
    kind, parameters = describe(request)
    assert isinstance(request.kernel, BuiltinKernel)
    kernel, padding = KERNELS.index(request.kernel.name), PADDINGS.index(request.padding)
    settings = Settings(kind, grid.size, grid.align_corners, kernel, padding)
    fill = _fill(request) if request.padding == "fill" else None
    if torch.is_grad_enabled() and _needs_gradient(image, parameters):
        if kernel == 0 or not image.is_floating_point():
            # What is read then does not change with where it is read.
            parameters = tuple(parameter.detach() for parameter in parameters)
        if not torch.compiler.is_compiling() and _needs_gradient(image, parameters):
            return Sample.apply(settings, getattr(grid, "basis", None), image, fill, *parameters)  # type: ignore[no-untyped-call]
    if torch.compiler.is_compiling():
        return ops.sample(image, parameters, fill, *settings)
    return run(image, parameters, fill, settings)


def _needs_gradient(image: Tensor, parameters: tuple[Tensor, ...]) -> bool:
    return image.requires_grad or any(parameter.requires_grad for parameter in parameters)


def _fill(request: Request) -> Tensor:
    """The fill per channel, rounded to the image's type as the image is, in the type of sums."""
    image, fill = request.image, request.fill
    values = fill if isinstance(fill, Tensor) else image.new_full((image.shape[1],), fill)
    return values.detach().to(compute_dtype(image)).contiguous()
