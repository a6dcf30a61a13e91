"""Pictures of any size, fitted into squares of one size, and the way back to their own pixels."""

from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .pictures import Source, flatten, open_sized

FITS = ("whole", "crop")


class Frame(NamedTuple):
    """How a picture was fitted into a square.

    Attributes:
        size: (h, w) of the picture.
        scale: Pixels of the square a pixel of the picture.
        left: Where the picture begins in the square,
        top: and where at the top; negative where it is cut off.
    """

    size: tuple[int, int]
    scale: float
    left: float
    top: float

    def to_picture(self, points: Tensor) -> Tensor:
        """Points (..., 2) in pixels of the square, (x, y), to pixels of the picture."""
        return (points - torch.tensor([self.left, self.top])) / self.scale

    def to_image(self, box: Tensor) -> Tensor:
        """Boxes (..., 4) in pixels of the square to pixels of the picture, cut off at its edges."""
        h, w = self.size
        corners = self.to_picture(box.unflatten(-1, (2, 2)))
        return corners.clamp(min=0).minimum(torch.tensor([w, h])).flatten(-2)


def frame_of(size: tuple[int, int], side: int, fit: str = "whole") -> Frame:
    """How a picture (h, w) goes into a square: all of it, or its middle with nothing left empty."""
    h, w = size
    scale = side / (max(h, w) if fit == "whole" else min(h, w))
    return Frame(size, scale, (side - w * scale) / 2, (side - h * scale) / 2)


def read_canvas(
    source: Source, side: int, *, fit: str = "whole", fill: tuple[int, int, int] = (128, 128, 128)
) -> tuple[Tensor, Frame]:
    """Reads a picture into a square, reduced by Pillow's antialiased filter.

    Args:
        source: The file; see `read_picture`.
        side: Of the square.
        fit: "whole" shows all of the picture, "crop" its middle.
        fill: The colour beside a picture that is not square.

    Returns:
        (3, side, side) uint8, channels last in memory, and how the picture lies in it.

    Raises:
        ValueError: As `read_picture`.
    """
    picture, size = open_sized(source, least=lambda size: min(size) * frame_of(size, side, fit).scale)
    picture, frame = flatten(picture), frame_of(size, side, fit)
    (h, w), (left, top) = frame.size, (frame.left, frame.top)
    columns, rows = _span(left, w * frame.scale, side), _span(top, h * frame.scale, side)
    # A picture may be decoded smaller than its file: so many of its pixels are one of the square.
    decoded = picture.size[0] / w / frame.scale
    far_x, far_y = picture.size
    small = picture.resize(
        (columns[1] - columns[0], rows[1] - rows[0]),
        Image.Resampling.BILINEAR,
        (
            max((columns[0] - left) * decoded, 0),
            max((rows[0] - top) * decoded, 0),
            min((columns[1] - left) * decoded, far_x),
            min((rows[1] - top) * decoded, far_y),
        ),
        reducing_gap=3.0,
    )
    square = np.empty((side, side, 3), dtype=np.uint8)
    square[:] = fill
    square[rows[0] : rows[1], columns[0] : columns[1]] = np.asarray(small)
    return torch.from_numpy(square).permute(2, 0, 1), frame


def _span(start: float, length: float, side: int) -> tuple[int, int]:
    """The pixels of a side that the picture covers, at least one."""
    low = min(max(round(start), 0), side - 1)
    return low, max(min(round(start + length), side), low + 1)
