"""Lanczos: Pillow's enlargement and the textbook formula are the oracles."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from support.closeness import assert_close
from support.points import random_pixels, to_normalised
from torch import Tensor
from torch.nn import functional as F

import torchstn as stn

REACH = 3


@pytest.mark.parametrize("times", [2, 3, 7])
def test_enlarges_as_pillow(times: int) -> None:
    size = (12, 15)
    image = torch.rand(1, 1, *size)
    out = (size[0] * times, size[1] * times)
    grid = stn.transform.Affine()(torch.eye(2, 3).view(1, 6), out)
    actual = stn.sample(image, grid, kernel="lanczos3")[0, 0]
    expected = Image.fromarray(image[0, 0].numpy()).resize(out[::-1], Image.Resampling.LANCZOS)
    # Pillow leaves out what lies outside the image, so the pixels within reach of the edge differ.
    inside = slice(REACH * times, -REACH * times)
    assert_close(actual[inside, inside].contiguous(), np.asarray(expected)[inside, inside])


def _row_weights(x: float, pixels: int) -> NDArray[np.float64]:
    """lanczos(x - m) for m in [-20, pixels + 20), divided by their sum."""
    distance = x - np.arange(-20, pixels + 20)
    window = np.where(np.abs(distance) < REACH, np.sinc(distance / REACH), 0.0)
    weights = np.sinc(distance) * window
    return weights / weights.sum()


@pytest.mark.parametrize(
    ("padding", "mode", "align_corners"),
    [
        ("zeros", "constant", False),
        ("border", "edge", False),
        ("reflection", "symmetric", False),
        ("reflection", "reflect", True),
        ("circular", "wrap", False),
    ],
)
def test_is_the_textbook_sum_over_a_padded_image(padding: str, mode: str, align_corners: bool) -> None:
    size = (7, 9)
    image = torch.randn(*size, dtype=torch.float64)
    pixels = random_pixels(1, (6, 5), size, beyond=8)
    points = to_normalised(pixels, size, align_corners)
    actual = stn.sample(
        image[None, None], points, kernel="lanczos3", padding=padding, align_corners=align_corners
    )
    padded = np.pad(image.numpy(), 20, mode=mode)
    expected = [
        _row_weights(y, size[0]) @ padded @ _row_weights(x, size[1]) for x, y in pixels.flatten(0, 2).tolist()
    ]
    assert_close(actual.flatten(), np.array(expected))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("sign", [-1, 1], ids=["before", "after"])
def test_the_slope_near_a_pixel_is_that_of_the_values(dtype: torch.dtype, sign: int) -> None:
    image = torch.randn(1, 1, 16, dtype=torch.float64)
    distance = sign * torch.logspace(-5, -2, 20, dtype=torch.float64)  # pixels from the centre of pixel 8

    def read(displacement: Tensor) -> Tensor:
        rows = displacement.view(20, 1, 1).expand(20, 16, 1)
        grid = stn.grid.PointGrid(rows)
        return stn.sample(image.to(displacement.dtype), grid, kernel="lanczos3")[:, 0, 8]

    displacement = distance.to(dtype) / 8
    low, high = read(displacement.double() - 1e-6), read(displacement.double() + 1e-6)
    displacement.requires_grad_()
    (slope,) = torch.autograd.grad(read(displacement).sum(), displacement)
    # In float32 the coordinate itself, 8 + distance, is rounded by up to 5e-7: worst seen 3e-6.
    assert_close(slope.double(), (high - low) / 2e-6, tolerance=2e-5 if dtype == torch.float32 else 1e-8)


def test_a_constant_stays_constant() -> None:
    points = to_normalised(random_pixels(1, (30, 30), (9, 9)), (9, 9), False)
    image = torch.full((1, 1, 9, 9), 2.5, dtype=torch.float64)
    output = stn.sample(image, points, kernel="lanczos3", padding="border")
    assert_close(output, torch.full_like(output, 2.5))
    cubic = F.grid_sample(image, points, "bicubic", "border", align_corners=False)
    assert_close(output, cubic)
