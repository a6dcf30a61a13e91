"""The digits a recipe trains on, those it judges by, and the order of an epoch."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ..data import Draws, Mnist
from ..training import Part

TEST_SEED = 0
"""Every training of whatever seed is judged by the same pictures."""
FIXED = -1
"""The epoch of what is drawn once and for all."""


@dataclass(frozen=True, eq=False)
class Digits:
    """Plain digits, their labels, and where they stand in their data set."""

    images: Tensor
    labels: Tensor
    indices: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, places: Tensor) -> "Digits":
        if places.dtype == torch.bool:
            places = places.nonzero()[:, 0]
        # Of rows as long as images ten times as fast as indexing.
        return Digits(*(held.index_select(0, places) for held in (self.images, self.labels, self.indices)))


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
    train = Digits(mnist.train_images, mnist.train_labels, torch.arange(count))
    # The embedded digits come in the order of their classes: held out is every k-th, not the last class.
    held = torch.zeros(count, dtype=torch.bool)
    held[torch.arange(validation) * count // max(validation, 1)] = True
    if validation:
        return train[~held], train[held]
    return train, Digits(mnist.test_images, mnist.test_labels, torch.arange(len(mnist.test_labels)))


@dataclass(frozen=True, eq=False, kw_only=True)
class ShuffledDigits(ABC):
    """Training batches by address, in another order in every epoch: a function of (seed, epoch, index).

    What does not fill a batch at an epoch's end is left out; as the order changes, no digit is for long.

    Args:
        digits: What to train on.
        batch: Digits a batch.
        seed: Of the order, and of what is done to the digits.

    Raises:
        ValueError: If there are too few digits for one batch.
    """

    digits: Digits
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
        places = order[batch * self.batch : (batch + 1) * self.batch][part::parts]
        return Part(self._samples(self.digits[places], epoch), self.batch)

    @abstractmethod
    def _samples(self, chosen: Digits, epoch: int) -> tuple[Tensor, Tensor]:
        """Pictures and labels made of the chosen digits."""


@lru_cache(maxsize=4)
def _order(count: int, seed: int, epoch: int) -> Tensor:
    """A shuffle that depends on nothing but its arguments: digits sorted by a random number each."""
    keys = Draws(seed, epoch, np.arange(count)).uniform("order", 1)[:, 0]
    return torch.from_numpy(np.argsort(keys, kind="stable"))
