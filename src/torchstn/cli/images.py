"""Any picture file -> the white-on-black canvas a recipe was trained on."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ..data.canvas import Frame
from ..data.pictures import has_transparency, open_picture, wide_levels
from ..recipes.co_localisation.data import SIDE

Pixels = NDArray[np.float32]

DIGIT_SIDE = 20
_LEAST_CONTRAST = 0.02


def read_digit(
    path: Path, size: tuple[int, int], *, invert: bool | None = None, whole: bool = False
) -> Tensor:
    """Reads a picture of one digit as the recipe's canvas.

    Any file that `torchstn.data.read_picture` reads. A picture that already has the canvas' size passes
    through pixel for pixel. Any other is stretched to black ground and white ink, cropped to the ink, scaled
    to the 20 pixels MNIST gives a digit and centred by its mass, as MNIST was.

    Args:
        path: The file.
        size: (h, w) of the canvas.
        invert: True for dark ink on a light ground, False for light on dark, None to tell from the border.
        whole: Keep the whole picture, scaled to fit the canvas, in place of cropping to the ink.

    Returns:
        (1, h, w) float32 in [0, 1], ink white, ground black.

    Raises:
        ValueError: If the file is no picture, broken, too large, or shows nothing; the message names it.
    """
    grey = ink_on_black(read_grey(path, invert=invert), invert)
    if grey.shape == size:
        return torch.from_numpy(grey)[None]
    clear = _stretch(grey, path)
    canvas = _fit(clear, size) if whole else _centre(_crop_to_ink(clear), size)
    return torch.from_numpy(canvas)[None]


def read_grey(path: Path, *, invert: bool | None = None) -> Pixels:
    """Reads a picture as grey values in [0, 1]; what is transparent takes the colour of the ground.

    The ground is white for dark ink (`invert` True), black for light ink (False); None tells from the ink.
    """
    picture = open_picture(path)
    levels = wide_levels(picture)
    if levels is not None:
        return levels
    if has_transparency(picture):
        return _flatten(picture.convert("RGBA"), invert)
    return _unit(picture.convert("RGB").convert("L"))


def fit_square(image: Tensor, side: int = SIDE) -> tuple[Tensor, Frame]:
    """Scales a picture (3, h, w) into the middle of a square, filled up with its mean colour.

    Returns:
        The square (3, side, side), and how the picture lies in it.
    """
    h, w = image.shape[1:]
    scale = side / max(h, w)
    size = [max(1, round(n * scale)) for n in (h, w)]
    small = F.interpolate(image[None], size, mode="bilinear", antialias=True, align_corners=False)[0]
    square = image.mean((1, 2), keepdim=True).expand(3, side, side).clone()
    top, left = (side - size[0]) // 2, (side - size[1]) // 2
    square[:, top : top + size[0], left : left + size[1]] = small.clamp(0, 1)
    return square, Frame((h, w), scale, left, top)


def ink_on_black(grey: Pixels, invert: bool | None) -> Pixels:
    """Turns dark ink on a light ground round; with None when the border is the lighter half."""
    if invert is None:
        invert = bool(np.median(_border(grey)) > 0.5)
    return 1 - grey if invert else grey


def _flatten(picture: Image.Image, invert: bool | None) -> Pixels:
    grey, alpha = _unit(picture.convert("RGB").convert("L")), _unit(picture.getchannel("A"))
    if invert is None:
        invert = bool((grey * alpha).sum() < 0.5 * alpha.sum())
    flat: Pixels = grey * alpha + (1 - alpha) * np.float32(invert)
    return flat


def _unit(picture: Image.Image) -> Pixels:
    return np.asarray(picture, dtype=np.float32) / np.float32(255)


def _stretch(grey: Pixels, path: Path) -> Pixels:
    """Paper is never quite white nor ink quite black: the border's shade becomes 0 and the brightest 1."""
    ground, ink = float(np.median(_border(grey))), float(grey.max())
    if ink - ground < _LEAST_CONTRAST:
        raise ValueError(f"{path}: the picture is of one shade, there is no digit to read.")
    stretched: Pixels = ((grey - ground) / (ink - ground)).clip(0, 1)
    return stretched


def _border(grey: Pixels) -> Pixels:
    return np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])


def _crop_to_ink(grey: Pixels) -> Pixels:
    rows, columns = np.nonzero(grey > 0.5)
    return grey[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def _centre(ink: Pixels, size: tuple[int, int]) -> Pixels:
    side = min(DIGIT_SIDE, *size)
    small = _resize(ink, side / max(ink.shape))
    weight = small / max(float(small.sum()), 1e-12)
    mass = np.array(
        [(weight.sum(1) @ np.arange(small.shape[0])), (weight.sum(0) @ np.arange(small.shape[1]))]
    )
    corner = np.round((np.array(size) - 1) / 2 - mass).astype(int)
    top, left = np.clip(corner, 0, np.array(size) - small.shape)
    return _paste(small, size, int(top), int(left))


def _fit(grey: Pixels, size: tuple[int, int]) -> Pixels:
    small = _resize(grey, min(size[0] / grey.shape[0], size[1] / grey.shape[1]))
    return _paste(small, size, (size[0] - small.shape[0]) // 2, (size[1] - small.shape[1]) // 2)


def _resize(grey: Pixels, factor: float) -> Pixels:
    h, w = (max(1, round(n * factor)) for n in grey.shape)
    scaled = Image.fromarray(grey).resize(
        (w, h), Image.Resampling.BICUBIC if factor < 1 else Image.Resampling.BILINEAR
    )
    return np.asarray(scaled, dtype=np.float32).clip(0, 1)


def _paste(small: Pixels, size: tuple[int, int], top: int, left: int) -> Pixels:
    canvas = np.zeros(size, dtype=np.float32)
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas
