"""The compiled kernels against the reference: value and every gradient, over everything they declare."""

from itertools import product
from typing import Any

import pytest
import torch
from support import agreement
from support.agreement import (
    DEGENERATE,
    DTYPES,
    KERNELS,
    KINDS,
    LAYOUTS,
    PADDINGS,
    SIZES,
    Case,
    check,
    check_some,
)

pytestmark = pytest.mark.usefixtures("instruction_set")

EVERY_KIND = pytest.mark.parametrize("kind", KINDS)
EVERY_KERNEL = pytest.mark.parametrize("kernel", KERNELS)
EVERY_PADDING = pytest.mark.parametrize("padding", PADDINGS)
EVERY_CONVENTION = pytest.mark.parametrize("align_corners", [False, True], ids=["edges", "centres"])


@EVERY_CONVENTION
@EVERY_PADDING
@EVERY_KERNEL
@EVERY_KIND
@pytest.mark.parametrize("dims", ["2-D", "3-D"])
def test_agrees(dims: str, kind: str, kernel: str, padding: str, align_corners: bool) -> None:
    size, out = SIZES[dims]
    formats = [*product([torch.float32], LAYOUTS), *product(DTYPES[1:], LAYOUTS[:2])]
    for number, (dtype, layout) in enumerate(formats):
        check_some(
            number,
            kind=kind,
            kernel=kernel,
            padding=padding,
            align_corners=align_corners,
            dtype=dtype,
            layout=layout,
            size=size,
            out=out,
        )


@EVERY_CONVENTION
@EVERY_KERNEL
@pytest.mark.parametrize("kind", ["affine", "projective", "free_form", "points", "displacement"])
@pytest.mark.parametrize("shape", DEGENERATE)
def test_agrees_where_an_axis_is_short_or_long(
    shape: str, kind: str, kernel: str, align_corners: bool
) -> None:
    size, out = DEGENERATE[shape]
    for number, (padding, dtype) in enumerate(product(PADDINGS, (torch.float32, torch.float64))):
        if kind == "free_form" and (max(out) > 1000 or align_corners):
            continue  # thousands of points are never all off the lines; nor is one on its only pixel
        check_some(
            number,
            kind=kind,
            kernel=kernel,
            padding=padding,
            align_corners=align_corners,
            dtype=dtype,
            size=size,
            out=out,
        )


@EVERY_KERNEL
@pytest.mark.parametrize("padding", ["zeros", "fill"])
@pytest.mark.parametrize("size", [(84, 84), (90, 91), (14, 14, 13), (19, 19, 21)], ids=str)
def test_agrees_across_the_edges_of_images_just_small_enough_to_be_framed_and_just_not(
    size: tuple[int, ...], padding: str, kernel: str
) -> None:
    """The smaller ones are copied into a frame where more pixels are made of them than they have."""
    for number, (kind, out) in enumerate(
        product(("points", "affine"), [tuple(length + 9 for length in size), (9,) * len(size)])
    ):
        check_some(number, kind=kind, kernel=kernel, padding=padding, size=size, out=out, channels=1)


# Rows of a run, of rectangles, in volumes, and too short to be worth cutting.
CANVASES = [((28, 28), (42, 42)), ((9, 11), (33, 150)), ((5, 6, 7), (6, 12, 30)), ((9, 8), (70, 12))]


@EVERY_KERNEL
@pytest.mark.parametrize("padding", ["zeros", "fill"])
@pytest.mark.parametrize("zoom", [0.0, 1.5, 4.0])
@pytest.mark.parametrize("spread", [0.0, 0.05, 0.7])
@pytest.mark.parametrize(("size", "out"), CANVASES, ids=str)
def test_agrees_where_a_small_image_lies_on_a_large_canvas(
    size: tuple[int, ...], out: tuple[int, ...], spread: float, zoom: float, padding: str, kernel: str
) -> None:
    """Rows are cut down to where they may read; without spread they are parallel to the image's."""
    options: dict[str, Any] = {"size": size, "out": out, "spread": spread, "zoom": zoom, "channels": 2}
    formats = [*product([torch.float32], LAYOUTS[:3]), *product(DTYPES[1:], LAYOUTS[:2])]
    for number, (dtype, layout) in enumerate(formats):
        check_some(number, kernel=kernel, padding=padding, dtype=dtype, layout=layout, **options)


@EVERY_KERNEL
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_agrees_where_a_single_point_is_read_whatever_the_layout(
    layout: str, channels: int, kernel: str
) -> None:
    """An output of one pixel is contiguous and channels_last as well, and says nothing of the image."""
    for number, size in enumerate([(5, 7), (4, 1), (3, 4, 5)]):
        out = (1,) * len(size)
        check_some(number, kernel=kernel, layout=layout, size=size, out=out, channels=channels)


@EVERY_KIND
@EVERY_KERNEL
@pytest.mark.parametrize(("images", "grids"), [(1, 4), (4, 1), (1, 1)], ids=["one image", "one grid", "pair"])
@pytest.mark.parametrize("channels", [1, 2, 4, 8, 19])
def test_agrees_for_any_batch_and_channels(
    channels: int, images: int, grids: int, kernel: str, kind: str
) -> None:
    for number, (layout, dtype) in enumerate(product(LAYOUTS[:2], (torch.float32, torch.bfloat16))):
        check_some(
            number,
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
@EVERY_KERNEL
@EVERY_PADDING
@pytest.mark.parametrize("dims", ["2-D", "3-D"])
def test_agrees_where_points_are_not_finite_or_very_far_out(
    dims: str, padding: str, kernel: str, kind: str
) -> None:
    size, out = SIZES[dims]
    for number, (dtype, layout) in enumerate(product((torch.float32, torch.float64), LAYOUTS[:2])):
        check_some(
            number,
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
@EVERY_KERNEL
@pytest.mark.parametrize("dtype", [one for one in DTYPES if one != torch.float64], ids=str)
def test_agrees_with_coordinates_in_double_precision(dtype: torch.dtype, kernel: str, kind: str) -> None:
    for number, padding in enumerate(PADDINGS):
        check_some(number, kind=kind, kernel=kernel, padding=padding, dtype=dtype, wide=True)


@pytest.mark.parametrize("what", ["value", "gradient of the image"])
@EVERY_KIND
def test_the_comparison_can_fail(kind: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One wrong point of 48 shows, in the value and in the gradient."""
    case = Case(kind=kind, spread=0.2, padding="border", seed=3)
    check(case)
    right = agreement.run

    def wrong(*args: Any) -> torch.Tensor:
        output = right(*args)
        factor = torch.ones_like(output)
        factor[0, 0, 2, 2] += 1e-3
        slope = output * factor
        return slope if what == "value" else output.detach() + (slope - slope.detach())

    monkeypatch.setattr(agreement, "run", wrong)
    with pytest.raises(AssertionError, match=what):
        check(case)
