"""What all distortions share: the canvas, the call, and how pixels and normalised coordinates relate."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..random import Draws

DIGIT = 28
"""The side of a digit's image in pixels."""

Reals = NDArray[np.float64]

_AT_ONCE = 1024  # images: fewer take longer by what a call costs, and more gain next to nothing


@dataclass(frozen=True)
class Batch:
    """Digits to distort, checked, and what their distortion depends on."""

    images: Tensor
    """uint8 (b, 28, 28)."""
    draws: Draws
    clutter: Tensor | None
    """uint8 (m, 28, 28)."""

    @property
    def digits(self) -> Tensor:
        """The images as the networks see them: float32 (b, 1, 28, 28) in [0, 1]."""
        return self.images.unsqueeze(1).float() / 255


@dataclass(frozen=True)
class Distortion(ABC):
    """Turns digits into harder ones: the data of the paper's section 4.1.

    Called with

        images: uint8 (b, 28, 28), 0 background, 255 ink;
        indices: int64 (b,), each image's place in its data set;
        seed, epoch: which of the endlessly many versions; -1 as epoch, by custom, for a fixed test set;
        clutter: uint8 (m, 28, 28), the digits that pieces are cut from (TC; the others ignore it),

    it returns float32 (b, 1, *size) in [0, 1]. A picture depends on its own image and index, on seed,
    epoch and clutter, and on nothing else: not on the batch around it, nor on what was drawn before.

    Convention: pixels have their centres at whole numbers; -1 and 1 are the centres of the corner pixels
    (`align_corners=True`), of the digit's image as of the canvas; x runs to the right and y downwards.
    What a warp reads outside the digit's image is black.
    """

    size: tuple[int, int] = (DIGIT, DIGIT)
    """Height and width of the canvas in pixels."""

    @abstractmethod
    def _distort(self, batch: Batch) -> Tensor:
        """Makes the pictures, float32 (b, 1, *size)."""

    def __call__(
        self, images: Tensor, indices: Tensor, *, seed: int, epoch: int, clutter: Tensor | None = None
    ) -> Tensor:
        """Distorts a batch; the arguments are those of the class.

        Raises:
            TypeError: If the images are not uint8, or the indices not int64.
            ValueError: If a shape is wrong, or clutter is needed and not given.
        """
        batches = checked_batches(images, indices, seed=seed, epoch=epoch, clutter=clutter)
        pictures = [self._distort(batch) for batch in batches]
        return (pictures[0] if len(pictures) == 1 else torch.cat(pictures)).clamp_(0, 1)


def checked_batches(
    images: Tensor, indices: Tensor, *, seed: int, epoch: int, clutter: Tensor | None = None
) -> Iterator[Batch]:
    """Checks the arguments of a `Distortion` and splits them into batches of a size quick to work on.

    Raises:
        TypeError: If the images are not uint8, or the indices not int64.
        ValueError: If a shape is wrong.
    """
    _check_digits("images", images)
    if indices.dtype != torch.int64:
        raise TypeError(f"`indices` must be int64, got {indices.dtype}.")
    if indices.shape != images.shape[:1]:
        raise ValueError(f"`indices` must be ({len(images)},), one each, got {tuple(indices.shape)}.")
    if clutter is not None:
        _check_digits("clutter", clutter)
    for some, places in zip(images.split(_AT_ONCE), indices.split(_AT_ONCE), strict=True):
        yield Batch(some, Draws(seed, epoch, places.numpy()), clutter)


def half(size: tuple[int, int]) -> Reals:
    """From the middle of an image to its corner pixel's centre, (x, y): pixels per normalised unit."""
    height, width = size
    return np.array([(width - 1) / 2, (height - 1) / 2])


def _check_digits(name: str, images: Tensor) -> None:
    if images.dtype != torch.uint8:
        raise TypeError(f"`{name}` must be uint8, 0 to 255, got {images.dtype}.")
    if images.ndim != 3 or images.shape[1:] != (DIGIT, DIGIT):
        raise ValueError(f"`{name}` must be (n, {DIGIT}, {DIGIT}), got {tuple(images.shape)}.")
