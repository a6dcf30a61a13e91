"""A trained network asked about pictures: where it looks, what it sees there, what it says."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..grid import Grid
from ..recipes.networks import DigitClassifier

Batches = Iterable[tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Look:
    """What a network made of a batch of pictures.

    Attributes:
        images: (n, c, h, w) what went in, or (n, c, d, h, w).
        grids: Where the outputs read, one for each transformer.
        outputs: (n, transformers * c, oh, ow) what the transformers made of them, or with their depth; None
            without one.
        seen: What the classifier saw.
        probabilities: (n, classes) what the network says.
    """

    images: Tensor
    grids: tuple[Grid, ...]
    outputs: Tensor | None
    seen: Tensor
    probabilities: Tensor

    @property
    def predictions(self) -> list[int]:
        """The likeliest class of each."""
        named: list[int] = self.probabilities.argmax(1).tolist()
        return named


@torch.no_grad()
def look(model: DigitClassifier, images: Tensor) -> Look:
    """Passes pictures or volumes through a network in eval mode and keeps what there is to see."""
    grids, outputs = _transformed(model, images)
    seen = model.pool(images if outputs is None else outputs)
    return Look(images, grids, outputs, seen, model(images).softmax(1))


def _transformed(model: DigitClassifier, images: Tensor) -> tuple[tuple[Grid, ...], Tensor | None]:
    if model.transformer is None:
        return (), None
    outputs, grids = model.transformed(images)
    return grids, outputs


@dataclass(frozen=True)
class Survey:
    """What a network made of very many samples.

    Attributes:
        labels: (n,) their true classes.
        predictions: (n,) classes.
        moved: (n,) how far their parameters are from the identity's; None without a transformer.
    """

    labels: Tensor
    predictions: Tensor
    moved: Tensor | None


@torch.no_grad()
def survey(model: DigitClassifier, batches: Batches) -> Survey:
    """As `look`, a batch at a time, keeping only what is needed of all."""
    labels, predictions, moved = [], [], []
    for images, classes in batches:
        labels.append(classes)
        predictions.append(model(images).argmax(1))
        if model.transformer is not None:
            moved.append(_distance(model, _transformed(model, images)[0]))
    return Survey(torch.cat(labels), torch.cat(predictions), torch.cat(moved) if moved else None)


def _distance(model: DigitClassifier, grids: tuple[Grid, ...]) -> Tensor:
    """How far the parameters of each sample are from those of the identity."""
    identities = [transformer.transform.identity() for transformer in model.transformers]
    theta = torch.cat([grid.theta for grid in grids if grid.theta is not None], 1)
    return (theta - torch.cat(identities).to(theta)).norm(dim=1)


def gather(batches: Batches, places: Tensor) -> tuple[Tensor, Tensor]:
    """The samples at these places (n,) of all that the batches hold, and their labels, in this order.

    All together may be more than the memory holds.
    """
    found: dict[int, tuple[Tensor, Tensor]] = {}
    wanted, first = set(places.tolist()), 0
    for images, labels in batches:
        for place in wanted.intersection(range(first, first + len(labels))):
            found[place] = images[place - first], labels[place - first]
        first += len(labels)
        if len(found) == len(wanted):
            break
    chosen, classes = zip(*(found[place] for place in places.tolist()), strict=True)
    return torch.stack(chosen), torch.stack(classes)
