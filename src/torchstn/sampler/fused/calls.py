"""Runs a request on fused kernels: eager, recorded for autograd, or as an operator being traced."""

import torch
from torch import Tensor

from ..._types import PADDINGS
from ..request import Request
from . import ops
from .autograd import record
from .contract import KERNELS, Engine, Settings, compute_dtype
from .description import describe

KERNEL_NUMBERS = {name: number for number, name in enumerate(KERNELS)}
PADDING_NUMBERS = {name: number for number, name in enumerate(PADDINGS)}


def sample(engine: Engine, request: Request) -> Tensor:
    """Runs a request that was not refused."""
    image, grid = request.image, request.grid
    kind, parameters = describe(request)
    kernel: int = KERNEL_NUMBERS[request.kernel.name]  # type: ignore[union-attr]  # else it was refused
    settings = Settings(
        kind, grid.size, grid.align_corners, kernel, PADDING_NUMBERS[request.padding], engine.name
    )
    fill = _fill(request) if request.padding == "fill" else None
    if torch.is_grad_enabled():
        moves = parameters[0].requires_grad or (len(parameters) > 1 and parameters[1].requires_grad)
        if moves and (kernel == 0 or not image.is_floating_point()):
            # What is read does then not change with where it is read.
            parameters = tuple([parameter.detach() for parameter in parameters])
            moves = False
        if (moves or image.requires_grad) and not torch.compiler.is_compiling():
            return record(settings, getattr(grid, "basis", None), fill, image, *parameters)  # type: ignore[no-untyped-call]
    if torch.compiler.is_compiling():
        return ops.sample(image, parameters, fill, *settings)
    return engine.run(image, parameters, fill, settings)


def _fill(request: Request) -> Tensor:
    """The fill per channel, rounded to the image's type as the image is, in the type of sums: a copy."""
    image, fill = request.image, request.fill
    values = fill if isinstance(fill, Tensor) else image.new_full((image.shape[1],), fill)
    return values.detach().to(compute_dtype(image), copy=True, memory_format=torch.contiguous_format)
