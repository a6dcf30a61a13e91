"""The digits a recipe trains on, and those it judges by."""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from ..data import Mnist
from .shuffled import Shuffled, held_out_of

TEST_SEED = 0
"""Every training of whatever seed is judged by the same pictures."""
MNIST_FOLDER = (
    "Folder of the MNIST files; default, where torchstn data get mnist put them, else 5,000 embedded digits."
)
"""Help of an option."""
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
    held = held_out_of(count, validation)
    train = Digits(mnist.train_images, mnist.train_labels, torch.arange(count))
    if validation:
        return train[~held], train[held]
    return train, Digits(mnist.test_images, mnist.test_labels, torch.arange(len(mnist.test_labels)))


class ShuffledDigits(Shuffled):
    """Digits in another order in every epoch, and whatever is made of them.

    Args:
        digits: What to train on.
        batch: Digits a batch.
        seed: Of the order, and of what is done to the digits.
    """

    def __init__(self, *, digits: Digits, batch: int, seed: int) -> None:
        super().__init__(len(digits), batch, seed)
        self.digits = digits

    def samples(self, places: Tensor, epoch: int) -> tuple[Tensor, ...]:
        return self._samples(self.digits[places], epoch)

    @abstractmethod
    def _samples(self, chosen: Digits, epoch: int) -> tuple[Tensor, Tensor]:
        """Pictures and labels made of the chosen digits."""
