"""The paper's networks (section 4.1, appendix A.4): a transformer or none, then a classifier."""

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn

from .. import Parallel, SpatialTransformer, transform
from ..grid import Grid
from ..localisation.average_pool import average_pool
from .inner_convolution import InnerConvolution
from .input_convolution import InputConvolution
from .width import count_parameters, width_for

TRANSFORM_FAMILIES = {
    "affine": transform.Affine,
    "projective": transform.Projective,
    "tps": transform.ThinPlate,
}


class DigitClassifier(nn.Module):
    """Pictures to logits, through a spatial transformer if there is one.

    Args:
        transformer: Straightens the picture; None leaves it as it is.
        pool: Between transformer and classifier.
        classifier: Picture to logits.
    """

    def __init__(
        self, transformer: SpatialTransformer | Parallel | None, pool: nn.Module, classifier: nn.Module
    ) -> None:
        super().__init__()
        self.transformer = transformer
        self.pool = pool
        self.classifier = classifier
        self._convolves = any(isinstance(module, nn.Conv2d | nn.Conv3d) for module in self.modules())

    @property
    def transformers(self) -> tuple[SpatialTransformer, ...]:
        """One, several side by side, or none."""
        if self.transformer is None:
            return ()
        if isinstance(self.transformer, SpatialTransformer):
            return (self.transformer,)
        return tuple(cast(Iterable[SpatialTransformer], self.transformer.transformers))

    def transformed(self, pictures: Tensor) -> tuple[Tensor, tuple[Grid, ...]]:
        """What each transformer makes of pictures, side by side along the channels, and its grids."""
        assert self.transformer is not None
        outputs, grids = self.transformer(pictures, return_grid=True)
        return outputs, grids if isinstance(grids, tuple) else (grids,)

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits (b, classes) of pictures (b, c, h, w), or of volumes (b, c, d, h, w)."""
        if self._convolves:
            pictures = pictures.contiguous(memory_format=_layout(pictures))
        if self.transformer is not None:
            pictures = self.transformer(pictures)
        logits: Tensor = self.classifier(self.pool(pictures))
        return logits


class Halving(nn.Module):
    """The mean over every two by two pixels, the paper's remedy against aliasing behind a transformer."""

    def forward(self, pictures: Tensor) -> Tensor:
        return average_pool(pictures, 2)


def _layout(tensor: Tensor) -> torch.memory_format:
    """In which convolutions run twice as fast on a CPU, for pictures or for volumes and their weights."""
    return {4: torch.channels_last, 5: torch.channels_last_3d}.get(tensor.ndim, torch.contiguous_format)


def digit_classifier(
    transformer: SpatialTransformer | Parallel | None,
    size: tuple[int, int],
    *,
    channels: int = 1,
    classes: int = 10,
    convolutional: bool,
    pooled: bool,
    parameters: int,
) -> DigitClassifier:
    """A classifier as wide as the budget allows, behind a transformer or not.

    Args:
        transformer: What the pictures pass first, or None.
        size: (h, w) of the pictures, and of what the transformer makes of them.
        channels: What the classifier sees has so many.
        classes: To tell apart.
        convolutional: Whether the classifier is, or fully connected.
        pooled: Whether to average down to half the size after the transformer; without one it never is.
        parameters: Learnable numbers to have in all.

    Raises:
        ValueError: If the transformer alone uses up the budget.
    """
    seen = size
    pool: nn.Module = nn.Identity()
    if transformer is not None and pooled:
        seen, pool = (size[0] // 2, size[1] // 2), Halving()
    build = convolutional_classifier if convolutional else _fully_connected
    width = width_for(parameters - count_parameters(transformer), lambda w: build(channels, seen, classes, w))
    model = DigitClassifier(transformer, pool, build(channels, seen, classes, width))
    return to_quick_layout(model)


def to_quick_layout(model: DigitClassifier) -> DigitClassifier:
    """Puts the weights of a model in the layout its inputs are put in."""
    for parameter in model.parameters():
        # Not `contiguous`, which leaves weights of one channel alone: they lie so either way. Their strides
        # tell torch in which layout to compute what follows.
        parameter.data = parameter.data.to(memory_format=_layout(parameter))
    return model


def _fully_connected(channels: int, size: tuple[int, int], classes: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(channels * size[0] * size[1], width),
        nn.ReLU(),
        nn.Linear(width, width),
        nn.ReLU(),
        nn.Linear(width, classes),
    )


def convolutional_classifier(channels: int, size: tuple[int, int], classes: int, width: int) -> nn.Sequential:
    """The paper's CNN: convolution 9 x 9, pooling, convolution 7 x 7, pooling, a layer to the logits."""
    # Rounding down, 21 pixels (RTS after pooling) would leave 6 for a window of 7.
    up = min(size) - 8 < 14
    rows, columns = (_after(_after(side, 9, up), 7, up) for side in size)
    return nn.Sequential(
        InputConvolution(channels, width, 9),
        nn.MaxPool2d(2, ceil_mode=up),
        nn.ReLU(),
        InnerConvolution(width, width, 7),
        nn.MaxPool2d(2, ceil_mode=up),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(rows * columns * width, classes),
    )


def _after(side: int, window: int, up: bool) -> int:
    """What a convolution without padding and a pooling by two leave of a side."""
    left = side - window + 1
    return (left + 1) // 2 if up else left // 2
