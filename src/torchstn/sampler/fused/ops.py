"""Fused kernels as registered operators, which torch.compile takes whole."""
# ruff: noqa: ARG001 - a fake takes what its operator takes

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .contract import ENGINES, Settings, empty, output_shape


@torch.library.custom_op("torchstn::sample", mutates_args=())
def sample(
    image: Tensor,
    parameters: Sequence[Tensor],
    fill: Tensor | None,
    kind: int,
    size: Sequence[int],
    align_corners: bool,
    kernel: int,
    padding: int,
    backend: str,
) -> Tensor:
    """See `Engine.run`."""
    settings = Settings(kind, tuple(size), align_corners, kernel, padding, backend)
    return ENGINES[backend].run(image, parameters, fill, settings)


@sample.register_fake
def _(
    image: Tensor,
    parameters: Sequence[Tensor],
    fill: Tensor | None,
    kind: int,
    size: Sequence[int],
    align_corners: bool,
    kernel: int,
    padding: int,
    backend: str,
) -> Tensor:
    settings = Settings(kind, tuple(size), align_corners, kernel, padding, backend)
    return empty(image, output_shape(image, parameters, settings), image.dtype)


@torch.library.custom_op("torchstn::sample_backward", mutates_args=())
def sample_backward(
    image: Tensor,
    grad_output: Tensor,
    parameters: Sequence[Tensor],
    fill: Tensor | None,
    kind: int,
    size: Sequence[int],
    align_corners: bool,
    kernel: int,
    padding: int,
    backend: str,
    wanted: Sequence[bool],
) -> list[Tensor]:
    """The gradients that are wanted of the image and of each parameter; see `Engine.run_backward`."""
    settings = Settings(kind, tuple(size), align_corners, kernel, padding, backend)
    gradients = ENGINES[backend].run_backward(image, grad_output, parameters, fill, settings, wanted)
    return [gradient for gradient in gradients if gradient is not None]


@sample_backward.register_fake
def _(
    image: Tensor,
    grad_output: Tensor,
    parameters: Sequence[Tensor],
    fill: Tensor | None,
    kind: int,
    size: Sequence[int],
    align_corners: bool,
    kernel: int,
    padding: int,
    backend: str,
    wanted: Sequence[bool],
) -> list[Tensor]:
    gradients = [empty(image, image.shape, image.dtype)] if wanted[0] else []
    for parameter, needed in zip(parameters, wanted[1:], strict=True):
        if needed:
            gradients.append(parameter.new_empty(parameter.shape))
    return gradients


def _remember(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    image, parameters, fill, *settings = inputs
    ctx.save_for_backward(image, fill, *parameters)
    ctx.settings = settings


def _backward(ctx: Any, grad_output: Tensor) -> tuple[Any, ...]:
    image, fill, *parameters = ctx.saved_tensors
    wanted = [ctx.needs_input_grad[0], *ctx.needs_input_grad[1]]
    gradients = iter(
        torch.ops.torchstn.sample_backward(image, grad_output, parameters, fill, *ctx.settings, wanted)
    )
    every = [next(gradients) if needed else None for needed in wanted]
    return every[0], every[1:], *[None] * (1 + len(ctx.settings))


sample.register_autograd(_backward, setup_context=_remember)
