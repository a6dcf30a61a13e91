"""Folders of small pictures, a square of one colour on noise, its colour the class; a config for them."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from torchstn.recipes.images import Config

COLOURS = {"blau": (20, 60, 230), "grün": (20, 200, 40), "rot": (230, 30, 30)}
CLASSES = tuple(COLOURS)
_ENDINGS = ("png", "jpg", "webp", "bmp", "gif")


def draw_folder(folder: Path, count: int, *, seed: int = 0) -> Path:
    """Makes a subfolder of `count` pictures for each colour, of odd sizes and several formats."""
    draws = np.random.default_rng(seed)
    for label, colour in COLOURS.items():
        (folder / label).mkdir(parents=True)
        for number in range(count):
            h, w = draws.integers(40, 90, 2)
            pixels = draws.integers(90, 160, (h, w, 3), dtype=np.uint8)
            side = min(h, w) // 2
            top, left = draws.integers(0, h - side), draws.integers(0, w - side)
            pixels[top : top + side, left : left + side] = colour
            ending = _ENDINGS[number % len(_ENDINGS)]
            Image.fromarray(pixels).save(folder / label / f"{number:02d}.{ending}")
    return folder


def make(**choices: Any) -> Config:
    """A config of networks and pictures so small that they take no time."""
    return Config.make("scratch", **({"size": 32, "batch": 6, "threads": 1, "workers": 2} | choices))
