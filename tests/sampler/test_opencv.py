"""OpenCV's `remap` is the oracle for linear and cubic with every padding.

OpenCV may round coordinates to 1/32 of a pixel, so the points lie on such fractions.
"""

import cv2
import numpy as np
import pytest
import torch
from support.closeness import assert_close
from support.points import to_normalised

import torchstn as stn

pytestmark = pytest.mark.usefixtures("each_backend")

FLAGS = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}
BORDERS = {
    ("zeros", False): cv2.BORDER_CONSTANT,
    ("fill", False): cv2.BORDER_CONSTANT,
    ("border", True): cv2.BORDER_REPLICATE,
    ("reflection", False): cv2.BORDER_REFLECT,
    ("reflection", True): cv2.BORDER_REFLECT_101,
    ("circular", False): cv2.BORDER_WRAP,
}
FILL = (0.5, -2.0, 3.25)


@pytest.mark.parametrize("kernel", FLAGS)
@pytest.mark.parametrize(("padding", "align_corners"), BORDERS, ids=[f"{p}-{a}" for p, a in BORDERS])
def test_agrees_with_remap(kernel: str, padding: str, align_corners: bool) -> None:
    size = (16, 20)
    image = torch.rand(1, 3, *size)
    pixels = torch.stack(
        [torch.randint(-7 * 32, 27 * 32, (1, 15, 18)), torch.randint(-7 * 32, 23 * 32, (1, 15, 18))], -1
    )
    pixels = pixels.double() / 32
    actual = stn.sample(
        image.double(),
        to_normalised(pixels, size, align_corners),
        kernel=kernel,
        padding=padding,
        align_corners=align_corners,
        fill=FILL if padding == "fill" else 0.0,
    )
    x, y = pixels[0].float().unbind(-1)
    expected = cv2.remap(
        np.ascontiguousarray(image[0].permute(1, 2, 0).numpy()),
        x.numpy(),
        y.numpy(),
        FLAGS[kernel],
        borderMode=BORDERS[padding, align_corners],
        borderValue=(*FILL, 0.0) if padding == "fill" else 0.0,
    )
    assert_close(actual[0].permute(1, 2, 0).float(), expected)
