"""`F.grid_sample` is the oracle, in value and in every gradient, away from pixel lines."""

from collections.abc import Sequence
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.closeness import assert_close
from support.gradients import assert_gradients_agree
from support.points import random_points
from torch import Tensor
from torch.nn import functional as F

import torchstn as stn

pytestmark = pytest.mark.usefixtures("each_backend")

MODES = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}
PADDINGS = ("zeros", "border", "reflection")
CONVENTIONS = pytest.mark.parametrize("align_corners", [False, True], ids=["edges", "centres"])

CASES_2D = [
    pytest.param(kernel, padding, size, id=f"{kernel}-{padding}-{'x'.join(map(str, size))}")
    for kernel, padding, size in product(MODES, PADDINGS, [(5, 7), (1, 6), (4, 1), (1, 1), (2, 3)])
]
CASES_3D = [
    pytest.param(kernel, padding, size, id=f"{kernel}-{padding}-{'x'.join(map(str, size))}")
    for kernel, padding, size in product(("nearest", "linear"), PADDINGS, [(3, 4, 5), (1, 3, 2), (2, 1, 1)])
]


def _compare(
    kernel: str,
    padding: str,
    size: Sequence[int],
    align_corners: bool,
    dtype: torch.dtype,
    out: Sequence[int],
) -> None:
    image = torch.randn(2, 3, *size, dtype=torch.float64).to(dtype)
    points = random_points(2, out, size, align_corners).to(dtype)

    def ours(image: Tensor, points: Tensor) -> Tensor:
        return stn.sample(image, points, kernel=kernel, padding=padding, align_corners=align_corners)

    def theirs(image: Tensor, points: Tensor) -> Tensor:
        return F.grid_sample(image, points, MODES[kernel], padding, align_corners)

    # A constant image has no slope: one pixel that goes on for ever, or the nearest pixel.
    flat = kernel == "nearest" or (set(size) == {1} and padding != "zeros")
    one_centre = align_corners and set(size) == {1}
    assert_gradients_agree(ours, theirs, [image, points], zero=[1] if flat or one_centre else [])


@CONVENTIONS
@pytest.mark.parametrize(("kernel", "padding", "size"), CASES_2D)
def test_agrees_in_two_dimensions(
    kernel: str, padding: str, size: tuple[int, ...], align_corners: bool
) -> None:
    _compare(kernel, padding, size, align_corners, torch.float64, (6, 9))


@CONVENTIONS
@pytest.mark.parametrize(("kernel", "padding", "size"), CASES_3D)
def test_agrees_in_three_dimensions(
    kernel: str, padding: str, size: tuple[int, ...], align_corners: bool
) -> None:
    _compare(kernel, padding, size, align_corners, torch.float64, (3, 4, 5))


@CONVENTIONS
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("kernel", MODES)
def test_agrees_in_single_precision(kernel: str, padding: str, align_corners: bool) -> None:
    _compare(kernel, padding, (17, 12), align_corners, torch.float32, (11, 8))


@settings(max_examples=60)
@given(
    kernel=st.sampled_from(sorted(MODES)),
    padding=st.sampled_from(PADDINGS),
    align_corners=st.booleans(),
    shape=st.tuples(*[st.integers(1, 4)] * 2, *[st.integers(1, 9)] * 4),
    layout=st.sampled_from(["contiguous", "channels_last", "transposed", "expanded", "strided"]),
)
def test_agrees_for_any_shape_and_layout(
    kernel: str, padding: str, align_corners: bool, shape: tuple[int, ...], layout: str
) -> None:
    n, c, h, w, oh, ow = shape
    image = _with_layout(torch.randn(n, c, h, w, dtype=torch.float64), layout)
    points = random_points(n, (oh, ow), (h, w), align_corners)
    actual = stn.sample(image, points, kernel=kernel, padding=padding, align_corners=align_corners)
    assert_close(actual, F.grid_sample(image, points, MODES[kernel], padding, align_corners))


def _with_layout(image: Tensor, layout: str) -> Tensor:
    if layout == "channels_last":
        return image.contiguous(memory_format=torch.channels_last)
    if layout == "transposed":
        return image.transpose(2, 3).contiguous().transpose(2, 3)
    if layout == "expanded":
        return image[:1, :1].expand_as(image)
    if layout == "strided":
        return image.repeat_interleave(2, 3)[..., ::2]
    return image


@pytest.mark.parametrize("alias", ["bilinear", "bicubic"])
def test_the_names_of_torch_are_accepted(alias: str) -> None:
    image, points = torch.randn(1, 2, 5, 6), random_points(1, (4, 4), (5, 6), False).float()
    assert_close(
        stn.sample(image, points, kernel=alias), F.grid_sample(image, points, alias, align_corners=False)
    )


def test_convention_of_raw_points_is_edges_unless_said() -> None:
    image, points = torch.randn(1, 1, 5, 6), torch.rand(1, 4, 4, 2) * 2 - 1
    edges = F.grid_sample(image, points, align_corners=False)
    assert_close(stn.sample(image, points), edges)
    # The other convention reads up to half a pixel away.
    assert (edges - stn.sample(image, points, align_corners=True)).abs().max() > 0.05


def test_convention_x_is_the_last_axis() -> None:
    image = torch.arange(6.0).view(1, 1, 2, 3)  # unequal sides: the other order would read elsewhere
    right_middle = torch.tensor([[[[1.0, 0.0]]]])
    assert stn.sample(image, right_middle, align_corners=True).item() == 3.5
