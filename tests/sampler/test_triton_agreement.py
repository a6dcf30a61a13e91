"""The GPU kernels against the reference: value and every gradient, over everything they declare.

Interpreted, each combination has one of the types and layouts; on a GPU it has all of them.
"""

from itertools import product
from typing import Any

import pytest
import torch
from support.agreement import DEGENERATE, DTYPES, KERNELS, KINDS, LAYOUTS, PADDINGS, SIZES, check_some
from support.backends import INTERPRETING

FORMATS = [*product([torch.float32], LAYOUTS), *product(DTYPES[1:], LAYOUTS[:2])]
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)
EVERY_KERNEL = pytest.mark.parametrize("kernel", KERNELS)
EVERY_PADDING = pytest.mark.parametrize("padding", PADDINGS)


def _some(every: list[Any], number: int) -> list[Any]:
    """All of a list; interpreted one of it, another for each number."""
    return [every[number % len(every)]] if INTERPRETING else every


def _number(*choices: tuple[Any, Any]) -> int:
    """A number of its own for each combination of choices."""
    number = 0
    for choice, choices_there_are in choices:
        number = number * len(choices_there_are) + list(choices_there_are).index(choice)
    return number


def _check(number: int, device: str, **options: Any) -> None:
    check_some(number, "triton", device, **options)


def _worth_it(dims: str, kind: str, kernel: str, padding: str) -> bool:
    """Interpreted, all paddings of the linear kernel; of the others one for each kind."""
    if not INTERPRETING or (kernel == "linear" and dims != "1-D"):
        return True
    return KINDS.index(kind) % 5 == PADDINGS.index(padding)


@pytest.mark.parametrize(
    ("dims", "kind", "kernel", "padding"),
    [case for case in product(SIZES, KINDS, KERNELS, PADDINGS) if _worth_it(*case)],
)
def test_agrees(dims: str, kind: str, kernel: str, padding: str, triton_device: str) -> None:
    size, out = SIZES[dims]
    number = _number((kind, KINDS), (kernel, KERNELS), (padding, PADDINGS))
    formats = [
        (a, f)
        for a, f in product((False, True), FORMATS)
        if len(size) > 1 or f[1] in ("contiguous", "strided")
    ]
    # A step that shares no factor with the number of formats comes by all of them.
    for align_corners, (dtype, layout) in _some(formats, 7 * number + len(size)):
        _check(
            number,
            triton_device,
            kind=kind,
            kernel=kernel,
            padding=padding,
            align_corners=align_corners,
            dtype=dtype,
            layout=layout,
            size=size,
            out=out,
        )


@EVERY_KERNEL
@pytest.mark.parametrize("kind", ["affine", "projective", "free_form", "points", "displacement"])
@pytest.mark.parametrize("shape", [shape for shape in DEGENERATE if not INTERPRETING or "more" not in shape])
def test_agrees_where_an_axis_is_short_or_long(
    shape: str, kind: str, kernel: str, triton_device: str
) -> None:
    size, out = DEGENERATE[shape]
    number = _number((shape, DEGENERATE), (kernel, KERNELS)) + ("affine", "points").count(kind)
    formats = list(product(PADDINGS, (torch.float32, torch.float64), (False, True)))
    if kind == "free_form":
        formats = [
            one for one in formats if not one[2]
        ]  # nor is a point on its only pixel ever off the lines
    if kind == "free_form" and max(out) > 1000:
        return  # thousands of points are never all off the lines
    for padding, dtype, align_corners in _some(formats, 3 * number):
        _check(
            number,
            triton_device,
            kind=kind,
            kernel=kernel,
            padding=padding,
            align_corners=align_corners,
            dtype=dtype,
            size=size,
            out=out,
        )


@EVERY_KIND
@pytest.mark.parametrize("kernel", KERNELS[:2] if INTERPRETING else KERNELS)
@pytest.mark.parametrize(("images", "grids"), [(1, 4), (4, 1)], ids=["one image", "one grid"])
def test_agrees_for_any_batch_and_channels(
    images: int, grids: int, kernel: str, kind: str, triton_device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dtypes = (torch.float32, torch.bfloat16, torch.float64)
    formats = list(product((19, 1, 8), LAYOUTS[:2], dtypes, (False, True)))
    number = _number((kind, KINDS), (kernel, KERNELS), (images, (1, 4)))
    for channels, layout, dtype, deterministic in _some(formats, 5 * number):
        monkeypatch.setattr(torch, "are_deterministic_algorithms_enabled", lambda on=deterministic: on)
        _check(
            number,
            triton_device,
            kind=kind,
            kernel=kernel,
            padding="reflection",
            dtype=dtype,
            layout=layout,
            images=images,
            grids=grids,
            channels=channels,
        )


@EVERY_KIND
@EVERY_PADDING
def test_agrees_where_points_are_not_finite_or_very_far_out(
    padding: str, kind: str, triton_device: str
) -> None:
    number = _number((kind, KINDS), (padding, PADDINGS))
    sizes = list(SIZES.values())[1:]
    formats = list(product(KERNELS[:2], sizes, (torch.float32, torch.float64), LAYOUTS[:2]))
    for kernel, (size, out), dtype, layout in _some(formats, 5 * number):
        _check(
            number,
            triton_device,
            kind=kind,
            kernel=kernel,
            padding=padding,
            dtype=dtype,
            layout=layout,
            size=size,
            out=out,
            bad=True,
        )


@EVERY_KIND
@pytest.mark.parametrize("dtype", [one for one in DTYPES if one != torch.float64], ids=str)
def test_agrees_with_coordinates_in_double_precision(
    dtype: torch.dtype, kind: str, triton_device: str
) -> None:
    number = _number((kind, KINDS), (dtype, DTYPES))
    for kernel, padding in _some(list(product(KERNELS, PADDINGS)), number):
        _check(number, triton_device, kind=kind, kernel=kernel, padding=padding, dtype=dtype, wide=True)


@pytest.mark.parametrize("kind", ["affine", "thin_plate", "free_form", "displacement"])
@pytest.mark.parametrize("layout", LAYOUTS[:2])
def test_agrees_over_many_tiles(layout: str, kind: str, triton_device: str) -> None:
    """More than one along each axis, none of them full."""
    for size, out in (((61, 64), (50, 57)), ((9, 17, 12), (5, 6, 9))):
        _check(3, triton_device, kind=kind, layout=layout, size=size, out=out, images=1, grids=1, spread=0.01)
