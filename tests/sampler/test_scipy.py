"""`scipy.ndimage.map_coordinates` is the oracle in one, two and three dimensions, with all its paddings."""

from itertools import product

import numpy as np
import pytest
import torch
from scipy import ndimage
from support.closeness import assert_close
from support.points import random_pixels, to_normalised

import torchstn as stn

pytestmark = pytest.mark.usefixtures("each_backend")

SIZES = {1: (9,), 2: (6, 8), 3: (5, 4, 6)}
# scipy's filter of a reflected image misses whole pixels by 0.27^(2 length): 2e-5 on 4 pixels.
LONG = {1: (23,), 2: (22, 25), 3: (22, 24, 23)}
ORDERS = {"nearest": 0, "linear": 1, "bspline3": 3}
# (padding, align_corners) -> scipy's mode. The "grid-" modes pad with pixels, as we do.
MODES = {
    ("zeros", False): "grid-constant",
    ("fill", True): "grid-constant",
    ("border", False): "nearest",
    ("border", True): "nearest",
    ("reflection", False): "reflect",
    ("reflection", True): "mirror",
    ("circular", False): "grid-wrap",
}
# scipy filters for a mirrored image whatever lies outside in these modes; see test_bspline for an oracle.
UNFILTERED = {"grid-constant", "nearest"}

CASES = [
    pytest.param(dims, kernel, padding, align_corners, id=f"{dims}-D-{kernel}-{padding}-{align_corners}")
    for dims, kernel, (padding, align_corners) in product(SIZES, ORDERS, MODES)
    if not (kernel == "bspline3" and MODES[padding, align_corners] in UNFILTERED)
]


@pytest.mark.parametrize(("dims", "kernel", "padding", "align_corners"), CASES)
def test_agrees_with_map_coordinates(dims: int, kernel: str, padding: str, align_corners: bool) -> None:
    size = (LONG if kernel == "bspline3" else SIZES)[dims]
    image = torch.randn(1, 1, *size, dtype=torch.float64)
    pixels = random_pixels(1, (7,) * dims, size, beyond=9)
    fill = {"fill": 1.7} if padding == "fill" else {}
    actual = stn.sample(
        image,
        to_normalised(pixels, size, align_corners),
        kernel=kernel,
        padding=padding,
        align_corners=align_corners,
        **fill,
    )
    expected = ndimage.map_coordinates(
        image[0, 0].numpy(),
        np.moveaxis(pixels[0].numpy()[..., ::-1], -1, 0),
        order=ORDERS[kernel],
        mode=MODES[padding, align_corners],
        cval=fill.get("fill", 0.0),
    )
    assert_close(actual[0, 0], expected)


@pytest.mark.parametrize("kernel", ORDERS)
def test_a_row_of_one_pixel(kernel: str) -> None:
    image = torch.full((1, 1, 1), 3.0, dtype=torch.float64)
    points = torch.tensor([[[-0.2], [0.0], [0.3]]], dtype=torch.float64)
    for padding in ("border", "reflection", "circular"):
        for align_corners in (False, True):
            output = stn.sample(image, points, kernel=kernel, padding=padding, align_corners=align_corners)
            assert_close(output, torch.full((1, 1, 3), 3.0, dtype=torch.float64))
