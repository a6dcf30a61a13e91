"""Digits to batches: distorted on the fly to train on, once and for all to be judged by."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ...data import DISTORTIONS, Draws, Mnist
from ...training import Part

TEST_SEED = 0
"""Every training of whatever seed is judged by the same pictures."""
_FIXED = -1


@dataclass(frozen=True, eq=False)
class Digits:
    """Plain digits, their labels, and where they stand in their data set."""

    images: Tensor
    labels: Tensor
    indices: Tensor

    def __len__(self) -> int:
        return len(self.labels)


def split(mnist: Mnist, validation: int) -> tuple[Digits, Digits]:
    """The digits to train on and those to be judged by.

    Args:
        mnist: The data.
        validation: 0 judges by the test set; otherwise by so many of the last training digits,
            which are then not trained on, and the test set stays untouched.

    Raises:
        ValueError: If nothing would be left to train on.
    """
    count = len(mnist.train_labels)
    if validation >= count:
        raise ValueError(f"`validation` must leave digits to train on: it is {validation} of {count}.")
    places = torch.arange(count)
    # The embedded digits come in the order of their classes: held out is every k-th, not the last class.
    held = torch.zeros(count, dtype=torch.bool)
    held[_spread(count, validation)] = True
    train = Digits(mnist.train_images[~held], mnist.train_labels[~held], places[~held])
    if validation:
        return train, Digits(mnist.train_images[held], mnist.train_labels[held], places[held])
    return train, Digits(mnist.test_images, mnist.test_labels, torch.arange(len(mnist.test_labels)))


def _spread(count: int, chosen: int) -> Tensor:
    return torch.arange(chosen) * count // max(chosen, 1)


@dataclass(frozen=True, eq=False)
class TrainingBatches:
    """Shuffled and distorted anew in every epoch; each picture a function of (seed, epoch, index).

    What does not fill a batch at an epoch's end is left out; as the order changes, no digit is for long.
    """

    digits: Digits
    distortion: str
    batch: int
    seed: int

    def __post_init__(self) -> None:
        if self.batch > len(self.digits):
            raise ValueError(
                f"`batch` must be at most the number of training digits, {len(self.digits)}, "
                f"got {self.batch}."
            )

    @property
    def per_epoch(self) -> int:
        return len(self.digits) // self.batch

    def __call__(self, epoch: int, batch: int, part: int, parts: int) -> Part:
        order = _order(len(self.digits), self.seed, epoch)
        chosen = order[batch * self.batch : (batch + 1) * self.batch][part::parts]
        pictures = DISTORTIONS[self.distortion](
            self.digits.images[chosen],
            self.digits.indices[chosen],
            seed=self.seed,
            epoch=epoch,
            clutter=self.digits.images,
        )
        return Part((pictures, self.digits.labels[chosen]), self.batch)


@lru_cache(maxsize=4)
def _order(count: int, seed: int, epoch: int) -> Tensor:
    """A shuffle that depends on nothing but its arguments: digits sorted by a random number each."""
    keys = Draws(seed, epoch, np.arange(count)).uniform("order", 1)[:, 0]
    return torch.from_numpy(np.argsort(keys, kind="stable"))


def fixed_batches(
    digits: Digits, distortion: str, size: int = 500, part: int = 0, parts: int = 1
) -> Iterator[tuple[Tensor, Tensor]]:
    """The digits to be judged by, always distorted the same way.

    Args:
        digits: Which ones.
        distortion: What is done to them.
        size: Digits at a time.
        part: Which process asks,
        parts: of how many; each gets its own share.

    Yields:
        Pictures (b, 1, h, w) and labels (b,).
    """
    mine = torch.arange(part, len(digits), parts)
    for chosen in torch.split(mine, size):
        pictures = DISTORTIONS[distortion](
            digits.images[chosen], digits.indices[chosen], seed=TEST_SEED, epoch=_FIXED, clutter=digits.images
        )
        yield pictures, digits.labels[chosen]
