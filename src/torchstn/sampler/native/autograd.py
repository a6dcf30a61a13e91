"""The compiled kernels in eager autograd."""

from typing import Any

import torch
from torch import Tensor

from ..._types import PADDINGS
from ...grid.basis import Basis
from .. import reference
from ..kernels import KERNELS as EVERY_KERNEL
from .description import coordinates
from .extension import KERNELS, Settings, run, run_backward
from .refusal import is_plain, why_not_now


class Sample(torch.autograd.Function):
    """Samples by compiled kernels, forward and backward; further derivatives are the reference's.

    There is no forward-mode and no vmap rule: where those are asked for the reference runs from the start.
    """

    @staticmethod
    def forward(
        ctx: Any,
        settings: Settings,
        basis: Basis | None,
        image: Tensor,
        fill: Tensor | None,
        *parameters: Tensor,
    ) -> Tensor:
        ctx.save_for_backward(image, fill, *parameters)
        ctx.settings = settings
        ctx.basis = basis
        return run(image, parameters, fill, settings)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        image, fill, *parameters = ctx.saved_tensors
        _, _, *wanted = ctx.needs_input_grad
        del wanted[1]
        if torch.is_grad_enabled() or not is_plain(grad_output) or why_not_now() is not None:
            gradients = _by_reference(ctx, image, fill, parameters, grad_output, wanted)
        else:
            gradients = run_backward(image, grad_output, parameters, fill, ctx.settings, wanted)
        return None, None, gradients[0], None, *gradients[1:]


def _by_reference(
    ctx: Any,
    image: Tensor,
    fill: Tensor | None,
    parameters: list[Tensor],
    grad_output: Tensor,
    wanted: list[bool],
) -> list[Tensor | None]:
    """The reference's gradients, which are differentiable and take part in torch's transformations."""
    settings: Settings = ctx.settings
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        output = reference.sample(
            image,
            coordinates(settings, parameters, ctx.basis, image.shape[2:]),
            EVERY_KERNEL[KERNELS[settings.kernel]],
            PADDINGS[settings.padding],
            0.0 if fill is None else fill,
            settings.align_corners,
        )
        inputs = [value for value, needed in zip((image, *parameters), wanted, strict=True) if needed]
        gradients = iter(
            torch.autograd.grad(output, inputs, grad_output, create_graph=again, allow_unused=True)
        )
    return [next(gradients) if needed else None for needed in wanted]
