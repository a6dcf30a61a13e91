"""sample: the public door of the sampler. Checks once, resolves names, and hands over to a backend."""

from collections.abc import Sequence
from typing import Literal, overload

import torch
from torch import Tensor

from .._checks import check_axes, check_batch, check_choice, check_device, check_tensor
from .._precision import coordinate_dtype
from .._types import PADDINGS, Image, KernelName, Output, Padding
from ..grid.absolute import AbsolutePoints
from ..grid.base import Grid
from ..grid.points import check_point_tensor
from .dispatch import choose
from .kernels import BuiltinKernel, Kernel, resolve_kernel
from .pyramid import check_antialias, sample_pyramid
from .request import Request

Fill = float | Sequence[float] | Tensor


@overload
def sample(
    image: Image,
    grid: Grid | Tensor,
    *,
    kernel: KernelName | Kernel = ...,
    padding: Padding = ...,
    fill: Fill = ...,
    align_corners: bool | None = ...,
    antialias: int = ...,
    backend: str = ...,
    return_mask: Literal[False] = ...,
) -> Output: ...
@overload
def sample(
    image: Image,
    grid: Grid | Tensor,
    *,
    kernel: KernelName | Kernel = ...,
    padding: Padding = ...,
    fill: Fill = ...,
    align_corners: bool | None = ...,
    antialias: int = ...,
    backend: str = ...,
    return_mask: Literal[True],
) -> tuple[Output, Tensor]: ...
def sample(
    image: Image,
    grid: Grid | Tensor,
    *,
    kernel: KernelName | Kernel = "linear",
    padding: Padding = "zeros",
    fill: Fill = 0.0,
    align_corners: bool | None = None,
    antialias: int = 0,
    backend: str = "auto",
    return_mask: bool = False,
) -> Output | tuple[Output, Tensor]:
    """Reads the image at every point of the grid (Jaderberg et al. 2015, equations 3 to 5).

    Convention: the grid maps output points to input points, (x, y[, z]) with x along the last axis,
    normalised to [-1, 1]; its `align_corners` says whether that is the outer edges (False) or the centres
    (True) of the corner pixels. Values equal those of `F.grid_sample`. The derivative where a point lies on a
    pixel line is the one to the right of it. A point that is not finite reads 0, or the fill, with zero
    gradient.

    Args:
        image: (n, c, *size). Floating point or complex with any kernel; uint8 with any kernel, rounded and
            saturated, without gradient; other integers and bool with "nearest".
        grid: A Grid, or normalised points (n, *out, d) as `F.grid_sample` takes them. One image with many
            grids, or one grid with many images, is read without copies.
        kernel: "nearest" (equation 4, halves up), "linear" (equation 5), "cubic" (a = -0.75, as torch),
            "bspline3" (interpolating cubic B-spline), "lanczos3", or a Kernel. "bilinear" and "bicubic" are
            accepted names.
        padding: What lies outside the image: "zeros", "border", "reflection", "circular" or "fill".
        fill: The value outside with padding "fill": a number, or one per channel (c,); rounded and saturated
            for an image of whole numbers.
        align_corners: The convention of a raw tensor of points, default False; a Grid brings its own.
        antialias: How often the image may be halved, at most, where points of the output lie further apart
            than its pixels: 0, never (a reduced image then aliases, section 3.4); 1 to reduce up to 2 times,
            2 to 4 times, 3 to 8. Where they lie closer the values are the same. Not for "nearest".
        backend: "auto", or the name of one backend.
        return_mask: Also return where the point lies inside the image, (n, 1, *out), bool.

    Returns:
        (n, c, *out) in the image's type and, for channels_last images, layout; with `return_mask` a pair.

    Raises:
        TypeError: If a type is not as above.
        ValueError: If a shape, a name, a device or a combination is not as above.
    """
    resolved = resolve_kernel(kernel)
    check_choice("padding", padding, PADDINGS)
    readable = _readable(image, grid, align_corners)
    _check_image(image, resolved)
    values = _fill(fill, padding, image)
    if check_antialias(antialias, resolved):
        request = Request(_with_fractions(image), readable, resolved, padding, values)
        output = _in_type(sample_pyramid(backend, request, antialias), image.dtype)
    else:
        request = Request(image, readable, resolved, padding, values)
        output = choose(backend, request).sample(request)
    if not return_mask:
        return output
    mask = _inside(request.coordinates, image.shape[2:], request.align_corners)
    return output, mask.expand(output.shape[0], *mask.shape[1:]).unsqueeze(1)


def _readable(image: Tensor, grid: Grid | Tensor, align_corners: bool | None) -> Grid | AbsolutePoints:
    """Where to read, checked against the image, in the type of coordinates."""
    check_tensor("image", image)
    if isinstance(grid, Grid):
        if align_corners is not None and align_corners != grid.align_corners:
            raise ValueError(
                f"`align_corners` belongs to the grid, which has {grid.align_corners}; got {align_corners}. "
                "Leave it out, or make the grid with the other convention."
            )
        parameter = grid.parameter
        _check_match(image, grid.dims, grid.batch, parameter)
        dtype = coordinate_dtype(image, parameter)
        return grid if parameter.dtype == dtype else grid.to(dtype)
    if not isinstance(grid, Tensor):
        raise TypeError(
            f"`grid` must be a Grid or a tensor of points (n, *out, d), got {type(grid).__name__}."
        )
    check_point_tensor("grid", grid)
    _check_match(image, grid.shape[-1], grid.shape[0], grid)
    return AbsolutePoints(grid.to(coordinate_dtype(image, grid)), bool(align_corners))


def _check_match(image: Tensor, dims: int, batch: int, parameter: Tensor) -> None:
    shape = image.shape
    check_axes(image, dims, "grid")
    if 0 in shape and 0 in shape[2:]:
        raise ValueError(f"`image` must have at least one pixel along every axis, got {tuple(shape)}.")
    check_batch("image", shape[0], "grid", batch)
    check_device("grid", parameter, "image", image)


def _check_image(image: Tensor, kernel: Kernel | BuiltinKernel) -> None:
    if image.is_floating_point() or image.is_complex() or image.dtype == torch.uint8:
        return
    if getattr(kernel, "name", None) != "nearest":
        raise TypeError(
            f"`image` of type {image.dtype} has no values between pixels: use kernel='nearest', "
            "or convert it with `.float()`."
        )


def check_fill(fill: Fill, padding: Padding) -> None:
    """Refuses a fill that would go unused."""
    if padding != "fill" and (not isinstance(fill, (int, float)) or fill != 0):
        raise ValueError(f"`fill` is used with padding='fill' only, got {fill!r} with padding={padding!r}.")


def _fill(fill: Fill, padding: Padding, image: Tensor) -> Tensor | float:
    check_fill(fill, padding)
    if padding != "fill":
        return 0.0
    if isinstance(fill, (int, float)) and _has_fractions(image.dtype):
        return float(fill)
    values = fill if isinstance(fill, Tensor) else _as_tensor(fill, image.dtype)
    if values.is_complex() and not image.is_complex():
        raise TypeError(f"`fill` must be real for an image of type {image.dtype}, got {fill!r}.")
    if values.ndim == 0:
        values = values.expand(image.shape[1])
    if values.shape != image.shape[1:2]:
        raise ValueError(
            f"`fill` must be a number or one per channel ({image.shape[1]},), got {tuple(values.shape)}."
        )
    if isinstance(fill, Tensor):
        check_device("fill", fill, "image", image)
    return _in_type(values, image.dtype).to(image.device)


def _with_fractions(image: Tensor) -> Tensor:
    return image if _has_fractions(image.dtype) else image.float()


def _has_fractions(dtype: torch.dtype) -> bool:
    return dtype.is_floating_point or dtype.is_complex


def _as_tensor(fill: float | Sequence[float], dtype: torch.dtype) -> Tensor:
    """Numbers as a tensor of the widest type of their kind: the image's is narrow enough soon enough."""
    numbers = fill if isinstance(fill, Sequence) else [fill] if isinstance(fill, float) else []
    if not _has_fractions(dtype) and any(number != number for number in numbers):  # noqa: PLR0124
        raise ValueError(f"`fill` must not be NaN for an image of type {dtype}, got {fill!r}.")
    try:
        values = torch.tensor(fill)
        wide = torch.promote_types(values.dtype, torch.float64)
        return torch.tensor(fill, dtype=wide) if _has_fractions(values.dtype) else values
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"`fill` must be a number or one per channel, got {fill!r}.") from error


def _in_type(values: Tensor, dtype: torch.dtype) -> Tensor:
    """Values in the image's type, rounded and saturated where that has whole numbers only."""
    if _has_fractions(dtype):
        return values.to(dtype)
    if dtype == torch.bool:
        return values != 0
    whole = values.round() if values.is_floating_point() else values.long()
    limits = torch.iinfo(dtype)
    saturated = whole.clamp(limits.min, limits.max).to(dtype)
    # Rounded to a type with fractions, the largest whole number may be one too large, and wrap.
    return torch.where(whole >= limits.max, limits.max, saturated)


def _inside(coordinates: tuple[Tensor, ...], size: Sequence[int], align_corners: bool) -> Tensor:
    edge = 0.0 if align_corners else 0.5
    inside = [
        (x >= -edge) & (x <= length - 1 + edge) for x, length in zip(coordinates, size[::-1], strict=True)
    ]
    return torch.stack(inside).all(0)
