"""The door to the compiled extension: loads it when it is first needed, and makes the tensors it writes."""

import importlib
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..fused.contract import (
    BASIS,
    MATRIX,
    SEPARABLE_BASIS,
    Engine,
    Settings,
    compute_dtype,
    empty,
    output_shape,
    register,
)
from ..layout import layout_of


class _Extension:
    """torchstn._native, not imported before it is asked for."""

    def __init__(self) -> None:
        self.loaded: Any = None
        self.missing: str | None = None

    def load(self) -> None:
        try:
            self.loaded = importlib.import_module("torchstn._native")
        except ModuleNotFoundError:
            self.missing = (
                "not built: this installation has no compiled module, as happens where no C++ compiler was "
                "found; with one, install torchstn again"
            )
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the reference still runs
            self.missing = f"the compiled module does not load ({type(error).__name__}: {error})"


_extension = _Extension()


def missing() -> str | None:
    """Why the extension is not there, or None."""
    if _extension.loaded is None and _extension.missing is None:
        _extension.load()
    return _extension.missing


# What `torch.compiler.assume_constant_result` does, which would load the whole compiler: an extension can be
# loaded while a call is being traced, but the loading cannot be traced.
missing._dynamo_marked_constant = True  # type: ignore[attr-defined]


def place() -> str:
    """Where the extension runs, for people."""
    return f"CPU, in C++ ({loaded().instruction_set()}, {torch.get_num_threads()} threads)"


def loaded() -> Any:
    """The extension itself."""
    missing()
    return _extension.loaded


def run(image: Tensor, parameters: Sequence[Tensor], fill: Tensor | None, settings: Settings) -> Tensor:
    """Samples; no gradient is recorded."""
    shape = output_shape(image, parameters, settings)
    # The first costs half of the second.
    same = shape == image.shape and image.is_contiguous()
    output = torch.empty_like(image) if same else empty(image, shape, image.dtype)
    kind, size, align_corners, kernel, padding, _ = settings
    _extension.loaded.forward(
        image,
        output,
        kind,
        _as_read(parameters, kind),
        size,
        align_corners,
        kernel,
        padding,
        fill,
        torch.get_num_threads(),
    )
    return output


def run_backward(
    image: Tensor,
    grad_output: Tensor,
    parameters: Sequence[Tensor],
    fill: Tensor | None,
    settings: Settings,
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    """The gradients of the image and of each parameter, None for those that are not wanted."""
    kind, size, align_corners, kernel, padding, _ = settings
    grad_image = None
    if wanted[0]:
        dtype = compute_dtype(image)
        same = dtype == image.dtype and image.is_contiguous()
        grad_image = torch.empty_like(image) if same else empty(image, image.shape, dtype)
    grad_parameters = [
        torch.empty_like(parameter, memory_format=torch.contiguous_format) if needed else None
        for parameter, needed in zip(parameters, wanted[1:], strict=True)
    ]
    _extension.loaded.backward(
        image,
        grad_output.contiguous(memory_format=layout_of(image)),
        kind,
        _as_read(parameters, kind),
        size,
        align_corners,
        kernel,
        padding,
        fill,
        torch.get_num_threads(),
        grad_image,
        tuple(grad_parameters),
    )
    if grad_image is not None and grad_image.dtype != image.dtype:
        grad_image = grad_image.to(image.dtype)
    return [grad_image, *grad_parameters]


def _as_read(parameters: Sequence[Tensor], kind: int) -> tuple[Tensor, ...]:
    """Points are read with any strides, the few numbers of other kinds are not."""
    if kind in (MATRIX, BASIS, SEPARABLE_BASIS):
        for parameter in parameters:
            if not parameter.is_contiguous():
                return tuple(one.contiguous() for one in parameters)
    return tuple(parameters)


ENGINE = register(Engine("native", "cpu", "the CPU", (2, 3), run, run_backward))
