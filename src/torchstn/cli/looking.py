"""A trained network asked about pictures: where it looks, what it sees there, what it says."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from ..data import Mnist, load_mnist
from ..grid import Grid
from ..recipes.distorted_mnist import Config
from ..recipes.distorted_mnist.data import fixed_batches, split
from ..recipes.distorted_mnist.model import DigitClassifier

_AT_A_TIME = 500


@dataclass(frozen=True)
class Look:
    """What a network made of a batch of pictures.

    Attributes:
        images: (n, 1, h, w) what went in.
        grids: Where the outputs read; None without a transformer.
        outputs: (n, 1, oh, ow) what the transformer made of them; None without one.
        probabilities: (n, 10) what the network says.
    """

    images: Tensor
    grids: Grid | None
    outputs: Tensor | None
    probabilities: Tensor

    @property
    def predictions(self) -> list[int]:
        """The likeliest class of each."""
        named: list[int] = self.probabilities.argmax(1).tolist()
        return named


@torch.no_grad()
def look(model: DigitClassifier, images: Tensor) -> Look:
    """Passes pictures (n, 1, h, w) through a network in eval mode and keeps what there is to see."""
    grids = outputs = None
    if model.transformer is not None:
        outputs, grids = model.transformer(images, return_grid=True)
    return Look(images, grids, outputs, model(images).softmax(1))


@dataclass(frozen=True)
class Survey:
    """What a network made of very many pictures.

    Attributes:
        predictions: (n,) classes.
        outputs: (n, 1, oh, ow) what the transformer made of them; None without one.
        moved: (n,) how far its parameters are from the identity's; None without one.
    """

    predictions: Tensor
    outputs: Tensor | None
    moved: Tensor | None


@torch.no_grad()
def survey(model: DigitClassifier, images: Tensor) -> Survey:
    """As `look`, some hundreds at a time, keeping only what is needed of all."""
    predictions, outputs, moved = [], [], []
    for batch in images.split(_AT_A_TIME):
        predictions.append(model(batch).argmax(1))
        if model.transformer is not None:
            output, grid = model.transformer(batch, return_grid=True)
            outputs.append(output)
            moved.append((grid.theta - model.transformer.transform.identity().to(grid.theta)).norm(dim=1))
    return Survey(
        torch.cat(predictions),
        torch.cat(outputs) if outputs else None,
        torch.cat(moved) if moved else None,
    )


def fixed_pictures(config: Config, data_dir: Path | None = None) -> tuple[Tensor, Tensor]:
    """All the pictures a run is judged by, (n, 1, h, w), and their labels (n,)."""
    place = data_dir or (None if config.data_dir is None else Path(config.data_dir))
    _, held_out = split(_digits(place), config.validation)
    pictures, labels = zip(*fixed_batches(held_out, config.distortion), strict=True)
    return torch.cat(pictures), torch.cat(labels)


@lru_cache(maxsize=1)
def _digits(place: Path | None) -> Mnist:
    """Read once: unpacking the embedded digits takes seconds, and one command may look at them twice."""
    return load_mnist(place)
