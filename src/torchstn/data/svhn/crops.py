"""Squares around house numbers, as the paper cuts them out (section 4.2, appendix A.5)."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from ...sampler import sample
from ...transform import Affine
from .annotation import Box

_FINEST = 8
"""Points along each axis that a pixel of a crop is averaged from, at most."""


def crop(photograph: Tensor, around: Box, enlarge: float, side: int) -> Tensor:
    """The neighbourhood of a box, stretched to a square.

    Its width and height are those of the box times `enlarge`. Where it is larger than the square, each pixel
    is the mean of as many points as it takes not to skip a pixel. Outside the photograph its border goes on.

    Args:
        photograph: uint8 (3, h, w).
        around: The box.
        enlarge: 1.3 adds 30 per cent to the width and to the height.
        side: Of the square, in pixels.

    Returns:
        uint8 (3, side, side).
    """
    h, w = photograph.shape[1:]
    width, height = around.width * enlarge, around.height * enlarge
    x, y = around.left + around.width / 2, around.top + around.height / 2
    theta = torch.tensor([[width / w, 0.0, 2 * x / w - 1, 0.0, height / h, 2 * y / h - 1]])
    fine = min(_FINEST, max(1, math.ceil(max(width, height) / side)))
    grid = Affine()(theta, (side * fine, side * fine))
    points = sample(photograph[None].float(), grid, padding="border")
    return functional.avg_pool2d(points, fine)[0].round().byte()
