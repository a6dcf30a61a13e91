"""A trained network asked about pictures: where it looks, what it sees there, what it says."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..grid import Grid
from ..recipes.finished import held_out_digits
from ..recipes.networks import DigitClassifier
from ..recipes.registry import RECIPES
from ..recipes.training_config import TrainingConfig

_AT_A_TIME = 500


@dataclass(frozen=True)
class Look:
    """What a network made of a batch of pictures.

    Attributes:
        images: (n, c, h, w) what went in.
        grids: Where the outputs read, one for each transformer.
        outputs: (n, transformers * c, oh, ow) what the transformers made of them; None without one.
        probabilities: (n, classes) what the network says.
    """

    images: Tensor
    grids: tuple[Grid, ...]
    outputs: Tensor | None
    probabilities: Tensor

    @property
    def predictions(self) -> list[int]:
        """The likeliest class of each."""
        named: list[int] = self.probabilities.argmax(1).tolist()
        return named


@torch.no_grad()
def look(model: DigitClassifier, images: Tensor) -> Look:
    """Passes pictures (n, c, h, w) through a network in eval mode and keeps what there is to see."""
    grids, outputs = _transformed(model, images)
    return Look(images, grids, outputs, model(images).softmax(1))


def _transformed(model: DigitClassifier, images: Tensor) -> tuple[tuple[Grid, ...], Tensor | None]:
    if model.transformer is None:
        return (), None
    outputs, grids = model.transformer(images, return_grid=True)
    return grids if isinstance(grids, tuple) else (grids,), outputs


@dataclass(frozen=True)
class Survey:
    """What a network made of very many pictures.

    Attributes:
        predictions: (n,) classes.
        moved: (n,) how far their parameters are from the identity's; None without one.
    """

    predictions: Tensor
    moved: Tensor | None


@torch.no_grad()
def survey(model: DigitClassifier, images: Tensor) -> Survey:
    """As `look`, some hundreds at a time, keeping only what is needed of all."""
    predictions, moved = [], []
    for batch in images.split(_AT_A_TIME):
        predictions.append(model(batch).argmax(1))
        if model.transformer is not None:
            moved.append(_distance(model, _transformed(model, batch)[0]))
    return Survey(torch.cat(predictions), torch.cat(moved) if moved else None)


def _distance(model: DigitClassifier, grids: tuple[Grid, ...]) -> Tensor:
    """How far the parameters of each sample are from those of the identity."""
    identities = [transformer.transform.identity() for transformer in model.transformers]
    theta = torch.cat([grid.theta for grid in grids if grid.theta is not None], 1)
    return (theta - torch.cat(identities).to(theta)).norm(dim=1)


def fixed_pictures(config: TrainingConfig, data_dir: Path | None = None) -> tuple[Tensor, Tensor]:
    """All the pictures a run is judged by, (n, c, h, w), and their labels (n,)."""
    batches = RECIPES[config.recipe].fixed_batches(config, held_out_digits(config, data_dir), 0, 1)
    pictures, labels = zip(*batches, strict=True)
    return torch.cat(pictures), torch.cat(labels)
