"""Fused kernels in eager autograd."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..._types import PADDINGS
from ...grid.basis import Basis
from .. import reference
from ..kernels import KERNELS as EVERY_KERNEL
from .contract import ENGINES, KERNELS, Settings
from .description import coordinates
from .guards import is_plain, why_not_now


class Sample(torch.autograd.Function):
    """Samples by fused kernels, forward and backward; further derivatives are the reference's.

    There is no forward-mode and no vmap rule: where those are asked for the reference runs from the start.
    """

    @staticmethod
    def forward(
        ctx: Any,
        settings: Settings,
        basis: Basis | None,
        fill: Tensor | None,
        image: Tensor,
        *parameters: Tensor,
    ) -> Tensor:
        ctx.save_for_backward(image, *parameters)
        ctx.described = settings, basis, fill
        return ENGINES[settings.backend].run(image, parameters, fill, settings)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        image, *parameters = ctx.saved_tensors
        wanted = ctx.needs_input_grad[3:]
        settings, basis, fill = ctx.described
        if (
            torch.is_grad_enabled()
            or not is_plain(grad_output, image.device.type)
            or why_not_now() is not None
        ):
            gradients = _by_reference(settings, basis, fill, image, parameters, grad_output, wanted)
        else:
            engine = ENGINES[settings.backend]
            gradients = engine.run_backward(image, grad_output, parameters, fill, settings, wanted)
        return None, None, None, *gradients


record = super(torch.autograd.Function, Sample).apply
"""Sample.apply, less a question about torch.func that has been asked by now: it costs a microsecond."""


def _by_reference(
    settings: Settings,
    basis: Basis | None,
    fill: Tensor | None,
    image: Tensor,
    parameters: list[Tensor],
    grad_output: Tensor,
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    """The reference's gradients, which are differentiable and take part in torch's transformations."""
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        output = reference.sample(
            image,
            coordinates(settings, parameters, basis, image.shape[2:]),
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
