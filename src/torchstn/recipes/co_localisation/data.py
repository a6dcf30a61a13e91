"""T and TC: digits of one class, each somewhere on a large black canvas (appendix A.2)."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...data import Cluttered, Draws, Mnist
from ..digits import FIXED, split
from .config import Config

SIDE = 84
PIECES = 16


class Images(NamedTuple):
    """What to look at, and what is judged by.

    Attributes:
        pictures: (n, 1, 84, 84).
        boxes: (n, 4), where the digit's 28 x 28 pixels lie: (x0, y0, x1, y1).
    """

    pictures: Tensor
    boxes: Tensor


def draw_images(config: Config, mnist: Mnist) -> Images:
    """The images of a config: its seed chooses the digits and where they lie.

    The digits are test digits, or held-out training digits with `validation`; clutter is cut from the other
    training digits.

    Raises:
        ValueError: If there are fewer digits of that class than images wanted.
    """
    learnt, digits = split(mnist, config.validation)
    places = (digits.labels == int(config.digit)).nonzero().flatten()
    if len(places) < config.images:
        raise ValueError(
            f"`images` must be at most {len(places)}, the number of digits {config.digit}, got "
            f"{config.images}."
        )
    keys = Draws(config.seed, FIXED, places.numpy()).uniform("image", 1)[:, 0]
    chosen = digits[places[torch.from_numpy(np.argsort(keys, kind="stable")[: config.images])]]
    canvas = Cluttered(size=(SIDE, SIDE), pieces=PIECES if config.set == "TC" else 0)
    pictures = canvas(chosen.images, chosen.indices, seed=config.seed, epoch=FIXED, clutter=learnt.images)
    return Images(pictures, canvas.boxes(chosen.indices, seed=config.seed, epoch=FIXED).float())
