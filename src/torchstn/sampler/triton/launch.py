"""Puts a call to the kernels: makes the tensors they write, and launches the fastest configuration."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from math import prod
from typing import Any

import torch
from torch import Tensor

from ..fused.contract import Settings, empty
from ..layout import layout_of
from .accumulation import accumulation
from .configurations import UNFUSED, Configuration, configurations
from .interpreter import mend
from .job import Job, dense, describe
from .kernels.backward import gradients
from .kernels.forward import sample
from .loading import INTERPRETING
from .tuning import run_fastest, sort_of

if INTERPRETING:
    mend()


def run(image: Tensor, parameters: Sequence[Tensor], fill: Tensor | None, settings: Settings) -> Tensor:
    """See `Engine.run`."""
    job = describe(image, parameters, settings)
    output = empty(image, (job.batch, job.channels, *settings.size), image.dtype)

    def attempt(configuration: Configuration) -> Tensor:
        tiles = configuration.tiles(job.outputs)
        sample[job.batch * prod(tiles), configuration.shares](
            job.image,
            dense(output),
            fill,
            job.grid,
            job.inputs,
            job.outputs,
            tiles,
            job.channels,
            configuration.share(job.channels),
            job.plan,
            configuration.tile,
            num_warps=configuration.warps,
            **UNFUSED,
        )
        return output

    with _on(image):
        return run_fastest(_key(job, image), configurations(job), attempt, output.numel())


def run_backward(
    image: Tensor,
    grad_output: Tensor,
    parameters: Sequence[Tensor],
    fill: Tensor | None,
    settings: Settings,
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    """See `Engine.run_backward`."""
    job = describe(image, parameters, settings)
    grad_output = grad_output.contiguous(memory_format=layout_of(image))
    every = job.grid.points is not None

    def attempt(configuration: Configuration) -> list[Tensor | None]:
        tiles = configuration.tiles(job.outputs)
        sums = accumulation(image, grad_output, job, settings.size, wanted[0])
        grad_grid = _grad_grid(job, settings, prod(tiles) * configuration.shares) if any(wanted[1:]) else None
        gradients[job.batch * prod(tiles), configuration.shares](
            job.image,
            dense(grad_output),
            fill,
            job.grid,
            *sums.arguments,
            grad_grid,
            job.inputs,
            job.outputs,
            tiles,
            job.channels,
            configuration.share(job.channels),
            job.plan,
            configuration.tile,
            **sums.known,
            num_warps=configuration.warps,
            **UNFUSED,
        )
        grad_image = sums.gradient(image) if wanted[0] else None
        return [grad_image, *_grad_parameters(grad_grid, job, parameters, wanted[1:])]

    with _on(image):
        key = (*_key(job, image), *wanted)
        return run_fastest(key, configurations(job, divisible=not every), attempt, grad_output.numel())


def _on(image: Tensor) -> AbstractContextManager[Any]:
    return nullcontext() if INTERPRETING else torch.cuda.device(image.device)


def _key(job: Job, image: Tensor) -> tuple[Any, ...]:
    sizes = sort_of(job.batch, job.channels, *job.inputs, *job.outputs)
    return job.plan, image.dtype, image.device, *sizes


def _grad_grid(job: Job, settings: Settings, rows: int) -> Tensor:
    """What the kernel writes of the grid's gradient: of every point, or of every tile a row of sums."""
    held = job.grid.points if job.grid.points is not None else job.grid.matrix
    if job.grid.points is not None:
        return torch.empty((job.batch, *settings.size, job.plan.dims), dtype=held.dtype, device=held.device)
    kind = torch.float64 if job.plan.wide_sums else torch.float32
    sums = torch.empty((job.batch, rows, job.row), dtype=kind, device=held.device)
    # A tile writes only the few functions that are not zero on it.
    return sums.zero_() if job.plan.kind == "separable" else sums


def _grad_parameters(
    grad_grid: Tensor | None, job: Job, parameters: Sequence[Tensor], wanted: Sequence[bool]
) -> list[Tensor | None]:
    """The second stage of the reduction: over tiles, and over samples where one parameter serves all."""
    if grad_grid is None:
        return [None] * len(parameters)
    if job.grid.points is not None:
        return [_summed(grad_grid, parameters[0], job)]
    total = grad_grid.sum(1, dtype=torch.float64)
    cells = job.row - job.grid.functions * job.plan.dims
    parts = (total[:, :cells], total[:, cells:])
    found = [
        _of(part, parameter, job) if needed else None
        for parameter, part, needed in zip(parameters, parts, wanted, strict=False)
    ]
    # What a basis holds has no gradient here.
    return found + [None] * (len(parameters) - len(found))


def _summed(gradient: Tensor, parameter: Tensor, job: Job) -> Tensor:
    """Over all samples where one parameter serves them."""
    return gradient.sum(0, keepdim=True) if parameter.shape[0] < job.batch else gradient


def _of(sums: Tensor, parameter: Tensor, job: Job) -> Tensor:
    """In memory of its own: an operator's results may not share any."""
    own = torch.empty_like(parameter, memory_format=torch.contiguous_format)
    return own.copy_(_summed(sums, parameter, job).view_as(own))
