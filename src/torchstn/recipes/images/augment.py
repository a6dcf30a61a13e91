"""What training does to pictures: one warp of a batch by the library's kernels, and its colours."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ... import sample, transform
from ...data import Draws


class Strength(NamedTuple):
    """How far pictures are changed.

    Attributes:
        zoom: Largest factor by which the picture shown grows or shrinks.
        shift: Largest shift, as a share of half the picture.
        turn: Largest angle in degrees.
        light: Largest change of brightness and of contrast, as a share.
    """

    zoom: float
    shift: float
    turn: float
    light: float


STRENGTHS = {
    "none": Strength(1, 0, 0, 0),
    "light": Strength(1.15, 0.1, 8, 0.2),
    "strong": Strength(1.4, 0.2, 25, 0.4),
}


def augment(pictures: Tensor, draws: Draws, strength: str, *, mirror: bool, fill: tuple[int, ...]) -> Tensor:
    """Changes each picture of a batch in its own way.

    Args:
        pictures: (b, 3, h, w) uint8.
        draws: The random numbers of these pictures.
        strength: "none", "light" or "strong".
        mirror: Whether half of them are mirrored.
        fill: The colour of what comes in from outside.

    Returns:
        (b, 3, h, w) uint8.
    """
    chosen = STRENGTHS[strength]
    matrix = _matrices(draws, chosen, mirror)
    size = (pictures.shape[2], pictures.shape[3])
    if mirror or chosen != STRENGTHS["none"]:
        grid = transform.Affine()(matrix, size)
        colour = torch.tensor(fill, dtype=torch.float32)
        pictures = sample(pictures, grid, padding="fill", fill=colour)
    return _light(pictures, draws, chosen.light) if chosen.light else pictures


def _matrices(draws: Draws, chosen: Strength, mirror: bool) -> Tensor:
    zoom = chosen.zoom ** draws.uniform("zoom", 1, -1, 1)[:, 0]
    angle = np.deg2rad(draws.uniform("turn", 1, -chosen.turn, chosen.turn)[:, 0])
    flip = np.where(draws.uniform("mirror", 1)[:, 0] < 0.5 * mirror, -1.0, 1.0)
    shift = draws.uniform("shift", 2, -chosen.shift, chosen.shift)
    cosine, sine = zoom * np.cos(angle), zoom * np.sin(angle)
    rows = np.stack([flip * cosine, -sine, shift[:, 0], flip * sine, cosine, shift[:, 1]], 1)
    return torch.from_numpy(rows).float()


def _light(pictures: Tensor, draws: Draws, most: float) -> Tensor:
    """Brightness and contrast by a table of the 256 levels of each picture."""
    gain = 1 + draws.uniform("contrast", 1, -most, most)
    offset = 255 * draws.uniform("brightness", 1, -most / 2, most / 2)
    levels = ((np.arange(256) - 127.5) * gain + 127.5 + offset).round().clip(0, 255).astype(np.uint8)
    values = pictures.permute(0, 2, 3, 1).contiguous().numpy()
    changed = np.empty_like(values)
    for table, picture, place in zip(levels, values, changed, strict=True):
        np.take(table, picture, out=place, mode="clip")
    return torch.from_numpy(changed).permute(0, 3, 1, 2)
