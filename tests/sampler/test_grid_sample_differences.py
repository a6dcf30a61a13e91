"""Where we differ from `F.grid_sample` on purpose, each difference beside what torch does there."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from support.closeness import assert_close
from support.points import to_normalised
from torch import Tensor
from torch.nn import functional as F

import torchstn as stn

pytestmark = pytest.mark.usefixtures("each_backend")

# Widths at which a whole pixel is a whole pixel again after normalising, in each convention.
WIDTHS = {False: 8, True: 9}


def _ours(image: Tensor, points: Tensor, padding: str, align_corners: bool) -> Tensor:
    return stn.sample(image, points, padding=padding, align_corners=align_corners)


def _theirs(image: Tensor, points: Tensor, padding: str, align_corners: bool) -> Tensor:
    return F.grid_sample(image, points, padding_mode=padding, align_corners=align_corners)


def _slopes(
    function: Callable[..., Tensor], row: Tensor, pixels: Tensor, padding: str, align_corners: bool
) -> Tensor:
    """Derivatives in the pixel coordinate at `pixels` along a row."""
    x = pixels.double().clone().requires_grad_()
    points = to_normalised(torch.stack([x, torch.zeros_like(x)], -1), (1, len(row)), align_corners)
    output = function(row.view(1, 1, 1, -1), points.view(1, 1, -1, 2), padding, align_corners)
    return torch.autograd.grad(output.sum(), x)[0]


def _steps(row: Tensor, pixels: Tensor, padding: str, align_corners: bool) -> Tensor:
    """The next pixel's value minus this one's, on a row that goes on beyond its ends as the padding says."""
    mode = {"border": "edge", "reflection": "reflect" if align_corners else "symmetric"}[padding]
    extended = torch.from_numpy(np.pad(row.numpy(), len(row) - 1, mode=mode))
    index = pixels + len(row) - 1
    return extended[index + 1] - extended[index]


@pytest.mark.parametrize(
    ("padding", "align_corners", "clipped"),
    [
        pytest.param("border", False, [0], id="border"),
        pytest.param("border", True, [0], id="border, centres"),
        pytest.param("reflection", False, [0], id="reflection about the edges"),
        pytest.param("reflection", True, [0, 8], id="reflection about the centres"),
    ],
)
def test_at_the_ends_the_slope_is_the_right_hand_one_where_torch_clips(
    padding: str, align_corners: bool, clipped: list[int]
) -> None:
    row = torch.randn(WIDTHS[align_corners], dtype=torch.float64)
    pixels = torch.arange(len(row))
    expected = _steps(row, pixels, padding, align_corners)
    assert_close(_slopes(_ours, row, pixels, padding, align_corners), expected)
    assert expected[clipped].abs().min() > 0
    expected[clipped] = 0.0
    assert_close(_slopes(_theirs, row, pixels, padding, align_corners), expected)


@pytest.mark.parametrize("align_corners", [False, True], ids=["edges", "centres"])
def test_in_the_mirror_the_slope_at_a_line_is_still_the_right_hand_one(align_corners: bool) -> None:
    # torch reflects the point first, which turns right into left.
    row = torch.randn(WIDTHS[align_corners], dtype=torch.float64)
    pixels = torch.tensor([-5, -4, -3])
    steps = [_steps(row, at, "reflection", align_corners) for at in (pixels, pixels - 1)]
    assert_close(_slopes(_ours, row, pixels, "reflection", align_corners), steps[0])
    assert_close(_slopes(_theirs, row, pixels, "reflection", align_corners), steps[1])


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_nearest_takes_halves_up_where_torch_takes_them_to_even(padding: str) -> None:
    row = torch.randn(1, 1, 1, 8, dtype=torch.float64)
    pixels = torch.stack([torch.tensor([0.5, 1.5, 2.5, 3.5]), torch.zeros(4)], -1).double()
    points = to_normalised(pixels, (1, 8), False).view(1, 1, 4, 2)
    ours = stn.sample(row, points, kernel="nearest", padding=padding)
    theirs = F.grid_sample(row, points, "nearest", padding, align_corners=False)
    assert_close(ours.flatten(), row.flatten()[[1, 2, 3, 4]])
    assert_close(theirs.flatten(), row.flatten()[[0, 2, 2, 4]])


def test_nearest_just_below_a_half_is_below() -> None:
    # floor(x + 0.5) says 1: the sum is rounded up to it.
    below = torch.nextafter(torch.tensor(0.5), torch.tensor(0.0))
    assert (below + 0.5).floor() == 1
    grid = stn.grid.PointGrid((below * 2 / 4).expand(1, 4, 1).clone())
    row = torch.tensor([[[10.0, 20.0, 30.0, 40.0]]])
    assert stn.sample(row, grid, kernel="nearest").flatten()[0] == 10


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")], ids=str)
@pytest.mark.parametrize("padding", ["border", "reflection"])
def test_a_point_that_is_not_finite_reads_zero_where_torch_reads_a_pixel(padding: str, value: float) -> None:
    image = torch.full((1, 1, 3, 3), 7.0)
    points = torch.full((1, 1, 1, 2), value)
    assert _ours(image, points, padding, False).item() == 0
    assert _theirs(image, points, padding, False).item() == 7
