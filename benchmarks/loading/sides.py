"""Ways from files to a batch that a network takes: (b, 3, side, side) float32 in [0, 1], augmented."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from torchstn.data import Draws
from torchstn.data.loading import Canvases
from torchstn.recipes.images.augment import augment
from torchstn.recipes.images.data import FILL

Load = Callable[[], Tensor]
"""Loads all the files once, a batch at a time; gives the last batch."""


class OneByOne(Dataset[Tensor]):
    """As one would write it: Pillow decodes, pads, turns and mirrors, numpy makes floats, one by one."""

    def __init__(self, folder: Path, names: Sequence[str], side: int) -> None:
        self.folder, self.names, self.side = folder, names, side

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, place: int) -> Tensor:
        draws = np.random.default_rng(place)
        with Image.open(self.folder / self.names[place]) as file:
            picture = ImageOps.exif_transpose(file).convert("RGB")
        square = ImageOps.pad(picture, (self.side, self.side), Image.Resampling.BILINEAR, color=FILL)
        if draws.random() < 0.5:
            square = ImageOps.mirror(square)
        turned = square.transform(
            square.size,
            Image.Transform.AFFINE,
            _matrix(draws, self.side),
            Image.Resampling.BILINEAR,
            fillcolor=FILL,
        )
        values = np.asarray(turned, dtype=np.float32) / 255
        values = (values - 0.5) * draws.uniform(0.8, 1.2) + 0.5 + draws.uniform(-0.1, 0.1)
        return torch.from_numpy(values.clip(0, 1).transpose(2, 0, 1))


def _matrix(draws: np.random.Generator, side: int) -> tuple[float, ...]:
    zoom, angle = 1.15 ** draws.uniform(-1, 1), math.radians(draws.uniform(-8, 8))
    a, b, middle = zoom * math.cos(angle), zoom * math.sin(angle), (side - 1) / 2
    shift = draws.uniform(-0.05, 0.05, 2) * side
    return (
        a,
        b,
        middle - a * middle - b * middle + shift[0],
        -b,
        a,
        middle + b * middle - a * middle + shift[1],
    )


def pillow(folder: Path, names: Sequence[str], side: int, batch: int, workers: int) -> Load:
    """Pillow picture by picture, in `torch.utils.data.DataLoader` with so many processes; 0 uses none."""
    pictures = OneByOne(folder, names, side)
    # Its processes outlive a load, as our threads do: an epoch does not start them either.
    loader = DataLoader(pictures, batch, num_workers=workers, persistent_workers=workers > 0)

    def load() -> Tensor:
        *_, last = loader
        return last

    return load


def torchstn_itself(
    folder: Path, names: Sequence[str], side: int, batch: int, workers: int, *, keep: bool = False
) -> Load:
    """What `torchstn train images` does; with `keep` the second load is as its later epochs."""
    canvases = Canvases(folder, names, side, fill=FILL, workers=workers, **({} if keep else {"keep": 0}))

    def load() -> Tensor:
        for start in range(0, len(names), batch):
            places = np.arange(start, min(start + batch, len(names)))
            squares, _ = canvases.read(places.tolist())
            last = augment(squares, Draws(0, 0, places), "light", mirror=True, fill=FILL).float().div_(255)
        return last

    return load
