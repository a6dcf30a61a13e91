"""Photographs to square pictures: random crops and mirror images to train on, the middle to be judged by."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress
from torch import Tensor

from ...data import Cub, Draws, PictureStore, get_data_dir, load_cub, prepare_pictures
from ...data.cub import find_cub
from ..samples import Batch, Samples
from ..shuffled import Shuffled, held_out_of
from .config import Config

_AT_A_TIME = 25


class TrainingCrops(Shuffled):
    """Random crops, every other one mirrored; each a function of (seed, epoch, index).

    Args:
        photographs: What they are cropped from.
        places: Which of them are trained on.
        labels: Of all photographs.
        config: Says how large crops are.
    """

    def __init__(self, photographs: PictureStore, places: Tensor, labels: Tensor, config: Config) -> None:
        super().__init__(len(places), config.batch, config.seed)
        self.photographs, self.places, self.labels, self.side = photographs, places, labels, config.side

    def samples(self, places: Tensor, epoch: int) -> tuple[Tensor, Tensor]:
        chosen = self.places[places]
        draws = Draws(self.seed, epoch, chosen.numpy())
        corners, mirrored = draws.uniform("crop", 2), draws.uniform("mirror", 1)[:, 0] < 0.5
        pictures = np.empty((len(chosen), self.side, self.side, 3), dtype=np.uint8)
        for row, place in enumerate(chosen.tolist()):
            crop = crop_of(self.photographs[place], self.side, *corners[row])
            pictures[row] = crop.flip(1) if mirrored[row] else crop
        return to_pictures(pictures), self.labels[chosen]


@dataclass(frozen=True, eq=False)
class Birds(Samples):
    """The photographs of a config's species.

    Attributes:
        config: The config.
        cub: What is known of them.
        photographs: They themselves, their shorter sides as long as the config wants.
        held: Which of them to be judged by.
        learnt: Which of them to train on.
    """

    config: Config
    cub: Cub
    photographs: PictureStore = field(repr=False)
    held: Tensor
    learnt: Tensor
    origin: str = ""
    classes: tuple[str, ...] = ()

    @classmethod
    def load(cls, config: Config) -> "Birds":
        """The data that a config names, its photographs decoded once and for all.

        Raises:
            ValueError: If the data is missing or damaged, or nothing would be left to train on.
        """
        given = get_data_dir() if config.data_dir is None else Path(config.data_dir)
        cub = load_cub(given).first(config.classes)
        learnt, held = cub.learnt.nonzero()[:, 0], (~cub.learnt).nonzero()[:, 0]
        if config.validation:
            kept_back = held_out_of(len(learnt), config.validation)
            learnt, held = learnt[~kept_back], learnt[kept_back]
        photographs = _prepare(cub, config.shorter_side)
        name = f"cub-200-2011, {len(cub.classes)} classes, {len(learnt)} to train, {len(held)} to test"
        origin = f"{name}, sha256 {photographs.sha256}"
        return cls(config, cub, photographs, held, learnt, origin, cub.classes)

    def __len__(self) -> int:
        return len(self.held)

    def training(self) -> TrainingCrops:
        return TrainingCrops(self.photographs, self.learnt, self.cub.labels, self.config)

    def held_out(self, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        for places in self.held[part::parts].split(_AT_A_TIME):
            middle = [
                crop_of(self.photographs[place], self.config.side, 0.5, 0.5) for place in places.tolist()
            ]
            yield to_pictures(torch.stack(middle).numpy()), self.cub.labels[places]


def crop_of(photograph: Tensor, side: int, down: float, across: float) -> Tensor:
    """A square of a photograph (h, w, 3).

    Args:
        photograph: No side of it shorter than `side`.
        side: Of the square in pixels.
        down: Of the room there is, which share is left above,
        across: and which on the left; in [0, 1].
    """
    top, left = corner_of(photograph.shape[0], side, down), corner_of(photograph.shape[1], side, across)
    return photograph[top : top + side, left : left + side]


def corner_of(length: int, side: int, share: float) -> int:
    """Where a crop begins along an axis."""
    return min(int(share * (length - side + 1)), length - side)


def to_pictures(pixels: np.typing.NDArray[np.uint8]) -> Tensor:
    """(b, 3, h, w) in [0, 1] of bytes (b, h, w, 3), their layout in memory kept."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255


def find_birds(given: Path | None, _: str) -> Path | None:
    """The folder given, or that of downloaded data.

    Raises:
        ValueError: If the data is not there.
    """
    find_cub(get_data_dir() if given is None else given)
    return given


def _prepare(cub: Cub, side: int) -> PictureStore:
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("Decoding photographs, once", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        return prepare_pictures("cub", cub.images, cub.files, side, progress)
