"""A call as the kernels are told of it: where everything lies, and what is known when they are compiled."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from ..._types import PADDINGS
from ..fused.contract import KERNELS, Settings, compute_dtype, output_shape
from ..layout import layout_of
from .memory import NOTHING, Axes, GridMemory, Pixels, Plan

KINDS = ("matrix", "basis", "separable", "points", "displacement", "pixels")
"""Names of the kinds of grids, by their number."""

TAPS = {"nearest": 1, "linear": 2, "cubic": 4}

FEWEST_WIDE = 2**31
"""Elements of an image from which on they are counted in 64 bits."""


@dataclass(frozen=True)
class Job:
    """One call.

    Attributes:
        plan: What the kernels are compiled for.
        image: Where the image lies.
        grid: Where the grid lies, or what it is made of.
        inputs: The image's size.
        outputs: The output's size.
        channels: Of both.
        batch: Images or grids, whichever are more.
    """

    plan: Plan
    image: Pixels
    grid: GridMemory
    inputs: Axes
    outputs: Axes
    channels: int
    batch: int

    @property
    def row(self) -> int:
        """Numbers to which a tile reduces the gradient of a matrix and offsets."""
        rows = self.plan.dims + self.plan.projective
        return rows * (self.plan.dims + 1) + self.grid.functions * self.plan.dims


def describe(image: Tensor, parameters: Sequence[Tensor], settings: Settings) -> Job:
    """The call in the kernels' terms."""
    dims = len(settings.size)
    kind = KINDS[settings.kind]
    batch, channels, *_ = output_shape(image, parameters, settings)
    taps = TAPS[KERNELS[settings.kernel]]
    rows = taps ** (dims - 1)
    plan = Plan(
        dims,
        kind,
        kind == "matrix" and parameters[0].shape[1] > dims,
        KERNELS[settings.kernel],
        PADDINGS[settings.padding],
        bool(settings.align_corners),
        is_last(image),
        compute_dtype(image) == torch.float64,
        max(channels * prod(settings.size), _reach(image)) >= FEWEST_WIDE,
        taps,
        rows,
        # The cubic kernel's would take a minute to compile.
        1 if taps > 2 else rows,
    )
    return Job(
        plan,
        pixels(image, batch),
        _grid(parameters, kind),
        _axes(image.shape[2:], 1),
        _axes(settings.size, 1),
        channels,
        batch,
    )


def is_last(image: Tensor) -> bool:
    """Whether the channels of a pixel lie side by side."""
    return layout_of(image) != torch.contiguous_format


def pixels(image: Tensor, batch: int) -> Pixels:
    """Where an image lies that `batch` grids read."""
    per_sample, per_channel, *strides = image.stride()
    return Pixels(image, _per_sample(image, per_sample, batch), per_channel, _axes(strides, 0))


def dense(image: Tensor) -> Pixels:
    """Where an output lies, or its gradient: a sample's pixels one after the other."""
    channels, count = image.shape[1], prod(image.shape[2:])
    if is_last(image):
        return Pixels(image, channels * count, 1, Axes(channels, 0, 0))
    return Pixels(image, channels * count, count, Axes(1, 0, 0))


def _per_sample(tensor: Tensor, stride: int, batch: int = 2) -> int:
    return 0 if tensor.shape[0] == 1 and batch > 1 else stride


def _reach(image: Tensor) -> int:
    """Elements from a sample's first to its last."""
    return sum(
        (length - 1) * abs(stride) for length, stride in zip(image.shape[1:], image.stride()[1:], strict=True)
    )


def _axes(values: Sequence[int], absent: int) -> Axes:
    return Axes(*values[::-1], *[absent] * (3 - len(values)))


def _grid(parameters: Sequence[Tensor], kind: str) -> GridMemory:
    first = parameters[0]
    if kind in ("points", "displacement", "pixels"):
        return NOTHING._replace(
            points=first,
            points_batch=_per_sample(first, first.stride(0)),
            points_component=first.stride(-1),
            points_axes=_axes(first.stride()[1:-1], 0),
        )
    matrix = first.contiguous()
    grid = NOTHING._replace(matrix=matrix, matrix_batch=_per_sample(matrix, matrix.stride(0)))
    if kind == "matrix":
        return grid
    offsets, *tables = [parameter.contiguous() for parameter in parameters[1:]]
    return grid._replace(
        offsets=offsets,
        offsets_batch=_per_sample(offsets, offsets.stride(0)),
        functions=offsets.shape[1],
        tables=Axes(*tables[::-1], *[None] * (3 - len(tables))),
        counts=_axes([table.shape[0] for table in tables], 1) if kind == "separable" else Axes(1, 1, 1),
    )
