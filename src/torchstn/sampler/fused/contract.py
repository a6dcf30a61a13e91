"""What every set of fused kernels is asked for: the tensors of a described grid, and a few settings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ..layout import layout_of

KERNELS = ("nearest", "linear", "cubic")
"""Those that are fused, known by their place."""

MATRIX, BASIS, SEPARABLE_BASIS, POINTS, DISPLACEMENT, PIXELS = range(6)
"""What describes a grid."""


class Settings(NamedTuple):
    """What a call is told beside its tensors."""

    kind: int
    size: Sequence[int]
    align_corners: bool
    kernel: int
    padding: int
    backend: str


@dataclass(frozen=True)
class Engine:
    """One set of kernels, and what it declares.

    Attributes:
        name: Of its backend.
        device: The type of the devices it runs on.
        where: The same, for people.
        dims: Numbers of spatial dimensions it has kernels for.
        run: (image, parameters, fill, settings) to the output; records no gradient.
        run_backward: (image, grad_output, parameters, fill, settings, wanted) to the gradients of the image
            and of each parameter, None for those that are not wanted.
    """

    name: str
    device: str
    where: str
    dims: tuple[int, ...]
    run: Callable[[Tensor, Sequence[Tensor], Tensor | None, Settings], Tensor]
    run_backward: Callable[
        [Tensor, Tensor, Sequence[Tensor], Tensor | None, Settings, Sequence[bool]], list[Tensor | None]
    ]


ENGINES: dict[str, Engine] = {}
"""By name, so that an operator can be told in words which of them is meant."""


def register(engine: Engine) -> Engine:
    """Adds an engine to the table."""
    ENGINES[engine.name] = engine
    return engine


def compute_dtype(image: Tensor) -> torch.dtype:
    """The type in which values of an image are summed."""
    return torch.float64 if image.dtype == torch.float64 else torch.float32


def output_shape(image: Tensor, parameters: Sequence[Tensor], settings: Settings) -> tuple[int, ...]:
    """(n, c, *size), n the larger of the batches."""
    shape = image.shape
    batch = max(shape[0], parameters[0].shape[0])
    if len(parameters) > 1:  # a matrix and offsets
        batch = max(batch, parameters[1].shape[0])
    return (batch, shape[1], *settings.size)


def empty(image: Tensor, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """Memory to be written, on the device and in the layout of the image."""
    return torch.empty(shape, dtype=dtype, device=image.device, memory_format=layout_of(image))
